//! `chikaku config` as a tester runs it: a built-in profile is printed, changed and checked.

#![allow(clippy::unwrap_used, reason = "a test may fail by panicking")]

use std::fs;
use std::path::Path;

use assert_cmd::Command;
use serde_json::Value;

struct Ran {
    out: String,
    err: String,
}

fn chikaku(arguments: &[&str], code: i32) -> Ran {
    let mut command = Command::cargo_bin("chikaku").unwrap();
    let assert = command.args(arguments).assert().code(code);
    let output = assert.get_output();
    let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
    Ran { out: text(&output.stdout), err: text(&output.stderr) }
}

fn shown(profile: &str) -> String {
    chikaku(&["config", "show", profile], 0).out
}

fn written(folder: &Path, name: &str, document: &str) -> String {
    let path = folder.join(name);
    fs::write(&path, document).unwrap();
    path.display().to_string()
}

/// `document` with the value of `field` replaced.
fn changed(document: &str, field: &str, value: &str) -> String {
    let mut json: Value = serde_json::from_str(document).unwrap();
    let rules = json["rules"].as_object_mut().unwrap();
    let (_, rules) = rules.iter_mut().next().unwrap();
    let place = rules.pointer_mut(field).unwrap();
    assert_ne!(place, &serde_json::from_str::<Value>(value).unwrap(), "{field}");
    *place = serde_json::from_str(value).unwrap();
    json.to_string()
}

#[test]
fn built_in_profiles_are_shown_and_checked() {
    let folder = tempfile::tempdir().unwrap();
    for (profile, code) in [
        ("gaen", 0),
        ("cocoa-v2", 0),
        ("google-v1", 3),
        ("apple-v1", 3),
        ("cwa", 0),
        ("monotone", 0),
    ] {
        let file = written(folder.path(), "profile.json", &shown(profile));
        let ran = chikaku(&["config", "check", &file], code);
        let word = if code == 0 { "accepted" } else { "REFUSED" };
        assert!(ran.out.contains(&format!("profile.json: {word} ({profile})")), "{}", ran.out);
        assert!(ran.out.contains("  demanded  "), "{}", ran.out);
        chikaku(&["config", "check", &file, "--transmission-risk-level", "4"], 0);
    }
}

/// COCOA's silence on Android: what the server sends, and what the app asks for.
#[test]
fn i1_a_level_of_zero_is_refused_with_the_range_and_the_best_contact() {
    let folder = tempfile::tempdir().unwrap();
    let file = written(folder.path(), "android.json", &shown("google-v1"));
    let ran = chikaku(&["config", "check", &file, "--transmission-risk-level", "0"], 3);
    for part in [
        "the score must be at least 21, and it lies between 0 and 8",
        "The best contact tried: 20 min at 5 dB of a key with transmission risk level 0",
        "8 before minimum and filters",
        "must notify and does not: 20 min at 50 dB",
    ] {
        assert!(ran.out.contains(part), "{part}: {}", ran.out);
    }
    assert!(ran.err.contains("android.json"), "{}", ran.err);
}

#[test]
fn mutations_are_caught_with_their_counterexample() {
    let folder = tempfile::tempdir().unwrap();
    let google = ["--transmission-risk-level", "4"];
    for (profile, field, value, assured, said) in [
        (
            "google-v1",
            "/transmission_risk_scores",
            "[1, 1, 1, 1, 1, 1, 1, 1]",
            &google[..],
            "it lies between 0 and 8. The best contact tried: 20 min at 5 dB",
        ),
        (
            "google-v1",
            "/minimum_risk_score",
            "60",
            &google,
            "the score must be at least 60, and it lies between 0 and 56",
        ),
        (
            "apple-v1",
            "/transmission_risk_level_values",
            "[0, 0, 2, 2, 2, 2, 2, 2]",
            &google,
            "it lies between 0 and 16",
        ),
        ("apple-v1", "/minimum_risk_score", "57", &google, "it lies between 0 and 56"),
        (
            "cocoa-v2",
            "/rule/DailySummary_DaySummary_ScoreSum/value",
            "3001",
            &[],
            "must notify and does not: 20 min at 50 dB of a key with every optional field missing, \
             3 days ago scores 3000 (Low)",
        ),
        (
            "cocoa-v2",
            "/daily_summaries/attenuation_bucket_weights",
            "[0, 0, 0, 0]",
            &[],
            "no contact can ever notify: the score sum must be at least 1350, \
             and it lies between 0 and 0",
        ),
        ("cwa", "/day_high_from", "26", &[], "scores 25.6 (Low)"),
        ("monotone", "/high_from_near_minutes", "21", &[], "scores 20 (Low)"),
        (
            "gaen",
            "/daily_summaries/attenuation_bucket_weights",
            "[0.5, 1.0, 0.5, 0.0]",
            &[],
            "a closer or longer contact scores less: ",
        ),
        (
            "gaen",
            "/daily_summaries/attenuation_bucket_weights",
            "[1.0, 1.0, 1.0, 1.0]",
            &[],
            "must not notify and does: 20 min at 80 dB",
        ),
    ] {
        let document = changed(&shown(profile), field, value);
        let file = written(folder.path(), "mutant.json", &document);
        let ran = chikaku(&[&["config", "check", &file][..], assured].concat(), 3);
        assert!(ran.out.contains(said), "{profile} {field}: {}", ran.out);
        assert!(ran.out.contains("mutant.json: REFUSED"), "{}", ran.out);
        let ran = chikaku(&[&["config", "check", "--json", &file][..], assured].concat(), 3);
        let result: Value = serde_json::from_str(&ran.out).unwrap();
        let profile = &result["files"][0]["profiles"][0];
        assert_eq!(profile["accepted"], false);
        assert!(profile["reasons"][0].is_object());
        let texts = profile["reason_texts"].as_array().unwrap();
        assert!(texts.iter().any(|text| text.as_str().unwrap().contains(said)), "{texts:?}");
    }
}

