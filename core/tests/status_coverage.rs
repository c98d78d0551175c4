//! Coverage figures against a second-by-second count, and a record for every day.

#![allow(clippy::unwrap_used, reason = "a test that fails may panic")]

use chikaku_core::risk::RiskLevel;
use chikaku_core::status::assessed::{AssessedResult, DailyRecord};
use chikaku_core::status::coverage::{Coverage, CoverageRules, ScanCoverage};
use chikaku_core::time::{DAY_SECONDS, Timestamp, UtcDay};
use proptest::prelude::*;

const DAY: UtcDay = UtcDay::new(20_000);
const REACH: u32 = 304;

/// A phone whose truth is known second by second.
struct Phone {
    coverage: Coverage,
    now: Timestamp,
    /// Seconds in which the service has lived and not yet been covered.
    alive: Vec<Timestamp>,
    covered: u32,
    planned: u32,
}

impl Phone {
    fn new() -> Self {
        let mut coverage = Coverage::new(CoverageRules::default());
        coverage.started(DAY.start());
        Self { coverage, now: DAY.start(), alive: Vec::new(), covered: 0, planned: 0 }
    }

    fn live(&mut self, seconds: u32) {
        for _ in 0..seconds {
            self.alive.push(self.now);
            self.now = self.now.saturating_add(1);
        }
        self.planned += seconds;
    }

    fn dead(&mut self, seconds: u32) {
        self.now = self.now.saturating_add(seconds);
        self.planned += seconds;
        self.alive.clear();
        self.coverage =
            serde_json::from_str(&serde_json::to_string(&self.coverage).unwrap()).unwrap();
        self.coverage.started(self.now);
    }

    fn switched_off(&mut self, seconds: u32) {
        self.coverage.stopped(self.now);
        self.alive.clear();
        self.now = self.now.saturating_add(seconds);
        self.coverage.started(self.now);
    }

    fn scan(&mut self) {
        self.coverage.scan_begun(self.now);
        self.live(4);
        self.coverage.scan_finished(self.now);
        let reached = self.now.saturating_sub(REACH);
        let seconds = self.alive.drain(..).filter(|second| *second >= reached).count();
        self.covered += u32::try_from(seconds).unwrap();
    }

    fn lost_scan(&mut self) {
        self.coverage.scan_begun(self.now);
        self.live(64);
        self.coverage.scan_lost(self.now);
    }

    fn assert_right(&mut self) {
        self.coverage.pass(self.now);
        let (mut planned, mut scanned) = (0, 0);
        for day in 0..40 {
            let figures = self.coverage.day(DAY.saturating_add(day)).unwrap_or_default();
            assert!(figures.planned_seconds <= DAY_SECONDS);
            assert!(figures.scanned_seconds <= figures.planned_seconds);
            planned += figures.planned_seconds;
            scanned += figures.scanned_seconds;
        }
        let one_percent = self.planned / 100;
        assert!(planned.abs_diff(self.planned) <= one_percent, "{planned} {}", self.planned);
        assert!(scanned.abs_diff(self.covered) <= one_percent, "{scanned} {}", self.covered);
    }
}

#[test]
fn c26_reboot_every_ten_minutes() {
    let mut phone = Phone::new();
    for _ in 0..2 * 144 {
        phone.scan();
        phone.live(250);
        phone.scan();
        phone.live(282);
        phone.dead(60);
    }
    phone.assert_right();
    let figures = phone.coverage.day(DAY).unwrap();
    // 258 of 600 s: a scan at the start reaches back to nothing, the time after the second scan
    // and the restart are lost.
    assert_eq!(figures.percent(), Some(43));
    assert_eq!(figures.minutes_planned(), 1440);
}

#[test]
fn c25_missed_scans() {
    let mut phone = Phone::new();
    for _ in 0..12 {
        phone.live(296);
        phone.scan();
    }
    assert_eq!(phone.coverage.scans_missing(phone.now), None);
    // The system puts the process to sleep, and nothing is reported any more.
    let last = phone.now;
    let patience = CoverageRules::default();
    let overdue = patience.reach_seconds + patience.grace_seconds;
    assert_eq!(phone.coverage.scans_missing(last.saturating_add(overdue)), None);
    assert_eq!(
        phone.coverage.scans_missing(last.saturating_add(overdue + 1)),
        Some(u64::from(overdue) + 1)
    );
    phone.live(3 * 3_600);
    phone.scan();
    phone.assert_right();
    assert_eq!(phone.coverage.scans_missing(phone.now), None);
    let figures = phone.coverage.day(DAY).unwrap();
    assert_eq!(figures.scanned_seconds, 12 * 300 + REACH);
}

