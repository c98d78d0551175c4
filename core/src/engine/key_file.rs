//! A key file becomes exposures, conclusions about days, and announcements.
//!
//! All of a file's consequences, its source's cursor among them, go into the call's one commit.
//! The result depends only on which keys were seen and when each was first seen, not on the order,
//! grouping or repetition of files: an exposure is rebuilt whole from its key and the log, and a
//! day is concluded over all of its windows.

use std::collections::{BTreeMap, BTreeSet};

use super::{Engine, KeyFile, Output, State, Turn};
use crate::clock::RecordStamp;
use crate::clock::availability::{defer_until, first_available};
use crate::encounter_log::{
    AuditEntry, AuditedFile, Change, Cursor, DayRecord, EncounterLog, Exposure, LiveKey,
};
use crate::export::{
    ExportDigest, ExportError, KeyExport, KeyName, KeyReport, PublishedKey, Verified,
};
use crate::exposure::{exposure_windows, measure};
use crate::matching::{KeyMatch, MatchReport, Matcher, NearMisses, SightingIndex};
use crate::risk::{Assessment, KeyEvidence, RiskLevel, RiskProfile};
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
    found: MatchReport,
    live: Vec<LiveKey>,
}

/// What is in the log before a file comes, and what the file is matched against.
struct Remembered {
    exposures: Vec<Exposure>,
    live: Vec<LiveKey>,
    heard: SightingIndex,
}

impl<L: EncounterLog> Engine<L> {
    /// Takes one key file: results, cursor and audit entry go into `turn` together. A refused file
    /// leaves only the audit entry.
    pub(super) fn ingest_key_file(
        &self,
        file: &KeyFile<'_>,
        state: &mut State,
        turn: &mut Turn,
    ) -> Result<(), L::Error> {
        let elapsed = state.record.clock.elapsed_seconds();
        if let Err(throttled) = state.record.budget.take(turn.now, elapsed) {
            let until = state.record.clock.wall_at(throttled.until);
            turn.outputs.push(Output::KeyFileThrottled { until });
            return Ok(());
        }
        let export = match self.vouched_for(file.bytes) {
            Ok(export) => export,
            Err(refused) => {
                state.refuse_file(refused, turn);
                return Ok(());
            }
        };
        // Who signed the file knew what time it was. What this proves holds for this file already.
        if let Some(end) = export.metadata().end {
            state.record.clock.prove_at_least(end);
        }
        let Some(stamp) = state.record.clock.stamp() else { return Ok(()) };
        let remembered = self.remembered(state, turn)?;
        let matched = match self.match_file(&export, state, &remembered, stamp, turn.now) {
            Ok(matched) => matched,
            Err(refused) => {
                state.refuse_file(refused, turn);
                return Ok(());
            }
        };
        let Matched { report, found, live } = matched;
        state.record.key_files.last_matched = Some(turn.now);
        state.record.daily.file_matched(report.keys.delivered());
        turn.changes.push(Change::Audit(report.audited_at(turn.now)));
        turn.changes.extend(live.into_iter().map(Change::LiveKey));
        if let Some((source, position)) = file.cursor {
            let source = source.to_owned();
            turn.changes.push(Change::Cursor(Cursor { source, position }));
        }
        turn.outputs.push(Output::KeyFileIngested(Ok(report)));
        self.keep_exposures(&found, remembered.exposures, state, turn)
    }

    /// Looks the keys that are known already up again, after the times of sightings have changed.
    pub(super) fn match_again(&self, state: &mut State, turn: &mut Turn) -> Result<(), L::Error> {
        let remembered = self.remembered(state, turn)?;
        let found = self.matcher(state, &remembered).finish();
        self.keep_exposures(&found, remembered.exposures, state, turn)
    }

