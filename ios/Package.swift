// swift-tools-version:5.10
import Foundation
import PackageDescription

// Without the variable: what an app gets, the library as an XCFramework. With it: the library of
// this machine, as a system library whose header and module map ffi/test-bindings.sh generates.
let localLibrary = ProcessInfo.processInfo.environment["CHIKAKU_LOCAL_LIBRARY"]

let core: [Target]
var radio: [Target.Dependency] = []
if let localLibrary {
    core = [
        .systemLibrary(name: "ChikakuCoreFFI", path: "Sources/ChikakuCoreFFI"),
        .target(
            name: "ChikakuCore",
            dependencies: ["ChikakuCoreFFI"],
            linkerSettings: [
                .unsafeFlags(["-L\(localLibrary)", "-Xlinker", "-rpath", "-Xlinker", localLibrary]),
                .linkedLibrary("chikaku_ffi"),
            ]
        ),
        // Makes the adapter compile and lets a test play the system; see the README.
        .target(name: "CoreBluetooth", path: "Testing/CoreBluetooth"),
        // The lines of the README.
        .target(name: "Readme", dependencies: ["Chikaku", "ChikakuCore"], path: "Testing/Readme"),
    ]
    radio = ["CoreBluetooth"]
} else {
    // build-xcframework.sh writes the archive and prints the checksum to put here.
    core = [
        .binaryTarget(name: "ChikakuCoreFFI", path: "build/ChikakuCoreFFI.xcframework"),
        .target(name: "ChikakuCore", dependencies: ["ChikakuCoreFFI"]),
    ]
}

let package = Package(
    name: "Chikaku",
    platforms: [.iOS(.v15), .macOS(.v12)],
    products: [.library(name: "Chikaku", targets: ["Chikaku", "ChikakuCore"])],
    targets: core + [
        .target(name: "Chikaku", dependencies: ["ChikakuCore"] + radio),
        .testTarget(name: "ChikakuCoreTests", dependencies: ["ChikakuCore"]),
        .testTarget(name: "ChikakuTests", dependencies: ["Chikaku", "ChikakuCore"] + radio),
    ]
)
