import ChikakuCore
import Foundation
import XCTest

/// From the user's consent to keys at the server.
final class PublishingTests: XCTestCase {
    private let onset = PublicationDate(localDay: day, utcOffsetMinutes: 540, isSymptomOnset: true)

    /// A phone that was on for a day and a half.
    private func phone() throws -> (Room, Phone) {
        let room = Room()
        let server = UploadServer.cocoa(
            version: 3, regions: ["440"], platform: "iOS", appPackageName: "jp.example.core", takesVisits: false)
        let phone = try room.phone(
            ClientConfiguration(transmitPowerDbm: -24, trustedKeys: [], uploadServer: server))
        try phone.begin()
        try room.pass(until: start + daySeconds * 3 / 2)
        while let call = try phone.client.nextUploadCall(now: phone.clocks) {
            _ = try answer(phone, call, good(call))
        }
        return (room, phone)
    }

    private func answer(_ phone: Phone, _ call: UploadCall, _ answer: UploadAnswer) throws -> UploadOutcome {
        try phone.client.onUploadAnswer(upload: call.upload, answer: answer, now: phone.clocks).outcome
    }

    private func publish(
        _ phone: Phone, _ number: String = "12345678", _ consent: PublicationConsent = .keys
    ) throws -> Publication {
        try phone.client.publishKeys(
            consent: consent, reportType: .confirmedTest, date: onset, number: number, now: phone.clocks)
    }

    func testAnUploadThatIsMadeOfflineIsSentLaterAndOnce() throws {
        let (room, phone) = try phone()
        let onAir = phone.onAir!.serviceData
        let publication = try publish(phone, "１２３４-５６７８")
        try phone.carryOut(publication.actions)
        guard case .queued(let upload, 0, 0) = publication.outcome else { return XCTFail("not queued") }
        XCTAssertNotEqual(onAir, phone.onAir!.serviceData, "the successor is on the air")
        XCTAssertTrue(publication.actions.contains(.uploadsDue(at: room.now)))

        let attest = try XCTUnwrap(phone.client.nextUploadCall(now: phone.clocks))
        guard case .attest(let nonce) = attest.step else { return XCTFail("no attestation") }
        XCTAssertEqual(nonce.count, 32)
        guard case .waits(let until, "no_answer") = try answer(phone, attest, .nothing) else {
            return XCTFail("it waits")
        }
        XCTAssertNil(try phone.client.nextUploadCall(now: phone.clocks))
        XCTAssertEqual(
            try phone.client.uploads(),
            [UploadStatus(upload: upload, keys: 2, visits: 0, failures: 1, notBefore: until, codeRefused: false)])

        try room.pass(until: until)
        let again = try XCTUnwrap(phone.client.nextUploadCall(now: phone.clocks))
        XCTAssertEqual(try answer(phone, again, good(again)), .proceeds)
        let send = try XCTUnwrap(phone.client.nextUploadCall(now: phone.clocks))
        guard case .send(let method, let path, _, let body) = send.step else { return XCTFail("not sent") }
        XCTAssertEqual([method, path], ["PUT", "/v3/diagnosis"])
        XCTAssertTrue(String(decoding: body, as: UTF8.self).contains(upload))
        XCTAssertEqual(try answer(phone, send, good(send)), .published(keys: 2, visits: 0, moreFollow: false))
        XCTAssertEqual(try phone.client.uploads(), [])
        XCTAssertEqual(try answer(phone, send, good(send)), .ignored)
    }

    func testARefusedNumberIsCorrectedAndNobodyIsLockedOut() throws {
        let (room, phone) = try phone()
        guard case .queued(let upload, _, _) = try publish(phone).outcome else { return XCTFail("not queued") }
        let attest = try XCTUnwrap(phone.client.nextUploadCall(now: phone.clocks))
        XCTAssertEqual(try answer(phone, attest, good(attest)), .proceeds)
        let send = try XCTUnwrap(phone.client.nextUploadCall(now: phone.clocks))
        XCTAssertEqual(try answer(phone, send, .response(status: 406, body: Data())), .codeRefused)
        XCTAssertEqual(try phone.client.uploads().first?.codeRefused, true)
        XCTAssertEqual(try publish(phone).outcome, .wait(seconds: 5))
        let actions = try phone.client.correctNumber(upload: upload, number: "87654321", now: phone.clocks)
        XCTAssertEqual(actions, [.uploadsDue(at: room.now)])
        XCTAssertNotNil(try phone.client.nextUploadCall(now: phone.clocks))
        _ = try phone.client.cancelUpload(upload: upload, now: phone.clocks)
        XCTAssertNil(try phone.client.nextUploadCall(now: phone.clocks))
    }

    func testWhatCannotBePublishedSaysWhy() throws {
        let (kept, phone) = try phone()
        defer { withExtendedLifetime(kept) {} }
        for number in ["", "1", "1234567", "処理番号"] {
            XCTAssertThrowsError(try publish(phone, number)) { error in
                guard case ExposureNotificationError.InvalidArgument = error else {
                    return XCTFail("\(error)")
                }
            }
        }
        let tomorrow = PublicationDate(localDay: day + 3, utcOffsetMinutes: 540, isSymptomOnset: false)
        let future = try phone.client.publishKeys(
            consent: .keys, reportType: .confirmedTest, date: tomorrow, number: "12345678", now: phone.clocks)
        XCTAssertEqual(future.outcome, .dateInFuture)
        let visits = PublicationConsent.keysAndVisits(transmissionRiskLevel: 8)
        XCTAssertEqual(try publish(phone, "12345678", visits).outcome, .noServerForVisits)
        XCTAssertThrowsError(try publish(phone, "12345678", .keysAndVisits(transmissionRiskLevel: 9)))
        XCTAssertEqual(try phone.client.uploads(), [])
        let room = Room()
        let without = try room.phone()
        try without.begin()
        XCTAssertEqual(try publish(without).outcome, .noServer)
        let link = "https://app.example/cocoa/a/?pn=12345678"
        XCTAssertEqual(try processingNumberOfLink(link: link, host: "app.example"), "12345678")
        XCTAssertThrowsError(try processingNumberOfLink(link: link, host: "other.example"))
    }
}
