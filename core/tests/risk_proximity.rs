//! Profile `proximity` and the correction of a receiver, as an app uses them.

#![allow(clippy::unwrap_used, reason = "a test may fail by panicking")]

use chikaku_core::calibration::receiver_correction;
use chikaku_core::diagnosis_key::{DiagnosisKey, DiagnosisKeyDetails};
use chikaku_core::exposure::{MeasuredSighting, WindowRules, exposure_windows};
use chikaku_core::risk::proximity::Proximity;
use chikaku_core::risk::{Assessment, KeyEvidence, ProfileRules, RiskLevel, RiskProfile};
use chikaku_core::signal::{AttenuationDb, RssiCorrectionDb, RssiDbm};
use chikaku_core::time::{RollingPeriod, UtcDay};

const DAY: UtcDay = UtcDay::new(20_000);

/// A scan every five minutes, each with packets of these attenuations.
fn assess(scans: &[&[u16]], with_sightings: bool) -> Assessment {
    let profile = RiskProfile::proximity();
    let details = DiagnosisKeyDetails::default();
    let key = DiagnosisKey::new([3; 16], DAY.first_interval(), RollingPeriod::DAY, details);
    let mut sightings = Vec::new();
    for (number, packets) in scans.iter().enumerate() {
        let ended = DAY.start().saturating_add(300 * u32::try_from(number).unwrap());
        let heard_at = ended.saturating_add(300);
        sightings.extend(packets.iter().map(|&db| MeasuredSighting {
            heard_at,
            previous_scan_ended: Some(ended),
            attenuation: AttenuationDb::from_db(db),
            calibration_confidence: None,
        }));
    }
    let windows =
        exposure_windows(&sightings, &profile.window_origin(&key), &WindowRules::default());
    let sightings = if with_sightings { sightings } else { Vec::new() };
    let evidence = KeyEvidence { key: &key, windows: &windows, sightings: &sightings };
    profile.assess_day(DAY, &[evidence], DAY).unwrap()
}

#[test]
fn fifteen_minutes_at_even_odds_are_high() {
    let found = assess(&[&[60], &[60], &[60]], true);
    assert_eq!((found.score, found.level), (7.5, RiskLevel::High));
    assert_eq!(assess(&[&[61], &[60], &[60]], true).level, RiskLevel::Low);
}

#[test]
fn many_packets_and_the_nearest_of_them_speak_for_nearness() {
    let one = assess(&[&[66]], true);
    let several = assess(&[&[66, 70, 70, 70, 70, 70, 70, 70, 70, 70, 70]], true);
    // Ten packets after the first take 3 dB off.
    assert_eq!(several.contributions[0].buckets[0].from, AttenuationDb::from_db(63));
    assert!(several.score > one.score);
    // Without the sightings nothing is added.
    let unknown = assess(&[&[66, 70, 70, 70, 70, 70, 70, 70, 70, 70, 70]], false);
    assert_eq!(unknown.score, one.score);
}

#[test]
fn the_score_is_the_sum_of_its_terms() {
    let found = assess(&[&[50, 52], &[64], &[71, 80, 75]], true);
    let contribution = &found.contributions[0];
    let terms: f64 = contribution
        .buckets
        .iter()
        .map(|b| b.weight * f64::from(u32::try_from(b.seconds).unwrap()))
        .sum();
    let factors: f64 = contribution.factors.iter().map(|factor| factor.value).product();
    assert!((terms * factors - found.score).abs() < 1e-9);
}

#[test]
fn what_is_out_of_range_is_refused_with_its_place() {
    for (slope_db, bonus_of_a_packet_tenths_db) in [(0.0, 3), (f64::NAN, 3), (6.0, 21)] {
        let rules = Proximity { slope_db, bonus_of_a_packet_tenths_db, ..Proximity::default() };
        let refused = RiskProfile::new(ProfileRules::Proximity(rules)).unwrap_err().to_string();
        assert!(refused.contains("slope_db") || refused.contains("bonus"), "{refused}");
    }
}

#[test]
fn a_deaf_receiver_finds_its_correction_and_a_good_one_needs_none() {
    let readings =
        |floor: i16| (0..2000_i16).map(move |number| RssiDbm::new(floor + number % 40).unwrap());
    // Of forty values the two least are a twentieth.
    assert_eq!(receiver_correction(readings(-92)), Some(RssiCorrectionDb(0)));
    assert_eq!(receiver_correction(readings(-99)), Some(RssiCorrectionDb(5)));
    // Only near phones were heard: no correction, and none in the other direction.
    assert_eq!(receiver_correction(readings(-60)), Some(RssiCorrectionDb(0)));
    assert_eq!(receiver_correction(readings(-120)), Some(RssiCorrectionDb(6)));
    assert_eq!(receiver_correction(readings(-99).take(499)), None);
}
