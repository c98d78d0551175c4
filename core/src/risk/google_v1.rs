//! Profile `google-v1`: the first generation as Google's implementation computes it
//! (exposure-notifications-internals, `KeyExposureEvaluator` and `RiskScoreCalculator`).
//!
//! * A key's sightings at most 25.5 s apart are one, the strongest; gaps of more than 600 s
//!   separate exposures, of which a key can have several.
//! * Duration: from first to last sighting and 300 s more, to the nearest 5 minutes, where a rest
//!   of exactly 150 s goes down.
//! * Attenuation: the mean weighted by the time until the next sighting, with half a scan interval
//!   of 300 s before the first and after the last; rounded half up.
//! * Days: since the start of the **key**.
//! * Score: the product of four table entries. A transmission risk of 0, which is also what a
//!   missing one is on the wire, multiplies with **1** and not with a table entry. That is what
//!   silenced COCOA for four months. The weights of the interface are reserved and do nothing.
//!
//! Two things are read from what the core has. Google merges sightings identifier by identifier;
//! here the identifier is not known any more and sightings of a key are merged. Days are whole UTC
//! days, not times of day.

use serde::{Deserialize, Serialize};

use super::assessment::{Assessment, Contribution, Factor, FactorTerm};
use super::check::{self, ConfigurationError};
use super::evidence::KeyEvidence;
use super::legacy::{
    Encounter, attenuation_place, by_time, check_table, conclude_by_maximum, days_place,
    duration_place, entry, rounded_mean,
};
use super::profile::ProfileName;
use crate::exposure::MeasuredSighting;
use crate::time::UtcDay;

/// Longest gap within one scan in whole seconds; Google's bound is 25.5 s.
const SCAN_GAP_SECONDS: i64 = 25;
/// Longest gap within one exposure.
const EXPOSURE_GAP_SECONDS: i64 = 600;
/// What a scan stands for, and the step to which durations are rounded.
const SCAN_INTERVAL_SECONDS: u64 = 300;

/// Parameters of the profile (`ExposureConfiguration`).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GoogleV1 {
    /// Scores 0..=8 for attenuations of more than 73, 63, 51, 33, 27, 15, 10 dB, and the rest.
    pub attenuation_scores: [u8; 8],
    /// Scores 0..=8 for at least 14, 12, 10, 8, 6, 4, 2 days since the key's start, and the rest.
    pub days_since_last_exposure_scores: [u8; 8],
    /// Scores 0..=8 for at most 0, 5, 10, 15, 20, 25, 30 minutes, and the rest.
    pub duration_scores: [u8; 8],
    /// Scores 0..=8 for transmission risk levels 1 to 8.
    pub transmission_risk_scores: [u8; 8],
    /// A product below this counts as 0; 1..=4096. An exposure that reaches it makes the day High.
    pub minimum_risk_score: u16,
}

impl Default for GoogleV1 {
    /// COCOA's production tables (`configuration.json`, `google_exposure_config`).
    fn default() -> Self {
        Self {
            attenuation_scores: [1, 2, 3, 4, 5, 6, 7, 8],
            days_since_last_exposure_scores: [1; 8],
            duration_scores: [0, 0, 0, 0, 1, 1, 1, 1],
            transmission_risk_scores: [7; 8],
            minimum_risk_score: 21,
        }
    }
}

impl GoogleV1 {
    pub(super) fn check(&self) -> Result<(), ConfigurationError> {
        check_table("attenuation_scores", &self.attenuation_scores)?;
        let days = "days_since_last_exposure_scores";
        check_table(days, &self.days_since_last_exposure_scores)?;
        check_table("duration_scores", &self.duration_scores)?;
        check_table("transmission_risk_scores", &self.transmission_risk_scores)?;
        check::range("minimum_risk_score", f64::from(self.minimum_risk_score), 1.0, 4096.0)
    }

