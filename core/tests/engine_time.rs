//! The wall clock as an input that may be wrong, through the engine.

#![allow(clippy::unwrap_used, reason = "a test may fail by panicking")]

mod engine_support;

use chikaku_core::clock::{BootId, ClockReading};
use chikaku_core::diagnosis_key::DiagnosisKey;
use chikaku_core::encounter_log::{EncounterLog, MemoryLog};
use chikaku_core::engine::{Input, KeyFile, Output};
use chikaku_core::export::ExportWriter;
use chikaku_core::sighting::{ReceivedAdvertisement, ScanResult};
use chikaku_core::signal::RssiDbm;
use chikaku_core::status::{HostFacts, Reason};
use chikaku_core::time::{DAY_SECONDS, Timestamp};
use engine_support::{
    DAY, Host, announced, contact, disclosed, disclosure, ingested, key_file, plan_of, signing_key,
};

fn sightings(host: &Host<MemoryLog>) -> usize {
    let mut count = 0;
    host.engine.log().visit_sightings(&mut |_| count += 1).unwrap();
    count
}

fn offer(host: &mut Host<MemoryLog>, file: &[u8]) -> Vec<Output> {
    host.tell(Input::KeyFile(KeyFile::without_cursor(file)))
}

/// A phone near another one for half an hour after its clock was set by `seconds`; both clocks are
/// right at the end, the next day.
fn contact_under_a_clock_set_by(seconds: i64) -> (Host<MemoryLog>, Vec<DiagnosisKey>) {
    let mut patient = Host::new(MemoryLog::new(), 1);
    let mut phone = Host::new(MemoryLog::new(), 2);
    phone.tell(Input::Start);
    phone.set_clock_by(seconds);
    let payload = plan_of(&patient.tell(Input::Start)).unwrap().payload;
    for _ in 0..6 {
        phone.hear(payload, -77);
    }
    patient.now = DAY.saturating_add(1).start();
    patient.tell(Input::Wake);
    let keys = disclosed(patient.tell(disclosure()));
    (phone, keys)
}

#[test]
fn i19_a_clock_set_to_the_future_erases_nothing() {
    let (mut host, keys) = contact(30, -77);
    let heard = sightings(&host);
    let own_keys = host.engine.log().own_keys().unwrap();
    for years in [1, 40] {
        host.set_clock_by(i64::from(DAY_SECONDS) * 365 * years);
        host.tell(Input::Wake);
        assert_eq!(sightings(&host), heard);
        host.set_clock_by(-i64::from(DAY_SECONDS) * 365 * years);
        host.tell(Input::Wake);
    }
    assert_eq!(sightings(&host), heard);
    let kept = host.engine.log().own_keys().unwrap();
    assert!(
        own_keys.iter().all(|key| kept.iter().any(|k| k.rolling_start() == key.rolling_start()))
    );
    assert_eq!(announced(&offer(&mut host, &key_file(keys))), 1);
}

#[test]
fn a_clock_set_back_keeps_nothing_alive() {
    let (mut host, _) = contact(30, -77);
    assert!(sightings(&host) > 0);
    // Every day the user sets the clock back by a day: the calendar stands still, time does not.
    for _ in 0..14 {
        host.pass(DAY_SECONDS);
        host.tell(Input::Wake);
        host.set_clock_by(-i64::from(DAY_SECONDS));
        host.tell(Input::Wake);
    }
    host.pass(7_200);
    host.tell(Input::Wake);
    assert_eq!(sightings(&host), 0);
}

