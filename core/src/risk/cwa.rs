//! Profile `cwa`: Corona-Warn-App's normalized minutes (`DefaultRiskLevels`, `RiskMapper`).
//!
//! For each window: drop it if a filter says so; its transmission risk level is the sum of an
//! offset for the report type and one for the infectiousness; its normalized minutes are
//!
//! ```text
//! value of the level × Σ seconds ÷ 60 × weight of the least attenuation of the scan
//! ```
//!
//! and a day is High if their sum, rounded to one decimal, reaches a limit. A window has a level
//! of its own as well ([`Contribution::level`]).
//!
//! Two faults of the app are not here: all filters are evaluated, where it looked only at the
//! first, and windows that look alike both count, where it kept results in a map by value.

use serde::{Deserialize, Serialize};

use super::assessment::{
    Assessment, BucketTerm, Contribution, DropReason, Factor, FactorTerm, Quantity, Verdict,
};
use super::check::{self, ConfigurationError, WEIGHT_LIMIT};
use super::day::{
    KeyWindow, conclude_by_threshold, contribution, drop_reason, number, sum_of_kept,
    windows_of_day,
};
use super::evidence::KeyEvidence;
use super::gaen::whole;
use super::mapping::DiagnosisKeysDataMapping;
use super::profile::ProfileName;
use super::{Infectiousness, RiskLevel};
use crate::diagnosis_key::ReportType;
use crate::exposure::{ExposureWindow, ScanInstance};
use crate::signal::AttenuationDb;
use crate::time::UtcDay;

/// Parameters of the profile.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Cwa {
    /// What a key's details, and their absence, mean.
    pub mapping: DiagnosisKeysDataMapping,
    /// Weights of a minute by least attenuation, in ascending ranges that do not overlap; 0
    /// outside all of them.
    pub attenuation_weights: Vec<AttenuationWeight>,
    /// Windows with so many minutes at such attenuations do not count.
    pub attenuation_filters: Vec<AttenuationFilter>,
    /// Windows with a transmission risk level in one of these ranges do not count.
    pub transmission_risk_filters: Vec<TransmissionRiskFilter>,
    /// How the transmission risk level is made; every sum lies in 1..=8.
    pub transmission_risk_offsets: TransmissionRiskOffsets,
    /// Values of the transmission risk levels 1 to 8.
    pub transmission_risk_values: [f64; 8],
    /// Normalized minutes from which a window is High by itself. More than 0.
    pub window_high_from: f64,
    /// Normalized minutes from which a day is High. More than 0.
    pub day_high_from: f64,
}

/// The weight of a minute at attenuations of `from` up to but not including `below`.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AttenuationWeight {
    /// Least attenuation of the range.
    pub from: AttenuationDb,
    /// First attenuation above the range.
    pub below: AttenuationDb,
    /// The weight.
    pub weight: f64,
}

/// Drops windows with at least `minutes_from` and less than `minutes_below` whole minutes at
/// attenuations of `from` up to but not including `below`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AttenuationFilter {
    /// Least attenuation of the range.
    pub from: AttenuationDb,
    /// First attenuation above the range.
    pub below: AttenuationDb,
    /// Least number of minutes that is dropped.
    pub minutes_from: u32,
    /// First number of minutes that is kept again.
    pub minutes_below: u32,
}

/// Drops windows whose transmission risk level lies in `from..=to`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TransmissionRiskFilter {
    /// Least level of the range.
    pub from: u8,
    /// Greatest level of the range.
    pub to: u8,
}

/// How the transmission risk level of a window is made: one offset of each kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TransmissionRiskOffsets {
    /// For a positive laboratory test.
    pub confirmed_test: u8,
    /// For a physician's diagnosis.
    pub confirmed_clinical_diagnosis: u8,
    /// For an own report.
    pub self_report: u8,
    /// For a contact of a contact.
    pub recursive: u8,
    /// For standard infectiousness.
    pub infectiousness_standard: u8,
    /// For high infectiousness.
    pub infectiousness_high: u8,
}

impl TransmissionRiskOffsets {
    const fn report_types(&self) -> [(ReportType, u8); 4] {
        [
            (ReportType::ConfirmedTest, self.confirmed_test),
            (ReportType::ConfirmedClinicalDiagnosis, self.confirmed_clinical_diagnosis),
            (ReportType::SelfReport, self.self_report),
            (ReportType::Recursive, self.recursive),
        ]
    }

    const fn infectiousness(&self) -> [(Infectiousness, u8); 2] {
        [
            (Infectiousness::Standard, self.infectiousness_standard),
            (Infectiousness::High, self.infectiousness_high),
        ]
    }

    /// The level of `window`; `None` for one that cannot count.
    fn level(&self, window: &ExposureWindow) -> Option<u8> {
        let of_type = |(report_type, _): &(ReportType, u8)| *report_type == window.report_type;
        let (_, report_type) = self.report_types().into_iter().find(of_type)?;
        let same = |(other, _): &(Infectiousness, u8)| *other == window.infectiousness;
        let (_, infectiousness) = self.infectiousness().into_iter().find(same)?;
        Some(report_type.saturating_add(infectiousness))
    }
}