#[test]
fn what_cannot_be_read_is_refused_with_the_place() {
    let folder = tempfile::tempdir().unwrap();
    let good = shown("cocoa-v2");
    for (from, to, said) in [
        ("\">=\"", "\"=>\"", "rule.DailySummary_DaySummary_ScoreSum: unknown relation"),
        ("\"value\"", "\"valeu\"", "unknown field `valeu`"),
        ("\"rule\"", "\"rules\"", "line"),
        ("2.5", "-2.5", "attenuation_bucket_weights[1]: -2.5 is outside"),
        ("{", "", "line 2 column 18"),
    ] {
        assert!(good.contains(from), "{from}");
        let file = written(folder.path(), "wrong.json", &good.replacen(from, to, 1));
        let ran = chikaku(&["config", "check", &file], 3);
        assert!(ran.out.contains("wrong.json: REFUSED: ") && ran.out.contains(said), "{}", ran.out);
    }
    let file = folder.path().join("latin1.json");
    fs::write(&file, b"{\"\xe9\": 1}").unwrap();
    let ran = chikaku(&["config", "check", &file.display().to_string()], 3);
    assert!(ran.out.contains("utf-8"), "{}", ran.out);
}

#[test]
fn one_bad_file_does_not_hide_its_neighbours() {
    let folder = tempfile::tempdir().unwrap();
    let good = written(folder.path(), "good.json", &shown("monotone"));
    let silent = written(folder.path(), "silent.json", &shown("google-v1"));
    let ran = chikaku(&["config", "check", "no-such-file", &silent, &good], 1);
    assert!(ran.out.contains("no-such-file: ") && ran.err.contains("no-such-file"));
    assert!(ran.out.contains("silent.json: REFUSED"), "{}", ran.out);
    assert!(ran.out.contains("good.json: accepted"), "{}", ran.out);
    let ran = chikaku(&["config", "check", "--json", &silent, &good, "no-such-file"], 1);
    let result: Value = serde_json::from_str(&ran.out).unwrap();
    let accepted: Vec<_> =
        result["files"].as_array().unwrap().iter().map(|file| &file["accepted"]).collect();
    assert_eq!(accepted, [false, true, false]);
    assert!(result["files"][0]["file"].as_str().unwrap().ends_with("silent.json"));
    assert!(result["files"][2]["error"].as_str().unwrap().contains("no-such-file"));
    let report = &result["files"][1]["profiles"][0]["report"];
    assert_eq!(report["witness"]["level"], "high");
    assert_eq!(report["monotony"], "proved");
    assert_eq!(report["any_key"]["greatest_of_one_key"], 1800.0);
}

#[test]
fn wrong_usage_is_told_from_wrong_documents() {
    for arguments in [
        &["config", "check"][..],
        &["config", "show", "cocoa"],
        &["config", "check", "x", "--transmission-risk-level", "9"],
        &["config", "check", "x", "--days-since-onset", "15"],
        &["config", "check", "x", "--report-type", "rumour"],
        &["config", "check", "x", "--monotone", "sometimes"],
    ] {
        chikaku(arguments, 2);
    }
    let folder = tempfile::tempdir().unwrap();
    let file = written(folder.path(), "cocoa.json", &shown("cocoa-v2"));
    let ran = chikaku(&["config", "check", &file, "--monotone", "everywhere"], 3);
    assert!(ran.out.contains("a closer or longer contact scores less"), "{}", ran.out);
    let assured = ["--report-type", "confirmed_test", "--days-since-onset", "-3"];
    chikaku(&[&["config", "check", &file][..], &assured].concat(), 0);
    let outside = ["--days-since-onset", "-4"];
    let ran = chikaku(&[&["config", "check", &file][..], &outside].concat(), 3);
    assert!(ran.out.contains("no key counts"), "{}", ran.out);
}
