//! The recuperation diary: how a patient at home or in a hotel is, on the patient's own phone.
//!
//! Kanagawa asked its patients over LINE twice a day how they were, so that nurses had not to call
//! each of them, and pointed those who got worse to a line that answers round the clock. Here the
//! same is kept in the phone's own log, and nothing leaves it but an export that the patient shows:
//!
//! * [`Diary`]: when it began, where the patient stays, and the entries;
//! * [`schedule`]: which entry is due, which were missed, when the period ends;
//! * [`DiaryRules`]: a table that an authority writes, by which [`Diary::escalation`] says `None`,
//!   `Watch`, `CallNurse` or `Emergency`, whom to contact, and on what ground;
//! * [`export`]: the whole of it as JSON and as a text that fits in a QR code, so that nobody has
//!   to type it again.
//!
//! **This is no medical device.** It repeats what a table says; the table is configuration, and
//! whoever puts it into an app answers for it. The thresholds of the built-in one are the
//! prefecture's (SpO2 of at most 95 %, from 2022-01-28; admission score of at least 5, from
//! 2020-12-07); its emergency symptoms, temperature and missed slots are placeholders of ours.
//!
//! Nothing is kept that the patient did not enter, and `Debug` shows none of it.

pub mod admission;
pub mod entry;
pub mod escalation;
pub mod export;
pub mod rule_table;
pub mod schedule;

use core::fmt;

use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::local_time::{LocalDate, UtcOffset};
use crate::time::{Timestamp, UtcDay};
use admission::AdmissionFacts;
pub use entry::{Entry, Note, OxygenSaturation, SymptomKey, Temperature};
pub use escalation::{Escalation, EscalationLevel};
pub use rule_table::DiaryRules;

/// How many entries one diary holds: a month of one each hour.
pub const MOST_ENTRIES: usize = 750;

/// Where the patient recuperates.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Place {
    /// At home.
    Home,
    /// In a hotel or another place that an authority runs.
    Hotel,
}

/// The date from which the period is counted, day 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Basis {
    /// Symptoms began on this date.
    Onset(LocalDate),
    /// There are none; the test was taken on this date.
    Test(LocalDate),
}

impl Basis {
    /// The date itself.
    #[must_use]
    pub const fn date(self) -> LocalDate {
        match self {
            Self::Onset(date) | Self::Test(date) => date,
        }
    }

    /// Whether there are no symptoms.
    #[must_use]
    pub const fn is_asymptomatic(self) -> bool {
        matches!(self, Self::Test(_))
    }
}

/// How a diary begins.
#[derive(Clone, PartialEq, Eq)]
pub struct Start {
    /// Where the period begins.
    pub basis: Basis,
    /// Where the patient stays.
    pub place: Place,
    /// How far the patient's clock is ahead of UTC; slots and dates are in this local time.
    pub utc_offset: UtcOffset,
    /// What is known for the admission score.
    pub facts: AdmissionFacts,
}

impl fmt::Debug for Start {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Start(..)")
    }
}

/// A diary that cannot begin.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum StartError {
    /// Onset or test on a date that has not come yet.
    #[error("the period cannot begin on a date in the future")]
    Future,
    /// The period was over before the diary began.
    #[error("the period was over on {0}")]
    Over(LocalDate),
    /// There is no diary whose period could be counted anew.
    #[error("no diary has begun")]
    NoDiary,
}

/// An entry that is refused. The diary has not changed.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum EntryError {
    /// No diary has begun.
    #[error("no diary has begun")]
    NoDiary,
    /// Nothing was entered.
    #[error("the entry says nothing")]
    Empty,
    /// It is dated later than now.
    #[error("the entry lies in the future")]
    Future,
    /// It is dated before the date of onset or test.
    #[error("the entry lies before the period")]
    BeforeThePeriod,
    /// Its day was forgotten at the user's wish.
    #[error("the entry lies on a day that was forgotten")]
    ForgottenDay,
    /// A symptom that the rules do not know, and would not act on.
    #[error("the rules know no symptom {0}")]
    UnknownSymptom(SymptomKey),
    /// There are [`MOST_ENTRIES`] already.
    #[error("the diary is full: {MOST_ENTRIES} entries")]
    Full,
}

/// One recuperation. A plain value: the engine keeps it in the encounter log. `Debug` shows counts.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Diary {
    begun_at: Timestamp,
    basis: Basis,
    place: Place,
    #[serde(rename = "utc_offset_minutes")]
    utc_offset: UtcOffset,
    facts: AdmissionFacts,
    last_day: LocalDate,
    /// By time, each time once.
    entries: Vec<Entry>,
}

