//! The log of a client: opened with salvage, looked after, deleted.

use std::sync::PoisonError;

use super::ExposureNotificationClient;
use crate::log::Log;
use crate::{
    ClientConfiguration, ExposureNotificationError as Error, LogLocation, LogMaintenance, OpenedLog,
};

#[uniffi::export]
impl ExposureNotificationClient {
    /// After [`Error::LogCorrupt`]: puts a new log in the place of the damaged one, under the same
    /// root key, with everything that could be read, and opens it. What could not be read is lost;
    /// the error's sentence said how much is left. The new log has another install marker.
    ///
    /// # Errors
    /// As `open`. The damaged log is as it was then.
    #[uniffi::constructor]
    pub fn open_with_salvage(
        configuration: ClientConfiguration,
        log: LogLocation,
    ) -> Result<Self, Error> {
        Self::over(&configuration, || Log::open_with_salvage(log))
    }

    /// What was found when the log was opened, and the install marker to keep.
    ///
    /// # Errors
    /// [`Error`].
    pub fn opened_log(&self) -> Result<OpenedLog, Error> {
        self.with(|open| Ok(open.engine.log().opened()))
    }

    /// Gives space back, and makes up for an erasure that failed. Once a day is enough, while the
    /// phone is charged. `None` in memory.
    ///
    /// # Errors
    /// [`Error`].
    pub fn maintain(&self) -> Result<Option<LogMaintenance>, Error> {
        self.with(|open| Ok(open.engine.log_mut().maintain()?))
    }

    /// Deletes everything and closes the client: nothing is left of the log, not even its folder.
    /// Every further call fails with [`Error::Closed`]. The host deletes the root key and the
    /// install marker. Where the app goes on, `forgetEverything` keeps the client.
    ///
    /// # Errors
    /// [`Error::LogFailed`], `LogInUse`, `Closed`. The client is closed all the same: call
    /// `deleteLog` then.
    pub fn delete_everything(&self) -> Result<(), Error> {
        let open = self.open.lock().unwrap_or_else(PoisonError::into_inner).take();
        Ok(open.ok_or(Error::Closed)?.engine.into_log().delete()?)
    }
}
