//! The crate `contact-tracing` 0.2.1, of the specification of April 2020: an HMAC for each interval.
//! Its identifiers are not those of today's keys, so it finds nothing; it does the work of finding.

use std::collections::HashSet;

use chikaku_core::diagnosis_key::DiagnosisKey;
use chikaku_core::sighting::Sighting;
use contact_tracing::DailyTracingKey;

use super::Peer;

/// The index: the standard library's hash set.
#[derive(Debug)]
pub struct ContactTracing(HashSet<[u8; 16]>);

impl ContactTracing {
    /// Hashes a log.
    #[must_use]
    pub fn new(sightings: &[Sighting]) -> Self {
        Self(sightings.iter().map(|s| *s.advertisement.identifier.as_bytes()).collect())
    }
}

impl Peer for ContactTracing {
    fn matches(&mut self, keys: &mut dyn Iterator<Item = &DiagnosisKey>) -> usize {
        keys.filter(|key| {
            let Ok(key) = DailyTracingKey::from_bytes(key.as_bytes()) else { return false };
            key.iter_rpis().any(|rpi| self.0.contains(rpi.as_bytes()))
        })
        .count()
    }
}
