//! An encounter log in memory: the simulator's, the tests', and the reference for durable ones.

use core::convert::Infallible;
use std::collections::BTreeMap;

use super::{
    AuditEntry, Change, DayRecord, EncounterLog, EngineRecord, Exposure, Horizon, LiveKey,
};
use crate::diary::Diary;
use crate::export::KeyName;
use crate::keys::TemporaryExposureKey;
use crate::publish::Publishing;
use crate::sighting::Sighting;
use crate::status::assessed::Assessed;
use crate::time::{IntervalNumber, UtcDay};
use crate::venue::VenueDiary;

/// Keeps everything in ordered maps; a commit cannot fail.
#[derive(Clone, Debug, Default)]
pub struct MemoryLog {
    own_keys: BTreeMap<IntervalNumber, TemporaryExposureKey>,
    disclosed_until: Option<IntervalNumber>,
    sightings: BTreeMap<UtcDay, Vec<Sighting>>,
    exposures: BTreeMap<KeyName, Exposure>,
    live_keys: BTreeMap<KeyName, LiveKey>,
    cursors: BTreeMap<String, u64>,
    audit: Vec<AuditEntry>,
    days: BTreeMap<UtcDay, DayRecord>,
    assessed: BTreeMap<UtcDay, Assessed>,
    engine: Option<Box<EngineRecord>>,
    venues: VenueDiary,
    diary: Option<Diary>,
    publishing: Publishing,
}

impl MemoryLog {
    /// An empty log.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    fn forget(&mut self, horizon: Horizon) {
        let instant = horizon.before;
        self.own_keys.retain(|_, key| key.rolling_end().start() > instant);
        self.disclosed_until = self.disclosed_until.filter(|until| until.start() > instant);
        self.sightings.retain(|_, sightings| {
            sightings.retain(|sighting| !horizon.hides(sighting));
            !sightings.is_empty()
        });
        self.exposures.retain(|_, exposure| {
            exposure.forget(|heard_at| heard_at < instant)
                || exposure.published.key.rolling_end().start() > instant
        });
        // By date and by age: a clock that is ahead must not make a key look new to a sighting that
        // is still there, and that was heard when the key was public.
        self.live_keys.retain(|_, live| {
            live.published.key.rolling_end().start() > instant
                || live.first_available.elapsed_seconds >= horizon.elapsed_seconds
        });
        self.audit.retain(|entry| entry.at >= instant);
        self.days.retain(|day, _| *day >= instant.day());
        self.assessed.retain(|day, _| *day >= instant.day());
        self.venues.forget_before(instant);
        self.publishing.forget_before(instant);
        self.diary.take_if(|diary| !diary.outlives(instant));
    }

    fn forget_day(&mut self, day: UtcDay) {
        self.own_keys.retain(|_, key| !key.touches(day));
        self.sightings.remove(&day);
        self.exposures.retain(|_, exposure| exposure.forget_day(day));
        self.days.remove(&day);
        self.assessed.remove(&day);
        self.venues.forget_day(day);
        self.publishing.forget_day(day);
        if let Some(diary) = &mut self.diary {
            diary.forget_day(day);
        }
    }
}

impl EncounterLog for MemoryLog {
    type Error = Infallible;

    fn commit(&mut self, changes: Vec<Change>) -> Result<(), Infallible> {
        for change in changes {
            match change {
                Change::OwnKey(key) => {
                    self.own_keys.insert(key.rolling_start(), key);
                }
                Change::DisclosedUntil(interval) => {
                    self.disclosed_until = self.disclosed_until.max(Some(interval));
                }
                Change::Sightings(sightings) => {
                    for sighting in sightings {
                        self.sightings.entry(sighting.heard_at.day()).or_default().push(sighting);
                    }
                }
                Change::Exposure(exposure) => {
                    self.exposures.insert(exposure.published.name(), exposure);
                }
                Change::LiveKey(live) => {
                    self.live_keys.insert(live.published.name(), live);
                }
                Change::Cursor(cursor) => {
                    self.cursors.insert(cursor.source, cursor.position);
                }
                Change::Audit(entry) => self.audit.push(entry),
                Change::Day(record) => {
                    self.days.insert(record.assessment.day, record);
                }
                Change::Assessed(assessed) => {
                    self.assessed.insert(assessed.date, assessed);
                }
                Change::Engine(record) => self.engine = Some(record),
                Change::Venues(venues) => self.venues = *venues,
                Change::Diary(diary) => self.diary = Some(*diary),
                Change::Publishing(publishing) => self.publishing = *publishing,
                Change::Forget(horizon) => self.forget(horizon),
                Change::ForgetDay(day) => self.forget_day(day),
                Change::ForgetEverything => *self = Self::default(),
            }
        }
        Ok(())
    }

    fn own_keys(&self) -> Result<Vec<TemporaryExposureKey>, Infallible> {
        Ok(self.own_keys.values().cloned().collect())
    }

    fn disclosed_until(&self) -> Result<Option<IntervalNumber>, Infallible> {
        Ok(self.disclosed_until)
    }

    fn visit_sightings(&self, visit: &mut dyn FnMut(&Sighting)) -> Result<(), Infallible> {
        self.sightings.values().flatten().for_each(visit);
        Ok(())
    }

    fn exposures(&self) -> Result<Vec<Exposure>, Infallible> {
        Ok(self.exposures.values().cloned().collect())
    }

    fn live_keys(&self) -> Result<Vec<LiveKey>, Infallible> {
        Ok(self.live_keys.values().copied().collect())
    }

    fn cursor(&self, source: &str) -> Result<Option<u64>, Infallible> {
        Ok(self.cursors.get(source).copied())
    }

    fn audit(&self) -> Result<Vec<AuditEntry>, Infallible> {
        Ok(self.audit.clone())
    }

    fn day(&self, day: UtcDay) -> Result<Option<DayRecord>, Infallible> {
        Ok(self.days.get(&day).cloned())
    }

    fn assessed(&self) -> Result<Vec<Assessed>, Infallible> {
        Ok(self.assessed.values().cloned().collect())
    }

    fn engine_record(&self) -> Result<Option<EngineRecord>, Infallible> {
        Ok(self.engine.as_deref().cloned())
    }

    fn venues(&self) -> Result<VenueDiary, Infallible> {
        Ok(self.venues.clone())
    }

    fn diary(&self) -> Result<Option<Diary>, Infallible> {
        Ok(self.diary.clone())
    }

    fn publishing(&self) -> Result<Publishing, Infallible> {
        Ok(self.publishing.clone())
    }
}
