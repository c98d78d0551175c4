//! The library's own export: what is known about each UTC day, for the phone's user and for the
//! tools that they trust.
//!
//! COCOA's users read such files with programs that had to guess. So this one says what was
//! scanned and not only what was found, which conditions a day met, and that a number of windows
//! is not a number of people. It names the keys that were heard by their SHA-256 (the keys are
//! public) and leaves out everything else that could lead to a person: identifiers, own keys, the
//! time of day, and the identities of windows, which are made of a time of day.
//!
//! A missing number is `null`, never 0.

use std::collections::BTreeMap;

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use thiserror::Error;

use crate::diagnosis_key::{DiagnosisKeyHash, ReportType};
use crate::document::{self, DocumentError};
use crate::exposure::{ExposureWindow, ScanInstance};
use crate::metadata::CalibrationConfidence;
use crate::risk::assessment::{BucketTerm, ConditionTerm};
use crate::risk::{Assessment, Infectiousness, ProfileName, RiskLevel};
use crate::time::UtcDay;

/// The version of the document.
pub const DAYS_FORMAT_VERSION: u32 = 1;

/// Written into each document, for whoever opens it in an editor.
const NOTE: &str = "Days are UTC days. Exposures and windows are not a number of people, and the \
                    seconds of several people add up.";

/// What is known about one UTC day. The caller fills in what it knows.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DayView {
    /// The UTC day, as an ISO 8601 date.
    #[serde(with = "iso_date")]
    pub date: UtcDay,
    /// Minutes for which tracing was switched on.
    pub minutes_planned: Option<u32>,
    /// Minutes covered by scans.
    pub minutes_scanned: Option<u32>,
    /// Different identifiers heard.
    pub identifiers_heard: Option<u64>,
    /// Advertisements heard.
    pub sightings: Option<u64>,
    /// Published keys with which the day's sightings were compared.
    pub keys_checked: Option<u64>,
    /// Keys that were heard on this day, by their hash.
    pub exposures: Vec<DayExposure>,
    /// What was concluded; `None` if no key was heard.
    pub conclusion: Option<DayConclusion>,
}

/// What was heard of one published key on one day.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DayExposure {
    /// SHA-256 of the key, in hexadecimal.
    #[serde(with = "hexadecimal")]
    pub key_sha256: DiagnosisKeyHash,
    /// Windows that began on this day, ordered by their contents.
    pub windows: Vec<DayWindow>,
}

/// Up to half an hour near one key.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DayWindow {
    /// Ground of the key's publication.
    pub report_type: ReportType,
    /// The sender's infectiousness on that day.
    pub infectiousness: Infectiousness,
    /// How well the sender's model is calibrated.
    pub calibration_confidence: Option<CalibrationConfidence>,
    /// The scans that heard the key.
    pub scan_instances: Vec<DayScan>,
}

/// What one scan heard of one key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DayScan {
    /// Least attenuation in dB.
    pub minimum_attenuation_db: u16,
    /// Mean attenuation in dB.
    pub typical_attenuation_db: u16,
    /// Seconds that the scan stands for.
    pub seconds_since_last_scan: u32,
}

/// What was concluded about a day, and from which numbers.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DayConclusion {
    /// The profile that concluded.
    pub profile: ProfileName,
    /// The decision.
    pub level: RiskLevel,
    /// The day's score.
    pub score: f64,
    /// What one unit of the score is, in English.
    pub score_unit: String,
    /// The conditions, all of which must hold for High.
    pub conditions: Vec<ConditionTerm>,
    /// Seconds of the windows that count, by attenuation; empty if the profile does not sum
    /// over attenuations.
    pub seconds_by_attenuation: Vec<SecondsAtAttenuation>,
    /// Whether the user was told.
    pub announced: bool,
}

/// Seconds heard within a range of attenuations.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SecondsAtAttenuation {
    /// Least attenuation of the range in dB, inclusive.
    pub from_db: u16,
    /// Greatest attenuation of the range in dB, inclusive.
    pub to_db: u16,
    /// Seconds of all keys together.
    pub seconds: u64,
}

impl DayView {
    /// A day of which nothing is known.
    #[must_use]
    pub const fn new(date: UtcDay) -> Self {
        Self {
            date,
            minutes_planned: None,
            minutes_scanned: None,
            identifiers_heard: None,
            sightings: None,
            keys_checked: None,
            exposures: Vec::new(),
            conclusion: None,
        }
    }

    /// Adds what was heard of a key: of `windows`, those that began on this day.
    pub fn add_exposure<'a>(
        &mut self,
        key: DiagnosisKeyHash,
        windows: impl IntoIterator<Item = &'a ExposureWindow>,
    ) {
        let of_this_day = windows.into_iter().filter(|window| window.day() == self.date);
        let windows: Vec<_> = of_this_day.map(DayWindow::from).collect();
        if !windows.is_empty() {
            self.exposures.push(DayExposure { key_sha256: key, windows });
        }
    }
}

