//! Writing key exports, as a key server does.

use core::fmt;
use std::io::Write;

use flate2::Compression;
use flate2::write::DeflateEncoder;
use prost::Message;
use rawzip::{CompressionMethod, ZipArchiveWriter};
use sha2::{Digest, Sha256};
use thiserror::Error;

use super::archive::{EXPORT_BIN, EXPORT_SIG};
use super::metadata::{Batch, ExportDigest};
use super::signing::SigningKey;
use super::wire::{
    ECDSA_WITH_SHA256, HEADER, SignatureInfo, TekSignature, TekSignatureList, TemporaryExposureKey,
    TemporaryExposureKeyExport,
};
use crate::diagnosis_key::DiagnosisKey;
use crate::time::Timestamp;

/// Why an export was not written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum WriteError {
    /// No signing key was given; every reader would refuse the file.
    #[error("an export needs at least one signing key")]
    NoSigningKey,
    /// A rolling start beyond what the format's int32 can say, the year 42,000.
    #[error("a key starts too late for the format")]
    RollingStart,
    /// The signature could not be computed.
    #[error("the export could not be signed")]
    Signature,
    /// The archive could not be put together.
    #[error("the zip archive could not be written")]
    Zip,
}

/// A written export.
#[derive(Clone, PartialEq, Eq)]
pub struct WrittenExport {
    /// The signed file.
    pub export_bin: Vec<u8>,
    /// Its signatures.
    pub export_sig: Vec<u8>,
    /// The archive of both.
    pub zip: Vec<u8>,
    /// SHA-256 of `export_bin`.
    pub digest: ExportDigest,
}

impl fmt::Debug for WrittenExport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WrittenExport").field("digest", &self.digest).finish_non_exhaustive()
    }
}

/// Collects what goes into an export.
///
/// The same input, keys in any order, gives the same bytes: keys are sorted, signatures are
/// deterministic and the archive carries no time of its own. Keys are sorted by their bytes so
/// that their order does not tell which belong to one person (exposure-notifications-server,
/// export worker). Padding with random keys is the caller's part.
#[derive(Clone, Debug, Default)]
pub struct ExportWriter {
    start: Option<Timestamp>,
    end: Option<Timestamp>,
    region: Option<String>,
    batch: Option<Batch>,
    keys: Vec<DiagnosisKey>,
    revised_keys: Vec<DiagnosisKey>,
    signing_keys: Vec<SigningKey>,
}

impl ExportWriter {
    /// An export of nothing, signed by nobody.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// The time in which the keys reached the server.
    #[must_use]
    pub const fn window(mut self, start: Timestamp, end: Timestamp) -> Self {
        self.start = Some(start);
        self.end = Some(end);
        self
    }

    /// The region the keys come from.
    #[must_use]
    pub fn region(mut self, region: impl Into<String>) -> Self {
        self.region = Some(region.into());
        self
    }

    /// Which file of how many this is.
    #[must_use]
    pub const fn batch(mut self, batch: Batch) -> Self {
        self.batch = Some(batch);
        self
    }

    /// Adds keys that are published for the first time.
    #[must_use]
    pub fn keys(mut self, keys: impl IntoIterator<Item = DiagnosisKey>) -> Self {
        self.keys.extend(keys);
        self
    }

    /// Adds keys that were published before with other details.
    #[must_use]
    pub fn revised_keys(mut self, keys: impl IntoIterator<Item = DiagnosisKey>) -> Self {
        self.revised_keys.extend(keys);
        self
    }

    /// Adds a key that signs the export. Several sign independently, newest first by custom.
    #[must_use]
    pub fn signed_with(mut self, key: SigningKey) -> Self {
        self.signing_keys.push(key);
        self
    }

    /// Writes, signs and packs the export.
    ///
    /// # Errors
    /// [`WriteError::NoSigningKey`], [`WriteError::RollingStart`]; the other two do not happen in
    /// practice.
    pub fn write(&self) -> Result<WrittenExport, WriteError> {
        if self.signing_keys.is_empty() {
            return Err(WriteError::NoSigningKey);
        }
        let export_bin = self.export_bin()?;
        let digest = Sha256::digest(&export_bin).into();
        let export_sig = self.export_sig(&digest)?;
        let zip = pack(&export_bin, &export_sig).map_err(|_| WriteError::Zip)?;
        Ok(WrittenExport { export_bin, export_sig, zip, digest: ExportDigest::from_bytes(digest) })
    }