    pub(super) fn assess_day(
        &self,
        day: UtcDay,
        evidence: &[KeyEvidence<'_>],
        today: UtcDay,
    ) -> Option<Assessment> {
        let mut contributions = Vec::new();
        for piece in evidence {
            let scans = one_sighting_per_scan(&by_time(piece.sightings));
            let separate = |one: &MeasuredSighting, next: &MeasuredSighting| {
                next.heard_at.seconds_since(one.heard_at) <= EXPOSURE_GAP_SECONDS
            };
            for exposure in scans.chunk_by(separate) {
                if exposure.first().is_some_and(|first| first.heard_at.day() == day) {
                    contributions.extend(self.contribution(piece, exposure, today));
                }
            }
        }
        let minimum = f64::from(self.minimum_risk_score);
        conclude_by_maximum(ProfileName::GoogleV1, day, contributions, |one| one.score, minimum)
    }

    fn contribution(
        &self,
        piece: &KeyEvidence<'_>,
        exposure: &[MeasuredSighting],
        today: UtcDay,
    ) -> Option<Contribution> {
        let first = exposure.first()?;
        let seconds = duration_seconds(exposure);
        let attenuation = weighted_attenuation(exposure);
        let days = today.days_since(piece.key.rolling_start().day());
        let minutes = seconds / 60;
        // No level above 8 exists on the wire; if one came, it would count as the highest.
        let level = piece.key.details.transmission_risk_level;
        let transmission = level
            .and_then(|level| level.checked_sub(1))
            .map_or(1.0, |place| entry(&self.transmission_risk_scores, usize::from(place)));
        let factors = vec![
            FactorTerm {
                factor: Factor::Attenuation,
                input: Some(i64::from(attenuation)),
                value: entry(&self.attenuation_scores, attenuation_place(attenuation)),
            },
            FactorTerm {
                factor: Factor::DaysSinceExposure,
                input: Some(days),
                value: entry(&self.days_since_last_exposure_scores, days_place(days)),
            },
            FactorTerm {
                factor: Factor::Duration,
                input: i64::try_from(minutes).ok(),
                value: entry(&self.duration_scores, duration_place(minutes, 1)),
            },
            FactorTerm {
                factor: Factor::TransmissionRisk,
                input: level.map(i64::from),
                value: transmission,
            },
        ];
        let score = factors.iter().map(|factor| factor.value).product();
        let below = score < f64::from(self.minimum_risk_score);
        let encounter =
            Encounter { key: piece.key.hash(), first_heard_at: first.heard_at, seconds };
        Some(encounter.contribution(factors, score, below))
    }
}

/// The strongest sighting of each scan, the earliest of equally strong ones.
fn one_sighting_per_scan(sightings: &[MeasuredSighting]) -> Vec<MeasuredSighting> {
    let same_scan = |one: &MeasuredSighting, next: &MeasuredSighting| {
        next.heard_at.seconds_since(one.heard_at) <= SCAN_GAP_SECONDS
    };
    let strongest = |scan: &[MeasuredSighting]| {
        scan.iter().min_by_key(|sighting| sighting.attenuation).copied()
    };
    sightings.chunk_by(same_scan).filter_map(strongest).collect()
}

/// Seconds from `one` to `next`, which is not earlier.
fn seconds_between(one: &MeasuredSighting, next: &MeasuredSighting) -> u64 {
    u64::try_from(next.heard_at.seconds_since(one.heard_at)).unwrap_or(0)
}

fn duration_seconds(exposure: &[MeasuredSighting]) -> u64 {
    let span = match exposure {
        [first, .., last] => seconds_between(first, last),
        _ => 0,
    };
    let estimate = span + SCAN_INTERVAL_SECONDS;
    let rest = estimate % SCAN_INTERVAL_SECONDS;
    let down = estimate - rest;
    if rest <= SCAN_INTERVAL_SECONDS / 2 { down } else { down + SCAN_INTERVAL_SECONDS }
}

fn weighted_attenuation(exposure: &[MeasuredSighting]) -> u16 {
    let margin = SCAN_INTERVAL_SECONDS / 2;
    let db = |sighting: &MeasuredSighting| sighting.attenuation.db();
    let between = exposure.windows(2).filter_map(|pair| match pair {
        [one, next] => Some((db(one), seconds_between(one, next))),
        _ => None,
    });
    let ends = exposure.first().into_iter().chain(exposure.last()).map(|end| (db(end), margin));
    rounded_mean(between.chain(ends))
}
