//! Every profile against days that `vectors/risk.py` made and calculated.

#![allow(clippy::unwrap_used, reason = "a vector that does not read is a failure")]

mod risk_support;

use chikaku_core::exposure::WindowOrigin;
use chikaku_core::risk::assessment::{Assessment, DropReason, Verdict};
use chikaku_core::risk::daily_summary::SummaryData;
use chikaku_core::risk::{RiskLevel, RiskProfile};
use chikaku_core::time::UtcDay;
use risk_support::{Heard, at, close, evidence, sighting, transmission_risk};
use serde::Deserialize;
use serde_json::{Value, json};

#[derive(Deserialize)]
struct Vectors {
    day: u32,
    cases: Vec<Case>,
}

#[derive(Deserialize)]
struct Case {
    rules: Value,
    today: u32,
    keys: Vec<Key>,
    expected: Option<Expected>,
}

#[derive(Deserialize)]
struct Key {
    bytes: u8,
    rolling_start: u32,
    transmission_risk_level: Option<u8>,
    windows: Vec<Window>,
    sightings: Vec<(i64, Option<i64>, u16)>,
}

#[derive(Deserialize)]
struct Window {
    start: i64,
    report_type: Value,
    infectiousness: Value,
    scans: Vec<(u16, u16, u32)>,
}

#[derive(Deserialize)]
struct Expected {
    score: f64,
    level: RiskLevel,
    summary: Option<Summary>,
    contributions: Vec<Contribution>,
}

#[derive(Deserialize)]
struct Summary {
    all: [f64; 3],
    confirmed_test: [f64; 3],
    confirmed_clinical_diagnosis: [f64; 3],
    self_report: [f64; 3],
    recursive: [f64; 3],
}

#[derive(Deserialize)]
struct Contribution {
    score: f64,
    verdict: String,
    level: Option<RiskLevel>,
    seconds: Option<u64>,
    factors: Option<[f64; 4]>,
    inputs: Option<[Option<i64>; 4]>,
}

fn heard(key: &Key) -> Heard {
    let day = UtcDay::new(key.rolling_start / 144);
    let details = transmission_risk(key.transmission_risk_level);
    let mut heard = Heard::starting(key.bytes, day, details);
    for window in &key.windows {
        let origin = WindowOrigin {
            key: heard.key.hash(),
            report_type: serde_json::from_value(window.report_type.clone()).unwrap(),
            infectiousness: serde_json::from_value(window.infectiousness.clone()).unwrap(),
        };
        heard = heard.window_from(at(window.start), &window.scans, origin);
    }
    let sightings = key.sightings.iter();
    heard.sightings =
        sightings.map(|&(time, before, db)| sighting(at(time), before.map(at), db)).collect();
    heard
}

fn verdict(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Kept => "kept",
        Verdict::Dropped(DropReason::NotInfectious) => "not_infectious",
        Verdict::Dropped(DropReason::Revoked) => "revoked",
        Verdict::Dropped(DropReason::TooLongAgo) => "too_long_ago",
        Verdict::Dropped(DropReason::BelowMinimumScore) => "below_minimum_score",
        Verdict::Dropped(DropReason::AttenuationFilter) => "attenuation_filter",
        Verdict::Dropped(DropReason::TransmissionRiskFilter) => "transmission_risk_filter",
        Verdict::Dropped(_) => "unknown",
    }
}

fn agrees(one: &chikaku_core::risk::assessment::Contribution, expected: &Contribution) -> bool {
    let factors: Vec<_> = one.factors.iter().map(|factor| factor.value).collect();
    let inputs: Vec<_> = one.factors.iter().map(|factor| factor.input).collect();
    close(one.score, expected.score)
        && verdict(one.verdict) == expected.verdict
        && one.level == expected.level
        && expected.seconds.is_none_or(|seconds| seconds == one.seconds)
        && expected.inputs.is_none_or(|expected| expected[..] == inputs)
        && expected.factors.is_none_or(|expected| {
            expected.iter().zip(&factors).all(|(expected, found)| close(*expected, *found))
        })
}

fn check(number: usize, found: &Assessment, expected: &Expected) {
    assert!(close(found.score, expected.score), "case {number}: {found:#?}");
    assert_eq!(found.level, expected.level, "case {number}: {found:#?}");
    // Legacy exposures come by key in the vectors and by time here.
    let mut rest: Vec<_> = found.contributions.iter().collect();
    for one in &expected.contributions {
        let index = rest.iter().position(|found| agrees(found, one));
        let index = index.unwrap_or_else(|| panic!("case {number}, {}: {found:#?}", one.score));
        rest.remove(index);
    }
    assert!(rest.is_empty(), "case {number}: {rest:#?}");
    if let Some(expected) = &expected.summary {
        let summary = found.summary.unwrap();
        let data = |numbers: [f64; 3], found: SummaryData| {
            let found = [found.maximum_score, found.score_sum, found.weighted_duration_sum];
            assert!(numbers.iter().zip(&found).all(|(n, f)| close(*n, *f)), "case {number}");
        };
        let all = SummaryData {
            maximum_score: summary.maximum_score,
            score_sum: summary.score_sum,
            weighted_duration_sum: summary.weighted_duration_sum,
        };
        data(expected.all, all);
        data(expected.confirmed_test, summary.confirmed_test);
        data(expected.confirmed_clinical_diagnosis, summary.confirmed_clinical_diagnosis);
        data(expected.self_report, summary.self_report);
        data(expected.recursive, summary.recursive);
    }
}

#[test]
fn assessments_agree_with_the_independent_calculation() {
    let vectors: Vectors = serde_json::from_str(include_str!("vectors/risk.json")).unwrap();
    assert_eq!(vectors.cases.len(), 96);
    let day = UtcDay::new(vectors.day);
    for (number, case) in vectors.cases.iter().enumerate() {
        let document = json!({"format_version": 1, "rules": case.rules});
        let profile: RiskProfile = serde_json::from_value(document.clone()).unwrap();
        let written = serde_json::to_value(&profile).unwrap();
        assert_eq!(serde_json::from_value::<RiskProfile>(written).unwrap(), profile);
        let heard: Vec<_> = case.keys.iter().map(heard).collect();
        let found = profile.assess_day(day, &evidence(&heard), UtcDay::new(case.today));
        assert_eq!(found.is_some(), case.expected.is_some(), "case {number}: {found:#?}");
        if let (Some(found), Some(expected)) = (&found, &case.expected) {
            check(number, found, expected);
        }
    }
}
