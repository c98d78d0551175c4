//! The line on which age is counted, and the calendar that goes with it.
//!
//! Time certainly passes as the monotonic clock counts it. It says nothing about how long a phone
//! was off; for that there is only the wall clock, which may lie. So an advance of the wall clock
//! beyond the monotonic one is a *claim*, and
//!
//! * a trusted time settles it at once;
//! * otherwise it is believed when the wall clock has kept to it for the whole patience;
//! * only a claim that contains a restart makes records older: while a phone runs, no time passes
//!   that its monotonic clock does not see, so setting its clock forward ages nothing.

use serde::{Deserialize, Serialize};

use super::{ClockRules, moved};
use crate::time::Timestamp;

/// What one reading tells the line.
#[derive(Clone, Copy, Debug)]
pub(super) struct Step {
    /// Seconds that have certainly passed since the last reading.
    pub passed: u64,
    /// After a restart: how long the phone was off according to both wall clocks.
    pub claimed_off: Option<u64>,
    pub wall: Timestamp,
    /// The time by a trusted source, if one was heard since boot.
    pub measured: Option<Timestamp>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Timeline {
    elapsed: u64,
    /// The calendar time that `elapsed` stands for.
    calendar: Timestamp,
    calendar_was_measured: bool,
    /// Seconds off that the wall clocks claimed since the calendar last agreed with them; `None`
    /// if there was no restart since.
    claimed_off: Option<u64>,
    claim: Option<Claim>,
    /// The careful present, see [`Timeline::retention_now`].
    retention_now: Timestamp,
}

/// The wall clock is ahead of the calendar.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Claim {
    since_elapsed: u64,
    /// The least it has been ahead since then.
    seconds: u64,
}

impl Timeline {
    pub(super) const fn starting_at(wall: Timestamp) -> Self {
        Self {
            elapsed: 0,
            calendar: wall,
            calendar_was_measured: false,
            claimed_off: None,
            claim: None,
            retention_now: wall,
        }
    }

    pub(super) const fn elapsed(&self) -> u64 {
        self.elapsed
    }

    /// The latest instant that is certain to have come: deciding by it what is too old never
    /// erases too early.
    pub(super) const fn retention_now(&self) -> Timestamp {
        self.retention_now
    }

    pub(super) fn advance(&mut self, step: Step, rules: &ClockRules) {
        self.pass(step.passed);
        self.calendar = moved(self.calendar, signed(step.passed));
        if let Some(seconds) = step.claimed_off {
            self.claimed_off = Some(self.claimed_off.unwrap_or(0).saturating_add(seconds));
        }
        match step.measured {
            Some(now) => self.settle(now),
            None => self.weigh(step.wall, rules),
        }
    }

    /// A trusted source says that it is `now`.
    fn settle(&mut self, now: Timestamp) {
        let behind = now.seconds_since(self.calendar);
        self.count_time_off(u64::try_from(behind).unwrap_or(0));
        self.calendar = now;
        self.calendar_was_measured = true;
        self.claim = None;
        self.retention_now = now;
    }

    /// Nobody but the wall clock says that it is `wall`.
    fn weigh(&mut self, wall: Timestamp, rules: &ClockRules) {
        let ahead = wall.seconds_since(self.calendar);
        let tolerance = i64::from(rules.tolerance_seconds);
        if ahead <= tolerance {
            self.claim = None;
            if ahead >= -tolerance {
                self.claimed_off = None;
            }
        } else {
            self.hold_claim(ahead.unsigned_abs(), rules);
        }
        self.retention_now = wall.min(self.calendar);
    }

    fn hold_claim(&mut self, ahead: u64, rules: &ClockRules) {
        let held = self.claim.unwrap_or(Claim { since_elapsed: self.elapsed, seconds: ahead });
        let claim = Claim { seconds: held.seconds.min(ahead), ..held };
        let waited = self.elapsed.saturating_sub(claim.since_elapsed);
        if waited < u64::from(rules.patience_seconds) {
            self.claim = Some(claim);
            return;
        }
        self.calendar = moved(self.calendar, signed(claim.seconds));
        self.count_time_off(claim.seconds);
        self.calendar_was_measured = false;
        self.claim = None;
    }

    /// `ahead` seconds that the monotonic clock did not see are accepted. They are time off only
    /// if there was a restart, and if the calendar was only assumed, only as far as the wall
    /// clocks before and after it claimed: the rest may be a calendar that was wrong all along.
    fn count_time_off(&mut self, ahead: u64) {
        if let Some(claimed) = self.claimed_off.take() {
            self.pass(if self.calendar_was_measured { ahead } else { ahead.min(claimed) });
        }
    }

    const fn pass(&mut self, seconds: u64) {
        self.elapsed = self.elapsed.saturating_add(seconds);
    }
}

fn signed(seconds: u64) -> i64 {
    i64::try_from(seconds).unwrap_or(i64::MAX)
}
