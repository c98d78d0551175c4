//! The encounter log of the client: the one place that knows where it is kept.

mod folder;
mod opened;
mod port;
mod renewal;
mod spool;

use core::convert::Infallible;
use core::fmt;
use std::io::{self, ErrorKind};

use chikaku_core::encounter_log::MemoryLog;
use chikaku_log::DurableLog;
use thiserror::Error;

use crate::ExposureNotificationError;

pub use folder::{LogLocation, delete_log, install_marker_at};
pub use opened::{LogMaintenance, OpenedLog, TakenFromSpool};
pub use spool::ScanSpool;

/// What can go wrong with the log.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub(crate) enum LogError {
    /// There is no room.
    #[error("no room")]
    Full,
    /// A log was to be opened, and there is none.
    #[error("none is there")]
    Absent,
    /// The root key is another log's.
    #[error("the root key is another one's")]
    WrongKey,
    /// The install marker is another log's.
    #[error("the install marker is another one's")]
    OtherInstallation,
    /// A later version of this library wrote it.
    #[error("{0}")]
    Newer(String),
    /// Damaged: what, and how much can be read.
    #[error("{0}")]
    Corrupt(String),
    /// Another client or process has it.
    #[error("somebody else has it open")]
    InUse,
    /// Anything else.
    #[error("{0}")]
    Failed(String),
}

impl From<Infallible> for LogError {
    fn from(never: Infallible) -> Self {
        match never {}
    }
}

impl From<io::Error> for LogError {
    fn from(error: io::Error) -> Self {
        match error.kind() {
            ErrorKind::StorageFull | ErrorKind::QuotaExceeded => Self::Full,
            ErrorKind::WouldBlock => Self::InUse,
            _ => Self::Failed(error.to_string()),
        }
    }
}

impl From<chikaku_log::LogError> for LogError {
    fn from(error: chikaku_log::LogError) -> Self {
        use chikaku_log::LogError as OnDisk;
        match error {
            OnDisk::Absent => Self::Absent,
            OnDisk::WrongRootKey => Self::WrongKey,
            OnDisk::OtherInstallation => Self::OtherInstallation,
            OnDisk::NewerSchema { .. } => Self::Newer(error.to_string()),
            OnDisk::Corrupt(_) => Self::Corrupt(error.to_string()),
            OnDisk::Disk { doing, source } => match Self::from(source) {
                Self::Failed(what) => Self::Failed(format!("{doing}: {what}")),
                other => other,
            },
            _ => Self::Failed(error.to_string()),
        }
    }
}

impl From<LogError> for ExposureNotificationError {
    fn from(error: LogError) -> Self {
        match error {
            LogError::Full => Self::LogFull,
            LogError::Absent => Self::LogAbsent,
            LogError::WrongKey => Self::LogWrongKey,
            LogError::OtherInstallation => Self::LogOfOtherInstallation,
            LogError::Newer(sentence) => Self::LogNewer(sentence),
            LogError::Corrupt(sentence) => Self::LogCorrupt(sentence),
            LogError::InUse => Self::LogInUse,
            LogError::Failed(sentence) => Self::LogFailed(sentence),
        }
    }
}

/// The client's log.
pub(crate) struct Log {
    medium: Medium,
    /// Lets a test see a commit fail.
    #[cfg(test)]
    pub(crate) fails: Option<LogError>,
}

enum Medium {
    Memory(Box<MemoryLog>),
    Folder(Box<folder::Folder>),
}

impl Medium {
    const fn durable(&mut self) -> Option<&mut DurableLog> {
        match self {
            Self::Memory(_) => None,
            Self::Folder(folder) => Some(&mut folder.log),
        }
    }
}

impl Log {
    pub(crate) fn open(location: LogLocation) -> Result<Self, ExposureNotificationError> {
        Ok(Self::of(match location {
            LogLocation::Memory => Medium::Memory(Box::default()),
            LogLocation::Folder { path, root_key, install_marker } => {
                let credentials = folder::Credentials::read(root_key, install_marker)?;
                Medium::Folder(Box::new(folder::open(&path, &credentials)?))
            }
        }))
    }

    /// In place of a damaged log: one with everything that can be read of it.
    pub(crate) fn open_with_salvage(
        location: LogLocation,
    ) -> Result<Self, ExposureNotificationError> {
        let LogLocation::Folder { path, root_key, install_marker } = location else {
            return Self::open(location);
        };
        let credentials = folder::Credentials::read(root_key, install_marker)?;
        renewal::renew(&path, &credentials)?;
        // The renewed log has a marker of its own.
        let credentials = credentials.without_marker();
        Ok(Self::of(Medium::Folder(Box::new(folder::open(&path, &credentials)?))))
    }

    const fn of(medium: Medium) -> Self {
        Self {
            medium,
            #[cfg(test)]
            fails: None,
        }
    }

    pub(crate) fn opened(&self) -> OpenedLog {
        match &self.medium {
            Medium::Memory(_) => OpenedLog::default(),
            Medium::Folder(folder) => folder.opened(),
        }
    }

    pub(crate) fn maintain(&mut self) -> Result<Option<LogMaintenance>, LogError> {
        let Some(log) = self.medium.durable() else { return Ok(None) };
        Ok(Some(log.maintain()?.into()))
    }

    /// Closes the log, and nothing is left of it.
    pub(crate) fn delete(self) -> Result<(), LogError> {
        match self.medium {
            Medium::Memory(_) => Ok(()),
            Medium::Folder(folder) => folder.delete(),
        }
    }
}

impl fmt::Debug for Log {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.medium {
            Medium::Memory(_) => "Log(memory)",
            Medium::Folder(_) => "Log(folder)",
        })
    }
}
