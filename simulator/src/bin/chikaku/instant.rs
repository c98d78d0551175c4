//! Dates for people. The core has none.

use chikaku_core::time::{Timestamp, UtcDay};

/// `2026-04-06 03:00 UTC`.
pub(crate) fn utc(timestamp: Timestamp) -> String {
    jiff::Timestamp::from_second(timestamp.unix_seconds()).map_or_else(
        |_| timestamp.unix_seconds().to_string(),
        |instant| instant.strftime("%Y-%m-%d %H:%M UTC").to_string(),
    )
}

/// Reads `2026-04-06` as a UTC day.
pub(crate) fn parse_day(text: &str) -> Result<UtcDay, String> {
    let date: jiff::civil::Date = text.parse().map_err(|error| format!("{error}"))?;
    let midnight = date.to_zoned(jiff::tz::TimeZone::UTC).map_err(|error| error.to_string())?;
    Timestamp::from_unix_seconds(midnight.timestamp().as_second())
        .map(Timestamp::day)
        .map_err(|error| error.to_string())
}
