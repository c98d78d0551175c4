//! Matching: which published keys were heard, and when. The plain version, obviously right.
//!
//! Every identifier of every key is derived and looked up; nothing is skipped, cached or guessed.
//! It stays for ever as the oracle that faster matchers are tested against.
//!
//! Rules: all intervals of a key's rolling period; a sighting counts if it was heard at most
//! [`MatchingRules::tolerance_intervals`] before or after the identifier's interval, inclusive
//! (GAEN, ±2 h) and not after the key was public; own keys are excluded; keys in any order, or several
//! times, give one answer.

mod kernel;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::diagnosis_key::DiagnosisKey;
use crate::export::{KeyName, PublishedKey};
use crate::keys::{RollingProximityIdentifier, TemporaryExposureKey};
use crate::sighting::Sighting;
pub use kernel::InstructionSet;
use crate::time::{INTERVALS_PER_DAY, IntervalNumber, Timestamp};

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
    /// Heard after the key was public: anyone could have sent it.
    pub after_publication: u32,
}

/// A key that was heard.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyMatch {
    /// The key as published.
    pub published: PublishedKey,
    /// When this phone first could have it; nothing heard later counts.
    pub first_available: Timestamp,
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
    /// Keys of which everything heard was dropped.
    pub near_misses: NearMisses,
}

/// Keys that were heard and match nothing, because every sighting was dropped.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct NearMisses {
    /// How many keys.
    pub keys: u64,
    /// Their sightings, by the reason why they do not count.
    pub sightings: DroppedSightings,
}

impl NearMisses {
    fn and(self, dropped: DroppedSightings) -> Self {
        let Self { keys, sightings } = self;
        Self { keys: keys + 1, sightings: sightings.plus(dropped) }
    }
}

impl DroppedSightings {
    const fn plus(self, other: Self) -> Self {
        Self {
            outside_tolerance: self.outside_tolerance.saturating_add(other.outside_tolerance),
            after_identifier_lifetime: self
                .after_identifier_lifetime
                .saturating_add(other.after_identifier_lifetime),
            after_publication: self.after_publication.saturating_add(other.after_publication),
        }
    }
}

/// Looks keys up in what was heard, one after the other.
#[derive(Debug)]
pub struct Matcher<'a> {
    heard: &'a SightingIndex,
    rules: MatchingRules,
    own: &'a [TemporaryExposureKey],
    keys_checked: u64,
    own_keys_excluded: u64,
    known: BTreeMap<KeyName, (PublishedKey, Timestamp)>,
    matched: BTreeMap<KeyName, KeyMatch>,
    near_misses: BTreeMap<KeyName, DroppedSightings>,
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
            known: BTreeMap::new(),
            matched: BTreeMap::new(),
            near_misses: BTreeMap::new(),
        }
    }

    /// Leaves this phone's own keys out, whatever is heard of them.
    #[must_use]
    pub const fn excluding(mut self, own: &'a [TemporaryExposureKey]) -> Self {
        self.own = own;
        self
    }

    /// Looks a key up that this phone has had since `first_available`, and remembers that time for
    /// every later record of it. Keys of earlier files come through here before a new file's.
    pub fn check_again(&mut self, published: PublishedKey, first_available: Timestamp) {
        let (published, first_available) = self.with_what_is_known(published, first_available);
        self.known.insert(published.name(), (published, first_available));
        self.look_up(published, first_available);
    }

    /// Looks a key up that this phone has from `now` on, unless it had it before.
    pub fn check(&mut self, published: PublishedKey, now: Timestamp) {
        self.keys_checked += 1;
        if self.own.iter().any(|own| own.secret_bytes() == published.key.as_bytes()) {
            self.own_keys_excluded += 1;
            return;
        }
        let (published, first_available) = self.with_what_is_known(published, now);
        self.look_up(published, first_available);
    }

    fn with_what_is_known(
        &self,
        published: PublishedKey,
        available: Timestamp,
    ) -> (PublishedKey, Timestamp) {
        match self.known.get(&published.name()) {
            Some(&(known, since)) => (known.prevailing(published), since.min(available)),
            None => (published, available),
        }
    }

    fn look_up(&mut self, published: PublishedKey, first_available: Timestamp) {
        let name = published.name();
        let earlier = self.matched.get(&name);
        let published = earlier.map_or(published, |e| e.published.prevailing(published));
        let first_available =
            earlier.map_or(first_available, |e| e.first_available.min(first_available));
        if earlier.is_some_and(|e| e.published == published && e.first_available == first_available)
        {
            return;
        }
        let (identifiers, dropped) = self.identifiers_heard(&published.key, first_available);
        if !identifiers.is_empty() {
            self.near_misses.remove(&name);
            let matched = KeyMatch { published, first_available, identifiers, dropped };
            self.matched.insert(name, matched);
        } else {
            self.matched.remove(&name);
            if dropped != DroppedSightings::default() {
                self.near_misses.insert(name, dropped);
            }
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
            near_misses: self
                .near_misses
                .into_values()
                .fold(NearMisses::default(), NearMisses::and),
        }
    }

    fn identifiers_heard(
        &self,
        key: &DiagnosisKey,
        first_available: Timestamp,
    ) -> (Vec<MatchedIdentifier>, DroppedSightings) {
        const DAY: usize = INTERVALS_PER_DAY as usize;
        let mut identifiers = [RollingProximityIdentifier::from_bytes([0; 16]); DAY];
        key.identifier_key().identifiers_into(key.rolling_start(), &mut identifiers);

        let mut matched = Vec::new();
        let mut dropped = DroppedSightings::default();
        let intervals = key.rolling_start().get()..key.rolling_end().get();
        for (interval, identifier) in intervals.map(IntervalNumber::new).zip(identifiers) {
            let Some(heard) = self.heard.heard(&identifier) else { continue };
            let sightings =
                self.sightings_that_count(interval, heard, first_available, &mut dropped);
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
        first_available: Timestamp,
        dropped: &mut DroppedSightings,
    ) -> Vec<Sighting> {
        let mut sightings = heard.to_vec();
        sightings.retain(|sighting| sighting.heard_at <= first_available);
        dropped.after_publication += count(heard.len() - sightings.len());
        let before_publication = sightings.len();
        sightings.retain(|sighting| {
            let distance = sighting.heard_at.interval().distance(interval);
            distance <= self.rules.tolerance_intervals
        });
        dropped.outside_tolerance += count(before_publication - sightings.len());
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
