import Chikaku
import ChikakuCore
import Foundation
import XCTest

/// First start, later starts, and everything that can be lost.
final class LogOnDiskTests: XCTestCase {
    private let configuration = ClientConfiguration(transmitPowerDbm: -24, trustedKeys: [])

    func testTheKeyAndTheLogComeAndGoTogether() throws {
        let files = FileManager.default
        let folder = files.temporaryDirectory.appendingPathComponent(UUID().uuidString)
        let store = Store()
        let log = LogOnDisk(folder: folder, rootKeys: store)
        try log.open(configuration).shutdown()
        XCTAssertEqual(store.key, Store.fresh, "the key of an earlier installation was dropped")
        XCTAssertNotNil(store.marker)
        try log.open(configuration).shutdown()
        // The process died before it kept the marker.
        store.marker = nil
        try log.open(configuration).shutdown()
        XCTAssertNotNil(store.marker)
        store.key = nil
        XCTAssertThrowsError(try log.open(configuration)) {
            guard case ExposureNotificationError.LogWrongKey = $0 else { return XCTFail("\($0)") }
        }
        store.key = Store.fresh
        try files.removeItem(at: folder)
        XCTAssertThrowsError(try log.open(configuration)) {
            guard case ExposureNotificationError.LogAbsent = $0 else { return XCTFail("\($0)") }
        }
        try log.delete()
        XCTAssertNil(store.key)
        XCTAssertFalse(files.fileExists(atPath: folder.path))
        try log.open(configuration).deleteEverything()
        XCTAssertFalse(files.fileExists(atPath: folder.path))
        try log.delete()
        try log.open(configuration).shutdown()
        try log.openWithSalvage(configuration).shutdown()
        try log.delete()
        XCTAssertNil(store.marker)
    }
}

private final class Store: RootKeyStore, @unchecked Sendable {
    static let fresh = Data(repeating: 7, count: 32)
    var key: Data? = Data(count: 32)
    var marker: Data?

    func read() -> Data? { key }

    func create() -> Data {
        key = Store.fresh
        return Store.fresh
    }

    func installMarker() -> Data? { marker }

    func keep(installMarker: Data?) { marker = installMarker }

    func delete() { (key, marker) = (nil, nil) }
}
