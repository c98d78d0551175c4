#!/usr/bin/env bash
# ChikakuCoreFFI.xcframework for phones and simulators, its zip and the checksum for Package.swift.
# Needs macOS with Xcode, and the Rust targets aarch64-apple-ios, aarch64-apple-ios-sim, x86_64-apple-ios.
# Not run by our CI, which is not a Mac; what it runs instead stands in README.md.
set -euo pipefail
cd "$(dirname "$0")/.."
build=$PWD/ios/build
rm -rf "$build"
mkdir -p "$build/headers" "$build/simulator"
export IPHONEOS_DEPLOYMENT_TARGET=15.0
targets=(aarch64-apple-ios aarch64-apple-ios-sim x86_64-apple-ios)
for target in "${targets[@]}"; do
  cargo build --locked -p chikaku-ffi --profile mobile --target "$target"
done
cargo run --locked --quiet -p chikaku-bindgen --profile tool -- generate \
  target/aarch64-apple-ios/mobile/libchikaku_ffi.a --language swift --out-dir "$build/generated" \
  --no-format --config ffi/uniffi.toml
mkdir -p ios/Sources/ChikakuCore
cp "$build/generated/ChikakuCore.swift" ios/Sources/ChikakuCore/
cp "$build/generated/ChikakuCoreFFI.h" "$build/headers/"
cp "$build/generated/ChikakuCoreFFI.modulemap" "$build/headers/module.modulemap"
lipo -create -output "$build/simulator/libchikaku_ffi.a" \
  target/{aarch64-apple-ios-sim,x86_64-apple-ios}/mobile/libchikaku_ffi.a
xcodebuild -create-xcframework -output "$build/ChikakuCoreFFI.xcframework" \
  -library target/aarch64-apple-ios/mobile/libchikaku_ffi.a -headers "$build/headers" \
  -library "$build/simulator/libchikaku_ffi.a" -headers "$build/headers"
(cd "$build" && ditto -c -k --keepParent ChikakuCoreFFI.xcframework ChikakuCoreFFI.xcframework.zip)
swift package --package-path ios compute-checksum "$build/ChikakuCoreFFI.xcframework.zip"
