# Sourced by ffi/test-bindings.sh: the generated Kotlin and the tests, on the JVM.
wait
. ffi/tests/kotlin_compiler.sh

generate kotlin "$work/kotlin"
check 'generated Kotlin masks the checksums' grep -q 0xFFFF -r "$work/kotlin"
kotlinc -nowarn -cp "$runtime" -d "$work/bindings.jar" "$work/kotlin"
kotlinc -Werror -cp "$runtime:$work/bindings.jar:$testing" -d "$work/kotlin-tests.jar" \
  android/chikaku/src/main/kotlin/dev/chikaku/*.kt \
  android/sample/src/main/kotlin/dev/chikaku/sample/SimulatedExposure.kt android/chikaku/src/test/kotlin
# Folders of tests lie in memory: no test cuts the power, and a sync to a busy disk takes long.
memory=/dev/shm
[ -w "$memory" ] || memory=/tmp
java -Djava.io.tmpdir="$memory" -Djna.library.path="$(dirname "$library")" -cp "$work/bindings.jar:$work/kotlin-tests.jar:$runtime:$testing:$launcher" \
  org.junit.platform.console.ConsoleLauncher --disable-banner --disable-ansi-colors --details=tree --fail-if-no-tests \
  --scan-class-path="$work/kotlin-tests.jar" 2>&1 | tee "$work/kotlin.log" || true
succeeded=$(sed -n 's/^\[ *\([0-9]*\) tests successful *\]$/\1/p' "$work/kotlin.log")
broken=$(sed -n 's/^\[ *\([0-9]*\) tests failed *\]$/\1/p' "$work/kotlin.log")
count "${succeeded:-0}" "${broken:-1}"
