import ChikakuCore
import Foundation
import XCTest

private let name = "Kissa Kamome"

/// From the poster at the door to the phone that tells, and nobody between.
final class VenueTests: XCTestCase {
    private let room = Room()

    private func checkIn(_ phone: Phone, _ text: String) throws -> VisitOutcome {
        try phone.client.checkIn(text: text, now: phone.clocks).outcome
    }

    private func provide(_ phone: Phone, _ package: Data) throws -> VenueWarningsOutcome {
        let result = try phone.client.provideVenueWarnings(package: package, now: phone.clocks)
        try phone.carryOut(result.actions)
        return result.outcome
    }

    private func refusal(_ outcome: VisitOutcome) -> String? {
        if case .refused(let code, _) = outcome { code } else { nil }
    }

    func testWhoWasThereIsToldOnTheOwnPhoneAndNobodyElse() throws {
        let server = try SimulatedKeyServer(number: 1)
        let code = try server.issueVenue(name: name, defaultStayMinutes: 60, issuedOn: day)
        let patient = try room.phone(
            ClientConfiguration(
                transmitPowerDbm: -24, trustedKeys: [server.trustedKey()], uploadServer: takesVisits))
        let visitor = try room.phone(configuration(server))
        let elsewhere = try room.phone(configuration(server))
        for phone in room.phones { try phone.begin() }
        try room.pass(until: start + 9 * 3_600)
        guard case .kept(let patientsVisit) = try checkIn(patient, code) else { return XCTFail("refused") }
        try room.pass(until: room.now + 600)
        guard case .kept(let visit) = try checkIn(visitor, code) else { return XCTFail("refused") }
        _ = try checkIn(elsewhere, server.issueVenue(name: name, defaultStayMinutes: 60, issuedOn: day))
        try room.pass(until: start + 9 * 3_600 + 3_000)
        XCTAssertEqual(
            try patient.client.checkOut(visit: patientsVisit, now: patient.clocks).outcome, .kept(number: patientsVisit))
        try room.pass(until: start + daySeconds)

        let uploads = try patient.publishWithVisits()
        let package = try server.publishVenueWarnings(uploads: uploads)
        // A stay and seven of no venue.
        let nothing = VenueWarningsOutcome.matched(
            warnings: 8, unreadable: 0, ofVisitedPlaces: 0, refused: 0, matched: 0)
        XCTAssertEqual(try provide(elsewhere, package), nothing)
        XCTAssertEqual(try provide(patient, package), nothing, "the own warning is no exposure")
        XCTAssertEqual(
            try provide(visitor, package),
            .matched(warnings: 8, unreadable: 0, ofVisitedPlaces: 1, refused: 0, matched: 1))
        XCTAssertEqual(visitor.venueDays, [day])
        XCTAssertEqual(elsewhere.venueDays + patient.venueDays, [])

        let evidence = try visitor.client.evidence(day: day, now: visitor.clocks)
        XCTAssertNil(evidence.encounters)
        let contact = try XCTUnwrap(evidence.venues.first)
        XCTAssertEqual(contact.visit, visit)
        XCTAssertEqual(contact.metFrom, start + 33_000)
        XCTAssertEqual(contact.seconds, 3_600)
        XCTAssertTrue(contact.counts)
        // The name is where the user asks for it, and nowhere else.
        let visits = try visitor.client.visits(now: visitor.clocks)
        let sent = uploads.map { String(decoding: $0, as: UTF8.self) }
        XCTAssertFalse("\(evidence) \(visits) \(sent)".contains(name))
        XCTAssertEqual(try visitor.client.visitName(visit: visit, now: visitor.clocks), name)
        XCTAssertNil(try visitor.client.visitName(visit: 99, now: visitor.clocks))
        XCTAssertEqual(try patient.client.visits(now: patient.clocks).map(\.isSubmitted), [true])

        // Until the app confirms, a restart tells again; after that nothing does.
        _ = try visitor.client.stop(now: visitor.clocks)
        try visitor.begin()
        XCTAssertEqual(visitor.venueDays, [day, day])
        _ = try visitor.client.onAnnounced(day: day, now: visitor.clocks)
        _ = try visitor.client.stop(now: visitor.clocks)
        try visitor.begin()
        XCTAssertEqual(try provide(visitor, package), .known)
        XCTAssertEqual(visitor.venueDays, [day, day])
    }

    func testACodeSaysWhatItIsBeforeAnybodyChecksIn() throws {
        let server = try SimulatedKeyServer(number: 1)
        let code = try server.issueVenue(name: name, defaultStayMinutes: 60, issuedOn: day)
        let trusting = try room.phone(
            ClientConfiguration(transmitPowerDbm: -24, trustedKeys: [], venueIssuers: [server.trustedKey()]))
        XCTAssertEqual(
            try trusting.client.readVenueCode(text: code),
            .venue(
                code: VenueCode(
                    venueType: "permanent_food_service", defaultStayMinutes: 60, name: name, eventBegins: nil,
                    eventEnds: nil, declaredMeasures: ["ventilation"], issuedOn: day, isSignedByTrustedIssuer: true)))
        let other = try room.phone()
        guard case .venue(let unsigned) = try other.client.readVenueCode(text: code) else { return XCTFail("refused") }
        XCTAssertFalse(unsigned.isSignedByTrustedIssuer)
        let refusals = [
            "hello": "not_a_venue", "CHKV9:AB": "version", "CHKV1:?": "damaged", "https://e.coronawarn.app?v=1#": "malformed",
        ]
        for (text, why) in refusals {
            guard case .refused(why, _) = try other.client.readVenueCode(text: text) else { return XCTFail(text) }
            XCTAssertEqual(refusal(try checkIn(other, text)), why)
        }
        XCTAssertEqual(try other.client.visits(now: other.clocks), [])
    }

    func testWhatIsRefusedHasACode() throws {
        let server = try SimulatedKeyServer(number: 1)
        let code = try server.issueVenue(name: nil, defaultStayMinutes: 60, issuedOn: day)
        let phone = try room.phone(configuration(server))
        guard case .kept(let visit) = try checkIn(phone, code) else { return XCTFail("refused") }
        XCTAssertNil(try phone.client.visitName(visit: visit, now: phone.clocks))
        XCTAssertEqual(refusal(try checkIn(phone, code)), "still_there")
        XCTAssertEqual(refusal(try phone.client.checkOut(visit: visit + 1, now: phone.clocks).outcome), "not_there")
        _ = try phone.client.forgetDay(day: day, now: phone.clocks)
        XCTAssertEqual(refusal(try checkIn(phone, code)), "forgotten_day")
        guard case .refused("not_a_zip", _) = try provide(phone, Data("no zip".utf8)) else { return XCTFail("taken") }
        let stranger = try SimulatedKeyServer(number: 2).publishVenueWarnings(uploads: [])
        guard case .refused("wrong_key_version", _) = try provide(phone, stranger) else { return XCTFail("taken") }
        let arguments: [() throws -> Any] = [
            { try phone.client.checkOut(visit: -1, now: phone.clocks) },
            { try phone.client.evidence(day: -1, now: phone.clocks) },
            { try server.publishVenueWarnings(uploads: [Data("no request".utf8)]) },
        ]
        for argument in arguments {
            XCTAssertThrowsError(try argument()) {
                guard case ExposureNotificationError.InvalidArgument = $0 else { return XCTFail("\($0)") }
            }
        }
    }
}
