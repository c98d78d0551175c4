//! Matching: which published keys were heard, and when. The plain version, obviously right.
//!
//! Every identifier of every key is derived and looked up; nothing is skipped, cached or guessed.
//! It stays for ever as the oracle that faster matchers are tested against.
//!
//! Rules: all intervals of a key's rolling period; a sighting counts if it was heard at most
//! [`MatchingRules::tolerance_intervals`] before or after the identifier's interval, inclusive
//! (GAEN, ±2 h) and not after the key was public; own keys are excluded; keys in any order, or several
//! times, give one answer.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::clock::RecordStamp;
use crate::clock::availability::{first_available as earlier_of, heard_before_public};
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
    by_identifier: BTreeMap<RollingProximityIdentifier, Heard>,
}

/// What was heard of one identifier.
#[derive(Debug, Default)]
struct Heard {
    sightings: Vec<Sighting>,
    /// Sightings whose time is not known.
    of_suspect_time: u32,
}

impl SightingIndex {
    /// An index of nothing.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a sighting; the order of insertion does not matter.
    pub fn insert(&mut self, sighting: Sighting) {
        let identifier = sighting.advertisement.identifier;
        self.by_identifier.entry(identifier).or_default().sightings.push(sighting);
    }

    /// Adds a sighting that was made under a wall clock that nobody vouches for
    /// ([`WallTrust::Suspect`](crate::clock::WallTrust::Suspect)): it counts as dropped.
    pub fn insert_suspect(&mut self, sighting: &Sighting) {
        let identifier = sighting.advertisement.identifier;
        let heard = self.by_identifier.entry(identifier).or_default();
        heard.of_suspect_time = heard.of_suspect_time.saturating_add(1);
    }

    /// How many different identifiers were heard.
    #[must_use]
    pub fn identifiers(&self) -> usize {
        self.by_identifier.len()
    }

    fn heard(&self, identifier: &RollingProximityIdentifier) -> Option<&Heard> {
        self.by_identifier.get(identifier)
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
    /// Heard while the wall clock was suspect. Counts again once a trusted time has told what the
    /// clock should have read.
    pub clock_suspect: u32,
}

/// A key that was heard.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyMatch {
    /// The key as published.
    pub published: PublishedKey,
    /// When this phone first had it; nothing heard later counts. `None` if that is not known.
    pub first_available: Option<RecordStamp>,
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
    /// Of these, keys that were heard at a suspect time, and since when this phone has them: to be
    /// checked again when the time is known.
    pub heard_at_suspect_time: Vec<(PublishedKey, Option<RecordStamp>)>,
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
    pub(crate) const fn plus(self, other: Self) -> Self {
        Self {
            outside_tolerance: self.outside_tolerance.saturating_add(other.outside_tolerance),
            after_identifier_lifetime: self
                .after_identifier_lifetime
                .saturating_add(other.after_identifier_lifetime),
            after_publication: self.after_publication.saturating_add(other.after_publication),
            clock_suspect: self.clock_suspect.saturating_add(other.clock_suspect),
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
    known: BTreeMap<KeyName, Known>,
    matched: BTreeMap<KeyName, KeyMatch>,
    near_misses: BTreeMap<KeyName, (Known, DroppedSightings)>,
}

/// A key and since when this phone has it.
type Known = (PublishedKey, Option<RecordStamp>);

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
    pub fn check_again(&mut self, published: PublishedKey, first_available: Option<RecordStamp>) {
        let (published, first_available) = self.with_what_is_known(published, first_available);
        self.known.insert(published.name(), (published, first_available));
        self.look_up(published, first_available);
    }

    /// Looks a key up that this phone has from `now` on, unless it had it before. `None` for a log
    /// that is looked at afterwards and says nothing about when a key became public.
    pub fn check(&mut self, published: PublishedKey, now: Option<RecordStamp>) {
        self.keys_checked += 1;
        if self.own.iter().any(|own| own.secret_bytes() == published.key.as_bytes()) {
            self.own_keys_excluded += 1;
            return;
        }
        let (published, first_available) = self.with_what_is_known(published, now);
        self.look_up(published, first_available);
    }

    fn with_what_is_known(&self, published: PublishedKey, available: Option<RecordStamp>) -> Known {
        match self.known.get(&published.name()) {
            Some(&(known, since)) => (known.prevailing(published), earlier(since, available)),
            None => (published, available),
        }
    }

    fn look_up(&mut self, published: PublishedKey, first_available: Option<RecordStamp>) {
        let name = published.name();
        let known = self.matched.get(&name);
        let published = known.map_or(published, |k| k.published.prevailing(published));
        let first_available =
            known.map_or(first_available, |k| earlier(k.first_available, first_available));
        if known.is_some_and(|k| k.published == published && k.first_available == first_available) {
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
                self.near_misses.insert(name, ((published, first_available), dropped));
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
        let heard_at_suspect_time = self
            .near_misses
            .values()
            .filter(|(_, dropped)| dropped.clock_suspect > 0)
            .map(|(known, _)| *known)
            .collect();
        MatchReport {
            keys_checked: self.keys_checked,
            own_keys_excluded: self.own_keys_excluded,
            matches,
            near_misses: self
                .near_misses
                .into_values()
                .fold(NearMisses::default(), |sum, (_, dropped)| sum.and(dropped)),
            heard_at_suspect_time,
        }
    }

    fn identifiers_heard(
        &self,
        key: &DiagnosisKey,
        first_available: Option<RecordStamp>,
    ) -> (Vec<MatchedIdentifier>, DroppedSightings) {
        const DAY: usize = INTERVALS_PER_DAY as usize;
        let mut identifiers = [RollingProximityIdentifier::from_bytes([0; 16]); DAY];
        key.identifier_key().identifiers_into(key.rolling_start(), &mut identifiers);

        let mut matched = Vec::new();
        let mut dropped = DroppedSightings::default();
        let intervals = key.rolling_start().get()..key.rolling_end().get();
        for (interval, identifier) in intervals.map(IntervalNumber::new).zip(identifiers) {
            let Some(heard) = self.heard.heard(&identifier) else { continue };
            dropped.clock_suspect = dropped.clock_suspect.saturating_add(heard.of_suspect_time);
            let heard = &heard.sightings;
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
        first_available: Option<RecordStamp>,
        dropped: &mut DroppedSightings,
    ) -> Vec<Sighting> {
        let mut sightings = heard.to_vec();
        let was_public = |sighting: &Sighting| {
            sighting
                .stamp
                .zip(first_available)
                .is_some_and(|(heard, available)| !heard_before_public(heard, available))
        };
        sightings.retain(|sighting| !was_public(sighting));
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

/// The earlier of two times at which a key was available; one that is not known is no bound.
fn earlier(one: Option<RecordStamp>, other: Option<RecordStamp>) -> Option<RecordStamp> {
    match (one, other) {
        (Some(one), Some(other)) => Some(earlier_of(one, other)),
        (one, other) => one.or(other),
    }
}

fn count(sightings: usize) -> u32 {
    u32::try_from(sightings).unwrap_or(u32::MAX)
}
