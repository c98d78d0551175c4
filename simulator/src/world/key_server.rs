//! The key server, in memory: it collects published keys and issues signed exports.

use chikaku_core::diagnosis_key::{DiagnosisKey, DiagnosisKeyDetails};
use chikaku_core::export::{Batch, ExportWriter, KeyIdentity, SigningKey, TrustedKeys, WriteError};
use chikaku_core::time::{RollingPeriod, Timestamp};
use rand_core::Rng;

use super::randomness::Randomness;
use crate::scenario::FileContent;

/// Mobile country code of Japan, COCOA's region.
const REGION: &str = "440";
const KEY_VERSION: &str = "v1";

#[derive(Debug)]
pub(super) struct KeyServer {
    signs_with: SigningKey,
    trusted: TrustedKeys,
    opened: Option<Timestamp>,
    pending: Vec<DiagnosisKey>,
    files: Vec<File>,
    /// Every key in a good file, for whoever wants to look at them.
    published: Vec<DiagnosisKey>,
    untrusted: SigningKey,
}

/// A file on the server.
#[derive(Debug)]
pub(super) struct File {
    pub(super) bytes: Vec<u8>,
    /// It is listed, and nobody can fetch it.
    pub(super) lost: bool,
}

impl KeyServer {
    /// A server whose phones trust its key; if `untrusted`, it signs with another one.
    pub(super) fn new(randomness: Randomness, untrusted: bool) -> Self {
        let genuine = signing_key(randomness, "genuine");
        let other = signing_key(randomness, "untrusted");
        let mut trusted = TrustedKeys::new();
        trusted.add(genuine.trusted_key());
        let signs_with = if untrusted { other.clone() } else { genuine };
        Self {
            signs_with,
            trusted,
            opened: None,
            pending: Vec::new(),
            files: Vec::new(),
            published: Vec::new(),
            untrusted: other,
        }
    }

    /// The keys that phones are configured with.
    pub(super) fn trusted_keys(&self) -> TrustedKeys {
        self.trusted.clone()
    }

    /// The keys of a phone that believes every file.
    pub(super) fn all_keys(&self) -> TrustedKeys {
        let mut keys = self.trusted.clone();
        keys.add(self.untrusted.trusted_key());
        keys
    }

    pub(super) fn receive(&mut self, keys: &[DiagnosisKey], now: Timestamp) {
        self.opened.get_or_insert(now);
        self.pending.extend_from_slice(keys);
    }

    /// Issues what was published since the last export; nothing if that is nothing. `lost`: nobody
    /// can fetch it.
    ///
    /// # Errors
    /// The writer's.
    pub(super) fn export(
        &mut self,
        now: Timestamp,
        lost: bool,
    ) -> Result<Option<&[u8]>, WriteError> {
        let Some(opened) = self.opened.take() else { return Ok(None) };
        let keys = core::mem::take(&mut self.pending);
        let bytes = written(opened, now, keys.clone(), &self.signs_with)?;
        self.published.extend(keys);
        self.files.push(File { bytes, lost });
        Ok(self.files.last().map(|file| file.bytes.as_slice()))
    }

    /// Offers a file that a phone must not believe, with these keys in it.
    ///
    /// # Errors
    /// The writer's.
    pub(super) fn offer_untrusted(
        &mut self,
        keys: Vec<DiagnosisKey>,
        now: Timestamp,
    ) -> Result<(), WriteError> {
        let bytes = written(now.saturating_sub(3600), now, keys, &self.untrusted)?;
        self.files.push(File { bytes, lost: false });
        Ok(())
    }

    /// Issues a file that is no good.
    ///
    /// # Errors
    /// The writer's.
    pub(super) fn poison(
        &mut self,
        content: FileContent,
        now: Timestamp,
        rng: &mut impl Rng,
    ) -> Result<(), WriteError> {
        let mut key = [0; 16];
        rng.fill_bytes(&mut key);
        let start = now.day().saturating_sub(1).first_interval();
        let key = DiagnosisKey::new(key, start, RollingPeriod::DAY, DiagnosisKeyDetails::default());
        if content == FileContent::UntrustedSignature {
            return self.offer_untrusted(vec![key], now);
        }
        let mut bytes = written(now.saturating_sub(3600), now, vec![key], &self.signs_with)?;
        let middle = bytes.len() / 2;
        match content {
            FileContent::Garbage => rng.fill_bytes(&mut bytes),
            FileContent::Truncated => bytes.truncate(middle),
            FileContent::Flipped => bytes.iter_mut().skip(middle).take(1).for_each(|b| *b ^= 1),
            FileContent::UntrustedSignature => {}
        }
        self.files.push(File { bytes, lost: false });
        Ok(())
    }

    /// All files, by time.
    pub(super) fn files(&self) -> &[File] {
        &self.files
    }

    /// All keys in files that phones believe.
    pub(super) fn published(&self) -> &[DiagnosisKey] {
        &self.published
    }
}

fn written(
    opened: Timestamp,
    now: Timestamp,
    keys: Vec<DiagnosisKey>,
    signing_key: &SigningKey,
) -> Result<Vec<u8>, WriteError> {
    let writer = ExportWriter::new().window(opened, now).region(REGION).batch(Batch::SINGLE);
    Ok(writer.keys(keys).signed_with(signing_key.clone()).write()?.zip)
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
