import ChikakuCore
import Foundation
import XCTest

/// The client as generated, against the real library.
final class ClientTests: XCTestCase {
    func testADayOfScansAndRotationInVirtualTime() throws {
        let room = Room()
        let (a, b) = (try room.phone(), try room.phone())
        room.rssi = [-70]
        try a.begin()
        try b.begin()
        try room.pass(until: start + daySeconds + 60)
        XCTAssertEqual(a.plans.count, 145, "144 intervals and the first of the next day")
        XCTAssertEqual(Set(a.plans.map(\.serviceData)).count, 145, "each with its own identifier")
        XCTAssertTrue(a.plans.allSatisfy { $0.serviceData.count == 20 && $0.serviceUuid == 0xFD6F })
        XCTAssertEqual(a.plans.map(\.until), (1...145).map { start + 600 * $0 })
        XCTAssertTrue((284...409).contains(a.scans.count), "a scan every 211 to 304 s")
        XCTAssertEqual(a.scans.map { Int($0.kept) }.reduce(0, +), a.scans.count)
        let sightings = try a.client.sightingsOn(day: day) + a.client.sightingsOn(day: day + 1)
        XCTAssertEqual(sightings, Int64(a.scans.count))
        let record = try XCTUnwrap(a.records.first)
        XCTAssertEqual(record.day, day)
        XCTAssertEqual(record.result, "not_matched")
        XCTAssertEqual(record.minutesPlanned, 1440)
        XCTAssertGreaterThan(record.minutesScanned, 1_430)
        XCTAssertEqual(try a.client.dayRecords(now: a.clocks), [record])
    }

    func testWhatTheRadioGotWrongIsCountedAndCostsNothingElse() throws {
        let room = Room()
        let (a, b) = (try room.phone(), try room.phone())
        try a.begin()
        try b.begin()
        room.now = start + 4
        let good = b.onAir!.serviceData
        func heard(_ second: Int64, _ dbm: Int32?, _ data: Data) -> HeardAdvertisement {
            HeardAdvertisement(heardAt: start + second, rssiDbm: dbm, serviceData: data)
        }
        try a.finishScan([
            heard(0, 127, good), heard(0, nil, good), heard(1, -60, good), heard(1, -60, good.dropLast()),
            heard(-start - 5, -60, good), heard(100, -60, good), heard(0, -60, a.onAir!.serviceData),
        ])
        XCTAssertEqual(
            a.scans,
            [
                ScanOutcome(
                    kept: 3, withoutRssi: 2, ofSuspectTime: 0, ownIdentifiers: 1, malformed: 2, outsideTime: 1,
                    ofForgottenDay: 0, flood: 0)
            ])
    }

    func testWindowsSummariesAndAssessments() throws {
        let met = try Contact()
        guard case .matched(let keys, 0, let matched, 0, 0, _) = try met.provide(met.file).files[0] else {
            return XCTFail("not matched")
        }
        XCTAssertEqual([keys, matched], [2, 1], "the day's key and the cut off one of the next")
        let client = met.contact.client
        let windows = try client.exposureWindows(now: met.contact.clocks)
        XCTAssertFalse(windows.isEmpty)
        for window in windows {
            XCTAssertEqual(window.day, day)
            XCTAssertTrue((met.metAt...met.metAt + 1_800).contains(window.firstHeardAt))
            XCTAssertEqual(window.reportType, .confirmedTest)
            XCTAssertEqual(window.infectiousness, .high)
            XCTAssertEqual(window.calibrationConfidence, .lowest)
            for scan in window.scanInstances {
                XCTAssertEqual([scan.minAttenuationDb, scan.typicalAttenuationDb], [53, 55])
                XCTAssertTrue((180...300).contains(scan.secondsSinceLastScan))
            }
        }
        let seconds = windows.flatMap(\.scanInstances).map { Int64($0.secondsSinceLastScan) }.reduce(0, +)
        let assessments = try client.assessments(now: met.contact.clocks)
        XCTAssertEqual(assessments.count, 1)
        let assessment = assessments[0]
        XCTAssertEqual(assessment.level, .high)
        XCTAssertEqual(assessment.profile, "cocoa-v2")
        XCTAssertEqual(assessment.scoreUnit, "weighted seconds")
        XCTAssertEqual(assessment.seconds, seconds)
        XCTAssertTrue(!assessment.conditions.isEmpty && assessment.conditions.allSatisfy(\.holds))
        let summary = try XCTUnwrap(client.dailySummaries(now: met.contact.clocks).first)
        XCTAssertEqual(assessment.dailySummary, summary)
        XCTAssertEqual(summary.daySummary, summary.confirmedTest)
        XCTAssertEqual(summary.selfReport.scoreSum, 0)
        XCTAssertEqual(summary.daySummary.scoreSum, assessment.score)
        // COCOA weighs every second of this distance with 2.5.
        XCTAssertEqual(summary.daySummary.weightedDurationSum, Double(seconds) * 2.5)
    }

