//! The key server, in memory: it collects published keys and issues signed exports.

use chikaku_core::diagnosis_key::DiagnosisKey;
use chikaku_core::export::{Batch, ExportWriter, KeyIdentity, SigningKey, TrustedKeys, WriteError};
use chikaku_core::time::Timestamp;
use rand_core::Rng;

use super::randomness::Randomness;

/// Mobile country code of Japan, COCOA's region.
const REGION: &str = "440";
const KEY_VERSION: &str = "v1";

#[derive(Debug)]
pub(super) struct KeyServer {
    signs_with: SigningKey,
    trusted: TrustedKeys,
    opened: Option<Timestamp>,
    pending: Vec<DiagnosisKey>,
    files: Vec<Vec<u8>>,
}

impl KeyServer {
    /// A server whose phones trust its key; if `untrusted`, it signs with another one.
    pub(super) fn new(randomness: Randomness, untrusted: bool) -> Self {
        let genuine = signing_key(randomness, "genuine");
        let mut trusted = TrustedKeys::new();
        trusted.add(genuine.trusted_key());
        let signs_with = if untrusted { signing_key(randomness, "untrusted") } else { genuine };
        Self { signs_with, trusted, opened: None, pending: Vec::new(), files: Vec::new() }
    }

    /// The keys that phones are configured with.
    pub(super) fn trusted_keys(&self) -> TrustedKeys {
        self.trusted.clone()
    }

    pub(super) fn receive(&mut self, keys: &[DiagnosisKey], now: Timestamp) {
        self.opened.get_or_insert(now);
        self.pending.extend_from_slice(keys);
    }

    /// Issues what was published since the last export; nothing if that is nothing.
    ///
    /// # Errors
    /// The writer's.
    pub(super) fn export(&mut self, now: Timestamp) -> Result<Option<&[u8]>, WriteError> {
        let Some(opened) = self.opened.take() else { return Ok(None) };
        let written = ExportWriter::new()
            .window(opened, now)
            .region(REGION)
            .batch(Batch::SINGLE)
            .keys(core::mem::take(&mut self.pending))
            .signed_with(self.signs_with.clone())
            .write()?;
        self.files.push(written.zip);
        Ok(self.files.last().map(Vec::as_slice))
    }

    /// All exports, by time.
    pub(super) fn files(&self) -> &[Vec<u8>] {
        &self.files
    }
}

/// The key of this name, which the seed decides. Both keys go by the same identity, so that the
/// untrusted one is refused for its signature and not for its name.
fn signing_key(randomness: Randomness, name: &str) -> SigningKey {
    let mut rng = randomness.stream("server key", &[name]);
    loop {
        let mut scalar = [0; 32];
        rng.fill_bytes(&mut scalar);
        // One number in 2^32 is no private key.
        if let Ok(key) = SigningKey::from_scalar(KeyIdentity::new(REGION, KEY_VERSION), &scalar) {
            return key;
        }
    }
}
