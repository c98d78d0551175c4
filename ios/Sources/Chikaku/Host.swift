import ChikakuCore

/// Both clocks of the phone.
public protocol PhoneClock: Sendable {
    func read() -> ClockReading
}

/// The phone's Bluetooth. One call at a time for each of its functions.
public protocol Radio: Sendable {
    /// Makes the payload readable or puts it on the air, in place of any other; says whether it is.
    func advertise(_ plan: AdvertisePlan) async -> Bool

    func stopAdvertising() async

    /// Listens for so many seconds, or until the task is cancelled, and returns everything of the service
    /// that was heard. `nil` if the phone did not listen, which must not look like a scan that found
    /// nobody: it is missed, and the status says so.
    func scan(seconds: Int) async -> [HeardAdvertisement]?
}

/// Calls `ExposureNotifications.wake` at a time, also if the process is gone by then.
public protocol WakeScheduler: Sendable {
    /// Replaces the earlier time, if there was one.
    func wake(at unixSeconds: Int64)
}

/// What only the host can know.
public protocol HostFactsReader: Sendable {
    func read() -> HostFacts
}
