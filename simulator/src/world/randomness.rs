//! Seeded randomness: one independent stream for each purpose, so that a draw in one place
//! disturbs no other.

use rand_chacha::ChaCha20Rng;
use rand_core::SeedableRng;
use sha2::{Digest, Sha256};

/// Makes streams from one seed.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Randomness {
    seed: u64,
}

impl Randomness {
    pub(crate) const fn new(seed: u64) -> Self {
        Self { seed }
    }

    /// The stream of `purpose` for what `names` names; the same arguments give the same stream.
    pub(crate) fn stream(self, purpose: &str, names: &[&str]) -> ChaCha20Rng {
        let mut hash = Sha256::new();
        hash.update(b"chikaku simulator 1");
        hash.update(self.seed.to_be_bytes());
        for part in [purpose].iter().chain(names) {
            // The length keeps ("a", "bc") and ("ab", "c") apart.
            hash.update((part.len() as u64).to_be_bytes());
            hash.update(part);
        }
        ChaCha20Rng::from_seed(hash.finalize().into())
    }
}
