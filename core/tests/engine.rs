//! The engine's invariants, through its public interface, as a host would drive it.

#![allow(clippy::unwrap_used, reason = "a test may fail by panicking")]

mod engine_support;

use std::collections::{BTreeMap, BTreeSet};

use chikaku_core::clock::{BootId, ClockReading};
use chikaku_core::diagnosis_key::{DiagnosisKey, DiagnosisKeyDetails, ReportType};
use chikaku_core::diary::Diary;
use chikaku_core::encounter_log::{
    AuditEntry, Change, DayRecord, EncounterLog, EngineRecord, Exposure, LiveKey, MemoryLog,
};
use chikaku_core::engine::plan::AdvertisingAddress;
use chikaku_core::engine::{Engine, Input, KeyFile, Output};
use chikaku_core::export::{ExportError, ExportWriter, TrustedKeys};
use chikaku_core::keys::TemporaryExposureKey;
use chikaku_core::publish::Publishing;
use chikaku_core::risk::RiskLevel;
use chikaku_core::sighting::{ScanResult, Sighting};
use chikaku_core::status::assessed::Assessed;
use chikaku_core::time::{IntervalNumber, Timestamp, UtcDay};
use chikaku_core::venue::VenueDiary;
use engine_support::{
    DAY, Host, announced, configuration, contact, disclosed, disclosure, ingested, key_file,
    plan_of, signing_key,
};
use rand_chacha::ChaCha20Rng;
use rand_core::SeedableRng;

#[test]
fn a_day_of_identifiers_each_in_its_interval_and_with_a_new_address() {
    let mut host = Host::new(MemoryLog::new(), 1);
    let mut plans = BTreeMap::new();
    let mut outputs = host.tell(Input::Start);
    while host.now < DAY.saturating_add(1).start() {
        if let Some(plan) = plan_of(&outputs) {
            // The key is in the log when its first identifier is handed out.
            let keys = host.engine.log().own_keys().unwrap();
            let interval = host.now.interval();
            let key = keys.iter().find(|key| key.covers(interval)).unwrap();
            let identifier = key.identifier_key().identifier(interval);
            assert_eq!(plan.payload.identifier.as_bytes(), identifier.as_bytes());
            assert_eq!(plan.until, interval.checked_add(1).unwrap().start());
            assert_eq!(plan.address, AdvertisingAddress::NewNonResolvable);
            assert!(plans.insert(interval, plan.payload.to_service_data()).is_none());
        }
        let wake = host.engine.next_wake().unwrap();
        assert!(wake > host.now, "a wake in the past would spin");
        host.now = wake;
        outputs = host.tell(Input::Wake);
    }
    assert_eq!(plans.len(), 144);
    assert_eq!(plans.values().collect::<BTreeSet<_>>().len(), 144);
}

#[test]
fn scans_come_every_four_to_five_minutes_and_a_lost_one_is_made_up_for() {
    let mut host = Host::new(MemoryLog::new(), 1);
    let starts_a_scan =
        |outputs: &[Output]| outputs.iter().any(|output| matches!(output, Output::Scan(_)));
    assert!(starts_a_scan(&host.tell(Input::Start)));
    for _ in 0..500 {
        host.pass(4);
        let ended = host.now;
        let scan = ScanResult {
            started: ended,
            ended,
            received: Vec::new(),
            malformed: 0,
            ended_reading: None,
        };
        host.tell(Input::ScanFinished(scan));
        loop {
            host.now = host.engine.next_wake().unwrap();
            if starts_a_scan(&host.tell(Input::Wake)) {
                break;
            }
        }
        assert!((211..=300).contains(&host.now.seconds_since(ended)));
    }
    // The host never reports this one.
    let began = host.now;
    loop {
        host.now = host.engine.next_wake().unwrap();
        if starts_a_scan(&host.tell(Input::Wake)) {
            break;
        }
    }
    assert!(host.now.seconds_since(began) <= 64);
}

#[test]
fn c32_a_contact_is_announced_once_and_only_until_it_is_confirmed() {
    let (mut host, keys) = contact(30, -77);
    let file = key_file(keys);
    let outputs = host.tell(Input::KeyFile(KeyFile::without_cursor(&file)));
    assert_eq!(announced(&outputs), 1);
    let assessment = host.day(DAY).unwrap().unwrap();
    assert_eq!(assessment.level, RiskLevel::High);

    // The same file again changes nothing; a restart before the confirmation announces again.
    assert_eq!(announced(&host.tell(Input::KeyFile(KeyFile::without_cursor(&file)))), 0);
    host.tell(Input::Stop);
    assert_eq!(announced(&host.tell(Input::Start)), 1);
    host.tell(Input::Announced { day: DAY });
    host.tell(Input::Stop);
    assert_eq!(announced(&host.tell(Input::Start)), 0);
}

