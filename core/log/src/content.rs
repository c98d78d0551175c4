//! What the log holds, in memory: everything but the sightings that are already in the pages.
//!
//! The rules of what replaces and forgets what are those of the core's [`MemoryLog`]; only
//! sightings, which are too many, are kept here by themselves.

use std::collections::{BTreeMap, BTreeSet};

use chikaku_core::diary::Diary;
use chikaku_core::encounter_log::{
    Change, Cursor, DayRecord, EncounterLog, EngineRecord, Horizon, MemoryLog,
};
use chikaku_core::publish::Publishing;
use chikaku_core::sighting::Sighting;
use chikaku_core::time::UtcDay;
use chikaku_core::venue::VenueDiary;

use crate::drawers::DrawerId;
use crate::error::LogError;
use crate::pages::Place;
use crate::stored::{Part, Restored, ScanGroup, Span, StoredChange, engine_since, parts};

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
    /// From when to when the chunks of a day reach; those of a day that is not here are unknown.
    spans: BTreeMap<UtcDay, Span>,
    horizons: Vec<(Horizon, u64)>,
    /// The greatest slot of a chunk that there ever was.
    pub(crate) last_slot: u64,
}

/// What is empty now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Emptied {
    /// All sightings of a drawer are forgotten.
    Drawer(DrawerId),
    /// All of a day is; what is left of other days and lay with it is to be written anew.
    Day(UtcDay),
    /// Something that has no day's drawer is forgotten: old versions of what has none go.
    Undated,
    Everything,
}

impl Content {
    /// Applies what was restored. Returns what is empty by that.
    pub(crate) fn apply(&mut self, restored: Restored) -> Vec<Emptied> {
        let change = match restored {
            Restored::Scan(group) => {
                self.scans.pending.extend(group.day().map(|day| (day, group)));
                return Vec::new();
            }
            Restored::SpoolTaken(name) => {
                self.spool_taken = Some(name);
                return Vec::new();
            }
            Restored::Horizon { horizon, slot } => {
                self.scans.last_slot = self.scans.last_slot.max(slot);
                self.scans.horizons.push((horizon, slot));
                return Vec::new();
            }
            Restored::Span { day, span } => {
                self.scans.spans.insert(day, span);
                return Vec::new();
            }
            Restored::EngineSince(since) => {
                // Of a damaged log, whose last records are missing, the last whole one stays.
                let Some(record) = engine_since(self.engine(), &since) else { return Vec::new() };
                Change::Engine(Box::new(record))
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
            Change::Forget(horizon) => {
                emptied = self.scans.forget(*horizon);
                self.concluded.retain(|day| *day >= horizon.before.day());
            }
            Change::ForgetDay(day) => {
                self.scans.forget_day(*day);
                self.concluded.remove(day);
                emptied.push(Emptied::Day(*day));
            }
            Change::ForgetEverything => {
                let last_slot = self.scans.last_slot;
                let scans = Scans { last_slot, ..Scans::default() };
                *self = Self { scans, spool_taken: self.spool_taken, ..Self::default() };
                emptied.push(Emptied::Everything);
            }
            _ => {}
        }
        let forgets = matches!(change, Change::Forget(_));
        let before = forgets.then(|| self.undated());
        let Ok(()) = self.memory.commit(vec![change]);
        if before.is_some_and(|before| before != self.undated()) {
            emptied.push(Emptied::Undated);
        }
        emptied
    }

    pub(crate) fn engine(&self) -> Option<EngineRecord> {
        let Ok(record) = self.memory.engine_record();
        record
    }

    /// What has dates of its own and no day's drawer.
    fn undated(&self) -> (VenueDiary, Option<Diary>, Publishing) {
        let (Ok(venues), Ok(diary)) = (self.memory.venues(), self.memory.diary());
        let Ok(publishing) = self.memory.publishing();
        (venues, diary, publishing)
    }

    /// Everything but sightings, as the changes that make it.
    pub(crate) fn changes(&self) -> Vec<Change> {
        let Self { memory, sources, concluded, .. } = self;
        let Ok(own_keys) = memory.own_keys();
        let Ok(disclosed_until) = memory.disclosed_until();
        let Ok(exposures) = memory.exposures();
        let Ok(live_keys) = memory.live_keys();
        let Ok(audit) = memory.audit();
        let Ok(assessed) = memory.assessed();
        let (venues, diary, publishing) = self.undated();
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
        changes.extend(assessed.into_iter().map(Change::Assessed));
        changes.extend(audit.into_iter().map(Change::Audit));
        changes.extend(self.engine().map(|record| Change::Engine(Box::new(record))));
        let visited = venues != VenueDiary::default();
        changes.extend(visited.then(|| Change::Venues(Box::new(venues))));
        changes.extend(diary.map(|diary| Change::Diary(Box::new(diary))));
        let waits = publishing != Publishing::default();
        changes.extend(waits.then(|| Change::Publishing(Box::new(publishing))));
        changes
    }

    /// Everything but sightings, by the day it belongs to.
    pub(crate) fn ledgers(&self) -> Result<Ledgers, LogError> {
        let mut ledgers: BTreeMap<_, Vec<_>> = BTreeMap::new();
        for Part { day, change, .. } in parts(&self.changes(), None)? {
            ledgers.entry(day).or_default().push((0, change));
        }
        let undated: &mut Vec<_> = ledgers.entry(None).or_default();
        undated.extend(self.spool_taken.map(|name| (0, StoredChange::SpoolTaken(name))));
        undated.extend(self.scans.horizons.iter().map(|(horizon, slot)| {
            let Horizon { before, elapsed_seconds } = *horizon;
            let before = before.unix_seconds();
            (0, StoredChange::Horizon { before, elapsed_seconds, slot: *slot })
        }));
        for (day, span) in self.scans.spans() {
            let span = StoredChange::Span { day: day.days_since_1970(), span };
            ledgers.entry(Some(day)).or_default().push((0, span));
        }
        Ok(ledgers)
    }
}

impl Scans {
    fn forget(&mut self, horizon: Horizon) -> Vec<Emptied> {
        self.pending.retain_mut(|(_, group)| group.forget(&horizon));
        let emptied: BTreeSet<_> = self
            .spans
            .iter()
            .filter(|(_, span)| span.is_beyond(&horizon))
            .map(|(day, _)| *day)
            .collect();
        let is_emptied = |(_, day): &(&Place, &UtcDay)| emptied.contains(*day);
        let drawers: BTreeSet<_> =
            self.chunks.iter().filter(is_emptied).map(|((drawer, _), _)| *drawer).collect();
        self.chunks.retain(|_, day| !emptied.contains(day));
        self.spans.retain(|day, _| !emptied.contains(day));
        self.horizons.retain(|(earlier, _)| {
            earlier.before > horizon.before || earlier.elapsed_seconds > horizon.elapsed_seconds
        });
        self.horizons.push((horizon, self.last_slot));
        self.drop_needless_horizons();
        drawers.into_iter().map(Emptied::Drawer).collect()
    }

