//! `DailySummary`: the score of one UTC day (exposure-notifications-internals,
//! `DailySummaryUtils`).
//!
//! Per window: seconds by attenuation bucket times the bucket's weight, times the weights of
//! report type and infectiousness; windows below the minimum score are dropped. Per day: the
//! greatest and the sum, for each report type and for all of them.

use serde::{Deserialize, Serialize};

use super::assessment::{BucketTerm, Contribution, DropReason, Factor, FactorTerm, Verdict};
use super::check::{self, ConfigurationError};
use super::day::{KeyWindow, contribution, drop_reason, number};
use crate::diagnosis_key::ReportType;
use crate::exposure::{ExposureWindow, ScanInstance};
use crate::risk::Infectiousness;
use crate::signal::AttenuationDb;
use crate::time::UtcDay;

/// Whether an attenuation equal to a threshold belongs to the bucket below or above it.
///
/// Google's implementation is inclusive; COCOA's design document calculates with exclusive edges,
/// and the same contact then scores 29 % less. So the edge is part of the configuration.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum BucketEdges {
    /// A threshold belongs to the nearer bucket: `attenuation <= threshold`.
    #[default]
    UpperInclusive,
    /// A threshold belongs to the farther bucket: `attenuation < threshold`.
    UpperExclusive,
}

/// `DailySummariesConfig`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DailySummariesConfig {
    /// Ascending thresholds in dB between the buckets immediate, near, medium and other.
    pub attenuation_bucket_threshold_db: [u16; 3],
    /// Weights of the four buckets, from immediate to other.
    pub attenuation_bucket_weights: [f64; 4],
    /// To which side a threshold itself belongs.
    #[serde(default)]
    pub bucket_edges: BucketEdges,
    /// Windows of days longer ago than this do not count; `None` is no limit.
    pub days_since_exposure_threshold: Option<u32>,
    /// Weight of standard infectiousness.
    pub infectiousness_weight_standard: f64,
    /// Weight of high infectiousness.
    pub infectiousness_weight_high: f64,
    /// Windows that score less are dropped whole.
    pub minimum_window_score: f64,
    /// Weights of the report types that count.
    pub report_type_weights: ReportTypeWeights,
}

/// Weight of each report type; revoked keys never count.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ReportTypeWeights {
    /// Positive laboratory test.
    pub confirmed_test: f64,
    /// Physician's diagnosis.
    pub confirmed_clinical_diagnosis: f64,
    /// Own report.
    pub self_report: f64,
    /// Contact of a contact.
    pub recursive: f64,
}

impl ReportTypeWeights {
    /// Every report type counts in full.
    pub const EQUAL: Self = Self {
        confirmed_test: 1.0,
        confirmed_clinical_diagnosis: 1.0,
        self_report: 1.0,
        recursive: 1.0,
    };

    /// The weight of `report_type`; revoked keys have none.
    #[must_use]
    pub const fn of(&self, report_type: ReportType) -> Option<f64> {
        match report_type {
            ReportType::ConfirmedTest => Some(self.confirmed_test),
            ReportType::ConfirmedClinicalDiagnosis => Some(self.confirmed_clinical_diagnosis),
            ReportType::SelfReport => Some(self.self_report),
            ReportType::Recursive => Some(self.recursive),
            ReportType::Revoked => None,
        }
    }

    pub(super) fn check(&self, at: &str) -> Result<(), ConfigurationError> {
        check::weight(&format!("{at}.confirmed_test"), self.confirmed_test)?;
        check::weight(
            &format!("{at}.confirmed_clinical_diagnosis"),
            self.confirmed_clinical_diagnosis,
        )?;
        check::weight(&format!("{at}.self_report"), self.self_report)?;
        check::weight(&format!("{at}.recursive"), self.recursive)
    }
}

impl DailySummariesConfig {
    /// COCOA's production values (`configuration.json`, `google_daily_summaries_config`), where a
    /// days threshold of 0 means none.
    #[must_use]
    pub const fn cocoa() -> Self {
        Self {
            attenuation_bucket_threshold_db: [46, 60, 65],
            attenuation_bucket_weights: [1.0, 2.5, 1.3, 0.01],
            bucket_edges: BucketEdges::UpperInclusive,
            days_since_exposure_threshold: None,
            infectiousness_weight_standard: 1.0,
            infectiousness_weight_high: 1.0,
            minimum_window_score: 0.0,
            report_type_weights: ReportTypeWeights::EQUAL,
        }
    }

