//! What matching found: keys that were heard, and what does not count.

use serde::{Deserialize, Serialize};

use crate::clock::RecordStamp;
use crate::export::PublishedKey;
use crate::keys::RollingProximityIdentifier;
use crate::sighting::Sighting;
use crate::time::IntervalNumber;

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
    pub(super) fn and(self, dropped: DroppedSightings) -> Self {
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
