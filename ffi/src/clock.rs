//! Both clocks of a phone: an argument of every call, so that tests have virtual time.

use chikaku_core::clock as core_clock;

use crate::ExposureNotificationError;
use crate::number;

/// Both clocks, read at this moment.
#[derive(Clone, Debug, PartialEq, Eq, uniffi::Record)]
pub struct ClockReading {
    /// The wall clock: whole seconds since 1970 UTC. It may be wrong, and is watched.
    pub wall_unix_seconds: i64,
    /// Seconds since boot by a clock that nobody can set and that counts while the phone sleeps:
    /// `SystemClock.elapsedRealtime()`, `mach_continuous_time()`, `CLOCK_BOOTTIME`.
    pub monotonic_seconds: i64,
    /// Which run of the operating system.
    pub boot: Boot,
}

/// Names one run of the operating system.
#[derive(Clone, Debug, PartialEq, Eq, uniffi::Enum)]
pub enum Boot {
    /// The host cannot tell; a restart is then noticed by the monotonic clock's running backwards.
    Unknown,
    /// Android's `Settings.Global.BOOT_COUNT`.
    Count {
        /// The counter.
        count: i64,
    },
    /// A UUID of sixteen bytes: `kern.bootsessionuuid`, Linux's `boot_id`.
    Session {
        /// Sixteen bytes.
        uuid: Vec<u8>,
    },
}

impl ClockReading {
    pub(crate) fn read(&self) -> Result<core_clock::ClockReading, ExposureNotificationError> {
        let argument = |sentence: &str| ExposureNotificationError::argument(sentence);
        let boot = match &self.boot {
            Boot::Unknown => core_clock::BootId::UNKNOWN,
            Boot::Count { count } => core_clock::BootId::from_count(
                u64::try_from(*count).map_err(|_| argument("boot count: negative"))?,
            ),
            Boot::Session { uuid } => core_clock::BootId::from_bytes(
                uuid.as_slice()
                    .try_into()
                    .map_err(|_| argument("boot session: a UUID has sixteen bytes"))?,
            ),
        };
        Ok(core_clock::ClockReading {
            wall: number::timestamp("wall clock", self.wall_unix_seconds)?,
            monotonic_seconds: u64::try_from(self.monotonic_seconds)
                .map_err(|_| argument("monotonic clock: negative"))?,
            boot,
        })
    }
}
