import ChikakuCore
import Foundation
import XCTest

/// The log on disk, with the real library and a real folder.
final class LogTests: XCTestCase {
    private let key = Data(repeating: 7, count: 32)
    private var temporary: URL!
    private var folder: URL { temporary.appendingPathComponent("log") }
    private let files = FileManager.default

    override func setUpWithError() throws {
        temporary = files.temporaryDirectory.appendingPathComponent(UUID().uuidString)
        try files.createDirectory(at: temporary, withIntermediateDirectories: true)
    }

    override func tearDownWithError() throws { try files.removeItem(at: temporary) }

    private func location(_ folder: URL? = nil, key: Data? = nil, marker: Data? = nil) -> LogLocation {
        .folder(path: (folder ?? self.folder).path, rootKey: key ?? self.key, installMarker: marker)
    }

    private func open(_ location: LogLocation? = nil) throws -> ExposureNotificationClient {
        try .open(configuration: configuration(), log: location ?? self.location())
    }

    private func left() throws -> [String] { try files.contentsOfDirectory(atPath: temporary.path).sorted() }

    private func assertFails(
        _ code: (ExposureNotificationError) -> Bool, line: UInt = #line, _ call: () throws -> Any
    ) {
        XCTAssertThrowsError(try call(), line: line) { error in
            XCTAssertTrue((error as? ExposureNotificationError).map(code) ?? false, "\(error)", line: line)
        }
    }

    func testAClientThatIsClosedAndOpenedAgainStillNotifies() throws {
        let met = try Contact(location())
        let first = try met.contact.client.openedLog()
        XCTAssertTrue(first.isNew)
        try met.contact.restart(location(marker: first.installMarker))
        let second = try met.contact.client.openedLog()
        XCTAssertFalse(second.isNew)
        XCTAssertEqual(first.installMarker, second.installMarker)
        XCTAssertGreaterThan(second.replayedCommits, 0)
        try met.provide(met.file)
        XCTAssertEqual(met.contact.announced.map(\.day), [day])
        try met.contact.restart()
        XCTAssertEqual(met.contact.announced.count, 2, "until the app has confirmed it")
        _ = try met.contact.client.onAnnounced(day: day, now: met.contact.clocks)
        try met.contact.restart()
        XCTAssertEqual(met.contact.announced.count, 2)
        XCTAssertEqual(try met.contact.client.cursor(source: "simulated"), 1)
    }

    func testAProcessThatIsKilledLosesNothing() throws {
        let met = try Contact(location())
        // What is on the disk while the client is open is what a kill leaves.
        let copy = temporary.appendingPathComponent("copy")
        try files.copyItem(at: folder, to: copy)
        try met.contact.restart(location(copy))
        try met.provide(met.file)
        XCTAssertEqual(met.contact.announced.count, 1)
    }

    func testMaintenanceMergesAndNothingIsLost() throws {
        let met = try Contact(location())
        let done = try XCTUnwrap(met.contact.client.maintain())
        XCTAssertTrue(done.bytesBefore > 0 && done.bytesAfter > 0)
        try met.contact.restart()
        XCTAssertEqual(try met.contact.client.openedLog().replayedCommits, 0)
        try met.provide(met.file)
        XCTAssertEqual(met.contact.announced.count, 1)
        XCTAssertNil(try met.patient.client.maintain(), "in memory there is nothing to do")
    }

