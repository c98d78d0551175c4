//! COCOA's `configuration.json`, as the app read it, made into this library's profiles.
//!
//! Its five objects are read strictly: a field too many, too few or of another type is refused by
//! serde with its name and place. What serde cannot see is checked when a profile is made: lengths,
//! ranges, days of -14..=14, numbers that stand for nothing. Nothing falls back to a default.

mod field;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::apple_v1::{AppleV1, AppleV1Weights};
use super::check::ConfigurationError;
use super::daily_summary::{BucketEdges, DailySummariesConfig, ReportTypeWeights};
use super::google_v1::GoogleV1;
use super::mapping::DiagnosisKeysDataMapping;
use super::profile::{ProfileRules, RiskProfile};
use field::{array, ascending, checked, days_limit, mapping, table, whole_number};

/// The whole document.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CocoaConfiguration {
    /// Android, first generation.
    pub google_exposure_config: GoogleExposureConfig,
    /// Android: what a key's details mean.
    pub google_diagnosis_keys_data_mapping_config: GoogleMappingConfig,
    /// Android: weights of the daily summary.
    pub google_daily_summaries_config: GoogleDailySummariesConfig,
    /// iOS, first generation.
    pub apple_exposure_config_v1: AppleExposureConfigV1,
    /// iOS: both of the above for the second generation.
    pub apple_exposure_config_v2: AppleExposureConfigV2,
}

/// `google_exposure_config`; the weights are written but Google's formula ignores them.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(missing_docs, reason = "the names are Google's and documented at `GoogleV1`")]
pub struct GoogleExposureConfig {
    pub attenuation_scores: Vec<i64>,
    pub attenuation_weight: i64,
    pub days_since_last_exposure_scores: Vec<i64>,
    pub days_since_last_exposure_weight: i64,
    pub duration_at_attenuation_thresholds: Vec<i64>,
    pub duration_scores: Vec<i64>,
    pub duration_weight: i64,
    pub minimum_risk_score: i64,
    pub transmission_risk_scores: Vec<i64>,
    pub transmission_risk_weight: i64,
}

/// `google_diagnosis_keys_data_mapping_config`, with the numbers of Google's interface.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GoogleMappingConfig {
    /// 0 none, 1 standard, 2 high.
    pub infectiousness_when_days_since_onset_missing: i64,
    /// 1 test, 2 diagnosis, 3 own report, 4 recursive.
    pub report_type_when_missing: i64,
    /// From days -14..=14; days left out are not infectious.
    pub infectiousness_for_days_since_onset_of_symptoms: BTreeMap<i32, i64>,
}

/// `google_daily_summaries_config`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GoogleDailySummariesConfig {
    /// Three thresholds in dB.
    pub attenuation_bucket_threshold_db: Vec<i64>,
    /// Four weights.
    pub attenuation_bucket_weights: Vec<f64>,
    /// 0 is no limit.
    pub days_since_exposure_threshold: i64,
    /// By infectiousness.
    pub infectiousness_weights: NamedInfectiousnessWeights,
    /// Windows that score less are dropped.
    pub minimum_window_score: f64,
    /// By report type.
    pub report_type_weights: NamedReportTypeWeights,
}

/// Weights under the names of the app's enumeration.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "PascalCase")]
#[expect(missing_docs, reason = "named after what they weigh")]
pub struct NamedInfectiousnessWeights {
    pub high: f64,
    pub standard: f64,
}

/// Weights under the names of the app's enumeration.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "PascalCase")]
#[expect(missing_docs, reason = "named after what they weigh")]
pub struct NamedReportTypeWeights {
    pub confirmed_clinical_diagnosis: f64,
    pub confirmed_test: f64,
    pub self_report: f64,
    pub recursive: f64,
}

/// `apple_exposure_config_v1`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(missing_docs, reason = "the names are Apple's and documented at `AppleV1`")]
pub struct AppleExposureConfigV1 {
    pub attenuation_level_values: Vec<i64>,
    pub days_since_last_exposure_level_values: Vec<i64>,
    pub duration_level_values: Vec<i64>,
    pub transmission_risk_level_values: Vec<i64>,
    pub minimum_risk_score: i64,
    pub minimum_risk_score_full_range: f64,
}

