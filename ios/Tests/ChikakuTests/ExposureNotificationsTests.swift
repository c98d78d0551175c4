import Chikaku
import ChikakuCore
import Foundation
import XCTest

private let day: Int32 = 20_000
private let start = Int64(day) * 86_400

/// The facade with the real client, over a radio that is a list.
final class ExposureNotificationsTests: XCTestCase {
    func testTwoPhonesThroughTheFacade() async throws {
        let air = Air()
        let server = try SimulatedKeyServer(number: 1)
        let (patient, contact) = (try Host(air, server), try Host(air, server))
        let before = try await contact.notifications.status()
        XCTAssertEqual(before.state, .stopped)
        try await patient.notifications.start()
        try await contact.notifications.start()
        let enabled = try await contact.notifications.isEnabled()
        XCTAssertTrue(enabled)
        XCTAssertNotNil(contact.radio.onAir)
        for _ in 0..<8 {
            for host in [patient, contact] { try await host.finishScan() }
            air.now += 300
            for host in [patient, contact] { try await host.notifications.wake() }
        }
        air.now = start + 86_400
        try await patient.notifications.wake()
        try await contact.notifications.wake()
        let keys = try await patient.notifications.temporaryExposureKeyHistory(.confirmedTest, onsetDay: day)
        let file = KeyFile(bytes: try server.publish(keys: keys, start: start, end: air.now))
        let outcomes = try await contact.notifications.provideDiagnosisKeys([file])
        XCTAssertEqual(outcomes.count, 1)
        var announcements = contact.notifications.announcements.makeAsyncIterator()
        let told = await announcements.next()
        XCTAssertEqual(told?.day, day)
        XCTAssertEqual(told?.level, .high)
        let guidance = try await contact.notifications.guidance(.no, utcOffsetMinutes: 540)
        XCTAssertTrue(try XCTUnwrap(guidance).messages.contains("not_necessarily_infected"))
        let explanations = try await contact.notifications.explanations()
        XCTAssertEqual(explanations.count, 1)
        var records = contact.notifications.dayRecords.makeAsyncIterator()
        let record = await records.next()
        XCTAssertEqual(record?.day, day)
        var changes = contact.notifications.statusChanges.makeAsyncIterator()
        let changed = await changes.next()
        XCTAssertEqual(changed?.state, .degraded)
        try await contact.notifications.confirmAnnounced(day: day)
        try await contact.notifications.forgetEverything()
        XCTAssertNil(contact.radio.onAir)
        try await patient.notifications.stop()
        let assessments = try await contact.notifications.assessments()
        XCTAssertEqual(assessments, [])
    }

    func testVisitsAndDiaryThroughTheFacadeAndTheEndOfEverything() async throws {
        let air = Air()
        let server = try SimulatedKeyServer(number: 1)
        let takesVisits = UploadServer.exposureServer(
            healthAuthorityId: "jp.example.authority", traveler: false, takesVisits: true)
        let patient = try Host(air, server, takesVisits).notifications
        let visitor = try Host(air, server).notifications
        let code = try server.issueVenue(name: nil, defaultStayMinutes: 60, issuedOn: day)
        guard case .venue = try await visitor.readVenueCode(code) else { return XCTFail("refused") }
        _ = try await patient.checkIn(code)
        guard case .kept(let visit) = try await visitor.checkIn(code) else { return XCTFail("refused") }
        air.now += 1_800
        let left = try await visitor.checkOut(visit: visit)
        XCTAssertEqual(left, .kept(number: visit))
        air.now += 7_200
        let queued = try await patient.publishKeys(
            .keysAndVisits(transmissionRiskLevel: 8), .confirmedTest,
            date: PublicationDate(localDay: day, utcOffsetMinutes: 540, isSymptomOnset: true), number: "12345678")
        guard case .queued(_, 1, 0) = queued else { return XCTFail("\(queued)") }
        let call = try await patient.nextUploadCall()
        let certify = try XCTUnwrap(call)
        _ = try await patient.answerUpload(certify.upload, .certified(certificate: "certificate"))
        let next = try await patient.nextUploadCall()
        let send = try XCTUnwrap(next)
        guard case .send(_, _, _, let body) = send.step else { return XCTFail("not sent") }
        let published = try await patient.answerUpload(send.upload, .response(status: 200, body: Data()))
        XCTAssertEqual(published, .published(keys: 0, visits: 1, moreFollow: false))
        let outcome = try await visitor.provideVenueWarnings(server.publishVenueWarnings(uploads: [body]))
        guard case .matched = outcome else { return XCTFail("\(outcome)") }
        var announcements = visitor.venueAnnouncements.makeAsyncIterator()
        let told = await announcements.next()
        XCTAssertEqual(told, day)
        let evidence = try await visitor.evidence(day: day)
        XCTAssertEqual(evidence.venues.map(\.visit), [visit])
        let visits = try await visitor.visits()
        XCTAssertEqual(visits.map(\.number), [visit])
        let name = try await visitor.name(ofVisit: visit)
        XCTAssertNil(name)
        let begun = try await visitor.beginDiary(
            DiaryStart(basis: .onset(localDay: day), place: .hotel, utcOffsetMinutes: 540))
        XCTAssertEqual(begun, .begun)
        _ = try await visitor.addDiaryEntry(DiaryEntry(at: air.now, temperatureTenthsCelsius: 368))
        let diary = try await visitor.diary()
        XCTAssertEqual(diary?.entries.count, 1)
        let export = try await visitor.diaryExport()
        XCTAssertNotNil(export)
        let maintained = try await visitor.maintain()
        XCTAssertNil(maintained, "in memory")
        try await visitor.deleteEverything()
        do {
            _ = try await visitor.visits()
            XCTFail("closed")
        } catch ExposureNotificationError.Closed {
        }
    }

