//! Whatever the clocks do and in whichever order things happen.

#![allow(clippy::unwrap_used, reason = "a test may fail by panicking")]

mod engine_support;

use std::collections::{BTreeMap, BTreeSet};

use chikaku_core::advertisement::Advertisement;
use chikaku_core::diagnosis_key::{DiagnosisKey, DiagnosisKeyDetails};
use chikaku_core::encounter_log::{EncounterLog, MemoryLog};
use chikaku_core::engine::{Input, KeyFile, Output};
use chikaku_core::time::{IntervalNumber, RollingPeriod, Timestamp};
use engine_support::{DAY, Host, announced, configuration, disclosure, key_file, plan_of};
use proptest::prelude::*;
use proptest::test_runner::RngSeed;

/// Something that may happen to a phone.
#[derive(Clone, Debug)]
enum Event {
    Pass { seconds: u32 },
    SetClock { by: i64 },
    RestartProcess,
    RestartPhone { off_seconds: u32, wall_by: i64 },
    TrustedTime,
    HearReplay { key: u8, interval: u32 },
    OfferFileAgain,
    Disclose,
    ForgetDay { days_back: u32 },
    StopAndStart,
}

fn any_event() -> impl Strategy<Value = Event> {
    let jump = || prop_oneof![-200_i64..200, -9_000_i64..9_000, -40 * 86_400_i64..40 * 86_400];
    prop_oneof![
        4 => prop_oneof![1_u32..900, 900_u32..90_000, 1_u32..2_000_000].prop_map(|seconds| Event::Pass { seconds }),
        3 => jump().prop_map(|by| Event::SetClock { by }),
        1 => Just(Event::RestartProcess),
        1 => (0_u32..200_000, jump())
            .prop_map(|(off_seconds, wall_by)| Event::RestartPhone { off_seconds, wall_by }),
        1 => Just(Event::TrustedTime),
        5 => (0_u8..3, 0_u32..144).prop_map(|(key, interval)| Event::HearReplay { key, interval }),
        2 => Just(Event::OfferFileAgain),
        1 => Just(Event::Disclose),
        1 => (0_u32..3).prop_map(|days_back| Event::ForgetDay { days_back }),
        1 => Just(Event::StopAndStart),
    ]
}

/// Keys of yesterday, today and tomorrow that are public from the beginning.
fn public_keys() -> Vec<DiagnosisKey> {
    let days = [DAY.saturating_sub(1), DAY, DAY.saturating_add(1)];
    (1_u8..)
        .zip(days)
        .map(|(number, day)| {
            let details = DiagnosisKeyDetails::default();
            DiagnosisKey::new([number; 16], day.first_interval(), RollingPeriod::DAY, details)
        })
        .collect()
}

fn replay_of(key: &DiagnosisKey, interval: u32) -> Advertisement {
    let interval = key.rolling_start().checked_add(interval).unwrap();
    let identifier = key.identifier_key().identifier(interval);
    let metadata = key.metadata_key().encrypt(&identifier, configuration().metadata);
    Advertisement { identifier, metadata }
}

/// A phone, what it truly is, and what must never be seen of it.
struct Trace {
    host: Host<MemoryLog>,
    truth: Timestamp,
    file: Vec<u8>,
    keys: Vec<DiagnosisKey>,
    /// Every payload that was planned for an interval.
    planned: BTreeMap<IntervalNumber, BTreeSet<[u8; 16]>>,
    disclosed_in: BTreeSet<IntervalNumber>,
}

impl Trace {
    fn new() -> Self {
        let keys = public_keys();
        let mut trace = Self {
            host: Host::new(MemoryLog::new(), 1),
            truth: DAY.start(),
            file: key_file(keys.iter().copied()),
            keys,
            planned: BTreeMap::new(),
            disclosed_in: BTreeSet::new(),
        };
        trace.tell(Input::Start);
        let file = trace.file.clone();
        trace.tell(Input::KeyFile(KeyFile::without_cursor(&file)));
        trace
    }

    fn tell(&mut self, input: Input<'_>) {
        let outputs = self.host.tell(input);
        self.look_at(&outputs);
    }

    fn look_at(&mut self, outputs: &[Output]) {
        assert_eq!(announced(outputs), 0, "a replay was announced");
        if let Some(plan) = plan_of(outputs) {
            let own = self.host.engine.log().own_keys().unwrap();
            let of = |key: &chikaku_core::keys::TemporaryExposureKey| {
                let intervals = key.rolling_start().get()..key.rolling_end().get();
                let mut intervals = intervals.map(IntervalNumber::new);
                intervals.find(|interval| {
                    key.identifier_key().identifier(*interval) == plan.payload.identifier
                })
            };
            let interval = own.iter().find_map(of).expect("the key is in the log");
            let payloads = self.planned.entry(interval).or_default();
            payloads.insert(*plan.payload.identifier.as_bytes());
            assert!(
                payloads.len() == 1 || self.disclosed_in.contains(&interval),
                "two keys for one interval"
            );
        }
    }

