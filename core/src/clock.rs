//! Time that can be wrong: what a wall clock says, and how far it is to be believed.
//!
//! A phone's wall clock is an input like any other. Users set it, networks set it, an attacker
//! who speaks NTP sets it back, replays old identifiers and sets it forward again ("time
//! machine", eprint 2020/1393), and after an empty battery it starts in 1970. The monotonic clock
//! cannot be set, but stops counting when the phone is off. [`ClockWatch`] holds the two against
//! each other:
//!
//! * each jump of the wall clock opens a new [`ClockEpoch`], so that everything recorded under
//!   one setting of the clock can be judged, and corrected, together;
//! * one trusted time from the host ([`ClockWatch::confirm`]) corrects every epoch since boot;
//! * age is counted on a line that no setting of the clock moves ([`ClockWatch::is_due`]).
//!
//! Around it: [`signed_intervals`] keeps two keys from one interval, [`availability`] keeps
//! identifiers of published keys from counting.

pub mod availability;
mod epoch;
pub mod signed_intervals;
mod timeline;
mod watch;

use serde::{Deserialize, Serialize};

pub use epoch::{ClockChange, ClockEpoch, EpochId, RecordStamp, WallTrust};
pub use watch::{ClockWatch, Confirmation};

use crate::time::Timestamp;

/// Names one run of the operating system: Linux's `boot_id`, Android's boot count.
///
/// A host that knows none passes [`BootId::UNKNOWN`] always; a reboot is then noticed by the
/// monotonic clock's running backwards.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct BootId([u8; 16]);

impl BootId {
    /// For hosts that cannot tell one boot from another.
    pub const UNKNOWN: Self = Self([0; 16]);

    /// A boot named by sixteen bytes, such as a UUID.
    #[must_use]
    pub const fn from_bytes(bytes: [u8; 16]) -> Self {
        Self(bytes)
    }

    /// A boot named by a counter.
    #[must_use]
    pub const fn from_count(count: u64) -> Self {
        Self((count as u128).to_be_bytes())
    }
}

/// Both clocks of a phone, read at one moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct ClockReading {
    /// What the wall clock says.
    pub wall: Timestamp,
    /// Seconds since boot by a clock that nobody can set and that counts while the phone sleeps:
    /// `CLOCK_BOOTTIME`, `elapsedRealtime`, `mach_continuous_time`.
    pub monotonic_seconds: u64,
    /// Which boot.
    pub boot: BootId,
}

impl ClockReading {
    /// Wall less monotonic time, in seconds: constant as long as nobody sets the wall clock.
    fn offset(&self) -> i64 {
        let monotonic = i64::try_from(self.monotonic_seconds).unwrap_or(i64::MAX);
        self.wall.unix_seconds().saturating_sub(monotonic)
    }
}

/// The constants of [`ClockWatch`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ClockRules {
    /// How far the wall clock may wander within one epoch, in seconds. Counted from the epoch's
    /// beginning and not from the last reading, so that nobody can creep.
    pub tolerance_seconds: u32,
    /// How long, in seconds of monotonic time, a wall clock has to stay ahead before it is
    /// believed without confirmation. Bounds how long data outlive their retention on a phone
    /// that never learns a trusted time.
    pub patience_seconds: u32,
    /// How many epochs are remembered. What was recorded in a forgotten epoch is suspect. The
    /// default is a reboot every ten minutes for 28 days.
    pub remembered_epochs: u32,
}

impl Default for ClockRules {
    /// 120 s, 24 h, 4032 epochs.
    fn default() -> Self {
        Self { tolerance_seconds: 120, patience_seconds: 86_400, remembered_epochs: 4_032 }
    }
}

/// `seconds` after `instant`, held at the ends of [`Timestamp`].
fn moved(instant: Timestamp, seconds: i64) -> Timestamp {
    let sum = instant.unix_seconds().saturating_add(seconds);
    let end = if seconds < 0 { Timestamp::EPOCH } else { Timestamp::MAX };
    Timestamp::from_unix_seconds(sum).unwrap_or(end)
}
