//! Epochs of the wall clock: stretches during which nobody set it.

use serde::{Deserialize, Serialize};

use super::ClockReading;
use crate::time::Timestamp;

/// Names an epoch. Later epochs have greater numbers; none is used twice.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
#[serde(transparent)]
pub struct EpochId(pub(super) u64);

impl EpochId {
    /// No epoch that was ever seen; what is recorded in it is suspect.
    pub const UNKNOWN: Self = Self(0);

    /// The number, for storage and display.
    #[must_use]
    pub const fn get(self) -> u64 {
        self.0
    }
}

/// What a reading says about the wall clock, compared with the epoch before it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum ClockChange {
    /// The first reading ever.
    First,
    /// Wall and monotonic clock agree within the tolerance.
    Steady,
    /// Somebody set the wall clock forward.
    JumpedForward {
        /// By how much since the epoch began.
        seconds: u64,
    },
    /// Somebody set the wall clock back.
    JumpedBack {
        /// By how much since the epoch began.
        seconds: u64,
    },
    /// The phone was restarted. How long it was off is not known; a jump shows only if the wall
    /// clock reads less than the last reading and the time since boot make possible.
    NewBoot {
        /// By how many seconds it reads less than that; `None` if it does not.
        went_back_seconds: Option<u64>,
    },
}

impl ClockChange {
    /// Whether a new epoch began.
    #[must_use]
    pub const fn opens_epoch(self) -> bool {
        !matches!(self, Self::Steady)
    }
}

/// How far an epoch's wall time is to be believed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum WallTrust {
    /// Nobody vouches for it and nothing speaks against it.
    Unchallenged,
    /// The clock jumped, or contradicts what is proven, and nobody has said what is right. What
    /// was heard in this epoch must not count.
    Suspect,
    /// Held against a trusted time of the same boot.
    Measured {
        /// Seconds to add to the wall time. Zero if it was right within the tolerance.
        correction_seconds: i64,
    },
}

impl WallTrust {
    /// The time that is meant by `wall`; `None` if the epoch is suspect.
    #[must_use]
    pub fn correct(self, wall: Timestamp) -> Option<Timestamp> {
        match self {
            Self::Unchallenged => Some(wall),
            Self::Suspect => None,
            Self::Measured { correction_seconds } => Some(super::moved(wall, correction_seconds)),
        }
    }
}

/// A stretch during which nobody set the wall clock and the phone was not restarted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ClockEpoch {
    /// Names the epoch in the records made in it.
    pub id: EpochId,
    /// What opened it.
    pub opened_by: ClockChange,
    /// The first reading of it.
    pub first: ClockReading,
    /// How far its wall time is to be believed.
    pub trust: WallTrust,
    /// Counts the boots seen, because a host may not know its own.
    pub(super) boot_number: u64,
    /// [`RecordStamp::elapsed_seconds`] when the next epoch began; `None` for the current one.
    pub(super) ended_elapsed: Option<u64>,
}

/// When a record was made, by everything but the wall clock's own word. Stored with the record.
///
/// Stamps are ordered as the records were made, whatever the wall clock did.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct RecordStamp {
    /// Grows by one with each stamp.
    pub sequence: u64,
    /// The epoch whose wall time the record carries.
    pub epoch: EpochId,
    /// Seconds since the first reading ever: all monotonic time, and the time that the phone is
    /// believed to have been off. Never falls.
    pub elapsed_seconds: u64,
}
