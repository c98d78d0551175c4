//! COCOA's `exposure_data.json` (v2.0.1, `ExposureData`, `ExposureDataExportService`): written so
//! that the log checkers made for it open ours, and read so that ours can be compared with theirs.
//!
//! The document is indented by two spaces and has no line end after it, as Newtonsoft's writer
//! leaves it. It knows no keys, no times of day and no version.

mod wire;

use thiserror::Error;

use crate::diagnosis_key::ReportType;
use crate::exposure::{ExposureWindow, ScanInstance};
use crate::metadata::CalibrationConfidence;
use crate::risk::Infectiousness;
use crate::risk::daily_summary::{DailySummary, SummaryData};
use crate::time::UtcDay;

/// Where the data comes from, as the host knows it; what it does not know is written as `null`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ExportOrigin {
    /// `Android`, `iOS`.
    pub platform: Option<String>,
    /// Version of the operating system.
    pub platform_version: Option<String>,
    /// The phone's model.
    pub model: Option<String>,
    /// `Physical` or `Virtual`.
    pub device_type: Option<String>,
    /// Version of the app.
    pub app_version: Option<String>,
    /// Build number of the app.
    pub build_number: Option<String>,
    /// Version of the exposure notification service.
    pub en_version: Option<String>,
}

/// `daily_summaries[]`: a day on which something counts.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ExportedSummary {
    /// The UTC day.
    pub day: UtcDay,
    /// All report types together.
    pub day_summary: SummaryData,
    /// Keys confirmed by a physician.
    pub confirmed_clinical_diagnosis: SummaryData,
    /// Keys confirmed by test.
    pub confirmed_test: SummaryData,
    /// Contacts of contacts.
    pub recursive: SummaryData,
    /// Keys their owners reported.
    pub self_reported: SummaryData,
}

impl From<&DailySummary> for ExportedSummary {
    fn from(summary: &DailySummary) -> Self {
        Self {
            day: summary.day,
            day_summary: SummaryData {
                maximum_score: summary.maximum_score,
                score_sum: summary.score_sum,
                weighted_duration_sum: summary.weighted_duration_sum,
            },
            confirmed_clinical_diagnosis: summary.confirmed_clinical_diagnosis,
            confirmed_test: summary.confirmed_test,
            recursive: summary.recursive,
            self_reported: summary.self_report,
        }
    }
}

/// `exposure_windows[]`: up to half an hour near somebody, without saying who or when that day.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ExportedWindow {
    /// The UTC day.
    pub day: UtcDay,
    /// How well the sender's model is calibrated. The format has no word for one that is not
    /// known; GAEN takes the lowest for it.
    pub calibration_confidence: CalibrationConfidence,
    /// The sender's infectiousness.
    pub infectiousness: Infectiousness,
    /// Ground of publication; 0 in the document is `None`.
    pub report_type: Option<ReportType>,
    /// The scans.
    pub scan_instances: Vec<ScanInstance>,
}

impl From<&ExposureWindow> for ExportedWindow {
    fn from(window: &ExposureWindow) -> Self {
        Self {
            day: window.day(),
            calibration_confidence: window
                .calibration_confidence
                .unwrap_or(CalibrationConfidence::Lowest),
            infectiousness: window.infectiousness,
            report_type: Some(window.report_type),
            scan_instances: window.scan_instances.clone(),
        }
    }
}

/// The whole document.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ExposureData {
    /// Where it comes from.
    pub origin: ExportOrigin,
    /// The days.
    pub daily_summaries: Vec<ExportedSummary>,
    /// The windows.
    pub exposure_windows: Vec<ExportedWindow>,
}

/// Of which list an item was left out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ItemList {
    /// `daily_summaries`
    DailySummaries,
    /// `exposure_windows`
    ExposureWindows,
}

/// A summary or window that could not be read. The others were.
#[derive(Debug, Error)]
#[error("{}[{index}]: {source}", match list {
    ItemList::DailySummaries => "daily_summaries",
    ItemList::ExposureWindows => "exposure_windows",
})]
pub struct SkippedItem {
    /// Where it stood.
    pub list: ItemList,
    /// At which place of the list, from 0.
    pub index: usize,
    /// What is wrong with it.
    pub source: ItemError,
}

/// What is wrong with an item.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum ItemError {
    /// A field is missing or of another type.
    #[error(transparent)]
    Shape(#[from] serde_json::Error),
    /// Not the first millisecond of a UTC day from 1970 on.
    #[error("DateMillisSinceEpoch: {0} is not the start of a day")]
    Date(i64),
    /// A number that stands for nothing.
    #[error("{field}: {value} stands for nothing")]
    Meaningless {
        /// The field.
        field: &'static str,
        /// What stands there.
        value: i64,
    },
    /// A score that is negative.
    #[error("{field}: {value} is not a score")]
    Score {
        /// The field.
        field: &'static str,
        /// What stands there.
        value: f64,
    },
}

/// A document that is none: not JSON, or not of this shape.
#[derive(Debug, Error)]
#[error("not an exposure_data.json: {0}")]
pub struct ExposureDataError(#[from] serde_json::Error);

impl ExposureData {
    /// The document of these days and windows.
    ///
    /// Days on which nothing counts and windows that cannot count are left out, as the operating
    /// systems never handed them to the app. The windows of a day are ordered by their contents,
    /// so that their order says nothing about the time of day.
    #[must_use]
    pub fn new<'a>(
        origin: ExportOrigin,
        daily_summaries: impl IntoIterator<Item = &'a DailySummary>,
        exposure_windows: impl IntoIterator<Item = &'a ExposureWindow>,
    ) -> Self {
        let counting = |summary: &&DailySummary| summary.windows > 0;
        let mut daily_summaries: Vec<_> =
            daily_summaries.into_iter().filter(counting).map(ExportedSummary::from).collect();
        daily_summaries.sort_by_key(|summary| summary.day);
        let counting = |window: &&ExposureWindow| window.may_count();
        let mut exposure_windows: Vec<_> =
            exposure_windows.into_iter().filter(counting).map(ExportedWindow::from).collect();
        exposure_windows.sort_by_cached_key(wire::order);
        Self { origin, daily_summaries, exposure_windows }
    }

    /// The document as COCOA's app wrote it.
    #[must_use]
    pub fn to_json(&self) -> String {
        wire::write(self)
    }

    /// Reads a document, leaving out the items that cannot be read. Fields nobody knows are
    /// passed over, because the format has no version by which an app could announce them.
    ///
    /// # Errors
    /// [`ExposureDataError`] if the document itself cannot be read.
    pub fn from_json(json: &str) -> Result<(Self, Vec<SkippedItem>), ExposureDataError> {
        wire::read(json)
    }
}
