//! What the engine says about itself: status with reasons, one record a day, quotas, forgetting.

#![allow(clippy::unwrap_used, reason = "a test may fail by panicking")]

mod engine_support;

use chikaku_core::advertisement::Advertisement;
use chikaku_core::encounter_log::{EncounterLog, MemoryLog};
use chikaku_core::engine::{Engine, Input, KeyFile, Output};
use chikaku_core::explain::Silence;
use chikaku_core::keys::{AssociatedEncryptedMetadata, RollingProximityIdentifier};
use chikaku_core::risk::RiskLevel;
use chikaku_core::sighting::{ReceivedAdvertisement, ScanResult};
use chikaku_core::signal::RssiDbm;
use chikaku_core::status::assessed::{Assessed, AssessedResult};
use chikaku_core::status::{HostFacts, LocationFact, Reason, State, Status};
use chikaku_core::time::UtcDay;
use engine_support::{DAY, Host, announced, configuration, contact, key_file, plan_of};

fn good_host() -> HostFacts {
    HostFacts {
        supported: Some(true),
        bluetooth_on: Some(true),
        permission_granted: Some(true),
        location: Some(LocationFact::NotNeeded),
        notifications_allowed: Some(true),
    }
}

fn status(host: &mut Host<MemoryLog>) -> Status {
    let clocks = host.clocks();
    host.engine.status(good_host(), clocks)
}

fn offer(host: &mut Host<MemoryLog>, file: &[u8]) -> Vec<Output> {
    host.tell(Input::KeyFile(KeyFile::without_cursor(file)))
}

fn nobody_near(host: &mut Host<MemoryLog>) -> Vec<Output> {
    host.pass(4);
    let (started, ended) = (host.now.saturating_sub(4), host.now);
    let (received, ended_reading) = (Vec::new(), None);
    host.tell(Input::ScanFinished(ScanResult {
        started,
        ended,
        received,
        malformed: 0,
        ended_reading,
    }))
}

/// Runs the phone as the engine asks until `until`; returns what it recorded.
fn live(host: &mut Host<MemoryLog>, until: UtcDay) -> Vec<Assessed> {
    let mut recorded = Vec::new();
    let mut outputs = host.tell(Input::Start);
    loop {
        let mut follow_up = Vec::new();
        for output in outputs {
            match output {
                Output::Advertise(plan) => {
                    follow_up.extend(host.tell(Input::AdvertisingStarted { plan: plan.number }));
                }
                Output::Scan(_) => follow_up.extend(nobody_near(host)),
                Output::DayRecorded(record) => recorded.push(record),
                _ => {}
            }
        }
        outputs = follow_up;
        if outputs.is_empty() {
            if host.now >= until.start() {
                return recorded;
            }
            host.now = host.engine.next_wake().unwrap().max(host.now.saturating_add(1));
            outputs = host.tell(Input::Wake);
        }
    }
}

#[test]
fn a_phone_that_works_says_so_and_only_then() {
    let mut host = Host::new(MemoryLog::new(), 1);
    assert_eq!(status(&mut host).state, State::Stopped);
    live(&mut host, DAY.saturating_add(2));
    offer(&mut host, &key_file([]));
    let working = status(&mut host);
    assert_eq!((working.state, working.reasons.len()), (State::Working, 0), "{working:?}");
    assert!(working.last_scan.is_some() && working.last_matched.is_some());

    // What the host does not say is a reason.
    let clocks = host.clocks();
    let silent = host.engine.status(HostFacts::default(), clocks);
    assert_eq!((silent.state, silent.reasons.len()), (State::Degraded, 5));

    // No wake for an hour: scans are missing, and the plan on the air is over.
    host.pass(3_600);
    let codes: Vec<_> = status(&mut host).reasons.iter().map(Reason::code).collect();
    assert_eq!(codes, ["scans_missing"]);
    host.tell(Input::Wake);
    host.pass(120);
    let codes: Vec<_> = status(&mut host).reasons.iter().map(Reason::code).collect();
    assert_eq!(codes, ["advertising_unconfirmed", "scans_missing"]);
}

#[test]
fn c25_every_reason_of_the_engine_reaches_the_status() {
    let mut host = Host::new(MemoryLog::new(), 1);
    let plan = plan_of(&host.tell(Input::Start)).unwrap();
    host.tell(Input::AdvertisingFailed { plan: plan.number });
    assert!(status(&mut host).reasons.contains(&Reason::AdvertisingRefused));
    assert!(status(&mut host).reasons.contains(&Reason::NeverMatched));

    host.tell(Input::FilesListed { listed: 5, missing: 2 });
    offer(&mut host, b"nonsense");
    let reasons = status(&mut host).reasons;
    assert!(reasons.contains(&Reason::KeyFilesMissing { missing: 2, listed: 5 }), "{reasons:?}");
    assert!(reasons.contains(&Reason::KeyFilesRefused { refused: 1 }));
    // The next run is a new one.
    host.tell(Input::FilesListed { listed: 1, missing: 0 });
    let file = key_file([]);
    offer(&mut host, &file);
    let reasons = status(&mut host).reasons;
    assert!(!reasons.iter().any(|reason| reason.code().starts_with("key_files")), "{reasons:?}");
    host.pass(3 * 86_400);
    let reasons = status(&mut host).reasons;
    assert!(reasons.iter().any(|reason| matches!(reason, Reason::KeyFilesStale { .. })));
}