#[test]
fn c20_what_was_heard_under_a_suspect_clock_waits_for_a_trusted_time() {
    for seconds in [-7_200, 3_600, 86_400] {
        let (mut host, keys) = contact_under_a_clock_set_by(seconds);
        host.pass(22 * 3_600);
        let outputs = offer(&mut host, &key_file(keys));
        assert_eq!(announced(&outputs), 0);
        let report = ingested(&outputs).as_ref().unwrap();
        assert_eq!(report.near_misses.sightings.clock_suspect, 12, "{seconds}");
        let status = host.status();
        assert!(status.reasons.contains(&Reason::ClockSuspect), "{status:?}");

        // The server says what time it really is; nothing need be downloaded again.
        let truth = Timestamp::from_unix_seconds(host.now.unix_seconds() - seconds).unwrap();
        assert_eq!(announced(&host.tell(Input::TrustedTime(truth))), 1, "{seconds}");
        let assessment = host.engine.log().day(DAY).unwrap().unwrap().assessment;
        assert_eq!(assessment.day, DAY);
        let status = host.status();
        assert!(!status.reasons.contains(&Reason::ClockSuspect));
        assert!(status.reasons.contains(&Reason::ClockWrong { ahead_seconds: seconds }));
    }
}

#[test]
fn c4_a_clock_set_back_makes_no_exposure_of_a_replay() {
    // A key is published and on the phone. Whoever sets the phone's clock back and replays the
    // key's identifiers convinces nobody, with a trusted time or without.
    let mut patient = Host::new(MemoryLog::new(), 1);
    let payload = plan_of(&patient.tell(Input::Start)).unwrap().payload;
    patient.pass(1_200);
    patient.tell(Input::Wake);
    let keys = disclosed(patient.tell(disclosure()));
    let file = key_file(keys);

    for trusted in [false, true] {
        let mut victim = Host::new(MemoryLog::new(), 2);
        victim.tell(Input::Start);
        victim.pass(3 * 3_600);
        offer(&mut victim, &file);
        let truth = victim.now;
        victim.set_clock_by(-3 * 3_600);
        for _ in 0..6 {
            victim.hear(payload, -77);
        }
        if trusted {
            let truth = truth.saturating_add(6 * 304);
            assert_eq!(announced(&victim.tell(Input::TrustedTime(truth))), 0);
        }
        assert_eq!(announced(&offer(&mut victim, &file)), 0);
        victim.set_clock_by(3 * 3_600);
        assert_eq!(announced(&offer(&mut victim, &file)), 0);
        assert!(victim.engine.log().exposures().unwrap().is_empty());
    }
}

#[test]
fn a_clock_set_back_while_the_phone_was_off_is_found_out_by_what_was_signed() {
    let (mut host, _) = contact(5, -77);
    host.pass(3 * DAY_SECONDS);
    // Switched off for three days and set back to one hour after the last reading: plausible.
    host.restart_the_phone();
    host.now = DAY.saturating_add(1).start().saturating_add(3_600);
    host.tell(Input::Start);
    assert!(!host.status().reasons.contains(&Reason::ClockSuspect));
    let end = DAY.saturating_add(4).start();
    let file = ExportWriter::new().window(end.saturating_sub(86_400), end);
    let file = file.signed_with(signing_key()).write().unwrap().zip;
    offer(&mut host, &file);
    assert!(host.status().reasons.contains(&Reason::ClockSuspect));
}

#[test]
fn a_host_with_a_wrong_clock_is_woken_by_its_own_clock() {
    let mut host = Host::new(MemoryLog::new(), 1);
    host.set_clock_by(5_400);
    host.tell(Input::Start);
    let truth = DAY.start();
    let outputs = host.tell(Input::TrustedTime(truth));
    // The plan is made again for the true interval, and ends by the host's clock.
    let plan = plan_of(&outputs).unwrap();
    assert_eq!(plan.until, truth.saturating_add(600 + 5_400));
    let own = host.engine.log().own_keys().unwrap();
    let key = own.iter().find(|key| key.covers(truth.interval())).unwrap();
    let identifier = key.identifier_key().identifier(truth.interval());
    assert_eq!(plan.payload.identifier.as_bytes(), identifier.as_bytes());
    let wake = host.engine.next_wake().unwrap();
    assert!(wake > host.now && wake <= plan.until, "{wake:?}");
}

