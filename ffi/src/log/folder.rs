//! A log in a folder of the phone: which one is opened, made or refused.

use core::fmt;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use chikaku_log::disk::Directory;
use chikaku_log::{DurableLog, InstallMarker, RootKey};
use zeroize::Zeroizing;

use super::{LogError, OpenedLog, TakenFromSpool, renewal};
use crate::ExposureNotificationError;
use crate::number::to_i64;

/// Held as long as a log is open; lies in its folder.
const LOCK: &str = "lock";

/// Where the encounter log is kept.
#[derive(Clone, PartialEq, Eq, uniffi::Enum)]
pub enum LogLocation {
    /// In memory: forgotten when the client is closed. For tests and demonstrations.
    Memory,
    /// In a folder that holds nothing else, sealed. One client at a time. It is made if nobody has
    /// made it yet.
    Folder {
        /// The folder, in the app's private storage and in no backup.
        path: String,
        /// Thirty-two bytes that the platform's key store keeps: the same at each opening.
        root_key: Vec<u8>,
        /// `OpenedLog.installMarker` of the first opening. With it, a log that is gone or another
        /// one's is an error. `None` at the first start: a log is made, unless there is one.
        install_marker: Option<Vec<u8>>,
    },
}

impl fmt::Debug for LogLocation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Memory => "Memory",
            Self::Folder { .. } => "Folder(..)",
        })
    }
}

/// What opens a log.
pub(super) struct Credentials {
    pub(super) root: RootKey,
    pub(super) marker: Option<InstallMarker>,
}

impl Credentials {
    pub(super) fn read(
        root_key: Vec<u8>,
        install_marker: Option<Vec<u8>>,
    ) -> Result<Self, ExposureNotificationError> {
        let wrong = |sentence: &str| ExposureNotificationError::argument(sentence);
        let root_key = Zeroizing::new(root_key);
        let root = root_key.as_slice().try_into();
        let root = RootKey::from_bytes(root.map_err(|_| wrong("a root key has 32 bytes"))?);
        let marker = install_marker.map(|bytes| bytes.try_into().map(InstallMarker::from_bytes));
        let marker = marker.transpose().map_err(|_| wrong("an install marker has 16 bytes"))?;
        Ok(Self { root, marker })
    }

    pub(super) fn without_marker(self) -> Self {
        Self { marker: None, ..self }
    }
}

/// An open log, and where it lies.
pub(super) struct Folder {
    pub(super) log: DurableLog,
    path: PathBuf,
    is_new: bool,
    spool: Option<TakenFromSpool>,
}

/// Opens the log at `path`, or makes it at the first start.
pub(super) fn open(path: &str, credentials: &Credentials) -> Result<Folder, LogError> {
    let path = PathBuf::from(path);
    renewal::finish(&path)?;
    let disk = Arc::new(Directory::hold(&path)?);
    let is_new = credentials.marker.is_none() && DurableLog::marker_on(&*disk)?.is_none();
    let mut log = if is_new {
        DurableLog::create(disk, &credentials.root)?
    } else {
        DurableLog::open(disk, &credentials.root, credentials.marker)?
    };
    let spool = log.merge_spool().ok().map(TakenFromSpool::from);
    Ok(Folder { log, path, is_new, spool })
}

impl Folder {
    pub(super) fn opened(&self) -> OpenedLog {
        let recovery = self.log.recovery();
        OpenedLog {
            install_marker: Some(self.log.marker().as_bytes().to_vec()),
            is_new: self.is_new,
            replayed_commits: to_i64(recovery.replayed_commits),
            unfinished_bytes: recovery.unfinished_bytes.map(to_i64),
            spool: self.spool.clone(),
        }
    }

    pub(super) fn delete(self) -> Result<(), LogError> {
        let Self { log, path, .. } = self;
        drop(log);
        delete(&path)
    }
}

/// Destroys the log at `path` in whatever state it is, and removes the folder.
pub(super) fn delete(path: &Path) -> Result<(), LogError> {
    for path in [renewal::draft(path), renewal::renewed(path), path.to_owned()] {
        remove(&path)?;
    }
    Ok(())
}

/// Destroys the log in this very folder.
pub(super) fn remove(path: &Path) -> Result<(), LogError> {
    if path.try_exists()? {
        let disk = Directory::hold(path)?;
        DurableLog::wipe(&disk)?;
        fs::remove_file(path.join(LOCK))?;
        drop(disk);
        fs::remove_dir(path)?;
        sync_parent(path)?;
    }
    Ok(())
}

/// The install marker of the log at `path`, or `None` if there is no log. Needs no root key: ask at
/// every start, before the key store. If the host has kept no marker and there is no log, a root
/// key that is there all the same is of an earlier installation, and belongs deleted.
///
/// # Errors
/// [`ExposureNotificationError::LogCorrupt`], `LogInUse`, `LogFailed`.
#[uniffi::export]
pub fn install_marker_at(path: String) -> Result<Option<Vec<u8>>, ExposureNotificationError> {
    let path = PathBuf::from(path);
    let marker = || -> Result<_, LogError> {
        renewal::finish(&path)?;
        if !path.try_exists()? {
            return Ok(None);
        }
        Ok(DurableLog::marker_on(&Directory::hold(&path)?)?)
    };
    Ok(marker()?.map(|marker| marker.as_bytes().to_vec()))
}

/// Destroys the log at `path`, which no client has open, in whatever state it is: first its keys,
/// then its files, then the folder. Nothing happens if there is none. The host then deletes the
/// root key and the install marker.
///
/// # Errors
/// [`ExposureNotificationError::LogInUse`], `LogFailed`; also if the folder holds something else.
#[uniffi::export]
pub fn delete_log(path: String) -> Result<(), ExposureNotificationError> {
    Ok(delete(Path::new(&path))?)
}

/// Beside `path`, with an ending.
pub(super) fn beside(path: &Path, ending: &str) -> PathBuf {
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(ending);
    path.with_file_name(name)
}

/// Makes renamed and removed folders durable where a program can.
pub(super) fn sync_parent(path: &Path) -> io::Result<()> {
    match path.parent() {
        Some(parent) if cfg!(unix) && !parent.as_os_str().is_empty() => {
            fs::File::open(parent)?.sync_all()
        }
        _ => Ok(()),
    }
}