#[test]
fn i16_every_day_leaves_one_record_also_when_nothing_was_found_and_nobody_was_there() {
    let mut host = Host::new(MemoryLog::new(), 1);
    let recorded = live(&mut host, DAY.saturating_add(1));
    assert_eq!(recorded.len(), 1);
    let first = &recorded[0];
    assert_eq!((first.date, first.minutes_planned), (DAY, 1_440));
    assert!(first.minutes_scanned > 1_430, "{first:?}");
    assert_eq!(first.result, AssessedResult::NotMatched);

    offer(&mut host, &key_file([]));
    offer(&mut host, b"nonsense");
    // The process dies and comes back three days later; the record of what was is not lost.
    host = host.restarted_over(host.engine.log().clone());
    host.now = DAY.saturating_add(4).start();
    host.tell(Input::Start);
    let clocks = host.clocks();
    let assessed = host.engine.assessed(clocks).unwrap();
    let dates: Vec<_> = assessed.iter().map(|record| record.date.days_since(DAY)).collect();
    assert_eq!(dates, [0, 1, 2, 3]);
    assert_eq!(assessed[1].result, AssessedResult::NothingFound);
    assert_eq!((assessed[1].files_ok, assessed[1].files_missing), (1, 1));
    assert_eq!((assessed[2].minutes_planned, assessed[2].minutes_scanned), (1_440, 0));
    assert_eq!(assessed[2].result, AssessedResult::NotMatched);
}

#[test]
fn the_record_of_a_day_names_the_highest_conclusion_and_the_configuration() {
    let (host, keys) = contact(30, -77);
    let mut configuration = configuration();
    configuration.version = Some("2026-11".to_owned());
    let log = host.engine.log().clone();
    let mut host = host.restarted_over(log.clone());
    host.engine = Engine::open(configuration, log).unwrap();
    offer(&mut host, &key_file(keys));
    host.pass(86_400);
    let outputs = host.tell(Input::Wake);
    let Some(Output::DayRecorded(record)) = outputs.first() else { panic!("{outputs:?}") };
    assert_eq!(record.result, AssessedResult::Found { highest: RiskLevel::High });
    assert_eq!(record.config_version.as_deref(), Some("2026-11"));
}

#[test]
fn i15_c35_a_quota_says_until_when_and_loses_nothing() {
    let (host, keys) = contact(30, -77);
    let log = host.engine.log().clone();
    let mut host = host.restarted_over(log.clone());
    let mut limited = configuration();
    limited.key_files_per_day = Some(2);
    host.engine = Engine::open(limited, log).unwrap();
    let file = key_file(keys);
    offer(&mut host, &key_file([]));
    offer(&mut host, b"nonsense");
    let outputs = offer(&mut host, &file);
    let [Output::KeyFileThrottled { until }] = outputs[..] else { panic!("{outputs:?}") };
    assert_eq!(until, DAY.saturating_add(2).start());
    assert!(status(&mut host).reasons.contains(&Reason::Throttled { until }));
    assert_eq!(host.engine.log().audit().unwrap().len(), 2, "it was not looked at");
    host.now = until;
    assert_eq!(announced(&offer(&mut host, &file)), 1);
}

#[test]
fn c15_a_flood_does_not_fill_the_log_and_is_counted() {
    let (mut host, keys) = contact(5, -77);
    let before = {
        let mut count = 0;
        host.engine.log().visit_sightings(&mut |_| count += 1).unwrap();
        count
    };
    host.pass(300);
    let invented = (0_u32..5_000).map(|number| {
        let mut identifier = [0xee; 16];
        identifier[..4].copy_from_slice(&number.to_be_bytes());
        ReceivedAdvertisement {
            heard_at: host.now,
            rssi: RssiDbm::new(-60).ok(),
            advertisement: Advertisement {
                identifier: RollingProximityIdentifier::from_bytes(identifier),
                metadata: AssociatedEncryptedMetadata::from_bytes([1; 4]),
            },
        }
    });
    let received = invented.collect();
    let (started, ended) = (host.now, host.now);
    let scan = ScanResult { started, ended, received, malformed: 0, ended_reading: None };
    let outputs = host.tell(Input::ScanFinished(scan));
    let report = outputs.iter().find_map(|output| match output {
        Output::ScanIngested(report) => Some(*report),
        _ => None,
    });
    let report = report.unwrap();
    assert_eq!(u64::from(report.kept) + report.flood.total(), 5_000);
    let mut after = 0;
    host.engine.log().visit_sightings(&mut |_| after += 1).unwrap();
    assert_eq!(after - before, report.kept);
    assert!(report.kept <= 256, "{report:?}");
    offer(&mut host, &key_file(keys));
    assert!(host.day(DAY).unwrap().is_some(), "the contact from before counts");
}