    /// Defaults of Exposure Notifications Express: 30, 50 and 60 dB, weights of 150, 100, 50 and
    /// 0 %, infectiousness and report types in full.
    #[must_use]
    pub const fn express() -> Self {
        Self {
            attenuation_bucket_threshold_db: [30, 50, 60],
            attenuation_bucket_weights: [1.5, 1.0, 0.5, 0.0],
            ..Self::cocoa()
        }
    }

    /// Whether every number is in its range.
    ///
    /// # Errors
    /// Weights outside 0..=1000, thresholds that do not ascend, a minimum score that is negative
    /// or not finite; the place is below `daily_summaries`.
    pub fn check(&self) -> Result<(), ConfigurationError> {
        let thresholds = "daily_summaries.attenuation_bucket_threshold_db";
        check::ascending(thresholds, &self.attenuation_bucket_threshold_db)?;
        let weights = "daily_summaries.attenuation_bucket_weights";
        check::weights(weights, &self.attenuation_bucket_weights)?;
        let standard = "daily_summaries.infectiousness_weight_standard";
        check::weight(standard, self.infectiousness_weight_standard)?;
        let high = "daily_summaries.infectiousness_weight_high";
        check::weight(high, self.infectiousness_weight_high)?;
        check::score("daily_summaries.minimum_window_score", self.minimum_window_score)?;
        self.report_type_weights.check("daily_summaries.report_type_weights")
    }

    fn bucket(&self, attenuation: AttenuationDb) -> usize {
        let beyond = |threshold: &&u16| match self.bucket_edges {
            BucketEdges::UpperInclusive => attenuation.db() > **threshold,
            BucketEdges::UpperExclusive => attenuation.db() >= **threshold,
        };
        self.attenuation_bucket_threshold_db.iter().take_while(beyond).count()
    }

    const fn infectiousness_weight(&self, infectiousness: Infectiousness) -> Option<f64> {
        match infectiousness {
            Infectiousness::None => None,
            Infectiousness::Standard => Some(self.infectiousness_weight_standard),
            Infectiousness::High => Some(self.infectiousness_weight_high),
        }
    }

    fn seconds_by_bucket(&self, scan_instances: &[ScanInstance]) -> [u64; 4] {
        let mut seconds = [0_u64; 4];
        for scan in scan_instances {
            seconds[self.bucket(scan.typical_attenuation)] +=
                u64::from(scan.seconds_since_last_scan);
        }
        seconds
    }

    /// Seconds of the scan instances, each times the weight of its bucket.
    fn weighted_seconds(&self, scan_instances: &[ScanInstance]) -> f64 {
        let seconds = self.seconds_by_bucket(scan_instances);
        let weighted = |(&seconds, weight): (&u64, &f64)| number(seconds) * weight;
        seconds.iter().zip(&self.attenuation_bucket_weights).map(weighted).sum()
    }

    /// The buckets with their ranges; a bucket that no attenuation can fall into is left out.
    fn bucket_terms(&self, scan_instances: &[ScanInstance]) -> Vec<BucketTerm> {
        let seconds = self.seconds_by_bucket(scan_instances);
        let last_of = |threshold: u16| match self.bucket_edges {
            BucketEdges::UpperInclusive => Some(threshold),
            BucketEdges::UpperExclusive => threshold.checked_sub(1),
        };
        let ends = self.attenuation_bucket_threshold_db.map(last_of);
        let mut from = Some(0_u16);
        let mut terms = Vec::new();
        for (index, end) in ends.into_iter().chain([Some(u16::MAX)]).enumerate() {
            let (Some(first), Some(last)) = (from, end) else { continue };
            if first > last {
                continue;
            }
            terms.push(BucketTerm {
                from: AttenuationDb::from_db(first),
                to: AttenuationDb::from_db(last),
                seconds: seconds[index],
                weight: self.attenuation_bucket_weights[index],
            });
            from = last.checked_add(1);
        }
        terms
    }

    /// What `window` contributes to its day's summary.
    pub(super) fn contribution(&self, window: &KeyWindow<'_>, today: UtcDay) -> Contribution {
        let mut contribution = contribution(window);
        let (_, window) = window;
        contribution.buckets = self.bucket_terms(&window.scan_instances);
        let report_type = self.report_type_weights.of(window.report_type);
        let infectiousness = self.infectiousness_weight(window.infectiousness);
        for (factor, value) in
            [(Factor::ReportType, report_type), (Factor::Infectiousness, infectiousness)]
        {
            contribution.factors.extend(value.map(|value| FactorTerm {
                factor,
                input: None,
                value,
            }));
        }
        if let (Some(report_type), Some(infectiousness)) = (report_type, infectiousness) {
            contribution.score =
                self.weighted_seconds(&window.scan_instances) * report_type * infectiousness;
        }
        let below = contribution.score < self.minimum_window_score;
        let dropped = drop_reason(window, today, self.days_since_exposure_threshold)
            .or_else(|| below.then_some(DropReason::BelowMinimumScore));
        contribution.verdict = dropped.map_or(Verdict::Kept, Verdict::Dropped);
        contribution
    }
}

