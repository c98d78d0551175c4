//! COCOA's documents and exported days, with the results that an independent scorer gave them.

#![allow(clippy::disallowed_methods, clippy::print_stderr, reason = "a test reads its data")]
#![allow(clippy::unwrap_used, reason = "data that is not as described is a failure")]

mod data_support;
mod risk_support;

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use chikaku_core::diagnosis_key::ReportType;
use chikaku_core::exposure::WindowOrigin;
use chikaku_core::risk::assessment::{Quantity, Verdict};
use chikaku_core::risk::cocoa::{Relation, RiskCalculationConfiguration};
use chikaku_core::risk::cocoa_as_shipped::RuleAsShipped;
use chikaku_core::risk::cocoa_configuration::CocoaConfiguration;
use chikaku_core::risk::cocoa_v2::{Behaviour, CocoaV2};
use chikaku_core::risk::daily_summary::{BucketEdges, DailySummariesConfig};
use chikaku_core::risk::mapping::DiagnosisKeysDataMapping;
use chikaku_core::risk::{
    Assessment, ConfigurationError, Infectiousness, ProfileRules, RiskLevel, RiskProfile,
};
use chikaku_core::time::UtcDay;
use chikaku_core::validation::{Requirements, document, validate};
use data_support::{Data, Outcome};
use libtest_mimic::Arguments;
use risk_support::{Heard, at, close, evidence};
use serde_json::Value;

fn main() {
    let arguments = Arguments::from_args();
    let data = Data::folder("cocoa");
    let trials = vec![
        data.trial("every_day_scores_and_decides_as_expected", every_day),
        data.trial("split_batches_never_notified_in_cocoa", split_batches),
        data.trial("identical_windows_counted_once_in_cocoa", identical_windows),
        data.trial("unknown_operator_silenced_cocoa_and_is_refused", unknown_operator),
        data.trial("rule_that_asks_for_nothing", asks_for_nothing),
        data.trial("production_rule_is_the_default", production_rule),
        data.trial("configuration_becomes_the_defaults", configuration),
        data.trial("broken_configurations_name_the_place", broken_configurations),
        data.trial("production_documents_are_validated", production_documents),
    ];
    libtest_mimic::run(&arguments, trials).exit();
}

fn read(folder: &Path, name: &str) -> Value {
    let text = fs::read_to_string(folder.join(name)).unwrap();
    serde_json::from_str(&text).unwrap()
}

/// Each window of an export as a key of its own: the export does not say whose they are.
fn exported(folder: &Path, case: &str) -> Vec<Heard> {
    let document = read(folder, &format!("exposure_data_{case}.json"));
    let windows = document["exposure_windows"].as_array().unwrap();
    windows.iter().zip(1..).map(|(window, number)| heard(window, number)).collect()
}

fn heard(window: &Value, number: u8) -> Heard {
    let integer = |value: &Value| value.as_i64().unwrap();
    let key = Heard::key(number);
    let origin = WindowOrigin {
        key: key.key.hash(),
        report_type: ReportType::from_wire(i32::try_from(integer(&window["ReportType"])).unwrap())
            .unwrap(),
        infectiousness: match integer(&window["Infectiousness"]) {
            0 => Infectiousness::None,
            1 => Infectiousness::Standard,
            _ => Infectiousness::High,
        },
    };
    let scans: Vec<_> = window["ScanInstances"]
        .as_array()
        .unwrap()
        .iter()
        .map(|scan| {
            let small = |name: &str| u16::try_from(integer(&scan[name])).unwrap();
            let seconds = u32::try_from(integer(&scan["SecondsSinceLastScan"])).unwrap();
            (small("MinAttenuationDb"), small("TypicalAttenuationDb"), seconds)
        })
        .collect();
    key.window_from(at(integer(&window["DateMillisSinceEpoch"]) / 1000), &scans, origin)
}

fn day(expected: &Value) -> UtcDay {
    at(expected["date_millis"].as_i64().unwrap() / 1000).day()
}

fn level(name: &Value) -> RiskLevel {
    match name.as_str().unwrap() {
        "High" => RiskLevel::High,
        "Low" => RiskLevel::Low,
        other => panic!("{other}"),
    }
}

fn rules(edges: BucketEdges, behaviour: Behaviour) -> CocoaV2 {
    CocoaV2 {
        daily_summaries: DailySummariesConfig {
            bucket_edges: edges,
            ..DailySummariesConfig::cocoa()
        },
        behaviour,
        ..CocoaV2::default()
    }
}

fn assess(rules: CocoaV2, heard: &[Heard], day: UtcDay) -> Assessment {
    let profile = RiskProfile::new(ProfileRules::CocoaV2(rules)).unwrap();
    profile.assess_day(day, &evidence(heard), day).unwrap()
}

