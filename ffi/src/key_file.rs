//! Key files: what is handed in, and what became of each.

use chikaku_core::engine::KeyFileReport;
use chikaku_core::export::ExportError;

use crate::Action;
use crate::number::to_i64;

/// A downloaded key file.
#[derive(Clone, PartialEq, Eq, uniffi::Record)]
pub struct KeyFile {
    /// The whole zip file.
    pub bytes: Vec<u8>,
    /// The file's source, such as a server and region; `None` if the host counts itself.
    #[uniffi(default = None)]
    pub source: Option<String>,
    /// Its position at the source. [`ExposureNotificationClient::cursor`](crate::ExposureNotificationClient::cursor)
    /// moves there together with the results.
    #[uniffi(default = 0)]
    pub position: i64,
}

impl core::fmt::Debug for KeyFile {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        write!(f, "KeyFile({} bytes)", self.bytes.len())
    }
}

/// What became of the files, in their order, and what has to be done.
#[derive(Clone, Debug, PartialEq, uniffi::Record)]
pub struct KeyFilesResult {
    /// One entry for each file.
    pub files: Vec<KeyFileOutcome>,
    /// What has to be done: above all, whom to tell.
    pub actions: Vec<Action>,
}

/// What became of one key file. A bad file costs its neighbours nothing.
#[derive(Clone, Debug, PartialEq, Eq, uniffi::Enum)]
pub enum KeyFileOutcome {
    /// It was believed and matched.
    Matched {
        /// Usable keys in it.
        keys: i64,
        /// Unusable keys that were skipped.
        skipped: i64,
        /// Keys of this file and earlier ones that this phone heard.
        matched: i64,
        /// This phone's own keys.
        own_keys: i64,
        /// Keys of which everything heard was dropped.
        near_misses: i64,
        /// SHA-256 of its content, hexadecimal.
        sha256: String,
    },
    /// It was refused and changed nothing. Only another file can help.
    Refused {
        /// Why, for ever: `signature_mismatch`, `not_a_zip`, …
        code: String,
        /// Why, in English, for a log.
        message: String,
    },
    /// The day's quota is used up. Hand it in again.
    Throttled {
        /// From when on it will be taken, seconds since 1970 UTC.
        until: i64,
    },
    /// The encounter log failed. Hand it in again.
    NotStored {
        /// There is no room.
        full: bool,
    },
    /// An argument made no sense: a negative position.
    Invalid,
}

impl KeyFileOutcome {
    pub(crate) fn of(result: &Result<KeyFileReport, ExportError>) -> Self {
        match result {
            Ok(report) => Self::Matched {
                keys: to_i64(report.keys.delivered()),
                skipped: to_i64(report.keys.skipped()),
                matched: to_i64(report.keys_matched),
                own_keys: to_i64(report.own_keys_excluded),
                near_misses: to_i64(report.near_misses.keys),
                sha256: hex::encode(report.digest.as_bytes()),
            },
            Err(error) => {
                Self::Refused { code: error.code().to_owned(), message: error.to_string() }
            }
        }
    }
}
