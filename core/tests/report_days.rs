//! The library's own export: from windows and an assessment to the golden document and back.

#![allow(clippy::unwrap_used, reason = "a test may fail by panicking")]

mod risk_support;

use chikaku_core::diagnosis_key::ReportType;
use chikaku_core::exposure::WindowOrigin;
use chikaku_core::metadata::CalibrationConfidence;
use chikaku_core::report::days::{DayConclusion, DayView, DaysReport, SecondsAtAttenuation};
use chikaku_core::risk::{Infectiousness, RiskLevel, RiskProfile};
use chikaku_core::time::UtcDay;
use proptest::prelude::*;
use risk_support::{DAY, Heard, evidence};
use serde_json::{Value, json};

const GOLDEN: &str = include_str!("vectors/days.json");

/// Two keys of the day. The first one's second window comes before its first one in the document,
/// and its third one began after midnight.
fn heard() -> Vec<Heard> {
    let midnight = DAY.start();
    let window = |heard: Heard, second: u32, confidence, scans: &[(u16, u16, u32)]| {
        let origin = WindowOrigin {
            key: heard.key.hash(),
            report_type: ReportType::ConfirmedTest,
            infectiousness: Infectiousness::High,
        };
        let mut heard = heard.window_from(midnight.saturating_add(second), scans, origin);
        heard.windows.last_mut().unwrap().calibration_confidence = confidence;
        heard
    };
    let medium = Some(CalibrationConfidence::Medium);
    let first = window(Heard::key(1), 40_000, medium, &[(58, 62, 240), (80, 85, 60)]);
    let first = window(first, 43_211, None, &[(52, 55, 300), (44, 46, 300)]);
    let first = window(first, 86_400, None, &[(30, 30, 300)]);
    let second = window(Heard::key(2), 7_777, Some(CalibrationConfidence::High), &[(57, 60, 300)]);
    vec![second, first]
}

/// The day as a host fills it in.
fn view(heard: &[Heard]) -> DayView {
    let mut view = DayView::new(DAY);
    view.minutes_planned = Some(1440);
    view.minutes_scanned = Some(1397);
    view.identifiers_heard = Some(31);
    view.sightings = Some(420);
    view.keys_checked = Some(250_000);
    for one in heard {
        view.add_exposure(one.key.hash(), &one.windows);
    }
    let assessment = RiskProfile::cocoa_v2().assess_day(DAY, &evidence(heard), DAY).unwrap();
    view.conclusion = Some(DayConclusion::new(&assessment, true));
    view
}

fn report(heard: &[Heard]) -> DaysReport {
    let mut after = DayView::new(DAY.saturating_add(1));
    (after.minutes_planned, after.minutes_scanned, after.sightings) = (Some(60), Some(0), Some(0));
    DaysReport::new([after, view(heard), DayView::new(DAY.saturating_sub(1))])
}

#[test]
fn golden_document_from_windows_and_an_assessment() {
    let made = report(&heard());
    assert_eq!(made.to_json(), GOLDEN.trim_end());
    assert_eq!(DaysReport::from_json(GOLDEN).unwrap(), made);
    let conclusion = made.days()[1].conclusion.as_ref().unwrap();
    assert_eq!(conclusion.level, RiskLevel::High);
    assert_eq!(
        conclusion.seconds_by_attenuation[1],
        SecondsAtAttenuation { from_db: 47, to_db: 60, seconds: 600 }
    );
}

#[test]
fn no_order_and_no_name_tells_a_time_of_day() {
    let heard = heard();
    let mut reversed = heard.clone();
    reversed.reverse();
    reversed.iter_mut().for_each(|one| one.windows.reverse());
    assert_eq!(report(&reversed), report(&heard));

    let json = report(&heard).to_json();
    for one in &heard {
        assert!(json.contains(&hex::encode(one.key.hash().as_bytes())));
        assert!(!json.contains(&hex::encode(one.key.as_bytes())));
        for window in &one.windows {
            assert!(!json.contains(&window.id.to_string()));
            assert!(!json.contains(&window.first_heard_at.unix_seconds().to_string()));
        }
        let identifier = one.key.identifier_key().identifier(DAY.first_interval());
        assert!(!json.contains(&hex::encode(identifier.as_bytes())));
    }
}

