//! What was concluded about a day, with every number that went into it.

use chikaku_core::risk::assessment as core_assessment;
use chikaku_core::risk::daily_summary as core_summary;
use chikaku_core::{encounter_log, risk};

use crate::number::{self, code, to_i32, to_i64};
use crate::{Infectiousness, ReportType};

/// What the user is told about a day.
#[derive(Clone, Copy, Debug, PartialEq, Eq, uniffi::Enum)]
pub enum RiskLevel {
    /// There were contacts, below the threshold.
    Low,
    /// The user is notified.
    High,
}

impl From<risk::RiskLevel> for RiskLevel {
    fn from(level: risk::RiskLevel) -> Self {
        // A level yet to come is no reason to tell anybody.
        if level == risk::RiskLevel::High { Self::High } else { Self::Low }
    }
}

/// The conclusion about one UTC day.
#[derive(Clone, Debug, PartialEq, uniffi::Record)]
pub struct Assessment {
    /// The UTC day, days since 1970-01-01. It names the event everywhere.
    pub day: i32,
    /// The decision.
    pub level: RiskLevel,
    /// Which risk profile concluded.
    pub profile: String,
    /// The day's score.
    pub score: f64,
    /// What one unit of the score is, in English.
    pub score_unit: String,
    /// Seconds of contact that count.
    pub seconds: i64,
    /// The conditions of the decision, all of which must hold for High; empty if nothing counts.
    pub conditions: Vec<DecisionCondition>,
    /// Every window of the day, those that do not count included, by time.
    pub contributions: Vec<Contribution>,
    /// GAEN's summary of the day, if the profile has one.
    pub daily_summary: Option<DailySummary>,
}

/// One condition, with the day's value.
#[derive(Clone, Debug, PartialEq, uniffi::Record)]
pub struct DecisionCondition {
    /// What is compared: `score_sum`, `maximum_score`, …
    pub quantity: String,
    /// The day's value.
    pub value: f64,
    /// How it must relate to the threshold: `>=`, `<`, …
    pub relation: String,
    /// The number it is compared with.
    pub threshold: f64,
    /// Whether it does.
    pub holds: bool,
}

/// What one window adds to a day.
#[derive(Clone, Debug, PartialEq, uniffi::Record)]
pub struct Contribution {
    /// SHA-256 of the key it belongs to, hexadecimal.
    pub key_sha256: String,
    /// When it began, seconds since 1970 UTC.
    pub first_heard_at: i64,
    /// The window, if the profile reads windows.
    pub window_id: Option<String>,
    /// Seconds of contact in it.
    pub seconds: i64,
    /// Report type after mapping, if the profile looks at it.
    pub report_type: Option<ReportType>,
    /// Infectiousness after mapping, if the profile looks at it.
    pub infectiousness: Option<Infectiousness>,
    /// Seconds by attenuation.
    pub buckets: Vec<AttenuationBucket>,
    /// What the weighted seconds are multiplied with, in this order.
    pub factors: Vec<ScoreFactor>,
    /// The product.
    pub score: f64,
    /// Why it does not count, as a code (`revoked`, `below_minimum_score`, …); `None` if it does.
    pub dropped_because: Option<String>,
}

/// Seconds within a range of attenuations.
#[derive(Clone, Debug, PartialEq, uniffi::Record)]
pub struct AttenuationBucket {
    /// Least attenuation of the range in dB, inclusive.
    pub from_db: i32,
    /// Greatest attenuation of the range in dB, inclusive.
    pub to_db: i32,
    /// Seconds heard within it.
    pub seconds: i64,
    /// Weight of one second.
    pub weight: f64,
}

/// One factor of a score.
#[derive(Clone, Debug, PartialEq, uniffi::Record)]
pub struct ScoreFactor {
    /// What it stands for: `report_type`, `infectiousness`, …
    pub factor: String,
    /// The number it was looked up with; `None` if it is no number.
    pub looked_up_with: Option<i64>,
    /// The factor.
    pub value: f64,
}

/// `DailySummary`: what one day's windows add up to.
#[derive(Clone, Debug, PartialEq, uniffi::Record)]
pub struct DailySummary {
    /// The UTC day, days since 1970-01-01.
    pub day: i32,
    /// All windows that count.
    pub day_summary: SummaryData,
    /// How many windows count.
    pub windows: i32,
    /// Those of keys confirmed by test.
    pub confirmed_test: SummaryData,
    /// Those of keys confirmed by a physician.
    pub confirmed_clinical_diagnosis: SummaryData,
    /// Those of keys their owners reported.
    pub self_report: SummaryData,
    /// Those of contacts of contacts.
    pub recursive: SummaryData,
}