#[test]
fn a_short_or_a_far_contact_is_low() {
    for (minutes, rssi) in [(10, -77), (60, -95)] {
        let (mut host, keys) = contact(minutes, rssi);
        assert_eq!(
            announced(&host.tell(Input::KeyFile(KeyFile::without_cursor(&key_file(keys))))),
            0
        );
        let assessment = host.day(DAY).unwrap().unwrap();
        assert_eq!(assessment.level, RiskLevel::Low);
    }
}

#[test]
fn i9_one_contact_in_two_key_files_is_one_day() {
    // Two people, 10 minutes each: neither is High alone, and COCOA notified nobody of both.
    let (mut host, first) = contact(10, -77);
    let mut second = Host::new(MemoryLog::new(), 3);
    host.now = DAY.start().saturating_add(7_200);
    second.now = host.now;
    let payload = plan_of(&second.tell(Input::Start)).unwrap().payload;
    host.hear(payload, -77);
    host.hear(payload, -77);
    host.now = DAY.saturating_add(1).start();
    second.now = host.now;
    second.tell(Input::Wake);
    let second = disclosed(second.tell(disclosure()));

    let files = [key_file(first), key_file(second)];
    for order in [[0, 1], [1, 0]] {
        let log = host.engine.log().clone();
        let mut host = host.restarted_over(log);
        assert_eq!(
            announced(&host.tell(Input::KeyFile(KeyFile::without_cursor(&files[order[0]])))),
            0
        );
        assert_eq!(
            announced(&host.tell(Input::KeyFile(KeyFile::without_cursor(&files[order[1]])))),
            1
        );
    }
}

#[test]
fn a_day_that_was_announced_is_not_announced_again_for_a_further_person() {
    let (mut host, keys) = contact(30, -77);
    let payload = plan_of(&Host::new(MemoryLog::new(), 3).tell(Input::Start)).unwrap().payload;
    let mut second = Host::new(MemoryLog::new(), 3);
    second.tell(Input::Start);
    let evening = host.now;
    host.now = DAY.start().saturating_add(7_200);
    host.hear(payload, -77);
    host.now = evening;
    second.now = evening;
    second.tell(Input::Wake);
    let second = disclosed(second.tell(disclosure()));

    assert_eq!(announced(&host.tell(Input::KeyFile(KeyFile::without_cursor(&key_file(keys))))), 1);
    host.tell(Input::Announced { day: DAY });
    let before = host.day(DAY).unwrap().unwrap();
    assert_eq!(
        announced(&host.tell(Input::KeyFile(KeyFile::without_cursor(&key_file(second))))),
        0
    );
    let after = host.day(DAY).unwrap().unwrap();
    assert!(after.score > before.score, "the second person counts");
}

#[test]
fn i3_a_refused_file_says_why_and_costs_the_next_one_nothing() {
    let (mut host, keys) = contact(30, -77);
    let good = key_file(keys);
    let mut flipped = good.clone();
    let middle = flipped.len() / 2;
    flipped[middle] ^= 1;
    for bad in [&flipped[..], b"", b"PK\x03\x04", &good[..good.len() - 1]] {
        let outputs = host.tell(Input::KeyFile(KeyFile::without_cursor(bad)));
        assert!(ingested(&outputs).is_err());
    }
    assert_eq!(announced(&host.tell(Input::KeyFile(KeyFile::without_cursor(&good)))), 1);

    let mut nobody = configuration();
    nobody.trusted_keys = TrustedKeys::new();
    let mut engine = Engine::open(nobody, MemoryLog::new()).unwrap();
    let outputs = engine
        .handle(Input::KeyFile(KeyFile::without_cursor(&good)), host.clocks(), &mut host.rng)
        .unwrap();
    assert_eq!(ingested(&outputs), &Err(ExportError::NoTrustedKey));
}

