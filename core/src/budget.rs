//! A quota of matchings for each UTC day, as operating systems impose one.
//!
//! Google's and Apple's frameworks allow six provisions of key files a day, reset at 00:00 UTC,
//! and answer the seventh with an error that apps took for a failure (cocoa#981, cwa-app#774). An
//! engine of its own has no quota; one that works beside a framework mirrors it, so that a call
//! that would be refused is never made and says until when.

use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::time::{DAY_SECONDS, Timestamp, UtcDay};

/// The day's quota is used up. Nothing is lost: the same call succeeds from `until` on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error, Serialize, Deserialize)]
#[error("today's quota is used up until {} s since 1970", until.unix_seconds())]
pub struct Throttled {
    /// When the quota is renewed.
    pub until: Timestamp,
}

/// What has been used of a day's quota. Persist it with what it paid for.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct RateBudget {
    /// Calls a day; `None` if there is no quota.
    per_day: Option<u32>,
    period: Option<Period>,
}

/// From the first call of a UTC day on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Period {
    day: UtcDay,
    began_elapsed: u64,
    used: u32,
}

impl RateBudget {
    /// The frameworks' quota (Google: `provideDiagnosisKeys`, window mode).
    pub const FRAMEWORK_CALLS_PER_DAY: u32 = 6;

    /// No quota.
    #[must_use]
    pub const fn unlimited() -> Self {
        Self { per_day: None, period: None }
    }

    /// `calls` a UTC day.
    #[must_use]
    pub const fn per_day(calls: u32) -> Self {
        Self { per_day: Some(calls), period: None }
    }

    /// The same account with another quota; `None` for none.
    #[must_use]
    pub const fn with_quota(self, per_day: Option<u32>) -> Self {
        Self { per_day, period: self.period }
    }

    /// Takes one call from the quota.
    ///
    /// `now` is the best known time ([`ClockWatch::now`](crate::clock::ClockWatch::now)),
    /// `elapsed_seconds` the age line
    /// ([`elapsed_seconds`](crate::clock::ClockWatch::elapsed_seconds)). The quota is renewed when
    /// a later UTC day begins, or when 24 hours have passed whatever the clock says: a clock that
    /// is set back gives no new quota, and one that was far ahead locks nothing for longer.
    ///
    /// # Errors
    /// [`Throttled`] if nothing is left; nothing has changed then.
    pub fn take(&mut self, now: Timestamp, elapsed_seconds: u64) -> Result<(), Throttled> {
        if self.per_day.is_none() {
            return Ok(());
        }
        if let Some(until) = self.throttled_until(now, elapsed_seconds) {
            return Err(Throttled { until });
        }
        let fresh = Period { day: now.day(), began_elapsed: elapsed_seconds, used: 0 };
        let period = self.current(now, elapsed_seconds).unwrap_or(fresh);
        self.period = Some(Period { used: period.used.saturating_add(1), ..period });
        Ok(())
    }

    /// When the next call will be possible; `None` if it is now.
    #[must_use]
    pub fn throttled_until(&self, now: Timestamp, elapsed_seconds: u64) -> Option<Timestamp> {
        if self.remaining(now, elapsed_seconds)? > 0 {
            return None;
        }
        // A quota of nothing has no period, and no later day will change that.
        let Some(period) = self.current(now, elapsed_seconds) else { return Some(Timestamp::MAX) };
        let waited = elapsed_seconds.saturating_sub(period.began_elapsed);
        let rest = u64::from(DAY_SECONDS).saturating_sub(waited);
        let by_elapsed = now.saturating_add(u32::try_from(rest).unwrap_or(DAY_SECONDS));
        Some(period.day.saturating_add(1).start().min(by_elapsed))
    }

    /// Calls left; `None` if there is no quota.
    #[must_use]
    pub fn remaining(&self, now: Timestamp, elapsed_seconds: u64) -> Option<u32> {
        let used = self.current(now, elapsed_seconds).map_or(0, |period| period.used);
        self.per_day.map(|calls| calls.saturating_sub(used))
    }

    /// The running period; `None` if it is over or there was none.
    fn current(&self, now: Timestamp, elapsed_seconds: u64) -> Option<Period> {
        self.period.filter(|period| {
            now.day() <= period.day
                && elapsed_seconds.saturating_sub(period.began_elapsed) < u64::from(DAY_SECONDS)
        })
    }
}
