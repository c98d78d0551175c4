//! Profile `proximity`: for how many minutes somebody was probably nearer than 1.5 m.
//!
//! For each scan
//!
//! ```text
//! level          = least attenuation − bonus × (packets of the scan − 1), in whole dB
//! P(near)        = 1 ÷ (1 + exp((level − even odds) ÷ slope))
//! near minutes   = Σ seconds ÷ 60 × P(near) × weight of the report type × of the infectiousness
//! ```
//!
//! and a day is High from 7.5 near minutes on: fifteen minutes at even odds.
//!
//! The least attenuation of a scan tells more than the typical one, because bodies and fading only
//! take away; and who is near loses fewer packets. Three numbers were fitted, on the lunch, office
//! and party of DP-3T bt-measurements (experiment 34) alone. Smoothing over neighbouring scans was
//! tried as well (a hidden Markov model over distance, exponential and bilateral means): it helps
//! where people sit, hurts where they walk, and over all three gained nothing, so it is not here.
//! What does help is to know how well the receiver hears: [`crate::calibration`].
//!
//! Without sightings in the evidence every scan counts as one packet, which never adds nearness.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::Infectiousness;
use super::assessment::{
    Assessment, BucketTerm, Contribution, Factor, FactorTerm, Quantity, Verdict,
};
use super::check::{self, ConfigurationError};
use super::daily_summary::ReportTypeWeights;
use super::day::{
    KeyWindow, conclude_by_threshold, contribution, drop_reason, number, sum_of_kept,
    windows_of_day,
};
use super::evidence::KeyEvidence;
use super::mapping::DiagnosisKeysDataMapping;
use super::profile::ProfileName;
use crate::exposure::{ExposureWindow, MeasuredSighting, ScanInstance, WindowRules};
use crate::signal::AttenuationDb;
use crate::time::UtcDay;

/// Probabilities are calculated once, in millionths, and summed as integers.
const MILLION: f64 = 1e6;

/// Parameters of the profile.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Proximity {
    /// What a key's details, and their absence, mean.
    pub mapping: DiagnosisKeysDataMapping,
    /// The level at which near and not near are equally probable.
    pub even_odds_at: AttenuationDb,
    /// By how many dB the odds change by a factor of e; 0.5 to 50.
    pub slope_db: f64,
    /// Tenths of a dB by which each packet after a scan's first lowers the level; at most 20.
    pub bonus_of_a_packet_tenths_db: u8,
    /// Weight of standard infectiousness.
    pub infectiousness_weight_standard: f64,
    /// Weight of high infectiousness; at least that of standard.
    pub infectiousness_weight_high: f64,
    /// Weights of the report types.
    pub report_type_weights: ReportTypeWeights,
    /// Windows of days longer ago than this do not count; `None` is no limit.
    pub days_since_exposure_limit: Option<u32>,
    /// A day with at least this many near minutes is High. More than 0.
    pub high_from_near_minutes: f64,
}

impl Default for Proximity {
    /// See the module for the reasons.
    fn default() -> Self {
        Self {
            mapping: DiagnosisKeysDataMapping::cocoa(),
            even_odds_at: AttenuationDb::from_db(60),
            slope_db: 6.0,
            bonus_of_a_packet_tenths_db: 3,
            infectiousness_weight_standard: 1.0,
            infectiousness_weight_high: 1.0,
            report_type_weights: ReportTypeWeights::EQUAL,
            days_since_exposure_limit: None,
            high_from_near_minutes: 7.5,
        }
    }
}

impl Proximity {
    /// The level of a scan with this least attenuation and so many packets.
    #[must_use]
    pub fn level(&self, least: AttenuationDb, packets: usize) -> AttenuationDb {
        let more = u16::try_from(packets.saturating_sub(1)).unwrap_or(u16::MAX);
        let bonus = more.saturating_mul(u16::from(self.bonus_of_a_packet_tenths_db)) / 10;
        AttenuationDb::from_db(least.db().saturating_sub(bonus))
    }