fn value(assessment: &Assessment, quantity: Quantity) -> f64 {
    assessment.conditions.iter().find(|term| term.quantity == quantity).unwrap().value
}

fn every_day(folder: &Path) -> Outcome {
    let expected = read(folder, "expected.json");
    let mut days = 0;
    for (case, expected) in expected.as_object().unwrap() {
        let heard = exported(folder, case);
        for expected in expected["days"].as_array().unwrap() {
            for (name, edges) in [
                ("inclusive_le", BucketEdges::UpperInclusive),
                ("exclusive_lt", BucketEdges::UpperExclusive),
            ] {
                let rules = rules(edges, Behaviour::Corrected);
                let found = assess(rules, &heard, day(expected));
                let score = expected[name]["score_sum"].as_f64().unwrap();
                assert!(close(found.score, score), "{case} {name}: {found:#?}");
                assert_eq!(found.level, level(&expected[name]["level_all_windows"]), "{case}");
                let seconds = expected["seconds_sum"].as_f64().unwrap();
                assert_eq!(value(&found, Quantity::SecondsSinceLastScanSum), seconds, "{case}");
                let summary = found.summary.unwrap();
                assert!(close(summary.confirmed_test.score_sum, score), "{case}");
                let terms = found.kept().map(|one| {
                    let weighted = |b: &chikaku_core::risk::assessment::BucketTerm| {
                        b.weight * f64::from(u32::try_from(b.seconds).unwrap())
                    };
                    one.buckets.iter().map(weighted).sum::<f64>()
                        * one.factors.iter().map(|factor| factor.value).product::<f64>()
                });
                assert!(close(terms.sum(), score), "{case}: the terms are not the score");
                days += 1;
            }
        }
    }
    assert_eq!(days, 30, "14 cases, one of two days, with both edges");
    Ok(())
}

fn split_batches(folder: &Path) -> Outcome {
    let expected = &read(folder, "expected.json")["split_batches_600_600"]["days"][0];
    let heard = exported(folder, "split_batches_600_600");
    let day = day(expected);
    let corrected = rules(BucketEdges::UpperInclusive, Behaviour::Corrected);
    let shipped = rules(BucketEdges::UpperInclusive, Behaviour::AsShipped);
    for (count, batch) in expected["batches"].as_array().unwrap().iter().enumerate() {
        let (before, now) = (evidence(&heard[..count]), evidence(&heard[count..=count]));
        let found = shipped.assess_batch(day, &before, &now, day).unwrap();
        assert_eq!(found.level, level(&batch["cocoa_v2_notification"]));
        assert!(close(found.score, batch["score_sum"].as_f64().unwrap()));
        assert_eq!(value(&found, Quantity::SecondsSinceLastScanSum), 600.0);
        let found = corrected.assess_batch(day, &before, &now, day).unwrap();
        assert_eq!(found.level, level(&batch["full_day"]));
        assert_eq!(found, assess(corrected.clone(), &heard[..=count], day));
    }
    Ok(())
}

fn identical_windows(folder: &Path) -> Outcome {
    let expected = &read(folder, "expected.json")["identical_windows"]["days"][0];
    let heard = exported(folder, "identical_windows");
    let shipped = rules(BucketEdges::UpperInclusive, Behaviour::AsShipped);
    let found = assess(shipped.clone(), &heard, day(expected));
    // In a later batch the second window is not new at all.
    let (before, now) = (evidence(&heard[..1]), evidence(&heard[1..]));
    let later = shipped.assess_batch(day(expected), &before, &now, day(expected)).unwrap();
    assert_eq!(value(&later, Quantity::SecondsSinceLastScanSum), 0.0);
    let set = &expected["set_semantics"];
    assert_eq!(found.level, level(&set["level_from_api_summary_and_stored_windows"]));
    assert_eq!(value(&found, Quantity::SecondsSinceLastScanSum), 600.0);
    assert!(close(found.score, 3000.0));
    assert!(found.contributions.iter().all(|one| one.verdict == Verdict::Kept));
    Ok(())
}

