//! What an app can ask, at any time and without changing anything.

use super::{Engine, retained_since};
use crate::clock::{ClockReading, ClockWatch};
use crate::encounter_log::{EncounterLog, Exposure};
use crate::explain::{self, ExposureExplanation, Silence, SilentDay};
use crate::risk::Assessment;
use crate::status::assessed::Assessed;
use crate::status::{AdvertisingFact, ClockFact, EngineFacts, Facts, HostFacts, Status, status};
use crate::time::{Timestamp, UtcDay};

impl<L: EncounterLog> Engine<L> {
    /// Every exposure that is not older than the retention period.
    ///
    /// # Errors
    /// The log's.
    pub fn exposures(&self, clocks: ClockReading) -> Result<Vec<Exposure>, L::Error> {
        self.exposures_since(self.retained_since(clocks))
    }

    pub(super) fn exposures_since(&self, since: Timestamp) -> Result<Vec<Exposure>, L::Error> {
        let mut exposures = self.log.exposures()?;
        exposures.retain_mut(|exposure| {
            exposure.forget(|heard_at| heard_at < since)
                || exposure.published.key.rolling_end().start() > since
        });
        Ok(exposures)
    }

    /// What was concluded about `day`, if it is not older than the retention period.
    ///
    /// # Errors
    /// The log's.
    pub fn day(&self, day: UtcDay, clocks: ClockReading) -> Result<Option<Assessment>, L::Error> {
        if day < self.retained_since(clocks).day() {
            return Ok(None);
        }
        Ok(self.log.day(day)?.map(|record| record.assessment))
    }

    /// What happened on each day that is over and remembered, one record each, by date. A day
    /// without one is a day on which this engine did not exist.
    ///
    /// # Errors
    /// The log's.
    pub fn assessed(&self, clocks: ClockReading) -> Result<Vec<Assessed>, L::Error> {
        let since = self.retained_since(clocks).day();
        let mut assessed = self.log.assessed()?;
        assessed.retain(|record| record.date >= since);
        Ok(assessed)
    }

    /// How far the key files of `source` have been matched.
    ///
    /// # Errors
    /// The log's.
    pub fn cursor(&self, source: &str) -> Result<Option<u64>, L::Error> {
        self.log.cursor(source)
    }

    /// Why each exposure is one, and what it came to.
    ///
    /// # Errors
    /// The log's.
    pub fn explanations(&self, clocks: ClockReading) -> Result<Vec<ExposureExplanation>, L::Error> {
        let exposures = self.exposures(clocks)?;
        exposures
            .iter()
            .map(|exposure| explain::explain(exposure, |day| self.log.day(day)))
            .collect()
    }

    /// Why the user was not told of `day`: every reason that applies, the nearest first.
    ///
    /// # Errors
    /// The log's.
    pub fn explain_silence(
        &self,
        day: UtcDay,
        clocks: ClockReading,
    ) -> Result<Vec<Silence>, L::Error> {
        let clock = self.clock_at(clocks);
        let now = clock.now().unwrap_or(clocks.wall);
        let mut coverage = self.state.record.coverage.clone();
        coverage.pass(now);
        let (mut counted, mut suspect) = (0, 0);
        self.log.visit_sightings(&mut |sighting| match sighting.corrected(&clock) {
            Some(corrected) => counted += u64::from(corrected.heard_at.day() == day),
            None => suspect += u64::from(sighting.heard_at.day() == day),
        })?;
        let record = self.log.day(day)?;
        let audit = self.log.audit()?;
        let silent = SilentDay {
            day,
            remembered: self.retained_since(clocks).day()..=now.day(),
            forgotten: self.state.record.forgotten_days.contains(&day),
            sightings: counted,
            sightings_of_suspect_time: suspect,
            coverage: coverage.day(day),
            record: record.as_ref(),
            audit: &audit,
        };
        Ok(explain::explain_silence(&silent))
    }

    /// Whether the phone takes part, and everything that keeps it from it. `host` is what only the
    /// host can know.
    #[must_use]
    pub fn status(&self, host: HostFacts, clocks: ClockReading) -> Status {
        let clock = self.clock_at(clocks);
        let now = clock.now().unwrap_or(clocks.wall);
        let record = &self.state.record;
        let mut coverage = record.coverage.clone();
        coverage.pass(now);
        let advertising = if self.state.running {
            self.state.advertising.fact(now)
        } else {
            AdvertisingFact::Unconfirmed
        };
        let trusted_keys = u32::try_from(self.configuration.trusted_keys.len());
        let engine = EngineFacts {
            switched_on: record.switched_on,
            advertising,
            scans_missing_seconds: coverage.scans_missing(now),
            coverage: coverage.day(now.day().saturating_sub(1)),
            clock: clock_fact(&clock),
            log: self.log_fact,
            trusted_keys: trusted_keys.unwrap_or(u32::MAX),
            key_files: record.key_files,
            configuration_rejected: record.configuration_rejected,
            configuration_invalid: record.accepted.is_none() && self.built_in_is_invalid,
            throttled_until: record.budget.throttled_until(now, clock.elapsed_seconds()),
            last_scan: record.last_scan,
            next_due: self.next_wake(),
        };
        status(&Facts { now, rules: self.configuration.status, host, engine })
    }

    /// The engine's judgement of the clock, were it read now.
    pub(super) fn clock_at(&self, clocks: ClockReading) -> ClockWatch {
        let mut clock = self.state.record.clock.clone();
        clock.read(clocks);
        clock
    }

    pub(super) fn retained_since(&self, clocks: ClockReading) -> Timestamp {
        let now = self.clock_at(clocks).retention_now().unwrap_or(clocks.wall);
        retained_since(&self.configuration, now)
    }
}

fn clock_fact(clock: &ClockWatch) -> ClockFact {
    match clock.wall_ahead_seconds() {
        Some(ahead_seconds) if ahead_seconds != 0 => ClockFact::Wrong { ahead_seconds },
        _ if clock.is_suspect() => ClockFact::Suspect,
        _ => ClockFact::Good,
    }
}
