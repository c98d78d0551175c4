//! One field of `configuration.json` into the type it stands for, or the fault with its place.

use std::collections::BTreeMap;

use crate::diagnosis_key::ReportType;
use crate::risk::Infectiousness;
use crate::risk::check::{self, ConfigurationError};
use crate::risk::daily_summary::DailySummariesConfig;
use crate::risk::mapping::DiagnosisKeysDataMapping;

pub(super) fn whole_number<T: TryFrom<i64>>(
    at: &str,
    value: i64,
    least: i16,
    greatest: i16,
) -> Result<T, ConfigurationError> {
    let within = (i64::from(least)..=i64::from(greatest)).contains(&value);
    T::try_from(value).ok().filter(|_| within).ok_or_else(|| {
        #[expect(clippy::cast_precision_loss, reason = "for the message only")]
        let value = value as f64;
        ConfigurationError::OutOfRange {
            at: at.to_owned(),
            value,
            least: f64::from(least),
            greatest: f64::from(greatest),
        }
    })
}

pub(super) fn array<T: Copy, const N: usize>(
    at: &str,
    values: &[T],
) -> Result<[T; N], ConfigurationError> {
    values.try_into().map_err(|_| ConfigurationError::Length {
        at: at.to_owned(),
        expected: N,
        found: values.len(),
    })
}

pub(super) fn numbers<T: TryFrom<i64> + Copy, const N: usize>(
    at: &str,
    values: &[i64],
    greatest: i16,
) -> Result<[T; N], ConfigurationError> {
    let checked: Result<Vec<T>, _> = values
        .iter()
        .enumerate()
        .map(|(index, value)| whole_number(&format!("{at}[{index}]"), *value, 0, greatest))
        .collect();
    array(at, &checked?)
}

pub(super) fn table(at: &str, values: &[i64]) -> Result<[u8; 8], ConfigurationError> {
    numbers(at, values, 8)
}

pub(super) fn ascending<const N: usize>(
    at: &str,
    values: &[i64],
) -> Result<[u16; N], ConfigurationError> {
    let thresholds = numbers(at, values, 255)?;
    check::ascending(at, &thresholds)?;
    Ok(thresholds)
}

pub(super) fn days_limit(at: &str, days: i64) -> Result<Option<u32>, ConfigurationError> {
    Ok(Some(whole_number(at, days, 0, i16::MAX)?).filter(|days| *days != 0))
}

pub(super) fn mapping(
    object: &str,
    days: &BTreeMap<i32, i64>,
    missing: i64,
    (report_type_field, report_type): (&str, i64),
) -> Result<DiagnosisKeysDataMapping, ConfigurationError> {
    let infectiousness = |at: String, number: i64| match number {
        0 => Ok(Infectiousness::None),
        1 => Ok(Infectiousness::Standard),
        2 => Ok(Infectiousness::High),
        value => Err(ConfigurationError::Meaningless { at, value }),
    };
    let field = format!("{object}.infectiousness_for_days_since_onset_of_symptoms");
    let table: Result<Vec<_>, _> = days
        .iter()
        .map(|(day, number)| Ok((*day, infectiousness(format!("{field}[{day}]"), *number)?)))
        .collect();
    let missing_field = format!("{object}.infectiousness_when_days_since_onset_missing");
    let report_type = i32::try_from(report_type)
        .ok()
        .and_then(ReportType::from_wire)
        .filter(|report_type| *report_type != ReportType::Revoked)
        .ok_or_else(|| ConfigurationError::Meaningless {
            at: format!("{object}.{report_type_field}"),
            value: report_type,
        })?;
    DiagnosisKeysDataMapping::from_days(
        table?,
        infectiousness(missing_field, missing)?,
        report_type,
    )
    .map_err(|error| error.within(object))
}

pub(super) fn checked(
    object: &str,
    config: DailySummariesConfig,
) -> Result<DailySummariesConfig, ConfigurationError> {
    config.check().map_err(|error| error.within(object))?;
    Ok(config)
}
