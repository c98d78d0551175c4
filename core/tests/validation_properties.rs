//! What holds for every configuration: validation never panics, who is accepted notifies, who is
//! called silent is, and every bound, order and counterexample is what it says.

#![allow(clippy::unwrap_used, reason = "a strategy's own values are right or the test fails")]

mod risk_support;

use std::collections::BTreeMap;

use chikaku_core::diagnosis_key::{DaysSinceOnset, DiagnosisKey, DiagnosisKeyDetails, ReportType};
use chikaku_core::exposure::{WindowRules, exposure_windows};
use chikaku_core::risk::{Assessment, ProfileRules, RiskLevel, RiskProfile};
use chikaku_core::signal::AttenuationDb;
use chikaku_core::time::{RollingPeriod, UtcDay};
use chikaku_core::validation::monotony::MoreOf;
use chikaku_core::validation::{
    Contact, Monotony, MonotonyRequirement, Reason, Report, Requirements, validate,
};
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use proptest::sample::select;
use proptest::strategy::ValueTree;
use proptest::test_runner::TestRunner;
use risk_support::configurations::{near_defaults, rules};
use risk_support::{DAY, Heard, evidence, sighting};

fn details() -> impl Strategy<Value = DiagnosisKeyDetails> {
    let report_types = select(vec![
        ReportType::ConfirmedTest,
        ReportType::ConfirmedClinicalDiagnosis,
        ReportType::SelfReport,
        ReportType::Recursive,
        ReportType::Revoked,
    ]);
    let parts = (option::of(0..=8_u8), option::of(report_types), option::of(-14..=14_i32));
    let any = parts.prop_map(|(transmission_risk_level, report_type, days)| DiagnosisKeyDetails {
        transmission_risk_level,
        report_type,
        days_since_onset: days.and_then(DaysSinceOnset::new),
        variant_of_concern: None,
    });
    prop_oneof![1 => Just(DiagnosisKeyDetails::default()), 3 => any]
}

fn requirements() -> impl Strategy<Value = Requirements> {
    let order = select(vec![
        MonotonyRequirement::WhereClaimed,
        MonotonyRequirement::Everywhere,
        MonotonyRequirement::Nowhere,
    ]);
    let usual = (details(), order.clone()).prop_map(|(assured, monotony)| Requirements {
        assured,
        monotony,
        ..Default::default()
    });
    let minutes = select(vec![0, 1, 20, 90, u32::MAX]);
    let any = (details(), any::<[u16; 2]>(), minutes, any::<[u32; 2]>(), order).prop_map(
        |(assured, [one_metre, far_db], minutes, [age_days, keys], monotony)| Requirements {
            assured,
            one_metre: AttenuationDb::from_db(one_metre),
            far_db,
            minutes,
            age_days,
            keys,
            monotony,
        },
    );
    prop_oneof![8 => usual, 1 => any]
}

/// One key as real scans hear it on `DAY`: details, days its start lies before, the second of the
/// first scan, and (seconds to the next scan, sightings of a scan, attenuation).
type KeyHeard = (DiagnosisKeyDetails, u32, u32, Vec<(u32, u32, u16)>);

fn key_heard() -> impl Strategy<Value = KeyHeard> {
    let gap = prop_oneof![3 => 200..320_u32, 1 => 40..900_u32];
    let attenuation = prop_oneof![4 => 20..100_u16, 1 => 0..=275_u16];
    let scans = vec((gap, 1..3_u32, attenuation), 1..40);
    (details(), 0..=1_u32, 0..86_000_u32, scans)
}

fn heard_by(profile: &RiskProfile, keys: &[KeyHeard]) -> Vec<Heard> {
    keys.iter()
        .zip(1_u8..)
        .map(|((details, days_before, second, scans), number)| {
            let start = DAY.saturating_sub(*days_before).first_interval();
            let key = DiagnosisKey::new([number; 16], start, RollingPeriod::DAY, *details);
            let mut heard = Heard { key, windows: Vec::new(), sightings: Vec::new() };
            let mut previous = DAY.start().saturating_add(*second).saturating_sub(300);
            for (gap, count, db) in scans {
                let scan = previous.saturating_add(*gap);
                for within in 0..*count {
                    let heard_at = scan.saturating_add(within * 3);
                    heard.sightings.push(sighting(heard_at, Some(previous), *db));
                }
                previous = scan;
            }
            let origin = profile.window_origin(&key);
            heard.windows = exposure_windows(&heard.sightings, &origin, &WindowRules::default());
            heard
        })
        .collect()
}

fn assess(profile: &RiskProfile, keys: &[KeyHeard], age_days: u32) -> Option<Assessment> {
    let heard = heard_by(profile, keys);
    profile.assess_day(DAY, &evidence(&heard), DAY.saturating_add(age_days))
}

