//! Exactly once: whatever the order, grouping and repetition of key files, and wherever the
//! process dies, the results are the same and nobody is told twice or never.

#![allow(clippy::unwrap_used, reason = "a test may fail by panicking")]

mod engine_support;

use chikaku_core::advertisement::Advertisement;
use chikaku_core::diagnosis_key::DiagnosisKey;
use chikaku_core::encounter_log::{DayRecord, EncounterLog, Exposure, MemoryLog};
use chikaku_core::engine::{Input, KeyFile, Output};
use chikaku_core::sighting::{ReceivedAdvertisement, ScanResult};
use chikaku_core::signal::RssiDbm;
use engine_support::{
    DAY, Host, announced, configuration, disclosed, disclosure, key_file, plan_of,
};
use proptest::prelude::*;

/// A phone that met some people for so many five-minute scans each, on the evening after, and the
/// keys of each of them.
fn evening_after(scans: &[u32]) -> (Host<MemoryLog>, Vec<Vec<DiagnosisKey>>) {
    let mut host = Host::new(MemoryLog::new(), 0);
    host.tell(Input::Start);
    let mut people = Vec::new();
    for (seed, &scans) in (1..).zip(scans) {
        let mut person = Host::new(MemoryLog::new(), seed);
        person.now = host.now;
        let payload = plan_of(&person.tell(Input::Start)).unwrap().payload;
        for _ in 0..scans {
            host.hear(payload, -77);
        }
        host.pass(900);
        people.push(person);
    }
    host.now = DAY.saturating_add(1).start();
    let now = host.now;
    let keys = people.into_iter().map(|mut person| {
        person.now = now;
        person.tell(Input::Wake);
        disclosed(person.tell(disclosure()))
    });
    (host, keys.collect())
}

/// What a user and a log checker can see.
fn visible(host: &Host<MemoryLog>) -> (Vec<Exposure>, Option<DayRecord>) {
    let log = host.engine.log();
    let mut exposures = log.exposures().unwrap();
    // Counts what was recorded, so that it depends on the number of files before this one.
    exposures.iter_mut().for_each(|exposure| exposure.first_available.sequence = 0);
    (exposures, log.day(DAY).unwrap())
}

fn again(host: &Host<MemoryLog>) -> Host<MemoryLog> {
    host.restarted_over(host.engine.log().clone())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    /// Any permutation, partition and repetition of the keys over files gives one result, and one
    /// announcement at most.
    #[test]
    fn c34_files_in_any_order_grouping_and_repetition(
        scans in proptest::collection::vec(0_u32..5, 1..5),
        files in proptest::collection::vec(proptest::collection::vec(0_usize..5, 0..4), 0..6),
    ) {
        let (host, keys) = evening_after(&scans);
        let mut at_once = again(&host);
        let all = key_file(keys.iter().flatten().copied());
        let expected = announced(&at_once.tell(Input::KeyFile(KeyFile::without_cursor(&all))));

        let mut piecemeal = again(&host);
        let mut told = 0;
        let mut tell = |host: &mut Host<MemoryLog>, file: &[u8]| {
            let outputs = host.tell(Input::KeyFile(KeyFile::without_cursor(file)));
            if announced(&outputs) > 0 {
                told += announced(&outputs);
                host.tell(Input::Announced { day: DAY });
            }
        };
        for people in &files {
            let of = people.iter().filter_map(|&person| keys.get(person)).flatten().copied();
            tell(&mut piecemeal, &key_file(of));
        }
        for person in keys.iter().rev() {
            tell(&mut piecemeal, &key_file(person.iter().copied()));
        }
        prop_assert_eq!(told, expected);
        let (exposures, day) = visible(&piecemeal);
        let (exposures_at_once, day_at_once) = visible(&at_once);
        prop_assert_eq!(exposures, exposures_at_once);
        prop_assert_eq!(day.map(|day| day.assessment), day_at_once.map(|day| day.assessment));
    }

    /// The process dies before or after any commit; the host tries again what was not answered.
    #[test]
    fn i2_c18_a_crash_anywhere_loses_nothing_and_tells_nobody_twice(
        crash_at in 0_usize..4,
        after_commit: bool,
    ) {
        let (host, keys) = evening_after(&[3, 2, 4]);
        let files: Vec<_> = keys.iter().map(|keys| key_file(keys.iter().copied())).collect();
        let mut undisturbed = again(&host);
        for (position, file) in (1..).zip(&files) {
            let cursor = Some(("source", position));
            undisturbed.tell(Input::KeyFile(KeyFile { bytes: file, cursor }));
        }
        undisturbed.tell(Input::Announced { day: DAY });

        let mut host = again(&host);
        let mut confirmed = 0;
        let mut step = 0;
        let mut crashed = false;
        loop {
            // The host resumes at the cursor, which moved only with the results.
            let done = host.engine.cursor("source").unwrap().unwrap_or(0);
            let Some(file) = files.get(usize::try_from(done).unwrap()) else { break };
            if step == crash_at && !crashed && !after_commit {
                crashed = true;
                host = again(&host);
                continue;
            }
            let cursor = Some(("source", done + 1));
            let outputs = host.tell(Input::KeyFile(KeyFile { bytes: file, cursor }));
            if step == crash_at && !crashed {
                // Committed, but the outputs never reached the user.
                crashed = true;
                host = again(&host);
                step += 1;
                continue;
            }
            if announced(&outputs) > 0 {
                host.tell(Input::Announced { day: DAY });
                confirmed += 1;
            }
            step += 1;
        }
        // What was committed but not confirmed comes again at the next start.
        let outputs = host.tell(Input::Start);
        if announced(&outputs) > 0 {
            host.tell(Input::Announced { day: DAY });
            confirmed += 1;
        }
        prop_assert_eq!(confirmed, 1);
        prop_assert_eq!(visible(&host), visible(&undisturbed));
    }
}

