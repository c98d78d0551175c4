import ChikakuCore
import Foundation
import XCTest

/// Ten days at home, in Japan.
final class DiaryTests: XCTestCase {
    private let room = Room()
    private lazy var phone = try! room.phone()

    private func begin(_ basis: DiaryBasis = .onset(localDay: day), _ facts: AdmissionFacts? = nil) throws -> DiaryOutcome {
        try phone.client.beginDiary(
            start: DiaryStart(basis: basis, place: .home, utcOffsetMinutes: 540, facts: facts), now: phone.clocks
        ).outcome
    }

    private func add(_ entry: DiaryEntry) throws -> DiaryOutcome {
        try phone.client.addDiaryEntry(entry: entry, now: phone.clocks).outcome
    }

    private func diary() throws -> DiaryState { try XCTUnwrap(phone.client.diary(now: phone.clocks)) }

    func testAnEntryEscalatesAndSaysOnWhatGround() throws {
        XCTAssertNil(try phone.client.diary(now: phone.clocks))
        XCTAssertEqual(try begin(), .begun)
        guard case .kept(let fine) = try add(DiaryEntry(at: start, spo2Percent: 97, symptoms: [])) else {
            return XCTFail("refused")
        }
        XCTAssertEqual(fine.level, EscalationLevel.none)
        room.now += 60
        let entry = DiaryEntry(
            at: start + 60, temperatureTenthsCelsius: 386, spo2Percent: 95, symptoms: ["cough", "cyanosis"],
            note: "hard to breathe")
        guard case .kept(let worse) = try add(entry) else { return XCTFail("refused") }
        XCTAssertEqual(worse.level, .emergency)
        XCTAssertEqual(worse.contacts, ["corona_119"])
        XCTAssertEqual(
            worse.grounds,
            [
                .symptom(at: start + 60, symptom: "cyanosis"), .spo2(at: start + 60, percent: 95),
                .temperature(at: start + 60, tenthsCelsius: 386),
            ])
        XCTAssertEqual(try diary().entries.last, entry)
        XCTAssertEqual(try diary().escalation, worse)
        XCTAssertTrue(try phone.client.diarySymptoms().contains("dyspnea"))
    }

    func testSlotsComeDueAreMissedAndThenANurseShouldCall() throws {
        _ = try begin()
        // It is nine in the morning in Japan: the first slot begins at 18:00.
        let evening = start + 9 * 3_600
        XCTAssertNil(try diary().due)
        XCTAssertEqual(try diary().nextSlot, evening)
        XCTAssertEqual(try diary().lastLocalDay, day + 10)
        room.now = evening
        XCTAssertEqual(try diary().due, DiarySlot(begins: evening, ends: evening + 14 * 3_600))
        room.now = evening + daySeconds
        let state = try diary()
        XCTAssertEqual(state.missedInARow, 2)
        XCTAssertEqual(state.escalation.level, .callNurse)
        XCTAssertEqual(state.escalation.contacts, ["health_centre"])
        _ = try add(DiaryEntry(at: room.now, temperatureTenthsCelsius: 365))
        XCTAssertEqual(try diary().missedInARow, 0)
        room.now = start + 20 * daySeconds
        XCTAssertTrue(try diary().isOver)
    }

    func testTheAdmissionScoreAndThePeriodFollowWhatIsKnown() throws {
        let facts = AdmissionFacts(ageYears: 76, conditions: [.diabetes], pneumonia: .oneLungUpToHalf)
        _ = try begin(.test(localDay: day), facts)
        XCTAssertEqual(try diary().admissionScore, 7)
        XCTAssertEqual(try diary().lastLocalDay, day + 7)
        XCTAssertEqual(try phone.client.onSymptomsBegan(localDay: day, now: phone.clocks).outcome, .begun)
        XCTAssertEqual(try diary().admissionScore, 8)
        XCTAssertEqual(try diary().basis, .onset(localDay: day))
    }

    func testTheExportIsJsonAndAQrText() throws {
        XCTAssertNil(try phone.client.diaryExport(now: phone.clocks))
        _ = try begin()
        _ = try add(DiaryEntry(at: start, temperatureTenthsCelsius: 371))
        let export = try XCTUnwrap(phone.client.diaryExport(now: phone.clocks))
        let json = try JSONSerialization.jsonObject(with: Data(export.json.utf8)) as? [String: Any]
        XCTAssertEqual(json?["format_version"] as? Int, 1)
        XCTAssertEqual((json?["entries"] as? [Any])?.count, 1)
        XCTAssertTrue(export.qrText.hasPrefix("CHKD1:"))
        _ = try phone.client.forgetEverything(now: phone.clocks)
        XCTAssertNil(try phone.client.diary(now: phone.clocks))
    }

    func testWhatIsRefusedHasACode() throws {
        func code(_ outcome: DiaryOutcome) -> String? {
            if case .refused(let code, _) = outcome { code } else { nil }
        }
        XCTAssertEqual(code(try add(DiaryEntry(at: start, temperatureTenthsCelsius: 365))), "no_diary")
        XCTAssertEqual(code(try begin(.onset(localDay: day + 1))), "future")
        XCTAssertEqual(code(try begin(.onset(localDay: day - 11))), "over")
        _ = try begin()
        XCTAssertEqual(code(try add(DiaryEntry(at: start))), "empty")
        XCTAssertEqual(code(try add(DiaryEntry(at: start + 1, temperatureTenthsCelsius: 365))), "future")
        XCTAssertEqual(code(try add(DiaryEntry(at: start - daySeconds, temperatureTenthsCelsius: 365))), "before_the_period")
        XCTAssertEqual(code(try add(DiaryEntry(at: start, symptoms: ["boredom"]))), "unknown_symptom")
        let arguments: [() throws -> Any] = [
            { try self.add(DiaryEntry(at: start, temperatureTenthsCelsius: 451)) },
            { try self.add(DiaryEntry(at: start, spo2Percent: 101)) },
            { try self.add(DiaryEntry(at: start, symptoms: ["Not a key"])) },
            { try self.add(DiaryEntry(at: start, note: "")) },
            { try self.begin(.test(localDay: -1)) },
            { try self.begin(.onset(localDay: day), AdmissionFacts(ageYears: 300)) },
        ]
        for (number, argument) in arguments.enumerated() {
            XCTAssertThrowsError(try argument(), "argument \(number)") {
                guard case ExposureNotificationError.InvalidArgument = $0 else { return XCTFail("\($0)") }
            }
        }
    }
}
