//! Things to put into a log.

use chikaku_core::advertisement::Advertisement;
use chikaku_core::clock::{BootId, ClockReading, EpochId, RecordStamp};
use chikaku_core::diagnosis_key::{DaysSinceOnset, DiagnosisKey, DiagnosisKeyDetails, ReportType};
use chikaku_core::diary::admission::AdmissionFacts;
use chikaku_core::diary::{Basis, Diary, DiaryRules, Entry, Place, Start, Temperature};
use chikaku_core::encounter_log::{
    AcceptedConfiguration, AuditEntry, AuditedFile, Change, Cursor, DayRecord, EngineRecord,
    Exposure, Horizon, LiveKey,
};
use chikaku_core::export::{ExportDigest, ExportError, KeyList, PublishedKey};
use chikaku_core::exposure::{
    MeasuredSighting, UnmeasuredSightings, WindowOrigin, WindowRules, exposure_windows,
};
use chikaku_core::guidance::local_time::{LocalDate, UtcOffset};
use chikaku_core::keys::{
    AssociatedEncryptedMetadata, RollingProximityIdentifier, TemporaryExposureKey,
};
use chikaku_core::matching::{DroppedSightings, NearMisses};
use chikaku_core::metadata::CalibrationConfidence;
use chikaku_core::publish::{self, Consent, ProcessingNumber, Publishing, ReleaseRequest};
use chikaku_core::risk::{Assessment, Infectiousness, KeyEvidence, RiskLevel, RiskProfile};
use chikaku_core::sighting::Sighting;
use chikaku_core::signal::{AttenuationDb, RssiDbm};
use chikaku_core::status::assessed::{Assessed, AssessedResult};
use chikaku_core::time::{RollingPeriod, Timestamp, UtcDay};
use chikaku_core::venue::{VenueCode, VenueDiary};
use proptest::prelude::*;
use rand_chacha::ChaCha20Rng;
use rand_core::SeedableRng;

pub const FIRST: UtcDay = UtcDay::new(20_000);
pub const DAYS: core::ops::Range<u32> = 19_998..20_008;
pub const SOURCES: [&str; 2] = ["440", "a source with a longer name"];

pub fn at(day: u32, second: u32) -> Timestamp {
    FIRST.saturating_add(day).start().saturating_add(second)
}

/// The stamp of what is recorded at `instant` by a phone whose clock was never set.
pub fn stamp(instant: Timestamp) -> RecordStamp {
    let elapsed = 1_000_000 + instant.seconds_since(FIRST.start());
    let sequence = elapsed.unsigned_abs() / 250;
    RecordStamp { sequence, epoch: epoch(1), elapsed_seconds: elapsed.unsigned_abs() }
}

pub fn epoch(number: u64) -> EpochId {
    serde_json::from_value(number.into()).unwrap()
}

/// Everything from before `instant` is too old, by either clock.
pub fn forget(instant: Timestamp) -> Change {
    let elapsed_seconds = stamp(instant).elapsed_seconds;
    Change::Forget(Horizon { before: instant, elapsed_seconds })
}

/// Sixteen bytes that differ for different numbers, and occur nowhere by chance.
pub fn bytes(number: u64) -> [u8; 16] {
    let mixed = (u128::from(number) + 1).wrapping_mul(0x9E37_79B9_7F4A_7C15_F39C_C060_5CED_C835);
    mixed.to_be_bytes()
}

pub fn sighting(number: u64, heard_at: Timestamp, previous: Option<u32>) -> Sighting {
    Sighting {
        heard_at,
        previous_scan_ended: previous.map(|seconds| heard_at.saturating_sub(seconds)),
        rssi: (number % 7 != 3).then(|| {
            let below = i16::try_from(number % 70).unwrap();
            RssiDbm::new(-40 - below).unwrap()
        }),
        advertisement: Advertisement {
            identifier: RollingProximityIdentifier::from_bytes(bytes(number)),
            metadata: AssociatedEncryptedMetadata::from_bytes([1, 2, 3, 4]),
        },
        stamp: None,
    }
}

