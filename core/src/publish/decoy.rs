//! Pretended uploads, so that an upload tells an onlooker nothing.
//!
//! Schedule: every four hours with a probability of one in twelve, about every two days
//! (exposure-notifications-android, cover traffic). What is sent goes through [`UploadQueue`](super::UploadQueue) like
//! any upload.

use rand_core::CryptoRng;
use serde::{Deserialize, Serialize};

use super::local_date::LocalDate;
use super::release::{Basis, Release, ReleasedKey};
use crate::diagnosis_key::{DiagnosisKey, DiagnosisKeyDetails, ReportType};
use crate::local_time::UtcOffset;
use crate::time::{RollingPeriod, Timestamp};

/// Keys in a decoy: those of two weeks.
const KEYS: u32 = 14;

/// When the next decoy is due.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct DecoySchedule {
    next_at: Option<Timestamp>,
}

impl DecoySchedule {
    /// How often the dice are rolled.
    pub const SLOT_SECONDS: u32 = 4 * 3_600;
    /// One roll in so many makes a decoy.
    pub const SLOTS_ON_AVERAGE: u32 = 12;
    /// After so many rolls there is one in any case, so that no time is out of reach.
    const MOST_SLOTS: u32 = 180;

    /// Whether a decoy is due; the next one is planned then. However long the phone was off, it
    /// makes up for one at most.
    pub fn is_due(&mut self, now: Timestamp, rng: &mut (impl CryptoRng + ?Sized)) -> bool {
        let farthest = now.saturating_add(Self::SLOT_SECONDS * (Self::MOST_SLOTS + 1));
        // A plan that is farther away than any was made by a clock that was ahead.
        match self.next_at.filter(|at| *at <= farthest) {
            Some(at) if at > now => false,
            planned => {
                self.next_at = Some(plan(now, rng));
                planned.is_some()
            }
        }
    }

    /// When to ask again; `None` before the first time.
    #[must_use]
    pub const fn next_wake(&self) -> Option<Timestamp> {
        self.next_at
    }
}

fn plan(now: Timestamp, rng: &mut (impl CryptoRng + ?Sized)) -> Timestamp {
    let mut misses = 0;
    while misses < DecoySchedule::MOST_SLOTS
        && !rng.next_u32().is_multiple_of(DecoySchedule::SLOTS_ON_AVERAGE)
    {
        misses += 1;
    }
    let within = rng.next_u32() % DecoySchedule::SLOT_SECONDS;
    now.saturating_add(misses * DecoySchedule::SLOT_SECONDS + within)
}

/// Random keys of the last days, such as a phone has that was never switched off.
pub(super) fn release(now: Timestamp, rng: &mut (impl CryptoRng + ?Sized)) -> Option<Release> {
    let today = now.day();
    let details = DiagnosisKeyDetails {
        report_type: Some(ReportType::ConfirmedTest),
        ..DiagnosisKeyDetails::default()
    };
    let mut key = |days_ago| {
        let mut bytes = [0; 16];
        rng.fill_bytes(&mut bytes);
        let start = today.saturating_sub(days_ago).first_interval();
        let key = DiagnosisKey::new(bytes, start, RollingPeriod::DAY, details);
        ReleasedKey { key, release_after: None }
    };
    let keys = (1..=KEYS).map(&mut key).collect();
    let date = LocalDate::new(today.saturating_sub(2).days_since_1970(), UtcOffset::UTC).ok()?;
    Some(Release::of(keys, Basis::SymptomOnset(date), now))
}
