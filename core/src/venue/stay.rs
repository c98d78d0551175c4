//! For which intervals a stay warns others.
//!
//! Corona-Warn-App's rules (`CheckInWarningTimeDeriver`, its test scenarios are ours): a stay of
//! less than ten minutes warns nobody; what was breathed out stays in the air as long again as the
//! stay was, thirty minutes at most; begin and end are moved to ten-minute intervals so that the
//! length is right to the nearest interval, towards the side where more of the stay lies. Then it
//! is cut at midnight UTC, because a warning's risk level holds for one day.

use crate::time::{INTERVAL_SECONDS, INTERVALS_PER_DAY, IntervalNumber, Timestamp};

/// Shorter stays, in whole minutes, warn nobody.
pub const SHORTEST_MINUTES: i64 = 10;

/// For how long at most the air of a room carries on, in seconds.
pub const LONGEST_TAIL_SECONDS: i64 = 30 * 60;

/// Longer stays are cut: nobody stays at a venue for longer than a check-in can last.
pub const LONGEST_STAY_SECONDS: i64 = 86_400;

const INTERVAL: i64 = INTERVAL_SECONDS as i64;

/// Intervals of one UTC day.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct WarnedIntervals {
    /// The first one.
    pub start: IntervalNumber,
    /// How many, 1..=144.
    pub period: u32,
}

/// The intervals in which a stay from `since` until `until` warns others, by time, each within one
/// UTC day; none for a stay that is too short.
#[must_use]
pub fn warned_intervals(since: Timestamp, until: Timestamp) -> Vec<WarnedIntervals> {
    let stay = until.seconds_since(since).clamp(0, LONGEST_STAY_SECONDS);
    let minutes = stay / 60;
    if minutes < SHORTEST_MINUTES {
        return Vec::new();
    }
    let tail = if minutes <= 30 { stay } else { LONGEST_TAIL_SECONDS };
    let begins = since.unix_seconds();
    let ends = begins + stay + tail;
    // To the nearest interval, a half one up.
    let length = (stay + tail + INTERVAL / 2) / INTERVAL;
    let in_first = INTERVAL - begins % INTERVAL;
    let in_last = ends % INTERVAL;
    let first = if in_last > in_first { ends / INTERVAL + 1 - length } else { begins / INTERVAL };
    split_at_midnight(first, first + length)
}

/// Intervals `first..end`, cut at each midnight.
fn split_at_midnight(first: i64, end: i64) -> Vec<WarnedIntervals> {
    let day = i64::from(INTERVALS_PER_DAY);
    let (mut parts, mut from) = (Vec::new(), first);
    while from < end {
        let to = end.min((from / day + 1) * day);
        if let (Ok(start), Ok(period)) = (u32::try_from(from), u32::try_from(to - from)) {
            parts.push(WarnedIntervals { start: IntervalNumber::new(start), period });
        }
        from = to;
    }
    parts
}
