#!/usr/bin/env bash
# The libraries of four ABIs and the generated Kotlin, for Gradle. Needs Android's NDK r28 or newer,
# `cargo install cargo-ndk --version 4.1.2 --locked`, and the four Rust targets.
# Not run by our CI, which has no NDK; what it runs instead stands in README.md.
set -euo pipefail
cd "$(dirname "$0")/.."
abis=(arm64-v8a armeabi-v7a x86 x86_64)
# From NDK r28 on pages of 16 KB are the default; older ones would have to be told.
export RUSTFLAGS="${RUSTFLAGS:-} -Clink-arg=-Wl,-z,max-page-size=16384"
cargo ndk --platform 23 "${abis[@]/#/--target=}" --output-dir android/chikaku/src/main/jniLibs \
  build --locked -p chikaku-ffi --profile mobile
library=android/chikaku/src/main/jniLibs/arm64-v8a/libchikaku_ffi.so
cargo run --locked --quiet -p chikaku-bindgen --profile tool -- generate "$library" --language kotlin \
  --out-dir android/chikaku/build/generated-bindings --no-format --config ffi/uniffi-android.toml
# The generator has read the symbols; Gradle strips what goes into the AAR.
echo 'now: cd android && gradle :chikaku:publishToMavenLocal'
