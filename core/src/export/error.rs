//! Everything that can be wrong with a key file, one variant each.

use thiserror::Error;

use super::metadata::BatchError;
use super::trust::KeyIdentity;

/// Why a key file was refused as a whole.
///
/// A single bad key is no reason: it is skipped and counted, see
/// [`SkipReason`](super::SkipReason). No variant holds key material.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum ExportError {
    // The zip around the two files.
    /// The bytes have neither the start nor the end of a zip archive.
    #[error("this is not a zip archive")]
    NotAZip,
    /// The bytes start as a zip archive does, but its directory is missing.
    #[error("the zip archive is cut off before the end of its directory")]
    TruncatedZip,
    /// The archive contradicts itself.
    #[error("the zip archive is corrupt: {what}")]
    CorruptZip {
        /// What contradicts what.
        what: &'static str,
    },
    /// The directory lists more entries than [`Limits::zip_entries`](super::Limits).
    #[error("the zip archive has more than {limit} entries")]
    TooManyEntries {
        /// The limit in force.
        limit: u64,
    },
    /// The same name occurs twice; which of the two was signed would be a guess.
    #[error("the zip archive holds {entry} twice")]
    DuplicateEntry {
        /// The name.
        entry: &'static str,
    },
    /// An entry name that is absolute, climbs out of its folder or names a device.
    #[error("the zip archive has an entry with the unsafe name {name:?}")]
    UnsafeEntryName {
        /// The start of the name.
        name: String,
    },
    /// An entry besides `export.bin` and `export.sig`.
    #[error("the zip archive has the unexpected entry {name:?}")]
    UnexpectedEntry {
        /// The start of the name.
        name: String,
    },
    /// One of the two files is not there.
    #[error("{entry} is missing")]
    MissingEntry {
        /// The name.
        entry: &'static str,
    },
    /// Neither stored nor deflated.
    #[error("{entry} is compressed with the unsupported method {method}")]
    UnsupportedCompression {
        /// The name.
        entry: &'static str,
        /// The method's number in the zip specification.
        method: u16,
    },
    /// The entry is encrypted.
    #[error("{entry} is encrypted")]
    EncryptedEntry {
        /// The name.
        entry: &'static str,
    },
    /// The checksum in the directory is not that of the content.
    #[error("the checksum of {entry} is wrong")]
    CrcMismatch {
        /// The name.
        entry: &'static str,
    },
    /// The content is longer than [`Limits`](super::Limits) allow. Found while inflating; what
    /// the archive declares about itself is not asked.
    #[error("{entry} holds more than {limit} bytes")]
    TooLarge {
        /// The name.
        entry: &'static str,
        /// The limit in force, bytes.
        limit: u64,
    },

    // The format of export.bin and export.sig.
    /// The first bytes are not those of a key export.
    #[error("export.bin does not start as a key export")]
    NotAnExport,
    /// A key export of another version of the format.
    #[error("the header of export.bin names the unsupported version {version:?}")]
    UnsupportedHeaderVersion {
        /// What stands where the version stands.
        version: String,
    },
    /// The content ends inside a field.
    #[error("export.bin is cut off in {what} that starts at byte {offset}")]
    TruncatedExport {
        /// What was being read.
        what: &'static str,
        /// Where it starts, bytes from the start of export.bin.
        offset: u64,
    },
    /// A field that is not valid protobuf or not of its declared type.
    #[error("field {field} of export.bin at byte {offset} is malformed: {what}")]
    MalformedField {
        /// The field's number; 0 if its tag itself is malformed.
        field: u32,
        /// What is wrong.
        what: &'static str,
        /// Where the field starts, bytes from the start of export.bin.
        offset: u64,
    },
    /// A single message is longer than [`Limits::message_bytes`](super::Limits).
    #[error("a message at byte {offset} of export.bin is longer than {limit} bytes")]
    MessageTooLong {
        /// The limit in force, bytes.
        limit: usize,
        /// Where the field starts, bytes from the start of export.bin.
        offset: u64,
    },
    /// More keys, revised ones included, than [`Limits::keys`](super::Limits).
    #[error("export.bin holds more than {limit} keys")]
    TooManyKeys {
        /// The limit in force.
        limit: u64,
    },
    /// More signatures or signature infos than [`Limits::signatures`](super::Limits).
    #[error("{entry} lists more than {limit} signatures")]
    TooManySignatures {
        /// The file that lists them.
        entry: &'static str,
        /// The limit in force.
        limit: usize,
    },
    /// The batch numbers of export.bin make no sense.
    #[error("the batch of export.bin is invalid: {0}")]
    InvalidBatch(BatchError),
    /// export.sig is not a `TEKSignatureList`.
    #[error("export.sig is not a list of signatures")]
    MalformedSignatureList,

    // The signature.
    /// Nobody said whom to trust. Refused, never taken as "trust everybody".
    #[error("no verification key is configured")]
    NoTrustedKey,
    /// The list of signatures is there, and empty.
    #[error("export.sig holds no signature")]
    EmptySignatureList,
    /// export.sig does not hold one signature for each signature info of export.bin.
    #[error("export.bin announces {announced} signatures, export.sig holds {found}")]
    SignatureCount {
        /// Signature infos in export.bin.
        announced: usize,
        /// Signatures in export.sig.
        found: usize,
    },
    /// A signature names no key, and it is not the only signature, or there is not exactly one
    /// trusted key.
    #[error("a signature names no verification key, and which is meant is not certain")]
    SignatureWithoutKey,
    /// No trusted key has this id.
    #[error("no verification key with the id {id:?} is trusted")]
    UnknownKeyId {
        /// The start of the id that the signature names.
        id: String,
    },
    /// A trusted key has this id, but not this version.
    #[error("the verification key {id:?} is not trusted in version {version:?}")]
    WrongKeyVersion {
        /// The start of the id that the signature names.
        id: String,
        /// The start of the version that the signature names.
        version: String,
    },
    /// Not ECDSA on P-256 with SHA-256.
    #[error("the signature algorithm {oid:?} is not supported")]
    UnsupportedAlgorithm {
        /// The start of the object identifier.
        oid: String,
    },
    /// The signature's batch is not the file's.
    #[error("the signature of {key} belongs to another batch")]
    BatchMismatch {
        /// The key it names.
        key: KeyIdentity,
    },
    /// The signature is the bare pair of numbers instead of their DER encoding.
    #[error("the signature of {key} is 64 raw bytes instead of DER")]
    RawSignature {
        /// The key it names.
        key: KeyIdentity,
    },
    /// The signature is no DER encoding of an ECDSA signature.
    #[error("the signature of {key} is not valid DER")]
    MalformedSignature {
        /// The key it names.
        key: KeyIdentity,
    },
    /// The signature was not made by this key over this export.bin.
    #[error("the signature of {key} does not match")]
    SignatureMismatch {
        /// The key it names.
        key: KeyIdentity,
    },
    /// Signatures verified, but not all of any co-sign set.
    #[error("the signature of {missing} is missing for a complete co-sign set")]
    CosignIncomplete {
        /// A key that has not signed, of the set that lacks fewest.
        missing: KeyIdentity,
    },

    // From a log.
    /// A refusal of earlier, as a log kept it.
    #[error("{text}")]
    Recorded {
        /// [`ExportError::code`] of the refusal.
        code: String,
        /// Its sentence.
        text: String,
    },
}

