//! What a key file says about itself, and the pass that reads it without keeping a key.

use core::fmt;

use thiserror::Error;

use super::content::{Content, Entry};
use super::error::ExportError;
use super::limits::Limits;
use super::reader::{Field, FieldReader};
use super::trust::KeyIdentity;
use super::wire;
use crate::time::Timestamp;

/// A batch number that means nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum BatchError {
    /// A size without a number.
    #[error("it has a size of {size} but no number")]
    NumberMissing {
        /// The size as written.
        size: i32,
    },
    /// A number outside 1..=size.
    #[error("{number} is not one of 1 to {size}")]
    NumberOutOfRange {
        /// The number as written.
        number: i32,
        /// The size as written; 1 if none was.
        size: i32,
    },
}

/// Which file of how many this is, counted from 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Batch {
    number: u32,
    size: u32,
}

impl Batch {
    /// The only file of its batch, which is what key servers usually write.
    pub const SINGLE: Self = Self { number: 1, size: 1 };

    /// File `number` of `size`.
    ///
    /// # Errors
    /// [`BatchError::NumberOutOfRange`] unless 1 <= `number` <= `size`.
    pub const fn new(number: i32, size: i32) -> Result<Self, BatchError> {
        if number < 1 || number > size {
            return Err(BatchError::NumberOutOfRange { number, size });
        }
        Ok(Self { number: number.unsigned_abs(), size: size.unsigned_abs() })
    }

    /// From the wire, where both may be missing. A number alone is taken as one of a single file;
    /// a size alone is an error (Google key-file verifier).
    pub(super) fn from_wire(
        number: Option<i32>,
        size: Option<i32>,
    ) -> Result<Option<Self>, BatchError> {
        match (number, size) {
            (None, None) => Ok(None),
            (None, Some(size)) => Err(BatchError::NumberMissing { size }),
            (Some(number), size) => Self::new(number, size.unwrap_or(1)).map(Some),
        }
    }

    /// The number of this file, from 1.
    #[must_use]
    pub const fn number(self) -> u32 {
        self.number
    }

    /// How many files the batch has.
    #[must_use]
    pub const fn size(self) -> u32 {
        self.size
    }

    /// Both numbers as the wire counts them; they came from there.
    pub(super) fn to_wire(self) -> (Option<i32>, Option<i32>) {
        (i32::try_from(self.number).ok(), i32::try_from(self.size).ok())
    }
}

/// SHA-256 of export.bin: the identity of a key file.
///
/// De-duplicate files by this and never by their metadata, which key servers repeat.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ExportDigest([u8; 32]);

impl ExportDigest {
    /// The whole hash.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// A digest that a log kept.
    #[must_use]
    pub const fn from_bytes(digest: [u8; 32]) -> Self {
        Self(digest)
    }
}

impl fmt::Display for ExportDigest {
    /// All 32 bytes in hexadecimal.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

/// A signature that export.bin announces.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SignatureInfo {
    /// The key that signs; empty texts where the file has none.
    pub key: KeyIdentity,
    /// Object identifier of the algorithm, as written; `None` where the file has none, which means
    /// ECDSA on P-256 with SHA-256.
    pub algorithm: Option<String>,
}

impl From<wire::SignatureInfo> for SignatureInfo {
    fn from(info: wire::SignatureInfo) -> Self {
        let id = info.verification_key_id.unwrap_or_default();
        let version = info.verification_key_version.unwrap_or_default();
        let algorithm = info.signature_algorithm.filter(|oid| !oid.is_empty());
        Self { key: KeyIdentity::new(id, version), algorithm }
    }
}

/// What a key file says about itself. Everything may be missing, and missing is `None`.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Metadata {
    /// Start of the time in which the keys reached the server. Also `None` for a value outside
    /// [`Timestamp`], for matching does not depend on it. Some servers write the keys' day here.
    pub start: Option<Timestamp>,
    /// End of that time, same rules.
    pub end: Option<Timestamp>,
    /// Region the keys come from, often an MCC or a country code.
    pub region: Option<String>,
    /// Which file of how many.
    pub batch: Option<Batch>,
    /// Signatures that the file announces.
    pub signature_infos: Vec<SignatureInfo>,
    /// Messages under `keys`, bad ones included.
    pub key_count: u64,
    /// Messages under `revised_keys`, bad ones included.
    pub revised_key_count: u64,
    /// SHA-256 of export.bin.
    pub digest: ExportDigest,
}

impl Metadata {
    /// Reads export.bin to its end: framing, checksum, limits and hash are right after this, and
    /// no key was looked into.
    pub(super) fn scan(bin: Entry<'_>, limits: &Limits) -> Result<Self, ExportError> {
        let content = Content::new(bin, limits.export_bin_bytes, true);
        let mut reader = FieldReader::new(content, limits.message_bytes)?;
        let (mut start, mut end, mut region) = (None, None, None);
        let (mut number, mut size) = (None, None);
        let mut signature_infos = Vec::new();
        let (mut key_count, mut revised_key_count) = (0_u64, 0_u64);
        while let Some(field) = reader.next()? {
            match field {
                Field::Start(seconds) => start = timestamp(seconds),
                Field::End(seconds) => end = timestamp(seconds),
                Field::Region => region = Some(reader.text()?),
                Field::BatchNumber(value) => number = Some(value),
                Field::BatchSize(value) => size = Some(value),
                Field::SignatureInfo if signature_infos.len() >= limits.signatures => {
                    let limit = limits.signatures;
                    return Err(ExportError::TooManySignatures { entry: bin.name, limit });
                }
                Field::SignatureInfo => {
                    signature_infos.push(reader.message::<wire::SignatureInfo>()?.into());
                }
                Field::Key(list) => {
                    if key_count.saturating_add(revised_key_count) >= limits.keys {
                        return Err(ExportError::TooManyKeys { limit: limits.keys });
                    }
                    let count =
                        if list.is_revised() { &mut revised_key_count } else { &mut key_count };
                    *count = count.saturating_add(1);
                }
            }
        }
        let batch = Batch::from_wire(number, size).map_err(ExportError::InvalidBatch)?;
        let digest = ExportDigest::from_bytes(reader.digest());
        let counts = (key_count, revised_key_count);
        let (key_count, revised_key_count) = counts;
        Ok(Self {
            start,
            end,
            region,
            batch,
            signature_infos,
            key_count,
            revised_key_count,
            digest,
        })
    }
}

fn timestamp(seconds: u64) -> Option<Timestamp> {
    Timestamp::from_unix_seconds(i64::try_from(seconds).ok()?).ok()
}