fn unknown_operator(folder: &Path) -> Outcome {
    let document = read(folder, "risk_unknown_op.json");
    let strict: Result<RiskCalculationConfiguration, _> = serde_json::from_value(document.clone());
    assert!(strict.is_err());
    let RuleAsShipped(rule) = serde_json::from_value(document)?;
    assert_eq!(rule.score_sum.op, Relation::Unknown);
    let at = "rule.DailySummary_DaySummary_ScoreSum".to_owned();
    let corrected = CocoaV2 { rule, ..CocoaV2::default() };
    let refused = RiskProfile::new(ProfileRules::CocoaV2(corrected));
    assert_eq!(refused, Err(ConfigurationError::UnknownRelation { at }));

    let shipped = CocoaV2 { rule, ..rules(BucketEdges::UpperInclusive, Behaviour::AsShipped) };
    let heard = exported(folder, "g1_design_example");
    let found = assess(shipped.clone(), &heard, risk_support::DAY);
    assert_eq!((found.level, found.conditions[0].holds), (RiskLevel::Low, false));
    let profile = RiskProfile::new(ProfileRules::CocoaV2(shipped))?;
    let written = serde_json::to_string(&profile)?;
    assert_eq!(serde_json::from_str::<RiskProfile>(&written)?, profile);
    Ok(())
}

fn asks_for_nothing(folder: &Path) -> Outcome {
    let rule: RiskCalculationConfiguration =
        serde_json::from_value(read(folder, "risk_all_nop.json"))?;
    let corrected = CocoaV2 { rule, ..CocoaV2::default() };
    let refused = RiskProfile::new(ProfileRules::CocoaV2(corrected));
    assert_eq!(refused, Err(ConfigurationError::AsksNothing { at: "rule".to_owned() }));
    let shipped = CocoaV2 { rule, ..rules(BucketEdges::UpperInclusive, Behaviour::AsShipped) };
    let heard = exported(folder, "g1_design_example");
    assert_eq!(assess(shipped, &heard, risk_support::DAY).level, RiskLevel::Low);
    Ok(())
}

fn production_rule(folder: &Path) -> Outcome {
    let rule: RiskCalculationConfiguration =
        serde_json::from_value(read(folder, "risk_calculation_configuration.json"))?;
    assert_eq!(rule, RiskCalculationConfiguration::cocoa());
    let beta: RiskCalculationConfiguration =
        serde_json::from_value(read(folder, "risk_beta_1170.json"))?;
    let found = |rule| {
        let heard = exported(folder, "near_540s");
        assess(CocoaV2 { rule, ..CocoaV2::default() }, &heard, risk_support::DAY).level
    };
    // The seconds were asked for only after the beta.
    assert_eq!((found(beta), found(rule)), (RiskLevel::High, RiskLevel::Low));
    Ok(())
}

fn configuration(folder: &Path) -> Outcome {
    let document: CocoaConfiguration = serde_json::from_value(read(folder, "configuration.json"))?;
    document.check()?;
    assert_eq!(document.google_exposure_config.profile()?, RiskProfile::google_v1());
    assert_eq!(document.apple_exposure_config_v1.profile()?, RiskProfile::apple_v1());
    let mapping = DiagnosisKeysDataMapping::cocoa();
    assert_eq!(document.google_diagnosis_keys_data_mapping_config.mapping()?, mapping);
    assert_eq!(document.apple_exposure_config_v2.mapping()?, mapping);
    let summaries = DailySummariesConfig::cocoa();
    assert_eq!(document.google_daily_summaries_config.daily_summaries()?, summaries);
    assert_eq!(document.apple_exposure_config_v2.daily_summaries()?, summaries);
    assert_eq!(serde_json::to_value(&document)?, read(folder, "configuration.json"));
    Ok(())
}

