# How the compilers of the foreign languages are had: sourced by ffi/test-bindings.sh.

# have_packages PACKAGE…: installs Debian packages that are missing
have_packages() {
  local missing=() package
  for package in "$@"; do
    dpkg-query -W -f '${Status}' "$package" 2>/dev/null | grep -q 'ok installed' || missing+=("$package")
  done
  [ ${#missing[@]} -eq 0 ] && return
  (
    flock 9
    apt-get update -qq
    DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null
  ) 9>"$tools/apt.lock"
}

# The Kotlin compiler with its libraries is an npm package; JNA and JUnit are Debian's.
need_kotlin() {
  have_packages openjdk-17-jdk-headless libjna-java libjna-jni junit5
  command -v npm >/dev/null || have_packages npm
  if [ ! -x "$tools/node_modules/kotlin-compiler/bin/kotlinc" ] && [ ! -f "$tools/node_modules/kotlin-compiler/lib/kotlin-compiler.jar" ]; then
    npm install --no-save --silent --prefix "$tools" kotlin-compiler@2.4.20 >/dev/null
  fi
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

# in_swift_root COMMAND…: in the tree, with $work and $root/target/mobile at their own paths.
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
  ' - "$tools/swift-root" "$work" "$root/target/mobile" "$@"
}