impl From<&ExposureWindow> for DayWindow {
    fn from(window: &ExposureWindow) -> Self {
        Self {
            report_type: window.report_type,
            infectiousness: window.infectiousness,
            calibration_confidence: window.calibration_confidence,
            scan_instances: window.scan_instances.iter().map(DayScan::from).collect(),
        }
    }
}

impl From<&ScanInstance> for DayScan {
    fn from(scan: &ScanInstance) -> Self {
        Self {
            minimum_attenuation_db: scan.minimum_attenuation.db(),
            typical_attenuation_db: scan.typical_attenuation.db(),
            seconds_since_last_scan: scan.seconds_since_last_scan,
        }
    }
}

impl DayConclusion {
    /// What `assessment` concluded, and whether the user was told.
    #[must_use]
    pub fn new(assessment: &Assessment, announced: bool) -> Self {
        let mut seconds: BTreeMap<(u16, u16), u64> = BTreeMap::new();
        for BucketTerm { from, to, seconds: more, .. } in
            assessment.kept().flat_map(|contribution| &contribution.buckets)
        {
            let sum = seconds.entry((from.db(), to.db())).or_default();
            *sum = sum.saturating_add(*more);
        }
        let seconds_by_attenuation = seconds
            .into_iter()
            .map(|((from_db, to_db), seconds)| SecondsAtAttenuation { from_db, to_db, seconds });
        Self {
            profile: assessment.profile,
            level: assessment.level,
            score: assessment.score,
            score_unit: assessment.profile.score_unit().to_owned(),
            conditions: assessment.conditions.clone(),
            seconds_by_attenuation: seconds_by_attenuation.collect(),
            announced,
        }
    }
}

/// A days document that cannot be read.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum DaysReportError {
    /// Not such a document, or one of another version.
    #[error(transparent)]
    Document(#[from] DocumentError),
    /// A day that stands twice or before an earlier one.
    #[error("days[{index}]: {date} does not come after the day before it")]
    Order {
        /// At which place, from 0.
        index: usize,
        /// The day.
        date: UtcDay,
    },
}

/// The document: days in order, each once.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct DaysReport {
    days: Vec<DayView>,
}

#[derive(Serialize)]
struct Written<'a> {
    format_version: u32,
    note: &'a str,
    days: &'a [DayView],
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Read {
    #[serde(rename = "format_version")]
    _format_version: u32,
    #[serde(rename = "note")]
    _note: String,
    days: Vec<DayView>,
}

impl DaysReport {
    /// The report of `days`; of two views of one day the later one counts. Exposures are ordered
    /// by hash and windows by contents, so that no order tells a time of day.
    #[must_use]
    pub fn new(days: impl IntoIterator<Item = DayView>) -> Self {
        let by_date: BTreeMap<_, _> = days.into_iter().map(|day| (day.date, day)).collect();
        let mut days: Vec<_> = by_date.into_values().collect();
        for exposures in days.iter_mut().map(|day| &mut day.exposures) {
            exposures.iter_mut().for_each(|exposure| exposure.windows.sort_unstable());
            exposures.sort_unstable();
        }
        Self { days }
    }

    /// The days, in order.
    #[must_use]
    pub fn days(&self) -> &[DayView] {
        &self.days
    }

    /// The document, indented by two spaces.
    #[must_use]
    pub fn to_json(&self) -> String {
        let document =
            Written { format_version: DAYS_FORMAT_VERSION, note: NOTE, days: &self.days };
        serde_json::to_string_pretty(&document).expect("numbers, texts and lists are JSON")
    }

    /// Reads a document of this version.
    ///
    /// # Errors
    /// [`DaysReportError`] for another version, a field too many, too few or of another type, and
    /// for days that are not in order.
    pub fn from_json(json: &str) -> Result<Self, DaysReportError> {
        let Read { days, .. } = document::read(json, DAYS_FORMAT_VERSION)?;
        for (index, pair) in days.windows(2).enumerate() {
            if let [before, day] = pair
                && day.date <= before.date
            {
                return Err(DaysReportError::Order { index: index + 1, date: day.date });
            }
        }
        Ok(Self { days })
    }
}

mod iso_date {
    use serde::de::Error;

    use super::{Deserialize, Deserializer, Serializer, UtcDay};

    pub(super) fn serialize<S: Serializer>(day: &UtcDay, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(day)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<UtcDay, D::Error> {
        String::deserialize(from)?.parse().map_err(D::Error::custom)
    }
}

mod hexadecimal {
    use serde::de::Error;

    use super::{Deserialize, Deserializer, DiagnosisKeyHash, Serialize, Serializer};

    pub(super) fn serialize<S: Serializer>(
        hash: &DiagnosisKeyHash,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        hex::encode(hash.as_bytes()).serialize(serializer)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(
        from: D,
    ) -> Result<DiagnosisKeyHash, D::Error> {
        let mut hash = [0; 32];
        hex::decode_to_slice(String::deserialize(from)?, &mut hash).map_err(D::Error::custom)?;
        Ok(DiagnosisKeyHash::from_bytes(hash))
    }
}