    func testAScanThatDidNotTakePlaceIsNotOneThatFoundNobody() async throws {
        let air = Air()
        let host = try Host(air, try SimulatedKeyServer(number: 1))
        host.radio.listens = false
        try await host.notifications.start()
        for _ in 0..<8 {
            air.now += 300
            try await host.notifications.wake()
        }
        let missed = try await host.notifications.status()
        XCTAssertNil(missed.lastScan)
        XCTAssertTrue(missed.reasons.contains { $0.code == "scans_missing" })
        host.radio.listens = true
        air.now += 300
        try await host.notifications.wake()
        try await host.finishScan()
        try await host.notifications.stop()
    }

    func testARadioThatRefusesIsAReasonAndIsAskedAgainAfterAMinute() async throws {
        let air = Air()
        let host = try Host(air, try SimulatedKeyServer(number: 1))
        host.radio.works = false
        try await host.notifications.start()
        let refused = try await host.notifications.status()
        XCTAssertTrue(refused.reasons.contains { $0.code == "advertising_refused" })
        host.radio.works = true
        air.now += 61
        try await host.notifications.wake()
        XCTAssertNotNil(host.radio.onAir)
        XCTAssertGreaterThan(try XCTUnwrap(air.lastWake), air.now)
        try await host.notifications.stop()
        XCTAssertNil(host.radio.onAir)
    }
}

/// Virtual time and what is on the air. Tests touch it between the calls they wait for.
private final class Air: PhoneClock, WakeScheduler, HostFactsReader, @unchecked Sendable {
    private let lock = NSLock()
    private var time = start
    private var radios: [FakeRadio] = []
    private var wakeAt: Int64?

    var now: Int64 {
        get { lock.withLock { time } }
        set { lock.withLock { time = newValue } }
    }
    var lastWake: Int64? { lock.withLock { wakeAt } }

    func read() -> ClockReading {
        let now = now
        return ClockReading(wallUnixSeconds: now, monotonicSeconds: now - start + 5_000, boot: .count(count: 3))
    }

    func read() -> HostFacts {
        HostFacts(
            supported: true, bluetoothOn: true, permissionGranted: true, location: .notNeeded,
            notificationsAllowed: true)
    }

    func wake(at unixSeconds: Int64) { lock.withLock { wakeAt = unixSeconds } }

    func add(_ radio: FakeRadio) { lock.withLock { radios.append(radio) } }

    func others(than radio: FakeRadio) -> [AdvertisePlan] {
        lock.withLock { radios }.filter { $0 !== radio }.compactMap(\.onAir)
    }
}

private final class FakeRadio: Radio, @unchecked Sendable {
    private let air: Air
    private let lock = NSLock()
    private var plan: AdvertisePlan?
    private var refuses = false
    private var isDeaf = false
    private var scanning: CheckedContinuation<Void, Never>?

    init(_ air: Air) {
        self.air = air
        air.add(self)
    }

    var onAir: AdvertisePlan? { lock.withLock { plan } }
    var works: Bool {
        get { lock.withLock { !refuses } }
        set { lock.withLock { refuses = !newValue } }
    }
    var listens: Bool {
        get { lock.withLock { !isDeaf } }
        set { lock.withLock { isDeaf = !newValue } }
    }

    func advertise(_ plan: AdvertisePlan) async -> Bool {
        lock.withLock {
            self.plan = refuses ? nil : plan
            return !refuses
        }
    }

    func stopAdvertising() async { lock.withLock { plan = nil } }

    func scan(seconds: Int) async -> [HeardAdvertisement]? {
        guard listens else { return nil }
        await withTaskCancellationHandler {
            await withCheckedContinuation { waiting in
                let isOver = lock.withLock {
                    if !Task.isCancelled { scanning = waiting }
                    return Task.isCancelled
                }
                if isOver { waiting.resume() }
            }
        } onCancel: {
            takeWaiting()?.resume()
        }
        return air.others(than: self).map {
            HeardAdvertisement(heardAt: air.now, rssiDbm: -77, serviceData: $0.serviceData)
        }
    }

    private func takeWaiting() -> CheckedContinuation<Void, Never>? {
        lock.withLock {
            defer { scanning = nil }
            return scanning
        }
    }

    /// The seconds of the running scan have passed.
    func finishScan() async {
        // The scan runs in a task of its own, which may not have begun.
        while true {
            if let waiting = takeWaiting() {
                waiting.resume()
                return
            }
            await Task.yield()
        }
    }
}

private struct Host {
    private let air: Air
    let radio: FakeRadio
    let notifications: ExposureNotifications

    init(_ air: Air, _ server: SimulatedKeyServer, _ uploadServer: UploadServer? = nil) throws {
        self.air = air
        radio = FakeRadio(air)
        let configuration = ClientConfiguration(
            transmitPowerDbm: -24, trustedKeys: [try server.trustedKey()], uploadServer: uploadServer)
        notifications = ExposureNotifications(
            client: try ExposureNotificationClient.open(configuration: configuration, log: .memory),
            clock: air, radio: radio, scheduler: air, facts: air)
    }

    /// Returns when the client has taken the scan.
    func finishScan() async throws {
        await radio.finishScan()
        while try await notifications.status().lastScan != air.now { await Task.yield() }
    }
}
