import ChikakuCore
import Foundation

/// Wakes while the process runs. iOS gives an app in the background no punctual timer: there,
/// Bluetooth events, `BGAppRefreshTask` and silent pushes call `ExposureNotifications.wake`.
public final class TimerWakeScheduler: WakeScheduler, @unchecked Sendable {
    private let lock = NSLock()
    private var timer: Task<Void, Never>?
    private var wake: (@Sendable () async -> Void)?

    public init() {}

    /// What to call; given later, because what is woken is made with the scheduler.
    public func onWake(_ wake: @escaping @Sendable () async -> Void) { lock.withLock { self.wake = wake } }

    public func wake(at unixSeconds: Int64) {
        let seconds = max(0, Double(unixSeconds) - Date().timeIntervalSince1970)
        lock.withLock {
            timer?.cancel()
            timer = Task { [wake] in
                // A timer that sleeps longer would not notice that the clock was set.
                try? await Task.sleep(nanoseconds: UInt64(min(seconds, 60) * 1_000_000_000))
                if !Task.isCancelled { await wake?() }
            }
        }
    }
}

/// Facts as the app last learned them: from `CBManager.authorization`, the manager's state and
/// `UNUserNotificationCenter`.
public final class ReportedFacts: HostFactsReader, @unchecked Sendable {
    private let lock = NSLock()
    private var facts: HostFacts

    public init(_ facts: HostFacts = HostFacts(location: .notNeeded)) { self.facts = facts }

    public func read() -> HostFacts { lock.withLock { facts } }

    public func report(_ facts: HostFacts) { lock.withLock { self.facts = facts } }
}
