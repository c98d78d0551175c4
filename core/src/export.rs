//! Diagnosis key exports: the files by which a key server publishes keys.
//!
//! A file is a zip archive of `export.bin` (a 16-byte header and a
//! `TemporaryExposureKeyExport`) and `export.sig` (a `TEKSignatureList` over the whole of
//! export.bin). Format: `export.proto` and the file format of exposure-notifications-server.
//! Rules of signatures: Google's key-file verifier.
//!
//! A file is read in two passes over the same borrowed bytes, in a few kilobytes of memory
//! whatever its size. The first inflates, measures and hashes all of it and checks the signatures;
//! only then does the second hand out keys. The type of a [`KeyExport`] says how far it is:
//!
//! ```text
//! KeyExport<Unverified> ── verify(trusted) ──────────> KeyExport<Verified>
//!            └─── accept_without_signature() ────────> KeyExport<Unsigned>
//! ```
//!
//! ```
//! use chikaku_core::export::{ExportError, KeyExport, Limits, TrustedKeys};
//!
//! fn count(zip: &[u8], trusted: &TrustedKeys) -> Result<u64, ExportError> {
//!     let export = KeyExport::from_zip(zip, Limits::DEFAULT)?.verify(trusted)?;
//!     let mut keys = export.keys()?;
//!     for key in &mut keys {
//!         let _key = key?;
//!     }
//!     Ok(keys.report().delivered())
//! }
//! # assert_eq!(count(b"", &TrustedKeys::new()), Err(ExportError::NotAZip));
//! ```

mod archive;
mod content;
mod error;
mod key;
mod key_message;
mod limits;
mod metadata;
mod reader;
mod signature;
mod signed_file;
mod signing;
mod trust;
mod wire;
mod writer;

use core::fmt;

use archive::{EXPORT_BIN, EXPORT_SIG, Files};
pub(crate) use content::Content;
use content::Entry;
pub use error::ExportError;
pub(crate) use key::KeyName;
pub use key::{KeyIssue, KeyReport, Keys, PublishedKey, ReportGrounds, SkipReason};
pub use limits::Limits;
pub use metadata::{Batch, BatchError, ExportDigest, Metadata, SignatureInfo};
pub use reader::KeyList;
use signature::Signatures;
pub(crate) use signed_file::{SignedFile, pack_signed};
pub use signing::SigningKey;
pub use trust::{KeyError, KeyIdentity, TrustedKey, TrustedKeys};
pub use writer::{ExportWriter, WriteError, WrittenExport};

/// State of an export of which nothing is known yet.
#[derive(Clone, Copy, Debug)]
pub struct Unverified(());

/// State of an export that was read to its end and found well-formed, and that was accepted on
/// the ground `G`. Only this module makes one.
#[derive(Clone, Debug)]
pub struct Accepted<G> {
    metadata: Metadata,
    ground: G,
}

/// Ground of acceptance: signatures that satisfy the trusted keys.
#[derive(Clone, Debug)]
pub struct Signed {
    by: Vec<KeyIdentity>,
}

/// Ground of acceptance: the caller's word.
#[derive(Clone, Copy, Debug)]
pub struct CallersWord(());

/// State of an export whose signatures satisfied the trusted keys.
pub type Verified = Accepted<Signed>;

/// State of an export whose signatures nobody looked at.
pub type Unsigned = Accepted<CallersWord>;

/// A diagnosis key export in the state `S`, over bytes that the caller keeps.
///
/// Code that needs only the keys takes a `KeyExport<'_, Accepted<G>>` for any `G`; code that acts
/// on them takes a `KeyExport<'_, Verified>`.
#[derive(Clone)]
pub struct KeyExport<'a, S> {
    files: Files<'a>,
    limits: Limits,
    state: S,
}

