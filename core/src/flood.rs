//! Flood protection: a bounded log in a room full of invented identifiers.
//!
//! Anybody with a few radios can broadcast thousands of random identifiers. Keeping them all fills
//! the phone (microG's database reached 952 MB); keeping the first or the strongest ones drives
//! the real neighbours out. Three things tell a neighbour from noise: it was there in the scan
//! before, it is heard several times within one scan, and it is near. In this order
//! [`FloodGuard`] chooses what to keep:
//!
//! 1. identifiers heard in one of the two scans before, even if they were dropped then;
//! 2. identifiers heard more than once in this scan;
//! 3. stronger ones; unmeasured ones last.
//!
//! A quarter of a scan's places is kept for identifiers never heard before. Day quotas accrue
//! evenly and are never used up in advance by a flood, and a quarter of what has accrued is kept
//! for rule 1. What is dropped is counted by reason. What this cannot do: tell a neighbour from
//! thousands of invented identifiers that stay as long as a neighbour, are as loud and send as
//! often; then strength decides.

mod memory;
mod quota;

use std::cmp::Reverse;
use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::keys::RollingProximityIdentifier;
use crate::sighting::ReceivedAdvertisement;
use crate::signal::RssiDbm;
use memory::{Heard, ScanMemory};
use quota::DayQuota;

/// How much is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct FloodLimits {
    /// Identifiers kept of one scan. Real crowds: median 28, at most 40 (measured, 2020).
    pub identifiers_per_scan: u32,
    /// Sightings kept of one identifier in one scan, the strongest. Real phones: median 9. Above
    /// the limit this favours high signal strengths.
    pub sightings_per_identifier: u32,
    /// Identifiers kept in any 24 hours.
    pub identifiers_per_day: u32,
    /// Sightings kept in any 24 hours. 40 neighbours all day make some 92,000.
    pub sightings_per_day: u32,
    /// Identifiers of one scan remembered for rule 1, at five bytes each.
    pub remembered_identifiers: u32,
}

impl Default for FloodLimits {
    /// 256, 32, 20,000, 150,000, 16,384.
    fn default() -> Self {
        Self {
            identifiers_per_scan: 256,
            sightings_per_identifier: 32,
            identifiers_per_day: 20_000,
            sightings_per_day: 150_000,
            remembered_identifiers: 16_384,
        }
    }
}

/// Sightings that were dropped, by reason.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct FloodDrops {
    /// Sightings of identifiers for which the scan had no place.
    pub identifiers_per_scan: u64,
    /// Weaker sightings of identifiers that were heard very often in one scan.
    pub sightings_per_identifier: u64,
    /// Sightings of identifiers for which the day had no place.
    pub identifiers_per_day: u64,
    /// Sightings for which the day had no place.
    pub sightings_per_day: u64,
}

impl FloodDrops {
    /// All of them.
    #[must_use]
    pub const fn total(&self) -> u64 {
        self.identifiers_per_scan
            .saturating_add(self.sightings_per_identifier)
            .saturating_add(self.identifiers_per_day)
            .saturating_add(self.sightings_per_day)
    }

    const fn add(&mut self, other: &Self) {
        self.identifiers_per_scan =
            self.identifiers_per_scan.saturating_add(other.identifiers_per_scan);
        self.sightings_per_identifier =
            self.sightings_per_identifier.saturating_add(other.sightings_per_identifier);
        self.identifiers_per_day =
            self.identifiers_per_day.saturating_add(other.identifiers_per_day);
        self.sightings_per_day = self.sightings_per_day.saturating_add(other.sightings_per_day);
    }
}

/// Decides what of a scan is kept. A few kilobytes, up to 160 in a flood.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct FloodGuard {
    limits: FloodLimits,
    /// Not stored: after a restart the next scan makes it anew.
    #[serde(skip)]
    memory: ScanMemory,
    identifiers: DayQuota,
    sightings: DayQuota,
    dropped: FloodDrops,
}

/// One identifier of a scan, with what speaks for it.
struct Candidate {
    identifier: RollingProximityIdentifier,
    heard_before: Option<Heard>,
    sightings: Vec<ReceivedAdvertisement>,
}

impl Candidate {
    /// Smaller is kept first. The identifier itself makes the choice independent of the order in
    /// which a scanner delivers.
    fn rank(&self) -> impl Ord + use<> {
        let strongest = self.sightings.first().and_then(|sighting| sighting.rssi);
        let repeated = self.sightings.len() > 1;
        (Reverse(repeated), Reverse(strongest.map(RssiDbm::dbm)), self.identifier)
    }
}

impl FloodGuard {
    /// A guard that has heard nothing.
    #[must_use]
    pub fn new(limits: FloodLimits) -> Self {
        Self { limits, ..Self::default() }
    }

