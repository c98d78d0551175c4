import ChikakuCore
import Foundation

/// Exposure notification of one phone: carries out what the client asks for, and tells what changes.
///
/// A function that fails throws an `ExposureNotificationError` and has changed nothing.
public actor ExposureNotifications {
    let client: ExposureNotificationClient
    let clock: any PhoneClock
    private let radio: any Radio
    private let scheduler: any WakeScheduler
    private let facts: any HostFactsReader
    private var scan: Task<Void, Never>?
    private var latest: Status?
    private let told: AsyncStream<Assessment>.Continuation
    private let toldOfVenues: AsyncStream<Int32>.Continuation
    private let ended: AsyncStream<DayRecord>.Continuation
    private let due: AsyncStream<Int64>.Continuation
    private let expired: AsyncStream<String>.Continuation
    private let changed: AsyncStream<Status>.Continuation

    /// Days of which the user must be told. Call `confirmAnnounced` when that has happened; until
    /// then they come again at every start. For one listener.
    public nonisolated let announcements: AsyncStream<Assessment>

    /// Days, since 1970-01-01, on which a venue was visited that is warned about. As
    /// `announcements`; `evidence` says why. For one listener.
    public nonisolated let venueAnnouncements: AsyncStream<Int32>

    /// One record of every day that is over, also of those on which nothing was found. For one
    /// listener.
    public nonisolated let dayRecords: AsyncStream<DayRecord>

    /// From which time on, seconds since 1970 UTC, `nextUploadCall` has something to do; it needs a
    /// network. For one listener.
    public nonisolated let uploadsDue: AsyncStream<Int64>

    /// Uploads that no server takes any more: tell the user that nobody was warned. For one
    /// listener.
    public nonisolated let expiredUploads: AsyncStream<String>

    /// Whether the phone takes part, with every reason why it does not: each change. For one
    /// listener; `status()` asks at any time.
    public nonisolated let statusChanges: AsyncStream<Status>

    public init(
        client: ExposureNotificationClient,
        clock: any PhoneClock,
        radio: any Radio,
        scheduler: any WakeScheduler,
        facts: any HostFactsReader
    ) {
        self.client = client
        self.clock = clock
        self.radio = radio
        self.scheduler = scheduler
        self.facts = facts
        (announcements, told) = AsyncStream.makeStream(of: Assessment.self)
        (venueAnnouncements, toldOfVenues) = AsyncStream.makeStream(of: Int32.self)
        (dayRecords, ended) = AsyncStream.makeStream(of: DayRecord.self)
        (uploadsDue, due) = AsyncStream.makeStream(of: Int64.self, bufferingPolicy: .bufferingNewest(1))
        (expiredUploads, expired) = AsyncStream.makeStream(of: String.self)
        (statusChanges, changed) = AsyncStream.makeStream(of: Status.self, bufferingPolicy: .bufferingNewest(1))
    }

    deinit {
        told.finish()
        toldOfVenues.finish()
        ended.finish()
        due.finish()
        expired.finish()
        changed.finish()
    }

    /// The user switched tracing on, or the process came back with tracing on.
    public func start() async throws { try await act { try $0.start(now: $1) } }

    /// The user switched tracing off.
    public func stop() async throws {
        scan?.cancel()
        try await act { try $0.stop(now: $1) }
    }

    public func isEnabled() throws -> Bool { try client.isEnabled(now: clock.read()) }

    /// A planned time has come, the wall clock was set, or the app came to the foreground.
    public func wake() async throws { try await act { try $0.onWake(now: $1) } }

    /// A server over an authenticated connection says what time it is.
    public func trustedTime(_ unixSeconds: Int64) async throws {
        try await act { try $0.onTrustedTime(unixSeconds: unixSeconds, now: $1) }
    }

    public func status() throws -> Status { try client.status(host: facts.read(), now: clock.read()) }

    /// Something that the `HostFactsReader` reads has changed: Bluetooth, a permission.
    public func refreshStatus() throws {
        let status = try status()
        if status != latest {
            latest = status
            changed.yield(status)
        }
        if let next = status.nextWake { scheduler.wake(at: next) }
    }

    /// Matches key files; `missing` more were listed and could not be fetched.
    public func provideDiagnosisKeys(_ files: [KeyFile], missing: Int32 = 0) async throws -> [KeyFileOutcome] {
        let result = try client.provideDiagnosisKeys(files: files, missing: missing, now: clock.read())
        try await carryOut(result.actions)
        try refreshStatus()
        return result.files
    }

    /// The user tested positive and consents: the keys to publish. `onsetDay` in days since
    /// 1970-01-01.
    public func temporaryExposureKeyHistory(
        _ reportType: ReportType, onsetDay: Int32? = nil
    ) async throws -> [DiagnosisKey] {
        let disclosure = try client.temporaryExposureKeyHistory(
            reportType: reportType, onsetDay: onsetDay, now: clock.read())
        try await carryOut(disclosure.actions)
        try refreshStatus()
        return disclosure.keys
    }

    /// The user tested positive, agreed and entered `number`. The keys, and warnings for other visitors
    /// if the `consent` includes visits, are kept until the server has them: listen to `uploadsDue`,
    /// and make the calls that `nextUploadCall` names.
    public func publishKeys(
        _ consent: PublicationConsent, _ reportType: ReportType, date: PublicationDate, number: String
    ) async throws -> PublicationOutcome {
        let publication = try client.publishKeys(
            consent: consent, reportType: reportType, date: date, number: number, now: clock.read())
        try await carryOut(publication.actions)
        try refreshStatus()
        return publication.outcome
    }

    /// The call to make now, with a network; make every one, some are decoys.
    public func nextUploadCall() throws -> UploadCall? { try client.nextUploadCall(now: clock.read()) }

    public func answerUpload(_ upload: String, _ answer: UploadAnswer) async throws -> UploadOutcome {
        let progress = try client.onUploadAnswer(upload: upload, answer: answer, now: clock.read())
        try await carryOut(progress.actions)
        return progress.outcome
    }

    /// The user corrected a number that the server refused.
    public func correctNumber(_ upload: String, _ number: String) async throws {
        try await act { try $0.correctNumber(upload: upload, number: number, now: $1) }
    }

    public func cancelUpload(_ upload: String) async throws {
        try await act { try $0.cancelUpload(upload: upload, now: $1) }
    }

    public func uploads() throws -> [UploadStatus] { try client.uploads() }

    /// Returns why the configuration was refused, or `nil` if it is in force.
    public func setRiskConfiguration(_ json: String, version: String? = nil) async throws -> String? {
        let actions = try client.setRiskConfiguration(json: json, version: version, now: clock.read())
        try await carryOut(actions)
        try refreshStatus()
        for case .configurationRefused(let message) in actions { return message }
        return nil
    }

    public func exposureWindows() throws -> [ExposureWindow] { try client.exposureWindows(now: clock.read()) }

    public func assessments() throws -> [Assessment] { try client.assessments(now: clock.read()) }

    public func explanations() throws -> [ExposureExplanation] { try client.explanations(now: clock.read()) }

    public func explainSilence(day: Int32) throws -> [Silence] {
        try client.explainSilence(day: day, now: clock.read())
    }

    public func guidance(_ symptoms: Symptoms, utcOffsetMinutes: Int32) throws -> Guidance? {
        try client.guidance(symptoms: symptoms, utcOffsetMinutes: utcOffsetMinutes, now: clock.read())
    }

    public func confirmAnnounced(day: Int32) async throws { try await act { try $0.onAnnounced(day: day, now: $1) } }

    public func forgetDay(_ day: Int32) async throws { try await act { try $0.forgetDay(day: day, now: $1) } }

    /// Forgets everything that was recorded, and goes on with an empty log.
    public func forgetEverything() async throws {
        scan?.cancel()
        try await act { try $0.forgetEverything(now: $1) }
    }

    /// Deletes everything and ends: nothing is left of the log, every further call fails. Then
    /// `LogOnDisk.delete` deletes the key, too.
    public func deleteEverything() async throws {
        scan?.cancel()
        await radio.stopAdvertising()
        try client.deleteEverything()
    }

    /// Gives the log's space back; once a day, while the phone is charged. `nil` in memory.
    public func maintain() throws -> LogMaintenance? { try client.maintain() }

    private func act(_ call: (ExposureNotificationClient, ClockReading) throws -> [Action]) async throws {
        try await finish(call(client, clock.read()))
    }

    /// What every call ends with that changes something.
    func finish(_ actions: [Action]) async throws {
        try await carryOut(actions)
        try refreshStatus()
    }

    /// In order, with what the answers to the radio's news ask for in turn.
    private func carryOut(_ actions: [Action]) async throws {
        for action in actions {
            switch action {
            case .advertise(let plan):
                let answer =
                    if await radio.advertise(plan) {
                        try client.onAdvertisingStarted(plan: plan.number, now: clock.read())
                    } else {
                        try client.onAdvertisingFailed(plan: plan.number, now: clock.read())
                    }
                try await carryOut(answer)
            case .stopAdvertising, .advertisingSuspended:
                await radio.stopAdvertising()
            case .scan(let seconds):
                scan(seconds: Int(seconds))
            case .announce(let assessment):
                told.yield(assessment)
            case .announceVenues(let day):
                toldOfVenues.yield(day)
            case .dayRecorded(let record):
                ended.yield(record)
            case .uploadsDue(let at):
                due.yield(at)
            case .uploadExpired(let upload):
                expired.yield(upload)
            case .scanTaken, .dayAssessed, .dayForgotten, .everythingForgotten, .configurationAccepted,
                .configurationRefused:
                break
            }
        }
    }

    /// Runs beside everything else: other calls do not wait for four seconds.
    private func scan(seconds: Int) {
        let before = scan
        before?.cancel()
        scan = Task { [weak self, radio, clock] in
            // The end of one scan would be the end of the other's, too.
            await before?.value
            if Task.isCancelled { return }
            let started = clock.read().wallUnixSeconds
            let heard = await radio.scan(seconds: seconds)
            if !Task.isCancelled { await self?.finishScan(started: started, heard: heard) }
        }
    }

    private func finishScan(started: Int64, heard: [HeardAdvertisement]?) async {
        // One that did not take place, or cannot be kept, is missed, and the status says so.
        if let heard {
            let now = clock.read()
            let scan = Scan(started: started, ended: now.wallUnixSeconds, heard: heard)
            if let actions = try? client.onScan(scan: scan, now: now) { try? await carryOut(actions) }
        }
        try? refreshStatus()
    }
}
