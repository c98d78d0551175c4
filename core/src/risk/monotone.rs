//! Profile `monotone`: this project's default. Closer, longer or more infectious never lowers the
//! score.
//!
//! For each window
//!
//! ```text
//! near minutes = Σ seconds ÷ 60 × nearness(typical attenuation)
//!                × weight of the report type × weight of the infectiousness
//! nearness(a)  = 1 for a ≤ full, 0 for a ≥ zero, else (zero − a) ÷ (zero − full)
//! ```
//!
//! and a day whose sum reaches a limit is High. There is no second condition: COCOA's weights peak
//! between 46 and 60 dB, so fifteen minutes at 30 cm stay below its limit, and its rule on seconds
//! counts far signals as if they were near.
//!
//! The defaults: one metre is 50.4 dB in the model of COCOA's design document and about 63 dB on
//! the tables of the DP-3T measurements, where bodies are in between. So nearness is full up to
//! 63 dB and gone at 73 dB, where the first model is at 5.7 m and the second at about 3 m. The limit is
//! 12 minutes rather than 15, because a contact of 15 minutes is measured in whole minutes between
//! scans and loses up to a fifth of its length; 10 minutes stay Low whatever the key says.
//! Infectiousness and report types weigh the same: no source gives a ratio. Missing days since
//! onset count as most infectious and a missing report type as a test, never as nothing.

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
use crate::exposure::ScanInstance;
use crate::signal::AttenuationDb;
use crate::time::UtcDay;

/// Parameters of the profile.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Monotone {
    /// What a key's details, and their absence, mean.
    pub mapping: DiagnosisKeysDataMapping,
    /// Up to this attenuation a second counts in full.
    pub full_until: AttenuationDb,
    /// From this attenuation on a second does not count; more than `full_until`.
    pub zero_from: AttenuationDb,
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

impl Default for Monotone {
    /// See the module for the reasons.
    fn default() -> Self {
        Self {
            mapping: DiagnosisKeysDataMapping::cocoa(),
            full_until: AttenuationDb::from_db(63),
            zero_from: AttenuationDb::from_db(73),
            infectiousness_weight_standard: 1.0,
            infectiousness_weight_high: 1.0,
            report_type_weights: ReportTypeWeights::EQUAL,
            days_since_exposure_limit: None,
            high_from_near_minutes: 12.0,
        }
    }
}

impl Monotone {
    pub(super) fn check(&self) -> Result<(), ConfigurationError> {
        self.mapping.check()?;
        if self.full_until >= self.zero_from {
            let at = "full_until, zero_from".to_owned();
            return Err(ConfigurationError::NotAscending { at });
        }
        let standard = self.infectiousness_weight_standard;
        check::weight("infectiousness_weight_standard", standard)?;
        check::weight("infectiousness_weight_high", self.infectiousness_weight_high)?;
        check::ascending(
            "infectiousness_weight_standard, infectiousness_weight_high",
            &[standard, self.infectiousness_weight_high],
        )?;
        self.report_type_weights.check("report_type_weights")?;
        check::range(
            "high_from_near_minutes",
            self.high_from_near_minutes,
            f64::MIN_POSITIVE,
            f64::MAX,
        )
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
        let score = sum_of_kept(&contributions);
        let threshold = (Quantity::NearMinutes, self.high_from_near_minutes);
        Some(conclude_by_threshold(ProfileName::Monotone, day, score, threshold, contributions))
    }

    fn contribution(&self, window: &KeyWindow<'_>, today: UtcDay) -> Contribution {
        let mut contribution = contribution(window);
        let (_, window) = window;
        contribution.buckets = self.bucket_terms(&window.scan_instances);
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
        let near_minutes = self.near_minutes(&window.scan_instances);
        contribution.score = near_minutes * report_type * infectiousness;
        contribution
    }

    /// How many dB `attenuation` is nearer than the end of the scale, and how long the scale is.
    fn nearness(&self, attenuation: AttenuationDb) -> (u16, u16) {
        let scale = self.zero_from.db().saturating_sub(self.full_until.db());
        (self.zero_from.db().saturating_sub(attenuation.db()).min(scale), scale.max(1))
    }

    /// Summed in integers and divided once, so that rounding cannot break the order of two sums.
    fn near_minutes(&self, scan_instances: &[ScanInstance]) -> f64 {
        let sum = scan_instances.iter().fold(0_u64, |sum, scan| {
            let (nearness, _) = self.nearness(scan.typical_attenuation);
            let product = u64::from(scan.seconds_since_last_scan) * u64::from(nearness);
            sum.saturating_add(product)
        });
        let (_, scale) = self.nearness(self.full_until);
        number(sum) / (60.0 * f64::from(scale))
    }

    /// Seconds by whole dB where nearness falls, and in one range on either side of that.
    fn bucket_terms(&self, scan_instances: &[ScanInstance]) -> Vec<BucketTerm> {
        let range = |attenuation: AttenuationDb| {
            if attenuation <= self.full_until {
                (AttenuationDb::from_db(0), self.full_until)
            } else if attenuation >= self.zero_from {
                (self.zero_from, AttenuationDb::from_db(u16::MAX))
            } else {
                (attenuation, attenuation)
            }
        };
        let mut by_attenuation = std::collections::BTreeMap::<_, u64>::new();
        for scan in scan_instances {
            let seconds = by_attenuation.entry(range(scan.typical_attenuation)).or_default();
            *seconds = seconds.saturating_add(u64::from(scan.seconds_since_last_scan));
        }
        let term = |((from, to), seconds): ((AttenuationDb, AttenuationDb), u64)| {
            let (nearness, scale) = self.nearness(from.max(self.full_until));
            let weight = f64::from(nearness) / (60.0 * f64::from(scale));
            BucketTerm { from, to, seconds, weight }
        };
        by_attenuation.into_iter().map(term).collect()
    }
}
