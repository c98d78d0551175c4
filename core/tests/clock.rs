//! A wall clock that jumps, restarts and lies.

#![allow(clippy::unwrap_used, reason = "a test that fails may panic")]

use chikaku_core::clock::{
    BootId, ClockChange, ClockReading, ClockRules, ClockWatch, RecordStamp, WallTrust,
};
use chikaku_core::time::{DAY_SECONDS, Timestamp, UtcDay};

const DAY: u64 = DAY_SECONDS as u64;
const RETENTION: u64 = 14 * DAY;

/// A phone whose true time is known to the test, and whose wall clock anyone may set.
struct Phone {
    watch: ClockWatch,
    truth: u64,
    booted: u64,
    boot: u64,
    wall_ahead: i64,
}

impl Phone {
    fn new() -> Self {
        let truth = u64::try_from(UtcDay::new(20_000).start().unix_seconds()).unwrap();
        let watch = ClockWatch::new(ClockRules::default());
        let mut phone = Self { watch, truth, booted: truth - 1_000, boot: 1, wall_ahead: 0 };
        assert_eq!(phone.read(), ClockChange::First);
        phone
    }

    fn true_time(&self) -> Timestamp {
        Timestamp::from_unix_seconds(i64::try_from(self.truth).unwrap()).unwrap()
    }

    fn reading(&self) -> ClockReading {
        let wall = self.true_time().unix_seconds() + self.wall_ahead;
        ClockReading {
            wall: Timestamp::from_unix_seconds(wall).unwrap(),
            monotonic_seconds: self.truth - self.booted,
            boot: BootId::from_count(self.boot),
        }
    }

    fn read(&mut self) -> ClockChange {
        self.watch.read(self.reading())
    }

    fn run(&mut self, seconds: u64) {
        for _ in 0..seconds / 600 {
            self.truth += 600;
            self.read();
        }
        self.truth += seconds % 600;
        self.read();
    }

    fn set_clock(&mut self, ahead: i64) -> ClockChange {
        self.wall_ahead = ahead;
        self.truth += 1;
        self.read()
    }

    fn off(&mut self, seconds: u64) -> ClockChange {
        self.truth += seconds;
        self.booted = self.truth;
        self.boot += 1;
        self.truth += 30;
        self.read()
    }

    fn confirm(&mut self) {
        let truth = self.true_time();
        let confirmation = self.watch.confirm(self.reading(), truth);
        assert_eq!(confirmation.wall_ahead_seconds, self.wall_ahead);
        assert_eq!(confirmation.contradiction_seconds, None);
    }

    fn stamp(&mut self) -> RecordStamp {
        self.watch.stamp().unwrap()
    }
}

#[test]
fn c4_time_machine() {
    let mut phone = Phone::new();
    phone.run(DAY);
    let honest = phone.stamp();
    let three_days = 3 * i64::from(DAY_SECONDS);
    let back = phone.set_clock(-three_days);
    assert!(matches!(back, ClockChange::JumpedBack { seconds } if seconds.abs_diff(3 * DAY) <= 1));
    assert!(phone.watch.is_suspect());
    phone.run(600);
    let replayed_at = phone.reading().wall;
    let replayed = phone.stamp();
    assert!(matches!(phone.set_clock(0), ClockChange::JumpedForward { .. }));

    // Back at the setting that nobody doubted: only the replay is suspect.
    assert!(!phone.watch.is_suspect());
    let after = phone.stamp();
    assert_eq!(phone.watch.trust(honest.epoch), WallTrust::Unchallenged);
    assert_eq!(phone.watch.trust(after.epoch), WallTrust::Unchallenged);
    assert_eq!(phone.watch.corrected(replayed.epoch, replayed_at), None);
    assert!(honest < replayed && replayed < after);

    // A trusted time moves the replay to when it was really heard, far from the replayed keys.
    let heard_at = phone.true_time().saturating_sub(1);
    phone.confirm();
    assert_eq!(phone.watch.corrected(replayed.epoch, replayed_at), Some(heard_at));
}

