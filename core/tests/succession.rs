//! Documents for the user, and a new phone that takes the old one's place.

#![allow(clippy::unwrap_used, reason = "a test may fail by panicking")]

mod engine_support;

use std::collections::BTreeSet;

use chikaku_core::encounter_log::{EncounterLog, LogContents, MemoryLog};
use chikaku_core::engine::{Input, KeyFile, Output};
use chikaku_core::explain::Silence;
use chikaku_core::guidance::messages::MessageKey;
use chikaku_core::guidance::{RuleTable, Situation, Symptoms, guidance};
use chikaku_core::local_time::UtcOffset;
use chikaku_core::report::cocoa_exposure_data::ExportOrigin;
use chikaku_core::risk::RiskLevel;
use engine_support::{DAY, Host, announced, contact, disclosed, disclosure, key_file, plan_of};

fn offer(host: &mut Host<MemoryLog>, file: &[u8]) -> Vec<Output> {
    host.tell(Input::KeyFile(KeyFile::without_cursor(file)))
}

fn contents(host: &mut Host<MemoryLog>) -> LogContents {
    let clocks = host.clocks();
    host.engine.contents(&["server"], clocks).unwrap()
}

/// A phone out of the box, years of uptime and another boot away from the old one.
fn new_phone(host: &Host<MemoryLog>) -> Host<MemoryLog> {
    let mut new = Host::new(MemoryLog::new(), 77);
    new.now = host.now;
    new.monotonic_seconds = 90_000_000;
    new.boot = 4_000;
    new.just_read();
    new
}

#[test]
fn c37_what_was_heard_by_the_old_phone_is_matched_on_the_new_one() {
    let (mut old, keys) = contact(30, -77);
    let mut new = new_phone(&old);
    let outputs = new.tell(Input::Succeed(Box::new(contents(&mut old))));
    let succeeded = outputs.iter().find_map(|output| match output {
        Output::Succeeded { own_keys, sightings } => Some((*own_keys, *sightings)),
        _ => None,
    });
    assert_eq!(succeeded, Some((1, 12)));
    new.tell(Input::Start);
    let file = key_file(keys);
    assert_eq!(announced(&offer(&mut new, &file)), 1);
    offer(&mut old, &file);
    assert_eq!(new.day(DAY).unwrap(), old.day(DAY).unwrap());
}

#[test]
fn a_day_that_was_announced_on_the_old_phone_is_not_announced_on_the_new_one() {
    let (mut old, keys) = contact(30, -77);
    let file = key_file(keys);
    offer(&mut old, &file);
    old.tell(Input::Announced { day: DAY });
    let mut new = new_phone(&old);
    for _ in 0..2 {
        new.tell(Input::Succeed(Box::new(contents(&mut old))));
    }
    assert_eq!(announced(&new.tell(Input::Start)), 0);
    assert_eq!(announced(&offer(&mut new, &file)), 0);
    assert_eq!(new.day(DAY).unwrap(), old.day(DAY).unwrap(), "twice is as good as once");
    let clocks = new.clocks();
    assert_eq!(new.engine.explain_silence(DAY, clocks).unwrap(), [Silence::Announced]);
}

#[test]
fn the_new_phone_publishes_what_both_have_broadcast_and_no_interval_twice() {
    let mut old = Host::new(MemoryLog::new(), 1);
    let payload = plan_of(&old.tell(Input::Start)).unwrap().payload;
    old.pass(6 * 3_600 + 300);
    old.tell(Input::Wake);
    old.tell(Input::Stop);
    let mut new = new_phone(&old);
    new.tell(Input::Succeed(Box::new(contents(&mut old))));
    let plan = plan_of(&new.tell(Input::Start));
    // The interval in which the user changed phones ends in silence or with the new phone's key.
    let own = new.engine.log().own_keys().unwrap();
    for pair in own.windows(2) {
        assert!(pair[0].rolling_end() <= pair[1].rolling_start(), "validities overlap");
    }
    assert!(plan.is_some());
    new.now = DAY.saturating_add(1).start();
    new.tell(Input::Wake);
    let published = disclosed(new.tell(disclosure()));
    let identifiers = published.iter().flat_map(|key| {
        let intervals = key.rolling_start().get()..key.rolling_end().get();
        intervals
            .map(|n| key.identifier_key().identifier(chikaku_core::time::IntervalNumber::new(n)))
    });
    let identifiers: BTreeSet<_> = identifiers.collect();
    assert!(identifiers.contains(&payload.identifier));
    assert!(identifiers.contains(&plan.unwrap().payload.identifier));
}