    fn forget_day(&mut self, day: UtcDay) {
        self.pending.retain(|(of, _)| *of != day);
        self.chunks.retain(|_, of| *of != day);
        self.spans.remove(&day);
        self.drop_needless_horizons();
    }

    /// Spans of the days once everything pending is in the pages.
    pub(crate) fn spans(&self) -> BTreeMap<UtcDay, Span> {
        let mut spans = self.spans.clone();
        for (day, group) in &self.pending {
            let span = spans.entry(*day).or_default();
            *span = span.and(group.span());
        }
        spans
    }

    /// Everything pending is in the pages now, in `chunks` up to `last_slot`.
    pub(crate) fn settle(&mut self, chunks: Vec<(Place, UtcDay)>, last_slot: u64) {
        self.spans = self.spans();
        self.pending.clear();
        self.chunks.extend(chunks);
        self.last_slot = last_slot;
        self.drop_needless_horizons();
    }

    /// Whether there are sightings of `day`.
    pub(crate) fn has(&self, day: UtcDay) -> bool {
        self.spans.contains_key(&day) || self.pending.iter().any(|(of, _)| *of == day)
    }

    /// A horizon matters only while there is a chunk that it hides a part of.
    fn drop_needless_horizons(&mut self) {
        let Self { chunks, spans, .. } = self;
        self.horizons.retain(|(horizon, last)| {
            chunks.iter().any(|((_, slot), day)| {
                slot <= last && spans.get(day).is_none_or(|span| span.is_touched_by(horizon))
            })
        });
    }

    /// Whether a sighting of the chunk in `slot` is forgotten. A day's key is destroyed when the
    /// whole day is over; until then its morning is only hidden. What arrives later, in a higher
    /// slot, is not hidden: it was not there when the rest was forgotten.
    pub(crate) fn hides(&self, slot: u64, sighting: &Sighting) -> bool {
        self.horizons.iter().any(|(horizon, last)| slot <= *last && horizon.hides(sighting))
    }
}
