//! What the log holds, in memory: everything but the sightings that are already in the pages.
//!
//! The rules of what replaces and forgets what are those of the core's [`MemoryLog`]; only
//! sightings, which are too many, are kept here by themselves.

use std::collections::{BTreeMap, BTreeSet};

use chikaku_core::encounter_log::{Change, Cursor, DayRecord, EncounterLog, MemoryLog};
use chikaku_core::sighting::Sighting;
use chikaku_core::time::{Timestamp, UtcDay};

use crate::drawers::DrawerId;
use crate::error::LogError;
use crate::pages::Place;
use crate::stored::{Part, Restored, ScanGroup, StoredChange, parts};

#[derive(Debug, Default)]
pub(crate) struct Content {
    pub(crate) memory: MemoryLog,
    pub(crate) scans: Scans,
    /// Names of cursors, which the port cannot list.
    sources: BTreeSet<String>,
    /// Days that were concluded, which the port cannot list.
    concluded: BTreeSet<UtcDay>,
    /// The last spool that was merged.
    pub(crate) spool_taken: Option<[u8; 16]>,
}

/// Everything but sightings, by the day it belongs to.
pub(crate) type Ledgers = BTreeMap<Option<UtcDay>, Vec<(u32, StoredChange)>>;

/// Sightings, and which of those in the pages are forgotten.
#[derive(Debug, Default)]
pub(crate) struct Scans {
    /// Not in the pages yet.
    pub(crate) pending: Vec<(UtcDay, ScanGroup)>,
    /// Chunks in the pages, with the day of their drawer.
    pub(crate) chunks: BTreeMap<Place, UtcDay>,
    horizons: Vec<Horizon>,
    /// The greatest slot of a chunk that there ever was.
    pub(crate) last_slot: u64,
}

/// What is in slots up to `slot` and was heard before `instant` is forgotten.
///
/// A day's key is destroyed when the whole day is over; until then its morning is only hidden.
/// What arrives later, in a higher slot, is not hidden: it is newer, whatever its time says.
#[derive(Clone, Copy, Debug)]
struct Horizon {
    instant: Timestamp,
    slot: u64,
}

impl Content {
    /// Applies what was restored. Returns the drawers of which all sightings are forgotten.
    pub(crate) fn apply(&mut self, restored: Restored) -> Vec<DrawerId> {
        let change = match restored {
            Restored::Scan(group) => {
                self.scans.pending.extend(group.day().map(|day| (day, group)));
                return Vec::new();
            }
            Restored::SpoolTaken(name) => {
                self.spool_taken = Some(name);
                return Vec::new();
            }
            Restored::Horizon { instant, slot } => {
                self.scans.last_slot = self.scans.last_slot.max(slot);
                self.scans.horizons.push(Horizon { instant, slot });
                return Vec::new();
            }
            Restored::Change(change) => change,
        };
        let mut emptied = Vec::new();
        match &change {
            Change::Cursor(Cursor { source, .. }) => {
                self.sources.insert(source.clone());
            }
            Change::Day(DayRecord { assessment, .. }) => {
                self.concluded.insert(assessment.day);
            }
            Change::ForgetBefore(instant) => {
                emptied = self.scans.forget_before(*instant);
                self.concluded.retain(|day| *day >= instant.day());
            }
            _ => {}
        }
        let Ok(()) = self.memory.commit(vec![change]);
        emptied
    }

    /// Everything but sightings, as the changes that make it.
    pub(crate) fn changes(&self) -> Vec<Change> {
        let Self { memory, sources, concluded, .. } = self;
        let Ok(own_keys) = memory.own_keys();
        let Ok(disclosed_until) = memory.disclosed_until();
        let Ok(exposures) = memory.exposures();
        let Ok(live_keys) = memory.live_keys();
        let Ok(audit) = memory.audit();
        let cursor = |source: &String| {
            let Ok(position) = memory.cursor(source);
            position.map(|position| Change::Cursor(Cursor { source: source.clone(), position }))
        };
        let day = |day: &UtcDay| {
            let Ok(record) = memory.day(*day);
            record.map(Change::Day)
        };
        let mut changes: Vec<_> = own_keys.into_iter().map(Change::OwnKey).collect();
        changes.extend(disclosed_until.map(Change::DisclosedUntil));
        changes.extend(exposures.into_iter().map(Change::Exposure));
        changes.extend(live_keys.into_iter().map(Change::LiveKey));
        changes.extend(sources.iter().filter_map(cursor));
        changes.extend(concluded.iter().filter_map(day));
        changes.extend(audit.into_iter().map(Change::Audit));
        changes
    }

    /// Everything but sightings, by the day it belongs to.
    pub(crate) fn ledgers(&self) -> Result<Ledgers, LogError> {
        let mut ledgers: BTreeMap<_, Vec<_>> = BTreeMap::new();
        for Part { day, change, .. } in parts(&self.changes())? {
            ledgers.entry(day).or_default().push((0, change));
        }
        let undated: &mut Vec<_> = ledgers.entry(None).or_default();
        undated.extend(self.spool_taken.map(|name| (0, StoredChange::SpoolTaken(name))));
        undated.extend(self.scans.horizons.iter().map(|horizon| {
            let instant = horizon.instant.unix_seconds();
            (0, StoredChange::Horizon { instant, slot: horizon.slot })
        }));
        Ok(ledgers)
    }
}

impl Scans {
    fn forget_before(&mut self, instant: Timestamp) -> Vec<DrawerId> {
        self.pending.retain_mut(|(_, group)| group.forget_before(instant));
        let mut emptied = BTreeSet::new();
        self.chunks.retain(|(drawer, _), day| {
            let kept = *day >= instant.day();
            if !kept {
                emptied.insert(*drawer);
            }
            kept
        });
        self.horizons.retain(|horizon| horizon.instant > instant);
        self.horizons.push(Horizon { instant, slot: self.last_slot });
        self.drop_needless_horizons();
        emptied.into_iter().collect()
    }

    /// A horizon matters only while there is a chunk of its day that it hides a part of.
    pub(crate) fn drop_needless_horizons(&mut self) {
        let chunks = &self.chunks;
        self.horizons.retain(|horizon| {
            chunks
                .iter()
                .any(|((_, slot), day)| *slot <= horizon.slot && day.start() < horizon.instant)
        });
    }

    /// Whether a sighting of the chunk in `slot` is forgotten.
    pub(crate) fn hides(&self, slot: u64, sighting: &Sighting) -> bool {
        self.horizons
            .iter()
            .any(|horizon| slot <= horizon.slot && sighting.heard_at < horizon.instant)
    }
}
