//! The matcher that Google published: all 144 identifiers of every key, looked up in a list of
//! identifiers sorted by their first two bytes, with 65,536 ends; the first hit of a key ends the
//! search. Times are looked at afterwards, for the keys that were found, by deriving them again.
//! Source: exposure-notifications-internals, `matching/` (design only; this is not its code).

use chikaku_core::diagnosis_key::DiagnosisKey;
use chikaku_core::sighting::Sighting;

use super::{Peer, counts, identifiers};

/// The index: 65,536 buckets.
#[derive(Debug)]
pub struct Gaen {
    /// Sorted, side by side as the published design has them where strings hold 16 bytes inline.
    identifiers: Vec<[u8; 16]>,
    /// In the same order.
    sightings: Vec<Sighting>,
    ends: Vec<u32>,
}

impl Gaen {
    /// Sorts a log.
    #[must_use]
    pub fn new(sightings: &[Sighting]) -> Self {
        let mut sightings = sightings.to_vec();
        sightings.sort_unstable_by_key(|sighting| sighting.advertisement.identifier);
        let identifier = |s: &Sighting| *s.advertisement.identifier.as_bytes();
        let identifiers: Vec<_> = sightings.iter().map(identifier).collect();
        let mut ends = vec![0_u32; 1 << 16];
        for identifier in &identifiers {
            ends[bucket(identifier)] += 1;
        }
        let mut sum = 0;
        for end in &mut ends {
            sum += *end;
            *end = sum;
        }
        Self { identifiers, sightings, ends }
    }

    fn bucket(&self, identifier: &[u8; 16]) -> core::ops::Range<usize> {
        let bucket = bucket(identifier);
        let start = if bucket == 0 { 0 } else { self.ends[bucket - 1] };
        start as usize..self.ends[bucket] as usize
    }
}

fn bucket(identifier: &[u8; 16]) -> usize {
    usize::from(u16::from_be_bytes([identifier[0], identifier[1]]))
}

impl Peer for Gaen {
    fn matches(&mut self, keys: &mut dyn Iterator<Item = &DiagnosisKey>) -> usize {
        let is_heard = |id: &[u8; 16]| self.identifiers[self.bucket(id)].contains(id);
        let found: Vec<_> =
            keys.filter(|key| identifiers(key).iter().any(is_heard)).copied().collect();
        let in_time = |key: &&DiagnosisKey| {
            identifiers(key).iter().zip(key.rolling_start().get()..).any(|(id, interval)| {
                let of_this = |s: &&Sighting| s.advertisement.identifier.as_bytes() == id;
                let mut heard = self.sightings[self.bucket(id)].iter().filter(of_this);
                heard.any(|sighting| counts(sighting, interval))
            })
        };
        found.iter().filter(in_time).count()
    }
}