impl ExportError {
    /// Names the error in logs, exports and support mail, for ever.
    #[must_use]
    pub fn code(&self) -> &str {
        match self {
            Self::Recorded { code, .. } => code,
            Self::NotAZip => "not_a_zip",
            Self::TruncatedZip => "truncated_zip",
            Self::CorruptZip { .. } => "corrupt_zip",
            Self::TooManyEntries { .. } => "too_many_entries",
            Self::DuplicateEntry { .. } => "duplicate_entry",
            Self::UnsafeEntryName { .. } => "unsafe_entry_name",
            Self::UnexpectedEntry { .. } => "unexpected_entry",
            Self::MissingEntry { .. } => "missing_entry",
            Self::UnsupportedCompression { .. } => "unsupported_compression",
            Self::EncryptedEntry { .. } => "encrypted_entry",
            Self::CrcMismatch { .. } => "crc_mismatch",
            Self::TooLarge { .. } => "too_large",
            Self::NotAnExport => "not_an_export",
            Self::UnsupportedHeaderVersion { .. } => "unsupported_header_version",
            Self::TruncatedExport { .. } => "truncated_export",
            Self::MalformedField { .. } => "malformed_field",
            Self::MessageTooLong { .. } => "message_too_long",
            Self::TooManyKeys { .. } => "too_many_keys",
            Self::TooManySignatures { .. } => "too_many_signatures",
            Self::InvalidBatch(_) => "invalid_batch",
            Self::MalformedSignatureList => "malformed_signature_list",
            Self::NoTrustedKey => "no_trusted_key",
            Self::EmptySignatureList => "empty_signature_list",
            Self::SignatureCount { .. } => "signature_count",
            Self::SignatureWithoutKey => "signature_without_key",
            Self::UnknownKeyId { .. } => "unknown_key_id",
            Self::WrongKeyVersion { .. } => "wrong_key_version",
            Self::UnsupportedAlgorithm { .. } => "unsupported_algorithm",
            Self::BatchMismatch { .. } => "batch_mismatch",
            Self::RawSignature { .. } => "raw_signature",
            Self::MalformedSignature { .. } => "malformed_signature",
            Self::SignatureMismatch { .. } => "signature_mismatch",
            Self::CosignIncomplete { .. } => "cosign_incomplete",
        }
    }
}

/// As much of an untrusted text as belongs in a message.
pub(super) fn excerpt(text: &str) -> String {
    text.chars().take(64).collect()
}