    /// Opens a file that a trusted key vouches for; nothing is looked up for any other.
    fn vouched_for<'f>(&self, file: &'f [u8]) -> Result<KeyExport<'f, Verified>, ExportError> {
        KeyExport::from_zip(file, self.configuration.limits)?
            .verify(&self.configuration.trusted_keys)
    }

    fn remembered(&self, state: &State, turn: &Turn) -> Result<Remembered, L::Error> {
        let clock = &state.record.clock;
        let mut heard = SightingIndex::new();
        self.log.visit_sightings(&mut |sighting| {
            if turn.horizon.hides(sighting) {
                return;
            }
            match sighting.corrected(clock) {
                None => heard.insert_suspect(sighting),
                Some(corrected) => heard.insert(corrected),
            }
        })?;
        Ok(Remembered {
            exposures: self.exposures_since(turn.horizon.before)?,
            live: self.log.live_keys()?,
            heard,
        })
    }

    /// A matcher that has looked up the keys that were matched or live before, so that sightings
    /// that came later, and records that say more, are not missed.
    fn matcher<'a>(&self, state: &'a State, remembered: &'a Remembered) -> Matcher<'a> {
        let own = state.keyring.keys();
        let mut matcher =
            Matcher::new(&remembered.heard, self.configuration.matching).excluding(own);
        for exposure in &remembered.exposures {
            matcher.check_again(exposure.published, Some(exposure.first_available));
        }
        for known in &remembered.live {
            matcher.check_again(known.published, Some(known.first_available));
        }
        matcher
    }

    fn match_file(
        &self,
        export: &KeyExport<'_, Verified>,
        state: &State,
        remembered: &Remembered,
        stamp: RecordStamp,
        now: Timestamp,
    ) -> Result<Matched, ExportError> {
        let mut matcher = self.matcher(state, remembered);
        let known: BTreeMap<_, _> =
            remembered.live.iter().map(|known| (known.published.name(), *known)).collect();
        let mut live: BTreeMap<KeyName, LiveKey> = BTreeMap::new();
        let mut remember = |published: PublishedKey, since: RecordStamp| {
            let name = published.name();
            let merged = match live.get(&name).or_else(|| known.get(&name)) {
                Some(known) => LiveKey {
                    published: known.published.prevailing(published),
                    first_available: first_available(known.first_available, since),
                },
                None => LiveKey { published, first_available: since },
            };
            live.insert(name, merged);
        };
        let mut keys = export.keys()?;
        for published in &mut keys {
            let published = published?;
            matcher.check(published, Some(stamp));
            if self.is_live(&published, now) {
                remember(published, stamp);
            }
        }
        let found = matcher.finish();
        for (published, since) in &found.heard_at_suspect_time {
            remember(*published, since.unwrap_or(stamp));
        }
        let report = KeyFileReport {
            keys: keys.into_report(),
            own_keys_excluded: found.own_keys_excluded,
            keys_matched: found.matches.len() as u64,
            near_misses: found.near_misses,
            live_keys: live.len() as u64,
            digest: export.metadata().digest,
        };
        Ok(Matched { report, found, live: live.into_values().collect() })
    }

    /// Whether a sighting from now on could still lie within the key's tolerance.
    fn is_live(&self, published: &PublishedKey, now: Timestamp) -> bool {
        let tolerance = self.configuration.matching.tolerance_intervals;
        now < defer_until(published.key.rolling_end(), tolerance)
    }

    fn keep_exposures(
        &self,
        found: &MatchReport,
        mut exposures: Vec<Exposure>,
        state: &mut State,
        turn: &mut Turn,
    ) -> Result<(), L::Error> {
        let mut days = BTreeSet::new();
        let forgotten = &state.record.forgotten_days;
        let profile = self.profile_of(state);
        for key_match in &found.matches {
            let Some(exposure) = self.exposure(key_match, profile, forgotten) else { continue };
            let name = exposure.published.name();
            let known = exposures.iter().position(|known| known.published.name() == name);
            if known.is_some_and(|index| exposures[index] == exposure) {
                if turn.judge_all_days {
                    days.extend(days_of(&exposure));
                }
                continue;
            }
            days.extend(days_of(&exposure));
            match known {
                Some(index) => {
                    days.extend(days_of(&exposures[index]));
                    exposures[index] = exposure.clone();
                }
                None => exposures.push(exposure.clone()),
            }
            turn.changes.push(Change::Exposure(exposure));
        }
        for day in days {
            self.conclude(day, &exposures, state, turn)?;
        }
        Ok(())
    }

    /// The exposure, or `None` if it lies on days that the user wants forgotten and on no others.
    fn exposure(
        &self,
        matched: &KeyMatch,
        profile: &RiskProfile,
        forgotten: &BTreeSet<UtcDay>,
    ) -> Option<Exposure> {
        let rules = &self.configuration.windows;
        let origin = profile.window_origin(&profile.as_reported(&matched.published));
        let (sightings, unmeasured) = measure(matched, rules);
        let mut exposure = Exposure {
            published: matched.published,
            // The engine stamps every key it hands to the matcher.
            first_available: matched.first_available?,
            windows: exposure_windows(&sightings, &origin, rules),
            sightings,
            identifiers: u32::try_from(matched.identifiers.len()).unwrap_or(u32::MAX),
            dropped: matched.dropped,
            unmeasured,
        };
        let remains = forgotten.iter().all(|day| exposure.forget_day(*day));
        remains.then_some(exposure)
    }

    /// Concludes `day` over the evidence of all exposures, and announces it if it is High and the
    /// user has not been told.
    fn conclude(
        &self,
        day: UtcDay,
        exposures: &[Exposure],
        state: &mut State,
        turn: &mut Turn,
    ) -> Result<(), L::Error> {
        let before = self.log.day(day)?;
        let half_forgotten = day.start() < turn.horizon.before;
        if before.is_some() && half_forgotten {
            // What is left of the day would say less than was concluded from the whole of it.
            return Ok(());
        }
        let assessment = match assess(self.profile_of(state), day, exposures, turn.now) {
            Some(assessment) => assessment,
            // Nothing of the day is left, as when a time was corrected: its conclusion must go.
            None => match &before {
                Some(record) => Assessment::of_nothing(record.assessment.profile, day),
                None => return Ok(()),
            },
        };
        state.record.daily.concluded(assessment.level);
        if before.as_ref().is_some_and(|record| record.assessment == assessment) {
            return Ok(());
        }
        let announced = before.is_some_and(|record| record.announced);
        let announce = assessment.level == RiskLevel::High && !announced;
        turn.changes.push(Change::Day(DayRecord { assessment: assessment.clone(), announced }));
        turn.outputs.push(Output::DayAssessed(assessment.clone()));
        if announce {
            turn.outputs.push(Output::Announce(assessment));
        }
        Ok(())
    }
}

