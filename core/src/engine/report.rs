//! Documents for the phone's user, put together from the log.

use std::collections::{BTreeMap, BTreeSet};

use super::Engine;
use crate::clock::ClockReading;
use crate::encounter_log::{EncounterLog, Horizon};
use crate::keys::RollingProximityIdentifier;
use crate::report::cocoa_exposure_data::{ExportOrigin, ExposureData};
use crate::report::days::{DayConclusion, DayView, DaysReport};
use crate::risk::RiskLevel;
use crate::time::{DAY_SECONDS, UtcDay};

/// What was heard on one day, whoever it was of.
#[derive(Default)]
struct HeardOnDay {
    identifiers: BTreeSet<RollingProximityIdentifier>,
    sightings: u64,
}

impl<L: EncounterLog> Engine<L> {
    /// What is known about every day that is remembered, today included.
    ///
    /// # Errors
    /// The log's.
    pub fn report_days(&self, clocks: ClockReading) -> Result<DaysReport, L::Error> {
        let clock = self.clock_at(clocks);
        let now = clock.now().unwrap_or(clocks.wall);
        let mut coverage = self.state.record.coverage.clone();
        coverage.pass(now);
        let horizon = self.horizon_at(clocks);
        let mut heard: BTreeMap<UtcDay, HeardOnDay> = BTreeMap::new();
        self.log.visit_sightings(&mut |sighting| {
            if let Some(sighting) = sighting.corrected(&clock).filter(|_| !horizon.hides(sighting))
            {
                let day = heard.entry(sighting.heard_at.day()).or_default();
                day.identifiers.insert(sighting.advertisement.identifier);
                day.sightings += 1;
            }
        })?;
        let audit = self.log.audit()?;
        let exposures = self.exposures_since(horizon.before)?;
        let mut days = Vec::new();
        for day in self.remembered_days(clocks) {
            let mut view = DayView::new(day);
            let scans = coverage.day(day);
            view.minutes_planned = scans.map(|scans| scans.minutes_planned());
            view.minutes_scanned = scans.map(|scans| scans.minutes_scanned());
            let heard = heard.remove(&day).unwrap_or_default();
            view.identifiers_heard = Some(heard.identifiers.len() as u64);
            view.sightings = Some(heard.sightings);
            let checked = audit.iter().filter(|entry| entry.at.day() >= day);
            let checked = checked.filter_map(|entry| entry.outcome.as_ref().ok());
            view.keys_checked =
                Some(checked.fold(0, |sum: u64, file| sum.saturating_add(file.keys)));
            for exposure in &exposures {
                view.add_exposure(exposure.key_hash(), &exposure.windows);
            }
            let record = self.log.day(day)?;
            view.conclusion =
                record.map(|record| DayConclusion::new(&record.assessment, record.announced));
            days.push(view);
        }
        Ok(DaysReport::new(days))
    }

    /// COCOA's `exposure_data.json`. Daily summaries are those of profiles that have them (`gaen`,
    /// `cocoa-v2`).
    ///
    /// # Errors
    /// The log's.
    pub fn cocoa_exposure_data(
        &self,
        origin: ExportOrigin,
        clocks: ClockReading,
    ) -> Result<ExposureData, L::Error> {
        let exposures = self.exposures(clocks)?;
        let mut summaries = Vec::new();
        for day in self.remembered_days(clocks) {
            summaries.extend(self.log.day(day)?.and_then(|record| record.assessment.summary));
        }
        let windows = exposures.iter().flat_map(|exposure| &exposure.windows);
        Ok(ExposureData::new(origin, &summaries, windows))
    }

    /// The days of which the user was to be told, for [`crate::guidance`].
    ///
    /// # Errors
    /// The log's.
    pub fn high_days(&self, clocks: ClockReading) -> Result<BTreeSet<UtcDay>, L::Error> {
        let mut days = BTreeSet::new();
        for day in self.remembered_days(clocks) {
            let record = self.log.day(day)?;
            days.extend(
                record.filter(|r| r.assessment.level == RiskLevel::High).map(|r| r.assessment.day),
            );
        }
        Ok(days)
    }

    /// Every day within the retention period, up to today.
    fn remembered_days(&self, clocks: ClockReading) -> impl Iterator<Item = UtcDay> + use<L> {
        let first = self.horizon_at(clocks).before.day().days_since_1970();
        let today = self.clock_at(clocks).now().unwrap_or(clocks.wall).day().days_since_1970();
        // A clock far ahead must not make this walk centuries.
        let last = today.min(first.saturating_add(2 * self.configuration.retention_days));
        (first..=last).map(UtcDay::new)
    }

    pub(super) fn horizon_at(&self, clocks: ClockReading) -> Horizon {
        let clock = self.clock_at(clocks);
        let retention = u64::from(self.configuration.retention_days) * u64::from(DAY_SECONDS);
        Horizon {
            before: self.retained_since(clocks),
            elapsed_seconds: clock.elapsed_seconds().saturating_sub(retention),
        }
    }
}