/// One scan of `phones` phones, each heard twice, and stamped as the engine does.
pub fn scan(day: u32, second: u32, phones: u64) -> Change {
    let heard = (0..phones).flat_map(|phone| {
        let number = u64::from(day) << 40 | u64::from(second) << 20 | phone;
        [0, 1].map(|after| sighting(number, at(day, second + after), None))
    });
    let previous = (second > 300).then(|| at(day, second - 296));
    let scan = stamp(at(day, second));
    let heard = heard.map(|sighting| {
        let RecordStamp { elapsed_seconds, .. } = stamp(sighting.heard_at);
        let stamp = Some(RecordStamp { elapsed_seconds, ..scan });
        Sighting { previous_scan_ended: previous, stamp, ..sighting }
    });
    Change::Sightings(heard.collect())
}

pub fn own_key(day: u32, period: u32) -> Change {
    Change::OwnKey(TemporaryExposureKey::from_stored(
        bytes(u64::from(day) + 9_000_000),
        FIRST.saturating_add(day).first_interval(),
        RollingPeriod::new(period).unwrap(),
    ))
}

pub fn published(number: u64, day: u32) -> PublishedKey {
    let details = DiagnosisKeyDetails {
        transmission_risk_level: number.is_multiple_of(3).then_some(4),
        report_type: number.is_multiple_of(2).then_some(ReportType::SelfReport),
        days_since_onset: DaysSinceOnset::new(i32::try_from(number % 40).unwrap() - 14),
        variant_of_concern: number.is_multiple_of(5).then_some(true),
    };
    let start = FIRST.saturating_add(day).first_interval();
    let key = DiagnosisKey::new(bytes(number + 7_000_000), start, RollingPeriod::DAY, details);
    let list = if number.is_multiple_of(4) { KeyList::Revised } else { KeyList::New };
    let revised = PublishedKey::new(key, KeyList::Revised);
    let published = PublishedKey::new(key, list);
    let grounds = if number.is_multiple_of(3) { revised } else { published }.grounds();
    PublishedKey::with_grounds(key, list, grounds)
}

/// An exposure to a key of `day`, with a window on that day and one after midnight.
pub fn exposure(number: u64, day: u32, into_next_day: bool) -> Change {
    let published = published(number, day);
    let measured = |heard_at| MeasuredSighting {
        heard_at,
        previous_scan_ended: Some(heard_at.saturating_sub(300)),
        attenuation: AttenuationDb::from_db(50),
        calibration_confidence: Some(CalibrationConfidence::High),
    };
    let mut heard = vec![measured(at(day, 40_000)), measured(at(day, 40_300))];
    if into_next_day {
        heard.push(measured(at(day + 1, 600)));
    }
    let origin = WindowOrigin {
        key: published.key.hash(),
        report_type: ReportType::ConfirmedTest,
        infectiousness: Infectiousness::High,
    };
    let mut dropped = DroppedSightings::default();
    dropped.outside_tolerance = 3;
    dropped.clock_suspect = 4;
    let mut unmeasured = UnmeasuredSightings::default();
    unmeasured.rssi_unavailable = 2;
    Change::Exposure(Exposure {
        published,
        first_available: stamp(at(day + 1, 3_600)),
        windows: exposure_windows(&heard, &origin, &WindowRules::default()),
        sightings: heard,
        identifiers: 2,
        dropped,
        unmeasured,
    })
}

pub fn profiles() -> [RiskProfile; 6] {
    [
        RiskProfile::gaen(),
        RiskProfile::cocoa_v2(),
        RiskProfile::google_v1(),
        RiskProfile::apple_v1(),
        RiskProfile::cwa(),
        RiskProfile::monotone(),
    ]
}

/// What `profile` says of half an hour on that day.
pub fn assessment(profile: &RiskProfile, day: u32) -> Assessment {
    let published = published(2, day);
    let heard: Vec<_> = (0..7)
        .map(|scan| MeasuredSighting {
            heard_at: at(day, 40_000 + scan * 300),
            previous_scan_ended: Some(at(day, 39_704 + scan * 300)),
            attenuation: AttenuationDb::from_db(50),
            calibration_confidence: Some(CalibrationConfidence::High),
        })
        .collect();
    let origin = profile.window_origin(&published.key);
    let windows = exposure_windows(&heard, &origin, &WindowRules::default());
    let evidence = [KeyEvidence { key: &published.key, windows: &windows, sightings: &heard }];
    let day = FIRST.saturating_add(day);
    let mut assessment = profile.assess_day(day, &evidence, day).unwrap();
    // A number that no decimal fraction is.
    assessment.score += 1.0 / 3.0;
    assessment
}

pub fn day_record(day: u32, announced: bool) -> Change {
    let assessment = assessment(&RiskProfile::cocoa_v2(), day);
    Change::Day(DayRecord { assessment, announced })
}