impl State {
    fn refuse_file(&mut self, refused: ExportError, turn: &mut Turn) {
        let files = &mut self.record.key_files;
        files.refused = files.refused.saturating_add(1);
        self.record.daily.file_missing();
        let entry = AuditEntry { at: turn.now, outcome: Err(refused.clone()) };
        turn.changes.push(Change::Audit(entry));
        turn.outputs.push(Output::KeyFileIngested(Err(refused)));
    }
}

fn days_of(exposure: &Exposure) -> BTreeSet<UtcDay> {
    let windows = exposure.windows.iter().map(|window| window.day());
    windows.chain(exposure.sightings.iter().map(|sighting| sighting.heard_at.day())).collect()
}

fn assess(
    profile: &RiskProfile,
    day: UtcDay,
    exposures: &[Exposure],
    now: Timestamp,
) -> Option<Assessment> {
    let reported: Vec<_> =
        exposures.iter().map(|exposure| profile.as_reported(&exposure.published)).collect();
    let evidence: Vec<_> = exposures
        .iter()
        .zip(&reported)
        .map(|(exposure, key)| KeyEvidence {
            key,
            windows: &exposure.windows,
            sightings: &exposure.sightings,
        })
        .collect();
    profile.assess_day(day, &evidence, now.day())
}
