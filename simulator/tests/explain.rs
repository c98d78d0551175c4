//! `chikaku explain`: the whole chain, for those who were told and for those who were not.

#![allow(clippy::unwrap_used, reason = "a test may fail by panicking")]

use std::process::{Command, Output};

use serde_json::Value;

fn explain(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_chikaku")).arg("explain").args(arguments).output().unwrap()
}

fn json(arguments: &[&str]) -> Value {
    let output = explain(&[arguments, &["--json"]].concat());
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).unwrap()
}

fn codes(phone: &Value, day: &str) -> Vec<String> {
    let silences = phone["silences"].as_array().unwrap();
    let of_day = silences.iter().find(|silence| silence["day"] == day).unwrap();
    let reasons = of_day["reasons"].as_array().unwrap();
    reasons.iter().map(|reason| reason["code"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn a_score_is_the_sum_of_the_terms_that_are_printed() {
    let explained = json(&[]);
    let mut windows = 0;
    for phone in explained["phones"].as_array().unwrap() {
        for exposure in phone["exposures"].as_array().unwrap() {
            assert!(exposure["identifiers_matched"].as_u64().unwrap() > 0);
            for share in exposure["days"].as_array().unwrap() {
                for window in share["contributions"].as_array().unwrap() {
                    let number = |value: &Value| value.as_f64().unwrap();
                    let buckets = window["buckets"].as_array().unwrap();
                    let sum: f64 =
                        buckets.iter().map(|b| number(&b["seconds"]) * number(&b["weight"])).sum();
                    let factors = window["factors"].as_array().unwrap();
                    let product: f64 = factors.iter().map(|f| number(&f["value"])).product();
                    assert!((sum * product - number(&window["score"])).abs() < 1e-6, "{window}");
                    windows += 1;
                }
            }
        }
    }
    assert!(windows > 4, "{windows}");
}

#[test]
fn every_day_that_was_not_announced_has_a_reason() {
    let explained = json(&[]);
    for phone in explained["phones"].as_array().unwrap() {
        for day in ["2026-04-05", "2026-04-06", "2026-04-07"] {
            assert!(!codes(phone, day).is_empty(), "{} {day}", phone["phone"]);
        }
    }
    let of = |name: &str| json(&["--phone", name])["phones"][0].clone();
    assert_eq!(codes(&of("Haru"), "2026-04-06"), ["announced"]);
    assert_eq!(codes(&of("Yui"), "2026-04-06"), ["below_threshold"]);
    assert_eq!(codes(&of("Aoi"), "2026-04-06"), ["no_key_heard"]);
    assert_eq!(codes(&of("Haru"), "2026-04-05"), ["nothing_heard"]);
}

#[test]
fn what_does_not_exist_is_refused() {
    for arguments in [["--phone", "Nobody"], ["--day", "yesterday"]] {
        assert_eq!(explain(&arguments).status.code(), Some(3), "{arguments:?}");
    }
}
