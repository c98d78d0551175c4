//! A quota a UTC day, and clocks that are set to get more of it.

#![allow(clippy::unwrap_used, reason = "a test that fails may panic")]

use chikaku_core::budget::{RateBudget, Throttled};
use chikaku_core::time::{DAY_SECONDS, Timestamp, UtcDay};
use proptest::prelude::*;

const DAY: UtcDay = UtcDay::new(20_000);

#[test]
fn c35_rate_limit() {
    let mut budget = RateBudget::per_day(RateBudget::FRAMEWORK_CALLS_PER_DAY);
    let evening = DAY.saturating_add(1).start().saturating_sub(3_600);
    for call in 0..10_u64 {
        let now = evening.saturating_add(u32::try_from(call).unwrap() * 300);
        let midnight = DAY.saturating_add(1).start();
        let expected = if call < 6 { Ok(()) } else { Err(Throttled { until: midnight }) };
        assert_eq!(budget.take(now, call * 300), expected);
    }
    let midnight = DAY.saturating_add(1).start();
    assert_eq!(budget.throttled_until(midnight.saturating_sub(1), 3_599), Some(midnight));
    assert_eq!(budget.throttled_until(midnight, 3_600), None);
    assert_eq!(budget.take(midnight, 3_600), Ok(()));
    assert_eq!(budget.remaining(midnight, 3_600), Some(5));
}

#[test]
fn setting_the_clock_back_gives_no_quota() {
    let mut budget = RateBudget::per_day(1);
    budget.take(DAY.start(), 0).unwrap();
    let yesterday = DAY.saturating_sub(1).start();
    let throttled = budget.take(yesterday, 60).unwrap_err();
    // A day of elapsed time after the call, whatever the clock says.
    assert_eq!(throttled.until, yesterday.saturating_add(DAY_SECONDS - 60));
    assert!(budget.take(yesterday, 86_399).is_err());
    budget.take(yesterday, 86_400).unwrap();
}

#[test]
fn a_clock_from_the_future_locks_for_a_day_only() {
    let mut budget = RateBudget::per_day(1);
    budget.take(DAY.saturating_add(3_650).start(), 0).unwrap();
    assert!(budget.take(DAY.start(), 1).is_err());
    budget.take(DAY.start(), 86_400).unwrap();
}

#[test]
fn no_quota_and_a_quota_of_nothing() {
    let mut unlimited = RateBudget::unlimited();
    assert!((0..100).all(|_| unlimited.take(DAY.start(), 0).is_ok()));
    assert_eq!(unlimited.remaining(DAY.start(), 0), None);
    let mut nothing = RateBudget::per_day(0);
    assert_eq!(nothing.take(DAY.start(), 0), Err(Throttled { until: Timestamp::MAX }));
}

proptest! {
    /// With a clock that only goes back or stays, any 24 hours hold at most two quotas (one on
    /// either side of midnight), whatever is tried; and a refusal always names a time that helps.
    #[test]
    fn refused_calls_succeed_when_they_were_told_to(
        calls in prop::collection::vec((0..200_000_i64, 0..10_000_u64), 1..100),
    ) {
        let mut budget = RateBudget::per_day(3);
        let mut elapsed = 0;
        for (wall, passed) in calls {
            elapsed += passed;
            let now = Timestamp::from_unix_seconds(wall).unwrap();
            if let Err(Throttled { until }) = budget.take(now, elapsed) {
                prop_assert!(until > now);
                let wait = u32::try_from(until.seconds_since(now)).unwrap();
                prop_assert!(wait <= DAY_SECONDS);
                let then = elapsed + u64::from(wait);
                prop_assert!(budget.clone().take(until, then).is_ok());
                let stored = serde_json::to_string(&budget).unwrap();
                let mut restored: RateBudget = serde_json::from_str(&stored).unwrap();
                prop_assert!(restored.take(now, elapsed).is_err());
            }
        }
    }
}
