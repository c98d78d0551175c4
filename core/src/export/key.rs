//! The keys of a file, one at a time; a bad one is skipped and counted.

use core::fmt;

use prost::Message;
use serde::{Deserialize, Serialize};
use thiserror::Error;

use super::content::{Content, Entry};
use super::error::ExportError;
use super::key_message::KeyMessage;
use super::limits::Limits;
use super::reader::{Field, FieldReader, KeyList};
use super::wire;
use crate::diagnosis_key::{DaysSinceOnset, DiagnosisKey, DiagnosisKeyDetails, ReportType};
use crate::time::{IntervalNumber, RollingPeriod};

/// A key as published: what a file says of it, and in which of its lists.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PublishedKey {
    /// The key.
    pub key: DiagnosisKey,
    /// The list it stands in.
    pub list: KeyList,
    grounds: ReportGrounds,
}

/// Every ground on which a key was published, with the list that named it, over all its records.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
#[serde(transparent)]
pub struct ReportGrounds(u16);

impl ReportGrounds {
    const TYPES: [Option<ReportType>; 6] = [
        None,
        Some(ReportType::ConfirmedTest),
        Some(ReportType::ConfirmedClinicalDiagnosis),
        Some(ReportType::SelfReport),
        Some(ReportType::Recursive),
        Some(ReportType::Revoked),
    ];

    fn all() -> impl Iterator<Item = (u32, KeyList, Option<ReportType>)> {
        let both = [KeyList::New, KeyList::Revised].into_iter();
        let of_list = |list| Self::TYPES.into_iter().map(move |of_type| (list, of_type));
        (0..).zip(both.flat_map(of_list)).map(|(bit, (list, of_type))| (bit, list, of_type))
    }

    /// The same bit that [`Self::all`] gives this ground, without a search: a file has many keys.
    fn of(list: KeyList, report_type: Option<ReportType>) -> Self {
        let of_type = match report_type {
            None => 1 << 0,
            Some(ReportType::ConfirmedTest) => 1 << 1,
            Some(ReportType::ConfirmedClinicalDiagnosis) => 1 << 2,
            Some(ReportType::SelfReport) => 1 << 3,
            Some(ReportType::Recursive) => 1 << 4,
            Some(ReportType::Revoked) => 1 << 5,
        };
        Self(match list {
            KeyList::New => of_type,
            KeyList::Revised => of_type << Self::TYPES.len(),
        })
    }

    const fn and(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// Each list and what it says; `None` where it says nothing.
    pub fn iter(self) -> impl Iterator<Item = (KeyList, Option<ReportType>)> {
        Self::all()
            .filter(move |(bit, ..)| self.0 & (1 << bit) != 0)
            .map(|(_, list, report_type)| (list, report_type))
    }
}

impl PublishedKey {
    /// A key as one record of a file has it.
    #[must_use]
    pub fn new(key: DiagnosisKey, list: KeyList) -> Self {
        Self { key, list, grounds: ReportGrounds::of(list, key.details.report_type) }
    }

    /// A key as several records together have it, such as one that was stored.
    #[must_use]
    pub const fn with_grounds(key: DiagnosisKey, list: KeyList, grounds: ReportGrounds) -> Self {
        Self { key, list, grounds }
    }

    /// Every ground on which it was published.
    #[must_use]
    pub const fn grounds(&self) -> ReportGrounds {
        self.grounds
    }

    /// What counts of two records of one key, whichever came first.
    ///
    /// What is said of the key is the revision's before the original's, a withdrawal's before any
    /// other, and otherwise that of the record that says more. The key is valid in every interval
    /// in which one of the records says so, up to a day.
    #[must_use]
    pub fn prevailing(self, other: Self) -> Self {
        let rank = |record: &Self| {
            let withdrawn = record.key.details.report_type == Some(ReportType::Revoked);
            (record.list, withdrawn, record.key.details)
        };
        let says = if rank(&other) > rank(&self) { other } else { self };
        let start = self.key.rolling_start().min(other.key.rolling_start());
        let end = self.key.rolling_end().max(other.key.rolling_end());
        let period = RollingPeriod::new(end.get() - start.get()).unwrap_or(RollingPeriod::DAY);
        let key = DiagnosisKey::new(*self.key.as_bytes(), start, period, says.key.details);
        Self { key, list: says.list, grounds: self.grounds.and(other.grounds) }
    }

