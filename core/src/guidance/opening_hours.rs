//! When a contact point can be reached, by weekday in its own local time.

use core::fmt;
use core::str::FromStr;
use std::collections::BTreeSet;

use serde::Deserialize;
use thiserror::Error;

use crate::local_time::{DAY_MINUTES, LocalDate, UtcOffset, Weekday};
use crate::time::Timestamp;

/// How many dates a contact point may name on which it is closed.
pub const CLOSED_DATES_LIMIT: usize = 366;

/// Opening hours that make no sense.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum OpeningHoursError {
    /// Not two times of the day as in `09:00-17:00`.
    #[error("{0:?} is not a span as in 09:00-17:00")]
    Span(String),
    /// A span that ends before it has begun. One over midnight is written as two.
    #[error("{0} ends before it begins; hours over midnight are two spans, the first until 24:00")]
    EndsBeforeItBegins(Span),
    /// Spans of one day that are not in order or overlap.
    #[error("{weekday:?}: {next} does not lie after {before}")]
    Order {
        /// The day.
        weekday: Weekday,
        /// The span that stands first.
        before: Span,
        /// The one that stands second.
        next: Span,
    },
    /// Not one span in the whole week.
    #[error("never open")]
    NeverOpen,
    /// More closed dates than [`CLOSED_DATES_LIMIT`].
    #[error("{0} closed dates are too many")]
    ClosedDates(usize),
}

/// Minutes of one day from the first to the one at which it closes, 00:00-24:00 at most.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Span {
    opens: u16,
    closes: u16,
}

impl FromStr for Span {
    type Err = OpeningHoursError;

    fn from_str(text: &str) -> Result<Self, OpeningHoursError> {
        let spanned = text
            .split_once('-')
            .and_then(|(opens, closes)| {
                Some(Self { opens: minute(opens)?, closes: minute(closes)? })
            })
            .ok_or_else(|| OpeningHoursError::Span(text.to_owned()))?;
        if spanned.opens < spanned.closes {
            Ok(spanned)
        } else {
            Err(OpeningHoursError::EndsBeforeItBegins(spanned))
        }
    }
}

/// `09:00` is 540, `24:00` is 1440.
fn minute(text: &str) -> Option<u16> {
    let (hour, minute) = text.split_once(':')?;
    let two_digits = |part: &str| {
        let digits = part.len() == 2 && part.bytes().all(|byte| byte.is_ascii_digit());
        digits.then(|| part.parse::<u16>().ok()).flatten()
    };
    let (hour, minute) = (two_digits(hour)?, two_digits(minute)?);
    let minute_of_day = hour * 60 + minute;
    (minute < 60 && minute_of_day <= DAY_MINUTES).then_some(minute_of_day)
}

impl fmt::Display for Span {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { opens, closes } = self;
        write!(f, "{:02}:{:02}-{:02}:{:02}", opens / 60, opens % 60, closes / 60, closes % 60)
    }
}

/// The hours as a rule table writes them; a day left out is a day closed.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct WeekDocument {
    monday: Vec<String>,
    tuesday: Vec<String>,
    wednesday: Vec<String>,
    thursday: Vec<String>,
    friday: Vec<String>,
    saturday: Vec<String>,
    sunday: Vec<String>,
}

impl WeekDocument {
    const fn day(&self, weekday: Weekday) -> &Vec<String> {
        match weekday {
            Weekday::Monday => &self.monday,
            Weekday::Tuesday => &self.tuesday,
            Weekday::Wednesday => &self.wednesday,
            Weekday::Thursday => &self.thursday,
            Weekday::Friday => &self.friday,
            Weekday::Saturday => &self.saturday,
            Weekday::Sunday => &self.sunday,
        }
    }
}

/// A week's hours at a fixed distance from UTC, and the dates on which they do not hold.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OpeningHours {
    offset: UtcOffset,
    /// By weekday, Monday first; in order, without overlap, not all of them empty.
    week: [Vec<Span>; 7],
    closed_on: BTreeSet<LocalDate>,
}

/// Whether somebody answers now.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum OpeningState {
    /// Open.
    Open {
        /// When it closes; `None` if not within a week.
        closes: Option<Timestamp>,
    },
    /// Closed.
    Closed {
        /// When it opens; `None` if that lies past the last instant there is.
        opens: Option<Timestamp>,
    },
}

impl OpeningHours {
    pub(super) fn new(
        offset: UtcOffset,
        document: &WeekDocument,
        closed_on: BTreeSet<LocalDate>,
    ) -> Result<Self, OpeningHoursError> {
        if closed_on.len() > CLOSED_DATES_LIMIT {
            return Err(OpeningHoursError::ClosedDates(closed_on.len()));
        }
        let mut week: [Vec<Span>; 7] = Default::default();
        for (weekday, spans) in Weekday::ALL.into_iter().zip(&mut week) {
            for text in document.day(weekday) {
                let next: Span = text.parse()?;
                if let Some(&before) = spans.last()
                    && next.opens < before.closes
                {
                    return Err(OpeningHoursError::Order { weekday, before, next });
                }
                spans.push(next);
            }
        }
        if week.iter().all(Vec::is_empty) {
            return Err(OpeningHoursError::NeverOpen);
        }
        Ok(Self { offset, week, closed_on })
    }

    /// The spans of `date`, in order.
    fn spans(&self, date: LocalDate) -> &[Span] {
        let spans = Weekday::ALL.into_iter().zip(&self.week);
        let mut spans = spans.filter(|(weekday, _)| *weekday == date.weekday());
        match spans.next() {
            Some((_, spans)) if !self.closed_on.contains(&date) => spans,
            _ => &[],
        }
    }

    /// Whether it is open at `now`, and when that changes.
    #[must_use]
    pub fn state(&self, now: Timestamp) -> OpeningState {
        let today = LocalDate::at(now, self.offset);
        let is_now = |span: &&Span| {
            let opens = today.instant(span.opens, self.offset).unwrap_or(Timestamp::EPOCH);
            let closes = today.instant(span.closes, self.offset).unwrap_or(Timestamp::MAX);
            opens <= now && now < closes
        };
        match self.spans(today).iter().find(is_now) {
            Some(span) => OpeningState::Open { closes: self.closes(today, *span) },
            None => OpeningState::Closed { opens: self.opens(today, now) },
        }
    }

    /// The end of a span of `date`, over spans and midnights that follow without a gap.
    fn closes(&self, mut date: LocalDate, span: Span) -> Option<Timestamp> {
        let mut until = span.closes;
        for _ in 0..=7 {
            // Spans of one day may touch, as 09:00-12:00 and 12:00-17:00 do.
            for span in self.spans(date) {
                if span.opens == until {
                    until = span.closes;
                }
            }
            let tomorrow = date.saturating_add(1);
            let goes_on = self.spans(tomorrow).first().is_some_and(|span| span.opens == 0);
            if until < DAY_MINUTES || !goes_on {
                return date.instant(until, self.offset);
            }
            (date, until) = (tomorrow, 0);
        }
        None
    }

    fn opens(&self, today: LocalDate, now: Timestamp) -> Option<Timestamp> {
        // A weekday with hours comes every seven days, and each closed date can spoil one of them.
        let weeks = u32::try_from(self.closed_on.len()).unwrap_or(0).saturating_add(1);
        (0..=weeks.saturating_mul(7))
            .flat_map(|days| {
                let date = today.saturating_add(days);
                self.spans(date).iter().map(move |span| (date, span.opens))
            })
            .filter_map(|(date, minute)| date.instant(minute, self.offset))
            .find(|opens| *opens > now)
    }
}
