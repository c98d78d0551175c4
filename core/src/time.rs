//! Time as the protocol counts it: whole UTC seconds, ten-minute intervals, UTC days.
//!
//! There is no clock here. A host hands in a [`Timestamp`]; everything else follows by integer
//! arithmetic that cannot panic or wrap for any input. Local time does not occur in the core.
//!
//! Source of the rules: GAEN crypto spec 1.2, `ENIntervalNumber` and `EKRollingPeriod`.

use core::fmt;
use core::str::FromStr;

use serde::{Deserialize, Serialize};
use thiserror::Error;

/// Seconds in one `ENIntervalNumber`.
pub const INTERVAL_SECONDS: u32 = 600;
/// Ten-minute intervals in one UTC day.
pub const INTERVALS_PER_DAY: u32 = 144;
/// Seconds in one UTC day.
pub const DAY_SECONDS: u32 = 86_400;

/// A time that the protocol cannot express.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum TimeError {
    /// A time before 1970, or one whose interval number does not fit in 32 bits.
    #[error("{0} s since 1970 is outside the range of interval numbers")]
    OutOfRange(i64),
    /// A rolling period outside 1..=144.
    #[error("a rolling period of {0} intervals is outside 1..=144")]
    RollingPeriod(i64),
    /// Not an ISO 8601 date from 1970-01-01 to 9999-12-31.
    #[error("not a date from 1970 to 9999 as in 2022-01-31")]
    Date,
}

/// An instant: whole seconds since 1970-01-01T00:00:00Z, never negative.
///
/// Every timestamp has an [`IntervalNumber`] and a [`UtcDay`], because the constructor refuses
/// those that have none.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "i64", into = "i64")]
pub struct Timestamp(i64);

impl Timestamp {
    /// 1970-01-01T00:00:00Z.
    pub const EPOCH: Self = Self(0);
    /// The last second whose interval number fits in 32 bits.
    pub const MAX: Self = Self(u32::MAX as i64 * INTERVAL_SECONDS as i64 + 599);

    /// An instant from seconds since 1970 UTC.
    ///
    /// # Errors
    /// [`TimeError::OutOfRange`] before 1970 and after [`Timestamp::MAX`].
    pub const fn from_unix_seconds(seconds: i64) -> Result<Self, TimeError> {
        if seconds < 0 || seconds > Self::MAX.0 {
            Err(TimeError::OutOfRange(seconds))
        } else {
            Ok(Self(seconds))
        }
    }

    /// Seconds since 1970 UTC.
    #[must_use]
    pub const fn unix_seconds(self) -> i64 {
        self.0
    }

    /// The ten-minute interval this instant lies in (rounded down, GAEN crypto spec 1.2).
    #[must_use]
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "held by MAX")]
    pub const fn interval(self) -> IntervalNumber {
        IntervalNumber((self.0 / INTERVAL_SECONDS as i64) as u32)
    }

    /// The UTC day this instant lies in.
    #[must_use]
    pub const fn day(self) -> UtcDay {
        self.interval().day()
    }

    /// Whole minutes since 1970, the unit of `secondsSinceLastScan`.
    #[must_use]
    pub const fn minute(self) -> i64 {
        self.0 / 60
    }

    /// `seconds` later, held at [`Timestamp::MAX`].
    #[must_use]
    pub const fn saturating_add(self, seconds: u32) -> Self {
        let sum = self.0 + seconds as i64;
        if sum > Self::MAX.0 { Self::MAX } else { Self(sum) }
    }

    /// `seconds` earlier, held at [`Timestamp::EPOCH`].
    #[must_use]
    pub const fn saturating_sub(self, seconds: u32) -> Self {
        let difference = self.0 - seconds as i64;
        if difference < 0 { Self::EPOCH } else { Self(difference) }
    }

    /// Seconds from `earlier` to `self`; negative if `earlier` is in fact later.
    #[must_use]
    pub const fn seconds_since(self, earlier: Self) -> i64 {
        self.0 - earlier.0
    }
}

impl TryFrom<i64> for Timestamp {
    type Error = TimeError;
    fn try_from(seconds: i64) -> Result<Self, TimeError> {
        Self::from_unix_seconds(seconds)
    }
}

impl From<Timestamp> for i64 {
    fn from(timestamp: Timestamp) -> Self {
        timestamp.0
    }
}

/// `ENIntervalNumber`: ten-minute intervals since 1970 UTC.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct IntervalNumber(u32);

impl IntervalNumber {
    /// The interval with this number; every `u32` is one.
    #[must_use]
    pub const fn new(number: u32) -> Self {
        Self(number)
    }

