//! A key file becomes exposures, conclusions about days, and announcements.
//!
//! All of a file's consequences go into the call's one commit. The result depends only on which
//! keys were seen, not on the order, grouping or repetition of files: an exposure is rebuilt whole
//! from its key and the log, and a day is concluded over all of its windows.

use std::collections::BTreeSet;

use super::{Engine, Output, State, Turn};
use crate::encounter_log::{Change, DayRecord, EncounterLog, Exposure};
use crate::export::{ExportDigest, ExportError, KeyExport, KeyReport, Verified};
use crate::exposure::{ExposureWindow, WindowOrigin, exposure_windows, measure};
use crate::matching::{KeyMatch, MatchReport, Matcher, SightingIndex};
use crate::risk::cocoa::assess;
use crate::risk::daily_summary::{DailySummary, daily_summary};
use crate::risk::{Infectiousness, RiskLevel};
use crate::time::{Timestamp, UtcDay};

/// What became of a key file that was accepted.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct KeyFileReport {
    /// How many keys the file held, and which of them were skipped for what reason.
    pub keys: KeyReport,
    /// This phone's own keys.
    pub own_keys_excluded: u64,
    /// Keys of this file and earlier ones that this phone heard.
    pub keys_matched: u64,
    /// Keys heard only outside the tolerance.
    pub near_misses: u64,
    /// SHA-256 of `export.bin`: the file's identity, whatever its metadata say.
    pub digest: ExportDigest,
}

impl<L: EncounterLog> Engine<L> {
    pub(super) fn ingest_key_file(
        &self,
        file: &[u8],
        state: &State,
        retained_since: Timestamp,
        now: Timestamp,
        turn: &mut Turn,
    ) -> Result<Result<KeyFileReport, ExportError>, L::Error> {
        // Nothing is looked up for a file that nobody vouches for.
        let export = KeyExport::from_zip(file, self.configuration.limits)
            .and_then(|export| export.verify(&self.configuration.trusted_keys));
        let export = match export {
            Ok(export) => export,
            Err(refused) => return Ok(Err(refused)),
        };
        let stored = self.exposures(now)?;
        let mut heard = SightingIndex::new();
        self.log.visit_sightings(&mut |sighting| {
            if sighting.heard_at >= retained_since {
                heard.insert(*sighting);
            }
        })?;
        let (report, matched) = match self.match_file(&export, state, &heard, &stored) {
            Ok(matched) => matched,
            Err(changed) => return Ok(Err(changed)),
        };

        let mut exposures: Vec<_> = stored;
        let mut days = BTreeSet::new();
        for key_match in &matched.matches {
            let exposure = self.exposure(key_match);
            let name = exposure.published.name();
            let known = exposures.iter().position(|known| known.published.name() == name);
            if known.is_some_and(|index| exposures[index] == exposure) {
                continue;
            }
            days.extend(exposure.windows.iter().map(ExposureWindow::day));
            match known {
                Some(index) => {
                    days.extend(exposures[index].windows.iter().map(ExposureWindow::day));
                    exposures[index] = exposure.clone();
                }
                None => exposures.push(exposure.clone()),
            }
            turn.changes.push(Change::Exposure(exposure));
        }
        for day in days {
            self.conclude(day, &exposures, retained_since, now, turn)?;
        }
        Ok(Ok(report))
    }

    /// Matches the file's keys together with the keys matched before, so that sightings that came
    /// later, and records that say more, are not missed.
    fn match_file(
        &self,
        export: &KeyExport<'_, Verified>,
        state: &State,
        heard: &SightingIndex,
        stored: &[Exposure],
    ) -> Result<(KeyFileReport, MatchReport), ExportError> {
        let own = state.keyring.keys();
        let mut matcher = Matcher::new(heard, self.configuration.matching).excluding(own);
        for exposure in stored {
            matcher.check(exposure.published);
        }
        let mut keys = export.keys()?;
        for published in &mut keys {
            matcher.check(published?);
        }
        let matched = matcher.finish();
        let report = KeyFileReport {
            keys: keys.into_report(),
            own_keys_excluded: matched.own_keys_excluded,
            keys_matched: matched.matches.len() as u64,
            near_misses: matched.near_misses,
            digest: export.metadata().digest,
        };
        Ok((report, matched))
    }

    fn exposure(&self, matched: &KeyMatch) -> Exposure {
        let configuration = &self.configuration;
        let details = &matched.published.key.details;
        let origin = WindowOrigin {
            key: matched.published.key.hash(),
            report_type: configuration.mapping.report_type(details),
            infectiousness: configuration.mapping.infectiousness(details),
        };
        let (measured, unmeasured) = measure(matched, &configuration.windows);
        let windows = if origin.infectiousness == Infectiousness::None {
            Vec::new()
        } else {
            exposure_windows(&measured, &origin, &configuration.windows)
        };
        Exposure {
            published: matched.published,
            windows,
            identifiers: u32::try_from(matched.identifiers.len()).unwrap_or(u32::MAX),
            dropped: matched.dropped,
            unmeasured,
        }
    }

    /// Concludes `day` over the windows of all exposures, and announces it if it is High and the
    /// user has not been told.
    fn conclude(
        &self,
        day: UtcDay,
        exposures: &[Exposure],
        retained_since: Timestamp,
        now: Timestamp,
        turn: &mut Turn,
    ) -> Result<(), L::Error> {
        let before = self.log.day(day)?;
        let half_forgotten = day.start() < retained_since;
        if before.is_some() && half_forgotten {
            // What is left of the day would say less than was concluded from the whole of it.
            return Ok(());
        }
        let configuration = &self.configuration;
        let windows = || exposures.iter().flat_map(|exposure| &exposure.windows);
        let summaries = &configuration.daily_summaries;
        let summary = match daily_summary(day, windows(), now.day(), summaries) {
            Some(summary) => summary,
            // Nothing counts any more, since keys were withdrawn: the old conclusion must go.
            None if before.is_some() => DailySummary::empty(day),
            None => return Ok(()),
        };
        let assessment = assess(summary, windows(), &configuration.risk);
        if before.is_some_and(|record| record.assessment == assessment) {
            return Ok(());
        }
        let announced = before.is_some_and(|record| record.announced);
        turn.changes.push(Change::Day(DayRecord { assessment, announced }));
        turn.outputs.push(Output::DayAssessed(assessment));
        if assessment.level == RiskLevel::High && !announced {
            turn.outputs.push(Output::Announce(assessment));
        }
        Ok(())
    }
}
