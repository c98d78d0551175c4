//! The one error of the interface.

use thiserror::Error;

/// Why a call did nothing. What becomes of a key file, a configuration or a scan is no error: it
/// is part of the answer, each with a code of its own.
#[derive(Debug, PartialEq, Eq, Error, uniffi::Error)]
#[uniffi(flat_error)]
#[non_exhaustive]
pub enum ExposureNotificationError {
    /// The client was shut down. Open a new one.
    #[error("the client was shut down")]
    Closed,
    /// A mistake of the caller: the sentence names the argument.
    #[error("invalid argument: {0}")]
    InvalidArgument(String),
    /// The client was to be opened with a configuration that makes no sense: the sentence names
    /// the place.
    #[error("invalid configuration: {0}")]
    InvalidConfiguration(String),
    /// There is no room for the encounter log. Nothing has happened; the user can make room.
    #[error("there is no room for the encounter log")]
    LogFull,
    /// No log is there, though the host has an install marker: the log was lost, or marker and root
    /// key are of an earlier installation. Delete both, and open without a marker.
    #[error("there is no encounter log here")]
    LogAbsent,
    /// The log there cannot be read with this root key, and never will be without its own. The user
    /// decides: `deleteLog`, and begin anew.
    #[error("the encounter log belongs to another root key")]
    LogWrongKey,
    /// The log there is not the one that the install marker names: an old copy, or another app's.
    #[error("the encounter log belongs to another installation")]
    LogOfOtherInstallation,
    /// The log was written by a later version of this library. Update the app.
    #[error("{0}")]
    LogNewer(String),
    /// The log is damaged, and was left as it is. The sentence says where, and how much can be
    /// read: `openWithSalvage` begins anew with that.
    #[error("{0}")]
    LogCorrupt(String),
    /// Another client, spool or process has the log open.
    #[error("the encounter log is in use")]
    LogInUse,
    /// The encounter log could not be read or written. Nothing has happened; the same call can be
    /// repeated.
    #[error("the encounter log failed: {0}")]
    LogFailed(String),
    /// A defect of this library, or no random numbers from the system. Nothing has happened; the
    /// client can still be used.
    #[error("a defect in the library: nothing was changed")]
    Internal,
}

impl ExposureNotificationError {
    pub(crate) fn argument(sentence: impl core::fmt::Display) -> Self {
        Self::InvalidArgument(sentence.to_string())
    }

    pub(crate) fn configuration(sentence: impl core::fmt::Display) -> Self {
        Self::InvalidConfiguration(sentence.to_string())
    }
}
