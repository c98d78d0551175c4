//! The levels of COCOA's documents, as an independent scorer computed them, with both readings of
//! the bucket edges, and with the two faults that COCOA shipped.
//!
//! The documents are not part of the project. `CHIKAKU_DATA` names the folder that holds them;
//! without it the trials are skipped, except in continuous integration, where that is a failure.

#![allow(
    clippy::disallowed_methods,
    clippy::print_stderr,
    clippy::unwrap_used,
    reason = "a test reads its data and may fail by panicking"
)]

use std::path::{Path, PathBuf};
use std::{env, fs};

use chikaku_core::diagnosis_key::{DiagnosisKey, DiagnosisKeyDetails};
use chikaku_core::exposure::{
    ExposureWindow, MeasuredSighting, ScanInstance, WindowRules, exposure_windows,
};
use chikaku_core::risk::cocoa_configuration::CocoaConfiguration;
use chikaku_core::risk::cocoa_v2::{Behaviour, CocoaV2};
use chikaku_core::risk::daily_summary::BucketEdges;
use chikaku_core::risk::{Assessment, KeyEvidence, ProfileRules, RiskLevel, RiskProfile};
use chikaku_core::signal::AttenuationDb;
use chikaku_core::time::{IntervalNumber, RollingPeriod, Timestamp};
use libtest_mimic::{Arguments, Failed, Trial};
use serde_json::Value;

fn main() {
    let arguments = Arguments::from_args();
    let folder = env::var_os("CHIKAKU_DATA").map_or_else(
        || Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/data"),
        PathBuf::from,
    );
    let folder = folder.join("cocoa");
    let missing = !folder.is_dir();
    if missing {
        eprintln!("NO DATA: {} is not a folder; set CHIKAKU_DATA.", folder.display());
    }
    let skipped = missing && env::var_os("CI").is_none();
    let trial = |name: &str, test: fn(&Path) -> Result<(), Failed>| {
        let folder = folder.clone();
        Trial::test(name, move || test(&folder)).with_ignored_flag(skipped)
    };
    let trials = vec![
        trial("every_day_of_every_document", every_day_of_every_document),
        trial(
            "configuration_json_reads_as_cocoa_wrote_it",
            configuration_json_reads_as_cocoa_wrote_it,
        ),
        trial("i9_a_contact_in_two_batches", i9_a_contact_in_two_batches),
        trial("i10_two_people_with_equal_windows", i10_two_people_with_equal_windows),
    ];
    libtest_mimic::run(&arguments, trials).exit();
}

fn json(folder: &Path, name: &str) -> Result<Value, Failed> {
    let path = folder.join(name);
    let text = fs::read_to_string(&path).map_err(|error| format!("{}: {error}", path.display()))?;
    Ok(serde_json::from_str(&text)?)
}

/// Each window with a key of its own, as if of as many people.
fn evidence_of(document: &Value) -> Vec<(DiagnosisKey, Vec<ExposureWindow>)> {
    let profile = RiskProfile::cocoa_v2();
    let windows = document["exposure_windows"].as_array().unwrap().iter();
    (0_u8..)
        .zip(windows)
        .map(|(number, window)| {
            let details = DiagnosisKeyDetails::default();
            let start = IntervalNumber::new(0);
            let key = DiagnosisKey::new([number; 16], start, RollingPeriod::DAY, details);
            let day = window["DateMillisSinceEpoch"].as_i64().unwrap() / 1000;
            let first = MeasuredSighting {
                heard_at: Timestamp::from_unix_seconds(day).unwrap(),
                previous_scan_ended: None,
                attenuation: AttenuationDb::from_db(0),
                calibration_confidence: None,
            };
            let origin = profile.window_origin(&key);
            let mut built = exposure_windows(&[first], &origin, &WindowRules::default());
            let number = |scan: &Value, field: &str| scan[field].as_u64().unwrap();
            let scans = window["ScanInstances"].as_array().unwrap().iter().map(|scan| {
                let db = |field| AttenuationDb::from_db(number(scan, field).try_into().unwrap());
                ScanInstance {
                    minimum_attenuation: db("MinAttenuationDb"),
                    typical_attenuation: db("TypicalAttenuationDb"),
                    seconds_since_last_scan: number(scan, "SecondsSinceLastScan")
                        .try_into()
                        .unwrap(),
                }
            });
            built[0].scan_instances = scans.collect();
            (key, built)
        })
        .collect()
}

fn pieces(evidence: &[(DiagnosisKey, Vec<ExposureWindow>)]) -> Vec<KeyEvidence<'_>> {
    let piece = |(key, windows)| KeyEvidence { key, windows, sightings: &[] };
    evidence.iter().map(|(key, windows)| piece((key, windows))).collect()
}

