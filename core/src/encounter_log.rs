//! The encounter log: the one port through which the engine remembers anything.
//!
//! A host brings an [`EncounterLog`]; the engine tells it what changed, and each
//! [`EncounterLog::commit`] is applied whole or not at all before it returns. What the log holds
//! is all that a phone keeps: own keys, sightings, exposures and what was said about each day.

mod contents;
mod engine_record;
mod memory;

use crate::clock::RecordStamp;
use crate::diagnosis_key::DiagnosisKeyHash;
use crate::diary::Diary;
use crate::export::{ExportDigest, ExportError, PublishedKey};
use crate::exposure::{ExposureWindow, MeasuredSighting, UnmeasuredSightings};
use crate::keys::TemporaryExposureKey;
use crate::matching::{DroppedSightings, NearMisses};
use crate::publish::Publishing;
use crate::risk::Assessment;
use crate::sighting::Sighting;
use crate::status::assessed::Assessed;
use crate::time::{IntervalNumber, Timestamp, UtcDay};
use crate::venue::VenueDiary;
use serde::{Deserialize, Serialize};

pub use contents::LogContents;
pub use engine_record::{AcceptedConfiguration, EngineRecord};
pub use memory::MemoryLog;

/// A published key that this phone heard, and what follows from it.
#[derive(Clone, Debug, PartialEq)]
pub struct Exposure {
    /// The key as published.
    pub published: PublishedKey,
    /// When this phone first had the key; nothing heard later counts.
    pub first_available: RecordStamp,
    /// The sightings that count and could be measured, by time.
    pub sightings: Vec<MeasuredSighting>,
    /// Their windows, by time. Whether one counts is the profile's to say.
    pub windows: Vec<ExposureWindow>,
    /// How many of its identifiers were heard within the tolerance.
    pub identifiers: u32,
    /// Sightings that do not count.
    pub dropped: DroppedSightings,
    /// Sightings that count but could not be measured.
    pub unmeasured: UnmeasuredSightings,
}

impl Exposure {
    /// Names the exposure in results.
    #[must_use]
    pub fn key_hash(&self) -> DiagnosisKeyHash {
        self.published.key.hash()
    }

    /// Takes everything of `day` out of it; says whether the exposure is still one. One of which
    /// nothing lies on the day stays as it is.
    pub fn forget_day(&mut self, day: UtcDay) -> bool {
        let key = &self.published.key;
        let of_the_day =
            key.rolling_start().day() <= day && key.rolling_end() > day.first_interval();
        let before = (self.windows.len(), self.sightings.len());
        let something_left = self.forget(|heard_at| heard_at.day() == day);
        let concerned = of_the_day || before != (self.windows.len(), self.sightings.len());
        something_left || !concerned
    }

    /// Takes everything out of it that `is_gone` says of when it was heard; says whether anything
    /// is left.
    pub fn forget(&mut self, is_gone: impl Fn(Timestamp) -> bool) -> bool {
        self.windows.retain(|window| !is_gone(window.first_heard_at));
        self.sightings.retain(|sighting| !is_gone(sighting.heard_at));
        !self.windows.is_empty() || !self.sightings.is_empty()
    }
}

/// A key that was still in use, or within the tolerance, when it was published.
///
/// It is remembered until it can match nothing more, so that what is heard of it after its
/// publication is told from what was heard before, in whichever file it comes again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LiveKey {
    /// The key as published.
    pub published: PublishedKey,
    /// When this phone first had it.
    pub first_available: RecordStamp,
}

/// How far a source of key files has been matched: written in the same commit as the results.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Cursor {
    /// The source, as the host names it.
    pub source: String,
    /// Its position, as the host counts.
    pub position: u64,
}

/// One key file that was looked at: what came of it, also if that was nothing.
///
/// Every look leaves an entry, so that nobody can ask the log about a person unnoticed, and so
/// that a day without an announcement can be explained.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AuditEntry {
    /// When.
    pub at: Timestamp,
    /// The file and what came of it, or the reason why it was refused.
    pub outcome: Result<AuditedFile, ExportError>,
}

/// What came of a key file that was accepted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AuditedFile {
    /// SHA-256 of `export.bin`.
    pub digest: ExportDigest,
    /// Usable keys in the file.
    pub keys: u64,
    /// Unusable keys that were skipped.
    pub skipped: u64,
    /// Keys of this file and earlier ones that were heard.
    pub matched: u64,
    /// Keys of which everything heard was dropped.
    pub near_misses: NearMisses,
}

/// What was concluded about a day, and whether the user has been told. The day names the event in
/// the announcement, in lists and in exports alike.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct DayRecord {
    /// The latest conclusion.
    pub assessment: Assessment,
    /// The day was High once: it was announced and will not be announced again.
    pub announced: bool,
}

/// What is too old to be kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Horizon {
    /// Everything that ended before this instant is.
    pub before: Timestamp,
    /// Sightings that are stamped go by their age alone: those with fewer elapsed seconds are too
    /// old, whatever date a wrong clock gave them.
    pub elapsed_seconds: u64,
}

