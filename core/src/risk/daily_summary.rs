//! `DailySummary`: the score of one UTC day (exposure-notifications-internals,
//! `DailySummaryUtils`).
//!
//! Per window: seconds by attenuation bucket times the bucket's weight, times the weights of
//! report type and infectiousness; windows below the minimum score are dropped. Per day: the
//! greatest and the sum.

use serde::{Deserialize, Serialize};

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
            report_type_weights: ReportTypeWeights {
                confirmed_test: 1.0,
                confirmed_clinical_diagnosis: 1.0,
                self_report: 1.0,
                recursive: 1.0,
            },
        }
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

    const fn report_type_weight(&self, report_type: ReportType) -> Option<f64> {
        let weights = &self.report_type_weights;
        match report_type {
            ReportType::ConfirmedTest => Some(weights.confirmed_test),
            ReportType::ConfirmedClinicalDiagnosis => Some(weights.confirmed_clinical_diagnosis),
            ReportType::SelfReport => Some(weights.self_report),
            ReportType::Recursive => Some(weights.recursive),
            ReportType::Revoked => None,
        }
    }

    /// Seconds of the scan instances, each times the weight of its bucket.
    fn weighted_seconds(&self, scan_instances: &[ScanInstance]) -> f64 {
        let mut seconds = [0_u64; 4];
        for scan in scan_instances {
            seconds[self.bucket(scan.typical_attenuation)] +=
                u64::from(scan.seconds_since_last_scan);
        }
        #[expect(clippy::cast_precision_loss, reason = "seconds of a day are far below 2^53")]
        let weighted = |(&seconds, weight): (&u64, &f64)| seconds as f64 * weight;
        seconds.iter().zip(&self.attenuation_bucket_weights).map(weighted).sum()
    }
}

impl Default for DailySummariesConfig {
    /// [`DailySummariesConfig::cocoa`].
    fn default() -> Self {
        Self::cocoa()
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
}

impl DailySummary {
    /// A day on which no window counts.
    #[must_use]
    pub const fn empty(day: UtcDay) -> Self {
        Self { day, maximum_score: 0.0, score_sum: 0.0, weighted_duration_sum: 0.0, windows: 0 }
    }
}

/// The score of one window, or why it does not count.
#[must_use]
pub fn window_score(window: &ExposureWindow, config: &DailySummariesConfig) -> Option<f64> {
    let report_type = config.report_type_weight(window.report_type)?;
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
            summary.maximum_score = summary.maximum_score.max(score);
            summary.score_sum += score;
            summary.weighted_duration_sum += config.weighted_seconds(&window.scan_instances);
            summary.windows += 1;
        }
        summary
    });
    (summary.windows > 0).then_some(summary)
}