fn report_of(profile: &RiskProfile, requirements: &Requirements) -> Report {
    match validate(profile.clone(), requirements) {
        Ok(validated) => validated.report().clone(),
        Err(rejected) => *rejected.report,
    }
}

/// A contact by hand, without the validator's own way to try it.
fn level_of(profile: &RiskProfile, contact: &Contact) -> RiskLevel {
    let day = UtcDay::new(18_000);
    let key = DiagnosisKey::new([3; 16], day.first_interval(), RollingPeriod::DAY, contact.key);
    let (mut minute, mut sightings) = (0, Vec::new());
    for part in &contact.parts {
        let end = minute + part.minutes;
        while minute < end {
            let next = (minute + 5).min(end);
            let [before, now] =
                [minute, next].map(|minute| day.start().saturating_add(minute * 60));
            sightings.push(sighting(now, Some(before), part.attenuation.db()));
            minute = next;
        }
    }
    let windows =
        exposure_windows(&sightings, &profile.window_origin(&key), &WindowRules::default());
    let heard = Heard { key, windows, sightings };
    let today = day.saturating_add(contact.age_days);
    profile.assess_day(day, &evidence(&[heard]), today).map_or(RiskLevel::Low, |found| found.level)
}

fn exceeds(one: f64, other: f64) -> bool {
    one > other + 1e-9 * other.abs()
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 800,
        failure_persistence: None,
        ..ProptestConfig::default()
    })]

    #[test]
    fn no_configuration_panics(
        rules in prop_oneof![rules(), near_defaults()],
        requirements in requirements(),
    ) {
        let Ok(profile) = RiskProfile::new(rules) else { return Ok(()) };
        match validate(profile, &requirements) {
            Ok(validated) => {
                prop_assert!(serde_json::to_string(validated.report()).is_ok());
                prop_assert!(validated.warnings().iter().all(|one| !one.to_string().is_empty()));
            }
            Err(rejected) => {
                prop_assert!(!rejected.reasons.is_empty());
                prop_assert!(serde_json::to_string(&rejected).is_ok());
                prop_assert!(!rejected.to_string().is_empty());
            }
        }
    }

    #[test]
    fn every_accepted_configuration_notifies_its_witness(
        rules in near_defaults(),
        requirements in requirements(),
    ) {
        let Ok(profile) = RiskProfile::new(rules) else { return Ok(()) };
        let Ok(validated) = validate(profile.clone(), &requirements) else { return Ok(()) };
        let witness = validated.witness();
        prop_assert!(witness.is_high());
        prop_assert_eq!(level_of(&profile, &witness.contact), RiskLevel::High);
        prop_assert_eq!(witness.contact.key, requirements.assured);
        prop_assert!(validated.report().any_key.silence.is_none());
        prop_assert!(validated.report().assured_key.silence.is_none());
        prop_assert!(validated.report().canaries.iter().all(|canary| canary.holds()));
    }

    /// The proof of silence and the range of scores against contacts that were not made for it.
    #[test]
    fn what_is_called_silent_is_and_no_score_leaves_its_range(
        rules in prop_oneof![rules(), near_defaults()],
        keys in vec(key_heard(), 1..4),
        age_days in 0..=14_u32,
        assured in details(),
    ) {
        let Ok(profile) = RiskProfile::new(rules) else { return Ok(()) };
        let report = report_of(&profile, &Requirements { assured, ..Requirements::default() });
        for high in report.witness.iter().chain([&report.best_of_any_key]) {
            prop_assert!(!high.is_high() || report.any_key.silence.is_none(), "{report:?}");
        }
        let assured_is_silent = report.assured_key.silence.is_some();
        prop_assert!(!(report.best_of_assured_key.is_high() && assured_is_silent), "{report:?}");
        let mut assured_keys = keys.clone();
        for key in &mut assured_keys {
            key.0 = assured;
        }
        for (keys, reach) in [(keys, &report.any_key), (assured_keys, &report.assured_key)] {
            let Some(day) = assess(&profile, &keys, age_days) else { continue };
            prop_assert!(!exceeds(day.score, reach.greatest), "{} {reach:?}", day.score);
            if reach.silence.is_some() {
                prop_assert_eq!(day.level, RiskLevel::Low, "{:?}", reach);
            }
            let one = assess(&profile, &keys[..1], age_days).map_or(0.0, |one| one.score);
            prop_assert!(!exceeds(one, reach.greatest_of_one_key), "{one} {reach:?}");
        }
    }

    #[test]
    fn a_proved_order_holds_and_a_counterexample_is_one(
        rules in prop_oneof![1 => rules(), 4 => near_defaults()],
        parts in vec((1..90_u32, 0..150_u16), 1..5),
        place in any::<prop::sample::Index>(),
        (nearer, longer) in (1..60_u16, 1..90_u32),
        key in details(),
    ) {
        let Ok(profile) = RiskProfile::new(rules) else { return Ok(()) };
        let score = |parts: &[(u32, u16)]| {
            let contact = parts.iter().fold(Contact::new(key, 2), |contact, (minutes, db)| {
                contact.then(*minutes, AttenuationDb::from_db(*db))
            });
            contact.tried_on(&profile).score
        };
        match report_of(&profile, &Requirements::default()).monotony {
            Monotony::Proved => {
                let before = score(&parts);
                let mut closer = parts.clone();
                let moved = &mut closer[place.index(parts.len())].1;
                *moved = moved.saturating_sub(nearer);
                prop_assert!(!exceeds(before, score(&closer)));
                let mut more = parts;
                more.push((longer, nearer));
                prop_assert!(!exceeds(before, score(&more)));
            }
            Monotony::Refuted(pair) => {
                let (less, more) = (&pair.less, &pair.more);
                prop_assert_eq!(less, &less.contact.clone().tried_on(&profile));
                prop_assert_eq!(more, &more.contact.clone().tried_on(&profile));
                prop_assert!(more.score < less.score || more.level < less.level);
                let (fewer, parts) = (&less.contact.parts, &more.contact.parts);
                let minutes = |contact: &Contact| -> u32 {
                    contact.parts.iter().map(|part| part.minutes).sum()
                };
                match pair.more_of {
                    MoreOf::Closeness => {
                        prop_assert_eq!(fewer.len(), parts.len());
                        let closer = fewer.iter().zip(parts).all(|(far, near)| {
                            far.minutes == near.minutes && far.attenuation >= near.attenuation
                        });
                        prop_assert!(closer);
                    }
                    MoreOf::Time => {
                        prop_assert!(minutes(&less.contact) < minutes(&more.contact));
                        let begins_alike = fewer.iter().zip(parts).all(|(one, other)| {
                            one.attenuation == other.attenuation && one.minutes <= other.minutes
                        });
                        prop_assert!(begins_alike);
                    }
                }
            }
            Monotony::NotRefuted => {}
        }
    }
}