impl<'a> KeyExport<'a, Unverified> {
    /// Finds `export.bin` and `export.sig` in a zip archive. Nothing is inflated yet.
    ///
    /// # Errors
    /// Those of the archive: [`ExportError::NotAZip`], [`ExportError::TruncatedZip`],
    /// [`ExportError::CorruptZip`], [`ExportError::TooManyEntries`],
    /// [`ExportError::DuplicateEntry`], [`ExportError::UnsafeEntryName`],
    /// [`ExportError::UnexpectedEntry`], [`ExportError::UnsupportedCompression`],
    /// [`ExportError::EncryptedEntry`], and [`ExportError::MissingEntry`] for export.bin.
    pub fn from_zip(zip: &'a [u8], limits: Limits) -> Result<Self, ExportError> {
        let files = archive::read(zip, &limits)?;
        Ok(Self { files, limits, state: Unverified(()) })
    }

    /// Takes the two files themselves; without `export_sig` nothing can be verified.
    #[must_use]
    pub const fn from_files(
        export_bin: &'a [u8],
        export_sig: Option<&'a [u8]>,
        limits: Limits,
    ) -> Self {
        let bin = Entry { name: EXPORT_BIN, data: export_bin, deflated: false, expected: None };
        let sig = match export_sig {
            Some(data) => Some(Entry { name: EXPORT_SIG, data, deflated: false, expected: None }),
            None => None,
        };
        Self { files: Files { bin, sig }, limits, state: Unverified(()) }
    }

    /// Takes a zip archive or a bare export.bin, whichever it is.
    ///
    /// # Errors
    /// As [`KeyExport::from_zip`], unless the bytes start as an export.bin does.
    pub fn from_bytes(bytes: &'a [u8], limits: Limits) -> Result<Self, ExportError> {
        if bytes.starts_with(wire::HEADER_STEM) {
            return Ok(Self::from_files(bytes, None, limits));
        }
        Self::from_zip(bytes, limits)
    }

    /// Reads the whole file and checks that the members of a co-sign set of `trusted` signed it.
    ///
    /// # Errors
    /// [`ExportError::NoTrustedKey`], [`ExportError::MissingEntry`] for export.sig, and every
    /// error of content, format and signature.
    pub fn verify(self, trusted: &TrustedKeys) -> Result<KeyExport<'a, Verified>, ExportError> {
        if trusted.is_empty() {
            return Err(ExportError::NoTrustedKey);
        }
        let sig = self.files.sig.ok_or(ExportError::MissingEntry { entry: EXPORT_SIG })?;
        let signatures = Signatures::read(sig, &self.limits)?;
        let metadata = Metadata::scan(self.files.bin, &self.limits)?;
        let by = signatures.verify(trusted, &metadata)?;
        Ok(self.accepted(metadata, Signed { by }))
    }

    /// Reads the whole file and asks nobody whether it is genuine; export.sig is not even opened.
    ///
    /// For research on files whose keys are lost. An app that calls this lets anyone on the
    /// network decide who was exposed.
    ///
    /// # Errors
    /// Every error of content and format of export.bin.
    pub fn accept_without_signature(self) -> Result<KeyExport<'a, Unsigned>, ExportError> {
        let metadata = Metadata::scan(self.files.bin, &self.limits)?;
        Ok(self.accepted(metadata, CallersWord(())))
    }

    fn accepted<G>(self, metadata: Metadata, ground: G) -> KeyExport<'a, Accepted<G>> {
        let state = Accepted { metadata, ground };
        KeyExport { files: self.files, limits: self.limits, state }
    }
}

impl<'a, G> KeyExport<'a, Accepted<G>> {
    /// What the file says about itself.
    #[must_use]
    pub const fn metadata(&self) -> &Metadata {
        &self.state.metadata
    }

    /// The second pass: the file's keys in its order, new and revised as they come.
    ///
    /// # Errors
    /// None, unless the bytes changed since the first pass.
    pub fn keys(&self) -> Result<Keys<'a>, ExportError> {
        Keys::new(self.files.bin, &self.limits)
    }
}

impl KeyExport<'_, Verified> {
    /// The keys whose signatures verified; at least a co-sign set.
    #[must_use]
    pub fn signed_by(&self) -> &[KeyIdentity] {
        &self.state.ground.by
    }
}

impl<S: fmt::Debug> fmt::Debug for KeyExport<'_, S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("KeyExport").field("state", &self.state).finish_non_exhaustive()
    }
}
