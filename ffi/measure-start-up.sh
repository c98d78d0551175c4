#!/usr/bin/env bash
# How long an app waits: from opening the client over a log of two weeks to the first status, through
# the library as phones get it. Prints the times; it fails only if something else is wrong. Python
# calls the library, because its bindings need no compiler.
#
#   ffi/measure-start-up.sh [SCANS_A_DAY] [PHONES_HEARD]    340 and 30 by default
set -euo pipefail
cd "$(dirname "$0")/.."
profile=${CHIKAKU_BINDINGS_PROFILE:-mobile}
library=target/${profile/#dev/debug}/libchikaku_ffi.so
work=target/bindings/start-up
cargo build --locked --quiet -p chikaku-bindgen --profile tool
[ -f "$library" ] || cargo build --locked --quiet -p chikaku-ffi --profile "$profile"
rm -rf "$work"
mkdir -p "$work"
target/tool/uniffi-bindgen generate "$library" --language python --out-dir "$work" --no-format --config ffi/uniffi.toml
cp "$library" "$work/"
PYTHONPATH="$work" python3 ffi/tests/start_up.py "$work/log" "${1:-340}" "${2:-30}"
