//! Matching: which published keys were heard, and when. The plain version, obviously right.
//!
//! Every identifier of every key is derived and looked up; nothing is skipped, cached or guessed.
//! It stays for ever as the oracle that faster matchers are tested against.
//!
//! Rules: all intervals of a key's rolling period; a sighting counts if it was heard at most
//! [`MatchingRules::tolerance_intervals`] before or after the identifier's interval, inclusive
//! (GAEN, ±2 h); own keys are excluded; keys in any order, or several times, give one answer.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use crate::diagnosis_key::DiagnosisKey;
use crate::export::{KeyName, PublishedKey};
use crate::keys::{RollingProximityIdentifier, TemporaryExposureKey};
use crate::sighting::Sighting;
use crate::time::{INTERVALS_PER_DAY, IntervalNumber};

/// The tolerances of matching.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct MatchingRules {
    /// How far a sighting may lie from its identifier's interval, in ten-minute intervals, on
    /// either side and inclusive. GAEN: 12.
    pub tolerance_intervals: u32,
    /// How long after its first sighting an identifier is still believed, in seconds; later
    /// sightings count as replayed. Google and Apple use 1200, which costs honest sightings:
    /// real phones were seen to keep an identifier for up to 1617 s. `None` believes them all.
    pub identifier_lifetime_seconds: Option<u32>,
}

impl Default for MatchingRules {
    fn default() -> Self {
        Self { tolerance_intervals: 12, identifier_lifetime_seconds: Some(1800) }
    }
}

/// Everything heard, by identifier.
#[derive(Debug, Default)]
pub struct SightingIndex {
    by_identifier: BTreeMap<RollingProximityIdentifier, Vec<Sighting>>,
}

impl SightingIndex {
    /// An index of nothing.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a sighting; the order of insertion does not matter.
    pub fn insert(&mut self, sighting: Sighting) {
        self.by_identifier.entry(sighting.advertisement.identifier).or_default().push(sighting);
    }

    /// How many different identifiers were heard.
    #[must_use]
    pub fn identifiers(&self) -> usize {
        self.by_identifier.len()
    }

    fn heard(&self, identifier: &RollingProximityIdentifier) -> Option<&[Sighting]> {
        self.by_identifier.get(identifier).map(Vec::as_slice)
    }
}

impl Extend<Sighting> for SightingIndex {
    fn extend<T: IntoIterator<Item = Sighting>>(&mut self, sightings: T) {
        sightings.into_iter().for_each(|sighting| self.insert(sighting));
    }
}

impl FromIterator<Sighting> for SightingIndex {
    fn from_iter<T: IntoIterator<Item = Sighting>>(sightings: T) -> Self {
        let mut index = Self::new();
        index.extend(sightings);
        index
    }
}

/// One identifier of a key that was heard.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MatchedIdentifier {
    /// The interval for which the identifier was made.
    pub interval: IntervalNumber,
    /// The identifier.
    pub identifier: RollingProximityIdentifier,
    /// The sightings that count, by time.
    pub sightings: Vec<Sighting>,
}

/// Sightings of a matched key's identifiers that do not count, by reason.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct DroppedSightings {
    /// Heard too long before or after the identifier's interval.
    pub outside_tolerance: u32,
    /// Heard too long after the identifier's first sighting.
    pub after_identifier_lifetime: u32,
}

/// A key that was heard.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyMatch {
    /// The key as published.
    pub published: PublishedKey,
    /// Its identifiers that were heard within the tolerance, by interval; never empty.
    pub identifiers: Vec<MatchedIdentifier>,
    /// What was heard of it and does not count.
    pub dropped: DroppedSightings,
}

impl KeyMatch {
    /// All sightings that count, with the identifier each belongs to, by time.
    #[must_use]
    pub fn sightings(&self) -> Vec<Sighting> {
        let mut sightings: Vec<_> =
            self.identifiers.iter().flat_map(|matched| &matched.sightings).copied().collect();
        sightings.sort_unstable();
        sightings
    }
}

/// What a run of the matcher found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MatchReport {
    /// Key records looked at, own and repeated ones included.
    pub keys_checked: u64,
    /// Records left out because they are this phone's own.
    pub own_keys_excluded: u64,
    /// The keys that were heard, by first sighting.
    pub matches: Vec<KeyMatch>,
    /// Keys heard only outside the tolerance: the near misses.
    pub near_misses: u64,
}

