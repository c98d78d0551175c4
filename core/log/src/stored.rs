//! The stored form of everything: explicit shapes, so that a change of a type in the core cannot
//! change what lies on disk.
//!
//! Enum variants and fields are positional: new ones go to the end, none is removed or moved
//! while a schema that has them can still be read.
//!
//! Conclusions, daily records, the engine's own record, visits and the diary are the core's to shape and grow: they are
//! stored as JSON, which says what is what.

mod audit;
mod exposure;
mod key;
mod scan;
mod since;

use std::collections::BTreeMap;

use chikaku_core::clock::{EpochId, RecordStamp};
use chikaku_core::encounter_log::{Change, Cursor, DayRecord, EngineRecord, Exposure, Horizon};
use chikaku_core::time::{IntervalNumber, Timestamp, UtcDay};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::codec::Undecodable;
use crate::error::LogError;
use audit::StoredAudit;
pub(crate) use exposure::ExposurePart;
use key::{StoredLiveKey, StoredOwnKey};
pub(crate) use scan::{ScanGroup, Span, chunks};
use since::Since;

/// One change, or one part of it that belongs to one day.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) enum StoredChange {
    OwnKey(StoredOwnKey),
    DisclosedUntil(u32),
    Scan(ScanGroup),
    Exposure(ExposurePart),
    /// A day's conclusion.
    Day(Json),
    LiveKey(StoredLiveKey),
    Cursor {
        source: String,
        position: u64,
    },
    Audit(StoredAudit),
    Forget {
        before: i64,
        elapsed_seconds: u64,
    },
    /// The spool with this name has been merged.
    SpoolTaken([u8; 16]),
    /// What is in slots up to `slot` and beyond the horizon is forgotten.
    Horizon {
        before: i64,
        elapsed_seconds: u64,
        slot: u64,
    },
    /// What happened on a day.
    Assessed(Json),
    /// What the engine must know after a restart.
    Engine(Json),
    ForgetDay(u32),
    ForgetEverything,
    /// From when to when the sightings reach that are in the day's slots.
    Span {
        day: u32,
        span: Span,
    },
    /// The visits to venues.
    Venues(Json),
    /// The recuperation diary.
    Diary(Json),
    /// What is to be published.
    Publishing(Json),
    /// As `Engine`, by what changed since the one before.
    EngineSince(Since),
}

/// A record as JSON.
#[derive(Clone, Serialize, Deserialize)]
#[serde(transparent)]
pub(crate) struct Json(String);

impl Json {
    fn of<T: Serialize>(record: &T) -> Result<Self, LogError> {
        serde_json::to_string(record).map(Self).map_err(|_| LogError::UnknownChange)
    }

    fn restore<T: DeserializeOwned>(&self) -> Result<T, Undecodable> {
        serde_json::from_str(&self.0).map_err(|_| Undecodable)
    }
}

/// The engine's record after what changed of it; `None` if that is not the record it changed.
pub(crate) fn engine_since(before: Option<EngineRecord>, since: &Since) -> Option<EngineRecord> {
    since.apply(&Json::of(&before?).ok()?).and_then(|record| record.restore()).ok()
}

/// When a record was made, by everything but the wall clock.
#[derive(Clone, Copy, Serialize, Deserialize)]
struct StoredStamp {
    sequence: u64,
    epoch: EpochId,
    elapsed_seconds: u64,
}

impl StoredStamp {
    const fn of(stamp: RecordStamp) -> Self {
        let RecordStamp { sequence, epoch, elapsed_seconds } = stamp;
        Self { sequence, epoch, elapsed_seconds }
    }

    const fn restore(self) -> RecordStamp {
        let Self { sequence, epoch, elapsed_seconds } = self;
        RecordStamp { sequence, epoch, elapsed_seconds }
    }
}

/// A part of a change with its day; parts of one change share its number.
pub(crate) struct Part {
    pub(crate) day: Option<UtcDay>,
    pub(crate) number: u32,
    pub(crate) change: StoredChange,
}

/// Takes changes apart by day. `engine` is the engine's record that is stored before them.
pub(crate) fn parts(
    changes: &[Change],
    engine: Option<&EngineRecord>,
) -> Result<Vec<Part>, LogError> {
    let mut engine = engine.map(Json::of).transpose()?;
    let mut parts = Vec::new();
    for (number, change) in (0..).zip(changes) {
        let mut add = |day, change| parts.push(Part { day, number, change });
        match change {
            Change::OwnKey(key) => {
                let last = last_day(key.rolling_end());
                add(Some(last), StoredChange::OwnKey(StoredOwnKey::of(key)));
            }
            Change::DisclosedUntil(until) => add(None, StoredChange::DisclosedUntil(until.get())),
            Change::Sightings(sightings) => {
                for (day, group) in ScanGroup::of(sightings) {
                    add(Some(day), StoredChange::Scan(group));
                }
            }
            Change::Exposure(exposure) => {
                for (day, part) in ExposurePart::of(exposure) {
                    add(Some(day), StoredChange::Exposure(part));
                }
            }
            Change::Day(record) => {
                add(Some(record.assessment.day), StoredChange::Day(Json::of(record)?));
            }
            Change::Assessed(assessed) => {
                add(Some(assessed.date), StoredChange::Assessed(Json::of(assessed)?));
            }
            Change::Engine(record) => {
                let record = Json::of(record)?;
                let since = engine.and_then(|before| Since::between(&before, &record));
                let whole = || StoredChange::Engine(record.clone());
                add(None, since.map_or_else(whole, StoredChange::EngineSince));
                engine = Some(record);
            }
            Change::LiveKey(live) => {
                // It may outlive its day: it goes by the age of its publication as well.
                add(None, StoredChange::LiveKey(StoredLiveKey::of(live)));
            }
            Change::Cursor(Cursor { source, position }) => {
                add(None, StoredChange::Cursor { source: source.clone(), position: *position });
            }
            Change::Audit(entry) => {
                add(Some(entry.at.day()), StoredChange::Audit(StoredAudit::of(entry)));
            }
            Change::Forget(Horizon { before, elapsed_seconds }) => {
                let (before, elapsed_seconds) = (before.unix_seconds(), *elapsed_seconds);
                add(None, StoredChange::Forget { before, elapsed_seconds });
            }
            Change::ForgetDay(day) => add(None, StoredChange::ForgetDay(day.days_since_1970())),
            Change::ForgetEverything => {
                engine = None;
                add(None, StoredChange::ForgetEverything);
            }
            Change::Venues(venues) => add(None, StoredChange::Venues(Json::of(venues)?)),
            Change::Diary(diary) => add(None, StoredChange::Diary(Json::of(diary)?)),
            Change::Publishing(waiting) => add(None, StoredChange::Publishing(Json::of(waiting)?)),
            _ => return Err(LogError::UnknownChange),
        }
    }
    Ok(parts)
}