/// `ExposureSummaryData`.
#[derive(Clone, Debug, PartialEq, uniffi::Record)]
pub struct SummaryData {
    /// Score of the highest window.
    pub maximum_score: f64,
    /// Sum of the windows' scores.
    pub score_sum: f64,
    /// Sum of the windows' seconds by attenuation weight alone.
    pub weighted_duration_sum: f64,
}

impl From<&core_assessment::Assessment> for Assessment {
    fn from(day: &core_assessment::Assessment) -> Self {
        Self {
            day: number::day(day.day),
            level: day.level.into(),
            profile: code(&day.profile),
            score: day.score,
            score_unit: day.profile.score_unit().to_owned(),
            seconds: to_i64(day.seconds()),
            conditions: conditions(&day.conditions),
            contributions: day.contributions.iter().map(Contribution::from).collect(),
            daily_summary: day.summary.as_ref().map(DailySummary::from),
        }
    }
}

impl From<&encounter_log::DayRecord> for Assessment {
    fn from(record: &encounter_log::DayRecord) -> Self {
        Self::from(&record.assessment)
    }
}

pub(crate) fn conditions(terms: &[core_assessment::ConditionTerm]) -> Vec<DecisionCondition> {
    terms.iter().map(DecisionCondition::from).collect()
}

impl From<&core_assessment::ConditionTerm> for DecisionCondition {
    fn from(term: &core_assessment::ConditionTerm) -> Self {
        Self {
            quantity: code(&term.quantity),
            value: term.value,
            relation: code(&term.relation),
            threshold: term.threshold,
            holds: term.holds,
        }
    }
}

impl From<&core_assessment::Contribution> for Contribution {
    fn from(contribution: &core_assessment::Contribution) -> Self {
        let dropped_because = match contribution.verdict {
            core_assessment::Verdict::Kept => None,
            core_assessment::Verdict::Dropped(reason) => Some(code(&reason)),
        };
        Self {
            key_sha256: hex::encode(contribution.key.as_bytes()),
            first_heard_at: number::seconds(contribution.first_heard_at),
            window_id: contribution.window.map(|id| id.to_string()),
            seconds: to_i64(contribution.seconds),
            report_type: contribution.report_type.and_then(ReportType::of),
            infectiousness: contribution.infectiousness.map(Into::into),
            buckets: contribution.buckets.iter().map(AttenuationBucket::from).collect(),
            factors: contribution.factors.iter().map(ScoreFactor::from).collect(),
            score: contribution.score,
            dropped_because,
        }
    }
}

impl From<&core_assessment::BucketTerm> for AttenuationBucket {
    fn from(bucket: &core_assessment::BucketTerm) -> Self {
        Self {
            from_db: i32::from(bucket.from.db()),
            to_db: i32::from(bucket.to.db()),
            seconds: to_i64(bucket.seconds),
            weight: bucket.weight,
        }
    }
}

impl From<&core_assessment::FactorTerm> for ScoreFactor {
    fn from(factor: &core_assessment::FactorTerm) -> Self {
        Self { factor: code(&factor.factor), looked_up_with: factor.input, value: factor.value }
    }
}

impl From<&core_summary::DailySummary> for DailySummary {
    fn from(summary: &core_summary::DailySummary) -> Self {
        Self {
            day: number::day(summary.day),
            day_summary: SummaryData {
                maximum_score: summary.maximum_score,
                score_sum: summary.score_sum,
                weighted_duration_sum: summary.weighted_duration_sum,
            },
            windows: to_i32(summary.windows),
            confirmed_test: summary.confirmed_test.into(),
            confirmed_clinical_diagnosis: summary.confirmed_clinical_diagnosis.into(),
            self_report: summary.self_report.into(),
            recursive: summary.recursive.into(),
        }
    }
}

impl From<core_summary::SummaryData> for SummaryData {
    fn from(data: core_summary::SummaryData) -> Self {
        Self {
            maximum_score: data.maximum_score,
            score_sum: data.score_sum,
            weighted_duration_sum: data.weighted_duration_sum,
        }
    }
}
