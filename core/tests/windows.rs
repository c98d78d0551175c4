//! Exposure windows and scan instances, rule by rule.

#![allow(clippy::unwrap_used, reason = "a test may fail by panicking")]

use chikaku_core::advertisement::Advertisement;
use chikaku_core::diagnosis_key::{DiagnosisKey, DiagnosisKeyDetails, ReportType};
use chikaku_core::export::{KeyList, PublishedKey};
use chikaku_core::exposure::{
    ExposureWindow, MeasuredSighting, WindowOrigin, WindowRules, exposure_windows, measure,
};
use chikaku_core::keys::AssociatedEncryptedMetadata;
use chikaku_core::matching::{Matcher, MatchingRules, SightingIndex};
use chikaku_core::metadata::BluetoothMetadata;
use chikaku_core::risk::Infectiousness;
use chikaku_core::sighting::Sighting;
use chikaku_core::signal::{AttenuationDb, RssiDbm};
use chikaku_core::time::{IntervalNumber, RollingPeriod, Timestamp, UtcDay};
use proptest::prelude::*;

/// 2020-07-30T12:00:00Z.
const NOON: i64 = 1_596_110_400;

fn at(seconds: i64) -> Timestamp {
    Timestamp::from_unix_seconds(NOON + seconds).unwrap()
}

fn heard(seconds: i64, db: u16, previous_scan_ended: Option<i64>) -> MeasuredSighting {
    MeasuredSighting {
        heard_at: at(seconds),
        previous_scan_ended: previous_scan_ended.map(at),
        attenuation: AttenuationDb::from_db(db),
        calibration_confidence: None,
    }
}

fn origin(key: u8) -> WindowOrigin {
    let key = DiagnosisKey::new(
        [key; 16],
        IntervalNumber::new(0),
        RollingPeriod::DAY,
        DiagnosisKeyDetails::default(),
    );
    WindowOrigin {
        key: key.hash(),
        report_type: ReportType::ConfirmedTest,
        infectiousness: Infectiousness::High,
    }
}

fn windows(sightings: &[MeasuredSighting]) -> Vec<ExposureWindow> {
    exposure_windows(sightings, &origin(1), &WindowRules::default())
}

/// (minimum, typical, seconds) of every scan instance of every window.
fn instances(sightings: &[MeasuredSighting]) -> Vec<Vec<(u16, u16, u32)>> {
    let of = |window: ExposureWindow| {
        let scans = window.scan_instances.into_iter();
        scans
            .map(|scan| {
                (
                    scan.minimum_attenuation.db(),
                    scan.typical_attenuation.db(),
                    scan.seconds_since_last_scan,
                )
            })
            .collect()
    };
    windows(sightings).into_iter().map(of).collect()
}

#[test]
fn a_window_ends_1800_seconds_after_its_first_sighting() {
    let sightings = [heard(0, 50, None), heard(1799, 51, None), heard(1800, 52, None)];
    // 1799 and 1800 are one burst, but the break between windows is never shared.
    let expected = vec![vec![(50, 50, 120), (51, 51, 120)], vec![(52, 52, 120)]];
    assert_eq!(instances(&sightings), expected);
    let starts: Vec<_> = windows(&sightings).iter().map(|window| window.first_heard_at).collect();
    assert_eq!(starts, [at(0), at(1800)]);
}

#[test]
fn a_long_silence_opens_no_window() {
    assert_eq!(instances(&[heard(0, 50, None), heard(1500, 50, None)]).len(), 1);
}

#[test]
fn sightings_chain_over_25_seconds_and_no_more() {
    let chained = [heard(0, 50, None), heard(25, 60, None), heard(50, 70, None)];
    assert_eq!(instances(&chained), [[(50, 60, 120)]]);
    let broken = [heard(0, 50, None), heard(26, 60, None)];
    assert_eq!(instances(&broken), [[(50, 50, 120), (60, 60, 120)]]);
}

#[test]
fn the_typical_attenuation_is_the_mean_rounded_half_up() {
    for (dbs, typical) in [
        (&[50, 51][..], 51),
        (&[50, 50, 51], 50),
        (&[50, 51, 51], 51),
        (&[49, 50], 50),
        (&[0, 1], 1),
        (&[0, 0, 0, 1], 0),
    ] {
        let burst: Vec<_> = dbs.iter().map(|&db| heard(0, db, None)).collect();
        let least = *dbs.iter().min().unwrap();
        assert_eq!(instances(&burst), [[(least, typical, 120)]], "{dbs:?}");
    }
}