/// The last day on which a key that ends before `end` is valid.
fn last_day(end: IntervalNumber) -> UtcDay {
    IntervalNumber::new(end.get().saturating_sub(1)).day()
}

/// What a stored change says, once its parts are together.
pub(crate) enum Restored {
    Change(Change),
    Scan(ScanGroup),
    /// What changed of the engine's record.
    EngineSince(Since),
    SpoolTaken([u8; 16]),
    Horizon {
        horizon: Horizon,
        slot: u64,
    },
    Span {
        day: UtcDay,
        span: Span,
    },
}

/// Puts parts together again, in the order of their numbers.
#[derive(Default)]
pub(crate) struct Assembly {
    whole: Vec<(u32, Restored)>,
    exposures: BTreeMap<(u32, [u8; 16]), Vec<ExposurePart>>,
}

impl Assembly {
    pub(crate) fn add(&mut self, number: u32, part: StoredChange) -> Result<(), Undecodable> {
        let change = match part {
            StoredChange::OwnKey(key) => Change::OwnKey(key.restore()?),
            StoredChange::DisclosedUntil(until) => {
                Change::DisclosedUntil(IntervalNumber::new(until))
            }
            StoredChange::Scan(group) => {
                self.whole.push((number, Restored::Scan(group)));
                return Ok(());
            }
            StoredChange::Exposure(part) => {
                self.exposures.entry((number, part.key())).or_default().push(part);
                return Ok(());
            }
            StoredChange::Day(record) => Change::Day(record.restore::<DayRecord>()?),
            StoredChange::Assessed(assessed) => Change::Assessed(assessed.restore()?),
            StoredChange::Engine(record) => Change::Engine(record.restore()?),
            StoredChange::EngineSince(since) => {
                self.whole.push((number, Restored::EngineSince(since)));
                return Ok(());
            }
            StoredChange::LiveKey(live) => Change::LiveKey(live.restore()?),
            StoredChange::Cursor { source, position } => {
                Change::Cursor(Cursor { source, position })
            }
            StoredChange::Audit(entry) => Change::Audit(entry.restore()?),
            StoredChange::Forget { before, elapsed_seconds } => {
                Change::Forget(Horizon { before: timestamp(before)?, elapsed_seconds })
            }
            StoredChange::ForgetDay(day) => Change::ForgetDay(UtcDay::new(day)),
            StoredChange::ForgetEverything => Change::ForgetEverything,
            StoredChange::Venues(venues) => Change::Venues(venues.restore()?),
            StoredChange::Diary(diary) => Change::Diary(diary.restore()?),
            StoredChange::Publishing(waiting) => Change::Publishing(waiting.restore()?),
            StoredChange::SpoolTaken(name) => {
                self.whole.push((number, Restored::SpoolTaken(name)));
                return Ok(());
            }
            StoredChange::Horizon { before, elapsed_seconds, slot } => {
                let horizon = Horizon { before: timestamp(before)?, elapsed_seconds };
                self.whole.push((number, Restored::Horizon { horizon, slot }));
                return Ok(());
            }
            StoredChange::Span { day, span } => {
                let day = UtcDay::new(day);
                self.whole.push((number, Restored::Span { day, span }));
                return Ok(());
            }
        };
        self.whole.push((number, Restored::Change(change)));
        Ok(())
    }

    /// Everything in order. An exposure of which a part is missing is an error for itself.
    pub(crate) fn finish(self) -> (Vec<Restored>, Vec<Undecodable>) {
        let Self { mut whole, exposures } = self;
        let mut lost = Vec::new();
        for ((number, _), parts) in exposures {
            match ExposurePart::restore(parts) {
                Ok(exposure) => {
                    let exposure: Exposure = exposure;
                    whole.push((number, Restored::Change(Change::Exposure(exposure))));
                }
                Err(undecodable) => lost.push(undecodable),
            }
        }
        whole.sort_by_key(|(number, _)| *number);
        (whole.into_iter().map(|(_, restored)| restored).collect(), lost)
    }
}

fn timestamp(seconds: i64) -> Result<Timestamp, Undecodable> {
    Timestamp::from_unix_seconds(seconds).map_err(|_| Undecodable)
}
