//! Matching: which published keys were heard, and when.
//!
//! Rules: all intervals of a key's rolling period; a sighting counts if it was heard at most
//! [`MatchingRules::tolerance_intervals`] before or after the identifier's interval, inclusive
//! (GAEN, ±2 h) and not after the key was public; own keys are excluded; keys in any order, or several
//! times, give one answer. What lies up to [`NEAR_MISS_INTERVALS`] farther away is counted as
//! dropped; sightings beyond that are not looked for.
//!
//! [`Strategy::Plain`] is the rule as it reads: every identifier of every key is derived and looked
//! up; nothing is skipped, cached or guessed. It stays for ever as the oracle. The other
//! strategies only propose keys (`search.rs`, with the kernels of `kernel/`); each proposal goes through
//! the same code as a key of the plain strategy, which decides.

mod filter;
mod index;
mod kernel;
#[cfg(feature = "measure")]
#[doc(hidden)]
pub mod measure;
mod names;
mod report;
mod search;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::clock::RecordStamp;
use crate::clock::availability::{first_available as earlier_of, heard_before_public};
use crate::diagnosis_key::DiagnosisKey;
use crate::export::{KeyName, PublishedKey};
use crate::keys::{RollingProximityIdentifier, TemporaryExposureKey};
use crate::sighting::Sighting;
use crate::time::{INTERVALS_PER_DAY, IntervalNumber};

pub use index::SightingIndex;
pub use kernel::InstructionSet;
use names::Names;
pub use report::{DroppedSightings, KeyMatch, MatchReport, MatchedIdentifier, NearMisses};
pub use search::Strategy;
use search::{Find, Search};

/// How far beyond the tolerance a sighting is still looked for, to be counted as dropped: two
/// hours. Looking at everything ever heard for each key would cost more than matching.
pub const NEAR_MISS_INTERVALS: u32 = 12;

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

/// Looks keys up in what was heard.
///
/// Keys are gathered and looked up many at a time; [`Matcher::finish`] has the result.
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
    /// Own, known and matched keys: what needs more than a look-up.
    special: Names,
    search: Search<'a>,
    pending: Vec<Pending>,
    finds: Vec<u32>,
}

/// A key and since when this phone has it.
type Known = (PublishedKey, Option<RecordStamp>);

/// A key that waits for its look-up.
#[derive(Clone, Copy, Debug)]
struct Pending {
    published: PublishedKey,
    first_available: Option<RecordStamp>,
}

/// Keys that are looked up together: enough to have many neighbours, in a few megabytes.
const PENDING: usize = 1 << 15;

impl<'a> Matcher<'a> {
    /// A matcher over what was heard.
    #[must_use]
    pub fn new(heard: &'a SightingIndex, rules: MatchingRules) -> Self {
        let reach = rules.tolerance_intervals.saturating_add(NEAR_MISS_INTERVALS);
        let mut search = Search::new(heard.by_time(), reach);
        // Where the time is not known there is no near and far; this is rare.
        if heard.has_suspect_times() {
            search.use_strategy(Strategy::Plain);
        }
        Self {
            heard,
            rules,
            own: &[],
            keys_checked: 0,
            own_keys_excluded: 0,
            known: BTreeMap::new(),
            matched: BTreeMap::new(),
            near_misses: BTreeMap::new(),
            special: Names::default(),
            search,
            pending: Vec::new(),
            finds: Vec::new(),
        }
    }

    /// Leaves this phone's own keys out, whatever is heard of them.
    #[must_use]
    pub fn excluding(mut self, own: &'a [TemporaryExposureKey]) -> Self {
        self.own = own;
        own.iter().for_each(|own| self.special.insert(own.secret_bytes()));
        self
    }

    /// Looks keys up with these instructions instead of the best ones; the portable ones if this
    /// machine lacks them. The result is the same: this is for tests and measurements.
    #[must_use]
    pub const fn with_instructions(mut self, instructions: InstructionSet) -> Self {
        self.search.use_instructions(instructions);
        self
    }

    /// Looks keys up in this way instead of the cheapest one. The result is the same.
    #[must_use]
    pub const fn with_strategy(mut self, strategy: Strategy) -> Self {
        self.search.use_strategy(strategy);
        self
    }

    /// Looks a key up that this phone has had since `first_available`, and remembers that time for
    /// every later record of it. Keys of earlier files come through here before a new file's.
    pub fn check_again(&mut self, published: PublishedKey, first_available: Option<RecordStamp>) {
        let (published, first_available) = self.with_what_is_known(published, first_available);
        self.special.insert(published.key.as_bytes());
        self.known.insert(published.name(), (published, first_available));
        self.look_up_soon(Pending { published, first_available });
    }

    /// Looks a key up that this phone has from `now` on, unless it had it before. `None` for a log
    /// that is looked at afterwards and says nothing about when a key became public.
    pub fn check(&mut self, published: PublishedKey, now: Option<RecordStamp>) {
        self.keys_checked += 1;
        let mut pending = Pending { published, first_available: now };
        if self.special.may_hold(published.key.as_bytes()) {
            if self.own.iter().any(|own| own.secret_bytes() == published.key.as_bytes()) {
                self.own_keys_excluded += 1;
                return;
            }
            let (published, first_available) = self.with_what_is_known(published, now);
            pending = Pending { published, first_available };
        }
        self.look_up_soon(pending);
    }

