//! Things to put into a log.

use chikaku_core::advertisement::Advertisement;
use chikaku_core::diagnosis_key::{DaysSinceOnset, DiagnosisKey, DiagnosisKeyDetails, ReportType};
use chikaku_core::encounter_log::{
    AuditEntry, AuditedFile, Change, Cursor, DayRecord, Exposure, LiveKey,
};
use chikaku_core::export::{ExportDigest, ExportError, KeyList, PublishedKey};
use chikaku_core::exposure::{
    MeasuredSighting, UnmeasuredSightings, WindowOrigin, WindowRules, exposure_windows,
};
use chikaku_core::keys::{
    AssociatedEncryptedMetadata, RollingProximityIdentifier, TemporaryExposureKey,
};
use chikaku_core::matching::{DroppedSightings, NearMisses};
use chikaku_core::metadata::CalibrationConfidence;
use chikaku_core::risk::Infectiousness;
use chikaku_core::risk::RiskLevel;
use chikaku_core::risk::cocoa::DayAssessment;
use chikaku_core::risk::daily_summary::DailySummary;
use chikaku_core::sighting::Sighting;
use chikaku_core::signal::{AttenuationDb, RssiDbm};
use chikaku_core::time::{RollingPeriod, Timestamp, UtcDay};
use proptest::prelude::*;

pub const FIRST: UtcDay = UtcDay::new(20_000);
pub const DAYS: core::ops::Range<u32> = 19_998..20_008;
pub const SOURCES: [&str; 2] = ["440", "a source with a longer name"];

pub fn at(day: u32, second: u32) -> Timestamp {
    FIRST.saturating_add(day).start().saturating_add(second)
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
    }
}

/// One scan of `phones` phones, each heard twice.
pub fn scan(day: u32, second: u32, phones: u64) -> Change {
    let heard = (0..phones).flat_map(|phone| {
        let number = u64::from(day) << 40 | u64::from(second) << 20 | phone;
        [0, 1].map(|after| sighting(number, at(day, second + after), None))
    });
    let previous = (second > 300).then(|| at(day, second - 296));
    let heard = heard.map(|sighting| Sighting { previous_scan_ended: previous, ..sighting });
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
    PublishedKey { key, list }
}

/// An exposure to a key of `day`, with a window on that day and one after midnight.
pub fn exposure(number: u64, day: u32, into_next_day: bool) -> Change {
    let published = published(number, day);
    let measured = |heard_at| MeasuredSighting {
        heard_at,
        previous_scan_ended: None,
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
    let mut unmeasured = UnmeasuredSightings::default();
    unmeasured.rssi_unavailable = 2;
    Change::Exposure(Exposure {
        published,
        first_available: at(day + 1, 3_600),
        windows: exposure_windows(&heard, &origin, &WindowRules::default()),
        identifiers: 2,
        dropped,
        unmeasured,
    })
}

pub fn day_record(day: u32, announced: bool) -> Change {
    let day = FIRST.saturating_add(day);
    let data = chikaku_core::risk::daily_summary::SummaryData {
        maximum_score: 1.0 / 3.0,
        score_sum: 2.5,
        weighted_duration_sum: 900.25,
    };
    let summary = DailySummary {
        day,
        maximum_score: 0.1,
        score_sum: 1350.0,
        weighted_duration_sum: 900.25,
        windows: 2,
        confirmed_test: data,
        confirmed_clinical_diagnosis: data,
        self_report: data,
        recursive: data,
    };
    let assessment =
        DayAssessment { day, level: RiskLevel::High, summary, seconds_since_last_scan_sum: 900 };
    Change::Day(DayRecord { assessment, announced })
}

pub fn accepted(at: Timestamp, number: u8) -> Change {
    let sightings = DroppedSightings::default();
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
    Change::LiveKey(LiveKey { published: published(number, day), first_available: at(day, 50_000) })
}

/// Any change, within some days around [`FIRST`].
pub fn any_change() -> impl Strategy<Value = Change> {
    let day = 0_u32..5;
    let second = 0_u32..86_300;
    prop_oneof![
        4 => (day.clone(), second.clone(), 0_u64..40).prop_map(|(d, s, n)| scan(d, s, n)),
        2 => (day.clone(), second.clone(), proptest::collection::vec((0_u64..9, 0_u32..90_000, proptest::option::of(0_u32..9_000)), 0..20))
            .prop_map(|(d, s, heard)| Change::Sightings(
                heard.into_iter().map(|(n, later, previous)| sighting(n, at(d, s).saturating_add(later), previous)).collect()
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
        1 => (day, second).prop_map(|(d, s)| Change::ForgetBefore(at(d, s))),
    ]
}
