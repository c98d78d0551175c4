//! The risk profiles on contacts whose outcome is known: by hand from the documented tables, and
//! from the incidents that gave the profiles their shape.

#![allow(clippy::unwrap_used, reason = "a test may fail by panicking")]

use chikaku_core::diagnosis_key::{DaysSinceOnset, DiagnosisKey, DiagnosisKeyDetails, ReportType};
use chikaku_core::exposure::{ExposureWindow, MeasuredSighting, WindowRules, exposure_windows};
use chikaku_core::risk::apple_v1::AppleV1;
use chikaku_core::risk::google_v1::GoogleV1;
use chikaku_core::risk::{Assessment, KeyEvidence, ProfileRules, RiskLevel, RiskProfile};
use chikaku_core::signal::AttenuationDb;
use chikaku_core::time::{RollingPeriod, UtcDay};
use proptest::prelude::*;

const DAY: UtcDay = UtcDay::new(19_004);

/// A contact: a key, and what was heard of it every five minutes from 03:00 UTC.
struct Contact {
    key: DiagnosisKey,
    sightings: Vec<MeasuredSighting>,
}

impl Contact {
    fn new(number: u8, details: DiagnosisKeyDetails, db: u16, scans: u32) -> Self {
        let key =
            DiagnosisKey::new([number; 16], DAY.first_interval(), RollingPeriod::DAY, details);
        let begins = DAY.start().saturating_add(3 * 3600);
        let sightings = (0..scans).map(|scan| MeasuredSighting {
            heard_at: begins.saturating_add(scan * 300),
            previous_scan_ended: Some(begins.saturating_add(scan * 300).saturating_sub(300)),
            attenuation: AttenuationDb::from_db(db),
            calibration_confidence: None,
        });
        Self { key, sightings: sightings.collect() }
    }

    fn windows(&self, profile: &RiskProfile) -> Vec<ExposureWindow> {
        let origin = profile.window_origin(&self.key);
        exposure_windows(&self.sightings, &origin, &WindowRules::default())
    }
}

fn assess(profile: &RiskProfile, contacts: &[Contact]) -> Option<Assessment> {
    let windows: Vec<_> = contacts.iter().map(|contact| contact.windows(profile)).collect();
    let evidence: Vec<_> = contacts
        .iter()
        .zip(&windows)
        .map(|(contact, windows)| KeyEvidence {
            key: &contact.key,
            windows,
            sightings: &contact.sightings,
        })
        .collect();
    profile.assess_day(DAY, &evidence, DAY.saturating_add(1))
}

fn one(profile: &RiskProfile, details: DiagnosisKeyDetails, db: u16, scans: u32) -> Assessment {
    assess(profile, &[Contact::new(1, details, db, scans)]).unwrap()
}

fn all_profiles() -> [RiskProfile; 6] {
    [
        RiskProfile::gaen(),
        RiskProfile::cocoa_v2(),
        RiskProfile::google_v1(),
        RiskProfile::apple_v1(),
        RiskProfile::cwa(),
        RiskProfile::monotone(),
    ]
}

fn transmission_risk(level: Option<u8>) -> DiagnosisKeyDetails {
    DiagnosisKeyDetails { transmission_risk_level: level, ..DiagnosisKeyDetails::default() }
}