impl Default for Cwa {
    /// The configuration of the app's own test cases: weights of 0.8, 1 and 0.1 below 63, 73 and
    /// 79 dB, nine normalized minutes for High. Missing days since onset and report types are
    /// taken as COCOA takes them, because the app's mapping is not public with the cases.
    fn default() -> Self {
        let range = |from, below, weight| AttenuationWeight {
            from: AttenuationDb::from_db(from),
            below: AttenuationDb::from_db(below),
            weight,
        };
        Self {
            mapping: DiagnosisKeysDataMapping::cocoa(),
            attenuation_weights: vec![range(0, 63, 0.8), range(63, 73, 1.0), range(73, 79, 0.1)],
            attenuation_filters: Vec::new(),
            transmission_risk_filters: Vec::new(),
            transmission_risk_offsets: TransmissionRiskOffsets {
                confirmed_test: 6,
                confirmed_clinical_diagnosis: 4,
                self_report: 2,
                recursive: 0,
                infectiousness_standard: 1,
                infectiousness_high: 2,
            },
            transmission_risk_values: [0.0, 0.0, 0.6, 0.8, 1.0, 1.2, 1.4, 1.6],
            window_high_from: 9.0,
            day_high_from: 9.0,
        }
    }
}

impl Cwa {
    pub(super) fn check(&self) -> Result<(), ConfigurationError> {
        self.mapping.check()?;
        let mut end = AttenuationDb::from_db(0);
        for (index, range) in self.attenuation_weights.iter().enumerate() {
            let at = format!("attenuation_weights[{index}]");
            if range.from < end || range.below <= range.from {
                return Err(ConfigurationError::NotAscending { at });
            }
            check::weight(&format!("{at}.weight"), range.weight)?;
            end = range.below;
        }
        for (report_type, offset) in self.transmission_risk_offsets.report_types() {
            for (infectiousness, more) in self.transmission_risk_offsets.infectiousness() {
                let at = format!("transmission_risk_offsets, {report_type:?} + {infectiousness:?}");
                check::range(&at, f64::from(offset) + f64::from(more), 1.0, 8.0)?;
            }
        }
        check::weights("transmission_risk_values", &self.transmission_risk_values)?;
        // Sums are rounded to one decimal, so no limit is above what can be counted exactly.
        let greatest = WEIGHT_LIMIT * WEIGHT_LIMIT;
        check::range("window_high_from", self.window_high_from, f64::MIN_POSITIVE, greatest)?;
        check::range("day_high_from", self.day_high_from, f64::MIN_POSITIVE, greatest)
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
        let contributions: Vec<_> =
            windows.iter().map(|window| self.contribution(window, today)).collect();
        let score = to_one_decimal(sum_of_kept(&contributions));
        let threshold = (Quantity::NormalizedMinutes, self.day_high_from);
        Some(conclude_by_threshold(ProfileName::Cwa, day, score, threshold, contributions))
    }

    fn contribution(&self, window: &KeyWindow<'_>, today: UtcDay) -> Contribution {
        let mut contribution = contribution(window);
        let (_, window) = window;
        contribution.buckets = self.bucket_terms(&window.scan_instances);
        let Some(level) = self.transmission_risk_offsets.level(window) else {
            let reason = drop_reason(window, today, None).unwrap_or(DropReason::NotInfectious);
            contribution.verdict = Verdict::Dropped(reason);
            return contribution;
        };
        let place = usize::from(level.saturating_sub(1));
        let value = self.transmission_risk_values.get(place).copied().unwrap_or(0.0);
        let factor = Factor::TransmissionRisk;
        contribution.factors = vec![FactorTerm { factor, input: Some(i64::from(level)), value }];
        contribution.score = value * self.weighted_minutes(&window.scan_instances);
        contribution.verdict = if self.attenuation_filters.iter().any(|filter| filter.drops(window))
        {
            Verdict::Dropped(DropReason::AttenuationFilter)
        } else if self.transmission_risk_filters.iter().any(|f| (f.from..=f.to).contains(&level)) {
            Verdict::Dropped(DropReason::TransmissionRiskFilter)
        } else {
            let high = contribution.score >= self.window_high_from;
            contribution.level = Some(if high { RiskLevel::High } else { RiskLevel::Low });
            Verdict::Kept
        };
        contribution
    }

    fn weighted_minutes(&self, scan_instances: &[ScanInstance]) -> f64 {
        let weighted = |sum: f64, range: &AttenuationWeight| {
            sum + number(seconds_within(scan_instances, range.from, range.below)) * range.weight
        };
        self.attenuation_weights.iter().fold(0.0, weighted) / 60.0
    }

    fn bucket_terms(&self, scan_instances: &[ScanInstance]) -> Vec<BucketTerm> {
        let term = |range: &AttenuationWeight| BucketTerm {
            from: range.from,
            to: AttenuationDb::from_db(range.below.db().saturating_sub(1)),
            seconds: seconds_within(scan_instances, range.from, range.below),
            weight: range.weight / 60.0,
        };
        self.attenuation_weights.iter().map(term).collect()
    }
}

impl AttenuationFilter {
    fn drops(&self, window: &ExposureWindow) -> bool {
        let minutes = seconds_within(&window.scan_instances, self.from, self.below) / 60;
        (u64::from(self.minutes_from)..u64::from(self.minutes_below)).contains(&minutes)
    }
}

fn seconds_within(scans: &[ScanInstance], from: AttenuationDb, below: AttenuationDb) -> u64 {
    let within = |scan: &&ScanInstance| (from..below).contains(&scan.minimum_attenuation);
    scans.iter().filter(within).map(|scan| u64::from(scan.seconds_since_last_scan)).sum()
}

/// Half a tenth up.
const fn to_one_decimal(minutes: f64) -> f64 {
    whole(minutes * 10.0 + 0.5) / 10.0
}
