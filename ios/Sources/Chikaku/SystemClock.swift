import ChikakuCore
import Foundation

/// The wall clock, and the clock that counts since boot, also while the phone sleeps.
public struct SystemClock: PhoneClock {
    public init() {}

    public func read() -> ClockReading {
        var time = timespec()
        #if canImport(Darwin)
        // On Apple's systems this one counts while asleep.
        clock_gettime(CLOCK_MONOTONIC_RAW, &time)
        #else
        clock_gettime(CLOCK_BOOTTIME, &time)
        #endif
        return ClockReading(
            wallUnixSeconds: Int64(Date().timeIntervalSince1970), monotonicSeconds: Int64(time.tv_sec),
            boot: bootSession())
    }

    private func bootSession() -> Boot {
        #if canImport(Darwin)
        var text = [CChar](repeating: 0, count: 64)
        var size = text.count
        guard sysctlbyname("kern.bootsessionuuid", &text, &size, nil, 0) == 0 else { return .unknown }
        let name = String(cString: text)
        #else
        let file = "/proc/sys/kernel/random/boot_id"
        guard let name = try? String(contentsOfFile: file, encoding: .utf8) else { return .unknown }
        #endif
        guard let uuid = UUID(uuidString: name.trimmingCharacters(in: .whitespacesAndNewlines)) else { return .unknown }
        return .session(uuid: withUnsafeBytes(of: uuid.uuid) { Data($0) })
    }
}