/// COCOA on Android, September 2020 to February 2021: the server wrote a transmission risk of 0,
/// Google's formula multiplies with 1 for it, and the app asked for 21.
#[test]
fn i1_google_v1_with_cocoas_tables_can_notify_nobody_at_transmission_risk_0() {
    let profile = RiskProfile::google_v1();
    for level in [None, Some(0)] {
        let greatest = (0..=100)
            .flat_map(|db| (1..=40).map(move |scans| (db, scans)))
            .map(|(db, scans)| one(&profile, transmission_risk(level), db, scans))
            .inspect(|assessment| assert_eq!(assessment.level, RiskLevel::Low))
            .flat_map(|assessment| assessment.contributions)
            .flat_map(|contribution| contribution.factors)
            .map(|factor| factor.value)
            .fold(0.0, f64::max);
        // Attenuation 8 × days 1 × duration 1 × transmission risk 1: never the table's 7.
        assert!((greatest - 8.0).abs() < 1e-9, "{greatest}");
    }
    // The fix of version 1.2.2: the server writes 4. Attenuation 3 × 1 × 1 × 7 = 21.
    let fixed = one(&profile, transmission_risk(Some(4)), 60, 5);
    assert_eq!(fixed.level, RiskLevel::High);
    assert!((fixed.score - 21.0).abs() < 1e-9, "{}", fixed.score);
    assert_eq!(one(&profile, transmission_risk(Some(4)), 64, 5).level, RiskLevel::Low);
}

/// Apple indexes the same table from 0, so the same key notified on iOS.
#[test]
fn i1_apple_v1_with_the_same_tables_notifies_at_transmission_risk_0() {
    let google = GoogleV1::default();
    let rules = AppleV1 {
        transmission_risk_level_values: google.transmission_risk_scores,
        ..AppleV1::default()
    };
    let profile = RiskProfile::new(ProfileRules::AppleV1(rules)).unwrap();
    for level in [None, Some(0), Some(4)] {
        let level = one(&profile, transmission_risk(level), 60, 5).level;
        assert_eq!(level, RiskLevel::High);
    }
}

#[test]
fn a_near_contact_without_any_detail_is_high_and_a_far_one_low() {
    for profile in all_profiles() {
        let near = one(&profile, DiagnosisKeyDetails::default(), 55, 6);
        let far = one(&profile, DiagnosisKeyDetails::default(), 95, 6);
        // COCOA's first-generation tables multiply a missing transmission risk with 1 (Google) or
        // with the table's 0 (Apple): nobody is notified, which is the incident above.
        let silent = profile == RiskProfile::google_v1() || profile == RiskProfile::apple_v1();
        if !silent {
            assert_eq!(near.level, RiskLevel::High, "{:?}", profile.name());
        }
        assert_eq!(far.level, RiskLevel::Low, "{:?}", profile.name());
        assert_eq!(assess(&profile, &[]), None);
    }
}

#[test]
fn cocoa_v2_is_the_daily_summary_and_five_conditions() {
    let assessment = one(&RiskProfile::cocoa_v2(), DiagnosisKeyDetails::default(), 55, 3);
    // Three scans of 300 s near: 900 × 2.5.
    assert!((assessment.score - 2250.0).abs() < 1e-9);
    assert_eq!(assessment.level, RiskLevel::High);
    assert_eq!(assessment.conditions.len(), 5);
    assert!(assessment.conditions.iter().all(|condition| condition.holds));
    // One scan less: enough points, too few seconds, and the terms say which.
    let shorter = one(&RiskProfile::cocoa_v2(), DiagnosisKeyDetails::default(), 55, 2);
    assert_eq!(shorter.level, RiskLevel::Low);
    let failing: Vec<_> = shorter.conditions.iter().filter(|condition| !condition.holds).collect();
    assert_eq!(failing.len(), 1);
    assert!((failing[0].value - 600.0).abs() < 1e-9);
}

#[test]
fn cwa_counts_normalized_minutes() {
    // 30 minutes below 63 dB at weight 0.8; High from 9.
    let long = one(&RiskProfile::cwa(), DiagnosisKeyDetails::default(), 55, 6);
    let short = one(&RiskProfile::cwa(), DiagnosisKeyDetails::default(), 55, 1);
    assert_eq!((long.level, short.level), (RiskLevel::High, RiskLevel::Low));
    assert!(long.score > short.score);
}

