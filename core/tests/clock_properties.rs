//! What no trace of readings can break.

#![allow(clippy::unwrap_used, reason = "a test that fails may panic")]

use chikaku_core::clock::availability::{
    defer_until, deferral, first_available, heard_before_public,
};
use chikaku_core::clock::signed_intervals::{KeyTag, SignedIntervals};
use chikaku_core::clock::{BootId, ClockReading, ClockRules, ClockWatch, WallTrust};
use chikaku_core::keys::TemporaryExposureKey;
use chikaku_core::time::{IntervalNumber, RollingPeriod, Timestamp};
use proptest::prelude::*;

const RETENTION: u64 = 14 * 86_400;
const START: u64 = 1_700_000_000;

/// What happens to a phone between two readings.
#[derive(Clone, Copy, Debug)]
enum Event {
    Runs(u64),
    Off(u64),
    ClockSet(i64),
    Confirmed,
}

fn event(restarts: bool, confirmations: bool) -> impl Strategy<Value = Event> {
    let day = 86_400_u64;
    prop_oneof![
        4 => (0..2 * day).prop_map(Event::Runs),
        u32::from(restarts) => (0..3 * day).prop_map(Event::Off),
        2 => (-1_000_000_000_i64..1_000_000_000).prop_map(Event::ClockSet),
        1 => Just(Event::ClockSet(0)),
        u32::from(confirmations) => Just(Event::Confirmed),
    ]
}

struct Phone {
    watch: ClockWatch,
    truth: u64,
    booted: u64,
    boots: u64,
    ahead: i64,
}

impl Phone {
    fn new(rules: ClockRules) -> Self {
        let mut phone =
            Self { watch: ClockWatch::new(rules), truth: START, booted: START, boots: 0, ahead: 0 };
        phone.watch.read(phone.reading());
        phone
    }

    fn reading(&self) -> ClockReading {
        let wall = i64::try_from(self.truth).unwrap() + self.ahead;
        ClockReading {
            wall: Timestamp::from_unix_seconds(wall).unwrap(),
            monotonic_seconds: self.truth - self.booted,
            boot: BootId::from_count(self.boots),
        }
    }

    fn truth(&self) -> Timestamp {
        Timestamp::from_unix_seconds(i64::try_from(self.truth).unwrap()).unwrap()
    }

    fn confirm(&mut self) {
        let truth = self.truth();
        self.watch.confirm(self.reading(), truth);
    }

    fn happen(&mut self, event: Event) {
        match event {
            Event::Runs(seconds) => self.truth += seconds,
            Event::Off(seconds) => {
                self.truth += seconds;
                self.booted = self.truth;
                self.boots += 1;
            }
            Event::ClockSet(ahead) => self.ahead = ahead,
            Event::Confirmed => self.confirm(),
        }
        self.watch.read(self.reading());
    }
}

