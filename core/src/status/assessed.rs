//! One record for every UTC day, also for those on which nothing was found.
//!
//! COCOA notified nobody for four months and nobody could see it, because no news looked the same
//! as no working app. Here each day leaves a positive record, and a day without one is a failure.

use serde::{Deserialize, Serialize};

use super::coverage::Coverage;
use crate::risk::RiskLevel;
use crate::time::{Timestamp, UtcDay};

/// Most days that are recorded at once after a phone was off. Longer than any retention.
const MOST_DAYS_AT_ONCE: u32 = 31;

/// What the matchings of one day found.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum AssessedResult {
    /// No key file was matched on that day: nothing can be said.
    #[default]
    NotMatched,
    /// Key files were matched, and no contact was found in them.
    NothingFound,
    /// Contacts were found.
    Found {
        /// The highest level concluded on that day, for whichever day of contact.
        highest: RiskLevel,
    },
}

/// What happened on one UTC day.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Assessed {
    /// The UTC day on which it happened. A later record of the same day replaces an earlier one.
    pub date: UtcDay,
    /// Minutes covered by scans.
    pub minutes_scanned: u32,
    /// Minutes for which tracing was switched on.
    pub minutes_planned: u32,
    /// Key files matched.
    pub files_ok: u32,
    /// Key files listed that could not be fetched, or were refused.
    pub files_missing: u32,
    /// Keys in the files matched.
    pub keys_checked: u64,
    /// Version of the configuration in force; `None` if it has none.
    pub config_version: Option<String>,
    /// What was found.
    pub result: AssessedResult,
}

/// Collects a day and closes it. Persist it whole.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct DailyRecord {
    /// The day being collected; `None` before the first call.
    open: Option<UtcDay>,
    files_ok: u32,
    files_missing: u32,
    keys_checked: u64,
    result: AssessedResult,
}

impl DailyRecord {
    /// Nothing collected.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// A key file with `keys` keys was matched.
    pub const fn file_matched(&mut self, keys: u64) {
        self.files_ok = self.files_ok.saturating_add(1);
        self.keys_checked = self.keys_checked.saturating_add(keys);
        if let AssessedResult::NotMatched = self.result {
            self.result = AssessedResult::NothingFound;
        }
    }

    /// A listed key file could not be fetched, or was refused.
    pub const fn file_missing(&mut self) {
        self.files_missing = self.files_missing.saturating_add(1);
    }

    /// A day of contact was concluded to be `level`.
    pub fn concluded(&mut self, level: RiskLevel) {
        self.result = match self.result {
            AssessedResult::Found { highest } => {
                AssessedResult::Found { highest: highest.max(level) }
            }
            AssessedResult::NotMatched | AssessedResult::NothingFound => {
                AssessedResult::Found { highest: level }
            }
        };
    }

    /// Closes every UTC day that has ended before `now` and returns their records, oldest first:
    /// exactly one for each day, also for days on which the process did not live.
    ///
    /// Call it with each input, before the input is taken, so that an event falls into its own
    /// day. If the clock has come back from a day in the future, the count resumes today: a second
    /// record of a day is better than none until that future.
    pub fn close_days(
        &mut self,
        now: Timestamp,
        coverage: &Coverage,
        config_version: Option<&str>,
    ) -> Vec<Assessed> {
        let today = now.day();
        let Some(open) = self.open else {
            self.open = Some(today);
            return Vec::new();
        };
        let mut records = Vec::new();
        let first = open.max(today.saturating_sub(MOST_DAYS_AT_ONCE));
        let mut date = first;
        while date < today {
            records.push(self.close(date, coverage, config_version));
            date = date.saturating_add(1);
        }
        self.open = Some(today);
        records
    }

    fn close(
        &mut self,
        date: UtcDay,
        coverage: &Coverage,
        config_version: Option<&str>,
    ) -> Assessed {
        let scans = coverage.day(date).unwrap_or_default();
        let collected = core::mem::take(self);
        Assessed {
            date,
            minutes_scanned: scans.minutes_scanned(),
            minutes_planned: scans.minutes_planned(),
            files_ok: collected.files_ok,
            files_missing: collected.files_missing,
            keys_checked: collected.keys_checked,
            config_version: config_version.map(ToOwned::to_owned),
            result: collected.result,
        }
    }
}