#[test]
fn c33_a_forgotten_day_is_gone_and_stays_gone() {
    let (mut host, keys) = contact(30, -77);
    let file = key_file(keys);
    assert_eq!(announced(&offer(&mut host, &file)), 1);
    let outputs = host.tell(Input::ForgetDay(DAY));
    assert!(outputs.iter().any(|o| matches!(o, Output::DayForgotten { day } if *day == DAY)));
    for _ in 0..2 {
        assert_eq!(host.day(DAY).unwrap(), None);
        let log = host.engine.log();
        let mut of_the_day = 0;
        log.visit_sightings(&mut |s| of_the_day += usize::from(s.heard_at.day() == DAY)).unwrap();
        assert_eq!(of_the_day, 0);
        assert!(log.exposures().unwrap().is_empty());
        assert!(log.own_keys().unwrap().iter().all(|key| !key.touches(DAY)));
        assert!(log.assessed().unwrap().iter().all(|record| record.date != DAY));
        // The same file again, also after a restart, brings nothing back and announces nothing.
        host = host.restarted_over(host.engine.log().clone());
        assert_eq!(announced(&host.tell(Input::Start)), 0);
        assert_eq!(announced(&offer(&mut host, &file)), 0);
    }
    let clocks = host.clocks();
    assert_eq!(host.engine.explain_silence(DAY, clocks).unwrap(), [Silence::Forgotten]);
}

#[test]
fn forgetting_today_ends_the_key_that_is_on_the_air() {
    let mut host = Host::new(MemoryLog::new(), 1);
    let before = plan_of(&host.tell(Input::Start)).unwrap();
    host.pass(60);
    let outputs = host.tell(Input::ForgetDay(DAY));
    assert!(outputs.iter().any(|output| matches!(output, Output::StopAdvertising)));
    assert_eq!(plan_of(&outputs), None, "the interval's identifier is somebody's memory");
    host.now = before.until;
    let after = plan_of(&host.tell(Input::Wake)).unwrap();
    let own = host.engine.log().own_keys().unwrap();
    assert_eq!(own.len(), 1);
    assert_eq!(own[0].rolling_start(), before.until.interval());
    assert!(after.payload.identifier != before.payload.identifier);
}

#[test]
fn forgetting_everything_leaves_an_engine_as_new() {
    let (mut host, keys) = contact(30, -77);
    let file = key_file(keys);
    offer(&mut host, &file);
    let outputs = host.tell(Input::ForgetEverything);
    assert!(outputs.iter().any(|output| matches!(output, Output::EverythingForgotten)));
    let log = host.engine.log();
    assert!(log.own_keys().unwrap().is_empty() && log.exposures().unwrap().is_empty());
    assert!(log.audit().unwrap().is_empty() && log.assessed().unwrap().is_empty());
    assert!(log.live_keys().unwrap().is_empty());
    let mut sightings = 0;
    log.visit_sightings(&mut |_| sightings += 1).unwrap();
    assert_eq!(sightings, 0);
    assert_eq!(status(&mut host).state, State::Stopped);
    assert_eq!(announced(&offer(&mut host, &file)), 0);
    // It can begin anew.
    assert!(plan_of(&host.tell(Input::Start)).is_some());
}

#[test]
fn every_silence_has_a_reason() {
    let ask = |host: &mut Host<MemoryLog>, day: UtcDay| {
        let clocks = host.clocks();
        host.engine.explain_silence(day, clocks).unwrap()
    };
    let code =
        |silences: Vec<Silence>| silences.iter().map(|silence| silence.code()).collect::<Vec<_>>();
    let mut host = Host::new(MemoryLog::new(), 1);
    live(&mut host, DAY.saturating_add(1));
    assert_eq!(code(ask(&mut host, DAY)), ["nothing_heard", "no_key_file"]);
    offer(&mut host, &key_file([]));
    assert_eq!(code(ask(&mut host, DAY)), ["nothing_heard"]);
    let early = DAY.saturating_sub(20);
    assert_eq!(code(ask(&mut host, early)), ["not_remembered"]);

    let (mut host, keys) = contact(10, -77);
    assert_eq!(code(ask(&mut host, DAY)), ["not_listening", "no_key_file"]);
    offer(&mut host, &key_file([]));
    assert_eq!(code(ask(&mut host, DAY)), ["not_listening", "no_key_heard"]);
    offer(&mut host, &key_file(keys));
    let silences = ask(&mut host, DAY);
    let Silence::BelowThreshold { conditions } = &silences[0] else { panic!("{silences:?}") };
    assert!(!conditions.is_empty() && conditions.iter().all(|condition| !condition.holds));

    let (mut host, keys) = contact(30, -77);
    offer(&mut host, &key_file(keys));
    assert_eq!(code(ask(&mut host, DAY)), ["pending"]);
    host.tell(Input::Announced { day: DAY });
    assert_eq!(code(ask(&mut host, DAY)), ["announced"]);
}