    /// Writes export.bin alone, which announces the signatures but has none.
    ///
    /// # Errors
    /// [`WriteError::RollingStart`].
    pub fn export_bin(&self) -> Result<Vec<u8>, WriteError> {
        let (batch_num, batch_size) = self.wire_batch();
        let message = TemporaryExposureKeyExport {
            start_timestamp: self.start.map(|time| time.unix_seconds().unsigned_abs()),
            end_timestamp: self.end.map(|time| time.unix_seconds().unsigned_abs()),
            region: self.region.clone(),
            batch_num,
            batch_size,
            signature_infos: self.signing_keys.iter().map(signature_info).collect(),
            keys: sorted(&self.keys)?,
            revised_keys: sorted(&self.revised_keys)?,
        };
        let mut bytes = HEADER.to_vec();
        bytes.append(&mut message.encode_to_vec());
        Ok(bytes)
    }

    fn export_sig(&self, digest: &[u8; 32]) -> Result<Vec<u8>, WriteError> {
        let (batch_num, batch_size) = self.wire_batch();
        let mut list = TekSignatureList { signatures: Vec::new() };
        for key in &self.signing_keys {
            let signature = key.sign_digest(digest).ok_or(WriteError::Signature)?;
            list.signatures.push(TekSignature {
                signature_info: Some(signature_info(key)),
                batch_num,
                batch_size,
                signature: Some(signature.as_bytes().to_vec()),
            });
        }
        Ok(list.encode_to_vec())
    }

    fn wire_batch(&self) -> (Option<i32>, Option<i32>) {
        self.batch.map_or((None, None), Batch::to_wire)
    }
}

pub(super) fn signature_info(key: &SigningKey) -> SignatureInfo {
    let named = |text: &String| Some(text.clone()).filter(|text| !text.is_empty());
    SignatureInfo {
        verification_key_version: named(&key.identity().version),
        verification_key_id: named(&key.identity().id),
        signature_algorithm: Some(ECDSA_WITH_SHA256.to_owned()),
    }
}

fn sorted(keys: &[DiagnosisKey]) -> Result<Vec<TemporaryExposureKey>, WriteError> {
    let mut keys: Vec<_> = keys.iter().collect();
    keys.sort_unstable();
    keys.into_iter().map(message).collect()
}

/// What is `None` is left out, which is how the format says that it is not known.
fn message(key: &DiagnosisKey) -> Result<TemporaryExposureKey, WriteError> {
    let start = i32::try_from(key.rolling_start().get()).map_err(|_| WriteError::RollingStart)?;
    let details = key.details;
    Ok(TemporaryExposureKey {
        key_data: Some(key.as_bytes().to_vec()),
        transmission_risk_level: details.transmission_risk_level.map(i32::from),
        rolling_start_interval_number: Some(start),
        rolling_period: Some(i32::from(u8::from(key.rolling_period()))),
        report_type: details.report_type.map(|report_type| report_type.to_wire()),
        days_since_onset_of_symptoms: details.days_since_onset.map(|days| i32::from(days.days())),
        variant_of_concern: details.variant_of_concern,
    })
}

/// The archive. Without a modification time the entries carry the zip format's zero date.
pub(super) fn pack(export_bin: &[u8], export_sig: &[u8]) -> Result<Vec<u8>, rawzip::Error> {
    let mut archive = ZipArchiveWriter::new(Vec::new());
    for (name, content) in [(EXPORT_BIN, export_bin), (EXPORT_SIG, export_sig)] {
        let file = archive.new_file(name).compression_method(CompressionMethod::DEFLATE);
        let (mut entry, config) = file.start()?;
        let mut writer = config.wrap(DeflateEncoder::new(&mut entry, Compression::default()));
        writer.write_all(content)?;
        let (encoder, descriptor) = writer.finish()?;
        encoder.finish()?;
        entry.finish(descriptor)?;
    }
    archive.finish()
}