impl Horizon {
    /// Whether a sighting must be forgotten.
    #[must_use]
    pub fn hides(&self, sighting: &Sighting) -> bool {
        match sighting.stamp {
            Some(stamp) => stamp.elapsed_seconds < self.elapsed_seconds,
            None => sighting.heard_at < self.before,
        }
    }
}

/// One change to the log.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Change {
    /// Keep an own key; it replaces one with the same rolling start.
    OwnKey(TemporaryExposureKey),
    /// Every own key that ended by this interval has been published.
    DisclosedUntil(IntervalNumber),
    /// Append sightings.
    Sightings(Vec<Sighting>),
    /// Keep an exposure; it replaces the one of the same key.
    Exposure(Exposure),
    /// Keep a day's conclusion; it replaces the day's earlier one.
    Day(DayRecord),
    /// Remember a key that is still live; it replaces the record of the same key.
    LiveKey(LiveKey),
    /// Keep a source's cursor; it replaces the source's earlier one.
    Cursor(Cursor),
    /// Append an entry to the audit trail.
    Audit(AuditEntry),
    /// Keep what happened on a day; it replaces the day's earlier record.
    Assessed(Assessed),
    /// Keep what the engine must know after a restart; it replaces the earlier record.
    Engine(Box<EngineRecord>),
    /// Keep the visits to venues; they replace those that were kept.
    Venues(Box<VenueDiary>),
    /// Keep the recuperation diary; it replaces the one that was kept.
    Diary(Box<Diary>),
    /// Keep what is to be published; it replaces what was kept.
    Publishing(Box<Publishing>),
    /// Forget everything beyond the horizon. It can never be read again.
    Forget(Horizon),
    /// Forget one UTC day at the user's wish: its sightings, what exposures have of it, its
    /// conclusion and record, the own keys valid on it, also those that wait to be published, visits
    /// to venues and entries of the diary.
    ForgetDay(UtcDay),
    /// Forget everything. Changes that follow are kept.
    ForgetEverything,
}

/// Where the engine keeps what it must not forget, and forgets what it must not keep.
pub trait EncounterLog {
    /// What can go wrong with the medium.
    type Error: core::error::Error + Send + Sync + 'static;

    /// Applies every change in order, or none of them, durably, before returning.
    ///
    /// # Errors
    /// The medium's. Nothing has changed then.
    fn commit(&mut self, changes: Vec<Change>) -> Result<(), Self::Error>;

    /// This phone's own keys, by rolling start.
    ///
    /// # Errors
    /// The medium's.
    fn own_keys(&self) -> Result<Vec<TemporaryExposureKey>, Self::Error>;

    /// Until when own keys have been published, if any were.
    ///
    /// # Errors
    /// The medium's.
    fn disclosed_until(&self) -> Result<Option<IntervalNumber>, Self::Error>;

    /// Shows `visit` every sighting, in any order.
    ///
    /// # Errors
    /// The medium's. `visit` may have seen some of the sightings.
    fn visit_sightings(&self, visit: &mut dyn FnMut(&Sighting)) -> Result<(), Self::Error>;

    /// Every exposure, in an order that depends only on what they are.
    ///
    /// # Errors
    /// The medium's.
    fn exposures(&self) -> Result<Vec<Exposure>, Self::Error>;

    /// Every live key, in an order that depends only on what they are.
    ///
    /// # Errors
    /// The medium's.
    fn live_keys(&self) -> Result<Vec<LiveKey>, Self::Error>;

    /// The cursor of `source`, if there is one.
    ///
    /// # Errors
    /// The medium's.
    fn cursor(&self, source: &str) -> Result<Option<u64>, Self::Error>;

    /// The audit trail, in order.
    ///
    /// # Errors
    /// The medium's.
    fn audit(&self) -> Result<Vec<AuditEntry>, Self::Error>;

    /// What was concluded about `day`.
    ///
    /// # Errors
    /// The medium's.
    fn day(&self, day: UtcDay) -> Result<Option<DayRecord>, Self::Error>;

    /// The records of what happened on each day, by date.
    ///
    /// # Errors
    /// The medium's.
    fn assessed(&self) -> Result<Vec<Assessed>, Self::Error>;

    /// What the engine must know after a restart; `None` before its first commit.
    ///
    /// # Errors
    /// The medium's.
    fn engine_record(&self) -> Result<Option<EngineRecord>, Self::Error>;

    /// Visits to venues.
    ///
    /// # Errors
    /// The medium's.
    fn venues(&self) -> Result<VenueDiary, Self::Error>;

    /// The recuperation diary, if one was begun.
    ///
    /// # Errors
    /// The medium's.
    fn diary(&self) -> Result<Option<Diary>, Self::Error>;

    /// What is to be published.
    ///
    /// # Errors
    /// The medium's.
    fn publishing(&self) -> Result<Publishing, Self::Error>;

    /// Whether an error of this log means that there is no room. Only the status depends on it.
    fn is_full(_error: &Self::Error) -> bool {
        false
    }
}