impl Diary {
    /// Begins a diary at `now`. The period ends with the day that `rules` say.
    ///
    /// # Errors
    /// [`StartError`].
    pub fn begin(start: Start, rules: &DiaryRules, now: Timestamp) -> Result<Self, StartError> {
        let Start { basis, place, utc_offset, facts } = start;
        let today = LocalDate::at(now, utc_offset);
        if basis.date() > today {
            return Err(StartError::Future);
        }
        let last_day = rules.last_day(basis);
        if last_day < today {
            return Err(StartError::Over(last_day));
        }
        let entries = Vec::new();
        Ok(Self { begun_at: now, basis, place, utc_offset, facts, last_day, entries })
    }

    /// Symptoms began after all: the period is counted anew from `onset`.
    ///
    /// # Errors
    /// [`StartError::Future`].
    pub fn symptoms_began(
        &mut self,
        onset: LocalDate,
        rules: &DiaryRules,
        now: Timestamp,
    ) -> Result<(), StartError> {
        if onset > LocalDate::at(now, self.utc_offset) {
            return Err(StartError::Future);
        }
        self.basis = Basis::Onset(onset);
        self.last_day = rules.last_day(self.basis);
        Ok(())
    }

    /// Adds an entry; it replaces one of the same second.
    ///
    /// # Errors
    /// [`EntryError`]. Nothing has changed then.
    pub fn add(
        &mut self,
        entry: Entry,
        rules: &DiaryRules,
        now: Timestamp,
    ) -> Result<(), EntryError> {
        if entry.is_empty() {
            return Err(EntryError::Empty);
        }
        if entry.at > now {
            return Err(EntryError::Future);
        }
        if LocalDate::at(entry.at, self.utc_offset) < self.basis.date() {
            return Err(EntryError::BeforeThePeriod);
        }
        let symptoms = entry.symptoms.iter().flatten();
        if let Some(unknown) = symptoms.into_iter().find(|key| !rules.knows(key)) {
            return Err(EntryError::UnknownSymptom(unknown.clone()));
        }
        match self.entries.binary_search_by_key(&entry.at, |known| known.at) {
            Ok(place) => {
                if let Some(known) = self.entries.get_mut(place) {
                    *known = entry;
                }
            }
            Err(_) if self.entries.len() >= MOST_ENTRIES => return Err(EntryError::Full),
            Err(place) => self.entries.insert(place, entry),
        }
        Ok(())
    }

    /// The entries, by time.
    #[must_use]
    pub fn entries(&self) -> &[Entry] {
        &self.entries
    }

    /// When the diary was begun.
    #[must_use]
    pub const fn begun_at(&self) -> Timestamp {
        self.begun_at
    }

    /// Where the period is counted from.
    #[must_use]
    pub const fn basis(&self) -> Basis {
        self.basis
    }

    /// Where the patient stays.
    #[must_use]
    pub const fn place(&self) -> Place {
        self.place
    }

    /// How far the patient's clock is ahead of UTC.
    #[must_use]
    pub const fn utc_offset(&self) -> UtcOffset {
        self.utc_offset
    }

    /// What is known for the admission score.
    #[must_use]
    pub const fn facts(&self) -> &AdmissionFacts {
        &self.facts
    }

    /// The last day of the period, in the patient's calendar.
    #[must_use]
    pub const fn last_day(&self) -> LocalDate {
        self.last_day
    }

    /// The end of the period: the midnight after [`Diary::last_day`].
    #[must_use]
    pub fn ends_at(&self) -> Timestamp {
        self.last_day.saturating_add(1).instant(0, self.utc_offset).unwrap_or(Timestamp::MAX)
    }

    /// Whether the diary is still to be kept when everything before `instant` must be forgotten.
    /// It is kept whole until its period lies back as long as anything is kept, and then goes whole:
    /// a nurse who sees the half of a course sees the wrong one.
    #[must_use]
    pub fn outlives(&self, instant: Timestamp) -> bool {
        let last_entry = self.entries.last().map_or(self.begun_at, |entry| entry.at);
        // An entry dated by a wrong clock keeps nothing alive for longer than the period allows.
        let longest = self.ends_at().saturating_add(LONGEST_TAIL_SECONDS);
        self.ends_at().max(last_entry.min(longest)) >= instant
    }

    /// Forgets the entries of one UTC day.
    pub fn forget_day(&mut self, day: UtcDay) {
        self.entries.retain(|entry| entry.at.day() != day);
    }
}

/// For how long after the end of a period entries keep a diary alive: a long illness.
const LONGEST_TAIL_SECONDS: u32 = 60 * crate::time::DAY_SECONDS;

impl fmt::Debug for Diary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Diary").field("entries", &self.entries.len()).finish_non_exhaustive()
    }
}
