//! What holds for every configuration, window and order.

#![allow(clippy::unwrap_used, reason = "a strategy's own values are right or the test fails")]

mod risk_support;

use chikaku_core::diagnosis_key::{DaysSinceOnset, DiagnosisKeyDetails, ReportType};
use chikaku_core::exposure::WindowOrigin;
use chikaku_core::risk::assessment::Verdict;
use chikaku_core::risk::cocoa_v2::CocoaV2;
use chikaku_core::risk::monotone::Monotone;
use chikaku_core::risk::{Assessment, Infectiousness, ProfileRules, RiskLevel, RiskProfile};
use chikaku_core::signal::AttenuationDb;
use chikaku_core::time::{Timestamp, UtcDay};
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use proptest::sample::select;
use risk_support::configurations::rules;
use risk_support::{DAY, Heard, evidence, sighting};

fn checked_monotone() -> impl Strategy<Value = RiskProfile> {
    let range = (0..100_u16, 1..100_u16);
    let weights = (0.0..3.0_f64, 0.0..3.0_f64);
    (range, weights, 0.1..100.0_f64).prop_map(|((full, scale), (standard, more), from)| {
        let rules = Monotone {
            full_until: AttenuationDb::from_db(full),
            zero_from: AttenuationDb::from_db(full + scale),
            infectiousness_weight_standard: standard,
            infectiousness_weight_high: standard + more,
            high_from_near_minutes: from,
            ..Monotone::default()
        };
        RiskProfile::new(ProfileRules::Monotone(rules)).unwrap()
    })
}

fn instant() -> impl Strategy<Value = Timestamp> {
    prop_oneof![
        6 => (0..86_400_u32).prop_map(|second| DAY.start().saturating_add(second)),
        1 => (0..=Timestamp::MAX.unix_seconds()).prop_map(risk_support::at),
        1 => select(vec![Timestamp::EPOCH, Timestamp::MAX, DAY.start().saturating_sub(1)]),
    ]
}

fn decibels() -> impl Strategy<Value = u16> {
    prop_oneof![4 => 20..100_u16, 1 => any::<u16>()]
}

fn scans() -> impl Strategy<Value = Vec<(u16, u16, u32)>> {
    vec((decibels(), decibels(), prop_oneof![4 => 0..=300_u32, 1 => any::<u32>()]), 0..6)
}

fn heard() -> impl Strategy<Value = Vec<Heard>> {
    use Infectiousness::{High, None, Standard};
    let types = select(vec![
        ReportType::ConfirmedTest,
        ReportType::ConfirmedClinicalDiagnosis,
        ReportType::SelfReport,
        ReportType::Recursive,
        ReportType::Revoked,
    ]);
    let window = (instant(), scans(), types, select(vec![None, Standard, High]));
    let heard_at = (instant(), option::of(instant()), decibels());
    let details = (any::<Option<u8>>(), option::of(-14..=14_i32));
    let key = (0..=3_u8, details, any::<u32>(), vec(window, 0..4), vec(heard_at, 0..8));
    vec(key, 0..4).prop_map(|keys| {
        let mut all = Vec::new();
        for (number, (level, onset), start, windows, sightings) in keys {
            let details = DiagnosisKeyDetails {
                transmission_risk_level: level,
                days_since_onset: onset.and_then(DaysSinceOnset::new),
                ..DiagnosisKeyDetails::default()
            };
            let mut heard = Heard::starting(number, UtcDay::new(start), details);
            let key = heard.key.hash();
            for (start, scans, report_type, infectiousness) in windows {
                let origin = WindowOrigin { key, report_type, infectiousness };
                heard = heard.window_from(start, &scans, origin);
            }
            let measured = |(time, before, db)| sighting(time, before, db);
            heard.sightings = sightings.into_iter().map(measured).collect();
            all.push(heard);
        }
        all
    })
}

