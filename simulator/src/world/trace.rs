//! The trace: everything that happened, in order, as one digest.
//!
//! Payloads go into the digest and nowhere else.

use chikaku_core::time::Timestamp;
use sha2::{Digest, Sha256};

/// A running digest of what happened.
#[derive(Clone, Debug)]
pub(super) struct Trace {
    digest: Sha256,
    events: u64,
}

impl Trace {
    pub(super) fn new(scenario: &str, seed: u64) -> Self {
        let mut trace = Self { digest: Sha256::new(), events: 0 };
        trace.field(scenario.as_bytes());
        trace.field(&seed.to_be_bytes());
        trace
    }

    pub(super) fn record(&mut self, at: Timestamp, who: &str, what: &str, payload: &[u8]) {
        self.events += 1;
        self.field(&at.unix_seconds().to_be_bytes());
        self.field(who.as_bytes());
        self.field(what.as_bytes());
        self.field(payload);
    }

    pub(super) const fn events(&self) -> u64 {
        self.events
    }

    pub(super) fn digest(self) -> [u8; 32] {
        self.digest.finalize().into()
    }

    fn field(&mut self, bytes: &[u8]) {
        self.digest.update((bytes.len() as u64).to_be_bytes());
        self.digest.update(bytes);
    }
}