#[test]
fn i20_c21_disclosure_never_gives_away_a_key_that_is_still_in_use() {
    let mut host = Host::new(MemoryLog::new(), 1);
    host.tell(Input::Start);
    let mut published: Vec<DiagnosisKey> = Vec::new();
    for _ in 0..6 {
        host.pass(1_700);
        host.tell(Input::Wake);
        let outputs = host.tell(disclosure());
        let plan = plan_of(&outputs).expect("a new key goes on the air at once");
        published = disclosed(outputs);
        let now = host.now.interval();
        assert!(published.iter().all(|key| key.rolling_end() <= now));
        let on_the_air = published.iter().map(|key| key.identifier_key().identifier(now));
        assert!(on_the_air.into_iter().all(|id| id != plan.payload.identifier));
    }
    let own = host.engine.log().own_keys().unwrap();
    for pair in own.windows(2) {
        assert!(pair[0].rolling_end() <= pair[1].rolling_start(), "validities overlap");
    }
    assert_eq!(own.last().unwrap().rolling_end(), DAY.saturating_add(1).first_interval());
    assert_eq!(published.len(), own.len() - 1);
}

#[test]
fn own_identifiers_and_own_keys_are_nobodys_contact() {
    let mut host = Host::new(MemoryLog::new(), 1);
    let own = plan_of(&host.tell(Input::Start)).unwrap().payload;
    host.hear(own, -60);
    let mut sightings = 0;
    host.engine.log().visit_sightings(&mut |_| sightings += 1).unwrap();
    assert_eq!(sightings, 0);

    // The own key in a file, as after the user's own report, matches nothing either.
    host.now = DAY.saturating_add(1).start();
    host.tell(Input::Wake);
    let keys = disclosed(host.tell(disclosure()));
    let outputs = host.tell(Input::KeyFile(KeyFile::without_cursor(&key_file(keys.clone()))));
    let report = ingested(&outputs).as_ref().unwrap();
    assert_eq!(report.own_keys_excluded, keys.len() as u64);
    assert!(host.engine.log().exposures().unwrap().is_empty());
}

#[test]
fn a_clock_set_back_never_revives_a_disclosed_key() {
    let mut host = Host::new(MemoryLog::new(), 1);
    host.now = DAY.start().saturating_add(12 * 3600);
    host.tell(Input::Start);
    let published = disclosed(host.tell(disclosure()));
    host.tell(Input::Wake);
    for restart in [false, true] {
        host.now = DAY.start().saturating_add(11 * 3600);
        if restart {
            let log = host.engine.log().clone();
            host.engine = Engine::open(configuration(), log).unwrap();
        }
        let outputs = host.tell(if restart { Input::Start } else { Input::Wake });
        assert_eq!(plan_of(&outputs), None, "{outputs:?}");
        let suspended = outputs.iter().find_map(|output| match output {
            Output::AdvertisingSuspended { until } => Some(*until),
            _ => None,
        });
        assert_eq!(suspended, published.last().map(|key| key.rolling_end().start()));
        // It says so once, scans on, and advertises again when the key is over.
        let outputs = host.tell(Input::Wake);
        assert!(!outputs.iter().any(|o| matches!(o, Output::AdvertisingSuspended { .. })));
        host.now = suspended.unwrap();
        assert!(plan_of(&host.tell(Input::Wake)).is_some());
    }
}

fn reported(keys: &[DiagnosisKey], report_type: ReportType) -> Vec<DiagnosisKey> {
    let reported = |key: &DiagnosisKey| {
        let report_type = Some(report_type);
        let details = DiagnosisKeyDetails { report_type, ..key.details };
        DiagnosisKey::new(*key.as_bytes(), key.rolling_start(), key.rolling_period(), details)
    };
    keys.iter().map(reported).collect()
}

fn revised(keys: Vec<DiagnosisKey>) -> Vec<u8> {
    ExportWriter::new().revised_keys(keys).signed_with(signing_key()).write().unwrap().zip
}

#[test]
fn a_withdrawn_diagnosis_takes_its_day_back_and_a_withdrawn_test_does_not() {
    for (published, level) in [
        (ReportType::ConfirmedClinicalDiagnosis, RiskLevel::Low),
        // GAEN allows no transition from a test: what was proven stays.
        (ReportType::ConfirmedTest, RiskLevel::High),
    ] {
        let (mut host, keys) = contact(30, -77);
        let file = key_file(reported(&keys, published));
        assert_eq!(announced(&host.tell(Input::KeyFile(KeyFile::without_cursor(&file)))), 1);
        let file = revised(reported(&keys, ReportType::Revoked));
        host.tell(Input::KeyFile(KeyFile::without_cursor(&file)));
        let assessment = host.day(DAY).unwrap().unwrap();
        let counts = level == RiskLevel::High;
        assert_eq!((assessment.level, assessment.kept().count()), (level, usize::from(counts)));
        host.tell(Input::Stop);
        assert_eq!(announced(&host.tell(Input::Start)), usize::from(counts));
    }
}