#[test]
fn a_replay_after_the_change_of_phones_exposes_nobody() {
    // The key came in on the old phone and is still live; the new one has never seen its file.
    let mut patient = Host::new(MemoryLog::new(), 1);
    let payload = plan_of(&patient.tell(Input::Start)).unwrap().payload;
    patient.pass(1_200);
    patient.tell(Input::Wake);
    let file = key_file(disclosed(patient.tell(disclosure())));
    let mut old = Host::new(MemoryLog::new(), 2);
    old.now = patient.now;
    old.tell(Input::Start);
    offer(&mut old, &file);
    let mut new = new_phone(&old);
    new.tell(Input::Succeed(Box::new(contents(&mut old))));
    new.tell(Input::Start);
    for _ in 0..6 {
        new.hear(payload, -77);
    }
    assert_eq!(announced(&offer(&mut new, &file)), 0);
    assert!(new.engine.log().exposures().unwrap().is_empty());
}

#[test]
fn c33_a_forgotten_day_is_not_carried_along_and_not_brought_back() {
    let (mut old, keys) = contact(30, -77);
    let before = contents(&mut old);
    old.tell(Input::ForgetDay(DAY));
    let after = contents(&mut old);
    assert!(after.sightings.iter().all(|sighting| sighting.heard_at.day() != DAY));
    let mut new = new_phone(&old);
    new.tell(Input::Succeed(Box::new(after)));
    // An old backup that still has the day.
    new.tell(Input::Succeed(Box::new(before)));
    assert_eq!(announced(&offer(&mut new, &key_file(keys))), 0);
    assert_eq!(new.day(DAY).unwrap(), None);
}

#[test]
fn i14_the_days_of_a_log_checker() {
    let (mut host, keys) = contact(30, -77);
    offer(&mut host, &key_file(keys));
    host.tell(Input::Announced { day: DAY });
    let clocks = host.clocks();
    let report = host.engine.report_days(clocks).unwrap();
    let day = report.days().iter().find(|day| day.date == DAY).unwrap();
    assert_eq!(
        (day.identifiers_heard, day.sightings, day.keys_checked),
        (Some(3), Some(12), Some(1))
    );
    assert_eq!(day.exposures.len(), 1);
    let conclusion = day.conclusion.as_ref().unwrap();
    assert_eq!((conclusion.level, conclusion.announced), (RiskLevel::High, true));
    let empty = report.days().iter().find(|day| day.date == DAY.saturating_sub(1)).unwrap();
    assert_eq!((empty.sightings, empty.conclusion.as_ref()), (Some(0), None));
    assert_eq!(
        chikaku_core::report::days::DaysReport::from_json(&report.to_json()).unwrap(),
        report
    );
}

/// In COCOA the notification, the page and the export asked different questions.
#[test]
fn i11_announcement_list_export_and_guidance_name_the_same_day() {
    let (mut host, keys) = contact(30, -77);
    let outputs = offer(&mut host, &key_file(keys));
    let announced = outputs.iter().find_map(|output| match output {
        Output::Announce(assessment) => Some(assessment.clone()),
        _ => None,
    });
    let announced = announced.unwrap();
    let clocks = host.clocks();
    assert_eq!(host.engine.day(announced.day, clocks).unwrap().as_ref(), Some(&announced));
    let high_days = host.engine.high_days(clocks).unwrap();
    assert_eq!(high_days, BTreeSet::from([announced.day]));
    let report = host.engine.report_days(clocks).unwrap();
    let of_day = report.days().iter().find(|day| day.date == announced.day).unwrap();
    assert_eq!(of_day.conclusion.as_ref().unwrap().score.to_bits(), announced.score.to_bits());
    let exported = host.engine.cocoa_exposure_data(ExportOrigin::default(), clocks).unwrap();
    assert_eq!(exported.daily_summaries.len(), 1);
    assert_eq!(exported.daily_summaries[0].day, announced.day);
    let windows: usize = announced.kept().count();
    assert_eq!(exported.exposure_windows.len(), windows);

    let utc_offset = UtcOffset::new(540).unwrap();
    let situation = Situation { high_days, symptoms: Symptoms::Unknown, utc_offset };
    let advice = guidance(&RuleTable::builtin(), &situation, clocks.wall).unwrap();
    let said = advice.messages.iter().map(MessageKey::as_str);
    assert!(said.into_iter().any(|key| key == MessageKey::NOT_NECESSARILY_INFECTED));
}