    /// Bytes of memory that matching needs beside the index of what was heard.
    #[must_use]
    pub fn memory_bytes(&self) -> usize {
        self.search.memory_bytes()
            + self.special.memory_bytes()
            + self.pending.capacity() * size_of::<Pending>()
            + self.finds.capacity() * size_of::<u32>()
    }

    fn look_up_soon(&mut self, pending: Pending) {
        if self.search.strategy() == Strategy::Plain {
            self.look_up(pending.published, pending.first_available);
            return;
        }
        self.pending.push(pending);
        if self.pending.len() >= PENDING {
            self.look_up_pending();
        }
    }

    /// Looks up, in their order, those pending keys of which anything may have been heard, and
    /// those that are matched already: another record may change what is known of them.
    fn look_up_pending(&mut self) {
        let Self { heard, search, pending, finds, .. } = self;
        finds.clear();
        search.find(pending.iter().map(|pending| &pending.published.key), &mut |place, find| {
            let key = pending.get(place as usize).map(|pending| &pending.published.key);
            if key.is_some_and(|key| is_true(key, find, heard)) {
                finds.push(place);
            }
        });
        finds.sort_unstable();
        if finds.is_empty() && self.matched.is_empty() {
            self.pending.clear();
            return;
        }
        let (pending, finds) = (core::mem::take(pending), core::mem::take(finds));
        let mut finds_left = finds.iter().copied().peekable();
        for (pending, place) in pending.iter().zip(0..u32::MAX) {
            let mut is_heard = false;
            while finds_left.next_if_eq(&place).is_some() {
                is_heard = true;
            }
            let Pending { published, first_available } = *pending;
            if is_heard
                || self.special.may_hold(published.key.as_bytes())
                    && self.matched.contains_key(&published.name())
            {
                self.look_up(published, first_available);
            }
        }
        (self.pending, self.finds) = (pending, finds);
        self.pending.clear();
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
            self.special.insert(matched.published.key.as_bytes());
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
    pub fn finish(mut self) -> MatchReport {
        self.look_up_pending();
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
            let suspect = self.heard.heard_at_suspect_time(&identifier);
            dropped.clock_suspect = dropped.clock_suspect.saturating_add(suspect);
            let heard = self.heard.heard(&identifier);
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
        mut sightings: Vec<Sighting>,
        first_available: Option<RecordStamp>,
        dropped: &mut DroppedSightings,
    ) -> Vec<Sighting> {
        let tolerance = self.rules.tolerance_intervals;
        let distance = |sighting: &Sighting| sighting.heard_at.interval().distance(interval);
        sightings.retain(|s| distance(s) <= tolerance.saturating_add(NEAR_MISS_INTERVALS));
        let mut retain = |counter: &mut u32, counts: &dyn Fn(&Sighting) -> bool| {
            let before = sightings.len();
            sightings.retain(counts);
            let lost = u32::try_from(before - sightings.len()).unwrap_or(u32::MAX);
            *counter = counter.saturating_add(lost);
        };
        let was_public = |sighting: &Sighting| {
            let both = sighting.stamp.zip(first_available);
            both.is_some_and(|(heard, available)| !heard_before_public(heard, available))
        };
        retain(&mut dropped.after_publication, &|s| !was_public(s));
        retain(&mut dropped.outside_tolerance, &|s| distance(s) <= tolerance);
        sightings.sort_unstable();

        if let (Some(lifetime), Some(first)) =
            (self.rules.identifier_lifetime_seconds, sightings.first().copied())
        {
            let before = sightings.len();
            sightings.retain(|s| s.heard_at.seconds_since(first.heard_at) <= i64::from(lifetime));
            let lost = u32::try_from(before - sightings.len()).unwrap_or(u32::MAX);
            dropped.after_identifier_lifetime =
                dropped.after_identifier_lifetime.saturating_add(lost);
        }
        sightings
    }
}

/// Whether the key really has the identifier that was found of it, and it was heard.
fn is_true(key: &DiagnosisKey, find: Find, heard: &SightingIndex) -> bool {
    let identifier_key = key.identifier_key();
    match find {
        Find::Interval(interval) => {
            heard.holds(&identifier_key.identifier(IntervalNumber::new(interval)))
        }
        Find::Identifier(identifier) => {
            let identifier = RollingProximityIdentifier::from_bytes(identifier);
            let interval = identifier_key.interval(&identifier);
            interval.is_some_and(|i| key.rolling_start() <= i && i < key.rolling_end())
        }
    }
}

/// The earlier of two times at which a key was available; one that is not known is no bound.
fn earlier(one: Option<RecordStamp>, other: Option<RecordStamp>) -> Option<RecordStamp> {
    match (one, other) {
        (Some(one), Some(other)) => Some(earlier_of(one, other)),
        (one, other) => one.or(other),
    }
}
