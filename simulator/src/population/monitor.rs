//! The board's indicators, one row a day.

use sha2::{Digest, Sha256};

use super::columns::{Column, Frame, Values};

/// Defines the row and its columns in one place, so that no column can be forgotten.
macro_rules! row {
    ($($(#[$doc:meta])* $name:ident),* $(,)?) => {
        /// One day. People are counted unless a name says otherwise.
        #[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
        #[non_exhaustive]
        pub struct Day {
            $($(#[$doc])* pub $name: u64,)*
        }

        impl Monitor {
            fn counts(&self) -> Vec<Column> {
                vec![$(Column {
                    name: stringify!($name).to_owned(),
                    values: Values::Count(self.days.iter().map(|day| day.$name).collect()),
                }),*]
            }
        }
    };
}

row! {
    /// Positive results.
    new_cases,
    /// Tests taken.
    tests,
    /// Who entered the number and published keys.
    positives_registered,
    /// Who was told of a contact.
    notified,
    /// Mildly ill at home, at the end of the day.
    home,
    /// Mildly ill in a hotel.
    hotel,
    /// Beds for moderate illness in use.
    moderate_beds_used,
    /// Beds for moderate illness.
    moderate_beds_total,
    /// Beds for severe illness in use.
    severe_beds_used,
    /// Beds for severe illness.
    severe_beds_total,
    /// Who waits for a bed.
    waiting,
    /// Requests for a transfer that were new.
    transfer_requests,
    /// Requests that found a bed.
    transfers,
    /// Days that those had waited, together.
    transfer_wait_days,
    /// Minutes of calls that the diary made unnecessary.
    diary_minutes_saved,
    /// Minutes of calls that were needed.
    call_minutes,
    /// New infections, whether anybody knows or not.
    infections,
    /// Who fell ill, of whatever; a measure of calls to the consultation centre.
    symptoms,
    /// Whose illness needs a hospital, with a bed or without.
    hospital_need,
    /// Of these, critical.
    critical_need,
    /// Deaths.
    deaths,
    /// Positive results of people with the app.
    positives_with_app,
    /// Of the notified, those never told before.
    first_notified,
    /// Of the notified, those not infected.
    notified_not_infected,
    /// Days from contact to notice, of all notified together.
    contact_to_notice_days,
    /// Notices that phones did not show in an incident.
    notices_lost,
    /// Who stayed at home for any reason.
    isolated,
    /// Of these, not infected so far.
    isolated_not_infected,
    /// Who stayed at home after a notice, other reasons or not.
    isolated_by_notice,
    /// Of these, not infected so far.
    isolated_by_notice_not_infected,
    /// Keys published.
    keys_published,
    /// Bytes of key files that each phone fetched.
    key_file_bytes,
}

/// Every day of a run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Monitor {
    /// Days from 1970-01-01 to the first day.
    pub first_date: i32,
    /// By time.
    pub days: Vec<Day>,
}

impl Monitor {
    pub(crate) const fn new(first_date: i32) -> Self {
        Self { first_date, days: Vec::new() }
    }

    pub(crate) fn push(&mut self, day: Day) {
        self.days.push(day);
    }

    /// The sum of one indicator.
    #[must_use]
    pub fn sum(&self, indicator: impl Fn(&Day) -> u64) -> u64 {
        self.days.iter().map(indicator).sum()
    }

    /// The greatest value of one indicator.
    #[must_use]
    pub fn peak(&self, indicator: impl Fn(&Day) -> u64) -> u64 {
        self.days.iter().map(indicator).max().unwrap_or(0)
    }

    /// SHA-256 of every indicator of every day, in hexadecimal digits: equal runs have equal ones.
    #[must_use]
    pub fn digest(&self) -> String {
        let csv = self.frame("").to_csv();
        hex::encode(Sha256::digest(csv.as_bytes()))
    }

    /// A column `arm`, a column `date`, and one for each indicator.
    #[must_use]
    pub fn frame(&self, arm: &str) -> Frame {
        let dates = (self.first_date..).take(self.days.len()).collect();
        let mut columns = vec![
            Column {
                name: "arm".to_owned(),
                values: Values::Text(vec![arm.to_owned(); self.days.len()]),
            },
            Column { name: "date".to_owned(), values: Values::Date(dates) },
        ];
        columns.extend(self.counts());
        Frame { columns }
    }
}
