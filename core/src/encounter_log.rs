//! The encounter log: the one port through which the engine remembers anything.
//!
//! A host brings an [`EncounterLog`]; the engine tells it what changed, and each
//! [`EncounterLog::commit`] is applied whole or not at all before it returns. What the log holds
//! is all that a phone keeps: own keys, sightings, exposures and what was said about each day.

mod memory;

use crate::diagnosis_key::DiagnosisKeyHash;
use crate::export::{ExportDigest, ExportError, PublishedKey};
use crate::exposure::{ExposureWindow, UnmeasuredSightings};
use crate::keys::TemporaryExposureKey;
use crate::matching::{DroppedSightings, NearMisses};
use crate::risk::cocoa::DayAssessment;
use crate::sighting::Sighting;
use crate::time::{IntervalNumber, Timestamp, UtcDay};

pub use memory::MemoryLog;

/// A published key that this phone heard, and what follows from it.
#[derive(Clone, Debug, PartialEq)]
pub struct Exposure {
    /// The key as published.
    pub published: PublishedKey,
    /// When this phone first could have the key; nothing heard later counts.
    pub first_available: Timestamp,
    /// Its windows, by time. Empty if the mapping says the sender was not infectious.
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
}

/// A key that was still in use, or within the tolerance, when it was published.
///
/// It is remembered until it can match nothing more, so that what is heard of it after its
/// publication is told from what was heard before, in whichever file it comes again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LiveKey {
    /// The key as published.
    pub published: PublishedKey,
    /// When this phone first could have it.
    pub first_available: Timestamp,
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

/// What was concluded about a day, and whether the user has been told.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct DayRecord {
    /// The latest conclusion.
    pub assessment: DayAssessment,
    /// The day was High once: it was announced and will not be announced again.
    pub announced: bool,
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
    /// Forget everything that ended before this instant. It can never be read again.
    ForgetBefore(Timestamp),
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
}
