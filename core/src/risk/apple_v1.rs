//! Profile `apple-v1`: the first generation as Apple's published implementation of 2020 computes
//! it (`ENAdvertisementDatabaseQuerySession`, `ENExposureDetectionDaemonSession`).
//!
//! * A key has one exposure, on the UTC day of its first sighting.
//! * Sightings of 0 dB or more than 255 dB are implausible and dropped; those at most 4 s after
//!   the first of a group are one, with the mean of their attenuations.
//! * Duration: the sum of the time since the scan before each sighting, 150 s if that is not known
//!   or more than 304 s, cut so that no time counts twice. It is compared to the second: what the
//!   interface reports rounded up and capped at 30 minutes is not what is scored.
//! * Attenuation: the mean of the table's **entries**, weighted by duration, without entries of 0,
//!   rounded half up.
//! * Days: since the day of the first sighting.
//! * Transmission risk level n is entry n, and a level of 0 or none is entry 0, **not** 1 as at
//!   Google; levels above 7 are 7.
//! * Score: the product of entries and weights. The weights' default is 1; later documentation
//!   calls them unused.
//!
//! Where an exposure straddles midnight, all of it belongs to the first day.

use serde::{Deserialize, Serialize};

use super::assessment::{Assessment, Contribution, Factor, FactorTerm};
use super::check::{self, ConfigurationError};
use super::evidence::KeyEvidence;
use super::gaen::whole;
use super::legacy::{
    Encounter, attenuation_place, by_time, check_table, conclude_by_maximum, days_place,
    duration_place, entry, rounded_mean,
};
use super::profile::ProfileName;
use crate::exposure::MeasuredSighting;
use crate::time::UtcDay;

/// Sightings at most this long after a group's first one belong to the group.
const MERGE_SECONDS: i64 = 4;
/// The duration of a sighting whose scan before is unknown or too long ago.
const UNKNOWN_SCAN_SECONDS: i64 = 150;
/// The longest time since the scan before that is believed.
const LONGEST_SCAN_SECONDS: i64 = 304;
/// The greatest value of `ENRiskScore`.
const GREATEST_RISK_SCORE: f64 = 255.0;

/// Parameters of the profile (`ENExposureConfiguration`).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AppleV1 {
    /// Values 0..=8 for attenuations of more than 73, 63, 51, 33, 27, 15, 10 dB, and the rest.
    pub attenuation_level_values: [u8; 8],
    /// Values 0..=8 for at least 14, 12, 10, 8, 6, 4, 2 days since the exposure, and the rest.
    pub days_since_last_exposure_level_values: [u8; 8],
    /// Values 0..=8 for at most 0, 5, 10, 15, 20, 25, 30 minutes, and the rest.
    pub duration_level_values: [u8; 8],
    /// Values 0..=8 for transmission risk levels 0 to 7.
    pub transmission_risk_level_values: [u8; 8],
    /// What each value is multiplied with.
    #[serde(default)]
    pub weights: AppleV1Weights,
    /// An exposure whose score, cut to 0..=255, is below this does not count; 1..=255. One that
    /// reaches it makes the day High.
    pub minimum_risk_score: u8,
    /// An exposure whose uncut score is below this does not count.
    pub minimum_risk_score_full_range: f64,
}

/// What each value is multiplied with; 0..=100 as in Apple's interface.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AppleV1Weights {
    /// On the attenuation.
    pub attenuation: f64,
    /// On the days since the exposure.
    pub days_since_last_exposure: f64,
    /// On the duration.
    pub duration: f64,
    /// On the transmission risk.
    pub transmission_risk: f64,
}

impl Default for AppleV1Weights {
    /// `ENRiskWeightDefault`: 1 each.
    fn default() -> Self {
        Self {
            attenuation: 1.0,
            days_since_last_exposure: 1.0,
            duration: 1.0,
            transmission_risk: 1.0,
        }
    }
}

impl Default for AppleV1 {
    /// COCOA's production tables (`configuration.json`, `apple_exposure_config_v1`).
    fn default() -> Self {
        Self {
            attenuation_level_values: [1, 2, 3, 4, 5, 6, 7, 8],
            days_since_last_exposure_level_values: [1; 8],
            duration_level_values: [0, 0, 0, 0, 1, 1, 1, 1],
            transmission_risk_level_values: [0, 0, 7, 7, 7, 7, 7, 7],
            weights: AppleV1Weights::default(),
            minimum_risk_score: 21,
            minimum_risk_score_full_range: 0.0,
        }
    }
}

/// One group of sightings: its attenuation in dB and the seconds it stands for.
struct Scan {
    decibels: u16,
    seconds: u64,
}

impl AppleV1 {
    pub(super) fn check(&self) -> Result<(), ConfigurationError> {
        check_table("attenuation_level_values", &self.attenuation_level_values)?;
        let days = "days_since_last_exposure_level_values";
        check_table(days, &self.days_since_last_exposure_level_values)?;
        check_table("duration_level_values", &self.duration_level_values)?;
        let transmission = "transmission_risk_level_values";
        check_table(transmission, &self.transmission_risk_level_values)?;
        for (at, weight) in [
            ("weights.attenuation", self.weights.attenuation),
            ("weights.days_since_last_exposure", self.weights.days_since_last_exposure),
            ("weights.duration", self.weights.duration),
            ("weights.transmission_risk", self.weights.transmission_risk),
        ] {
            check::range(at, weight, 0.0, 100.0)?;
        }
        let minimum = f64::from(self.minimum_risk_score);
        check::range("minimum_risk_score", minimum, 1.0, GREATEST_RISK_SCORE)?;
        check::score("minimum_risk_score_full_range", self.minimum_risk_score_full_range)
    }