/// Looks keys up in what was heard, one after the other.
#[derive(Debug)]
pub struct Matcher<'a> {
    heard: &'a SightingIndex,
    rules: MatchingRules,
    own: &'a [TemporaryExposureKey],
    keys_checked: u64,
    own_keys_excluded: u64,
    matched: BTreeMap<KeyName, KeyMatch>,
    near_misses: BTreeSet<KeyName>,
}

impl<'a> Matcher<'a> {
    /// A matcher over what was heard.
    #[must_use]
    pub fn new(heard: &'a SightingIndex, rules: MatchingRules) -> Self {
        Self {
            heard,
            rules,
            own: &[],
            keys_checked: 0,
            own_keys_excluded: 0,
            matched: BTreeMap::new(),
            near_misses: BTreeSet::new(),
        }
    }

    /// Leaves this phone's own keys out, whatever is heard of them.
    #[must_use]
    pub const fn excluding(mut self, own: &'a [TemporaryExposureKey]) -> Self {
        self.own = own;
        self
    }

    /// Looks one key up.
    pub fn check(&mut self, published: PublishedKey) {
        self.keys_checked += 1;
        if self.own.iter().any(|own| own.secret_bytes() == published.key.as_bytes()) {
            self.own_keys_excluded += 1;
            return;
        }
        let name = published.name();
        let published = match self.matched.get(&name) {
            Some(earlier) => earlier.published.prevailing(published),
            None => published,
        };
        if self.matched.get(&name).is_some_and(|earlier| earlier.published == published) {
            return;
        }
        let (identifiers, dropped) = self.identifiers_heard(&published.key);
        if !identifiers.is_empty() {
            self.near_misses.remove(&name);
            self.matched.insert(name, KeyMatch { published, identifiers, dropped });
        } else if dropped != DroppedSightings::default() {
            self.near_misses.insert(name);
        }
    }

    /// The result; keys come by their first sighting, whatever order they were checked in.
    #[must_use]
    pub fn finish(self) -> MatchReport {
        let mut matches: Vec<_> = self.matched.into_values().collect();
        matches.sort_by_key(|matched| {
            let first = matched.identifiers.iter().flat_map(|i| &i.sightings).min().copied();
            (first, matched.published.name())
        });
        MatchReport {
            keys_checked: self.keys_checked,
            own_keys_excluded: self.own_keys_excluded,
            matches,
            near_misses: self.near_misses.len() as u64,
        }
    }

    fn identifiers_heard(&self, key: &DiagnosisKey) -> (Vec<MatchedIdentifier>, DroppedSightings) {
        const DAY: usize = INTERVALS_PER_DAY as usize;
        let mut identifiers = [RollingProximityIdentifier::from_bytes([0; 16]); DAY];
        key.identifier_key().identifiers_into(key.rolling_start(), &mut identifiers);

        let mut matched = Vec::new();
        let mut dropped = DroppedSightings::default();
        let intervals = key.rolling_start().get()..key.rolling_end().get();
        for (interval, identifier) in intervals.map(IntervalNumber::new).zip(identifiers) {
            let Some(heard) = self.heard.heard(&identifier) else { continue };
            let sightings = self.sightings_that_count(interval, heard, &mut dropped);
            if !sightings.is_empty() {
                matched.push(MatchedIdentifier { interval, identifier, sightings });
            }
        }
        (matched, dropped)
    }

    fn sightings_that_count(
        &self,
        interval: IntervalNumber,
        heard: &[Sighting],
        dropped: &mut DroppedSightings,
    ) -> Vec<Sighting> {
        let mut sightings = heard.to_vec();
        sightings.retain(|sighting| {
            let distance = sighting.heard_at.interval().distance(interval);
            distance <= self.rules.tolerance_intervals
        });
        dropped.outside_tolerance += count(heard.len() - sightings.len());
        sightings.sort_unstable();

        if let (Some(lifetime), Some(first)) =
            (self.rules.identifier_lifetime_seconds, sightings.first().copied())
        {
            let before = sightings.len();
            sightings.retain(|s| s.heard_at.seconds_since(first.heard_at) <= i64::from(lifetime));
            dropped.after_identifier_lifetime += count(before - sightings.len());
        }
        sightings
    }
}

fn count(sightings: usize) -> u32 {
    u32::try_from(sightings).unwrap_or(u32::MAX)
}