const fn name(rules: &ProfileRules) -> &'static str {
    match rules {
        ProfileRules::Gaen(_) => "gaen",
        ProfileRules::CocoaV2(_) => "cocoa-v2",
        ProfileRules::GoogleV1(_) => "google-v1",
        ProfileRules::AppleV1(_) => "apple-v1",
        ProfileRules::Cwa(_) => "cwa",
        _ => "monotone",
    }
}

/// The properties above say something about every rule set only if each is accepted, and refused
/// for each reason it can have, often enough.
#[test]
fn the_configurations_that_are_tried_end_in_every_verdict() {
    let mut runner = TestRunner::deterministic();
    let mut verdicts: BTreeMap<(&str, &str), u32> = BTreeMap::new();
    for _ in 0..3_000 {
        let rules = near_defaults().new_tree(&mut runner).unwrap().current();
        let rule_set = name(&rules);
        let Ok(profile) = RiskProfile::new(rules) else { continue };
        let mut count = |verdict| *verdicts.entry((rule_set, verdict)).or_default() += 1;
        match validate(profile, &Requirements::default()) {
            Ok(validated) => {
                count("accepted");
                if validated.report().monotony == Monotony::Proved {
                    count("proved");
                }
            }
            Err(rejected) => rejected.reasons.iter().for_each(|reason| {
                count(match reason {
                    Reason::Silent { .. } => "silent",
                    Reason::SilentWithoutDetails { .. } => "silent without details",
                    Reason::Missed(_) => "missed",
                    Reason::FalseAlarm(_) => "false alarm",
                    Reason::NotMonotone(_) => "not monotone",
                    _ => "other",
                });
            }),
        }
    }
    for rule_set in ["gaen", "cocoa-v2", "google-v1", "apple-v1", "cwa", "monotone"] {
        for verdict in ["accepted", "silent", "silent without details", "missed", "false alarm"] {
            let found = verdicts.get(&(rule_set, verdict)).copied().unwrap_or(0);
            assert!(found >= 3, "{rule_set} {verdict}: {verdicts:#?}");
        }
    }
    for (rule_set, verdict) in
        [("gaen", "not monotone"), ("gaen", "proved"), ("monotone", "proved")]
    {
        let found = verdicts.get(&(rule_set, verdict)).copied().unwrap_or(0);
        assert!(found >= 3, "{rule_set} {verdict}: {verdicts:#?}");
    }
}