#[test]
fn seconds_since_last_scan_count_whole_minutes() {
    for (heard_at, previous, seconds) in [
        (0, None, 120),
        (0, Some(-1), 60),
        (59, Some(0), 0),
        (60, Some(59), 60),
        (239, Some(0), 180),
        (240, Some(0), 240),
        (300, Some(0), 300),
        (3600, Some(0), 300),
        // A clock that went back is no reason for a huge number.
        (0, Some(600), 0),
    ] {
        let scan = instances(&[heard(heard_at, 50, previous)]);
        assert_eq!(scan[0][0].2, seconds, "{heard_at} after {previous:?}");
    }
    // The first sighting of an instance decides.
    let burst = [heard(119, 50, Some(0)), heard(120, 50, Some(0))];
    assert_eq!(instances(&burst), [[(50, 50, 60)]]);
}

#[test]
fn a_windows_seconds_may_exceed_half_an_hour() {
    let scans: Vec<_> = (0..7).map(|n| heard(n * 299, 50, Some(n * 299 - 300))).collect();
    assert_eq!(windows(&scans).len(), 1);
    assert_eq!(windows(&scans)[0].seconds(), 2100);
}

#[test]
fn windows_that_look_alike_keep_their_identity() {
    let sightings = [heard(0, 50, None)];
    let one = exposure_windows(&sightings, &origin(1), &WindowRules::default());
    let other = exposure_windows(&sightings, &origin(2), &WindowRules::default());
    assert_eq!(one[0].scan_instances, other[0].scan_instances);
    assert_ne!(one[0].id, other[0].id);
    assert_eq!(one, exposure_windows(&sightings, &origin(1), &WindowRules::default()));
}

#[test]
fn the_day_is_the_utc_day_of_the_first_sighting() {
    let midnight = UtcDay::new(18_473).start();
    let mut late = heard(0, 50, None);
    late.heard_at = midnight.saturating_sub(1);
    assert_eq!(windows(&[late])[0].day(), UtcDay::new(18_472));
}

proptest! {
    #[test]
    fn no_sighting_is_lost_and_order_does_not_matter(
        mut times in proptest::collection::vec((0_i64..20_000, 0_u16..200), 0..80),
    ) {
        let sightings: Vec<_> = times.iter().map(|&(s, db)| heard(s, db, None)).collect();
        let result = windows(&sightings);
        for window in &result {
            prop_assert!(!window.scan_instances.is_empty());
            for scan in &window.scan_instances {
                prop_assert!(scan.minimum_attenuation <= scan.typical_attenuation);
            }
        }
        for pair in result.windows(2) {
            let gap = pair[1].first_heard_at.seconds_since(pair[0].first_heard_at);
            prop_assert!(gap >= 1800);
        }
        times.reverse();
        let reversed: Vec<_> = times.iter().map(|&(s, db)| heard(s, db, None)).collect();
        prop_assert_eq!(result, windows(&reversed));
    }
}

/// The metadata is malleable: whoever hears it can flip the bits of the power and send it on.
#[test]
fn c6_flipped_metadata_gains_no_more_than_an_honest_power_could() {
    let start = IntervalNumber::new(2_642_976);
    let details = DiagnosisKeyDetails::default();
    let key = DiagnosisKey::new([3; 16], start, RollingPeriod::DAY, details);
    let identifier = key.identifier_key().identifier(start);
    let honest = BluetoothMetadata::from_bytes([0x40, 8, 0, 0]).unwrap();
    let encrypted = *key.metadata_key().encrypt(&identifier, honest).as_bytes();
    let rssi = RssiDbm::new(-70).unwrap();
    let mut refused = 0;
    for flip in 0..=u8::MAX {
        let mut flipped = encrypted;
        flipped[1] ^= flip;
        let sighting = Sighting {
            heard_at: start.start(),
            previous_scan_ended: None,
            rssi: Some(rssi),
            advertisement: Advertisement {
                identifier,
                metadata: AssociatedEncryptedMetadata::from_bytes(flipped),
            },
            stamp: None,
        };
        let heard: SightingIndex = [sighting].into_iter().collect();
        let mut matcher = Matcher::new(&heard, MatchingRules::default());
        matcher.check(PublishedKey::new(key, KeyList::New), None);
        let report = matcher.finish();
        let (measured, unmeasured) = measure(&report.matches[0], &WindowRules::default());
        assert_eq!(measured.len() + unmeasured.implausible_transmit_power as usize, 1);
        refused += unmeasured.implausible_transmit_power;
        // -60 dBm is the least that any phone radiates: what is left is 10 dB, not less than nothing.
        assert!(measured.iter().all(|sighting| sighting.attenuation.db() >= 10), "{flip}");
    }
    assert!(refused > 100, "{refused} of 256 powers are impossible");
}