    fn happen(&mut self, event: Event) {
        match event {
            Event::Pass { seconds } => {
                self.truth = self.truth.saturating_add(seconds);
                self.host.pass(seconds);
                self.tell(Input::Wake);
            }
            Event::SetClock { by } => {
                self.set_clock_by(by);
                self.tell(Input::Wake);
            }
            Event::RestartProcess => {
                self.host = self.host.restarted_over(self.host.engine.log().clone());
                self.tell(Input::Start);
            }
            Event::RestartPhone { off_seconds, wall_by } => {
                self.host.restart_the_phone();
                self.truth = self.truth.saturating_add(off_seconds);
                self.set_clock_by(wall_by + i64::from(off_seconds));
                self.tell(Input::Start);
            }
            Event::TrustedTime => self.tell(Input::TrustedTime(self.truth)),
            Event::HearReplay { key, interval } => {
                let payload = replay_of(&self.keys[usize::from(key)], interval);
                self.truth = self.truth.saturating_add(304);
                let outputs = self.host.hear(payload, -77);
                self.look_at(&outputs);
            }
            Event::OfferFileAgain => {
                let file = self.file.clone();
                self.tell(Input::KeyFile(KeyFile::without_cursor(&file)));
            }
            Event::Disclose => {
                let clocks = self.host.clocks();
                let mut clock = self.host.engine.log().engine_record().unwrap().unwrap().clock;
                clock.read(clocks);
                self.disclosed_in.insert(clock.now().unwrap().interval());
                self.tell(disclosure());
            }
            Event::ForgetDay { days_back } => {
                let day = self.host.now.day().saturating_sub(days_back);
                self.tell(Input::ForgetDay(day));
            }
            Event::StopAndStart => {
                self.tell(Input::Stop);
                self.tell(Input::Start);
            }
        }
    }

    fn set_clock_by(&mut self, by: i64) {
        let earliest = 86_400 * 30 - self.host.now.unix_seconds();
        self.host.set_clock_by(by.max(earliest));
    }

    fn hold(&self) {
        let log = self.host.engine.log();
        assert!(log.exposures().unwrap().is_empty(), "an exposure from a replay");
        let mut stamps = Vec::new();
        log.visit_sightings(&mut |sighting| stamps.push(sighting.stamp.unwrap())).unwrap();
        stamps.sort_unstable();
        let ages = stamps.iter().map(|stamp| stamp.elapsed_seconds);
        assert!(ages.is_sorted(), "the order of recording is the order of age");
    }
}

/// The clock is so far ahead that the public key is too old by date, while the replay that was heard
/// is not by age.
#[test]
fn a_public_key_stays_known_while_a_replay_of_it_is_kept() {
    let mut trace = Trace::new();
    let events = [
        Event::Pass { seconds: 65_698 },
        Event::HearReplay { key: 1, interval: 97 },
        Event::SetClock { by: 768_592 },
        Event::Pass { seconds: 461_406 },
        Event::OfferFileAgain,
    ];
    for event in events {
        trace.happen(event);
        trace.hold();
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 96, rng_seed: RngSeed::Fixed(1), ..ProptestConfig::default() })]

    #[test]
    fn no_clock_trace_makes_an_exposure_of_a_replay_or_signs_an_interval_twice(
        events in proptest::collection::vec(any_event(), 1..60),
    ) {
        let mut trace = Trace::new();
        for event in events {
            trace.happen(event);
            trace.hold();
        }
    }

    /// Nothing that was recorded survives the retention period, whatever the clock was set to:
    /// 14 days, and one more for a phone that nobody tells the time.
    #[test]
    fn what_is_due_goes(
        events in proptest::collection::vec(any_event(), 1..20),
        sets in proptest::collection::vec(-20 * 86_400_i64..20 * 86_400, 15),
    ) {
        let mut trace = Trace::new();
        trace.happen(Event::HearReplay { key: 1, interval: 3 });
        for event in events {
            trace.happen(event);
        }
        for by in sets {
            trace.set_clock_by(by);
            trace.happen(Event::Pass { seconds: 86_400 });
        }
        let mut left = 0;
        trace.host.engine.log().visit_sightings(&mut |_| left += 1).unwrap();
        prop_assert_eq!(left, 0);
    }
}
