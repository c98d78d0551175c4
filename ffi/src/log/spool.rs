//! Scans from before the first unlock, when the key store does not give the root key yet.

use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

use chikaku_log::Spool;
use chikaku_log::disk::Directory;

use super::LogError;
use crate::{ExposureNotificationError as Error, Scan};

/// Keeps scans that nobody can read before the root key is there: each is sealed to a public key
/// that lies beside the log. The next opening of a client takes them over. Shut the spool down
/// before that: the folder is one object's at a time.
#[derive(Debug, uniffi::Object)]
pub struct ScanSpool {
    open: Mutex<Option<Spool>>,
}

#[uniffi::export]
impl ScanSpool {
    /// The spool of the log in the folder `path`.
    ///
    /// # Errors
    /// [`Error::LogAbsent`] if there is no log, `LogInUse`, `LogCorrupt`, `LogFailed`.
    #[uniffi::constructor]
    pub fn open(path: String) -> Result<Self, Error> {
        let open = || -> Result<Spool, LogError> {
            let path = PathBuf::from(path);
            if !path.try_exists()? {
                return Err(LogError::Absent);
            }
            Ok(Spool::open(Arc::new(Directory::hold(&path)?))?)
        };
        Ok(Self { open: Mutex::new(Some(open()?)) })
    }

    /// Keeps a scan.
    ///
    /// # Errors
    /// [`Error::InvalidArgument`], `LogFull`, `LogFailed`, `Closed`. The scan is not kept then.
    pub fn on_scan(&self, scan: Scan) -> Result<(), Error> {
        let scan = scan.read()?;
        let mut guard = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        let spool = guard.as_mut().ok_or(Error::Closed)?;
        Ok(spool.append(&scan).map_err(LogError::from)?)
    }

    /// Closes the spool. Every further call fails with [`Error::Closed`]; a second shutdown is
    /// harmless.
    pub fn shutdown(&self) {
        self.open.lock().unwrap_or_else(PoisonError::into_inner).take();
    }
}