#[test]
fn a_self_report_that_becomes_a_test_counts_as_one() {
    let (mut host, keys) = contact(30, -77);
    for file in [
        key_file(reported(&keys, ReportType::SelfReport)),
        revised(reported(&keys, ReportType::ConfirmedTest)),
    ] {
        host.tell(Input::KeyFile(KeyFile::without_cursor(&file)));
    }
    let assessment = host.day(DAY).unwrap().unwrap();
    let types: Vec<_> = assessment.kept().map(|c| c.report_type).collect();
    assert_eq!(types, [Some(ReportType::ConfirmedTest)]);
}

#[test]
fn a_day_that_is_half_forgotten_keeps_its_conclusion() {
    let (mut host, keys) = contact(40, -77);
    let file = key_file(keys);
    host.tell(Input::KeyFile(KeyFile::without_cursor(&file)));
    let before = host.day(DAY).unwrap().unwrap();
    assert_eq!(before.level, RiskLevel::High);
    // Fourteen days after the middle of the contact.
    host.now = DAY.saturating_add(14).start().saturating_add(1_200);
    host.tell(Input::KeyFile(KeyFile::without_cursor(&file)));
    assert_eq!(host.day(DAY).unwrap(), Some(before));
}

#[test]
fn a_late_refusal_of_an_old_plan_does_not_stop_the_new_one() {
    let mut host = Host::new(MemoryLog::new(), 1);
    let old = plan_of(&host.tell(Input::Start)).unwrap();
    host.tell(Input::Stop);
    let new = plan_of(&host.tell(Input::Start)).unwrap();
    assert!(!host.engine.is_on_the_air());
    host.tell(Input::AdvertisingStarted { plan: new.number });
    host.tell(Input::AdvertisingFailed { plan: old.number });
    assert!(host.engine.is_on_the_air());
    host.tell(Input::AdvertisingFailed { plan: new.number });
    assert!(!host.engine.is_on_the_air());
}

#[test]
fn i13_c31_nothing_outlives_fourteen_days() {
    let (mut host, keys) = contact(30, -77);
    host.tell(Input::KeyFile(KeyFile::without_cursor(&key_file(keys.clone()))));
    host.now = host.now.saturating_add(15 * 86_400);
    host.tell(Input::Wake);
    let log = host.engine.log();
    let mut sightings = 0;
    log.visit_sightings(&mut |_| sightings += 1).unwrap();
    let now = host.now.day();
    let since = now.saturating_sub(14);
    assert_eq!(sightings, 0);
    assert!(log.exposures().unwrap().is_empty());
    assert!(log.day(DAY).unwrap().is_none());
    assert!(log.own_keys().unwrap().iter().all(|key| key.rolling_end() > since.first_interval()));
    assert_eq!(host.day(DAY).unwrap(), None);
    // A key file from then finds nothing any more.
    assert_eq!(announced(&host.tell(Input::KeyFile(KeyFile::without_cursor(&key_file(keys))))), 0);
}

#[test]
fn a_stopped_engine_still_forgets() {
    let mut host = Host::new(MemoryLog::new(), 1);
    assert_eq!(host.engine.next_wake(), None);
    let payload = plan_of(&Host::new(MemoryLog::new(), 2).tell(Input::Start)).unwrap().payload;
    host.tell(Input::Start);
    host.hear(payload, -60);
    assert_eq!(host.tell(Input::Stop).len(), 1);
    for _ in 0..15 {
        host.now = host.engine.next_wake().unwrap();
        let outputs = host.tell(Input::Wake);
        assert!(matches!(outputs[..], [Output::DayRecorded(_)]), "{outputs:?}");
    }
    assert_eq!(host.now.day(), DAY.saturating_add(15));
    let mut sightings = 0;
    host.engine.log().visit_sightings(&mut |_| sightings += 1).unwrap();
    assert_eq!(sightings, 0);
}

#[test]
fn a_clock_that_jumps_back_stops_neither_scans_nor_identifiers() {
    let mut host = Host::new(MemoryLog::new(), 1);
    host.now = DAY.saturating_add(400).start();
    host.tell(Input::Start);
    host.now = DAY.start();
    let outputs = host.tell(Input::Wake);
    assert_eq!(plan_of(&outputs).unwrap().until, DAY.start().saturating_add(600));
    assert!(outputs.iter().any(|output| matches!(output, Output::Scan(_))));
}