impl Default for DailySummariesConfig {
    /// [`DailySummariesConfig::cocoa`].
    fn default() -> Self {
        Self::cocoa()
    }
}

/// What windows add up to (`ExposureSummaryData`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct SummaryData {
    /// Score of the highest window.
    pub maximum_score: f64,
    /// Sum of the windows' scores.
    pub score_sum: f64,
    /// Sum of the windows' seconds by bucket weight alone.
    pub weighted_duration_sum: f64,
}

impl SummaryData {
    fn add(&mut self, score: f64, weighted_seconds: f64) {
        self.maximum_score = self.maximum_score.max(score);
        self.score_sum += score;
        self.weighted_duration_sum += weighted_seconds;
    }
}

/// What one day's windows add up to (`DailySummary.daySummary`).
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct DailySummary {
    /// The UTC day.
    pub day: UtcDay,
    /// Score of the highest window.
    pub maximum_score: f64,
    /// Sum of the windows' scores.
    pub score_sum: f64,
    /// Sum of the windows' seconds by bucket weight alone, without report type and
    /// infectiousness.
    pub weighted_duration_sum: f64,
    /// Windows that count.
    pub windows: u32,
    /// The windows of keys confirmed by test.
    #[serde(default)]
    pub confirmed_test: SummaryData,
    /// The windows of keys confirmed by a physician.
    #[serde(default)]
    pub confirmed_clinical_diagnosis: SummaryData,
    /// The windows of keys their owners reported.
    #[serde(default)]
    pub self_report: SummaryData,
    /// The windows of contacts of contacts.
    #[serde(default)]
    pub recursive: SummaryData,
}

impl DailySummary {
    /// A day on which no window counts.
    #[must_use]
    pub fn empty(day: UtcDay) -> Self {
        Self {
            day,
            maximum_score: 0.0,
            score_sum: 0.0,
            weighted_duration_sum: 0.0,
            windows: 0,
            confirmed_test: SummaryData::default(),
            confirmed_clinical_diagnosis: SummaryData::default(),
            self_report: SummaryData::default(),
            recursive: SummaryData::default(),
        }
    }

    /// Adds a window that counts.
    pub(super) fn add(
        &mut self,
        window: &ExposureWindow,
        score: f64,
        config: &DailySummariesConfig,
    ) {
        let weighted = config.weighted_seconds(&window.scan_instances);
        let of_this_type = match window.report_type {
            ReportType::ConfirmedTest => &mut self.confirmed_test,
            ReportType::ConfirmedClinicalDiagnosis => &mut self.confirmed_clinical_diagnosis,
            ReportType::SelfReport => &mut self.self_report,
            ReportType::Recursive => &mut self.recursive,
            ReportType::Revoked => return,
        };
        of_this_type.add(score, weighted);
        self.maximum_score = self.maximum_score.max(score);
        self.score_sum += score;
        self.weighted_duration_sum += weighted;
        self.windows = self.windows.saturating_add(1);
    }
}

/// The score of one window, or why it does not count.
#[must_use]
pub fn window_score(window: &ExposureWindow, config: &DailySummariesConfig) -> Option<f64> {
    let report_type = config.report_type_weights.of(window.report_type)?;
    let infectiousness = config.infectiousness_weight(window.infectiousness)?;
    let score = config.weighted_seconds(&window.scan_instances) * report_type * infectiousness;
    (score >= config.minimum_window_score).then_some(score)
}

/// The summary of `day` over all its windows, or `None` if none of them counts. `today` is the
/// UTC day on which the question is asked.
#[must_use]
pub fn daily_summary<'a>(
    day: UtcDay,
    windows: impl IntoIterator<Item = &'a ExposureWindow>,
    today: UtcDay,
    config: &DailySummariesConfig,
) -> Option<DailySummary> {
    let too_old = |limit: u32| today.days_since(day) > i64::from(limit);
    if config.days_since_exposure_threshold.is_some_and(too_old) {
        return None;
    }
    let mut windows: Vec<_> = windows.into_iter().filter(|window| window.day() == day).collect();
    // Sums of fractions depend on their order in the last bit; the result must not.
    windows.sort_by_key(|window| (window.first_heard_at, window.id));
    let summary = windows.into_iter().fold(DailySummary::empty(day), |mut summary, window| {
        if let Some(score) = window_score(window, config) {
            summary.add(window, score, config);
        }
        summary
    });
    (summary.windows > 0).then_some(summary)
}
