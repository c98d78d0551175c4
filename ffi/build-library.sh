#!/usr/bin/env bash
# What a phone gets, for this machine: profile `mobile`, no simulation, stripped. Fails above the
# limit; prints what to record in ffi/README.md. The log on disk and its database are a third of it; the
# goal is 2 MB.
set -euo pipefail
cd "$(dirname "$0")/.."
cargo build --locked --quiet -p chikaku-ffi --profile mobile
library=target/mobile/libchikaku_ffi.stripped.so
strip --strip-all -o "$library" target/mobile/libchikaku_ffi.so
bytes=$(stat -c %s "$library")
echo "$(rustc --print host-tuple): $bytes bytes"
if [ "$bytes" -gt 3900000 ]; then
  echo 'more than the limit of 3900000 bytes' >&2
  exit 1
fi
