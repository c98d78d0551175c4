//! Packages of warnings, as a server publishes them: Corona-Warn-App's `TraceWarningPackage` in an
//! archive of `export.bin` and `export.sig`, signed as [key files](crate::export) are.
//!
//! The content is read twice in pieces, first for its signature, then warning by warning; a package
//! of any size needs a few kilobytes. A warning that cannot be read costs only itself.

use prost::Message;
use thiserror::Error;

use super::warning::ProtectedWarning;
use crate::export::{
    Content, ExportDigest, ExportError, Limits, SignedFile, SigningKey, TrustedKeys, WriteError,
    pack_signed,
};

/// What reading a package may cost.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PackageLimits {
    /// Limits of the archive; its `keys` do not matter here.
    pub archive: Limits,
    /// Warnings in one package.
    pub warnings: u64,
}

impl Default for PackageLimits {
    /// Those of key files, and a million warnings.
    fn default() -> Self {
        let archive = Limits { export_bin_bytes: 256 << 20, ..Limits::DEFAULT };
        Self { archive, warnings: 1_000_000 }
    }
}

/// A package that is refused. Nothing of it counts.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum PackageError {
    /// The archive, its content or its signature.
    #[error(transparent)]
    File(#[from] ExportError),
    /// The content ends inside a field.
    #[error("the package of warnings is cut off at byte {offset}")]
    Truncated {
        /// Where the field starts.
        offset: u64,
    },
    /// A field that is not valid protobuf.
    #[error("the package of warnings has a malformed field at byte {offset}")]
    Malformed {
        /// Where the field starts.
        offset: u64,
    },
    /// More warnings than [`PackageLimits::warnings`].
    #[error("the package holds more than {limit} warnings")]
    TooManyWarnings {
        /// The limit in force.
        limit: u64,
    },
}

/// A package whose signature satisfied the trusted keys.
pub struct WarningPackage<'a> {
    file: SignedFile<'a>,
    limits: PackageLimits,
}

impl<'a> WarningPackage<'a> {
    /// Reads the whole archive and checks its signature.
    ///
    /// # Errors
    /// [`PackageError::File`].
    pub fn verify(
        zip: &'a [u8],
        trusted: &TrustedKeys,
        limits: PackageLimits,
    ) -> Result<Self, PackageError> {
        Ok(Self { file: SignedFile::verify(zip, trusted, &limits.archive)?, limits })
    }

    /// SHA-256 of the content: names the package.
    #[must_use]
    pub const fn digest(&self) -> ExportDigest {
        self.file.digest()
    }

    /// Shows `visit` every warning that can be read; returns how many could not.
    ///
    /// # Errors
    /// [`PackageError`]; `visit` has seen the warnings before it, and what it saw must not count.
    pub fn warnings(&self, visit: &mut dyn FnMut(&ProtectedWarning)) -> Result<u64, PackageError> {
        read(self.file.content(), &self.limits, visit)
    }
}

impl core::fmt::Debug for WarningPackage<'_> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("WarningPackage").field("digest", &self.digest()).finish_non_exhaustive()
    }
}

/// Shows `visit` every warning of a content that nobody signed. For tests and tools: a phone counts
/// nothing that is not signed.
///
/// # Errors
/// [`PackageError`].
pub fn read_unsigned(
    content: &[u8],
    limits: &PackageLimits,
    visit: &mut dyn FnMut(&ProtectedWarning),
) -> Result<u64, PackageError> {
    read(SignedFile::bare(content, limits.archive.export_bin_bytes), limits, visit)
}

/// `TraceWarningPackage.checkInProtectedReports`.
const REPORTS: u64 = 4;
/// Wire types of protobuf; those of groups are refused.
const VARINT: u64 = 0;
const FIXED64: u64 = 1;
const LENGTH_DELIMITED: u64 = 2;
const FIXED32: u64 = 5;

fn read(
    content: Content<'_>,
    limits: &PackageLimits,
    visit: &mut dyn FnMut(&ProtectedWarning),
) -> Result<u64, PackageError> {
    let mut reader = Reader { content, offset: 0, start: 0, payload: Vec::new() };
    let (mut count, mut unreadable) = (0_u64, 0_u64);
    while let Some(tag) = reader.tag()? {
        let (field, wire_type) = (tag >> 3, tag & 7);
        if (field, wire_type) != (REPORTS, LENGTH_DELIMITED) {
            reader.skip(wire_type)?;
            continue;
        }
        count = count.saturating_add(1);
        if count > limits.warnings {
            return Err(PackageError::TooManyWarnings { limit: limits.warnings });
        }
        let length = reader.varint()?;
        // One that is too long costs itself alone: it is stepped over, not kept.
        let keep = usize::try_from(length).is_ok_and(|l| l <= limits.archive.message_bytes);
        reader.pass(length, keep)?;
        match keep.then(|| warning(&reader.payload)).flatten() {
            Some(warning) => visit(&warning),
            None => unreadable = unreadable.saturating_add(1),
        }
    }
    Ok(unreadable)
}

fn warning(message: &[u8]) -> Option<ProtectedWarning> {
    let report = CheckInProtectedReport::decode(message).ok()?;
    let CheckInProtectedReport { venue_hash, iv, ciphertext, mac } = report;
    Some(ProtectedWarning {
        venue_hash: venue_hash.try_into().ok()?,
        iv: iv.try_into().ok()?,
        ciphertext: Some(ciphertext).filter(|sealed| sealed.len() == 16)?,
        mac: mac.try_into().ok()?,
    })
}