    /// What makes two records the same key.
    pub(crate) const fn name(&self) -> KeyName {
        KeyName(*self.key.as_bytes())
    }
}

/// A key's bytes as an ordered name of it. `Debug` never shows them.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct KeyName([u8; 16]);

impl fmt::Debug for KeyName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("KeyName(..)")
    }
}

/// Why a key was skipped.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Error)]
#[non_exhaustive]
pub enum SkipReason {
    /// Its message is not valid protobuf, or a field is not of its declared type.
    #[error("undecodable")]
    Undecodable,
    /// `key_data` is missing or not 16 bytes long.
    #[error("key data missing or not 16 bytes")]
    KeyDataLength,
    /// `rolling_start_interval_number` is missing. It has no default: interval 0 lies in 1970.
    #[error("rolling start missing")]
    RollingStartMissing,
    /// `rolling_start_interval_number` is negative.
    #[error("rolling start out of range")]
    RollingStartOutOfRange,
    /// `rolling_period` is outside 1..=144. Missing means 144 (`export.proto`), 0 does not.
    #[error("rolling period out of range")]
    RollingPeriodOutOfRange,
}

impl SkipReason {
    /// Every reason.
    pub const ALL: [Self; 5] = [
        Self::Undecodable,
        Self::KeyDataLength,
        Self::RollingStartMissing,
        Self::RollingStartOutOfRange,
        Self::RollingPeriodOutOfRange,
    ];
}

/// A key that was skipped.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct KeyIssue {
    /// The list it stands in.
    pub list: KeyList,
    /// Its place in that list, from 0.
    pub index: u64,
    /// What is wrong with it.
    pub reason: SkipReason,
}

/// What reading the keys of a file came to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct KeyReport {
    delivered: u64,
    delivered_revised: u64,
    skipped: [u64; SkipReason::ALL.len()],
    issues: Vec<KeyIssue>,
    ignored_risk_levels: u64,
}

impl KeyReport {
    /// How many issues are kept one by one; all are counted.
    pub const ISSUES_KEPT: usize = 16;

    /// Keys handed out, revised ones included.
    #[must_use]
    pub const fn delivered(&self) -> u64 {
        self.delivered
    }

    /// Revised keys handed out.
    #[must_use]
    pub const fn delivered_revised(&self) -> u64 {
        self.delivered_revised
    }

    /// Keys skipped, for whatever reason.
    #[must_use]
    pub fn skipped(&self) -> u64 {
        self.skipped.iter().fold(0, |sum, count| sum.saturating_add(*count))
    }

    /// Keys skipped for this reason.
    #[must_use]
    pub fn skipped_for(&self, reason: SkipReason) -> u64 {
        let place = SkipReason::ALL.iter().position(|other| *other == reason);
        place.and_then(|place| self.skipped.get(place)).copied().unwrap_or_default()
    }

    /// The first [`KeyReport::ISSUES_KEPT`] skipped keys, in the order of the file.
    #[must_use]
    pub fn issues(&self) -> &[KeyIssue] {
        &self.issues
    }

    /// Keys handed out without their transmission risk level, because it was outside 0..=8.
    #[must_use]
    pub const fn ignored_risk_levels(&self) -> u64 {
        self.ignored_risk_levels
    }

    fn skip(&mut self, issue: KeyIssue) {
        let reasons = SkipReason::ALL.iter().zip(&mut self.skipped);
        for (_, count) in reasons.filter(|(reason, _)| **reason == issue.reason) {
            *count = count.saturating_add(1);
        }
        if self.issues.len() < Self::ISSUES_KEPT {
            self.issues.push(issue);
        }
    }
}

