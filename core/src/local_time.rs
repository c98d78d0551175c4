//! Dates and minutes at a fixed distance from UTC, which the host or a contact point states.
//!
//! There is no time zone data here: a host whose offset changes with the season hands in the
//! offset that holds now.

use core::fmt;
use core::str::FromStr;

use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::time::{DAY_SECONDS, Timestamp, UtcDay};

/// Minutes in a day.
pub const DAY_MINUTES: u16 = 1440;

/// A local time that does not exist.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum LocalTimeError {
    /// No place on Earth keeps this distance from UTC.
    #[error("an offset of {0} minutes from UTC is outside -720..=840")]
    Offset(i64),
    /// Not a date from 1970 on, as in `2022-01-31`.
    #[error("{0:?} is not a date as in 2022-01-31")]
    Date(String),
}

/// How far local time is ahead of UTC, in minutes: -720..=840.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "i64", into = "i64")]
pub struct UtcOffset(i16);

impl UtcOffset {
    /// UTC itself.
    pub const UTC: Self = Self(0);
    /// Japan, which has no summer time.
    pub const JAPAN: Self = Self(540);

    /// An offset of `minutes`.
    ///
    /// # Errors
    /// [`LocalTimeError::Offset`] outside -720..=840.
    pub const fn new(minutes: i64) -> Result<Self, LocalTimeError> {
        #[expect(clippy::cast_possible_truncation, reason = "within the matched range")]
        match minutes {
            -720..=840 => Ok(Self(minutes as i16)),
            _ => Err(LocalTimeError::Offset(minutes)),
        }
    }

    /// Minutes ahead of UTC.
    #[must_use]
    pub const fn minutes(self) -> i16 {
        self.0
    }

    pub(crate) const fn seconds(self) -> i64 {
        self.0 as i64 * 60
    }
}

impl TryFrom<i64> for UtcOffset {
    type Error = LocalTimeError;
    fn try_from(minutes: i64) -> Result<Self, LocalTimeError> {
        Self::new(minutes)
    }
}

impl From<UtcOffset> for i64 {
    fn from(offset: UtcOffset) -> Self {
        Self::from(offset.0)
    }
}

/// A day of the local calendar. Written as an ISO 8601 date.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct LocalDate(UtcDay);

impl LocalDate {
    /// The date at `instant`, held at 1970-01-01.
    #[must_use]
    pub fn at(instant: Timestamp, offset: UtcOffset) -> Self {
        Self::of_second(instant.unix_seconds() + offset.seconds())
    }

    /// The last date that `day` touches: in Japan the next one, up to 09:00.
    #[must_use]
    pub fn last_of(day: UtcDay, offset: UtcOffset) -> Self {
        let last_second = day.start().unix_seconds() + i64::from(DAY_SECONDS) - 1;
        Self::of_second(last_second + offset.seconds())
    }

    fn of_second(local_second: i64) -> Self {
        let days = local_second.max(0) / i64::from(DAY_SECONDS);
        Self(UtcDay::new(u32::try_from(days).unwrap_or(u32::MAX)))
    }

    /// `days` later, held at the last date there is.
    #[must_use]
    pub const fn saturating_add(self, days: u32) -> Self {
        Self(self.0.saturating_add(days))
    }

    /// Days since 1970-01-01 of the local calendar.
    #[must_use]
    pub const fn days_since_1970(self) -> u32 {
        self.0.days_since_1970()
    }

    /// The day of the week.
    #[must_use]
    pub const fn weekday(self) -> Weekday {
        // 1970-01-01 was a Thursday.
        match self.0.days_since_1970() % 7 {
            0 => Weekday::Thursday,
            1 => Weekday::Friday,
            2 => Weekday::Saturday,
            3 => Weekday::Sunday,
            4 => Weekday::Monday,
            5 => Weekday::Tuesday,
            _ => Weekday::Wednesday,
        }
    }

    /// The instant `minute` minutes into the date; `None` if it cannot be expressed.
    #[must_use]
    pub fn instant(self, minute: u16, offset: UtcOffset) -> Option<Timestamp> {
        let local = self.0.start().unix_seconds() + i64::from(minute) * 60;
        Timestamp::from_unix_seconds(local - offset.seconds()).ok()
    }
}

impl fmt::Display for LocalDate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl FromStr for LocalDate {
    type Err = LocalTimeError;

    /// An ISO 8601 date from 1970-01-01 to 9999-12-31.
    fn from_str(date: &str) -> Result<Self, LocalTimeError> {
        date.parse().map(Self).map_err(|_| LocalTimeError::Date(date.to_owned()))
    }
}

impl TryFrom<String> for LocalDate {
    type Error = LocalTimeError;
    fn try_from(text: String) -> Result<Self, LocalTimeError> {
        text.parse()
    }
}

impl From<LocalDate> for String {
    fn from(date: LocalDate) -> Self {
        date.to_string()
    }
}

/// A day of the week.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[expect(missing_docs, reason = "the days have no other names")]
pub enum Weekday {
    Monday,
    Tuesday,
    Wednesday,
    Thursday,
    Friday,
    Saturday,
    Sunday,
}

impl Weekday {
    /// Monday to Sunday.
    pub const ALL: [Self; 7] = [
        Self::Monday,
        Self::Tuesday,
        Self::Wednesday,
        Self::Thursday,
        Self::Friday,
        Self::Saturday,
        Self::Sunday,
    ];
}
