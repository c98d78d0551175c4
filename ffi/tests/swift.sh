# Sourced by ffi/test-bindings.sh: the Swift package over the library of this machine, on Linux.
wait
package=$work/swift
mkdir -p "$package"
generate swift "$work/swift-generated"
# Only what has changed, so that SwiftPM builds only that.
for place in Package.swift Sources Testing Tests; do
  if [ -e "ios/$place" ]; then cp -r --update "ios/$place" "$package/"; fi
done
for file in $(cd "$package" && find Sources/Chikaku Testing/CoreBluetooth Tests -name '*.swift'); do
  [ -e "ios/$file" ] || rm "$package/$file"
done
mkdir -p "$package/Sources/ChikakuCore" "$package/Sources/ChikakuCoreFFI"
place() { cmp -s "$1" "$2" || cp "$1" "$2"; }
place "$work/swift-generated/ChikakuCore.swift" "$package/Sources/ChikakuCore/ChikakuCore.swift"
place "$work/swift-generated/ChikakuCoreFFI.h" "$package/Sources/ChikakuCoreFFI/ChikakuCoreFFI.h"
place "$work/swift-generated/ChikakuCoreFFI.modulemap" "$package/Sources/ChikakuCoreFFI/module.modulemap"
mkdir -p "$package/Testing/Readme"
readme=$(readme_code ios/README.md swift "$work/Readme.swift")
place "$readme" "$package/Testing/Readme/Readme.swift"
check 'the package and the lines of the README compile' \
  in_swift_root env CHIKAKU_LOCAL_LIBRARY="$libraries" swift build --build-tests --package-path "$package" --disable-sandbox
# As the folders of the Kotlin tests; the tree has the machine's /dev.
memory=/dev/shm
[ -w "$memory" ] || memory=/tmp
in_swift_root env TMPDIR="$memory" CHIKAKU_LOCAL_LIBRARY="$libraries" \
  swift test --skip-build --package-path "$package" --disable-sandbox 2>&1 | tee "$work/swift.log" || true
# The last of these lines is that of all tests together.
all=$(grep -E 'Executed [0-9]+ tests?, with [0-9]+ failures?' "$work/swift.log" | tail -n 1 || true)
ran=$(sed -n 's/.*Executed \([0-9]*\) tests\?.*/\1/p' <<<"$all")
broken=$(grep -cE "^.*Test Case '.*' failed" "$work/swift.log" || true)
[ -n "$ran" ] || { ran=0 broken=1; }
count $((ran - (ran > 0 ? broken : 0))) "$broken"
