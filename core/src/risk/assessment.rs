//! What a profile says about a day, with every number that went into it.
//!
//! An explanation needs no second calculation. For each [`Contribution`] that counts,
//!
//! ```text
//! score = (Σ bucket.seconds × bucket.weight, or 1 without buckets) × Π factor.value
//! ```
//!
//! up to rounding that the profile names, and the level is High exactly if there is a
//! [`ConditionTerm`] and all of them hold.

use serde::{Deserialize, Serialize};

use super::cocoa::Relation;
use super::daily_summary::DailySummary;
use super::profile::ProfileName;
use super::{Infectiousness, RiskLevel};
use crate::diagnosis_key::{DiagnosisKeyHash, ReportType};
use crate::exposure::WindowId;
use crate::signal::AttenuationDb;
use crate::time::{Timestamp, UtcDay};

/// A profile's conclusion about one UTC day.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Assessment {
    /// Which profile concluded.
    pub profile: ProfileName,
    /// The UTC day.
    pub day: UtcDay,
    /// The decision.
    pub level: RiskLevel,
    /// The day's score in the profile's unit ([`ProfileName::score_unit`]).
    pub score: f64,
    /// GAEN's summary of the day; only `gaen` and `cocoa-v2` have one.
    pub summary: Option<DailySummary>,
    /// The conditions of the decision, all of which must hold for High. Empty if no window of
    /// the day counts.
    pub conditions: Vec<ConditionTerm>,
    /// Every window or exposure of the day, those that do not count included, by time.
    pub contributions: Vec<Contribution>,
}

/// One condition, with the day's value.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct ConditionTerm {
    /// What is compared.
    pub quantity: Quantity,
    /// The day's value.
    pub value: f64,
    /// How it must relate to the threshold.
    pub relation: Relation,
    /// The number it is compared with.
    pub threshold: f64,
    /// Whether it does.
    pub holds: bool,
}

/// What a condition compares.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Quantity {
    /// Sum of the window scores of the day.
    ScoreSum,
    /// The greatest score of the day.
    MaximumScore,
    /// Weighted duration by second of contact; 0 without seconds.
    WeightedDurationAverage,
    /// Seconds of all scan instances.
    SecondsSinceLastScanSum,
    /// Greatest typical attenuation in dB; 0 without scan instances.
    TypicalAttenuationMaximum,
    /// Least typical attenuation in dB; 0 without scan instances.
    TypicalAttenuationMinimum,
    /// Sum of the day's normalized minutes, to one decimal (`cwa`).
    NormalizedMinutes,
    /// Infectiousness-weighted near minutes (`monotone`, `proximity`).
    NearMinutes,
}

/// What one window, or one exposure of the first generation, adds to the day.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Contribution {
    /// The key it belongs to.
    pub key: DiagnosisKeyHash,
    /// When it began.
    pub first_heard_at: Timestamp,
    /// The window, if the profile reads windows.
    pub window: Option<WindowId>,
    /// Seconds of contact in it.
    pub seconds: u64,
    /// Report type after mapping, if the profile looks at it.
    pub report_type: Option<ReportType>,
    /// Infectiousness after mapping, if the profile looks at it.
    pub infectiousness: Option<Infectiousness>,
    /// Seconds by attenuation; empty if the profile does not sum over attenuations.
    pub buckets: Vec<BucketTerm>,
    /// What the sum is multiplied with, in this order.
    pub factors: Vec<FactorTerm>,
    /// The product; 0 for one that does not count for lack of a factor.
    pub score: f64,
    /// The level of this contribution by itself, if the profile gives one (`cwa`).
    pub level: Option<RiskLevel>,
    /// Whether it counts.
    pub verdict: Verdict,
}

/// Seconds within a range of attenuations.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct BucketTerm {
    /// Least attenuation of the range, inclusive.
    pub from: AttenuationDb,
    /// Greatest attenuation of the range, inclusive.
    pub to: AttenuationDb,
    /// Seconds heard at an attenuation of the range.
    pub seconds: u64,
    /// Weight of one second, in units of the profile's score.
    pub weight: f64,
}

/// One factor of a score.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct FactorTerm {
    /// What the factor stands for.
    pub factor: Factor,
    /// The number it was looked up with (dB, days, minutes, risk level); `None` if it is missing
    /// or no number.
    pub input: Option<i64>,
    /// The factor.
    pub value: f64,
}

/// What a factor of a score stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Factor {
    /// On what ground the key was published.
    ReportType,
    /// How infectious the sender was on the key's day.
    Infectiousness,
    /// How strong the signal was; looked up with dB.
    Attenuation,
    /// How long ago; looked up with days.
    DaysSinceExposure,
    /// For how long; looked up with minutes.
    Duration,
    /// Transmission risk level of the key or, in `cwa`, of the window.
    TransmissionRisk,
}

/// Whether a contribution counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// It counts.
    Kept,
    /// It does not count.
    Dropped(DropReason),
}

/// Why a contribution does not count.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum DropReason {
    /// The sender was not infectious on that day.
    NotInfectious,
    /// The key was withdrawn.
    Revoked,
    /// It lies further back than the configuration counts.
    TooLongAgo,
    /// Its score is below the configured minimum of one contribution.
    BelowMinimumScore,
    /// Its minutes at some attenuation are ones that the configuration drops (`cwa`).
    AttenuationFilter,
    /// Its transmission risk level is one that the configuration does not count (`cwa`).
    TransmissionRiskFilter,
}

impl Assessment {
    /// The conclusion about a day of which no evidence is left.
    #[must_use]
    pub const fn of_nothing(profile: ProfileName, day: UtcDay) -> Self {
        Self {
            profile,
            day,
            level: RiskLevel::Low,
            score: 0.0,
            summary: None,
            conditions: Vec::new(),
            contributions: Vec::new(),
        }
    }

    /// Seconds of contact in the contributions that count.
    #[must_use]
    pub fn seconds(&self) -> u64 {
        self.kept().fold(0, |sum, contribution| sum.saturating_add(contribution.seconds))
    }

    /// The contributions that count.
    pub fn kept(&self) -> impl Iterator<Item = &Contribution> {
        self.contributions.iter().filter(|contribution| contribution.verdict == Verdict::Kept)
    }
}
