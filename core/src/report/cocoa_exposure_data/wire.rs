//! The document's fields, in the order in which COCOA's app wrote them.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{
    ExportOrigin, ExportedSummary, ExportedWindow, ExposureData, ExposureDataError, ItemError,
    ItemList, SkippedItem,
};
use crate::diagnosis_key::ReportType;
use crate::exposure::ScanInstance;
use crate::metadata::CalibrationConfidence;
use crate::risk::Infectiousness;
use crate::risk::daily_summary::SummaryData;
use crate::signal::AttenuationDb;
use crate::time::{DAY_SECONDS, UtcDay};

const DAY_MILLISECONDS: i64 = DAY_SECONDS as i64 * 1000;

#[derive(Serialize, Deserialize)]
struct Document<S, W> {
    platform: Option<String>,
    platform_version: Option<String>,
    model: Option<String>,
    device_type: Option<String>,
    app_version: Option<String>,
    build_number: Option<String>,
    en_version: Option<String>,
    daily_summaries: Vec<S>,
    exposure_windows: Vec<W>,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Summary {
    date_millis_since_epoch: i64,
    day_summary: Scores,
    confirmed_clinical_diagnosis_summary: Scores,
    confirmed_test_summary: Scores,
    recursive_summary: Scores,
    self_reported_summary: Scores,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Scores {
    maximum_score: f64,
    score_sum: f64,
    weighted_duration_sum: f64,
}

#[derive(PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Window {
    calibration_confidence: i64,
    date_millis_since_epoch: i64,
    infectiousness: i64,
    report_type: i64,
    scan_instances: Vec<Scan>,
}

#[derive(PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Scan {
    min_attenuation_db: i64,
    seconds_since_last_scan: i64,
    typical_attenuation_db: i64,
}

/// Windows by day, and within a day by nothing but what the document says.
pub(super) fn order(window: &ExportedWindow) -> (UtcDay, Window) {
    (window.day, Window::from(window))
}

pub(super) fn write(data: &ExposureData) -> String {
    let origin = data.origin.clone();
    let document = Document {
        platform: origin.platform,
        platform_version: origin.platform_version,
        model: origin.model,
        device_type: origin.device_type,
        app_version: origin.app_version,
        build_number: origin.build_number,
        en_version: origin.en_version,
        daily_summaries: data.daily_summaries.iter().map(Summary::from).collect(),
        exposure_windows: data.exposure_windows.iter().map(Window::from).collect(),
    };
    serde_json::to_string_pretty(&document).expect("numbers, texts and lists are JSON")
}

pub(super) fn read(json: &str) -> Result<(ExposureData, Vec<SkippedItem>), ExposureDataError> {
    let document: Document<Value, Value> = serde_json::from_str(json)?;
    let mut skipped = Vec::new();
    let summaries = items(document.daily_summaries, ItemList::DailySummaries, &mut skipped, |v| {
        ExportedSummary::try_from(serde_json::from_value::<Summary>(v)?)
    });
    let windows = items(document.exposure_windows, ItemList::ExposureWindows, &mut skipped, |v| {
        ExportedWindow::try_from(serde_json::from_value::<Window>(v)?)
    });
    let origin = ExportOrigin {
        platform: document.platform,
        platform_version: document.platform_version,
        model: document.model,
        device_type: document.device_type,
        app_version: document.app_version,
        build_number: document.build_number,
        en_version: document.en_version,
    };
    let data = ExposureData { origin, daily_summaries: summaries, exposure_windows: windows };
    Ok((data, skipped))
}

fn items<T>(
    values: Vec<Value>,
    list: ItemList,
    skipped: &mut Vec<SkippedItem>,
    read: impl Fn(Value) -> Result<T, ItemError>,
) -> Vec<T> {
    let read = |(index, value)| {
        read(value).map_err(|source| skipped.push(SkippedItem { list, index, source })).ok()
    };
    values.into_iter().enumerate().filter_map(read).collect()
}

fn milliseconds(day: UtcDay) -> i64 {
    i64::from(day.days_since_1970()) * DAY_MILLISECONDS
}

fn day(milliseconds: i64) -> Result<UtcDay, ItemError> {
    let days = u32::try_from(milliseconds / DAY_MILLISECONDS).ok().map(UtcDay::new);
    days.filter(|day| self::milliseconds(*day) == milliseconds).ok_or(ItemError::Date(milliseconds))
}

