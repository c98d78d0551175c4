//! A medium in memory that can be refused, torn and cut off, and things to put into a log.

#![allow(
    clippy::unwrap_used,
    dead_code,
    unreachable_pub,
    reason = "a part of several tests, not each of which needs all of it"
)]

pub mod changes;
pub mod memory_disk;

use std::sync::Arc;

use chikaku_core::diary::Diary;
use chikaku_core::encounter_log::{
    AuditEntry, DayRecord, EncounterLog, Exposure, LiveKey, MemoryLog,
};
use chikaku_core::publish::Publishing;
use chikaku_core::sighting::Sighting;
use chikaku_core::status::assessed::Assessed;
use chikaku_core::time::{IntervalNumber, UtcDay};
use chikaku_core::venue::VenueDiary;
use chikaku_log::disk::Disk;
use chikaku_log::{DurableLog, LogError, RootKey};

pub use memory_disk::MemoryDisk;

pub const ROOT: RootKey = RootKey::from_bytes([7; 32]);

pub fn create(disk: &MemoryDisk) -> DurableLog {
    DurableLog::create(arc(disk), &ROOT).unwrap()
}

pub fn open(disk: &MemoryDisk) -> Result<DurableLog, LogError> {
    DurableLog::open(arc(disk), &ROOT, None)
}

pub fn arc(disk: &MemoryDisk) -> Arc<dyn Disk> {
    Arc::new(disk.clone())
}

/// Everything that a log says, to be compared.
#[derive(Debug, PartialEq)]
pub struct Said {
    pub own_keys: Vec<([u8; 16], u32, u32)>,
    pub disclosed_until: Option<IntervalNumber>,
    pub sightings: Vec<Sighting>,
    pub exposures: Vec<Exposure>,
    pub live_keys: Vec<LiveKey>,
    pub cursors: Vec<Option<u64>>,
    /// A refusal by its sentence: that is what a log keeps of it.
    pub audit: Vec<(AuditEntry, String)>,
    pub days: Vec<Option<DayRecord>>,
    pub assessed: Vec<Assessed>,
    /// As JSON.
    pub engine: Option<String>,
    pub venues: VenueDiary,
    pub diary: Option<Diary>,
    pub publishing: Publishing,
}

pub fn said<L: EncounterLog>(log: &L) -> Result<Said, L::Error> {
    let mut sightings = Vec::new();
    log.visit_sightings(&mut |sighting| sightings.push(*sighting))?;
    sightings.sort_unstable();
    let own_keys = log.own_keys()?.into_iter().map(|key| {
        (*key.secret_bytes(), key.rolling_start().get(), key.rolling_period().intervals())
    });
    let mut audit: Vec<_> = log.audit()?.into_iter().map(readable).collect();
    audit.sort_by_key(|(entry, _)| entry.at.day());
    let cursor = |source: &&str| log.cursor(source);
    let day = |day| log.day(UtcDay::new(day));
    Ok(Said {
        own_keys: own_keys.collect(),
        disclosed_until: log.disclosed_until()?,
        sightings,
        exposures: log.exposures()?,
        live_keys: log.live_keys()?,
        cursors: changes::SOURCES.iter().map(cursor).collect::<Result<_, _>>()?,
        audit,
        days: changes::DAYS.map(day).collect::<Result<_, _>>()?,
        assessed: log.assessed()?,
        engine: log.engine_record()?.map(|record| serde_json::to_string(&record).unwrap()),
        venues: log.venues()?,
        diary: log.diary()?,
        publishing: log.publishing()?,
    })
}

/// The entry with the same refusal for all, and the sentence of its own.
fn readable(entry: AuditEntry) -> (AuditEntry, String) {
    let sentence = entry.outcome.as_ref().err().map(ToString::to_string).unwrap_or_default();
    let nothing = || chikaku_core::export::ExportError::NotAZip;
    (AuditEntry { at: entry.at, outcome: entry.outcome.map_err(|_| nothing()) }, sentence)
}

pub fn said_by_memory(log: &MemoryLog) -> Said {
    let Ok(said) = said(log);
    said
}