#[test]
fn c4_time_machine_over_restarts() {
    let mut phone = Phone::new();
    phone.run(DAY);
    phone.wall_ahead = -3 * i64::from(DAY_SECONDS);
    let back = phone.off(60);
    assert!(matches!(back, ClockChange::NewBoot { went_back_seconds: Some(_) }), "{back:?}");
    let replayed = phone.stamp();
    // Another restart does not wash the clock clean.
    assert_eq!(phone.off(60), ClockChange::NewBoot { went_back_seconds: None });
    assert!(phone.watch.is_suspect());
    phone.confirm();
    assert!(!phone.watch.is_suspect());
    assert_eq!(phone.watch.trust(replayed.epoch), WallTrust::Suspect, "another boot");
}

#[test]
fn a_clock_set_back_while_off_for_long_is_found_by_what_is_signed() {
    let mut phone = Phone::new();
    phone.run(DAY);
    phone.wall_ahead = -3 * i64::from(DAY_SECONDS);
    assert_eq!(phone.off(5 * DAY), ClockChange::NewBoot { went_back_seconds: None });
    assert!(!phone.watch.is_suspect(), "it cannot be seen yet");
    phone.watch.prove_at_least(phone.true_time().saturating_sub(DAY_SECONDS));
    assert!(phone.watch.is_suspect());
}

#[test]
fn c20_clock_wrong() {
    for ahead in (-6 * 3600..=6 * 3600).step_by(1800) {
        let mut phone = Phone::new();
        phone.set_clock(ahead);
        phone.run(3600);
        let heard = phone.stamp();
        let (wall, truth) = (phone.reading().wall, phone.true_time());
        phone.run(3 * 3600);
        phone.confirm();
        assert_eq!(phone.watch.corrected(heard.epoch, wall), Some(truth), "{ahead} s");
        assert_eq!(phone.watch.now(), Some(phone.true_time()));
        assert_eq!(phone.watch.wall_ahead_seconds(), Some(ahead));
        // Whatever the wall clock does now, the truth stays known until the next restart.
        phone.set_clock(-ahead + 7_000);
        phone.run(60);
        assert_eq!(phone.watch.now(), Some(phone.true_time()));
        assert!(!phone.watch.is_suspect());
        assert_eq!(phone.watch.retention_now(), Some(phone.true_time()));
    }
}

#[test]
fn a_clock_cannot_creep() {
    let mut phone = Phone::new();
    let jumps = (1..=20).filter(|step| phone.set_clock(step * 100) != ClockChange::Steady).count();
    assert_eq!(jumps, 10, "every second step leaves the tolerance of its epoch");
    assert!(phone.watch.is_suspect());
}

#[test]
fn contradicting_servers_are_reported_and_the_later_one_is_believed() {
    let mut phone = Phone::new();
    let lie = phone.true_time().saturating_add(9_000);
    assert_eq!(phone.watch.confirm(phone.reading(), lie).contradiction_seconds, None);
    let truth = phone.true_time();
    let confirmation = phone.watch.confirm(phone.reading(), truth);
    assert_eq!(confirmation.contradiction_seconds, Some(-9_000));
    assert_eq!(phone.watch.now(), Some(truth));
}

#[test]
fn a_host_without_boot_ids_is_understood() {
    let mut watch = ClockWatch::default();
    let mut read = |wall, monotonic_seconds| {
        let wall = Timestamp::from_unix_seconds(wall).unwrap();
        watch.read(ClockReading { wall, monotonic_seconds, boot: BootId::UNKNOWN })
    };
    assert_eq!(read(1_000_000, 5_000), ClockChange::First);
    assert_eq!(read(1_000_100, 5_100), ClockChange::Steady);
    assert_eq!(read(1_000_200, 10), ClockChange::NewBoot { went_back_seconds: None });
}