proptest! {
    /// Absurd readings in absurd order: no panic, and the log keeps its own order.
    #[test]
    fn any_trace_keeps_the_order_of_the_log(
        readings in prop::collection::vec(
            (0..=Timestamp::MAX.unix_seconds(), any::<u64>(), 0..3_u64, any::<bool>(), 0..=Timestamp::MAX.unix_seconds()),
            1..60,
        ),
        tolerance: u32, patience: u32, remembered in 0..20_u32,
    ) {
        let rules = ClockRules {
            tolerance_seconds: tolerance,
            patience_seconds: patience,
            remembered_epochs: remembered,
        };
        let mut watch = ClockWatch::new(rules);
        prop_assert!(watch.stamp().is_none());
        let mut last = None;
        for (wall, monotonic_seconds, boot, confirmed, other) in readings {
            let wall = Timestamp::from_unix_seconds(wall).unwrap();
            let other = Timestamp::from_unix_seconds(other).unwrap();
            let reading = ClockReading { wall, monotonic_seconds, boot: BootId::from_count(boot) };
            watch.read(reading);
            if confirmed {
                watch.confirm(reading, other);
            } else {
                watch.prove_at_least(other);
            }
            let stamp = watch.stamp();
            prop_assert!(stamp > last);
            if let (Some(stamp), Some(last)) = (stamp, last) {
                prop_assert!(stamp.epoch >= last.epoch);
                prop_assert!(stamp.elapsed_seconds >= last.elapsed_seconds);
            }
            prop_assert!(watch.now().is_some() && watch.retention_now().is_some());
            prop_assert!(watch.epochs().len() <= remembered.max(1) as usize);
            last = stamp;
        }
    }

    /// While the phone runs, age is what the monotonic clock says and nothing else.
    #[test]
    fn no_setting_of_the_clock_ages_or_rejuvenates_a_record(
        before in prop::collection::vec(event(false, true), 0..20),
        after in prop::collection::vec(event(false, true), 0..40),
    ) {
        let mut phone = Phone::new(ClockRules::default());
        before.into_iter().for_each(|event| phone.happen(event));
        let record = phone.watch.stamp().unwrap();
        let recorded = phone.truth;
        for event in after {
            phone.happen(event);
            prop_assert_eq!(
                phone.watch.is_due(record, RETENTION),
                phone.truth - recorded > RETENTION
            );
        }
    }

    /// Over restarts, without confirmation and within the patience, nothing is aged by more than
    /// monotonic time supports.
    #[test]
    fn restarts_and_settings_never_erase_what_is_young(
        events in prop::collection::vec(event(true, false), 1..40),
    ) {
        let rules = ClockRules { patience_seconds: u32::MAX, ..ClockRules::default() };
        let mut phone = Phone::new(rules);
        let record = phone.watch.stamp().unwrap();
        let mut supported = 0;
        for event in events {
            if let Event::Runs(seconds) = event {
                supported += seconds;
            }
            phone.happen(event);
            prop_assert_eq!(phone.watch.is_due(record, RETENTION), supported > RETENTION);
            prop_assert!(phone.watch.retention_now().unwrap() <= phone.truth());
        }
    }

    /// Once a trusted time is known, everything that is older is due, and nothing younger.
    #[test]
    fn a_trusted_time_erases_what_is_old_and_only_that(
        events in prop::collection::vec(event(true, true), 1..40),
    ) {
        let rules = ClockRules { patience_seconds: u32::MAX, ..ClockRules::default() };
        let mut phone = Phone::new(rules);
        phone.confirm();
        let record = phone.watch.stamp().unwrap();
        for event in events {
            phone.happen(event);
            prop_assert!(
                phone.truth - START > RETENTION || !phone.watch.is_due(record, RETENTION)
            );
        }
        phone.confirm();
        prop_assert_eq!(phone.watch.is_due(record, RETENTION), phone.truth - START > RETENTION);
        prop_assert_eq!(phone.watch.retention_now(), Some(phone.truth()));
    }

    /// A wall time that is believed after a confirmation of its boot is the truth.
    #[test]
    fn what_is_measured_is_right(events in prop::collection::vec(event(false, false), 1..30)) {
        let mut phone = Phone::new(ClockRules::default());
        let mut heard = Vec::new();
        for event in events {
            phone.happen(event);
            let stamp = phone.watch.stamp().unwrap();
            heard.push((stamp.epoch, phone.reading().wall, phone.truth()));
        }
        phone.confirm();
        for (epoch, wall, truth) in heard {
            let corrected = phone.watch.corrected(epoch, wall).unwrap();
            prop_assert!(corrected.seconds_since(truth).abs() <= 240);
        }
    }

    /// Whatever the clock says and however keys come and go, no interval has two keys.
    #[test]
    fn no_interval_is_signed_by_two_keys(
        uses in prop::collection::vec((any::<bool>(), 0..1_000_u32, 0..5_u8), 1..300),
    ) {
        let mut signed = SignedIntervals::new();
        let mut model = std::collections::BTreeMap::new();
        for (forget, number, key) in uses {
            let (interval, tag) = (IntervalNumber::new(number), KeyTag::from_bytes([key; 8]));
            if forget && key == 0 {
                signed.forget_keys_before(interval);
                continue;
            }
            let permitted = signed.permits(interval, tag);
            let result = signed.sign(interval, tag);
            prop_assert_eq!(permitted, result.is_ok());
            if result.is_ok() {
                let owner = *model.entry(number).or_insert(key);
                prop_assert_eq!(owner, key, "interval {} has two keys", number);
            }
            prop_assert!(signed.is_used(interval));
        }
        for number in model.keys() {
            prop_assert!(signed.is_used(IntervalNumber::new(*number)));
        }
        if let Some((start, length)) = signed.free_run(IntervalNumber::new(0)) {
            for number in start.get()..start.get() + length {
                prop_assert!(!signed.is_used(IntervalNumber::new(number)));
            }
        }
    }
}