#[test]
fn what_is_not_known_is_not_zero() {
    let json = DaysReport::new([DayView::new(DAY)]).to_json();
    let document: Value = serde_json::from_str(&json).unwrap();
    let day = document["days"][0].as_object().unwrap();
    let missing: Vec<_> = day.iter().filter(|(_, value)| value.is_null()).map(|(k, _)| k).collect();
    let expected = [
        "conclusion",
        "identifiers_heard",
        "keys_checked",
        "minutes_planned",
        "minutes_scanned",
        "sightings",
    ];
    assert_eq!(missing, expected);
    // A window that does not count is shown, and adds no seconds.
    let mut heard = heard();
    heard[0].windows[0].infectiousness = Infectiousness::None;
    let day = view(&heard);
    assert_eq!(day.exposures.len(), 2);
    assert_eq!(day.conclusion.unwrap().seconds_by_attenuation[1].seconds, 300);
}

#[test]
fn refused_documents_say_why() {
    let change = |pointer: &str, value: Value| {
        let mut document: Value = serde_json::from_str(GOLDEN).unwrap();
        *document.pointer_mut(pointer).unwrap_or_else(|| panic!("{pointer}")) = value;
        DaysReport::from_json(&document.to_string()).unwrap_err().to_string()
    };
    let cases = [
        (change("/format_version", json!(2)), "format version 2 is not 1"),
        (change("/format_version", json!("1")), "invalid type: string"),
        (change("/days/2/date", json!("2022-01-12")), "days[2]: 2022-01-12 does not come after"),
        (change("/days/0/date", json!("2022-01-31")), "days[1]: 2022-01-12 does not come after"),
        (change("/days/0/date", json!("2022-02-31")), "not a date from 1970 to 9999"),
        (change("/days/1/sightings", json!(-1)), "invalid value: integer `-1`"),
        (change("/days/1/exposures/0/key_sha256", json!("00")), "Invalid string length"),
        (change("/days/1/exposures/0/key_sha256", json!("zz".repeat(32))), "Invalid character"),
        (change("/days/1/conclusion/level", json!("medium")), "unknown variant `medium`"),
        (change("/days/1/conclusion", json!({ "people": 3 })), "unknown field `people`"),
    ];
    for (error, message) in cases {
        assert!(error.contains(message), "{error}\ndoes not say\n{message}");
    }
    let mut document: Value = serde_json::from_str(GOLDEN).unwrap();
    document["days"][0]["rssi"] = json!(-60);
    let error = DaysReport::from_json(&document.to_string()).unwrap_err().to_string();
    assert!(error.contains("unknown field `rssi`"), "{error}");
}

proptest! {
    #[test]
    fn whatever_is_written_is_read(
        days in prop::collection::vec((0_u32..2_932_000, any::<[Option<u32>; 5]>(), 0..3_usize), 0..6),
        score: f64,
        announced: bool,
    ) {
        prop_assume!(score.is_finite());
        let views = days.iter().map(|(day, numbers, keys)| {
            let heard = heard();
            let mut full = view(&heard[..*keys.max(&1)]);
            full.date = UtcDay::new(*day);
            [full.minutes_planned, full.minutes_scanned, ..] = *numbers;
            full.identifiers_heard = numbers[2].map(u64::from);
            full.sightings = numbers[3].map(u64::from);
            full.keys_checked = numbers[4].map(u64::from);
            if *keys == 0 {
                (full.exposures, full.conclusion) = (Vec::new(), None);
            }
            if let Some(conclusion) = &mut full.conclusion {
                (conclusion.score, conclusion.announced) = (score, announced);
            }
            full
        });
        let report = DaysReport::new(views);
        let json = report.to_json();
        prop_assert_eq!(DaysReport::from_json(&json).unwrap(), report);
    }

    #[test]
    fn no_text_panics(text: String) {
        let _ = DaysReport::from_json(&text);
    }
}