#[test]
fn c19_a_sighting_that_is_ingested_late_is_found_when_the_key_comes_again() {
    let (mut host, keys) = evening_after(&[1]);
    let payload = heard_payload(&host);
    // At noon the key is no longer live: only the exposure itself remembers it.
    host.pass(12 * 3_600);
    let file = key_file(keys[0].iter().copied());
    host.tell(Input::KeyFile(KeyFile::without_cursor(&file)));
    let seconds_before = seconds(&host);
    // A spool from before the first unlock is handed over only now.
    let heard_at = DAY.start().saturating_add(900);
    let received = vec![ReceivedAdvertisement {
        heard_at,
        rssi: Some(RssiDbm::new(-77).unwrap()),
        advertisement: payload,
    }];
    host.tell(Input::ScanFinished(ScanResult {
        started: heard_at,
        ended: heard_at,
        received,
        malformed: 0,
        ended_reading: None,
    }));
    // Any later file will do; it need not hold the key again.
    let outputs = host.tell(Input::KeyFile(KeyFile::without_cursor(&key_file([]))));
    assert!(outputs.iter().any(|output| matches!(output, Output::DayAssessed(_))));
    assert!(seconds(&host) > seconds_before);
}

#[test]
fn c3_a_replay_of_a_published_key_exposes_nobody() {
    let mut patient = Host::new(MemoryLog::new(), 1);
    patient.tell(Input::Start);
    patient.pass(3_600);
    patient.tell(Input::Wake);
    // The key of the running day is published and, half an hour later, replayed from afar.
    let interval = patient.now.interval();
    let keys = disclosed(patient.tell(disclosure()));
    let key = keys[0];
    let replayed = Advertisement {
        identifier: key.identifier_key().identifier(key.rolling_start()),
        metadata: key.metadata_key().encrypt(
            &key.identifier_key().identifier(key.rolling_start()),
            configuration().metadata,
        ),
    };
    assert!(interval > key.rolling_start());

    let mut victim = Host::new(MemoryLog::new(), 2);
    victim.now = patient.now;
    victim.tell(Input::Start);
    let file = key_file(keys);
    victim.tell(Input::KeyFile(KeyFile::without_cursor(&file)));
    for _ in 0..6 {
        victim.hear(replayed, -77);
    }
    // The same key again, from this file or from another country's.
    let outputs = victim.tell(Input::KeyFile(KeyFile::without_cursor(&file)));
    assert_eq!(announced(&outputs), 0);
    assert!(victim.engine.log().exposures().unwrap().is_empty());
    let audit = victim.engine.log().audit().unwrap();
    let near_misses = audit.last().unwrap().outcome.as_ref().unwrap().near_misses;
    assert_eq!((near_misses.keys, near_misses.sightings.after_publication), (1, 12));
}

#[test]
fn c8_every_look_leaves_one_audit_entry_also_a_refused_one() {
    let (mut host, keys) = evening_after(&[3]);
    let good = key_file(keys[0].iter().copied());
    for file in [&good[..], b"nonsense", &good, b""] {
        host.tell(Input::KeyFile(KeyFile::without_cursor(file)));
    }
    let audit = host.engine.log().audit().unwrap();
    let accepted: Vec<_> = audit.iter().map(|entry| entry.outcome.is_ok()).collect();
    assert_eq!(accepted, [true, false, true, false]);
}

fn heard_payload(host: &Host<MemoryLog>) -> Advertisement {
    let mut payload = None;
    let Ok(()) = host.engine.log().visit_sightings(&mut |s| payload = Some(s.advertisement));
    payload.unwrap()
}

fn seconds(host: &Host<MemoryLog>) -> u64 {
    let Ok(exposures) = host.engine.log().exposures();
    exposures.iter().flat_map(|exposure| &exposure.windows).map(|window| window.seconds()).sum()
}
