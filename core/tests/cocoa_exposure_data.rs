//! COCOA's `exposure_data.json`: the golden vector of the format in the repository, and the
//! documents in the data folder, through windows and assessments and back to the same bytes.

#![allow(clippy::unwrap_used, reason = "a test may fail by panicking")]
#![allow(clippy::print_stderr, reason = "a missing data folder must be heard")]

mod data_support;
mod risk_support;

use std::fs;
use std::path::Path;

use chikaku_core::diagnosis_key::ReportType;
use chikaku_core::exposure::{ExposureWindow, WindowOrigin};
use chikaku_core::metadata::CalibrationConfidence;
use chikaku_core::report::cocoa_exposure_data::{
    ExportOrigin, ExportedWindow, ExposureData, ItemList,
};
use chikaku_core::risk::{Assessment, Infectiousness, KeyEvidence, RiskLevel, RiskProfile};
use chikaku_core::time::UtcDay;
use data_support::{Data, Outcome};
use libtest_mimic::{Arguments, Trial};
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use risk_support::{DAY, Heard};
use serde_json::{Value, json};

const GOLDEN: &str = include_str!("vectors/cocoa_exposure_data.json");

fn main() {
    let arguments = Arguments::from_args();
    let data = Data::folder("cocoa");
    let trial = |name: &str, test: fn() -> Outcome| Trial::test(name, test);
    let trials = vec![
        trial("golden_document_from_windows", golden_document),
        trial("what_must_not_leave_does_not", nothing_else_leaves),
        trial("one_bad_item_costs_no_neighbour", bad_items),
        trial("documents_that_are_none", no_documents),
        trial("any_document_survives_writing_and_reading", any_document),
        data.trial("every_fixture_byte_for_byte", every_fixture),
        data.trial("fixtures_from_windows_and_assessments", fixtures_from_windows),
    ];
    libtest_mimic::run(&arguments, trials).exit();
}

fn read(json: &str) -> ExposureData {
    let (data, skipped) = ExposureData::from_json(json).unwrap();
    assert!(skipped.is_empty(), "{skipped:?}");
    data
}

/// Windows with those contents, each of a key of its own; the document does not say whose they
/// are, nor when they were, so the later ones of a day are put first.
fn heard(windows: &[ExportedWindow]) -> Vec<Heard> {
    let numbered = windows.iter().zip(1_u8..);
    numbered
        .map(|(window, number)| {
            let key = Heard::starting(number, window.day, Default::default());
            let origin = WindowOrigin {
                key: key.key.hash(),
                report_type: window.report_type.unwrap(),
                infectiousness: window.infectiousness,
            };
            let start = window.day.start().saturating_add(86_000 - 60 * u32::from(number));
            let mut heard = key.window_from(start, &[], origin);
            heard.windows[0].scan_instances = window.scan_instances.clone();
            heard.windows[0].calibration_confidence = Some(window.calibration_confidence);
            heard
        })
        .collect()
}

fn windows(heard: &[Heard]) -> Vec<&ExposureWindow> {
    heard.iter().flat_map(|one| &one.windows).collect()
}

/// COCOA's assessment of each day, from the second generation's rules.
fn assessments(heard: &[Heard], days: &[UtcDay]) -> Vec<Assessment> {
    let evidence: Vec<KeyEvidence<'_>> = heard.iter().map(Heard::evidence).collect();
    let profile = RiskProfile::cocoa_v2();
    days.iter().filter_map(|day| profile.assess_day(*day, &evidence, *day)).collect()
}

fn document(origin: &ExportOrigin, heard: &[Heard], days: &[UtcDay]) -> ExposureData {
    let assessments = assessments(heard, days);
    let summaries = assessments.iter().filter_map(|day| day.summary.as_ref());
    ExposureData::new(origin.clone(), summaries, windows(heard))
}