#[test]
fn i19_c4_no_interval_is_ever_signed_with_two_keys() {
    // Keys are forgotten after the retention period; the intervals that they signed are not.
    let mut host = Host::new(MemoryLog::new(), 1);
    host.now = DAY.start().saturating_add(6 * 3_600);
    host.tell(Input::Start);
    host.pass(1_500);
    host.tell(Input::Wake);
    let used = DAY.start().saturating_add(6 * 3_600);
    for _ in 0..20 {
        host.pass(DAY_SECONDS);
        host.tell(Input::Wake);
    }
    let is_of_the_day = |key: &&chikaku_core::keys::TemporaryExposureKey| key.touches(DAY);
    assert_eq!(host.engine.log().own_keys().unwrap().iter().filter(is_of_the_day).count(), 0);

    host.set_clock_by(used.seconds_since(host.now));
    let outputs = host.tell(Input::Wake);
    assert_eq!(plan_of(&outputs), None);
    let until = outputs.iter().find_map(|output| match output {
        Output::AdvertisingSuspended { until } => Some(*until),
        _ => None,
    });
    let until = until.unwrap();
    assert!(until > used.saturating_add(DAY_SECONDS), "one stretch of days, and nobody knows more");
    // It says so once, and scans on.
    host.pass(300);
    assert!(
        !host.tell(Input::Wake).iter().any(|o| matches!(o, Output::AdvertisingSuspended { .. }))
    );
    host.now = until;
    assert!(plan_of(&host.tell(Input::Wake)).is_some());
}

#[test]
fn c38_a_scan_from_before_the_first_unlock_counts_from_when_it_was_made() {
    let mut patient = Host::new(MemoryLog::new(), 1);
    let payload = plan_of(&patient.tell(Input::Start)).unwrap().payload;
    patient.now = DAY.saturating_add(1).start();
    patient.tell(Input::Wake);
    let file = key_file(disclosed(patient.tell(disclosure())));

    // Restarted in the night; scans are spooled until the user unlocks the phone in the morning,
    // after the key file was fetched by a process that cannot read the spool.
    let mut phone = Host::new(MemoryLog::new(), 2);
    phone.now = DAY.start().saturating_sub(600);
    phone.tell(Input::Start);
    phone.restart_the_phone();
    let boot = BootId::from_count(phone.boot);
    let spooled: Vec<_> = (1..=6_u32)
        .map(|number| {
            let ended = DAY.start().saturating_add(300 * number);
            let at = |seconds| ReceivedAdvertisement {
                heard_at: ended.saturating_sub(seconds),
                rssi: Some(RssiDbm::new(-77).unwrap()),
                advertisement: payload,
            };
            ScanResult {
                started: ended.saturating_sub(4),
                ended,
                received: vec![at(1), at(2)],
                malformed: 0,
                ended_reading: Some(ClockReading {
                    wall: ended,
                    monotonic_seconds: 660 + 300 * u64::from(number),
                    boot,
                }),
            }
        })
        .collect();
    phone.now = DAY.saturating_add(1).start();
    phone.monotonic_seconds = 660 + 86_400;
    phone.just_read();
    phone.tell(Input::Start);
    assert_eq!(announced(&offer(&mut phone, &file)), 0);
    for scan in spooled {
        phone.tell(Input::ScanFinished(scan));
    }
    // The key was still within the tolerance when it came, so any file will do.
    assert_eq!(announced(&offer(&mut phone, &key_file([]))), 1);
}

trait Asks {
    fn status(&mut self) -> chikaku_core::status::Status;
}

impl Asks for Host<MemoryLog> {
    fn status(&mut self) -> chikaku_core::status::Status {
        let clocks = self.clocks();
        self.engine.status(HostFacts::default(), clocks)
    }
}
