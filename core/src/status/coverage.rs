//! How much of the time that the user wanted to take part was really scanned.
//!
//! A scan of a few seconds stands for the pause before it: a contact is noticed if a scan falls
//! into it. So a finished scan covers the time back to the scan before it, but never more than
//! the schedule's longest pause, and never time before the service was started. Planned is all
//! time for which the user had tracing switched on, whether the process lived or not. The rest is
//! what was missed, and it shows, to the minute, by UTC day.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::time::{Timestamp, UtcDay};

/// One UTC day's figures, in seconds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ScanCoverage {
    /// For how long tracing was switched on.
    pub planned_seconds: u32,
    /// How much of that the finished scans cover.
    pub scanned_seconds: u32,
    /// Scans that were begun.
    pub scans_begun: u32,
    /// Scans that finished.
    pub scans_finished: u32,
    /// Scans that were begun and never reported.
    pub scans_lost: u32,
}

impl ScanCoverage {
    /// Whole minutes planned.
    #[must_use]
    pub const fn minutes_planned(&self) -> u32 {
        self.planned_seconds / 60
    }

    /// Whole minutes covered.
    #[must_use]
    pub const fn minutes_scanned(&self) -> u32 {
        self.scanned_seconds / 60
    }

    /// Covered of a hundred planned, rounded down; `None` if nothing was planned.
    #[must_use]
    pub fn percent(&self) -> Option<u8> {
        let hundredfold = u64::from(self.scanned_seconds) * 100;
        let percent = hundredfold.checked_div(u64::from(self.planned_seconds))?;
        Some(u8::try_from(percent.min(100)).unwrap_or(100))
    }
}

/// How far a scan reaches back, and when a missing one is missed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct CoverageRules {
    /// Longest time between the ends of two scans of a working phone, in seconds.
    pub reach_seconds: u32,
    /// How much later than that a scan may be before it is missed, in seconds.
    pub grace_seconds: u32,
}

impl Default for CoverageRules {
    /// 300 s of pause and 4 s of scan; twice as much again before anything is said.
    fn default() -> Self {
        Self { reach_seconds: 304, grace_seconds: 608 }
    }
}

/// Adds up planned and covered time. Feed it the best known time
/// ([`ClockWatch::now`](crate::clock::ClockWatch::now)) in order; persist it whole.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Coverage {
    rules: CoverageRules,
    /// While switched on, how far planned time has been counted.
    planned_until: Option<Timestamp>,
    /// While switched on, the end of the last scan or the start of the service.
    listening_since: Option<Timestamp>,
    days: BTreeMap<UtcDay, ScanCoverage>,
}

impl Coverage {
    /// Nothing planned.
    #[must_use]
    pub fn new(rules: CoverageRules) -> Self {
        Self { rules, ..Self::default() }
    }

    /// The service starts: the user has switched tracing on, or the process came back with tracing
    /// on. In the second case the time it was gone stays planned, and is not covered.
    pub fn started(&mut self, now: Timestamp) {
        match self.planned_until {
            None => self.planned_until = Some(now),
            Some(_) => self.pass(now),
        }
        self.listening_since = Some(now);
    }

    /// The user has switched tracing off: from now on nothing is planned.
    pub fn stopped(&mut self, now: Timestamp) {
        self.pass(now);
        self.planned_until = None;
        self.listening_since = None;
    }

    /// Time passes without a scan. Harmless at any time.
    pub fn pass(&mut self, now: Timestamp) {
        if let Some(from) = self.planned_until
            && from < now
        {
            self.add(from, now, |day, seconds| {
                day.planned_seconds = day.planned_seconds.saturating_add(seconds);
            });
            self.planned_until = Some(now);
        }
    }

    /// A scan begins.
    pub fn scan_begun(&mut self, now: Timestamp) {
        self.pass(now);
        let day = self.days.entry(now.day()).or_default();
        day.scans_begun = day.scans_begun.saturating_add(1);
    }

    /// A scan has ended, at `ended` and by its host's word.
    pub fn scan_finished(&mut self, ended: Timestamp) {
        self.pass(ended);
        let day = self.days.entry(ended.day()).or_default();
        day.scans_finished = day.scans_finished.saturating_add(1);
        let Some(since) = self.listening_since else { return };
        let from = since.max(ended.saturating_sub(self.rules.reach_seconds));
        if from < ended {
            self.add(from, ended, |day, seconds| {
                day.scanned_seconds = day.scanned_seconds.saturating_add(seconds);
            });
            self.listening_since = Some(ended);
        }
    }

    /// A scan that was begun has not been reported in time.
    pub fn scan_lost(&mut self, now: Timestamp) {
        self.pass(now);
        let day = self.days.entry(now.day()).or_default();
        day.scans_lost = day.scans_lost.saturating_add(1);
    }

    /// The time that is fed has jumped to `now`: what lies between is neither planned nor
    /// covered, because it did not happen. For every
    /// [`ClockChange`](crate::clock::ClockChange) that is a jump, and for a trusted time that
    /// moves the present.
    pub fn clock_jumped(&mut self, now: Timestamp) {
        if self.planned_until.is_some() {
            self.planned_until = Some(now);
            self.listening_since = Some(now);
        }
    }

    /// For how many seconds no scan has ended that should have; `None` if none is overdue.
    #[must_use]
    pub fn scans_missing(&self, now: Timestamp) -> Option<u64> {
        let waited = now.seconds_since(self.listening_since?);
        let patience =
            i64::from(self.rules.reach_seconds).saturating_add(i64::from(self.rules.grace_seconds));
        (waited > patience).then_some(waited.unsigned_abs())
    }

    /// The figures of `day`; `None` if nothing was planned on it.
    #[must_use]
    pub fn day(&self, day: UtcDay) -> Option<ScanCoverage> {
        self.days.get(&day).copied()
    }

    /// Forgets one day.
    pub fn forget_day(&mut self, day: UtcDay) {
        self.days.remove(&day);
    }

    /// Forgets the days before `day`.
    pub fn forget_before(&mut self, day: UtcDay) {
        self.days = self.days.split_off(&day);
    }

    /// Hands each UTC day between the two instants its part.
    fn add(&mut self, from: Timestamp, until: Timestamp, add: impl Fn(&mut ScanCoverage, u32)) {
        // Days long past retention would only be forgotten again.
        let mut from = from.max(until.saturating_sub(LONGEST_SPAN_SECONDS));
        while from < until {
            let end = from.day().saturating_add(1).start().min(until);
            let end = if end > from { end } else { until };
            let seconds = u32::try_from(end.seconds_since(from)).unwrap_or(0);
            add(self.days.entry(from.day()).or_default(), seconds);
            from = end;
        }
    }
}

/// The longest stretch that one event adds, so that a wrong clock cannot make it walk centuries.
const LONGEST_SPAN_SECONDS: u32 = 31 * 86_400;