fn golden_document() -> Outcome {
    let golden = read(GOLDEN);
    assert_eq!(golden.to_json(), GOLDEN.trim_end());
    let confidences = [
        CalibrationConfidence::Lowest,
        CalibrationConfidence::Low,
        CalibrationConfidence::Medium,
        CalibrationConfidence::High,
    ];
    for confidence in confidences {
        assert!(golden.exposure_windows.iter().any(|w| w.calibration_confidence == confidence));
    }

    let mut heard = heard(&golden.exposure_windows);
    let days = [DAY, DAY.saturating_add(1), DAY.saturating_add(2)];
    let made = document(&golden.origin, &heard, &days);
    assert_eq!(made.to_json(), GOLDEN.trim_end());
    // In whichever order they come.
    heard.reverse();
    assert_eq!(document(&golden.origin, &heard, &days), made);
    Ok(())
}

fn nothing_else_leaves() -> Outcome {
    let golden = read(GOLDEN);
    let mut heard = heard(&golden.exposure_windows);
    for one in &mut heard[..2] {
        one.windows[0].infectiousness = Infectiousness::None;
    }
    heard[2].windows[0].report_type = ReportType::Revoked;
    let made = document(&ExportOrigin::default(), &heard, &[DAY]);
    assert_eq!(made.exposure_windows.len(), golden.exposure_windows.len() - 3);
    assert!(made.to_json().starts_with("{\n  \"platform\": null,"));
    let nothing = document(&ExportOrigin::default(), &heard[..3], &[DAY]);
    assert_eq!((nothing.daily_summaries.len(), nothing.exposure_windows.len()), (0, 0));
    // A window whose sender's calibration is not known.
    heard[3].windows[0].calibration_confidence = None;
    let made = ExposureData::new(ExportOrigin::default(), [], windows(&heard[3..4]));
    assert_eq!(made.exposure_windows[0].calibration_confidence, CalibrationConfidence::Lowest);
    let json = made.to_json();
    for one in &heard {
        let hash = one.key.hash();
        assert!(!json.contains(&hex::encode(hash.as_bytes())) && !json.contains(&hash.to_string()));
        assert!(!json.contains(&one.windows[0].id.to_string()));
        assert!(!json.contains(&one.windows[0].first_heard_at.unix_seconds().to_string()));
    }
    Ok(())
}

fn bad_items() -> Outcome {
    let cases = [
        ("/exposure_windows/1/Infectiousness", json!(3), "Infectiousness: 3 stands for nothing"),
        ("/exposure_windows/1/ReportType", json!(6), "ReportType: 6 stands for nothing"),
        ("/exposure_windows/1/ReportType", json!(i64::MAX), "stands for nothing"),
        ("/exposure_windows/1/CalibrationConfidence", json!(-1), "CalibrationConfidence: -1"),
        // The number that an overflow in COCOA's own test data made of a date.
        (
            "/exposure_windows/1/DateMillisSinceEpoch",
            json!(-1_485_405_184),
            "DateMillisSinceEpoch: -1485405184 is not the start of a day",
        ),
        ("/exposure_windows/1/DateMillisSinceEpoch", json!(1), "is not the start of a day"),
        ("/exposure_windows/1/DateMillisSinceEpoch", json!(i64::MAX), "not the start of a day"),
        ("/exposure_windows/1/ScanInstances/0/SecondsSinceLastScan", json!(-1), "SecondsSince"),
        ("/exposure_windows/1/ScanInstances/0/MinAttenuationDb", json!(65_536), "MinAttenuationDb"),
        ("/exposure_windows/1/ScanInstances", json!(null), "invalid type: null"),
        ("/exposure_windows/1", json!("window"), "invalid type: string"),
        ("/daily_summaries/1/DateMillisSinceEpoch", json!(-86_400_000), "not the start of a day"),
        ("/daily_summaries/1/DaySummary/ScoreSum", json!(-1.0), "ScoreSum: -1 is not a score"),
        ("/daily_summaries/1/DaySummary/ScoreSum", json!("NaN"), "invalid type: string"),
        ("/daily_summaries/1/RecursiveSummary", json!({}), "missing field `MaximumScore`"),
    ];
    let good = read(GOLDEN);
    for (pointer, value, message) in cases {
        let mut document: Value = serde_json::from_str(GOLDEN).unwrap();
        *document.pointer_mut(pointer).unwrap() = value;
        let (data, skipped) = ExposureData::from_json(&document.to_string()).unwrap();
        assert_eq!(skipped.len(), 1, "{pointer}");
        assert_eq!(skipped[0].index, 1);
        let shown = skipped[0].to_string();
        assert!(shown.contains(message), "{shown}\ndoes not say\n{message}");
        let (mut summaries, mut windows) =
            (good.daily_summaries.clone(), good.exposure_windows.clone());
        match skipped[0].list {
            ItemList::DailySummaries => drop(summaries.remove(1)),
            ItemList::ExposureWindows => drop(windows.remove(1)),
        }
        assert!(shown.starts_with(pointer.trim_start_matches('/').split('/').next().unwrap()));
        assert_eq!((data.daily_summaries, data.exposure_windows), (summaries, windows));
    }
    // Fields of a later app are passed over; report type 0 is one that is not known.
    let mut document: Value = serde_json::from_str(GOLDEN).unwrap();
    document["format_version"] = json!(7);
    document["exposure_windows"][0]["Variant"] = json!("omicron");
    document["exposure_windows"][0]["ReportType"] = json!(0);
    assert_eq!(read(&document.to_string()).exposure_windows[0].report_type, None);
    Ok(())
}