    func testTheKeysOfAPatient() throws {
        let met = try Contact()
        let key = try XCTUnwrap(met.keys.first)
        XCTAssertEqual(key.keyData.count, 16)
        XCTAssertEqual(key.rollingStartIntervalNumber, Int64(day) * 144)
        XCTAssertEqual(key.rollingPeriod, 144)
        XCTAssertEqual(key.reportType, .confirmedTest)
        XCTAssertEqual(key.daysSinceOnsetOfSymptoms, 0)
        XCTAssertNil(key.transmissionRiskLevel)
        let own = try met.patient.client.provideDiagnosisKeys(
            files: [KeyFile(bytes: met.file)], missing: 0, now: met.patient.clocks)
        guard case .matched(_, _, _, let ownKeys, _, _) = own.files[0] else { return XCTFail("not matched") }
        XCTAssertEqual(ownKeys, Int64(met.keys.count))
    }

    func testARefusedFileHasACodeAndItsNeighboursAreMatched() throws {
        let met = try Contact()
        let stranger = try SimulatedKeyServer(number: 2).publish(keys: met.keys, start: start, end: met.room.now)
        var damaged = met.file
        damaged[damaged.count / 2] &+= 1
        let files = try met.provide(Data("no zip".utf8), stranger, damaged, met.file).files
        let codes = files.map { outcome -> String in
            if case .refused(let code, _) = outcome { code } else { "taken" }
        }
        XCTAssertEqual(codes[0], "not_a_zip")
        XCTAssertEqual(codes[1], "wrong_key_version")
        XCTAssertNotEqual(codes[2], "taken")
        XCTAssertEqual(codes[3], "taken")
        XCTAssertEqual(met.contact.announced.count, 1)
        XCTAssertEqual(try met.contact.client.cursor(source: "simulated"), 1)
        XCTAssertNil(try met.contact.client.cursor(source: "elsewhere"))
        let invalid = try met.contact.client.provideDiagnosisKeys(
            files: [KeyFile(bytes: met.file, source: "simulated", position: -1)], missing: 2, now: met.contact.clocks)
        XCTAssertEqual(invalid.files, [.invalid])
        XCTAssertEqual(try met.contact.reason("key_files_missing")?.detail, .files(files: 2, of: 3))
    }

    func testAQuotaSaysUntilWhen() throws {
        let met = try Contact()
        var one = try configuration(met.server)
        one = ClientConfiguration(
            transmitPowerDbm: one.transmitPowerDbm, trustedKeys: one.trustedKeys, keyFilesPerDay: 1)
        let modest = try Phone(met.room, one)
        let file = KeyFile(bytes: met.file)
        let outcomes = try modest.client.provideDiagnosisKeys(files: [file, file], missing: 0, now: modest.clocks).files
        guard case .matched = outcomes[0], case .throttled(let until) = outcomes[1] else {
            return XCTFail("\(outcomes)")
        }
        XCTAssertGreaterThan(until, met.room.now)
        XCTAssertEqual(try modest.reason("throttled")?.detail, .until(unixSeconds: until))
    }

