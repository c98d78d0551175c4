#!/usr/bin/env bash
# Python, Kotlin and Swift against the real library. Installs what is missing, from package
# registries only (as root: Debian packages; npm: the Kotlin compiler; Debian trixie: Swift, in a
# folder of its own), and reuses what is there. The last line is `N passed, 0 failed`.
#
#   ffi/test-bindings.sh [interface] [python] [kotlin] [android] [swift]    all of them by default
#
#   CHIKAKU_BINDINGS_PROFILE  cargo profile of the library (default mobile: what phones get)
#   CHIKAKU_BINDINGS_TOOLS    where compilers are kept (default target/bindings-tools, 2 GB)
set -euo pipefail
cd "$(dirname "$0")/.."
root=$PWD
profile=${CHIKAKU_BINDINGS_PROFILE:-mobile}
libraries=$root/target/${profile/#dev/debug}
tools=${CHIKAKU_BINDINGS_TOOLS:-$root/target/bindings-tools}
work=$root/target/bindings
[ $# -gt 0 ] || set -- interface python kotlin android swift
mkdir -p "$tools" "$work"

passed=0
failed=0
step() { printf '\n== %s\n' "$*"; }
wanted() { case " $languages " in *" $1 "*) ;; *) return 1 ;; esac; }
# count PASSED FAILED
count() { passed=$((passed + $1)); failed=$((failed + $2)); }
# check NAME COMMAND…: one test that is a command
check() {
  local name=$1
  shift
  if "$@"; then count 1 0; echo "ok: $name"; else count 0 1; echo "FAILED: $name"; fi
}
# readme_code README LANGUAGE FILE: writes the first block of that language; prints the file's name
readme_code() {
  sed -n "/^\`\`\`$2\$/,/^\`\`\`\$/p" "$1" | sed '1d;/^```$/,$d' >"$3"
  echo "$3"
}
languages="$*"
wanted android && ! wanted kotlin && languages="$languages kotlin"

. ffi/tests/toolchains.sh
for language in kotlin android swift; do
  if wanted "$language"; then "need_$language" & fi
done

step 'library and generator'
cargo build --locked --quiet -p chikaku-bindgen --profile tool
cargo build --locked --quiet -p chikaku-ffi --profile "$profile" --features simulation
library=$libraries/libchikaku_ffi.so
bindgen=$root/target/tool/uniffi-bindgen
generate() { # LANGUAGE DIRECTORY [CONFIGURATION]
  rm -rf "$2"
  mkdir -p "$2"
  "$bindgen" generate "$library" --language "$1" --out-dir "$2" --no-format --config "${3:-ffi/uniffi.toml}"
}

if wanted interface; then
  step 'exported interface'
  "$bindgen" interface "$library" >"$work/interface.snap"
  check 'the interface is the one in ffi/interface.snap' diff -u ffi/interface.snap "$work/interface.snap"
fi

for language in python kotlin android swift; do
  if wanted "$language"; then
    step "$language"
    # shellcheck source=/dev/null
    . "ffi/tests/$language.sh"
  fi
done

echo
echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ] && [ "$passed" -gt 0 ]
