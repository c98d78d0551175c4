//! A key file becomes exposures, conclusions about days, and announcements.
//!
//! All of a file's consequences, its source's cursor among them, go into the call's one commit.
//! The result depends only on which keys were seen and when each was first seen, not on the order,
//! grouping or repetition of files: an exposure is rebuilt whole from its key and the log, and a
//! day is concluded over all of its windows.

use std::collections::{BTreeMap, BTreeSet};

use super::{Engine, KeyFile, Output, State, Turn};
use crate::encounter_log::{
    AuditEntry, AuditedFile, Change, Cursor, DayRecord, EncounterLog, Exposure, LiveKey,
};
use crate::export::{
    ExportDigest, ExportError, KeyExport, KeyName, KeyReport, PublishedKey, Verified,
};
use crate::exposure::{ExposureWindow, WindowOrigin, exposure_windows, measure};
use crate::matching::{KeyMatch, MatchReport, Matcher, NearMisses, SightingIndex};
use crate::risk::cocoa::assess;
use crate::risk::daily_summary::{DailySummary, daily_summary};
use crate::risk::{Infectiousness, RiskLevel};
use crate::time::{INTERVAL_SECONDS, Timestamp, UtcDay};

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
    /// Keys of which everything heard was dropped.
    pub near_misses: NearMisses,
    /// Keys that were still in use, or within the tolerance, and are remembered.
    pub live_keys: u64,
    /// SHA-256 of `export.bin`: the file's identity, whatever its metadata say.
    pub digest: ExportDigest,
}

impl KeyFileReport {
    fn audited_at(&self, now: Timestamp) -> AuditEntry {
        let file = AuditedFile {
            digest: self.digest,
            keys: self.keys.delivered(),
            skipped: self.keys.skipped(),
            matched: self.keys_matched,
            near_misses: self.near_misses,
        };
        AuditEntry { at: now, outcome: Ok(file) }
    }
}

/// What a file's keys came to.
struct Matched {
    report: KeyFileReport,
    matches: Vec<KeyMatch>,
    live: Vec<LiveKey>,
}

impl<L: EncounterLog> Engine<L> {
    /// Takes one key file: results, cursor and audit entry go into `turn` together. A refused file
    /// leaves only the audit entry.
    pub(super) fn ingest_key_file(
        &self,
        file: &KeyFile<'_>,
        state: &State,
        retained_since: Timestamp,
        now: Timestamp,
        turn: &mut Turn,
    ) -> Result<Result<KeyFileReport, ExportError>, L::Error> {
        let matched = match self.vouched_for(file.bytes) {
            Ok(export) => {
                let stored = self.exposures(now)?;
                let live = self.log.live_keys()?;
                let heard = self.heard_since(retained_since)?;
                let matched = self.match_file(&export, state, &heard, &stored, &live, now);
                matched.map(|matched| (matched, stored))
            }
            Err(refused) => Err(refused),
        };
        let (Matched { report, matches, live }, stored) = match matched {
            Ok(matched) => matched,
            Err(refused) => {
                let entry = AuditEntry { at: now, outcome: Err(refused.clone()) };
                turn.changes.push(Change::Audit(entry));
                return Ok(Err(refused));
            }
        };
        turn.changes.push(Change::Audit(report.audited_at(now)));
        turn.changes.extend(live.into_iter().map(Change::LiveKey));
        if let Some((source, position)) = file.cursor {
            let source = source.to_owned();
            turn.changes.push(Change::Cursor(Cursor { source, position }));
        }
        self.keep_exposures(&matches, stored, retained_since, now, turn)?;
        Ok(Ok(report))
    }

    /// Opens a file that a trusted key vouches for; nothing is looked up for any other.
    fn vouched_for<'f>(&self, file: &'f [u8]) -> Result<KeyExport<'f, Verified>, ExportError> {
        KeyExport::from_zip(file, self.configuration.limits)?
            .verify(&self.configuration.trusted_keys)
    }

    fn heard_since(&self, instant: Timestamp) -> Result<SightingIndex, L::Error> {
        let mut heard = SightingIndex::new();
        self.log.visit_sightings(&mut |sighting| {
            if sighting.heard_at >= instant {
                heard.insert(*sighting);
            }
        })?;
        Ok(heard)
    }

    /// Matches the file's keys together with those that were matched or live before, so that
    /// sightings that came later, and records that say more, are not missed.
    fn match_file(
        &self,
        export: &KeyExport<'_, Verified>,
        state: &State,
        heard: &SightingIndex,
        stored: &[Exposure],
        known_live: &[LiveKey],
        now: Timestamp,
    ) -> Result<Matched, ExportError> {
        let own = state.keyring.keys();
        let mut matcher = Matcher::new(heard, self.configuration.matching).excluding(own);
        for exposure in stored {
            matcher.check_again(exposure.published, exposure.first_available);
        }
        for known in known_live {
            matcher.check_again(known.published, known.first_available);
        }

        let known: BTreeMap<_, _> =
            known_live.iter().map(|known| (known.published.name(), *known)).collect();
        let mut live: BTreeMap<KeyName, LiveKey> = BTreeMap::new();
        let mut keys = export.keys()?;
        for published in &mut keys {
            let published = published?;
            matcher.check(published, now);
            if self.is_live(&published, now) {
                let name = published.name();
                let merged = match live.get(&name).or_else(|| known.get(&name)) {
                    Some(known) => LiveKey {
                        published: known.published.prevailing(published),
                        first_available: known.first_available.min(now),
                    },
                    None => LiveKey { published, first_available: now },
                };
                live.insert(name, merged);
            }
        }
        let MatchReport { own_keys_excluded, matches, near_misses, .. } = matcher.finish();
        let report = KeyFileReport {
            keys: keys.into_report(),
            own_keys_excluded,
            keys_matched: matches.len() as u64,
            near_misses,
            live_keys: live.len() as u64,
            digest: export.metadata().digest,
        };
        Ok(Matched { report, matches, live: live.into_values().collect() })
    }

    /// Whether a sighting from now on could still lie within the key's tolerance.
    fn is_live(&self, published: &PublishedKey, now: Timestamp) -> bool {
        let tolerance = self.configuration.matching.tolerance_intervals;
        let end = published.key.rolling_end().start();
        now < end.saturating_add(tolerance.saturating_mul(INTERVAL_SECONDS))
    }

    fn keep_exposures(
        &self,
        matches: &[KeyMatch],
        mut exposures: Vec<Exposure>,
        retained_since: Timestamp,
        now: Timestamp,
        turn: &mut Turn,
    ) -> Result<(), L::Error> {
        let mut days = BTreeSet::new();
        for key_match in matches {
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
        Ok(())
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
            first_available: matched.first_available,
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