    func testExplanationsOfWhatWasToldAndOfSilence() throws {
        let met = try Contact()
        let client = met.contact.client
        XCTAssertEqual(try client.explainSilence(day: day, now: met.contact.clocks), [.noKeyFile(refused: 0)])
        try met.provide(met.file)
        let explanations = try client.explanations(now: met.contact.clocks)
        XCTAssertEqual(explanations.count, 1)
        let explanation = explanations[0]
        XCTAssertEqual(explanation.rollingStartIntervalNumber, Int64(day) * 144)
        XCTAssertTrue((3...4).contains(explanation.identifiersMatched))
        XCTAssertTrue(explanation.sightingsDropped.isEmpty)
        let share = try XCTUnwrap(explanation.days.first)
        XCTAssertEqual(share.day, day)
        XCTAssertEqual(share.level, .high)
        let contribution = try XCTUnwrap(share.contributions.first)
        XCTAssertEqual(contribution.keySha256, explanation.keySha256)
        XCTAssertEqual(contribution.keySha256.count, 64)
        XCTAssertNil(contribution.droppedBecause)
        XCTAssertEqual(contribution.buckets.filter { $0.seconds > 0 }.map(\.weight), [2.5])
        XCTAssertEqual(Set(contribution.factors.map(\.factor)), ["report_type", "infectiousness"])
        let condition = try XCTUnwrap(share.conditions.first)
        XCTAssertTrue(condition.holds && condition.relation == ">=" && condition.value >= condition.threshold)
        XCTAssertEqual(try client.explainSilence(day: day, now: met.contact.clocks), [.pending])
        _ = try client.onAnnounced(day: day, now: met.contact.clocks)
        XCTAssertEqual(try client.explainSilence(day: day, now: met.contact.clocks), [.announced])
        XCTAssertEqual(try client.explainSilence(day: 1, now: met.contact.clocks), [.notRemembered])
    }

    func testAStatusHasEveryReason() throws {
        let room = Room()
        let phone = try room.phone()
        XCTAssertFalse(try phone.client.isEnabled(now: phone.clocks))
        let unreported = try phone.client.status(host: HostFacts(), now: phone.clocks)
        XCTAssertEqual(unreported.state, .stopped)
        let facts = unreported.reasons.compactMap { reason -> HostFact? in
            if case .fact(let fact) = reason.detail { fact } else { nil }
        }
        XCTAssertEqual(Set(facts), [.supported, .bluetooth, .permission, .location, .notifications])
        try phone.begin()
        XCTAssertTrue(try phone.client.isEnabled(now: phone.clocks))
        let bad = HostFacts(
            supported: false, bluetoothOn: false, permissionGranted: false, location: .off, notificationsAllowed: false)
        let reasons = try phone.client.status(host: bad, now: phone.clocks).reasons
        let byCode = Dictionary(uniqueKeysWithValues: reasons.map { ($0.code, $0) })
        XCTAssertEqual(
            Set(byCode.keys),
            [
                "unsupported", "bluetooth_off", "permission_missing", "location_off", "notifications_off",
                "no_trusted_key", "never_matched",
            ])
        XCTAssertEqual(byCode["bluetooth_off"]?.fixableBy, .user)
        XCTAssertEqual(byCode["no_trusted_key"]?.fixableBy, .app)
        XCTAssertEqual(byCode["unsupported"]?.fixableBy, .nobody)
        XCTAssertEqual(byCode["notifications_off"]?.state, .degraded)
    }

    func testNothingWrongIsWorking() throws {
        let met = try Contact()
        try met.provide(met.file)
        let good = HostFacts(
            supported: true, bluetoothOn: true, permissionGranted: true, location: .notNeeded, notificationsAllowed: true)
        let status = try met.contact.client.status(host: good, now: met.contact.clocks)
        XCTAssertEqual(status.state, .working)
        XCTAssertEqual(status.reasons, [])
        XCTAssertEqual(status.lastMatched, met.room.now)
        XCTAssertGreaterThan(try XCTUnwrap(status.lastScan), met.room.now - 305)
        XCTAssertEqual(status.nextWake, try met.contact.client.nextWake())
    }