/// The good keys of a file in its order, each decoded when it is asked for.
///
/// An item is an error only if the bytes changed after they were verified, as a mapped file can;
/// nothing follows it.
#[derive(Debug)]
pub struct Keys<'a> {
    reader: Option<FieldReader<'a>>,
    seen: u64,
    seen_revised: u64,
    report: KeyReport,
}

impl<'a> Keys<'a> {
    pub(super) fn new(bin: Entry<'a>, limits: &Limits) -> Result<Self, ExportError> {
        let content = Content::new(bin, limits.export_bin_bytes, false);
        let reader = Some(FieldReader::new(content, limits.message_bytes)?);
        Ok(Self { reader, seen: 0, seen_revised: 0, report: KeyReport::default() })
    }

    /// What happened so far; complete once the iteration has ended.
    #[must_use]
    pub const fn report(&self) -> &KeyReport {
        &self.report
    }

    /// The report, without its iterator.
    #[must_use]
    pub fn into_report(self) -> KeyReport {
        self.report
    }

    fn advance(&mut self) -> Result<Option<PublishedKey>, ExportError> {
        let Some(reader) = &mut self.reader else { return Ok(None) };
        while let Some(field) = reader.next()? {
            let Field::Key(list) = field else { continue };
            let seen = if list.is_revised() { &mut self.seen_revised } else { &mut self.seen };
            let index = *seen;
            *seen = seen.saturating_add(1);
            match decode(reader.payload()) {
                Ok((key, risk_ignored)) => {
                    let report = &mut self.report;
                    report.delivered = report.delivered.saturating_add(1);
                    if list.is_revised() {
                        report.delivered_revised = report.delivered_revised.saturating_add(1);
                    }
                    if risk_ignored {
                        report.ignored_risk_levels = report.ignored_risk_levels.saturating_add(1);
                    }
                    return Ok(Some(PublishedKey::new(key, list)));
                }
                Err(reason) => self.report.skip(KeyIssue { list, index, reason }),
            }
        }
        Ok(None)
    }
}

impl Iterator for Keys<'_> {
    type Item = Result<PublishedKey, ExportError>;

    fn next(&mut self) -> Option<Self::Item> {
        let item = self.advance().transpose();
        if !matches!(item, Some(Ok(_))) {
            self.reader = None;
        }
        item
    }
}

impl core::iter::FusedIterator for Keys<'_> {}

/// A key from its message, and whether a risk level was ignored.
///
/// What only describes a key never costs the key: a report type, a number of days or a risk level
/// outside its range is as good as none.
fn decode(message: &[u8]) -> Result<(DiagnosisKey, bool), SkipReason> {
    let key = match KeyMessage::read(message) {
        Some(key) => key,
        None => wire::TemporaryExposureKey::decode(message)
            .map_err(|_| SkipReason::Undecodable)?
            .try_into()
            .map_err(|()| SkipReason::KeyDataLength)?,
    };
    let start = key.rolling_start_interval_number.ok_or(SkipReason::RollingStartMissing)?;
    let start = u32::try_from(start).map_err(|_| SkipReason::RollingStartOutOfRange)?;
    let period = match key.rolling_period {
        None => RollingPeriod::DAY,
        Some(period) => u32::try_from(period)
            .ok()
            .and_then(|period| RollingPeriod::new(period).ok())
            .ok_or(SkipReason::RollingPeriodOutOfRange)?,
    };
    let risk = key.transmission_risk_level;
    let transmission_risk_level = risk.and_then(|risk| u8::try_from(risk).ok()).filter(|r| *r <= 8);
    let details = DiagnosisKeyDetails {
        transmission_risk_level,
        report_type: key.report_type.and_then(ReportType::from_wire),
        days_since_onset: key.days_since_onset_of_symptoms.and_then(DaysSinceOnset::new),
        variant_of_concern: key.variant_of_concern,
    };
    let risk_ignored = risk.is_some() && transmission_risk_level.is_none();
    Ok((DiagnosisKey::new(key.key_data, IntervalNumber::new(start), period, details), risk_ignored))
}