fn numbers(assessment: &Assessment) -> Vec<f64> {
    let mut numbers = vec![assessment.score];
    numbers.extend(assessment.conditions.iter().flat_map(|term| [term.value, term.threshold]));
    for one in &assessment.contributions {
        numbers.push(one.score);
        numbers.extend(one.buckets.iter().map(|bucket| bucket.weight));
        numbers.extend(one.factors.iter().map(|factor| factor.value));
    }
    numbers.extend(assessment.summary.iter().flat_map(|summary| {
        [summary.maximum_score, summary.score_sum, summary.weighted_duration_sum]
    }));
    numbers
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 2_000,
        failure_persistence: None,
        ..ProptestConfig::default()
    })]

    /// Whatever passes the check assesses whatever was heard, in finite numbers that agree.
    #[test]
    fn nothing_panics_overflows_or_is_not_a_number(
        rules in rules(),
        heard in heard(),
        today in any::<u32>(),
    ) {
        let Ok(profile) = RiskProfile::new(rules) else { return Ok(()) };
        let evidence = evidence(&heard);
        for today in [DAY, UtcDay::new(today)] {
            let Some(found) = profile.assess_day(DAY, &evidence, today) else { continue };
            prop_assert!(numbers(&found).iter().all(|n| n.is_finite()), "{found:#?}");
            prop_assert!(found.score >= 0.0);
            let all_hold = found.conditions.iter().all(|condition| condition.holds);
            let high = !found.conditions.is_empty() && all_hold;
            prop_assert_eq!(found.level == RiskLevel::High, high);
            if found.kept().next().is_none() {
                prop_assert_eq!((found.score, found.conditions.len()), (0.0, 0));
            }
            let text = serde_json::to_string(&found).unwrap();
            prop_assert!(serde_json::from_str::<Assessment>(&text).is_ok());
        }
        let text = serde_json::to_string(&profile).unwrap();
        prop_assert!(serde_json::from_str::<RiskProfile>(&text).is_ok());
    }

    /// Neither the order of keys nor that of windows and sightings shows.
    #[test]
    fn order_does_not_show(
        heard in heard(),
        order in any::<prop::sample::Index>(),
        rules in rules(),
    ) {
        let mut turned = heard.clone();
        if !turned.is_empty() {
            let by = order.index(turned.len());
            turned.rotate_left(by);
        }
        for one in &mut turned {
            one.windows.reverse();
            one.sightings.reverse();
        }
        let defaults = [
            RiskProfile::gaen(),
            RiskProfile::cocoa_v2(),
            RiskProfile::google_v1(),
            RiskProfile::apple_v1(),
            RiskProfile::cwa(),
            RiskProfile::proximity(),
            RiskProfile::monotone(),
        ];
        for profile in defaults.into_iter().chain(RiskProfile::new(rules).ok()) {
            let one = profile.assess_day(DAY, &evidence(&heard), DAY);
            let other = profile.assess_day(DAY, &evidence(&turned), DAY);
            prop_assert_eq!(one, other);
        }
    }

    /// However a day's windows come in, its last assessment is that of the whole day.
    #[test]
    fn batches_do_not_show(heard in heard(), cut in any::<prop::sample::Index>()) {
        let all = evidence(&heard);
        let cut = if all.is_empty() { 0 } else { cut.index(all.len()) };
        let rules = CocoaV2::default();
        let batch = rules.assess_batch(DAY, &all[..cut], &all[cut..], DAY);
        prop_assert_eq!(batch, RiskProfile::cocoa_v2().assess_day(DAY, &all, DAY));
    }

    #[test]
    fn monotone_in_nearness_duration_and_infectiousness(
        profile in prop_oneof![checked_monotone(), Just(RiskProfile::proximity())],
        scans in vec((0..220_u16, 0..=20_000_u32), 1..8),
        others in vec((0..220_u16, 0..=300_u32), 0..4),
        place in any::<prop::sample::Index>(),
        (nearer, longer) in (0..220_u16, 0..=20_000_u32),
    ) {
        let score = |scans: &[(u16, u32)], infectiousness| {
            let key = Heard::key(1);
            let report_type = ReportType::ConfirmedTest;
            let origin = WindowOrigin { key: key.key.hash(), report_type, infectiousness };
            let scans: Vec<_> = scans.iter().map(|&(db, seconds)| (db, db, seconds)).collect();
            let heard = [
                key.window_from(DAY.start(), &scans, origin),
                Heard::key(2).window(DAY.start().saturating_add(3), &others),
            ];
            let found = profile.assess_day(DAY, &evidence(&heard), DAY).unwrap();
            assert!(found.contributions.iter().all(|one| one.verdict == Verdict::Kept));
            (found.score, found.level)
        };
        let not_lower = |before: (f64, RiskLevel), after: (f64, RiskLevel)| {
            after.0 >= before.0 && after.1 >= before.1
        };
        let standard = score(&scans, Infectiousness::Standard);
        prop_assert!(not_lower(standard, score(&scans, Infectiousness::High)));

        let place = place.index(scans.len());
        let mut closer = scans.clone();
        closer[place].0 = closer[place].0.saturating_sub(nearer);
        prop_assert!(not_lower(standard, score(&closer, Infectiousness::Standard)));

        let mut more = scans.clone();
        more[place].1 += longer;
        prop_assert!(not_lower(standard, score(&more, Infectiousness::Standard)));

        let mut another = scans;
        another.push((nearer, longer));
        prop_assert!(not_lower(standard, score(&another, Infectiousness::Standard)));
    }

    /// COCOA's production rule on Android can never notify without a transmission risk level.
    #[test]
    fn google_v1_without_a_level_never_reaches_cocoas_minimum(
        sightings in vec((0..86_400_u32, decibels()), 1..40),
        level in select(vec![None, Some(0)]),
    ) {
        let mut heard = Heard::with_details(1, risk_support::transmission_risk(level));
        heard.sightings = sightings
            .iter()
            .map(|&(second, db)| sighting(DAY.start().saturating_add(second), None, db))
            .collect();
        let profile = RiskProfile::google_v1();
        let found = profile.assess_day(DAY, &evidence(&[heard]), DAY).unwrap();
        prop_assert!(found.contributions.iter().all(|one| one.score <= 8.0));
        prop_assert_eq!(found.level, RiskLevel::Low);
    }
}
