//! How much a key file may cost.

/// Caps on what reading a key file may cost; each has its own error.
///
/// The largest file a key server writes by default holds 500,000 keys
/// (exposure-notifications-server, `internal/export/config.go`), about 18 MiB.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Inflated bytes of export.bin ([`ExportError::TooLarge`](super::ExportError)).
    pub export_bin_bytes: u64,
    /// Inflated bytes of export.sig ([`ExportError::TooLarge`](super::ExportError)).
    pub export_sig_bytes: u64,
    /// Entries of the zip directory that are looked at
    /// ([`ExportError::TooManyEntries`](super::ExportError)). More than two are an error anyway;
    /// below this limit the error says which entry is the odd one.
    pub zip_entries: u64,
    /// Keys and revised keys together ([`ExportError::TooManyKeys`](super::ExportError)).
    pub keys: u64,
    /// Bytes of one key, one signature info or the region
    /// ([`ExportError::MessageTooLong`](super::ExportError)). Unknown fields are skipped unread
    /// and may be longer.
    pub message_bytes: usize,
    /// Signatures in export.sig, and signature infos in export.bin
    /// ([`ExportError::TooManySignatures`](super::ExportError)). `export.proto` expects up to 10.
    pub signatures: usize,
}

impl Limits {
    /// 64 MiB of export.bin, 64 KiB of export.sig, 16 entries, 1,000,000 keys, 4 KiB a message,
    /// 32 signatures.
    pub const DEFAULT: Self = Self {
        export_bin_bytes: 64 << 20,
        export_sig_bytes: 64 << 10,
        zip_entries: 16,
        keys: 1_000_000,
        message_bytes: 4 << 10,
        signatures: 32,
    };
}

impl Default for Limits {
    fn default() -> Self {
        Self::DEFAULT
    }
}
