//! Profile `gaen`: daily summaries with one threshold on the sum of the day's scores.
//!
//! GAEN itself ends at the summary; the threshold is the app's. It is part of the profile because
//! a summary alone tells nobody anything.

use serde::{Deserialize, Serialize};

use super::assessment::{Assessment, ConditionTerm, Quantity, Verdict};
use super::check::{self, ConfigurationError};
use super::cocoa::Relation;
use super::daily_summary::{DailySummariesConfig, DailySummary, SummaryData};
use super::day::{KeyWindow, conclude, number, windows_of_day};
use super::evidence::KeyEvidence;
use super::mapping::DiagnosisKeysDataMapping;
use super::profile::ProfileName;
use crate::time::UtcDay;

/// Parameters of the profile.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Gaen {
    /// What a key's details, and their absence, mean.
    pub mapping: DiagnosisKeysDataMapping,
    /// Weights of the daily summary.
    pub daily_summaries: DailySummariesConfig,
    /// A day with at least this score sum, in weighted seconds, is High. More than 0.
    pub high_from_score_sum: f64,
    /// How a day's sums are rounded before they are compared.
    #[serde(default)]
    pub rounding: SummaryRounding,
}

/// How a day's sums are rounded.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SummaryRounding {
    /// Not at all (Google).
    #[default]
    Unrounded,
    /// Scores to the nearest minute, half a minute up, and weighted durations up to the next one,
    /// all in seconds (Apple's documentation of `ENExposureSummaryItem`).
    AppleMinutes,
}

impl Default for Gaen {
    /// The weights and infectiousness of Exposure Notifications Express, and fifteen weighted
    /// minutes.
    fn default() -> Self {
        Self {
            mapping: DiagnosisKeysDataMapping::express(),
            daily_summaries: DailySummariesConfig::express(),
            high_from_score_sum: 900.0,
            rounding: SummaryRounding::Unrounded,
        }
    }
}

impl Gaen {
    pub(super) fn check(&self) -> Result<(), ConfigurationError> {
        self.mapping.check()?;
        self.daily_summaries.check()?;
        check::range("high_from_score_sum", self.high_from_score_sum, f64::MIN_POSITIVE, f64::MAX)
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
        let (summary, contributions) = summarize(day, &windows, today, &self.daily_summaries);
        let summary = self.rounding.apply(summary);
        let score = summary.score_sum;
        let conditions = if summary.windows == 0 {
            Vec::new()
        } else {
            vec![ConditionTerm {
                quantity: Quantity::ScoreSum,
                value: score,
                relation: Relation::AtLeast,
                threshold: self.high_from_score_sum,
                holds: score >= self.high_from_score_sum,
            }]
        };
        let name = ProfileName::Gaen;
        Some(conclude(name, day, score, Some(summary), conditions, contributions))
    }
}

/// The day's summary and what each window adds to it.
pub(super) fn summarize(
    day: UtcDay,
    windows: &[KeyWindow<'_>],
    today: UtcDay,
    config: &DailySummariesConfig,
) -> (DailySummary, Vec<super::assessment::Contribution>) {
    let mut summary = DailySummary::empty(day);
    let mut contributions = Vec::with_capacity(windows.len());
    for window in windows {
        let contribution = config.contribution(window, today);
        if contribution.verdict == Verdict::Kept {
            summary.add(window.1, contribution.score, config);
        }
        contributions.push(contribution);
    }
    (summary, contributions)
}

impl SummaryRounding {
    fn apply(self, mut summary: DailySummary) -> DailySummary {
        if self == Self::Unrounded {
            return summary;
        }
        let round = |data: SummaryData| SummaryData {
            maximum_score: to_nearest_minute(data.maximum_score),
            score_sum: to_nearest_minute(data.score_sum),
            weighted_duration_sum: up_to_minute(data.weighted_duration_sum),
        };
        summary.maximum_score = to_nearest_minute(summary.maximum_score);
        summary.score_sum = to_nearest_minute(summary.score_sum);
        summary.weighted_duration_sum = up_to_minute(summary.weighted_duration_sum);
        summary.confirmed_test = round(summary.confirmed_test);
        summary.confirmed_clinical_diagnosis = round(summary.confirmed_clinical_diagnosis);
        summary.self_report = round(summary.self_report);
        summary.recursive = round(summary.recursive);
        summary
    }
}

fn to_nearest_minute(seconds: f64) -> f64 {
    whole(seconds / 60.0 + 0.5) * 60.0
}

fn up_to_minute(seconds: f64) -> f64 {
    let minutes = whole(seconds / 60.0);
    if minutes * 60.0 < seconds { (minutes + 1.0) * 60.0 } else { minutes * 60.0 }
}

/// `value`, which is not negative, without its fraction; what exceeds an integer has none.
pub(super) const fn whole(value: f64) -> f64 {
    const INTEGERS_END: f64 = 9_007_199_254_740_992.0;
    if value < INTEGERS_END {
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "cuts the fraction, which is the purpose; the cast saturates at 0"
        )]
        let integer = value as u64;
        number(integer)
    } else {
        value
    }
}
