//! The key server, in memory: it collects published keys and issues signed exports.

use chikaku_core::diagnosis_key::DiagnosisKey;
use chikaku_core::export::TrustedKeys;
use chikaku_core::time::Timestamp;

use super::randomness::Randomness;

#[derive(Debug)]
pub(super) struct KeyServer {
    pending: Vec<DiagnosisKey>,
    files: Vec<Vec<u8>>,
}

impl KeyServer {
    pub(super) fn new(_randomness: &Randomness, _untrusted: bool) -> Self {
        Self { pending: Vec::new(), files: Vec::new() }
    }

    /// The key that phones are configured with.
    pub(super) fn trusted_keys(&self) -> TrustedKeys {
        TrustedKeys::default()
    }

    pub(super) fn receive(&mut self, keys: &[DiagnosisKey]) {
        self.pending.extend_from_slice(keys);
    }

    /// Issues what was published since the last export; nothing if that is nothing.
    pub(super) fn export(&mut self, _now: Timestamp) -> Option<Vec<u8>> {
        if self.pending.is_empty() {
            return None;
        }
        None
    }

    /// All exports, by time.
    pub(super) fn files(&self) -> &[Vec<u8>] {
        &self.files
    }
}