    func testAClockThatIsSetBackIsSuspectUntilATrustedTimeComes() throws {
        let room = Room()
        let phone = try room.phone()
        try phone.begin()
        room.now += 1_000
        phone.aheadSeconds = -7_200
        try phone.wake()
        XCTAssertNotNil(try phone.reason("clock_suspect"))
        _ = try phone.client.onTrustedTime(unixSeconds: room.now, now: phone.clocks)
        XCTAssertEqual(try phone.reason("clock_wrong")?.detail, .ahead(seconds: -7_200))
    }

    func testAConfigurationComesIntoForceOnlyIfSomebodyWouldBeTold() throws {
        let met = try Contact()
        let client = met.contact.client
        func set(_ infectiousness: Infectiousness) throws -> [Action] {
            let days = (-14...14).map { InfectiousnessOnDay(daysSinceOnset: $0, infectiousness: infectiousness) }
            let mapping = KeysDataMapping(
                daysSinceOnsetToInfectiousness: days, infectiousnessWhenDaysSinceOnsetMissing: infectiousness,
                reportTypeWhenMissing: .confirmedTest)
            return try client.setDiagnosisKeysDataMapping(mapping: mapping, version: "m1", now: met.contact.clocks)
        }
        let refused = try client.setRiskConfiguration(json: "{}", version: nil, now: met.contact.clocks)
        guard case .configurationRefused = refused.first else { return XCTFail("\(refused)") }
        XCTAssertNotNil(try met.contact.reason("configuration_rejected"))
        guard case .configurationAccepted = try set(.high).first else { return XCTFail("not accepted") }
        try met.provide(met.file)
        XCTAssertEqual(try client.exposureWindows(now: met.contact.clocks).first?.infectiousness, .high)
        guard case .configurationAccepted = try set(.standard).first else { return XCTFail("not accepted") }
        XCTAssertEqual(try client.exposureWindows(now: met.contact.clocks).first?.infectiousness, .standard)
        guard case .configurationRefused = try set(.none).first else { return XCTFail("accepted") }
    }

    func testEveryErrorHasItsCode() throws {
        let room = Room()
        let phone = try room.phone()
        let client = phone.client
        let now = phone.clocks
        func clocks(_ wall: Int64, _ monotonic: Int64, _ boot: Boot) -> ClockReading {
            ClockReading(wallUnixSeconds: wall, monotonicSeconds: monotonic, boot: boot)
        }
        let mapping = KeysDataMapping(
            daysSinceOnsetToInfectiousness: [InfectiousnessOnDay(daysSinceOnset: 15, infectiousness: .high)],
            infectiousnessWhenDaysSinceOnsetMissing: .high, reportTypeWhenMissing: .confirmedTest)
        let arguments: [() throws -> Any] = [
            { try client.start(now: clocks(-1, 0, .unknown)) },
            { try client.start(now: clocks(start, -1, .unknown)) },
            { try client.start(now: clocks(start, 0, .count(count: -1))) },
            { try client.start(now: clocks(start, 0, .session(uuid: Data(count: 15)))) },
            { try client.onAdvertisingStarted(plan: -1, now: now) },
            { try client.onAdvertisingFailed(plan: -1, now: now) },
            { try client.onScan(scan: Scan(started: -1, ended: start, heard: []), now: now) },
            { try client.onTrustedTime(unixSeconds: .max, now: now) },
            { try client.provideDiagnosisKeys(files: [], missing: -1, now: now) },
            { try client.temporaryExposureKeyHistory(reportType: .selfReport, onsetDay: -1, now: now) },
            { try client.explainSilence(day: -1, now: now) },
            { try client.guidance(symptoms: .no, utcOffsetMinutes: 900, now: now) as Any },
            { try client.forgetDay(day: -1, now: now) },
            { try client.setDiagnosisKeysDataMapping(mapping: mapping, version: nil, now: now) },
        ]
        for (number, argument) in arguments.enumerated() {
            XCTAssertThrowsError(try argument(), "argument \(number)") { error in
                guard case ExposureNotificationError.InvalidArgument(let message) = error else {
                    return XCTFail("argument \(number): \(error)")
                }
                XCTAssertTrue(message.hasPrefix("invalid argument: "), message)
            }
        }
        func wrong(
            _ power: Int32 = -24, keys: [TrustedKey] = [], risk: RiskConfiguration = .cocoa, rssi: Int32 = 0,
            uuid: Int32 = 0xFD6F, files: Int32? = nil, days: Int32 = 14, rules: String? = nil, texts: [String] = []
        ) -> ClientConfiguration {
            ClientConfiguration(
                transmitPowerDbm: power, trustedKeys: keys, risk: risk, rssiCorrectionDb: rssi, serviceUuid: uuid,
                keyFilesPerDay: files, retentionDays: days, guidanceRulesJson: rules, guidanceMessagesJson: texts)
        }
        let configurations = [
            wrong(21), wrong(keys: [TrustedKey(id: "440", version: "v1", publicKey: "no key")]),
            wrong(risk: .document(json: "{}")), wrong(rssi: 128), wrong(uuid: 65_536), wrong(files: -1),
            wrong(days: 15), wrong(rules: "{}"), wrong(texts: ["{}"]),
        ]
        for configuration in configurations {
            XCTAssertThrowsError(try ExposureNotificationClient.open(configuration: configuration, log: .memory)) {
                guard case ExposureNotificationError.InvalidConfiguration = $0 else { return XCTFail("\($0)") }
            }
        }
        client.shutdown()
        client.shutdown()
        XCTAssertThrowsError(try client.start(now: now)) {
            guard case ExposureNotificationError.Closed = $0 else { return XCTFail("\($0)") }
        }
        XCTAssertThrowsError(try client.nextWake())
    }