/// Reads protobuf fields in pieces.
struct Reader<'a> {
    content: Content<'a>,
    offset: u64,
    start: u64,
    payload: Vec<u8>,
}

impl Reader<'_> {
    /// The next field's tag; `None` at the end of the content.
    fn tag(&mut self) -> Result<Option<u64>, PackageError> {
        self.start = self.offset;
        if self.content.available()?.is_empty() {
            return Ok(None);
        }
        self.varint().map(Some)
    }

    fn varint(&mut self) -> Result<u64, PackageError> {
        let mut value = 0_u64;
        for shift in (0..64).step_by(7) {
            let byte = self.content.available()?.first().copied();
            let byte = byte.ok_or(PackageError::Truncated { offset: self.start })?;
            self.content.consume(1);
            self.offset = self.offset.saturating_add(1);
            let bits = u64::from(byte & 0x7f);
            if shift == 63 && bits > 1 {
                break;
            }
            value |= bits << shift;
            if byte & 0x80 == 0 {
                return Ok(value);
            }
        }
        Err(PackageError::Malformed { offset: self.start })
    }

    /// Steps over `missing` bytes, into the payload if they are to be kept.
    fn pass(&mut self, mut missing: u64, keep: bool) -> Result<(), PackageError> {
        self.payload.clear();
        while missing > 0 {
            let available = self.content.available()?;
            if available.is_empty() {
                return Err(PackageError::Truncated { offset: self.start });
            }
            let count =
                usize::try_from(missing).map_or(available.len(), |m| m.min(available.len()));
            if keep {
                self.payload.extend_from_slice(available.get(..count).unwrap_or_default());
            }
            self.content.consume(count);
            self.offset = self.offset.saturating_add(count as u64);
            missing = missing.saturating_sub(count as u64);
        }
        Ok(())
    }

    fn skip(&mut self, wire_type: u64) -> Result<(), PackageError> {
        let length = match wire_type {
            VARINT => return self.varint().map(drop),
            FIXED64 => 8,
            FIXED32 => 4,
            LENGTH_DELIMITED => self.varint()?,
            _ => return Err(PackageError::Malformed { offset: self.start }),
        };
        self.pass(length, false)
    }
}

/// `CheckInProtectedReport` of Corona-Warn-App.
#[derive(Clone, PartialEq, prost::Message)]
#[prost(skip_debug)]
struct CheckInProtectedReport {
    #[prost(bytes = "vec", tag = "1")]
    venue_hash: Vec<u8>,
    #[prost(bytes = "vec", tag = "2")]
    iv: Vec<u8>,
    #[prost(bytes = "vec", tag = "3")]
    ciphertext: Vec<u8>,
    #[prost(bytes = "vec", tag = "4")]
    mac: Vec<u8>,
}

/// `TraceWarningPackage`; its field 3 was replaced by the protected reports.
#[derive(Clone, PartialEq, prost::Message)]
#[prost(skip_debug)]
struct TraceWarningPackage {
    #[prost(uint32, tag = "1")]
    hours_since_1970: u32,
    #[prost(string, tag = "2")]
    region: String,
    #[prost(message, repeated, tag = "4")]
    reports: Vec<CheckInProtectedReport>,
}

/// `checkInProtectedReports` alone, sorted: what a phone uploads. Put behind each other, such
/// contents are the content of a package.
pub(crate) fn reports(warnings: Vec<ProtectedWarning>) -> Vec<u8> {
    content(String::new(), warnings)
}

fn content(region: String, mut warnings: Vec<ProtectedWarning>) -> Vec<u8> {
    warnings.sort_unstable();
    let reports = warnings.into_iter().map(|warning| CheckInProtectedReport {
        venue_hash: warning.venue_hash.to_vec(),
        iv: warning.iv.to_vec(),
        ciphertext: warning.ciphertext,
        mac: warning.mac.to_vec(),
    });
    let reports = reports.collect();
    TraceWarningPackage { hours_since_1970: 0, region, reports }.encode_to_vec()
}

/// Collects what goes into a package: the server's side, for the simulator and for tests.
#[derive(Clone, Debug, Default)]
pub struct WarningPackageWriter {
    region: String,
    warnings: Vec<ProtectedWarning>,
}

impl WarningPackageWriter {
    /// A package of nothing.
    #[must_use]
    pub fn new(region: impl Into<String>) -> Self {
        Self { region: region.into(), warnings: Vec::new() }
    }

    /// Adds warnings.
    #[must_use]
    pub fn warnings(mut self, warnings: impl IntoIterator<Item = ProtectedWarning>) -> Self {
        self.warnings.extend(warnings);
        self
    }

    /// The content alone. Warnings are sorted by their bytes, so that their order does not tell
    /// which belong to one person.
    #[must_use]
    pub fn content(&self) -> Vec<u8> {
        content(self.region.clone(), self.warnings.clone())
    }

    /// Writes, signs and packs it.
    ///
    /// # Errors
    /// [`WriteError`], which does not happen in practice.
    pub fn write(&self, key: &SigningKey) -> Result<Vec<u8>, WriteError> {
        pack_signed(&self.content(), key)
    }
}