    /// The number itself.
    #[must_use]
    pub const fn get(self) -> u32 {
        self.0
    }

    /// The first second of the interval.
    #[must_use]
    pub const fn start(self) -> Timestamp {
        Timestamp(self.0 as i64 * INTERVAL_SECONDS as i64)
    }

    /// The UTC day the interval lies in; an interval never spans two.
    #[must_use]
    pub const fn day(self) -> UtcDay {
        UtcDay(self.0 / INTERVALS_PER_DAY)
    }

    /// `count` intervals later, or `None` past the last interval.
    #[must_use]
    pub const fn checked_add(self, count: u32) -> Option<Self> {
        match self.0.checked_add(count) {
            Some(number) => Some(Self(number)),
            None => None,
        }
    }

    /// How many intervals lie between the two, whichever is earlier.
    #[must_use]
    pub const fn distance(self, other: Self) -> u32 {
        self.0.abs_diff(other.0)
    }
}

/// `EKRollingPeriod`: for how many intervals a temporary exposure key is valid, 1..=144.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "u8", into = "u8")]
pub struct RollingPeriod(u8);

impl RollingPeriod {
    /// A whole UTC day, 144 intervals.
    pub const DAY: Self = Self(144);

    /// A period of `intervals`.
    ///
    /// # Errors
    /// [`TimeError::RollingPeriod`] outside 1..=144. Zero is refused rather than read as 144: a
    /// key server's minimum is 1, and absence is the caller's `None`.
    pub const fn new(intervals: u32) -> Result<Self, TimeError> {
        #[expect(clippy::cast_possible_truncation, reason = "checked on the line before")]
        match intervals {
            1..=INTERVALS_PER_DAY => Ok(Self(intervals as u8)),
            _ => Err(TimeError::RollingPeriod(intervals as i64)),
        }
    }

    /// The number of intervals.
    #[must_use]
    pub const fn intervals(self) -> u32 {
        self.0 as u32
    }
}

impl TryFrom<u8> for RollingPeriod {
    type Error = TimeError;
    fn try_from(intervals: u8) -> Result<Self, TimeError> {
        Self::new(u32::from(intervals))
    }
}

impl From<RollingPeriod> for u8 {
    fn from(period: RollingPeriod) -> Self {
        period.0
    }
}

/// A UTC day: whole days since 1970-01-01.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(from = "u32", into = "u32")]
pub struct UtcDay(u32);

impl UtcDay {
    /// The day with this number. Days past the last interval number are held at that day.
    #[must_use]
    pub const fn new(days_since_1970: u32) -> Self {
        let last = u32::MAX / INTERVALS_PER_DAY;
        Self(if days_since_1970 > last { last } else { days_since_1970 })
    }

    /// Days since 1970-01-01.
    #[must_use]
    pub const fn days_since_1970(self) -> u32 {
        self.0
    }

    /// The day's first interval, where a temporary exposure key of this day starts.
    #[must_use]
    pub const fn first_interval(self) -> IntervalNumber {
        IntervalNumber(self.0.saturating_mul(INTERVALS_PER_DAY))
    }

    /// 00:00:00 UTC of the day.
    #[must_use]
    pub const fn start(self) -> Timestamp {
        self.first_interval().start()
    }

    /// `days` earlier, held at 1970-01-01.
    #[must_use]
    pub const fn saturating_sub(self, days: u32) -> Self {
        Self(self.0.saturating_sub(days))
    }

    /// `days` later, held at the last day.
    #[must_use]
    pub const fn saturating_add(self, days: u32) -> Self {
        Self::new(self.0.saturating_add(days))
    }

    /// Days from `earlier` to `self`; negative if `earlier` is in fact later.
    #[must_use]
    pub const fn days_since(self, earlier: Self) -> i64 {
        self.0 as i64 - earlier.0 as i64
    }
}

impl From<u32> for UtcDay {
    fn from(days_since_1970: u32) -> Self {
        Self::new(days_since_1970)
    }
}

impl From<UtcDay> for u32 {
    fn from(day: UtcDay) -> Self {
        day.0
    }
}

impl fmt::Display for UtcDay {
    /// The ISO 8601 date, by Howard Hinnant's civil-from-days arithmetic.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let shifted = u64::from(self.0) + 719_468;
        let era = shifted / 146_097;
        let day_of_era = shifted % 146_097;
        let year_of_era =
            (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
        let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
        let month_from_march = (5 * day_of_year + 2) / 153;
        let day = day_of_year - (153 * month_from_march + 2) / 5 + 1;
        let month = if month_from_march < 10 { month_from_march + 3 } else { month_from_march - 9 };
        let year = year_of_era + era * 400 + u64::from(month <= 2);
        write!(f, "{year:04}-{month:02}-{day:02}")
    }
}

