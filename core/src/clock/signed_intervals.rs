//! Which key made the identifiers of which interval: never two keys for one.
//!
//! A clock that is set back brings intervals round again. The key that made their identifiers may
//! do so again; another key must not, because two published keys that claim one interval of one
//! phone tell that they belong together, and the keys of a phone must not overlap (GAEN crypto
//! spec 1.2, "TEKRollingPeriod"). Keys are erased after the retention period, so what remains of
//! them here is a tag, and later only that the interval is used up.

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use thiserror::Error;

use crate::keys::TemporaryExposureKey;
use crate::time::{INTERVALS_PER_DAY, IntervalNumber};

/// Tells own keys apart without holding one: eight bytes of a hash.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct KeyTag([u8; 8]);

impl KeyTag {
    /// The tag of `key`.
    #[must_use]
    pub fn of(key: &TemporaryExposureKey) -> Self {
        let hash =
            Sha256::new().chain_update(b"chikaku own key tag").chain_update(key.secret_bytes());
        let mut tag = [0; 8];
        tag.copy_from_slice(&hash.finalize()[..8]);
        Self(tag)
    }

    /// A stored tag.
    #[must_use]
    pub const fn from_bytes(bytes: [u8; 8]) -> Self {
        Self(bytes)
    }
}

/// Another key has made this interval's identifier. The phone must be silent until it ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("interval {} was used with another key", interval.get())]
pub struct AlreadySigned {
    /// The interval.
    pub interval: IntervalNumber,
}

/// A run of intervals used by one key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Used {
    start: u32,
    /// The last one, inclusive: an end one past the last interval would not fit.
    last: u32,
    /// `None` when the key has been forgotten.
    key: Option<KeyTag>,
}

/// The intervals this phone has broadcast in, and by which key.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct SignedIntervals {
    /// By start; they do not overlap.
    runs: Vec<Used>,
}

impl SignedIntervals {
    /// Nothing used yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Whether `key` may make the identifier of `interval`: nobody has, or itself has.
    #[must_use]
    pub fn permits(&self, interval: IntervalNumber, key: KeyTag) -> bool {
        self.run_at(interval).is_none_or(|run| run.key == Some(key))
    }

    /// Whether any key has made an identifier for `interval`.
    #[must_use]
    pub fn is_used(&self, interval: IntervalNumber) -> bool {
        self.run_at(interval).is_some()
    }

    /// Notes that `key` makes the identifier of `interval`. Commit this before broadcasting it.
    ///
    /// # Errors
    /// [`AlreadySigned`] if another key has made it; nothing has changed then.
    pub fn sign(&mut self, interval: IntervalNumber, key: KeyTag) -> Result<(), AlreadySigned> {
        if self.run_at(interval).is_some() {
            return if self.permits(interval, key) {
                Ok(())
            } else {
                Err(AlreadySigned { interval })
            };
        }
        let number = interval.get();
        let index = self.runs.partition_point(|run| run.start < number);
        self.runs.insert(index, Used { start: number, last: number, key: Some(key) });
        self.merge(|left, right| {
            left.key == right.key && left.last.checked_add(1) == Some(right.start)
        });
        Ok(())
    }

    /// Notes that `key` alone makes the identifier of `interval` from now on: the key that made it
    /// before has been cut off in front of the interval, so that nothing that is ever published
    /// claims it twice.
    pub fn reassign(&mut self, interval: IntervalNumber, key: KeyTag) {
        let number = interval.get();
        let split = |run: &Used| {
            let before =
                number.checked_sub(1).map(|last| Used { last: run.last.min(last), ..*run });
            let after =
                number.checked_add(1).map(|start| Used { start: run.start.max(start), ..*run });
            [before, after].into_iter().flatten().filter(|part| part.start <= part.last)
        };
        self.runs = self.runs.iter().flat_map(split).collect();
        // The interval is free now, so that this cannot fail.
        let _free = self.sign(interval, key);
    }

    /// The first unused interval at or after `from` and the number of unused ones that follow it
    /// within its UTC day, itself included: the validity a new key may have. `None` if the rest of
    /// the day is used up.
    #[must_use]
    pub fn free_run(&self, from: IntervalNumber) -> Option<(IntervalNumber, u32)> {
        let day_start = from.day().first_interval().get();
        let day_last = day_start.saturating_add(INTERVALS_PER_DAY - 1);
        let start = (from.get()..=day_last).find(|n| !self.is_used(IntervalNumber::new(*n)))?;
        let next = self.runs.iter().map(|run| run.start).find(|used| *used > start);
        let end = next.map_or(day_last, |used| day_last.min(used.saturating_sub(1)));
        Some((IntervalNumber::new(start), end.saturating_sub(start).saturating_add(1)))
    }

    /// Forgets which keys were used before `interval`, not that they were. The intervals of a UTC
    /// day that fell between two forgotten runs count as used too, so that what remains is one run
    /// for each stretch of days on which the phone took part.
    pub fn forget_keys_before(&mut self, interval: IntervalNumber) {
        for run in &mut self.runs {
            if run.last < interval.get() {
                run.key = None;
            }
        }
        self.merge(|left, right| {
            let gap = right.start.saturating_sub(left.last);
            left.key.is_none() && right.key.is_none() && gap <= INTERVALS_PER_DAY
        });
    }

    /// How many runs are held; a few a day before forgetting, a few a year after.
    #[must_use]
    pub fn runs(&self) -> usize {
        self.runs.len()
    }

    fn run_at(&self, interval: IntervalNumber) -> Option<&Used> {
        let number = interval.get();
        let after = self.runs.partition_point(|run| run.start <= number);
        self.runs[..after].last().filter(|run| number <= run.last)
    }

    fn merge(&mut self, together: impl Fn(&Used, &Used) -> bool) {
        self.runs.dedup_by(|right, left| {
            let merges = together(left, right);
            if merges {
                left.last = left.last.max(right.last);
            }
            merges
        });
    }
}