#[test]
fn used_intervals_shrink_to_one_run_and_reach_both_ends_of_time() {
    let mut signed = SignedIntervals::new();
    let tag = KeyTag::from_bytes([1; 8]);
    for interval in (0..14 * 144).step_by(3) {
        signed.sign(IntervalNumber::new(interval), tag).unwrap();
    }
    assert_eq!(signed.runs(), 14 * 48);
    signed.forget_keys_before(IntervalNumber::new(14 * 144));
    assert_eq!(signed.runs(), 1);
    assert!(signed.sign(IntervalNumber::new(0), tag).is_err(), "the key is forgotten, its use not");
    let last = IntervalNumber::new(u32::MAX);
    signed.sign(last, tag).unwrap();
    assert!(signed.free_run(last).is_none());
    assert!(signed.sign(last, KeyTag::from_bytes([2; 8])).is_err());
    let stored = serde_json::to_string(&signed).unwrap();
    assert_eq!(serde_json::from_str::<SignedIntervals>(&stored).unwrap(), signed);
}

#[test]
fn a_clock_set_back_leaves_the_rest_of_the_day_to_a_new_key() {
    let mut signed = SignedIntervals::new();
    let start = IntervalNumber::new(20_000 * 144);
    let key = TemporaryExposureKey::from_stored([7; 16], start, RollingPeriod::DAY);
    for offset in 0..50 {
        let interval = start.checked_add(offset).unwrap();
        signed.sign(interval, KeyTag::of(&key)).unwrap();
    }
    // The same key may go on, another one may not.
    assert!(signed.permits(start, KeyTag::of(&key)));
    let other = TemporaryExposureKey::from_stored([8; 16], start, RollingPeriod::DAY);
    assert!(!signed.permits(start, KeyTag::of(&other)));
    assert_eq!(signed.free_run(start), Some((start.checked_add(50).unwrap(), 94)));
}

#[test]
fn c3_replay_of_a_published_key() {
    let boot = BootId::from_count(1);
    let mut watch = ClockWatch::default();
    let mut stamp_at = |wall, monotonic_seconds| {
        let wall = Timestamp::from_unix_seconds(wall).unwrap();
        watch.read(ClockReading { wall, monotonic_seconds, boot });
        watch.stamp().unwrap()
    };
    let heard = stamp_at(1_700_000_000, 100);
    let downloaded = stamp_at(1_700_003_600, 3_700);
    // The attacker sets the clock back before the replay: the wall clock says "before the
    // download", the order of recording does not.
    let replayed = stamp_at(1_700_000_000, 3_800);
    let downloaded_again = stamp_at(1_700_000_100, 3_900);
    let public = first_available(downloaded, downloaded_again);
    assert_eq!(public, downloaded);
    assert_eq!(first_available(downloaded_again, downloaded), downloaded);
    assert!(heard_before_public(heard, public));
    assert!(!heard_before_public(replayed, public));
    assert_eq!(watch.trust(replayed.epoch), WallTrust::Suspect);
}

#[test]
fn c3_still_valid_keys_are_looked_at_again() {
    let end = IntervalNumber::new(2_880_144);
    let until = defer_until(end, 12);
    // The last interval plus the tolerance, inclusive, ends where the thirteenth begins.
    assert_eq!(until.seconds_since(end.start()), 7_200);
    assert_eq!(deferral(end, 12, until.saturating_sub(1)), Some(until));
    assert_eq!(deferral(end, 12, until), None);
    assert_eq!(defer_until(IntervalNumber::new(u32::MAX), 12), Timestamp::MAX);
}
