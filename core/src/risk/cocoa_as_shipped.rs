//! What COCOA v2.0.1 did where it was wrong, so that its results can be reproduced and explained.
//!
//! * An operator that nobody knows never holds: a typing error in the rule silences the app.
//! * Windows were kept as a set of values: of two people whose windows look alike, one counts.
//! * The score was the whole day's, but seconds and attenuations were those of the windows that
//!   were new in the batch of keys: a contact that arrived in two batches never notified.
//!
//! Source: `ExposureRiskCalculationService`, `ExposureDetectionService`, `ExposureDataRepository`.

use serde::{Deserialize, Deserializer};

use super::Infectiousness;
use super::cocoa::{Condition, Relation, RiskCalculationConfiguration};
use super::day::{KeyWindow, shape};
use crate::diagnosis_key::ReportType;
use crate::exposure::ExposureWindow;
use crate::metadata::CalibrationConfidence;
use crate::time::UtcDay;

/// A rule read as COCOA's app read it: an unknown operator becomes [`Relation::Unknown`].
///
/// [`RiskCalculationConfiguration`] itself refuses such a document.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct RuleAsShipped(pub RiskCalculationConfiguration);

impl<'de> Deserialize<'de> for RuleAsShipped {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        rule(deserializer).map(Self)
    }
}

/// Reads a rule whatever its operators are.
pub(super) fn rule<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<RiskCalculationConfiguration, D::Error> {
    let document = Document::deserialize(deserializer)?;
    Ok(RiskCalculationConfiguration {
        format_version: document.format_version,
        score_sum: document.score_sum.into(),
        weighted_duration_average: document.weighted_duration_average.into(),
        seconds_since_last_scan_sum: document.seconds_since_last_scan_sum.into(),
        typical_attenuation_max: document.typical_attenuation_max.into(),
        typical_attenuation_min: document.typical_attenuation_min.into(),
    })
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Document {
    format_version: u32,
    #[serde(rename = "DailySummary_DaySummary_ScoreSum")]
    score_sum: AnyCondition,
    #[serde(rename = "DailySummary_DaySummary_WeightedDurationAverage")]
    weighted_duration_average: AnyCondition,
    #[serde(rename = "ExposureWindow_ScanInstance_SecondsSinceLastScanSum")]
    seconds_since_last_scan_sum: AnyCondition,
    #[serde(rename = "ExposureWindow_ScanInstance_TypicalAttenuationDb_Max")]
    typical_attenuation_max: AnyCondition,
    #[serde(rename = "ExposureWindow_ScanInstance_TypicalAttenuationDb_Min")]
    typical_attenuation_min: AnyCondition,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct AnyCondition {
    op: String,
    value: f64,
}

impl From<AnyCondition> for Condition {
    fn from(condition: AnyCondition) -> Self {
        let op = Relation::from_document(&condition.op).unwrap_or(Relation::Unknown);
        Self { op, value: condition.value }
    }
}

/// Everything of a window that COCOA compared: no key, no identity, no time within the day.
type Value =
    (UtcDay, ReportType, Infectiousness, Option<CalibrationConfidence>, Vec<(u16, u16, u32)>);

fn value(window: &ExposureWindow) -> Value {
    (
        window.day(),
        window.report_type,
        window.infectiousness,
        window.calibration_confidence,
        shape(window),
    )
}

/// The windows of `batch` that the store did not hold in `before`, each value once.
pub(super) fn new_by_value<'a>(
    before: &[KeyWindow<'_>],
    batch: &[KeyWindow<'a>],
) -> Vec<&'a ExposureWindow> {
    let mut seen: Vec<Value> = before.iter().map(|(_, window)| value(window)).collect();
    let mut fresh = Vec::new();
    for (_, window) in batch {
        let value = value(window);
        if !seen.contains(&value) {
            seen.push(value);
            fresh.push(*window);
        }
    }
    fresh
}