#[test]
fn nothing_is_missed_while_switched_off() {
    let mut phone = Phone::new();
    phone.live(296);
    phone.scan();
    phone.coverage.stopped(phone.now);
    let later = phone.now.saturating_add(10 * DAY_SECONDS);
    phone.coverage.pass(later);
    assert_eq!(phone.coverage.scans_missing(later), None);
    assert_eq!(phone.coverage.day(later.day()), None);
    assert_eq!(phone.coverage.day(DAY).unwrap().percent(), Some(100));
}

#[test]
fn a_jump_of_the_clock_is_no_time() {
    for target in [DAY.saturating_add(3), DAY.saturating_sub(3)] {
        let mut phone = Phone::new();
        phone.live(296);
        phone.scan();
        phone.coverage.clock_jumped(target.start());
        let later = target.start().saturating_add(300);
        phone.coverage.scan_finished(later);
        assert_eq!(phone.coverage.scans_missing(later), None);
        let figures = phone.coverage.day(target).unwrap();
        assert_eq!((figures.planned_seconds, figures.scanned_seconds), (300, 300));
    }
}

#[test]
fn the_end_of_time_is_no_trap() {
    let mut coverage = Coverage::default();
    coverage.started(Timestamp::EPOCH);
    coverage.scan_finished(Timestamp::MAX);
    coverage.started(Timestamp::EPOCH);
    coverage.pass(Timestamp::MAX);
    coverage.stopped(Timestamp::EPOCH);
    coverage.forget_before(UtcDay::new(u32::MAX));
    assert_eq!(ScanCoverage::default().percent(), None);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn figures_are_right_within_one_percent(
        events in prop::collection::vec((0..5_u8, 1..2_000_u32), 30..300),
    ) {
        let mut phone = Phone::new();
        for (kind, seconds) in events {
            match kind {
                0 => phone.dead(seconds),
                1 => phone.switched_off(seconds),
                2 => phone.lost_scan(),
                _ => {
                    phone.live(seconds % 300);
                    phone.scan();
                }
            }
        }
        phone.assert_right();
    }

    #[test]
    fn every_day_leaves_one_record(steps in prop::collection::vec(0..400_000_u32, 1..40)) {
        let mut record = DailyRecord::new();
        let mut now = DAY.start();
        let mut dates = Vec::new();
        record.close_days(now, &Coverage::default(), None);
        for step in steps {
            now = now.saturating_add(step);
            let closed = record.close_days(now, &Coverage::default(), None);
            dates.extend(closed.into_iter().map(|assessed| assessed.date));
        }
        let expected: Vec<_> = (0..u32::try_from(now.day().days_since(DAY)).unwrap())
            .map(|day| DAY.saturating_add(day))
            .collect();
        prop_assert_eq!(dates, expected);
    }
}

#[test]
fn silence_is_visible() {
    let mut record = DailyRecord::new();
    let mut coverage = Coverage::default();
    coverage.started(DAY.start());
    let at = |day: u32, hour: u32| DAY.saturating_add(day).start().saturating_add(hour * 3_600);
    assert!(record.close_days(at(0, 1), &coverage, Some("3")).is_empty());
    record.file_matched(1_000);
    record.file_matched(500);
    record.file_missing();
    assert!(record.close_days(at(0, 23), &coverage, Some("3")).is_empty());
    coverage.pass(at(2, 1));

    // The process lived again only the day after the next.
    let days = record.close_days(at(2, 1), &coverage, Some("3"));
    assert_eq!(days.len(), 2);
    assert_eq!((days[0].files_ok, days[0].files_missing, days[0].keys_checked), (2, 1, 1_500));
    assert_eq!(days[0].result, AssessedResult::NothingFound);
    assert_eq!(days[0].config_version.as_deref(), Some("3"));
    assert_eq!((days[1].date, days[1].result), (DAY.saturating_add(1), AssessedResult::NotMatched));
    assert_eq!((days[1].minutes_planned, days[1].minutes_scanned), (1_440, 0));

    record.file_matched(1);
    record.concluded(RiskLevel::High);
    record.concluded(RiskLevel::Low);
    let days = record.close_days(at(3, 0), &coverage, None);
    assert_eq!(days[0].result, AssessedResult::Found { highest: RiskLevel::High });
}

#[test]
fn a_day_in_the_future_silences_nothing() {
    let mut record = DailyRecord::new();
    let coverage = Coverage::default();
    record.close_days(DAY.start(), &coverage, None);
    let far = DAY.saturating_add(36_500).start();
    assert!(record.close_days(far, &coverage, None).len() <= 31);
    assert!(record.close_days(DAY.start(), &coverage, None).is_empty());
    let days = record.close_days(DAY.saturating_add(1).start(), &coverage, None);
    assert_eq!(days[0].date, DAY);
}
