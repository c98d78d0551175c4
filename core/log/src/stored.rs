//! The stored form of everything: explicit shapes, so that a change of a type in the core cannot
//! change what lies on disk.
//!
//! Enum variants and fields are positional: new ones go to the end, none is removed or moved
//! while a schema that has them can still be read.

mod audit;
mod exposure;
mod key;
mod scan;

use std::collections::BTreeMap;

use chikaku_core::encounter_log::{Change, Cursor, DayRecord, Exposure};
use chikaku_core::risk::cocoa::DayAssessment;
use chikaku_core::time::{IntervalNumber, Timestamp, UtcDay};
use serde::{Deserialize, Serialize};

use crate::codec::Undecodable;
use crate::error::LogError;
use audit::StoredAudit;
pub(crate) use exposure::ExposurePart;
use key::{StoredLiveKey, StoredOwnKey};
pub(crate) use scan::{ScanGroup, chunks};

/// One change, or one part of it that belongs to one day.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) enum StoredChange {
    OwnKey(StoredOwnKey),
    DisclosedUntil(u32),
    Scan(ScanGroup),
    Exposure(ExposurePart),
    Day {
        assessment: DayAssessment,
        announced: bool,
    },
    LiveKey(StoredLiveKey),
    Cursor {
        source: String,
        position: u64,
    },
    Audit(StoredAudit),
    ForgetBefore(i64),
    /// The spool with this name has been merged.
    SpoolTaken([u8; 16]),
    /// What is in slots up to `slot` and was heard before `instant` is forgotten.
    Horizon {
        instant: i64,
        slot: u64,
    },
}

/// A part of a change with its day; parts of one change share its number.
pub(crate) struct Part {
    pub(crate) day: Option<UtcDay>,
    pub(crate) number: u32,
    pub(crate) change: StoredChange,
}

/// Takes changes apart by day.
pub(crate) fn parts(changes: &[Change]) -> Result<Vec<Part>, LogError> {
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
            Change::Day(DayRecord { assessment, announced }) => {
                let stored = StoredChange::Day { assessment: *assessment, announced: *announced };
                add(Some(assessment.day), stored);
            }
            Change::LiveKey(live) => {
                let last = last_day(live.published.key.rolling_end());
                add(Some(last), StoredChange::LiveKey(StoredLiveKey::of(live)));
            }
            Change::Cursor(Cursor { source, position }) => {
                add(None, StoredChange::Cursor { source: source.clone(), position: *position });
            }
            Change::Audit(entry) => {
                add(Some(entry.at.day()), StoredChange::Audit(StoredAudit::of(entry)));
            }
            Change::ForgetBefore(instant) => {
                add(None, StoredChange::ForgetBefore(instant.unix_seconds()));
            }
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
    SpoolTaken([u8; 16]),
    Horizon { instant: Timestamp, slot: u64 },
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
            StoredChange::Day { assessment, announced } => {
                Change::Day(DayRecord { assessment, announced })
            }
            StoredChange::LiveKey(live) => Change::LiveKey(live.restore()?),
            StoredChange::Cursor { source, position } => {
                Change::Cursor(Cursor { source, position })
            }
            StoredChange::Audit(entry) => Change::Audit(entry.restore()?),
            StoredChange::ForgetBefore(instant) => Change::ForgetBefore(timestamp(instant)?),
            StoredChange::SpoolTaken(name) => {
                self.whole.push((number, Restored::SpoolTaken(name)));
                return Ok(());
            }
            StoredChange::Horizon { instant, slot } => {
                let instant = timestamp(instant)?;
                self.whole.push((number, Restored::Horizon { instant, slot }));
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