impl FromStr for UtcDay {
    type Err = TimeError;

    /// An ISO 8601 date from 1970-01-01 to 9999-12-31.
    fn from_str(date: &str) -> Result<Self, TimeError> {
        days_from_civil(date)
            .map(Self::new)
            // A date that does not exist, as February 30, comes out as another one.
            .filter(|day| day.to_string() == date)
            .ok_or(TimeError::Date)
    }
}

/// Howard Hinnant's days-from-civil arithmetic, the inverse of [`UtcDay`]'s `Display`.
fn days_from_civil(date: &str) -> Option<u32> {
    let mut parts = date.split('-').map(|part| part.parse::<u32>().ok());
    let (year, month, day) = (parts.next()??, parts.next()??, parts.next()??);
    if !(1970..=9999).contains(&year) || !(1..=12).contains(&month) || day > 31 {
        return None;
    }
    let year_from_march = if month <= 2 { year - 1 } else { year };
    let (era, year_of_era) = (year_from_march / 400, year_from_march % 400);
    let month_from_march = (month + 9) % 12;
    let day_of_year = (153 * month_from_march + 2) / 5 + day.checked_sub(1)?;
    let day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    (era * 146_097 + day_of_era).checked_sub(719_468)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn interval_of_the_published_vector() {
        let start = IntervalNumber::new(2_642_976);
        assert_eq!(start.day().first_interval(), start);
        assert_eq!(start.day().to_string(), "2020-04-02");
        assert_eq!(start.start().interval(), start);
    }

    #[test]
    fn day_edges_are_utc() {
        let midnight = UtcDay::new(18_473).start();
        assert_eq!(midnight.day(), UtcDay::new(18_473));
        assert_eq!(midnight.saturating_sub(1).day(), UtcDay::new(18_472));
        assert_eq!(UtcDay::new(18_473).to_string(), "2020-07-30");
        assert_eq!(UtcDay::new(0).to_string(), "1970-01-01");
        assert_eq!(UtcDay::new(11_016).to_string(), "2000-02-29");
    }

    #[test]
    fn dates_that_are_none() {
        for text in ["", "2022-02-30", "2021-02-29", "1969-12-31", "2022-1-03", "2022-00-01"] {
            assert_eq!(text.parse::<UtcDay>(), Err(TimeError::Date), "{text}");
        }
        for text in ["2022-13-01", "2022-01-00", "2022-01-01-01", "+2022-01-01", "10000-01-01"] {
            assert_eq!(text.parse::<UtcDay>(), Err(TimeError::Date), "{text}");
        }
        assert_eq!("2024-02-29".parse(), Ok(UtcDay::new(19_782)));
    }

    #[test]
    fn rolling_period_accepts_only_its_range() {
        assert_eq!(RollingPeriod::new(0), Err(TimeError::RollingPeriod(0)));
        assert_eq!(RollingPeriod::new(145), Err(TimeError::RollingPeriod(145)));
        assert_eq!(RollingPeriod::new(144), Ok(RollingPeriod::DAY));
    }

    proptest! {
        #[test]
        fn no_integer_panics(seconds: i64, number: u32, step: u32) {
            if let Ok(t) = Timestamp::from_unix_seconds(seconds) {
                prop_assert!(t.interval().start() <= t);
                prop_assert!(t.day().start() <= t);
                prop_assert!(t.saturating_sub(step) <= t && t <= t.saturating_add(step));
                prop_assert!(t.seconds_since(Timestamp::MAX) <= 0);
            } else {
                prop_assert!(seconds < 0 || seconds > Timestamp::MAX.unix_seconds());
            }
            let interval = IntervalNumber::new(number);
            prop_assert_eq!(interval.start().interval(), interval);
            prop_assert_eq!(interval.distance(IntervalNumber::new(step)), number.abs_diff(step));
            let day = UtcDay::new(number);
            prop_assert!(day.saturating_sub(step) <= day && day <= day.saturating_add(step));
            prop_assert!(day.start() <= Timestamp::MAX);
            let written = day.to_string();
            let read = if written.len() == 10 { Ok(day) } else { Err(TimeError::Date) };
            prop_assert_eq!(written.parse(), read);
            let _ = (RollingPeriod::new(number), day.to_string(), interval.checked_add(step));
        }
    }
}
