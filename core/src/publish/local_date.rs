//! A date as a person says it: a day on the calendar of a place.
//!
//! The one rule that turns it into UTC: local noon decides. The UTC day that holds noon of the
//! date is the day that counts as the date's own, so that the key which was on the air at noon has
//! zero days since onset at every offset. COCOA took local midnight, which in Japan lies in the UTC
//! day before, and every count was one too large.

use core::fmt;

use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::local_time::{LocalTimeError, UtcOffset};
use crate::time::{DAY_SECONDS, IntervalNumber, Timestamp, UtcDay};

/// A date or an offset that does not exist.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum LocalDateError {
    /// No place on earth has this offset.
    #[error(transparent)]
    Offset(#[from] LocalTimeError),
    /// No such day on the calendar.
    #[error("{year}-{month}-{day} is not a date")]
    Calendar {
        /// The year.
        year: i32,
        /// The month, 1..=12.
        month: u8,
        /// The day of the month, 1..=31.
        day: u8,
    },
    /// Before 1970-01-02 or after the year 9999.
    #[error("a date {0} days after 1970-01-01 is outside 1970-01-02..=9999-12-31")]
    Range(i64),
    /// Text that is not `yyyy-mm-ddT00:00:00.000+hh:mm`.
    #[error("a date is not written as yyyy-mm-ddT00:00:00.000+hh:mm")]
    Text,
}

/// A day on the calendar of a place.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "(u32, UtcOffset, UtcOffset)", into = "(u32, UtcOffset, UtcOffset)")]
pub struct LocalDate {
    /// The date itself, counted as if it were a UTC day.
    date: UtcDay,
    at_start: UtcOffset,
    at_end: UtcOffset,
}

impl LocalDate {
    /// The date so many days after 1970-01-01 on the place's calendar, with the place's offset.
    ///
    /// # Errors
    /// [`LocalDateError::Range`] before 1970-01-02 and after the year 9999.
    pub fn new(days_since_1970: u32, offset: UtcOffset) -> Result<Self, LocalDateError> {
        match days_since_1970 {
            1..=2_932_896 => {
                Ok(Self { date: UtcDay::new(days_since_1970), at_start: offset, at_end: offset })
            }
            _ => Err(LocalDateError::Range(days_since_1970.into())),
        }
    }

    /// The date `year`-`month`-`day` of the Gregorian calendar, with the place's offset.
    ///
    /// # Errors
    /// [`LocalDateError::Calendar`] for a day that does not exist, [`LocalDateError::Range`] as
    /// [`LocalDate::new`].
    pub fn from_calendar(
        year: i32,
        month: u8,
        day: u8,
        offset: UtcOffset,
    ) -> Result<Self, LocalDateError> {
        let wrong = LocalDateError::Calendar { year, month, day };
        if !(1..=12).contains(&month) || !(1..=31).contains(&day) || !(1970..=9999).contains(&year)
        {
            return Err(wrong);
        }
        let days = days_since_1970(year, month, day);
        let days = u32::try_from(days).map_err(|_| LocalDateError::Range(days))?;
        let date = Self::new(days, offset)?;
        // The 31st of a short month has become a day of the next one.
        let same = date.date.to_string() == format!("{year:04}-{month:02}-{day:02}");
        if same { Ok(date) } else { Err(wrong) }
    }

    /// The same date where the clock is changed during it: `offset` is that of its end.
    #[must_use]
    pub const fn with_offset_at_end(self, offset: UtcOffset) -> Self {
        Self { at_end: offset, ..self }
    }

    /// The date's first second.
    #[must_use]
    pub fn starts(self) -> Timestamp {
        self.at(0, self.at_start)
    }

    /// The second after the date's last.
    #[must_use]
    pub fn ends(self) -> Timestamp {
        self.at(DAY_SECONDS, self.at_end)
    }

    /// The UTC day that counts as this date: the one that holds local noon. Clocks are changed at
    /// night, so that noon has the offset of the date's end.
    #[must_use]
    pub fn utc_day(self) -> UtcDay {
        self.at(DAY_SECONDS / 2, self.at_end).day()
    }

