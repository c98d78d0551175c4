//! Numbers as Kotlin and Swift have them: signed, so that no caller writes `5u`.
//!
//! What goes out is held at the greatest number; what comes in is refused outside its range.

use chikaku_core::time::{Timestamp, UtcDay};
use serde::Serialize;

use crate::ExposureNotificationError;

pub(crate) fn to_i64(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

pub(crate) fn to_i32(number: u32) -> i32 {
    i32::try_from(number).unwrap_or(i32::MAX)
}

pub(crate) fn seconds(instant: Timestamp) -> i64 {
    instant.unix_seconds()
}

pub(crate) fn day(day: UtcDay) -> i32 {
    to_i32(day.days_since_1970())
}

pub(crate) fn timestamp(name: &str, seconds: i64) -> Result<Timestamp, ExposureNotificationError> {
    Timestamp::from_unix_seconds(seconds)
        .map_err(|error| ExposureNotificationError::argument(format_args!("{name}: {error}")))
}

pub(crate) fn utc_day(name: &str, days: i32) -> Result<UtcDay, ExposureNotificationError> {
    u32::try_from(days).map(UtcDay::new).map_err(|_| {
        ExposureNotificationError::argument(format_args!("{name}: {days} is before 1970-01-01"))
    })
}

pub(crate) fn count(name: &str, number: i32) -> Result<u32, ExposureNotificationError> {
    u32::try_from(number).map_err(|_| {
        ExposureNotificationError::argument(format_args!("{name}: {number} is negative"))
    })
}

/// The name under which the core writes a reason into its exports; it never changes.
pub(crate) fn code(reason: &impl Serialize) -> String {
    match serde_json::to_value(reason) {
        Ok(serde_json::Value::String(code)) => code,
        Ok(serde_json::Value::Object(tagged)) => tagged.into_iter().next().unwrap_or_default().0,
        _ => String::new(),
    }
}
