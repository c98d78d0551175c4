//! The core's port.

use std::io::ErrorKind;

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

use super::load::visit_chunks;
use super::{DurableLog, damaged};
use crate::error::LogError;
use crate::journal;

/// Differences from [`MemoryLog`](chikaku_core::encounter_log::MemoryLog): a refusal in the audit
/// trail comes back as [`ExportError::Recorded`](chikaku_core::export::ExportError::Recorded), and
/// the trail is in the order of days.
impl EncounterLog for DurableLog {
    type Error = LogError;

    fn commit(&mut self, changes: Vec<Change>) -> Result<(), LogError> {
        self.append(&changes, None)
    }

    fn own_keys(&self) -> Result<Vec<TemporaryExposureKey>, LogError> {
        let Ok(keys) = self.content.memory.own_keys();
        Ok(keys)
    }

    fn disclosed_until(&self) -> Result<Option<IntervalNumber>, LogError> {
        let Ok(until) = self.content.memory.disclosed_until();
        Ok(until)
    }

    fn visit_sightings(&self, visit: &mut dyn FnMut(&Sighting)) -> Result<(), LogError> {
        visit_chunks(&self.pages, &self.drawers, &self.content.scans, visit)?;
        for (_, group) in &self.content.scans.pending {
            group.visit(visit).map_err(|_| {
                LogError::corrupt(damaged(journal::FILE, "a scan with an impossible time"))
            })?;
        }
        Ok(())
    }

    fn exposures(&self) -> Result<Vec<Exposure>, LogError> {
        let Ok(exposures) = self.content.memory.exposures();
        Ok(exposures)
    }

    fn live_keys(&self) -> Result<Vec<LiveKey>, LogError> {
        let Ok(keys) = self.content.memory.live_keys();
        Ok(keys)
    }

    fn cursor(&self, source: &str) -> Result<Option<u64>, LogError> {
        let Ok(position) = self.content.memory.cursor(source);
        Ok(position)
    }

    fn audit(&self) -> Result<Vec<AuditEntry>, LogError> {
        let Ok(mut audit) = self.content.memory.audit();
        audit.sort_by_key(|entry| entry.at.day());
        Ok(audit)
    }

    fn day(&self, day: UtcDay) -> Result<Option<DayRecord>, LogError> {
        let Ok(record) = self.content.memory.day(day);
        Ok(record)
    }

    fn assessed(&self) -> Result<Vec<Assessed>, LogError> {
        let Ok(assessed) = self.content.memory.assessed();
        Ok(assessed)
    }

    fn engine_record(&self) -> Result<Option<EngineRecord>, LogError> {
        let Ok(record) = self.content.memory.engine_record();
        Ok(record)
    }

    fn venues(&self) -> Result<VenueDiary, LogError> {
        let Ok(venues) = self.content.memory.venues();
        Ok(venues)
    }

    fn diary(&self) -> Result<Option<Diary>, LogError> {
        let Ok(diary) = self.content.memory.diary();
        Ok(diary)
    }

    fn publishing(&self) -> Result<Publishing, LogError> {
        let Ok(publishing) = self.content.memory.publishing();
        Ok(publishing)
    }

    fn is_full(error: &LogError) -> bool {
        let LogError::Disk { source, .. } = error else { return false };
        matches!(source.kind(), ErrorKind::StorageFull | ErrorKind::QuotaExceeded)
    }
}