    pub(super) fn assess_day(
        &self,
        day: UtcDay,
        evidence: &[KeyEvidence<'_>],
        today: UtcDay,
    ) -> Option<Assessment> {
        let exposures = evidence.iter().filter_map(|piece| self.contribution(piece, day, today));
        let contributions = exposures.collect();
        let minimum = f64::from(self.minimum_risk_score);
        conclude_by_maximum(
            ProfileName::AppleV1,
            day,
            contributions,
            |one| cut_to_risk_score(one.score),
            minimum,
        )
    }

    fn contribution(
        &self,
        piece: &KeyEvidence<'_>,
        day: UtcDay,
        today: UtcDay,
    ) -> Option<Contribution> {
        let plausible =
            |sighting: &MeasuredSighting| (1..=255).contains(&sighting.attenuation.db());
        let mut sightings = by_time(piece.sightings);
        sightings.retain(plausible);
        let first = *sightings.first().filter(|first| first.heard_at.day() == day)?;
        let scans = scans(&sightings);
        let seconds: u64 = scans.iter().map(|scan| scan.seconds).sum();
        // A clock that went back must not make an exposure younger than today's.
        let days = today.days_since(day).max(0);
        let level = piece.key.details.transmission_risk_level;
        let weights = &self.weights;
        let factors = vec![
            FactorTerm {
                factor: Factor::Attenuation,
                input: Some(i64::from(mean_decibels(&scans))),
                value: self.attenuation_value(&scans) * weights.attenuation,
            },
            FactorTerm {
                factor: Factor::DaysSinceExposure,
                input: Some(days),
                value: entry(&self.days_since_last_exposure_level_values, days_place(days))
                    * weights.days_since_last_exposure,
            },
            FactorTerm {
                factor: Factor::Duration,
                input: i64::try_from(seconds.div_ceil(60)).ok(),
                value: entry(&self.duration_level_values, duration_place(seconds, 60))
                    * weights.duration,
            },
            FactorTerm {
                factor: Factor::TransmissionRisk,
                input: level.map(i64::from),
                value: entry(&self.transmission_risk_level_values, usize::from(level.unwrap_or(0)))
                    * weights.transmission_risk,
            },
        ];
        let score: f64 = factors.iter().map(|factor| factor.value).product();
        let below = cut_to_risk_score(score) < f64::from(self.minimum_risk_score)
            || score < self.minimum_risk_score_full_range;
        let encounter =
            Encounter { key: piece.key.hash(), first_heard_at: first.heard_at, seconds };
        Some(encounter.contribution(factors, score, below))
    }

    fn attenuation_value(&self, scans: &[Scan]) -> f64 {
        let values = scans.iter().map(|scan| {
            let place = attenuation_place(scan.decibels);
            let [.., last] = self.attenuation_level_values;
            let value = self.attenuation_level_values.get(place).copied().unwrap_or(last);
            (u16::from(value), scan.seconds)
        });
        f64::from(rounded_mean(values.filter(|(value, _)| *value > 0)))
    }
}

/// Groups sightings, which are sorted by time.
fn scans(sightings: &[MeasuredSighting]) -> Vec<Scan> {
    let mut groups: Vec<&[MeasuredSighting]> = Vec::new();
    let mut rest = sightings;
    while let Some(first) = rest.first() {
        let in_group = |sighting: &&MeasuredSighting| {
            sighting.heard_at.seconds_since(first.heard_at) <= MERGE_SECONDS
        };
        let (group, others) = rest.split_at(rest.iter().take_while(in_group).count());
        groups.push(group);
        rest = others;
    }
    let mut previous: Option<&MeasuredSighting> = None;
    let mut scans = Vec::with_capacity(groups.len());
    for group in groups {
        let Some(first) = group.first() else { continue };
        let mut seconds = scan_seconds(first);
        if let Some(previous) = previous {
            seconds = seconds.min(first.heard_at.seconds_since(previous.heard_at));
        }
        previous = Some(first);
        let each = group.iter().map(|sighting| (sighting.attenuation.db(), 1));
        scans.push(Scan {
            decibels: rounded_mean(each),
            seconds: u64::try_from(seconds).unwrap_or(0),
        });
    }
    scans
}

fn scan_seconds(sighting: &MeasuredSighting) -> i64 {
    let since = sighting.previous_scan_ended.map(|ended| sighting.heard_at.seconds_since(ended));
    match since {
        Some(seconds @ 0..=LONGEST_SCAN_SECONDS) => seconds,
        _ => UNKNOWN_SCAN_SECONDS,
    }
}

fn mean_decibels(scans: &[Scan]) -> u16 {
    rounded_mean(scans.iter().map(|scan| (scan.decibels, scan.seconds)))
}

/// The score as `ENRiskScore`: whole and 0..=255.
fn cut_to_risk_score(score: f64) -> f64 {
    whole(score.min(GREATEST_RISK_SCORE))
}
