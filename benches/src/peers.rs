//! Other designs of the same search, written for comparison on the same libraries.
//!
//! Each takes the same keys and the same log and counts the keys that it finds within two hours.

mod apple;
mod contact_tracing;
mod gaen;
mod hash_set;

use aes::Aes128;
use aes::cipher::{Array, BlockCipherEncrypt, KeyInit};
use chikaku_core::diagnosis_key::DiagnosisKey;
use chikaku_core::sighting::Sighting;
use hkdf::Hkdf;
use sha2::Sha256;

pub use apple::Apple;
pub use contact_tracing::ContactTracing;
pub use gaen::Gaen;
pub use hash_set::HashSetOfIdentifiers;

/// Intervals on either side in which a sighting counts.
const TOLERANCE: u32 = 12;

/// A design: an index of a log, in which keys are looked up.
pub trait Peer {
    /// How many of the keys were heard within the tolerance.
    fn matches(&mut self, keys: &mut dyn Iterator<Item = &DiagnosisKey>) -> usize;
}

/// RPIK by HKDF from the library, as each design does it.
fn identifier_key(key: &DiagnosisKey) -> [u8; 16] {
    let mut identifier_key = [0; 16];
    // 16 bytes are fewer than HKDF's limit, so this cannot fail.
    let _ = Hkdf::<Sha256>::new(None, key.as_bytes()).expand(b"EN-RPIK", &mut identifier_key);
    identifier_key
}

fn block(interval: u32) -> [u8; 16] {
    let mut block = *b"EN-RPI\0\0\0\0\0\0\0\0\0\0";
    block[12..].copy_from_slice(&interval.to_le_bytes());
    block
}

/// The identifiers of all 144 intervals from the key's start, encrypted together.
fn identifiers(key: &DiagnosisKey) -> [[u8; 16]; 144] {
    let mut blocks = [Array::from([0; 16]); 144];
    for (place, interval) in blocks.iter_mut().zip(key.rolling_start().get()..) {
        *place = Array::from(block(interval));
    }
    Aes128::new(&identifier_key(key).into()).encrypt_blocks(&mut blocks);
    blocks.map(Into::into)
}

fn counts(sighting: &Sighting, interval: u32) -> bool {
    sighting.heard_at.interval().get().abs_diff(interval) <= TOLERANCE
}