fn no_documents() -> Outcome {
    let mut less: Value = serde_json::from_str(GOLDEN).unwrap();
    less.as_object_mut().unwrap().remove("exposure_windows");
    for json in ["", "[]", "{}", "null", &GOLDEN[..GOLDEN.len() / 2], &less.to_string()] {
        let error = ExposureData::from_json(json).unwrap_err().to_string();
        assert!(error.starts_with("not an exposure_data.json: "), "{error}");
    }
    Ok(())
}

fn any_document() -> Outcome {
    let scan = (any::<u16>(), any::<u16>(), any::<u32>());
    let scans = prop::collection::vec(scan, 0..5);
    let window = (any::<u32>(), 0..=5_i32, 0..3_usize, 0..4_usize, scans);
    let score = prop_oneof![0.0..1e6_f64, prop::num::f64::POSITIVE];
    let summary = (any::<u32>(), prop::collection::vec(score, 15));
    let strategy = (
        any::<[Option<String>; 7]>(),
        prop::collection::vec(window, 0..5),
        prop::collection::vec(summary, 0..4),
    );
    let written = |(origin, windows, summaries): &(_, Vec<_>, Vec<_>)| {
        let [platform, platform_version, model, device_type, app_version, build_number, en_version]: [Option<String>; 7] = Clone::clone(origin);
        let origin = ExportOrigin {
            platform,
            platform_version,
            model,
            device_type,
            app_version,
            build_number,
            en_version,
        };
        let windows = windows.iter().map(generated::window).collect();
        let summaries = summaries.iter().map(generated::summary).collect();
        ExposureData { origin, daily_summaries: summaries, exposure_windows: windows }
    };
    let mut runner = TestRunner::new(Config { failure_persistence: None, ..Config::default() });
    runner.run(&strategy, |parts| {
        let data = written(&parts);
        let json = data.to_json();
        let (again, skipped) = ExposureData::from_json(&json).unwrap();
        prop_assert!(skipped.is_empty(), "{:?}", skipped);
        prop_assert_eq!(again.to_json(), json);
        prop_assert_eq!(again, data);
        Ok(())
    })?;
    runner.run(&any::<String>(), |text| {
        let _ = ExposureData::from_json(&text);
        Ok(())
    })?;
    Ok(())
}

