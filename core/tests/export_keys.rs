//! The keys of a file: a bad one is skipped and counted, a missing value stays missing.

#![allow(clippy::unwrap_used, reason = "a test, though not inside a test function")]

mod export_support;

use chikaku_core::diagnosis_key::{DaysSinceOnset, ReportType};
use chikaku_core::export::{KeyIssue, KeyList, KeyReport, PublishedKey, SkipReason};
use export_support::{bin, chunk, key_message, number, packed, read_bin, sig, signer, verify};

const START: i64 = 2_666_016;

/// sint32 on the wire.
fn zigzag(field: u64, value: i32) -> Vec<u8> {
    number(field, i64::from((value << 1) ^ (value >> 31)) & 0xffff_ffff)
}

fn only(fields: &[Vec<u8>]) -> PublishedKey {
    let good = [chunk(1, [9; 16]), number(3, START)].concat();
    let message = [good, fields.concat()].concat();
    let (_, keys, report) = read_bin(&bin(&[chunk(7, message)])).unwrap();
    assert_eq!((keys.len(), report.skipped()), (1, 0));
    keys[0]
}

#[test]
fn one_bad_key_of_a_thousand_costs_only_itself() {
    use SkipReason::{
        KeyDataLength, RollingPeriodOutOfRange, RollingStartMissing, RollingStartOutOfRange,
        Undecodable,
    };
    let data = || chunk(1, [9; 16]);
    let start = || number(3, START);
    let bad = [
        (KeyDataLength, [start(), number(4, 144)].concat()),
        (KeyDataLength, [chunk(1, ""), start()].concat()),
        (KeyDataLength, [chunk(1, [9; 15]), start()].concat()),
        (KeyDataLength, [chunk(1, [9; 17]), start()].concat()),
        (KeyDataLength, Vec::new()),
        (RollingStartMissing, data()),
        (RollingStartOutOfRange, [data(), number(3, -1)].concat()),
        (RollingStartOutOfRange, [data(), number(3, i64::from(i32::MIN))].concat()),
        (RollingStartOutOfRange, [data(), number(3, i64::from(u32::MAX))].concat()),
        (RollingPeriodOutOfRange, [data(), start(), number(4, 0)].concat()),
        (RollingPeriodOutOfRange, [data(), start(), number(4, 145)].concat()),
        (RollingPeriodOutOfRange, [data(), start(), number(4, -1)].concat()),
        (RollingPeriodOutOfRange, [data(), start(), number(4, 400)].concat()),
        (Undecodable, vec![0xff; 30]),
        (Undecodable, [data(), start(), vec![0x0a, 0x10]].concat()),
        (Undecodable, [data(), chunk(3, "start")].concat()),
        (Undecodable, [number(1, 9), start()].concat()),
        (Undecodable, [data(), start(), chunk(2, "risk")].concat()),
        (Undecodable, [data(), start(), chunk(4, "period")].concat()),
        (Undecodable, [data(), start(), chunk(5, "type")].concat()),
        (Undecodable, [data(), start(), chunk(6, "days")].concat()),
        (Undecodable, [data(), start(), chunk(8, "variant")].concat()),
        (Undecodable, vec![0]),
    ];
    let signer = signer("440", "v1", 7);
    for (place, (reason, message)) in bad.into_iter().enumerate() {
        for (field, list) in [(7, KeyList::New), (8, KeyList::Revised)] {
            let index = (place * 43) as u64;
            let mut fields = vec![chunk(field, key_message(1)); 999];
            fields.insert(place * 43, chunk(field, &message));
            fields.extend([number(4, 1), number(5, 1), chunk(6, signer.info())]);
            let bin = bin(&fields);
            let zip = packed(&bin, &sig(&[signer.signature(&bin)]));
            let (metadata, keys, report) = verify(&zip, &signer.trusted()).unwrap();
            assert_eq!(metadata.key_count + metadata.revised_key_count, 1_000);
            assert_eq!((keys.len(), report.delivered(), report.skipped()), (999, 999, 1));
            assert_eq!(report.skipped_for(reason), 1, "{reason:?}");
            assert_eq!(report.issues(), [KeyIssue { list, index, reason }]);
        }
    }
}