pub fn assessed(day: u32, number: u8) -> Change {
    Change::Assessed(Assessed {
        date: FIRST.saturating_add(day),
        minutes_scanned: u32::from(number),
        minutes_planned: 1_440,
        files_ok: 3,
        files_missing: 1,
        keys_checked: 90_000,
        config_version: number.is_multiple_of(2).then(|| "2021-04".to_owned()),
        result: match number % 3 {
            0 => AssessedResult::NotMatched,
            1 => AssessedResult::NothingFound,
            _ => AssessedResult::Found { highest: RiskLevel::High },
        },
    })
}

/// The record of an engine at `instant`, under one of the profiles.
pub fn engine_record(instant: Timestamp) -> Change {
    let mut record = EngineRecord { switched_on: true, ..EngineRecord::default() };
    let seconds = stamp(instant).elapsed_seconds;
    for ahead in [0, 900] {
        record.clock.read(ClockReading {
            wall: instant.saturating_add(ahead),
            monotonic_seconds: seconds,
            boot: BootId::from_count(3),
        });
    }
    record.last_scan = Some(instant);
    record.forgotten_days.insert(instant.day().saturating_sub(2));
    let profile = profiles()[usize::try_from(seconds % 6).unwrap()].clone();
    record.accepted = Some(AcceptedConfiguration { profile, version: Some("7".to_owned()) });
    Change::Engine(Box::new(record))
}

pub fn accepted(at: Timestamp, number: u8) -> Change {
    let mut sightings = DroppedSightings::default();
    sightings.clock_suspect = u32::from(number);
    let file = AuditedFile {
        digest: ExportDigest::from_bytes([number; 32]),
        keys: 1_000,
        skipped: 1,
        matched: 2,
        near_misses: NearMisses { keys: 3, sightings },
    };
    Change::Audit(AuditEntry { at, outcome: Ok(file) })
}

pub fn refused(at: Timestamp) -> Change {
    let outcome = Err(ExportError::TooLarge { entry: "export.bin", limit: 5 });
    Change::Audit(AuditEntry { at, outcome })
}

pub fn cursor(source: usize, position: u64) -> Change {
    let source = SOURCES[source % SOURCES.len()].to_owned();
    Change::Cursor(Cursor { source, position })
}

pub fn live_key(number: u64, day: u32) -> Change {
    Change::LiveKey(LiveKey {
        published: published(number, day),
        first_available: stamp(at(day, 50_000)),
    })
}

/// A code of Corona-Warn-App's documents.
const HAIRDRESSER: &str = "https://e.coronawarn.app?v=1#CAESEwgBEgdGcmlzZXVyGgZCZXJsaW4adggBEmCDAszMTXne1DAA5_YxmhRdd_NZN2VKl9L32Jl9-ZybE4b2eNIrhFOKYU4XAOHq3RPLDxdHTW6ANiO24rCOO4rj06HzcVZy3pel58-L1KSPG-_PneL2BoyZQRz3qlu2hoAaEATXwzyyIshzBHREtsdmc6kiBggBEAUYeA";

/// A visit of half an hour at the same time on each of `days`.
pub fn visits(days: impl IntoIterator<Item = u32>, second: u32) -> Change {
    let mut venues = VenueDiary::default();
    let code = VenueCode::read(HAIRDRESSER).unwrap();
    for day in days {
        let number = venues.check_in(&code, at(day, second)).unwrap();
        venues.check_out(number, at(day, second + 1_800)).unwrap();
    }
    Change::Venues(Box::new(venues))
}

/// A diary that begins on `day`, with an entry at that second of each of the days that follow.
pub fn diary(day: u32, second: u32, entries: u32) -> Change {
    let rules = DiaryRules::builtin();
    let onset = LocalDate::at(at(day, 0), UtcOffset::JAPAN);
    let facts = AdmissionFacts::default();
    let start = Start {
        basis: Basis::Onset(onset),
        place: Place::Home,
        utc_offset: UtcOffset::JAPAN,
        facts,
    };
    let mut diary = Diary::begin(start, &rules, at(day, 0)).unwrap();
    for later in 0..entries {
        let noted = at(day + later, second);
        let temperature = Some(Temperature::from_tenths_celsius(378).unwrap());
        diary.add(Entry { temperature, ..Entry::at(noted) }, &rules, noted).unwrap();
    }
    Change::Diary(Box::new(diary))
}