fn broken_configurations(folder: &Path) -> Outcome {
    let whole = read(folder, "configuration.json");
    let changes: BTreeMap<&str, (Value, &str)> = BTreeMap::from([
        (
            "/google_exposure_config/attenuation_scores",
            (Value::from(vec![1; 7]), "google_exposure_config.attenuation_scores: 7 entries"),
        ),
        (
            "/google_exposure_config/duration_scores/3",
            (Value::from(9), "google_exposure_config.duration_scores[3]: 9 is outside 0..=8"),
        ),
        (
            "/google_exposure_config/minimum_risk_score",
            (Value::from(0), "google_exposure_config.minimum_risk_score: 0 is outside"),
        ),
        (
            "/google_exposure_config/transmission_risk_weight",
            (Value::from(i64::MAX), "google_exposure_config.transmission_risk_weight"),
        ),
        (
            "/google_diagnosis_keys_data_mapping_config/report_type_when_missing",
            (Value::from(0), "google_diagnosis_keys_data_mapping_config.report_type_when_missing"),
        ),
        (
            "/google_diagnosis_keys_data_mapping_config/infectiousness_for_days_since_onset_of_symptoms/-3",
            (
                Value::from(3),
                "google_diagnosis_keys_data_mapping_config.infectiousness_for_days_since_onset_of_symptoms[-3]: 3",
            ),
        ),
        (
            "/google_daily_summaries_config/attenuation_bucket_threshold_db",
            (
                Value::from(vec![46, 65, 60]),
                "google_daily_summaries_config.attenuation_bucket_threshold_db: entries do not ascend",
            ),
        ),
        (
            "/google_daily_summaries_config/report_type_weights/ConfirmedTest",
            (
                Value::from(-1.0),
                "google_daily_summaries_config: daily_summaries.report_type_weights.confirmed_test",
            ),
        ),
        (
            "/apple_exposure_config_v1/minimum_risk_score",
            (Value::from(256), "apple_exposure_config_v1.minimum_risk_score: 256 is outside"),
        ),
        (
            "/apple_exposure_config_v2/DaysSinceLastExposureThreshold",
            (Value::from(-1), "apple_exposure_config_v2.DaysSinceLastExposureThreshold"),
        ),
        (
            "/apple_exposure_config_v2/near_duration_weight",
            (Value::from(1e300), "apple_exposure_config_v2: daily_summaries"),
        ),
    ]);
    for (pointer, (change, message)) in changes {
        let mut broken = whole.clone();
        *broken.pointer_mut(pointer).ok_or(pointer)? = change;
        let document: CocoaConfiguration = serde_json::from_value(broken)?;
        let error = document.check().err().ok_or(pointer)?.to_string();
        assert!(error.contains(message), "{pointer}: {error}");
    }
    let mut days = whole.clone();
    let table = "infectiousness_for_days_since_onset_of_symptoms";
    days["apple_exposure_config_v2"][table]["2000"] = Value::from(2);
    let document: CocoaConfiguration = serde_json::from_value(days)?;
    let error = document.check().err().ok_or("2000 days were accepted")?.to_string();
    assert!(error.contains("apple_exposure_config_v2") && error.contains("2000"), "{error}");

    let mut more = whole.clone();
    more["apple_exposure_config_v2"]["days_since_last_exposure_threshold"] = Value::from(0);
    assert!(serde_json::from_value::<CocoaConfiguration>(more).is_err());
    let mut less = whole;
    less.as_object_mut().ok_or("no object")?.remove("google_exposure_config");
    assert!(serde_json::from_value::<CocoaConfiguration>(less).is_err());
    Ok(())
}

/// The four profiles of `configuration.json`, with a server that sends no transmission risk level
/// and one that sends 4, and the rules.
fn production_documents(folder: &Path) -> Outcome {
    let text = |name: &str| fs::read_to_string(folder.join(name)).unwrap();
    let mut requirements = Requirements::default();
    for (level, first_generation) in [(None, false), (Some(0), false), (Some(4), true)] {
        requirements.assured.transmission_risk_level = level;
        let found: Vec<_> = document::read(&text("configuration.json"))?
            .into_iter()
            .map(|candidate| (candidate.part, validate(candidate.profile, &requirements).is_ok()))
            .collect();
        let expected = [
            ("google_exposure_config", first_generation),
            ("google_daily_summaries_config", true),
            ("apple_exposure_config_v1", first_generation),
            ("apple_exposure_config_v2", true),
        ];
        assert_eq!(found, expected, "{level:?}");
    }
    // Each object of the document is in one profile and no other.
    let production = document::read(&text("configuration.json"))?;
    for (object, field, value, place) in [
        ("google_exposure_config", "minimum_risk_score", 22, 0),
        ("google_diagnosis_keys_data_mapping_config", "report_type_when_missing", 3, 1),
        ("google_daily_summaries_config", "minimum_window_score", 1, 1),
        ("apple_exposure_config_v1", "minimum_risk_score", 22, 2),
        ("apple_exposure_config_v2", "report_type_none_map", 3, 3),
        ("apple_exposure_config_v2", "near_duration_weight", 249, 3),
    ] {
        let mut changed = read(folder, "configuration.json");
        *changed[object].get_mut(field).unwrap() = value.into();
        let changed = document::read(&changed.to_string())?;
        let differ = production.iter().zip(&changed).enumerate().filter(|(_, (a, b))| a != b);
        let places: Vec<_> = differ.map(|(place, _)| place).collect();
        assert_eq!(places, [place], "{object}.{field}");
    }
    let rule = |name: &str| document::read_profile(&text(name)).map_err(|error| error.to_string());
    assert_eq!(rule("risk_calculation_configuration.json")?, RiskProfile::cocoa_v2());
    assert!(validate(rule("risk_beta_1170.json")?, &requirements).is_ok());
    let unknown = rule("risk_unknown_op.json").unwrap_err();
    assert!(unknown.contains("`=>`") && unknown.contains("line 4 column"), "{unknown}");
    assert!(rule("risk_all_nop.json").unwrap_err().contains("no condition asks for anything"));
    for other in ["list.json", "server_configuration.json", "expected.json"] {
        assert!(rule(other).is_err(), "{other}");
    }
    Ok(())
}
