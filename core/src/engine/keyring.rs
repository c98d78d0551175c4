//! The phone's own keys of the retention period: one for each UTC day, plus one for each
//! disclosure, never two for one interval.

use std::collections::BTreeSet;

use rand_core::CryptoRng;

use crate::clock::signed_intervals::{KeyTag, SignedIntervals};
use crate::keys::{RollingProximityIdentifier, TemporaryExposureKey};
use crate::time::{IntervalNumber, RollingPeriod, Timestamp, UtcDay};

/// Own keys by rolling start; their validities do not overlap.
#[derive(Clone, Debug, Default)]
pub struct Keyring {
    keys: Vec<TemporaryExposureKey>,
    disclosed_until: Option<IntervalNumber>,
}

/// No key may make this interval's identifier: the one that would has been published, or the one
/// that has is forgotten.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct NoKey {
    /// The first interval for which there may be one again.
    pub(crate) until: IntervalNumber,
}

impl Keyring {
    /// A keyring of stored keys.
    #[must_use]
    pub fn from_stored(
        mut keys: Vec<TemporaryExposureKey>,
        disclosed_until: Option<IntervalNumber>,
    ) -> Self {
        keys.sort_by_key(TemporaryExposureKey::rolling_start);
        Self { keys, disclosed_until }
    }

    /// Every key that ended by this interval has been published.
    #[must_use]
    pub const fn disclosed_until(&self) -> Option<IntervalNumber> {
        self.disclosed_until
    }

    /// All keys, by rolling start.
    #[must_use]
    pub fn keys(&self) -> &[TemporaryExposureKey] {
        &self.keys
    }

    /// The key that makes identifiers in `interval`, generated if there is none yet, and whether
    /// it was. Notes in `signed` that it does.
    ///
    /// A new key fills the gap around `interval` that other keys, remembered or not, leave of its
    /// UTC day; on an ordinary day that is the whole day.
    pub(crate) fn key_for(
        &mut self,
        interval: IntervalNumber,
        signed: &mut SignedIntervals,
        rng: &mut (impl CryptoRng + ?Sized),
    ) -> Result<(&TemporaryExposureKey, bool), NoKey> {
        let found = self.keys.iter().position(|key| key.covers(interval));
        let (index, is_new) = match found {
            Some(index) => (index, false),
            None if signed.is_used(interval) => return Err(next_free(interval, signed)),
            None => {
                let key = self.key_filling_the_gap_around(interval, signed, rng);
                (self.insert(key), true)
            }
        };
        let key = &self.keys[index];
        if self.disclosed_until.is_some_and(|until| key.rolling_end() <= until) {
            return Err(NoKey { until: key.rolling_end() });
        }
        if signed.sign(interval, KeyTag::of(key)).is_err() {
            return Err(next_free(interval, signed));
        }
        Ok((key, is_new))
    }

    /// Ends the running key before `interval`, starts its successor there, and remembers that
    /// every key that has ended is published. Returns the keys that changed or are new.
    ///
    /// If the running key began in `interval` itself, nothing of it remains: the successor takes
    /// its place and its rolling start, and who heard the identifier of these minutes will not
    /// find it among the published keys.
    pub(crate) fn close(
        &mut self,
        interval: IntervalNumber,
        signed: &SignedIntervals,
        rng: &mut (impl CryptoRng + ?Sized),
    ) -> Vec<TemporaryExposureKey> {
        self.disclosed_until = self.disclosed_until.max(Some(interval));
        let Some(running) = self.keys.iter().position(|key| key.covers(interval)) else {
            return Vec::new();
        };
        let mut changed = Vec::new();
        match self.keys[running].ended_before(interval) {
            Some(ended) => {
                self.keys[running] = ended.clone();
                changed.push(ended);
            }
            None => {
                self.keys.remove(running);
            }
        }
        let successor = self.key_filling_the_gap_around(interval, signed, rng);
        changed.push(successor.clone());
        self.insert(successor);
        changed
    }

    /// The keys that make no identifier from `interval` on.
    pub(crate) fn ended_by(
        &self,
        interval: IntervalNumber,
    ) -> impl Iterator<Item = &TemporaryExposureKey> {
        self.keys.iter().filter(move |key| key.rolling_end() <= interval)
    }

