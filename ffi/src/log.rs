//! The encounter log of the client: the one place that knows where it is kept.

use core::convert::Infallible;

use chikaku_core::encounter_log::{
    AuditEntry, Change, DayRecord, EncounterLog, EngineRecord, Exposure, LiveKey, MemoryLog,
};
use chikaku_core::keys::TemporaryExposureKey;
use chikaku_core::sighting::Sighting;
use chikaku_core::status::assessed::Assessed;
use chikaku_core::time::{IntervalNumber, UtcDay};
use thiserror::Error;

use crate::{ExposureNotificationError, LogLocation};

/// What can go wrong with the log.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[cfg_attr(not(test), expect(dead_code, reason = "memory is never full and never fails"))]
pub(crate) enum LogError {
    /// There is no room.
    #[error("no room")]
    Full,
    /// Anything else.
    #[error("it could not be read or written")]
    Failed,
}

impl From<Infallible> for LogError {
    fn from(never: Infallible) -> Self {
        match never {}
    }
}

impl From<LogError> for ExposureNotificationError {
    fn from(error: LogError) -> Self {
        match error {
            LogError::Full => Self::LogFull,
            LogError::Failed => Self::LogFailed(error.to_string()),
        }
    }
}

/// The client's log.
#[derive(Debug)]
pub(crate) struct Log {
    medium: MemoryLog,
    /// Lets a test see a commit fail.
    #[cfg(test)]
    pub(crate) fails: Option<LogError>,
}

impl Log {
    #[expect(clippy::unnecessary_wraps, reason = "a log on disk can fail to open")]
    pub(crate) fn open(location: &LogLocation) -> Result<Self, LogError> {
        match location {
            LogLocation::Memory => Ok(Self {
                medium: MemoryLog::new(),
                #[cfg(test)]
                fails: None,
            }),
        }
    }
}

impl EncounterLog for Log {
    type Error = LogError;

    fn commit(&mut self, changes: Vec<Change>) -> Result<(), LogError> {
        #[cfg(test)]
        if let Some(error) = self.fails {
            return Err(error);
        }
        Ok(self.medium.commit(changes)?)
    }

    fn own_keys(&self) -> Result<Vec<TemporaryExposureKey>, LogError> {
        Ok(self.medium.own_keys()?)
    }

    fn disclosed_until(&self) -> Result<Option<IntervalNumber>, LogError> {
        Ok(self.medium.disclosed_until()?)
    }

    fn visit_sightings(&self, visit: &mut dyn FnMut(&Sighting)) -> Result<(), LogError> {
        Ok(self.medium.visit_sightings(visit)?)
    }

    fn exposures(&self) -> Result<Vec<Exposure>, LogError> {
        Ok(self.medium.exposures()?)
    }

    fn live_keys(&self) -> Result<Vec<LiveKey>, LogError> {
        Ok(self.medium.live_keys()?)
    }

    fn cursor(&self, source: &str) -> Result<Option<u64>, LogError> {
        Ok(self.medium.cursor(source)?)
    }

    fn audit(&self) -> Result<Vec<AuditEntry>, LogError> {
        Ok(self.medium.audit()?)
    }

    fn day(&self, day: UtcDay) -> Result<Option<DayRecord>, LogError> {
        Ok(self.medium.day(day)?)
    }

    fn assessed(&self) -> Result<Vec<Assessed>, LogError> {
        Ok(self.medium.assessed()?)
    }

    fn engine_record(&self) -> Result<Option<EngineRecord>, LogError> {
        Ok(self.medium.engine_record()?)
    }

    fn is_full(error: &LogError) -> bool {
        *error == LogError::Full
    }
}