    func testEverythingThatCanBeWrongHasItsCode() throws {
        XCTAssertNil(try installMarkerAt(path: folder.path))
        assertFails({ if case .InvalidArgument = $0 { true } else { false } }) {
            try open(location(key: Data(count: 31)))
        }
        assertFails({ if case .InvalidArgument = $0 { true } else { false } }) {
            try open(location(marker: Data(count: 15)))
        }
        let client = try open()
        let marker = try XCTUnwrap(client.openedLog().installMarker)
        assertFails({ if case .LogInUse = $0 { true } else { false } }) { try open() }
        assertFails({ if case .LogInUse = $0 { true } else { false } }) { try deleteLog(path: folder.path) }
        client.shutdown()
        XCTAssertEqual(try installMarkerAt(path: folder.path), marker)
        assertFails({ if case .LogWrongKey = $0 { true } else { false } }) {
            try open(location(key: Data(count: 32)))
        }
        assertFails({ if case .LogOfOtherInstallation = $0 { true } else { false } }) {
            try open(location(marker: Data(count: 16)))
        }
        assertFails({ if case .LogAbsent = $0 { true } else { false } }) {
            try open(location(temporary.appendingPathComponent("none"), marker: marker))
        }
        let file = temporary.appendingPathComponent("file")
        try Data().write(to: file)
        assertFails({ if case .LogFailed = $0 { true } else { false } }) { try open(location(file)) }
        let keys = folder.appendingPathComponent("keys")
        var bytes = try Data(contentsOf: keys)
        bytes[8] = 99
        try bytes.write(to: keys)
        assertFails({ if case .LogNewer(let message) = $0 { message.contains("99") } else { false } }) { try open() }
    }

    func testADamagedLogIsLeftAsItIsAndBegunAnewWithWhatCanBeRead() throws {
        let met = try Contact(location())
        _ = try met.contact.client.maintain()
        let marker = try met.contact.client.openedLog().installMarker
        met.contact.client.shutdown()
        let pages = folder.appendingPathComponent("pages")
        var damaged = try Data(contentsOf: pages)
        damaged[damaged.count - 1] &+= 1
        try damaged.write(to: pages)
        assertFails({ if case .LogCorrupt(let message) = $0 { message.contains("can be read") } else { false } }) {
            try open()
        }
        XCTAssertEqual(try Data(contentsOf: pages), damaged)
        try met.contact.restart(location(marker: marker)) { try .openWithSalvage(configuration: $0, log: $1) }
        XCTAssertNotEqual(try met.contact.client.openedLog().installMarker, marker)
        try met.provide(met.file)
        XCTAssertEqual(met.contact.announced.count, 1, "what was heard was saved")
        XCTAssertEqual(try left(), ["log"])
    }

    func testDeletionLeavesNothing() throws {
        let met = try Contact(location())
        let client = met.contact.client
        try client.deleteEverything()
        XCTAssertEqual(try left(), [])
        assertFails({ if case .Closed = $0 { true } else { false } }) { try client.start(now: met.contact.clocks) }
        assertFails({ if case .Closed = $0 { true } else { false } }) { try client.deleteEverything() }
        try deleteLog(path: folder.path)
        // Whatever state it is in.
        try open().shutdown()
        try Data("nonsense".utf8).write(to: folder.appendingPathComponent("keys"))
        try deleteLog(path: folder.path)
        XCTAssertEqual(try left(), [])
    }

    func testScansFromBeforeTheFirstUnlockAreTakenOver() throws {
        assertFails({ if case .LogAbsent = $0 { true } else { false } }) { try ScanSpool.open(path: folder.path) }
        let met = try Contact(location())
        assertFails({ if case .LogInUse = $0 { true } else { false } }) { try ScanSpool.open(path: folder.path) }
        let data = try XCTUnwrap(met.patient.onAir?.serviceData)
        let before = try met.contact.client.sightingsOn(day: day + 1)
        met.contact.client.shutdown()
        let spool = try ScanSpool.open(path: folder.path)
        let now = met.room.now
        let heard = HeardAdvertisement(heardAt: now + 1, rssiDbm: -60, serviceData: data)
        try spool.onScan(scan: Scan(started: now, ended: now + 4, heard: [heard]))
        spool.shutdown()
        assertFails({ if case .Closed = $0 { true } else { false } }) {
            try spool.onScan(scan: Scan(started: now, ended: now, heard: []))
        }
        met.room.now += 10
        try met.contact.restart()
        XCTAssertEqual(
            try met.contact.client.openedLog().spool, TakenFromSpool(scans: 1, sightings: 1, unreadableBytes: 0))
        XCTAssertEqual(try met.contact.client.sightingsOn(day: day + 1), before + 1)
    }
}
