import ChikakuCore
import Foundation
import XCTest

/// One is diagnosed, the other one is told what it means and what to do.
final class TwoPhonesTests: XCTestCase {
    func testTheOneWhoWasNearIsToldOnceWithGuidanceAndExplanation() throws {
        let met = try Contact()
        let client = met.contact.client
        XCTAssertNil(try client.guidance(symptoms: .unknown, utcOffsetMinutes: 540, now: met.contact.clocks))

        try met.provide(met.file)
        XCTAssertEqual(met.contact.announced.map(\.day), [day])
        XCTAssertEqual(met.contact.announced.map(\.level), [.high])
        XCTAssertGreaterThanOrEqual(met.contact.announced[0].seconds, 1_500)

        let guidance = try XCTUnwrap(
            client.guidance(symptoms: .unknown, utcOffsetMinutes: 540, now: met.contact.clocks))
        XCTAssertEqual(guidance.phase, .precaution)
        XCTAssertTrue(guidance.messages.contains("not_necessarily_infected"))
        for language in ["ja", "en"] {
            for key in guidance.messages {
                let text = try client.guidanceText(
                    key: key, language: language, precautionDays: guidance.precautionDays, until: "2024-10-12")
                XCTAssertFalse(try XCTUnwrap(text).isEmpty)
            }
        }
        XCTAssertEqual(try client.explanations(now: met.contact.clocks).count, 1)

        // Until the app confirms, a restart tells again; after that nothing does.
        _ = try client.stop(now: met.contact.clocks)
        try met.contact.begin()
        XCTAssertEqual(met.contact.announced.count, 2)
        _ = try client.onAnnounced(day: day, now: met.contact.clocks)
        _ = try client.stop(now: met.contact.clocks)
        try met.contact.begin()
        try met.provide(met.file)
        XCTAssertEqual(met.contact.announced.count, 2)
    }

    func testTheOneWhoWasElsewhereIsNotTold() throws {
        let met = try Contact()
        let room = Room()
        room.now = met.room.now
        let elsewhere = try room.phone(configuration(met.server))
        try elsewhere.begin()
        let result = try elsewhere.client.provideDiagnosisKeys(
            files: [KeyFile(bytes: met.file)], missing: 0, now: elsewhere.clocks)
        try elsewhere.carryOut(result.actions)
        XCTAssertEqual(elsewhere.announced, [])
        XCTAssertEqual(try elsewhere.client.exposureWindows(now: elsewhere.clocks), [])
    }
}
