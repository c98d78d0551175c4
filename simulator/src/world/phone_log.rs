//! A phone's encounter log: the core's own, seen through glasses where a defence is switched off.

use core::convert::Infallible;

use chikaku_core::clock::{EpochId, RecordStamp};
use chikaku_core::diary::Diary;
use chikaku_core::encounter_log::{
    AuditEntry, Change, DayRecord, EncounterLog, EngineRecord, Exposure, LiveKey, MemoryLog,
};
use chikaku_core::keys::TemporaryExposureKey;
use chikaku_core::publish::Publishing;
use chikaku_core::sighting::Sighting;
use chikaku_core::status::assessed::Assessed;
use chikaku_core::time::{IntervalNumber, Timestamp, UtcDay};
use chikaku_core::venue::VenueDiary;

/// How often what is too old is taken out of the log.
const FORGET_EVERY_SECONDS: i64 = 3600;

/// A log in memory.
#[derive(Clone, Debug, Default)]
pub(super) struct PhoneLog {
    log: MemoryLog,
    /// Hides when a sighting was recorded, so that it always seems to be from before a key was
    /// public.
    hides_age: bool,
    /// Shows every sighting as one of this epoch: the first, which nobody doubts.
    one_epoch: Option<EpochId>,
    sightings: u64,
    forgot_before: Option<Timestamp>,
}

impl PhoneLog {
    pub(super) fn new(hides_age: bool, hides_epochs: bool) -> Self {
        // Epochs are counted from 1, and only a stored one can be had from a number.
        let first = hides_epochs.then(|| serde_json::from_value(1.into()).unwrap_or_default());
        Self { hides_age, one_epoch: first, ..Self::default() }
    }

    /// An empty log that is seen through the same glasses.
    pub(super) fn emptied(&self) -> Self {
        Self { hides_age: self.hides_age, one_epoch: self.one_epoch, ..Self::default() }
    }

    /// Sightings that were ever written.
    pub(super) const fn sightings_written(&self) -> u64 {
        self.sightings
    }

    fn shown(&self, stamp: RecordStamp) -> RecordStamp {
        let mut stamp = stamp;
        if self.hides_age {
            (stamp.elapsed_seconds, stamp.sequence) = (0, 0);
        }
        stamp.epoch = self.one_epoch.unwrap_or(stamp.epoch);
        stamp
    }
}

impl EncounterLog for PhoneLog {
    type Error = Infallible;

    fn commit(&mut self, changes: Vec<Change>) -> Result<(), Infallible> {
        let mut changes = changes;
        changes.retain(|change| match change {
            Change::Sightings(sightings) => {
                self.sightings += sightings.len() as u64;
                true
            }
            Change::Forget(horizon) => {
                // The engine passes over what is too old; going through the whole log for it in
                // every commit took most of the time of a long simulation.
                let due = self.forgot_before.is_none_or(|before| {
                    !(0..FORGET_EVERY_SECONDS).contains(&horizon.before.seconds_since(before))
                });
                self.forgot_before = if due { Some(horizon.before) } else { self.forgot_before };
                due
            }
            _ => true,
        });
        self.log.commit(changes)
    }

    fn own_keys(&self) -> Result<Vec<TemporaryExposureKey>, Infallible> {
        self.log.own_keys()
    }

    fn disclosed_until(&self) -> Result<Option<IntervalNumber>, Infallible> {
        self.log.disclosed_until()
    }

    fn visit_sightings(&self, visit: &mut dyn FnMut(&Sighting)) -> Result<(), Infallible> {
        if !self.hides_age && self.one_epoch.is_none() {
            return self.log.visit_sightings(visit);
        }
        self.log.visit_sightings(&mut |sighting| {
            visit(&Sighting { stamp: sighting.stamp.map(|stamp| self.shown(stamp)), ..*sighting });
        })
    }

    fn exposures(&self) -> Result<Vec<Exposure>, Infallible> {
        self.log.exposures()
    }

    fn live_keys(&self) -> Result<Vec<LiveKey>, Infallible> {
        self.log.live_keys()
    }

    fn cursor(&self, source: &str) -> Result<Option<u64>, Infallible> {
        self.log.cursor(source)
    }

    fn audit(&self) -> Result<Vec<AuditEntry>, Infallible> {
        self.log.audit()
    }

    fn day(&self, day: UtcDay) -> Result<Option<DayRecord>, Infallible> {
        self.log.day(day)
    }

    fn assessed(&self) -> Result<Vec<Assessed>, Infallible> {
        self.log.assessed()
    }

    fn engine_record(&self) -> Result<Option<EngineRecord>, Infallible> {
        self.log.engine_record()
    }

    fn venues(&self) -> Result<VenueDiary, Infallible> {
        self.log.venues()
    }

    fn diary(&self) -> Result<Option<Diary>, Infallible> {
        self.log.diary()
    }

    fn publishing(&self) -> Result<Publishing, Infallible> {
        self.log.publishing()
    }
}
