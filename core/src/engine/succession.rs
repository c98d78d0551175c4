//! From a phone to its successor.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::{Engine, Output, State, Turn};
use crate::clock::ClockReading;
use crate::clock::signed_intervals::KeyTag;
use crate::encounter_log::{Change, Cursor, EncounterLog, Exposure, LiveKey, LogContents};
use crate::keys::TemporaryExposureKey;
use crate::sighting::Sighting;

impl<L: EncounterLog> Engine<L> {
    /// Everything that another phone needs to take this one's place, within the retention period.
    /// `sources` are the names of the cursors to take along.
    ///
    /// The user stops tracing here first: what this phone broadcasts afterwards, the other one
    /// cannot publish.
    ///
    /// # Errors
    /// The log's.
    pub fn contents(
        &self,
        sources: &[&str],
        clocks: ClockReading,
    ) -> Result<LogContents, L::Error> {
        let clock = self.clock_at(clocks);
        let horizon = self.horizon_at(clocks);
        let (mut sightings, mut left_behind) = (Vec::new(), 0);
        self.log.visit_sightings(&mut |sighting| {
            if horizon.hides(sighting) {
                return;
            }
            match sighting.corrected(&clock) {
                Some(corrected) => sightings.push(Sighting { stamp: None, ..corrected }),
                None => left_behind += 1,
            }
        })?;
        let mut cursors = Vec::new();
        for source in sources {
            let position = self.log.cursor(source)?;
            cursors
                .extend(position.map(|position| Cursor { source: (*source).to_owned(), position }));
        }
        let report = self.report_days(clocks)?;
        let mut days = Vec::new();
        for day in report.days() {
            days.extend(self.log.day(day.date)?);
        }
        let since = horizon.before;
        Ok(LogContents {
            own_keys: self.log.own_keys()?,
            disclosed_until: self.log.disclosed_until()?,
            sightings,
            exposures: self.exposures_since(since)?,
            live_keys: self.log.live_keys()?,
            days,
            assessed: self.assessed(clocks)?,
            audit: self.log.audit()?.into_iter().filter(|entry| entry.at >= since).collect(),
            cursors,
            forgotten_days: self.state.record.forgotten_days.clone(),
            accepted: self.state.record.accepted.clone(),
            left_behind,
        })
    }
}

impl State {
    /// Takes another phone's place. What this phone has itself stays, and comes first where both
    /// say something of one day or one key.
    pub(super) fn succeed<L: EncounterLog>(
        &mut self,
        contents: LogContents,
        log: &L,
        turn: &mut Turn,
    ) -> Result<(), L::Error> {
        let Some(stamp) = self.record.clock.stamp() else { return Ok(()) };
        let since = turn.horizon.before;
        self.record.forgotten_days.extend(contents.forgotten_days);
        let forgotten = self.record.forgotten_days.clone();
        if self.record.accepted.is_none() {
            self.record.accepted = contents.accepted;
        }

        let mut keys = 0_u64;
        let is_wanted = |key: &TemporaryExposureKey| {
            key.rolling_end().start() > since && !forgotten.iter().any(|day| key.touches(*day))
        };
        for key in contents.own_keys.into_iter().filter(is_wanted) {
            if let Some(key) = self.keyring.adopt(key, turn.now.interval()) {
                self.claim(&key);
                turn.changes.push(Change::OwnKey(key));
                keys += 1;
            }
        }
        self.keyring.disclosed_by(contents.disclosed_until);
        turn.changes.extend(self.keyring.disclosed_until().map(Change::DisclosedUntil));
        self.own_identifiers = Arc::new(self.keyring.identifiers());

        // A log that is handed over twice adds nothing the second time.
        let mut known = BTreeSet::new();
        log.visit_sightings(&mut |sighting| {
            known.insert(Sighting { stamp: None, ..*sighting });
        })?;
        let sightings: Vec<_> = contents
            .sightings
            .into_iter()
            .map(|sighting| Sighting { stamp: None, ..sighting })
            .filter(|sighting| {
                sighting.heard_at >= since
                    && sighting.heard_at <= turn.now
                    && !forgotten.contains(&sighting.heard_at.day())
                    && !known.contains(sighting)
            })
            .collect();
        let kept = sightings.len() as u64;
        turn.changes.push(Change::Sightings(sightings));
        let own = log.exposures()?;
        for mut exposure in contents.exposures {
            let known = own.iter().any(|own| own.published.name() == exposure.published.name());
            let remains = forgotten.iter().all(|day| exposure.forget_day(*day));
            if !known && remains {
                turn.changes
                    .push(Change::Exposure(Exposure { first_available: stamp, ..exposure }));
            }
        }
        let live = contents.live_keys.into_iter();
        turn.changes
            .extend(live.map(|live| Change::LiveKey(LiveKey { first_available: stamp, ..live })));
        for record in contents.days {
            let day = record.assessment.day;
            if day >= since.day() && !forgotten.contains(&day) && log.day(day)?.is_none() {
                turn.changes.push(Change::Day(record));
            }
        }
        let own: Vec<_> = log.assessed()?.into_iter().map(|record| record.date).collect();
        let foreign = contents.assessed.into_iter().filter(|record| {
            record.date >= since.day()
                && !forgotten.contains(&record.date)
                && !own.contains(&record.date)
        });
        turn.changes.extend(foreign.map(Change::Assessed));
        let own = log.audit()?;
        let audit = contents.audit.into_iter();
        let audit = audit.filter(|entry| entry.at >= since && !own.contains(entry));
        turn.changes.extend(audit.map(Change::Audit));
        for cursor in contents.cursors {
            if log.cursor(&cursor.source)?.is_none() {
                turn.changes.push(Change::Cursor(cursor));
            }
        }
        turn.outputs.push(Output::Succeeded { own_keys: keys, sightings: kept });
        Ok(())
    }

    /// No other key makes an identifier of these intervals any more.
    fn claim(&mut self, key: &TemporaryExposureKey) {
        let tag = KeyTag::of(key);
        let intervals = key.rolling_start().get()..key.rolling_end().get();
        for interval in intervals.map(crate::time::IntervalNumber::new) {
            // Used with another key here: that one is not adopted for it.
            let _used = self.record.signed.sign(interval, tag);
        }
    }
}
