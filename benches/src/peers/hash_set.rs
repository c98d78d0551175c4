//! What one writes first: a hash map of identifiers, one block at a time.

use std::collections::HashMap;

use aes::Aes128;
use aes::cipher::{Array, BlockCipherEncrypt, KeyInit};
use chikaku_core::diagnosis_key::DiagnosisKey;
use chikaku_core::sighting::Sighting;

use super::{Peer, block, counts, identifier_key};

/// The index: the standard library's hash map.
#[derive(Debug)]
pub struct HashSetOfIdentifiers(HashMap<[u8; 16], Vec<Sighting>>);

impl HashSetOfIdentifiers {
    /// Hashes a log.
    #[must_use]
    pub fn new(sightings: &[Sighting]) -> Self {
        let mut heard: HashMap<_, Vec<_>> = HashMap::new();
        for sighting in sightings {
            let identifier = *sighting.advertisement.identifier.as_bytes();
            heard.entry(identifier).or_default().push(*sighting);
        }
        Self(heard)
    }
}

impl Peer for HashSetOfIdentifiers {
    fn matches(&mut self, keys: &mut dyn Iterator<Item = &DiagnosisKey>) -> usize {
        keys.filter(|key| {
            let cipher = Aes128::new(&identifier_key(key).into());
            let mut found = false;
            for interval in key.rolling_start().get()..key.rolling_end().get() {
                let mut identifier = Array::from(block(interval));
                cipher.encrypt_block(&mut identifier);
                let heard = self.0.get(&<[u8; 16]>::from(identifier));
                found |= heard.is_some_and(|heard| heard.iter().any(|s| counts(s, interval)));
            }
            found
        })
        .count()
    }
}