/// `apple_exposure_config_v2`; weights are percentages.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(missing_docs, reason = "the names are Apple's; units stand above")]
pub struct AppleExposureConfigV2 {
    pub infectiousness_when_days_since_onset_missing: i64,
    pub attenuation_duration_thresholds: Vec<i64>,
    pub immediate_duration_weight: f64,
    pub near_duration_weight: f64,
    pub medium_duration_weight: f64,
    pub other_duration_weight: f64,
    /// Spelled unlike its neighbours in COCOA's file as well.
    #[serde(rename = "DaysSinceLastExposureThreshold")]
    pub days_since_last_exposure_threshold: i64,
    pub infectiousness_for_days_since_onset_of_symptoms: BTreeMap<i32, i64>,
    pub infectiousness_high_weight: f64,
    pub infectiousness_standard_weight: f64,
    pub report_type_confirmed_clinical_diagnosis_weight: f64,
    pub report_type_confirmed_test_weight: f64,
    pub report_type_recursive_weight: f64,
    pub report_type_self_reported_weight: f64,
    pub report_type_none_map: i64,
}

impl CocoaConfiguration {
    /// Whether every object makes a profile.
    ///
    /// # Errors
    /// The first fault, with the name of its object and field.
    pub fn check(&self) -> Result<(), ConfigurationError> {
        self.google_exposure_config.profile()?;
        self.google_diagnosis_keys_data_mapping_config.mapping()?;
        self.google_daily_summaries_config.daily_summaries()?;
        self.apple_exposure_config_v1.profile()?;
        self.apple_exposure_config_v2.mapping()?;
        self.apple_exposure_config_v2.daily_summaries().map(|_| ())
    }
}

impl GoogleExposureConfig {
    /// Profile `google-v1`.
    ///
    /// # Errors
    /// Lists that are not eight long, scores outside 0..=8, a minimum outside 1..=4096,
    /// thresholds that are not two in ascending order.
    pub fn profile(&self) -> Result<RiskProfile, ConfigurationError> {
        let at = |field: &str| format!("google_exposure_config.{field}");
        for (field, weight) in [
            ("attenuation_weight", self.attenuation_weight),
            ("days_since_last_exposure_weight", self.days_since_last_exposure_weight),
            ("duration_weight", self.duration_weight),
            ("transmission_risk_weight", self.transmission_risk_weight),
        ] {
            whole_number::<u8>(&at(field), weight, 0, 100)?;
        }
        let thresholds = at("duration_at_attenuation_thresholds");
        ascending::<2>(&thresholds, &self.duration_at_attenuation_thresholds)?;
        RiskProfile::new(ProfileRules::GoogleV1(GoogleV1 {
            attenuation_scores: table(&at("attenuation_scores"), &self.attenuation_scores)?,
            days_since_last_exposure_scores: table(
                &at("days_since_last_exposure_scores"),
                &self.days_since_last_exposure_scores,
            )?,
            duration_scores: table(&at("duration_scores"), &self.duration_scores)?,
            transmission_risk_scores: table(
                &at("transmission_risk_scores"),
                &self.transmission_risk_scores,
            )?,
            minimum_risk_score: whole_number(
                &at("minimum_risk_score"),
                self.minimum_risk_score,
                1,
                4096,
            )?,
        }))
    }
}

impl GoogleMappingConfig {
    /// The mapping.
    ///
    /// # Errors
    /// Days outside -14..=14, numbers that stand for no infectiousness or report type.
    pub fn mapping(&self) -> Result<DiagnosisKeysDataMapping, ConfigurationError> {
        mapping(
            "google_diagnosis_keys_data_mapping_config",
            &self.infectiousness_for_days_since_onset_of_symptoms,
            self.infectiousness_when_days_since_onset_missing,
            ("report_type_when_missing", self.report_type_when_missing),
        )
    }
}