    /// The same guard with other limits.
    #[must_use]
    pub fn with_limits(self, limits: FloodLimits) -> Self {
        Self { limits, ..self }
    }

    /// Takes everything one scan heard, less what the engine refuses for other reasons, and
    /// returns what is to be kept, by time, and what was dropped.
    ///
    /// `elapsed_seconds` is the age line
    /// ([`ClockWatch::elapsed_seconds`](crate::clock::ClockWatch::elapsed_seconds)): days here are
    /// any 24 hours of it, so that setting the clock renews no quota.
    pub fn admit(
        &mut self,
        elapsed_seconds: u64,
        received: Vec<ReceivedAdvertisement>,
    ) -> (Vec<ReceivedAdvertisement>, FloodDrops) {
        self.identifiers.accrue(elapsed_seconds, self.limits.identifiers_per_day);
        self.sightings.accrue(elapsed_seconds, self.limits.sightings_per_day);
        let mut drops = FloodDrops::default();
        let candidates = self.candidates(received, &mut drops);
        let heard: Vec<_> = candidates.iter().map(|candidate| candidate.identifier).collect();

        let mut kept = Vec::new();
        let mut admitted = Vec::new();
        for candidate in self.places(candidates, &mut drops) {
            if self.admit_candidate(&candidate, &mut kept, &mut drops) {
                admitted.push(candidate.identifier);
            }
        }
        self.memory.remember(&heard, &admitted, self.limits.remembered_identifiers);
        kept.sort_by_key(|sighting| {
            (sighting.heard_at, sighting.advertisement.identifier, sighting.rssi)
        });
        self.dropped.add(&drops);
        (kept, drops)
    }

    /// Everything dropped since the beginning.
    #[must_use]
    pub const fn dropped(&self) -> FloodDrops {
        self.dropped
    }

    fn candidates(
        &self,
        received: Vec<ReceivedAdvertisement>,
        drops: &mut FloodDrops,
    ) -> Vec<Candidate> {
        let mut grouped: BTreeMap<_, Vec<_>> = BTreeMap::new();
        for sighting in received {
            grouped.entry(sighting.advertisement.identifier).or_default().push(sighting);
        }
        let limit = self.limits.sightings_per_identifier as usize;
        let candidate = |(identifier, mut sightings): (_, Vec<ReceivedAdvertisement>)| {
            sightings.sort_by_key(|sighting| (Reverse(sighting.rssi), sighting.heard_at));
            let surplus = sightings.len().saturating_sub(limit);
            drops.sightings_per_identifier =
                drops.sightings_per_identifier.saturating_add(surplus as u64);
            sightings.truncate(limit);
            Candidate { identifier, heard_before: self.memory.heard(&identifier), sightings }
        };
        grouped.into_iter().map(candidate).collect()
    }

    /// The candidates that get one of the scan's places, the ones to keep first at the front.
    fn places(&self, candidates: Vec<Candidate>, drops: &mut FloodDrops) -> Vec<Candidate> {
        let (mut known, mut new): (Vec<_>, Vec<_>) =
            candidates.into_iter().partition(|candidate| candidate.heard_before.is_some());
        known.sort_by_cached_key(Candidate::rank);
        new.sort_by_cached_key(Candidate::rank);

        let places = self.limits.identifiers_per_scan as usize;
        let for_new = new.len().min(places / 4);
        let known_places = known.len().min(places - for_new);
        let new_places = new.len().min(places - known_places);
        let surplus = known.split_off(known_places).into_iter().chain(new.split_off(new_places));
        let sightings: usize = surplus.map(|candidate| candidate.sightings.len()).sum();
        drops.identifiers_per_scan = drops.identifiers_per_scan.saturating_add(sightings as u64);
        known.extend(new);
        known
    }

    /// Pays for a candidate from the day's quotas; says whether any of it was kept.
    fn admit_candidate(
        &mut self,
        candidate: &Candidate,
        kept: &mut Vec<ReceivedAdvertisement>,
        drops: &mut FloodDrops,
    ) -> bool {
        let known = candidate.heard_before.is_some();
        let count = candidate.sightings.len() as u64;
        let paid = candidate.heard_before == Some(Heard::Kept);
        if !paid && self.identifiers.take(1, self.limits.identifiers_per_day, known) == 0 {
            drops.identifiers_per_day = drops.identifiers_per_day.saturating_add(count);
            return false;
        }
        let granted = self.sightings.take(count, self.limits.sightings_per_day, known);
        drops.sightings_per_day = drops.sightings_per_day.saturating_add(count - granted);
        let places = usize::try_from(granted).unwrap_or(usize::MAX);
        kept.extend(candidate.sightings.iter().take(places));
        granted > 0
    }
}