#[test]
fn a_withdrawn_key_and_one_outside_the_infectious_days_count_nowhere() {
    let revoked = DiagnosisKeyDetails {
        report_type: Some(ReportType::Revoked),
        ..DiagnosisKeyDetails::default()
    };
    let early = DiagnosisKeyDetails {
        days_since_onset: DaysSinceOnset::new(-14),
        ..DiagnosisKeyDetails::default()
    };
    let newer = [RiskProfile::gaen(), RiskProfile::cocoa_v2(), RiskProfile::monotone()];
    for profile in newer {
        for details in [revoked, early] {
            let assessment = one(&profile, details, 50, 12);
            assert_eq!(assessment.level, RiskLevel::Low);
            assert_eq!(assessment.kept().count(), 0);
        }
    }
}

#[test]
fn every_profile_reads_back_as_it_was_written() {
    for profile in all_profiles() {
        let document = serde_json::to_string(&profile).unwrap();
        assert_eq!(serde_json::from_str::<RiskProfile>(&document).unwrap(), profile);
        let unknown = document.replacen("\"rules\"", "\"extra\": 1, \"rules\"", 1);
        assert!(serde_json::from_str::<RiskProfile>(&unknown).is_err());
    }
}

proptest! {
    /// `monotone` keeps its name: closer, longer or more people never lower the score.
    #[test]
    fn monotone_is_monotone(db in 0_u16..200, closer in 0_u16..50, scans in 1_u32..60, more in 0_u32..60) {
        let profile = RiskProfile::monotone();
        let details = DiagnosisKeyDetails::default();
        let score = one(&profile, details, db, scans).score;
        prop_assert!(one(&profile, details, db.saturating_sub(closer), scans).score >= score);
        prop_assert!(one(&profile, details, db, scans + more).score >= score);
        let two = [Contact::new(1, details, db, scans), Contact::new(2, details, db, scans)];
        prop_assert!(assess(&profile, &two).unwrap().score >= score);
    }

    /// The order of the evidence changes not even the last bit, in any profile.
    #[test]
    fn evidence_in_any_order(
        contacts in proptest::collection::vec((0_u16..100, 1_u32..20, proptest::option::of(0_u8..=8)), 1..6),
        turn in 0_usize..6,
    ) {
        let build = |order: &[usize]| -> Vec<Contact> {
            order
                .iter()
                .map(|&index| {
                    let (db, scans, level) = contacts[index];
                    Contact::new(u8::try_from(index).unwrap(), transmission_risk(level), db, scans)
                })
                .collect()
        };
        let order: Vec<_> = (0..contacts.len()).collect();
        let mut turned = order.clone();
        turned.rotate_left(turn % contacts.len());
        turned.reverse();
        for profile in all_profiles() {
            prop_assert_eq!(assess(&profile, &build(&order)), assess(&profile, &build(&turned)));
        }
    }

    /// No window, sighting or number breaks a profile.
    #[test]
    fn no_contact_panics(
        heard in proptest::collection::vec((0_u32..200_000, any::<u16>(), proptest::option::of(0_u32..200_000)), 0..40),
        level in proptest::option::of(any::<u8>()),
        today in any::<u32>(),
    ) {
        let mut contact = Contact::new(1, transmission_risk(level), 0, 0);
        contact.sightings = heard
            .into_iter()
            .map(|(at, db, previous)| MeasuredSighting {
                heard_at: DAY.start().saturating_add(at),
                previous_scan_ended: previous.map(|at| DAY.start().saturating_add(at)),
                attenuation: AttenuationDb::from_db(db),
                calibration_confidence: None,
            })
            .collect();
        for profile in all_profiles() {
            let windows = contact.windows(&profile);
            let evidence = [KeyEvidence {
                key: &contact.key,
                windows: &windows,
                sightings: &contact.sightings,
            }];
            if let Some(assessment) = profile.assess_day(DAY, &evidence, UtcDay::new(today)) {
                prop_assert!(assessment.score.is_finite() && assessment.score >= 0.0);
            }
        }
    }
}
