//! The two profiles of the first generation on contacts whose scores are known: COCOA's tables,
//! with which Android was silent for four months, and what sets Google and Apple apart.

#![allow(clippy::unwrap_used, reason = "a test's own data is right or the test fails")]

mod risk_support;

use chikaku_core::risk::apple_v1::AppleV1;
use chikaku_core::risk::assessment::{DropReason, Factor, Verdict};
use chikaku_core::risk::google_v1::GoogleV1;
use chikaku_core::risk::{Assessment, ProfileRules, RiskLevel, RiskProfile};
use risk_support::{DAY, Heard, evidence, transmission_risk};

fn assess(profile: &RiskProfile, heard: &[Heard]) -> Assessment {
    profile.assess_day(DAY, &evidence(heard), DAY).unwrap()
}

/// Four scans five minutes apart: to Google 20 minutes, to Apple 20 as well.
fn twenty_minutes(level: Option<u8>, db: u16) -> [Heard; 1] {
    let start = DAY.start().saturating_add(36_000);
    [Heard::with_details(1, transmission_risk(level)).sightings(start, 300, 4, db)]
}

fn factor(assessment: &Assessment, factor: Factor) -> f64 {
    let factors = &assessment.contributions[0].factors;
    factors.iter().find(|term| term.factor == factor).unwrap().value
}

#[test]
fn cocoa_on_android_was_silent_where_the_risk_level_was_zero_or_missing() {
    let google = RiskProfile::google_v1();
    let four = assess(&google, &twenty_minutes(Some(4), 54));
    assert_eq!((four.score, four.level), (21.0, RiskLevel::High));
    for level in [None, Some(0)] {
        let silent = assess(&google, &twenty_minutes(level, 54));
        assert_eq!((silent.score, silent.level), (0.0, RiskLevel::Low));
        assert_eq!(silent.contributions[0].score, 3.0);
        let dropped = Verdict::Dropped(DropReason::BelowMinimumScore);
        assert_eq!(silent.contributions[0].verdict, dropped);
        assert_eq!(factor(&silent, Factor::TransmissionRisk), 1.0);
        // Nor could any other contact have notified.
        let start = DAY.start();
        for (db, count) in [(0, 1), (1, 100), (10, 250), (73, 40)] {
            let heard =
                [Heard::with_details(1, transmission_risk(level)).sightings(start, 300, count, db)];
            let assessment = assess(&google, &heard);
            assert!(assessment.contributions[0].score <= 8.0);
            assert_eq!(assessment.level, RiskLevel::Low);
        }
    }
}

#[test]
fn apple_takes_the_table_entry_for_a_risk_level_of_zero() {
    let with = |values: [u8; 8]| {
        let rules = AppleV1 { transmission_risk_level_values: values, ..AppleV1::default() };
        RiskProfile::new(ProfileRules::AppleV1(rules)).unwrap()
    };
    // COCOA's table for iOS begins with 0, 0, 7; its table for Android has 7 everywhere.
    let ios = with([0, 0, 7, 7, 7, 7, 7, 7]);
    let android = with([7; 8]);
    for level in [None, Some(0), Some(1)] {
        let found = assess(&ios, &twenty_minutes(level, 54));
        assert_eq!((found.contributions[0].score, found.level), (0.0, RiskLevel::Low));
        let found = assess(&android, &twenty_minutes(level, 54));
        assert_eq!((found.score, found.level), (21.0, RiskLevel::High));
    }
    for level in [2, 4, 7, 8] {
        let found = assess(&ios, &twenty_minutes(Some(level), 54));
        assert_eq!((found.score, found.level), (21.0, RiskLevel::High));
    }
}

#[test]
fn the_first_generation_wants_sixteen_minutes_within_63_db() {
    for (db, google, apple) in [(63, 21.0, 21.0), (64, 14.0, 14.0), (51, 28.0, 28.0)] {
        let found = assess(&RiskProfile::google_v1(), &twenty_minutes(Some(4), db));
        assert_eq!(found.contributions[0].score, google, "{db} dB");
        let found = assess(&RiskProfile::apple_v1(), &twenty_minutes(Some(4), db));
        assert_eq!(found.contributions[0].score, apple, "{db} dB");
    }
    // 15 minutes are not enough: to Google three scans are 15 minutes.
    let start = DAY.start();
    let heard = [Heard::with_details(1, transmission_risk(Some(4))).sightings(start, 300, 3, 40)];
    for profile in [RiskProfile::google_v1(), RiskProfile::apple_v1()] {
        assert_eq!(assess(&profile, &heard).contributions[0].score, 0.0);
    }
}

#[test]
fn google_splits_exposures_where_apple_has_one() {
    let details = transmission_risk(Some(4));
    let start = DAY.start().saturating_add(3_600);
    let later = start.saturating_add(900 + 601);
    let heard =
        [Heard::with_details(1, details).sightings(start, 300, 4, 54).sightings(later, 300, 2, 54)];
    assert_eq!(assess(&RiskProfile::google_v1(), &heard).contributions.len(), 2);
    assert_eq!(assess(&RiskProfile::apple_v1(), &heard).contributions.len(), 1);
    // Days count from the key's start at Google and from the first sighting at Apple.
    let yesterday = DAY.saturating_sub(1);
    let days = [1, 1, 1, 1, 1, 1, 2, 3];
    let google = RiskProfile::new(ProfileRules::GoogleV1(GoogleV1 {
        days_since_last_exposure_scores: days,
        ..GoogleV1::default()
    }));
    let apple = RiskProfile::new(ProfileRules::AppleV1(AppleV1 {
        days_since_last_exposure_level_values: days,
        ..AppleV1::default()
    }));
    let heard = [Heard::starting(1, yesterday, details).sightings(DAY.start(), 300, 4, 54)];
    for (profile, days) in [(google.unwrap(), 2.0), (apple.unwrap(), 3.0)] {
        let today = DAY.saturating_add(1);
        let found = profile.assess_day(DAY, &evidence(&heard), today).unwrap();
        assert_eq!(factor(&found, Factor::DaysSinceExposure), days);
    }
}

#[test]
fn google_rounds_a_rest_of_150_seconds_down_and_of_151_up() {
    let minutes = |every| {
        let heard = [Heard::key(1).sightings(DAY.start(), every, 2, 54)];
        assess(&RiskProfile::google_v1(), &heard).contributions[0].seconds / 60
    };
    assert_eq!((minutes(150), minutes(151), minutes(450), minutes(451)), (5, 10, 10, 15));
}