    /// Forgets keys that ended before `instant`; says whether there were any.
    pub(crate) fn forget_before(&mut self, instant: Timestamp) -> bool {
        let before = self.keys.len();
        self.keys.retain(|key| key.rolling_end().start() > instant);
        self.keys.len() < before
    }

    /// Takes a key of the phone that this one succeeds, up to `now` and as far as it does not
    /// overlap with a key of this phone; returns what was taken.
    pub(crate) fn adopt(
        &mut self,
        key: TemporaryExposureKey,
        now: IntervalNumber,
    ) -> Option<TemporaryExposureKey> {
        let of_this_phone = self
            .keys
            .iter()
            .filter(|own| own.rolling_end() > key.rolling_start())
            .map(TemporaryExposureKey::rolling_start)
            .min();
        let end = of_this_phone.map_or(now, |start| start.min(now)).min(key.rolling_end());
        let key = key.ended_before(end)?;
        self.insert(key.clone());
        Some(key)
    }

    /// Every key that ended by `interval` has been published by the phone that this one succeeds.
    pub(crate) fn disclosed_by(&mut self, interval: Option<IntervalNumber>) {
        self.disclosed_until = self.disclosed_until.max(interval);
    }

    /// Forgets the keys valid on `day`; says whether there were any.
    pub(crate) fn forget_day(&mut self, day: UtcDay) -> bool {
        let before = self.keys.len();
        self.keys.retain(|key| !key.touches(day));
        self.keys.len() < before
    }

    /// Every identifier that these keys make.
    pub(crate) fn identifiers(&self) -> BTreeSet<RollingProximityIdentifier> {
        let of = |key: &TemporaryExposureKey| {
            let mut identifiers = vec![
                RollingProximityIdentifier::from_bytes([0; 16]);
                key.rolling_period().intervals() as usize
            ];
            key.identifier_key().identifiers_into(key.rolling_start(), &mut identifiers);
            identifiers
        };
        self.keys.iter().flat_map(of).collect()
    }

    fn key_filling_the_gap_around(
        &self,
        interval: IntervalNumber,
        signed: &SignedIntervals,
        rng: &mut (impl CryptoRng + ?Sized),
    ) -> TemporaryExposureKey {
        let day = interval.day();
        let start = self
            .keys
            .iter()
            .map(TemporaryExposureKey::rolling_end)
            .filter(|end| *end <= interval)
            .fold(day.first_interval(), Ord::max);
        let following = self.keys.iter().map(TemporaryExposureKey::rolling_start);
        let end_of_day = day.first_interval().get().saturating_add(RollingPeriod::DAY.intervals());
        let end = following
            .filter(|start| *start > interval)
            .fold(IntervalNumber::new(end_of_day), Ord::min);
        // Intervals that a forgotten key has used are others' too. `interval` itself is free, or its
        // key has just been cut off in front of it.
        let is_used = |number: &u32| signed.is_used(IntervalNumber::new(*number));
        let number = interval.get();
        let used_before = (start.get()..number).rev().find(is_used);
        let start = used_before.map_or(start, |used| IntervalNumber::new(used + 1));
        let used_after = (number.saturating_add(1)..end.get()).find(is_used);
        let end = used_after.map_or(end, IntervalNumber::new);
        let period = RollingPeriod::new(end.get().saturating_sub(start.get()));
        TemporaryExposureKey::generate(start, period.unwrap_or(RollingPeriod::DAY), rng)
    }

    fn insert(&mut self, key: TemporaryExposureKey) -> usize {
        let index = self.keys.partition_point(|other| other.rolling_start() < key.rolling_start());
        self.keys.insert(index, key);
        index
    }
}

/// The next interval that nobody has used, within the next year or so.
fn next_free(interval: IntervalNumber, signed: &SignedIntervals) -> NoKey {
    let from = |days: u32| interval.max(interval.day().saturating_add(days).first_interval());
    let free = (0..400).find_map(|days| signed.free_run(from(days)));
    NoKey { until: free.map_or_else(|| from(400), |(start, _)| start) }
}
