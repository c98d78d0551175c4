//! The core's port, handed on to whichever medium it is.

use chikaku_core::diary::Diary;
use chikaku_core::encounter_log::{
    AuditEntry, Change, DayRecord, EncounterLog, EngineRecord, Exposure, LiveKey,
};
use chikaku_core::keys::TemporaryExposureKey;
use chikaku_core::publish::Publishing;
use chikaku_core::sighting::Sighting;
use chikaku_core::status::assessed::Assessed;
use chikaku_core::time::{IntervalNumber, UtcDay};
use chikaku_core::venue::VenueDiary;

use super::{Log, LogError, Medium};

macro_rules! of_medium {
    ($self:ident.$call:ident($($argument:expr),*)) => {
        match &$self.medium {
            Medium::Memory(log) => Ok(log.$call($($argument),*)?),
            Medium::Folder(folder) => Ok(folder.log.$call($($argument),*)?),
        }
    };
}

impl EncounterLog for Log {
    type Error = LogError;

    fn commit(&mut self, changes: Vec<Change>) -> Result<(), LogError> {
        #[cfg(test)]
        if let Some(error) = &self.fails {
            return Err(error.clone());
        }
        match &mut self.medium {
            Medium::Memory(log) => Ok(log.commit(changes)?),
            Medium::Folder(folder) => Ok(folder.log.commit(changes)?),
        }
    }

    fn own_keys(&self) -> Result<Vec<TemporaryExposureKey>, LogError> {
        of_medium!(self.own_keys())
    }

    fn disclosed_until(&self) -> Result<Option<IntervalNumber>, LogError> {
        of_medium!(self.disclosed_until())
    }

    fn visit_sightings(&self, visit: &mut dyn FnMut(&Sighting)) -> Result<(), LogError> {
        of_medium!(self.visit_sightings(visit))
    }

    fn exposures(&self) -> Result<Vec<Exposure>, LogError> {
        of_medium!(self.exposures())
    }

    fn live_keys(&self) -> Result<Vec<LiveKey>, LogError> {
        of_medium!(self.live_keys())
    }

    fn cursor(&self, source: &str) -> Result<Option<u64>, LogError> {
        of_medium!(self.cursor(source))
    }

    fn audit(&self) -> Result<Vec<AuditEntry>, LogError> {
        of_medium!(self.audit())
    }

    fn day(&self, day: UtcDay) -> Result<Option<DayRecord>, LogError> {
        of_medium!(self.day(day))
    }

    fn assessed(&self) -> Result<Vec<Assessed>, LogError> {
        of_medium!(self.assessed())
    }

    fn engine_record(&self) -> Result<Option<EngineRecord>, LogError> {
        of_medium!(self.engine_record())
    }

    fn venues(&self) -> Result<VenueDiary, LogError> {
        of_medium!(self.venues())
    }

    fn diary(&self) -> Result<Option<Diary>, LogError> {
        of_medium!(self.diary())
    }

    fn publishing(&self) -> Result<Publishing, LogError> {
        of_medium!(self.publishing())
    }

    fn is_full(error: &LogError) -> bool {
        *error == LogError::Full
    }
}