    /// Whether a key that is valid from `start` to before `end` was valid at any time of the date.
    #[must_use]
    pub fn overlaps(self, start: IntervalNumber, end: IntervalNumber) -> bool {
        start.start() < self.ends() && end.start() > self.starts()
    }

    /// The date `days` earlier, with the offset of this one's start; held at 1970-01-02.
    #[must_use]
    pub fn saturating_sub(self, days: u32) -> Self {
        let date = self.date.saturating_sub(days).max(UtcDay::new(1));
        Self { date, at_start: self.at_start, at_end: self.at_start }
    }

    fn at(self, seconds: u32, offset: UtcOffset) -> Timestamp {
        let local = self.date.start().saturating_add(seconds).unix_seconds();
        // 1970-01-02 lies 24 hours after the epoch and no offset is as large.
        Timestamp::from_unix_seconds(local - offset.seconds()).unwrap_or(Timestamp::EPOCH)
    }

    /// Reads what `Display` writes, as a server does.
    ///
    /// # Errors
    /// [`LocalDateError::Text`], and those of [`LocalDate::from_calendar`].
    pub fn parse(text: &str) -> Result<Self, LocalDateError> {
        let number = |range: core::ops::Range<usize>| {
            let digits = text.get(range).filter(|part| part.bytes().all(|b| b.is_ascii_digit()));
            digits.and_then(|digits| digits.parse::<i32>().ok()).ok_or(LocalDateError::Text)
        };
        let is_shaped = text.len() == 29
            && text.get(4..5) == Some("-")
            && text.get(7..8) == Some("-")
            && text.get(10..23) == Some("T00:00:00.000")
            && text.get(26..27) == Some(":");
        let sign = match text.get(23..24).filter(|_| is_shaped) {
            Some("+") => 1,
            Some("-") => -1,
            _ => return Err(LocalDateError::Text),
        };
        let (hours, minutes) = (number(24..26)?, number(27..29)?);
        // RFC 3339 writes -00:00 where the offset is not known.
        if minutes > 59 || (sign, hours, minutes) == (-1, 0, 0) {
            return Err(LocalDateError::Text);
        }
        let offset = sign * (hours * 60 + minutes);
        let small = |number: i32| u8::try_from(number).map_err(|_| LocalDateError::Text);
        Self::from_calendar(
            number(0..4)?,
            small(number(5..7)?)?,
            small(number(8..10)?)?,
            UtcOffset::new(offset.into())?,
        )
    }
}

impl fmt::Display for LocalDate {
    /// RFC 3339, midnight, with milliseconds and offset: `2022-01-16T00:00:00.000+09:00`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let minutes = self.at_start.minutes();
        let sign = if minutes < 0 { '-' } else { '+' };
        let (hours, minutes) = (minutes.unsigned_abs() / 60, minutes.unsigned_abs() % 60);
        write!(f, "{}T00:00:00.000{sign}{hours:02}:{minutes:02}", self.date)
    }
}

impl TryFrom<(u32, UtcOffset, UtcOffset)> for LocalDate {
    type Error = LocalDateError;
    fn try_from(
        (days, at_start, at_end): (u32, UtcOffset, UtcOffset),
    ) -> Result<Self, Self::Error> {
        Ok(Self::new(days, at_start)?.with_offset_at_end(at_end))
    }
}

impl From<LocalDate> for (u32, UtcOffset, UtcOffset) {
    fn from(date: LocalDate) -> Self {
        (date.date.days_since_1970(), date.at_start, date.at_end)
    }
}

/// Howard Hinnant's days-from-civil arithmetic, for years from 1970 on.
fn days_since_1970(year: i32, month: u8, day: u8) -> i64 {
    let (month, day) = (i64::from(month), i64::from(day));
    let year = i64::from(year) - i64::from(month <= 2);
    let (era, year_of_era) = (year / 400, year % 400);
    let month_from_march = (month + 9) % 12;
    let day_of_year = (153 * month_from_march + 2) / 5 + day - 1;
    let day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    era * 146_097 + day_of_era - 719_468
}