fn level(name: &Value) -> RiskLevel {
    if name == "High" { RiskLevel::High } else { RiskLevel::Low }
}

fn check(assessment: &Assessment, expected: &Value, what: &str) {
    let score = expected["score_sum"].as_f64().unwrap();
    assert!((assessment.score - score).abs() < 1e-9, "{what}: {} not {score}", assessment.score);
    assert_eq!(assessment.level, level(&expected["level_all_windows"]), "{what}");
}

fn every_day_of_every_document(folder: &Path) -> Result<(), Failed> {
    let expected = json(folder, "expected.json")?;
    let mut checked = 0;
    for (case, expected) in expected.as_object().unwrap() {
        let evidence = evidence_of(&json(folder, &format!("exposure_data_{case}.json"))?);
        for day in expected["days"].as_array().unwrap() {
            let instant =
                Timestamp::from_unix_seconds(day["date_millis"].as_i64().unwrap() / 1000)?;
            for (edges, name) in [
                (BucketEdges::UpperInclusive, "inclusive_le"),
                (BucketEdges::UpperExclusive, "exclusive_lt"),
            ] {
                let mut rules = CocoaV2::default();
                rules.daily_summaries.bucket_edges = edges;
                let profile = RiskProfile::new(ProfileRules::CocoaV2(rules))?;
                let today = instant.day().saturating_add(1);
                let assessment =
                    profile.assess_day(instant.day(), &pieces(&evidence), today).unwrap();
                check(&assessment, &day[name], &format!("{case} {name}"));
                checked += 1;
            }
        }
    }
    assert!(checked >= 26, "only {checked} days were checked");
    Ok(())
}

fn configuration_json_reads_as_cocoa_wrote_it(folder: &Path) -> Result<(), Failed> {
    let document = json(folder, "configuration.json")?;
    let read: CocoaConfiguration = serde_json::from_value(document.clone())?;
    read.check()?;
    assert_eq!(read.google_exposure_config.profile()?, RiskProfile::google_v1());
    assert_eq!(read.apple_exposure_config_v1.profile()?, RiskProfile::apple_v1());
    let mapping = read.google_diagnosis_keys_data_mapping_config.mapping()?;
    assert_eq!(mapping, CocoaV2::default().mapping);
    let summaries = read.google_daily_summaries_config.daily_summaries()?;
    assert_eq!(summaries, CocoaV2::default().daily_summaries);

    let mut unknown = document.clone();
    unknown["google_exposure_config"]["atenuation_weight"] = 50.into();
    assert!(serde_json::from_value::<CocoaConfiguration>(unknown).is_err());
    let mut short = document;
    short["google_exposure_config"]["duration_scores"] = serde_json::json!([1, 2, 3]);
    let short = serde_json::from_value::<CocoaConfiguration>(short);
    assert!(short.is_err() || short.is_ok_and(|document| document.check().is_err()));
    Ok(())
}

fn as_shipped() -> CocoaV2 {
    CocoaV2 { behaviour: Behaviour::AsShipped, ..CocoaV2::default() }
}

/// COCOA compared only the windows that were new in a batch: each batch Low, the day High.
fn i9_a_contact_in_two_batches(folder: &Path) -> Result<(), Failed> {
    let evidence = evidence_of(&json(folder, "exposure_data_split_batches_600_600.json")?);
    let day = evidence[0].1[0].day();
    let today = day.saturating_add(1);
    let all = pieces(&evidence);
    let expected = json(folder, "expected.json")?;
    let batches = &expected["split_batches_600_600"]["days"][0]["batches"];
    for (rules, name) in [(as_shipped(), "cocoa_v2_notification"), (CocoaV2::default(), "full_day")]
    {
        for known in 0..2 {
            let (before, batch) = (&all[..known], &all[known..=known]);
            let assessment = rules.assess_batch(day, before, batch, today).unwrap();
            assert_eq!(assessment.level, level(&batches[known][name]), "{name} {known}");
        }
    }
    Ok(())
}

/// COCOA's store kept one of two equal windows, whoever they were of.
fn i10_two_people_with_equal_windows(folder: &Path) -> Result<(), Failed> {
    let evidence = evidence_of(&json(folder, "exposure_data_identical_windows.json")?);
    let day = evidence[0].1[0].day();
    let today = day.saturating_add(1);
    let all = pieces(&evidence);
    for (rules, expected) in [(as_shipped(), RiskLevel::Low), (CocoaV2::default(), RiskLevel::High)]
    {
        assert_eq!(rules.assess_batch(day, &[], &all, today).unwrap().level, expected);
    }
    Ok(())
}
