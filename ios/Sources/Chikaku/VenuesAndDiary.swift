import ChikakuCore
import Foundation

/// Visits to venues by QR code.
extension ExposureNotifications {
    /// What a scanned code says, for the screen on which the user decides.
    public func readVenueCode(_ text: String) throws -> ScannedCode { try client.readVenueCode(text: text) }

    /// The user wants to check in with this scanned text.
    public func checkIn(_ text: String) async throws -> VisitOutcome {
        let result = try client.checkIn(text: text, now: clock.read())
        try await finish(result.actions)
        return result.outcome
    }

    public func checkOut(visit: Int64) async throws -> VisitOutcome {
        let result = try client.checkOut(visit: visit, now: clock.read())
        try await finish(result.actions)
        return result.outcome
    }

    public func visits() throws -> [Visit] { try client.visits(now: clock.read()) }

    /// Only when the user asks for it.
    public func name(ofVisit visit: Int64) throws -> String? { try client.visitName(visit: visit, now: clock.read()) }

    public func provideVenueWarnings(_ package: Data) async throws -> VenueWarningsOutcome {
        let result = try client.provideVenueWarnings(package: package, now: clock.read())
        try await finish(result.actions)
        return result.outcome
    }

    /// What speaks for an exposure on a day: phones that were heard and venues that were visited.
    public func evidence(day: Int32) throws -> DayEvidence { try client.evidence(day: day, now: clock.read()) }
}

/// The recuperation diary. It is no medical device.
extension ExposureNotifications {
    public func beginDiary(_ start: DiaryStart) async throws -> DiaryOutcome {
        let result = try client.beginDiary(start: start, now: clock.read())
        try await finish(result.actions)
        return result.outcome
    }

    public func addDiaryEntry(_ entry: DiaryEntry) async throws -> DiaryOutcome {
        let result = try client.addDiaryEntry(entry: entry, now: clock.read())
        try await finish(result.actions)
        return result.outcome
    }

    public func diary() throws -> DiaryState? { try client.diary(now: clock.read()) }

    public func diaryExport() throws -> DiaryExport? { try client.diaryExport(now: clock.read()) }
}