    /// The probability of nearness at a level, 0 to 1.
    #[must_use]
    pub fn probability(&self, level: AttenuationDb) -> f64 {
        number(self.millionths(level)) / MILLION
    }

    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "0 to a million; a cast of a float saturates"
    )]
    fn millionths(&self, level: AttenuationDb) -> u64 {
        let above = f64::from(level.db()) - f64::from(self.even_odds_at.db());
        libm::round(MILLION / (1.0 + libm::exp(above / self.slope_db))) as u64
    }

    pub(super) fn check(&self) -> Result<(), ConfigurationError> {
        self.mapping.check()?;
        check::range("slope_db", self.slope_db, 0.5, 50.0)?;
        let bonus = f64::from(self.bonus_of_a_packet_tenths_db);
        check::range("bonus_of_a_packet_tenths_db", bonus, 0.0, 20.0)?;
        let standard = self.infectiousness_weight_standard;
        check::weight("infectiousness_weight_standard", standard)?;
        check::weight("infectiousness_weight_high", self.infectiousness_weight_high)?;
        check::ascending(
            "infectiousness_weight_standard, infectiousness_weight_high",
            &[standard, self.infectiousness_weight_high],
        )?;
        self.report_type_weights.check("report_type_weights")?;
        let least = f64::MIN_POSITIVE;
        check::range("high_from_near_minutes", self.high_from_near_minutes, least, f64::MAX)
    }

    pub(super) fn assess_day(
        &self,
        day: UtcDay,
        evidence: &[KeyEvidence<'_>],
        today: UtcDay,
    ) -> Option<Assessment> {
        let windows = windows_of_day(day, evidence);
        if windows.is_empty() {
            return None;
        }
        let mut heard: BTreeMap<_, Vec<MeasuredSighting>> = BTreeMap::new();
        for piece in evidence {
            heard.entry(piece.key.hash()).or_default().extend(piece.sightings);
        }
        for sightings in heard.values_mut() {
            sightings.sort_unstable();
        }
        let contributions: Vec<_> = windows
            .iter()
            .map(|window| {
                let sightings = heard.get(&window.0).map(Vec::as_slice).unwrap_or_default();
                self.contribution(window, sightings, today)
            })
            .collect();
        let score = sum_of_kept(&contributions);
        let threshold = (Quantity::NearMinutes, self.high_from_near_minutes);
        Some(conclude_by_threshold(ProfileName::Proximity, day, score, threshold, contributions))
    }

    fn contribution(
        &self,
        key_window: &KeyWindow<'_>,
        sightings: &[MeasuredSighting],
        today: UtcDay,
    ) -> Contribution {
        let mut contribution = contribution(key_window);
        let (_, window) = key_window;
        let seconds = self.seconds_by_level(window, sightings);
        let term = |(&level, &seconds): (&AttenuationDb, &u64)| {
            let weight = self.probability(level) / 60.0;
            BucketTerm { from: level, to: level, seconds, weight }
        };
        contribution.buckets = seconds.iter().map(term).collect();
        if let Some(reason) = drop_reason(window, today, self.days_since_exposure_limit) {
            contribution.verdict = Verdict::Dropped(reason);
            return contribution;
        }
        let infectiousness = match window.infectiousness {
            Infectiousness::None => 0.0,
            Infectiousness::Standard => self.infectiousness_weight_standard,
            Infectiousness::High => self.infectiousness_weight_high,
        };
        let report_type = self.report_type_weights.of(window.report_type).unwrap_or(0.0);
        contribution.factors = vec![
            FactorTerm { factor: Factor::ReportType, input: None, value: report_type },
            FactorTerm { factor: Factor::Infectiousness, input: None, value: infectiousness },
        ];
        // Summed in integers and divided once, so that rounding cannot break the order of two sums.
        let sum = seconds.iter().fold(0_u64, |sum, (level, seconds)| {
            sum.saturating_add(seconds.saturating_mul(self.millionths(*level)))
        });
        contribution.score = number(sum) / (60.0 * MILLION) * report_type * infectiousness;
        contribution
    }

    fn seconds_by_level(
        &self,
        window: &ExposureWindow,
        sightings: &[MeasuredSighting],
    ) -> BTreeMap<AttenuationDb, u64> {
        let packets = packets_of_scans(window, sightings);
        let mut by_level = BTreeMap::<_, u64>::new();
        for (number, scan) in window.scan_instances.iter().enumerate() {
            let ScanInstance { minimum_attenuation, seconds_since_last_scan, .. } = *scan;
            let level = self.level(minimum_attenuation, packets.get(number).copied().unwrap_or(1));
            let seconds = by_level.entry(level).or_default();
            *seconds = seconds.saturating_add(u64::from(seconds_since_last_scan));
        }
        by_level
    }
}

/// How many packets each scan of a window heard, by the rules that windows are built with; empty
/// if the sightings are not those of the window. `sightings` are sorted by time.
fn packets_of_scans(window: &ExposureWindow, sightings: &[MeasuredSighting]) -> Vec<usize> {
    let rules = WindowRules::default();
    let (length, gap) =
        (i64::from(rules.window_seconds), i64::from(rules.scan_instance_gap_seconds));
    let of_window = sightings.iter().filter(|sighting| {
        (0..length).contains(&sighting.heard_at.seconds_since(window.first_heard_at))
    });
    let mut packets: Vec<usize> = Vec::new();
    let mut previous = None;
    for sighting in of_window {
        let goes_on = previous.is_some_and(|last| sighting.heard_at.seconds_since(last) <= gap);
        match packets.last_mut() {
            Some(count) if goes_on => *count += 1,
            _ => packets.push(1),
        }
        previous = Some(sighting.heard_at);
    }
    if packets.len() == window.scan_instances.len() { packets } else { Vec::new() }
}