impl GoogleDailySummariesConfig {
    /// The daily summaries, with Google's bucket edges.
    ///
    /// # Errors
    /// Lists of a wrong length, thresholds that do not ascend, numbers out of range.
    pub fn daily_summaries(&self) -> Result<DailySummariesConfig, ConfigurationError> {
        let object = "google_daily_summaries_config";
        let weights = &self.report_type_weights;
        checked(
            object,
            DailySummariesConfig {
                attenuation_bucket_threshold_db: ascending(
                    &format!("{object}.attenuation_bucket_threshold_db"),
                    &self.attenuation_bucket_threshold_db,
                )?,
                attenuation_bucket_weights: array(
                    &format!("{object}.attenuation_bucket_weights"),
                    &self.attenuation_bucket_weights,
                )?,
                bucket_edges: BucketEdges::UpperInclusive,
                days_since_exposure_threshold: days_limit(
                    &format!("{object}.days_since_exposure_threshold"),
                    self.days_since_exposure_threshold,
                )?,
                infectiousness_weight_standard: self.infectiousness_weights.standard,
                infectiousness_weight_high: self.infectiousness_weights.high,
                minimum_window_score: self.minimum_window_score,
                report_type_weights: ReportTypeWeights {
                    confirmed_test: weights.confirmed_test,
                    confirmed_clinical_diagnosis: weights.confirmed_clinical_diagnosis,
                    self_report: weights.self_report,
                    recursive: weights.recursive,
                },
            },
        )
    }
}

impl AppleExposureConfigV1 {
    /// Profile `apple-v1`, with Apple's default weights.
    ///
    /// # Errors
    /// Lists that are not eight long, values outside 0..=8, a minimum outside 1..=255 or one that
    /// is negative or not finite.
    pub fn profile(&self) -> Result<RiskProfile, ConfigurationError> {
        let at = |field: &str| format!("apple_exposure_config_v1.{field}");
        let full_range = self.minimum_risk_score_full_range;
        super::check::score(&at("minimum_risk_score_full_range"), full_range)?;
        RiskProfile::new(ProfileRules::AppleV1(AppleV1 {
            attenuation_level_values: table(
                &at("attenuation_level_values"),
                &self.attenuation_level_values,
            )?,
            days_since_last_exposure_level_values: table(
                &at("days_since_last_exposure_level_values"),
                &self.days_since_last_exposure_level_values,
            )?,
            duration_level_values: table(
                &at("duration_level_values"),
                &self.duration_level_values,
            )?,
            transmission_risk_level_values: table(
                &at("transmission_risk_level_values"),
                &self.transmission_risk_level_values,
            )?,
            weights: AppleV1Weights::default(),
            minimum_risk_score: whole_number(
                &at("minimum_risk_score"),
                self.minimum_risk_score,
                1,
                255,
            )?,
            minimum_risk_score_full_range: full_range,
        }))
    }
}

impl AppleExposureConfigV2 {
    /// The mapping.
    ///
    /// # Errors
    /// Days outside -14..=14, numbers that stand for no infectiousness or report type.
    pub fn mapping(&self) -> Result<DiagnosisKeysDataMapping, ConfigurationError> {
        mapping(
            "apple_exposure_config_v2",
            &self.infectiousness_for_days_since_onset_of_symptoms,
            self.infectiousness_when_days_since_onset_missing,
            ("report_type_none_map", self.report_type_none_map),
        )
    }

    /// The daily summaries. Apple's edges are not known; Google's are taken.
    ///
    /// # Errors
    /// Lists of a wrong length, thresholds that do not ascend, numbers out of range.
    pub fn daily_summaries(&self) -> Result<DailySummariesConfig, ConfigurationError> {
        let object = "apple_exposure_config_v2";
        let percentages = [
            self.immediate_duration_weight,
            self.near_duration_weight,
            self.medium_duration_weight,
            self.other_duration_weight,
        ];
        checked(
            object,
            DailySummariesConfig {
                attenuation_bucket_threshold_db: ascending(
                    &format!("{object}.attenuation_duration_thresholds"),
                    &self.attenuation_duration_thresholds,
                )?,
                attenuation_bucket_weights: percentages.map(|percent| percent / 100.0),
                bucket_edges: BucketEdges::UpperInclusive,
                days_since_exposure_threshold: days_limit(
                    &format!("{object}.DaysSinceLastExposureThreshold"),
                    self.days_since_last_exposure_threshold,
                )?,
                infectiousness_weight_standard: self.infectiousness_standard_weight / 100.0,
                infectiousness_weight_high: self.infectiousness_high_weight / 100.0,
                minimum_window_score: 0.0,
                report_type_weights: ReportTypeWeights {
                    confirmed_test: self.report_type_confirmed_test_weight / 100.0,
                    confirmed_clinical_diagnosis: self
                        .report_type_confirmed_clinical_diagnosis_weight
                        / 100.0,
                    self_report: self.report_type_self_reported_weight / 100.0,
                    recursive: self.report_type_recursive_weight / 100.0,
                },
            },
        )
    }
}