#[test]
fn issues_are_counted_in_their_list_and_kept_up_to_a_bound() {
    let mut fields = Vec::new();
    for _ in 0..100 {
        fields.extend([chunk(7, ""), chunk(8, key_message(1)), chunk(8, [0xff])]);
    }
    let (_, keys, report) = read_bin(&bin(&fields)).unwrap();
    assert_eq!((keys.len(), report.delivered_revised(), report.skipped()), (100, 100, 200));
    assert_eq!(report.skipped_for(SkipReason::KeyDataLength), 100);
    assert_eq!(report.skipped_for(SkipReason::Undecodable), 100);
    assert_eq!(report.skipped_for(SkipReason::RollingStartMissing), 0);
    assert_eq!(report.issues().len(), KeyReport::ISSUES_KEPT);
    let last = KeyIssue { list: KeyList::Revised, index: 15, reason: SkipReason::Undecodable };
    assert_eq!(report.issues().last(), Some(&last));
}

#[test]
fn absent_period_is_a_day() {
    assert_eq!(only(&[]).key.rolling_period().intervals(), 144);
    assert_eq!(only(&[number(4, 1)]).key.rolling_period().intervals(), 1);
    assert_eq!(only(&[number(4, 144)]).key.rolling_period().intervals(), 144);
}

#[test]
fn absent_details_are_none_and_written_zeros_are_not() {
    let details = only(&[]).key.details;
    assert_eq!(details, Default::default());
    let details = only(&[number(2, 0), zigzag(6, 0), number(8, 0)]).key.details;
    assert_eq!(details.transmission_risk_level, Some(0));
    assert_eq!(details.days_since_onset, DaysSinceOnset::new(0));
    assert_eq!(details.variant_of_concern, Some(false));
}

#[test]
fn report_types() {
    let of = |value| only(&[number(5, value)]).key.details.report_type;
    assert_eq!(of(1), Some(ReportType::ConfirmedTest));
    assert_eq!(of(2), Some(ReportType::ConfirmedClinicalDiagnosis));
    assert_eq!(of(3), Some(ReportType::SelfReport));
    assert_eq!(of(4), Some(ReportType::Recursive));
    assert_eq!(of(5), Some(ReportType::Revoked));
    for none in [0, 6, 99, -1] {
        assert_eq!(of(none), None);
    }
}

#[test]
fn days_since_onset() {
    let of = |value| only(&[zigzag(6, value)]).key.details.days_since_onset.map(|d| d.days());
    for days in -14..=14 {
        assert_eq!(of(days).map(i32::from), Some(days));
    }
    for none in [-15, 15, 2_000, 4_000, i32::MIN, i32::MAX] {
        assert_eq!(of(none), None);
    }
}

#[test]
fn risk_levels_out_of_range_are_ignored_and_counted() {
    for risk in 0..=8_u8 {
        let key = only(&[number(2, risk.into())]).key;
        assert_eq!(key.details.transmission_risk_level, Some(risk));
    }
    for risk in [9, 255, 256, -1, i64::from(i32::MAX)] {
        let message = [key_message(1), number(2, risk)].concat();
        let (_, keys, report) = read_bin(&bin(&[chunk(7, message)])).unwrap();
        assert_eq!(keys[0].key.details.transmission_risk_level, None);
        assert_eq!((report.ignored_risk_levels(), report.skipped()), (1, 0));
    }
}

#[test]
fn nothing_that_is_printed_shows_a_key() {
    let mut fields = vec![chunk(7, [chunk(1, [0xab; 16]), number(3, START)].concat())];
    fields.push(chunk(7, chunk(1, [0xab; 16])));
    let (metadata, keys, report) = read_bin(&bin(&fields)).unwrap();
    let printed = format!("{metadata:?} {keys:?} {report:?}");
    assert!(!printed.contains("171, 171") && !printed.contains("abab"), "{printed}");
}
