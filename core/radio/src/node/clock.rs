//! Both clocks of the machine.

use chikaku_core::clock::{BootId, ClockReading};
use chikaku_core::time::Timestamp;

/// One look at both clocks, to the millisecond.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HostTime {
    /// Milliseconds since 1970 UTC, as the wall clock says.
    pub wall_millis: i64,
    /// Milliseconds since boot, the machine's sleep included.
    pub monotonic_millis: u64,
}

/// Where a node reads the time.
pub trait HostClock {
    /// Both clocks at one moment.
    fn now(&self) -> HostTime;

    /// Which boot the monotonic clock counts from.
    fn boot(&self) -> BootId;
}

impl HostTime {
    /// The reading in the engine's terms; a wall clock before 1970 reads as 1970.
    #[must_use]
    pub fn reading(self, boot: BootId) -> ClockReading {
        let seconds = self.wall_millis.div_euclid(1000);
        let end = if seconds < 0 { Timestamp::EPOCH } else { Timestamp::MAX };
        ClockReading {
            wall: Timestamp::from_unix_seconds(seconds).unwrap_or(end),
            monotonic_seconds: self.monotonic_millis / 1000,
            boot,
        }
    }

    /// Wall less monotonic: constant while nobody sets the wall clock.
    pub(super) fn offset_millis(self) -> i64 {
        let monotonic = i64::try_from(self.monotonic_millis).unwrap_or(i64::MAX);
        self.wall_millis.saturating_sub(monotonic)
    }
}

/// The machine's clocks.
#[derive(Clone, Copy, Debug)]
pub struct SystemClock {
    boot: BootId,
}

impl SystemClock {
    /// Learns which boot this is.
    #[must_use]
    pub fn new() -> Self {
        Self { boot: boot_id().unwrap_or(BootId::UNKNOWN) }
    }
}

impl Default for SystemClock {
    fn default() -> Self {
        Self::new()
    }
}

impl HostClock for SystemClock {
    fn now(&self) -> HostTime {
        HostTime { wall_millis: wall_millis(), monotonic_millis: monotonic_millis() }
    }

    fn boot(&self) -> BootId {
        self.boot
    }
}

/// Milliseconds since 1970 by the system's clock, 0 before 1970.
#[expect(clippy::disallowed_methods, reason = "a host is where the argument comes from")]
pub(crate) fn wall_millis() -> i64 {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    since.map_or(0, |since| i64::try_from(since.as_millis()).unwrap_or(i64::MAX))
}

#[cfg(target_os = "linux")]
fn monotonic_millis() -> u64 {
    let time = rustix::time::clock_gettime(rustix::time::ClockId::Boottime);
    let millis = time.tv_sec.saturating_mul(1000).saturating_add(time.tv_nsec / 1_000_000);
    u64::try_from(millis).unwrap_or(0)
}

/// Elsewhere the standard library's clock has to do, which may stand still while the machine
/// sleeps; the engine then takes the sleep for a clock that was set.
#[cfg(not(target_os = "linux"))]
fn monotonic_millis() -> u64 {
    use std::sync::OnceLock;
    use std::time::Instant;
    static FIRST: OnceLock<Instant> = OnceLock::new();
    u64::try_from(FIRST.get_or_init(Instant::now).elapsed().as_millis()).unwrap_or(u64::MAX)
}

#[cfg(target_os = "linux")]
fn boot_id() -> Option<BootId> {
    let text = std::fs::read_to_string("/proc/sys/kernel/random/boot_id").ok()?;
    let digits: String = text.trim().chars().filter(|character| *character != '-').collect();
    (digits.len() == 32).then_some(())?;
    u128::from_str_radix(&digits, 16).ok().map(|number| BootId::from_bytes(number.to_be_bytes()))
}

#[cfg(not(target_os = "linux"))]
fn boot_id() -> Option<BootId> {
    None
}