    func testCallsFromManyTasksRunOneAfterTheOther() async throws {
        let room = Room()
        let (a, b) = (try room.phone(), try room.phone())
        try a.begin()
        try b.begin()
        let data = b.onAir!.serviceData
        room.now += 1_000
        let (client, now) = (a.client, a.clocks)
        let (tasks, callsEach) = (8, 50)
        let counted = try await withThrowingTaskGroup(of: Int32.self) { group in
            for task in 0..<tasks {
                group.addTask {
                    var kept: Int32 = 0
                    for call in 0..<callsEach {
                        let at = start + 1 + Int64(task * callsEach + call)
                        let heard = HeardAdvertisement(heardAt: at, rssiDbm: -60, serviceData: data)
                        for case .scanTaken(let outcome) in try client.onScan(
                            scan: Scan(started: at, ended: at, heard: [heard]), now: now)
                        {
                            kept += outcome.kept
                        }
                        _ = try client.status(host: HostFacts(), now: now)
                        _ = try client.onWake(now: now)
                    }
                    return kept
                }
            }
            return try await group.reduce(0, +)
        }
        XCTAssertEqual(Int(counted), tasks * callsEach)
        XCTAssertEqual(try client.sightingsOn(day: day), Int64(counted))
    }

    func testForgettingADayAndForgettingEverything() throws {
        let met = try Contact()
        try met.provide(met.file)
        let client = met.contact.client
        XCTAssertTrue(try client.forgetDay(day: day, now: met.contact.clocks).contains(.dayForgotten(day: day)))
        XCTAssertEqual(try client.exposureWindows(now: met.contact.clocks), [])
        XCTAssertEqual(try client.sightingsOn(day: day), 0)
        XCTAssertEqual(try client.explainSilence(day: day, now: met.contact.clocks), [.forgotten])
        // The same file does not bring it back.
        try met.provide(met.file)
        XCTAssertEqual(try client.assessments(now: met.contact.clocks), [])
        let everything = try client.forgetEverything(now: met.contact.clocks)
        XCTAssertTrue(everything.contains(.everythingForgotten) && everything.contains(.stopAdvertising))
        XCTAssertEqual(try client.dayRecords(now: met.contact.clocks), [])
        XCTAssertFalse(try client.isEnabled(now: met.contact.clocks))
        XCTAssertNil(try client.cursor(source: "simulated"))
    }
}
