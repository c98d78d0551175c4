//! A new log in the place of a damaged one, with what could be read of it.
//!
//! The new log is made beside the damaged one and gets its second name only when it is whole. From
//! then on it is the log: wherever the process dies, the next opening puts it in its place.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use chikaku_core::encounter_log::EncounterLog;
use chikaku_log::disk::Directory;
use chikaku_log::{DurableLog, LogError as OnDisk};

use super::LogError;
use super::folder::{Credentials, beside, remove, sync_parent};

/// The new log while it is made.
pub(super) fn draft(path: &Path) -> PathBuf {
    beside(path, ".draft")
}

/// The new log when it is whole.
pub(super) fn renewed(path: &Path) -> PathBuf {
    beside(path, ".renewed")
}

/// Replaces the log at `path` if it is damaged; a whole one stays as it is.
pub(super) fn renew(path: &str, credentials: &Credentials) -> Result<(), LogError> {
    let path = PathBuf::from(path);
    finish(&path)?;
    let disk = Arc::new(Directory::hold(&path)?);
    let damaged = match DurableLog::open(disk, &credentials.root, None) {
        Err(OnDisk::Corrupt(damaged)) => damaged,
        Ok(_) => return Ok(()),
        Err(other) => return Err(other.into()),
    };
    let draft = draft(&path);
    let disk = Arc::new(Directory::hold(&draft)?);
    DurableLog::wipe(&*disk)?;
    let mut log = DurableLog::create(disk, &credentials.root)?;
    if !damaged.salvaged.changes.is_empty() {
        log.commit(damaged.salvaged.changes)?;
    }
    drop(log);
    fs::rename(&draft, renewed(&path))?;
    sync_parent(&path)?;
    finish(&path)
}

/// Puts a new log that is whole in the place of the damaged one.
pub(super) fn finish(path: &Path) -> Result<(), LogError> {
    let renewed = renewed(path);
    if !renewed.try_exists()? {
        return Ok(());
    }
    remove(path)?;
    fs::rename(&renewed, path)?;
    Ok(sync_parent(path)?)
}