mod generated {
    use super::*;
    use chikaku_core::exposure::ScanInstance;
    use chikaku_core::report::cocoa_exposure_data::ExportedSummary;
    use chikaku_core::risk::daily_summary::SummaryData;
    use chikaku_core::signal::AttenuationDb;

    type Window = (u32, i32, usize, usize, Vec<(u16, u16, u32)>);

    pub(super) fn window(
        (day, report, infectiousness, confidence, scans): &Window,
    ) -> ExportedWindow {
        let instance = |&(minimum, typical, seconds): &(u16, u16, u32)| ScanInstance {
            minimum_attenuation: AttenuationDb::from_db(minimum),
            typical_attenuation: AttenuationDb::from_db(typical),
            seconds_since_last_scan: seconds,
        };
        ExportedWindow {
            day: UtcDay::new(*day),
            report_type: ReportType::from_wire(*report),
            infectiousness: [Infectiousness::None, Infectiousness::Standard, Infectiousness::High]
                [*infectiousness],
            calibration_confidence: [
                CalibrationConfidence::Lowest,
                CalibrationConfidence::Low,
                CalibrationConfidence::Medium,
                CalibrationConfidence::High,
            ][*confidence],
            scan_instances: scans.iter().map(instance).collect(),
        }
    }

    pub(super) fn summary((day, scores): &(u32, Vec<f64>)) -> ExportedSummary {
        let of = |number: usize| SummaryData {
            maximum_score: scores[3 * number],
            score_sum: scores[3 * number + 1],
            weighted_duration_sum: scores[3 * number + 2],
        };
        ExportedSummary {
            day: UtcDay::new(*day),
            day_summary: of(0),
            confirmed_clinical_diagnosis: of(1),
            confirmed_test: of(2),
            recursive: of(3),
            self_reported: of(4),
        }
    }
}

/// Name and text of each document in the data folder.
fn fixtures(folder: &Path) -> Vec<(String, String)> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_stem().unwrap().to_string_lossy().into_owned();
        if let Some(case) = name.strip_prefix("exposure_data_") {
            found.push((case.to_owned(), fs::read_to_string(&path).unwrap()));
        }
    }
    assert_eq!(found.len(), 15);
    found
}

fn every_fixture(folder: &Path) -> Outcome {
    for (case, text) in fixtures(folder) {
        assert_eq!(read(&text).to_json(), text.trim_end(), "{case}");
    }
    Ok(())
}

fn fixtures_from_windows(folder: &Path) -> Outcome {
    let expected = fs::read_to_string(folder.join("expected.json"))?;
    let expected: Value = serde_json::from_str(&expected)?;
    let mut high = 0;
    for (case, text) in fixtures(folder) {
        let fixture = read(&text);
        let heard = heard(&fixture.exposure_windows);
        let days: Vec<_> = fixture.daily_summaries.iter().map(|summary| summary.day).collect();
        let mut made = document(&fixture.origin, &heard, &days);
        // Within a day the order of windows is free; ours does not tell the time of day.
        let ours = |data: &ExposureData| {
            let mut windows: Vec<_> =
                data.exposure_windows.iter().map(|window| format!("{window:?}")).collect();
            windows.sort();
            windows
        };
        assert_eq!(ours(&made), ours(&fixture), "{case}");
        made.exposure_windows.clone_from(&fixture.exposure_windows);
        assert_eq!(made.to_json(), text.trim_end(), "{case}");

        for found in assessments(&heard, &days) {
            let of_day = |one: &&Value| {
                one["date_millis"].as_i64() == Some(found.day.start().unix_seconds() * 1000)
            };
            let of_case = expected[&case]["days"].as_array().ok_or("no such case")?;
            let expected = of_case.iter().find(of_day).ok_or("no such day")?;
            let is_high = expected["inclusive_le"]["level_all_windows"] == "High";
            assert_eq!(found.level == RiskLevel::High, is_high, "{case}");
            high += usize::from(is_high);
        }
    }
    assert!(high > 0);
    Ok(())
}