impl From<&ExportedSummary> for Summary {
    fn from(summary: &ExportedSummary) -> Self {
        Self {
            date_millis_since_epoch: milliseconds(summary.day),
            day_summary: summary.day_summary.into(),
            confirmed_clinical_diagnosis_summary: summary.confirmed_clinical_diagnosis.into(),
            confirmed_test_summary: summary.confirmed_test.into(),
            recursive_summary: summary.recursive.into(),
            self_reported_summary: summary.self_reported.into(),
        }
    }
}

impl TryFrom<Summary> for ExportedSummary {
    type Error = ItemError;
    fn try_from(summary: Summary) -> Result<Self, ItemError> {
        Ok(Self {
            day: day(summary.date_millis_since_epoch)?,
            day_summary: summary.day_summary.checked()?,
            confirmed_clinical_diagnosis: summary.confirmed_clinical_diagnosis_summary.checked()?,
            confirmed_test: summary.confirmed_test_summary.checked()?,
            recursive: summary.recursive_summary.checked()?,
            self_reported: summary.self_reported_summary.checked()?,
        })
    }
}

impl From<SummaryData> for Scores {
    fn from(data: SummaryData) -> Self {
        Self {
            maximum_score: data.maximum_score,
            score_sum: data.score_sum,
            weighted_duration_sum: data.weighted_duration_sum,
        }
    }
}

impl Scores {
    fn checked(&self) -> Result<SummaryData, ItemError> {
        for (field, value) in [
            ("MaximumScore", self.maximum_score),
            ("ScoreSum", self.score_sum),
            ("WeightedDurationSum", self.weighted_duration_sum),
        ] {
            if !value.is_finite() || value < 0.0 {
                return Err(ItemError::Score { field, value });
            }
        }
        Ok(SummaryData {
            maximum_score: self.maximum_score,
            score_sum: self.score_sum,
            weighted_duration_sum: self.weighted_duration_sum,
        })
    }
}

impl From<&ExportedWindow> for Window {
    fn from(window: &ExportedWindow) -> Self {
        Self {
            calibration_confidence: window.calibration_confidence as i64,
            date_millis_since_epoch: milliseconds(window.day),
            infectiousness: window.infectiousness as i64,
            report_type: window.report_type.map_or(0, |known| i64::from(known.to_wire())),
            scan_instances: window.scan_instances.iter().map(Scan::from).collect(),
        }
    }
}

impl TryFrom<Window> for ExportedWindow {
    type Error = ItemError;
    fn try_from(window: Window) -> Result<Self, ItemError> {
        let meaningless = |field, value| Err(ItemError::Meaningless { field, value });
        Ok(Self {
            day: day(window.date_millis_since_epoch)?,
            calibration_confidence: match window.calibration_confidence {
                0 => CalibrationConfidence::Lowest,
                1 => CalibrationConfidence::Low,
                2 => CalibrationConfidence::Medium,
                3 => CalibrationConfidence::High,
                value => return meaningless("CalibrationConfidence", value),
            },
            infectiousness: match window.infectiousness {
                0 => Infectiousness::None,
                1 => Infectiousness::Standard,
                2 => Infectiousness::High,
                value => return meaningless("Infectiousness", value),
            },
            report_type: match window.report_type {
                0 => None,
                value => match i32::try_from(value).ok().and_then(ReportType::from_wire) {
                    None => return meaningless("ReportType", value),
                    known => known,
                },
            },
            scan_instances: window
                .scan_instances
                .iter()
                .map(ScanInstance::try_from)
                .collect::<Result<_, _>>()?,
        })
    }
}

impl From<&ScanInstance> for Scan {
    fn from(scan: &ScanInstance) -> Self {
        Self {
            min_attenuation_db: i64::from(scan.minimum_attenuation.db()),
            seconds_since_last_scan: i64::from(scan.seconds_since_last_scan),
            typical_attenuation_db: i64::from(scan.typical_attenuation.db()),
        }
    }
}

impl TryFrom<&Scan> for ScanInstance {
    type Error = ItemError;
    fn try_from(scan: &Scan) -> Result<Self, ItemError> {
        let attenuation = |field, value| {
            u16::try_from(value)
                .map(AttenuationDb::from_db)
                .map_err(|_| ItemError::Meaningless { field, value })
        };
        let seconds = scan.seconds_since_last_scan;
        Ok(Self {
            minimum_attenuation: attenuation("MinAttenuationDb", scan.min_attenuation_db)?,
            typical_attenuation: attenuation("TypicalAttenuationDb", scan.typical_attenuation_db)?,
            seconds_since_last_scan: u32::try_from(seconds).map_err(|_| {
                ItemError::Meaningless { field: "SecondsSinceLastScan", value: seconds }
            })?,
        })
    }
}