#[test]
fn no_time_panics() {
    let mut host = Host::new(MemoryLog::new(), 1);
    for now in [Timestamp::EPOCH, Timestamp::MAX, DAY.start(), Timestamp::MAX, Timestamp::EPOCH] {
        host.now = now;
        for input in [Input::Start, Input::Wake, disclosure(), Input::Stop, Input::Start] {
            host.tell(input);
        }
        let scan = ScanResult {
            started: now,
            ended: Timestamp::MAX,
            received: Vec::new(),
            malformed: u32::MAX,
            ended_reading: None,
        };
        host.tell(Input::ScanFinished(scan));
    }
}

/// A log that refuses every commit while it is told to.
#[derive(Debug, Default)]
struct FullDisk {
    inner: MemoryLog,
    full: std::rc::Rc<std::cell::Cell<bool>>,
}

#[derive(Debug, thiserror::Error)]
#[error("no space left")]
struct NoSpace;

impl EncounterLog for FullDisk {
    type Error = NoSpace;
    fn commit(&mut self, changes: Vec<Change>) -> Result<(), NoSpace> {
        if self.full.get() {
            return Err(NoSpace);
        }
        let Ok(()) = self.inner.commit(changes);
        Ok(())
    }
    fn own_keys(&self) -> Result<Vec<TemporaryExposureKey>, NoSpace> {
        let Ok(keys) = self.inner.own_keys();
        Ok(keys)
    }
    fn disclosed_until(&self) -> Result<Option<IntervalNumber>, NoSpace> {
        let Ok(until) = self.inner.disclosed_until();
        Ok(until)
    }
    fn visit_sightings(&self, visit: &mut dyn FnMut(&Sighting)) -> Result<(), NoSpace> {
        let Ok(()) = self.inner.visit_sightings(visit);
        Ok(())
    }
    fn exposures(&self) -> Result<Vec<Exposure>, NoSpace> {
        let Ok(exposures) = self.inner.exposures();
        Ok(exposures)
    }
    fn live_keys(&self) -> Result<Vec<LiveKey>, NoSpace> {
        let Ok(keys) = self.inner.live_keys();
        Ok(keys)
    }
    fn cursor(&self, source: &str) -> Result<Option<u64>, NoSpace> {
        let Ok(position) = self.inner.cursor(source);
        Ok(position)
    }
    fn audit(&self) -> Result<Vec<AuditEntry>, NoSpace> {
        let Ok(audit) = self.inner.audit();
        Ok(audit)
    }
    fn day(&self, day: UtcDay) -> Result<Option<DayRecord>, NoSpace> {
        let Ok(record) = self.inner.day(day);
        Ok(record)
    }
    fn assessed(&self) -> Result<Vec<Assessed>, NoSpace> {
        let Ok(records) = self.inner.assessed();
        Ok(records)
    }
    fn engine_record(&self) -> Result<Option<EngineRecord>, NoSpace> {
        let Ok(record) = self.inner.engine_record();
        Ok(record)
    }
    fn venues(&self) -> Result<VenueDiary, NoSpace> {
        let Ok(kept) = self.inner.venues();
        Ok(kept)
    }
    fn diary(&self) -> Result<Option<Diary>, NoSpace> {
        let Ok(kept) = self.inner.diary();
        Ok(kept)
    }
    fn publishing(&self) -> Result<Publishing, NoSpace> {
        let Ok(kept) = self.inner.publishing();
        Ok(kept)
    }
    fn is_full(_: &NoSpace) -> bool {
        true
    }
}

#[test]
fn a_failed_commit_has_not_happened_and_can_be_repeated() {
    let log = FullDisk::default();
    let full = log.full.clone();
    let mut engine = Engine::open(configuration(), log).unwrap();
    let mut rng = ChaCha20Rng::seed_from_u64(1);
    let start =
        ClockReading { wall: DAY.start(), monotonic_seconds: 0, boot: BootId::from_count(1) };
    full.set(true);
    assert!(engine.handle(Input::Start, start, &mut rng).is_err());
    assert_eq!(engine.next_wake(), None);
    assert!(engine.log().own_keys().unwrap().is_empty());
    full.set(false);
    let outputs = engine.handle(Input::Start, start, &mut rng).unwrap();
    assert!(plan_of(&outputs).is_some());
    assert_eq!(engine.log().own_keys().unwrap().len(), 1);
}