#[test]
fn c26_reboot() {
    let mut phone = Phone::new();
    phone.confirm();
    let first = phone.stamp();
    let began = phone.truth;
    let mut walls = Vec::new();
    for _ in 0..14 * 144 {
        phone.run(570);
        walls.push((phone.stamp().epoch, phone.reading().wall));
        assert_eq!(phone.off(0), ClockChange::NewBoot { went_back_seconds: None });
    }
    // Every sighting of fourteen days of restarts still counts, at its own time.
    for (epoch, wall) in walls {
        assert_eq!(phone.watch.corrected(epoch, wall), Some(wall));
    }
    phone.confirm();
    assert_eq!(phone.watch.elapsed_seconds() - first.elapsed_seconds, phone.truth - began);
}

#[test]
fn a_clock_set_far_forward_erases_nothing_and_keeps_nothing() {
    let mut phone = Phone::new();
    let old = phone.stamp();
    phone.run(13 * DAY);
    let young = phone.stamp();
    let before = phone.watch.retention_now().unwrap();
    phone.set_clock(400 * i64::from(DAY_SECONDS));
    phone.run(3_600);
    assert!(!phone.watch.is_due(old, RETENTION) && !phone.watch.is_due(young, RETENTION));
    let careful = phone.watch.retention_now().unwrap();
    assert!(careful.seconds_since(before) < 3_700, "the jump is not believed at once");
    // Back again.
    phone.set_clock(0);
    assert!(phone.watch.retention_now().unwrap() <= phone.true_time());
    phone.run(DAY);
    assert!(phone.watch.is_due(old, RETENTION), "fourteen days have passed");
    assert!(!phone.watch.is_due(young, RETENTION));
}

#[test]
fn a_clock_set_back_keeps_nothing_for_ever() {
    let mut phone = Phone::new();
    let old = phone.stamp();
    for week in 0..2 {
        phone.set_clock(-1_000 * i64::from(DAY_SECONDS) * (week + 1));
        phone.run(7 * DAY);
    }
    phone.run(60);
    assert!(phone.watch.is_due(old, RETENTION));
}

#[test]
fn a_phone_that_was_off_believes_it_after_the_patience_or_at_a_word() {
    for confirmed in [false, true] {
        let mut phone = Phone::new();
        let old = phone.stamp();
        phone.run(DAY);
        phone.off(20 * DAY);
        assert!(!phone.watch.is_due(old, RETENTION), "the wall clock alone is not believed");
        if confirmed {
            phone.confirm();
        } else {
            phone.run(DAY);
        }
        assert!(phone.watch.is_due(old, RETENTION));
        let behind = phone.true_time().seconds_since(phone.watch.retention_now().unwrap());
        assert!(behind.abs() <= 120, "{behind}");
    }
}

#[test]
fn a_clock_of_1970_at_installation_ages_nothing_when_it_is_set_right() {
    let mut phone = Phone::new();
    phone.watch = ClockWatch::default();
    phone.wall_ahead = -i64::try_from(phone.truth).unwrap();
    phone.read();
    let record = phone.stamp();
    phone.run(3_600);
    phone.off(60);
    phone.wall_ahead = 0;
    phone.run(10);
    phone.confirm();
    assert!(!phone.watch.is_due(record, RETENTION));
    assert_eq!(phone.watch.retention_now(), Some(phone.true_time()));
}

#[test]
fn state_survives_storage() {
    let mut phone = Phone::new();
    phone.run(3_600);
    phone.set_clock(5_000);
    phone.off(77);
    phone.confirm();
    let stored = serde_json::to_string(&phone.watch).unwrap();
    assert_eq!(serde_json::from_str::<ClockWatch>(&stored).unwrap(), phone.watch);
}

#[test]
fn epochs_are_forgotten_with_their_records() {
    let mut phone = Phone::new();
    phone.set_clock(1_000);
    let suspect = phone.stamp();
    phone.set_clock(0);
    phone.run(RETENTION);
    phone.watch.forget_epochs(RETENTION);
    // The first epoch ended a second before the suspect one and is gone already.
    assert_eq!(phone.watch.epochs().len(), 2);
    phone.run(10);
    phone.watch.forget_epochs(RETENTION);
    assert_eq!(phone.watch.epochs().len(), 1);
    assert_eq!(phone.watch.trust(suspect.epoch), WallTrust::Suspect);
}
