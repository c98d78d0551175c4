# How the compilers of the foreign languages are had: sourced by ffi/test-bindings.sh.

# have_packages PACKAGE…: installs Debian packages that are missing
have_packages() {
  local missing=() package
  for package in "$@"; do
    dpkg-query -W -f '${Status}' "$package" 2>/dev/null | grep -q 'ok installed' || missing+=("$package")
  done
  [ ${#missing[@]} -eq 0 ] && return
  (
    flock 9 # the radio's test bed may be installing, too
    apt-get update -qq
    DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null
  ) 9>"$root/target/apt.lock"
}

# The Kotlin compiler with its libraries is an npm package; JNA and JUnit are Debian's.
need_kotlin() {
  have_packages openjdk-17-jdk-headless libjna-java libjna-jni junit5
  command -v npm >/dev/null || have_packages npm
  if [ ! -x "$tools/node_modules/kotlin-compiler/bin/kotlinc" ] && [ ! -f "$tools/node_modules/kotlin-compiler/lib/kotlin-compiler.jar" ]; then
    npm install --no-save --silent --prefix "$tools" kotlin-compiler@2.4.20 >/dev/null
  fi
}

# Android's public API without its SDK: Debian's stub jar of API 23, and the Bluetooth classes of
# API 36 from PyPI's type stubs.
need_android() {
  have_packages openjdk-17-jdk-headless python3-pip debian-archive-keyring
  [ -f "$tools/android/done" ] && return
  local android=$tools/android lists=$tools/android/apt
  rm -rf "$android"
  mkdir -p "$lists/lists/partial" "$lists/archives/partial"
  # The jar is in bullseye, not in bookworm; the machine's own lists stay as they are.
  local mirror
  mirror=$(apt-get indextargets --format '$(REPO_URI)' 'Created-By: Packages' | grep -m 1 'debian/*$')
  echo "deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] $mirror bullseye main" >"$lists/sources.list"
  local isolated=(-o Dir::Etc::sourcelist="$lists/sources.list" -o Dir::Etc::sourceparts=- -o Dir::State::lists="$lists/lists"
    -o Dir::Cache="$lists" -o Dir::Cache::archives="$lists/archives")
  apt-get "${isolated[@]}" update -qq
  (cd "$android" && apt-get "${isolated[@]}" download libandroid-23-java 2>/dev/null)
  dpkg-deb -x "$android"/libandroid-23-java_*.deb "$android/deb"
  python3 -m pip download --quiet --disable-pip-version-check --no-deps --dest "$android" chaquopy-stubs-android==36.20260406
  python3 -m zipfile -e "$android"/chaquopy_stubs_android-*.whl "$android/pyi"
  local jar=$android/deb/usr/share/maven-repo/com/android/android/23/android-23.jar
  python3 android/type-check/pyi2java.py "$android/pyi" "$jar" "$android/stubs-src" android.bluetooth android.bluetooth.le
  touch "$android/done"
}

# Swift is in Debian trixie, not in bookworm: a slim tree in a folder, entered with chroot.
need_swift() {
  have_packages mmdebstrap debian-archive-keyring
  [ -f "$tools/swift-root.done" ] && return
  rm -rf "$tools/swift-root"
  local exclude=() path
  for path in /usr/libexec/swift/{lib/liblldb\*,bin/lldb\*,bin/sourcekit-lsp,lib/libsourcekitdInProc.so,bin/clangd,bin/docc,lib/swift_static/\*} \
    /usr/share/man/\* /usr/share/doc/\*; do
    exclude+=("--dpkgopt=path-exclude=$path")
  done
  mmdebstrap --quiet --variant=minbase --include=swiftlang,libc6-dev,libstdc++-14-dev,ca-certificates \
    "${exclude[@]}" trixie "$tools/swift-root"
  touch "$tools/swift-root.done"
}

# in_swift_root COMMAND…: in the tree, with $work and $libraries at their own paths.
# Without /proc no Swift tool starts.
in_swift_root() {
  unshare --mount --propagation private bash -euc '
    tree=$1; work=$2; library=$3; shift 3
    mkdir -p "$tree$work" "$tree$library"
    mount -t proc proc "$tree/proc"
    mount --rbind /dev "$tree/dev"
    mount --bind "$work" "$tree$work"
    mount --bind "$library" "$tree$library"
    exec chroot "$tree" env -i HOME=/root PATH=/usr/libexec/swift/bin:/usr/bin:/bin LANG=C.UTF-8 "$@"
  ' - "$tools/swift-root" "$work" "$libraries" "$@"
}