/// Uploads of the keys of `days`, waiting.
pub fn publishing(days: core::ops::Range<u32>, number: u64) -> Change {
    let mut rng = ChaCha20Rng::seed_from_u64(number);
    let keys: Vec<_> = days.clone().map(|day| published(number, day).key).collect();
    let now = at(days.end, 600);
    let consent = Consent::given_by_user(now);
    let date = publish::LocalDate::new(FIRST.days_since_1970(), publish::UtcOffset::UTC).unwrap();
    let basis = publish::Basis::SymptomOnset(date);
    let request = ReleaseRequest::new(consent, ReportType::ConfirmedTest, basis);
    let mut publishing = Publishing::default();
    if let Ok(release) = request.release(&keys, now, &mut rng) {
        let code = ProcessingNumber::new("12345678").unwrap();
        publishing.uploads.add(release, code.into(), &mut rng);
    }
    publishing.attempts.number_refused(now);
    Change::Publishing(Box::new(publishing))
}

/// Stamps that have nothing to do with the wall clock, up to the ends of the numbers.
fn any_stamp() -> impl Strategy<Value = Option<RecordStamp>> {
    let elapsed = prop_oneof![4 => 900_000_u64..1_500_000, 1 => any::<u64>()];
    proptest::option::of((0_u64..3, 0_u64..3, elapsed).prop_map(
        |(sequence, number, elapsed_seconds)| RecordStamp {
            sequence,
            epoch: epoch(number),
            elapsed_seconds,
        },
    ))
}

/// Any change, within some days around [`FIRST`].
pub fn any_change() -> impl Strategy<Value = Change> {
    let day = 0_u32..5;
    let second = 0_u32..86_300;
    prop_oneof![
        4 => (day.clone(), second.clone(), 0_u64..40).prop_map(|(d, s, n)| scan(d, s, n)),
        2 => (day.clone(), second.clone(), proptest::collection::vec((0_u64..9, 0_u32..90_000, proptest::option::of(0_u32..9_000), any_stamp()), 0..20))
            .prop_map(|(d, s, heard)| Change::Sightings(
                heard.into_iter().map(|(n, later, previous, stamp)| Sighting { stamp, ..sighting(n, at(d, s).saturating_add(later), previous) }).collect()
            )),
        1 => (day.clone(), 1_u32..=144).prop_map(|(d, period)| own_key(d, period)),
        1 => (day.clone(), 0_u32..300).prop_map(|(d, i)| Change::DisclosedUntil(
            at(d, 0).interval().checked_add(i).unwrap()
        )),
        1 => (0_u64..6, day.clone(), any::<bool>()).prop_map(|(n, d, next)| exposure(n, d, next)),
        1 => (day.clone(), any::<bool>()).prop_map(|(d, told)| day_record(d, told)),
        1 => (0_u64..6, day.clone()).prop_map(|(n, d)| live_key(n, d)),
        1 => (0_usize..2, 0_u64..9).prop_map(|(source, position)| cursor(source, position)),
        1 => (day.clone(), second.clone(), any::<u8>()).prop_map(|(d, s, n)| accepted(at(d, s), n)),
        1 => (day.clone(), second.clone()).prop_map(|(d, s)| refused(at(d, s))),
        1 => (day.clone(), 0_usize..6).prop_map(|(d, profile)| {
            let assessment = assessment(&profiles()[profile], d);
            Change::Day(DayRecord { assessment, announced: false })
        }),
        1 => (day.clone(), any::<u8>()).prop_map(|(d, n)| assessed(d, n)),
        1 => (day.clone(), second.clone()).prop_map(|(d, s)| engine_record(at(d, s))),
        1 => (day.clone(), second.clone()).prop_map(|(d, s)| forget(at(d, s))),
        1 => (day.clone(), second, 900_000_u64..1_500_000).prop_map(|(d, s, elapsed_seconds)| {
            Change::Forget(Horizon { before: at(d, s), elapsed_seconds })
        }),
        1 => (0_u32..3, 0_u32..84_000).prop_map(|(days, s)| visits(0..days, s)),
        1 => (day.clone(), 0_u32..84_000, 0_u32..4).prop_map(|(d, s, entries)| diary(d, s, entries)),
        1 => (0_u32..4, any::<u64>()).prop_map(|(days, n)| publishing(0..days, n % 40)),
        1 => day.prop_map(|d| Change::ForgetDay(FIRST.saturating_add(d))),
        1 => Just(Change::ForgetEverything),
    ]
}
