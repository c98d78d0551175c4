//! The recuperation diary, as an app keeps it: the prefecture's rows, missed slots, the export.

#![allow(clippy::unwrap_used, reason = "a test may fail by panicking")]

use chikaku_core::diary::admission::{AdmissionFacts, Condition, Pneumonia};
use chikaku_core::diary::escalation::Ground;
use chikaku_core::diary::export::{DiaryExport, DiaryExportError};
use chikaku_core::diary::rule_table::DiaryRulesError;
use chikaku_core::diary::{
    Basis, Diary, DiaryRules, Entry, EntryError, EscalationLevel, MOST_ENTRIES, Note,
    OxygenSaturation, Place, Start, StartError, SymptomKey, Temperature,
};
use chikaku_core::guidance::messages::MessageKey;
use chikaku_core::local_time::UtcOffset;
use chikaku_core::time::{Timestamp, UtcDay};
use proptest::prelude::*;
use serde_json::{Value, json};

/// 2022-01-28, 09:00 in Japan.
const MORNING: i64 = 1_643_328_000;
const HOUR: i64 = 3_600;

fn at(seconds: i64) -> Timestamp {
    Timestamp::from_unix_seconds(seconds).unwrap()
}

fn symptom(key: &str) -> SymptomKey {
    SymptomKey::try_from(key.to_owned()).unwrap()
}

fn begin(basis: Basis, facts: AdmissionFacts) -> Diary {
    let start = Start { basis, place: Place::Home, utc_offset: UtcOffset::JAPAN, facts };
    Diary::begin(start, &DiaryRules::builtin(), at(MORNING - 2 * HOUR)).unwrap()
}

fn onset(date: &str) -> Basis {
    Basis::Onset(date.parse().unwrap())
}

fn entry(seconds: i64, tenths: u16, percent: u8, symptoms: &[&str]) -> Entry {
    Entry {
        temperature: Some(Temperature::from_tenths_celsius(tenths).unwrap()),
        oxygen_saturation: Some(OxygenSaturation::from_percent(percent).unwrap()),
        symptoms: Some(symptoms.iter().map(|key| symptom(key)).collect()),
        ..Entry::at(at(seconds))
    }
}

/// The two entries of the golden document.
fn golden() -> Diary {
    let rules = DiaryRules::builtin();
    let mut diary = begin(onset("2022-01-28"), AdmissionFacts::default());
    let second = MORNING + 12 * HOUR;
    diary.add(entry(MORNING, 378, 97, &["cough"]), &rules, at(MORNING)).unwrap();
    diary.add(entry(second, 386, 95, &["cough", "dyspnea"]), &rules, at(second)).unwrap();
    diary
}

fn contacts(keys: &[MessageKey]) -> Vec<&str> {
    keys.iter().map(MessageKey::as_str).collect()
}

#[test]
fn the_golden_rows_of_the_prefecture() {
    let rules = DiaryRules::builtin();
    let diary = golden();
    let first = diary.escalation(&rules, at(MORNING));
    assert_eq!((first.level, first.holding.len()), (EscalationLevel::None, 0));
    let second = diary.escalation(&rules, at(MORNING + 12 * HOUR));
    assert_eq!(second.level, EscalationLevel::Emergency);
    assert_eq!(contacts(&second.contacts), ["corona_119"]);
    let ground = Ground::OxygenSaturation { at: at(MORNING + 12 * HOUR), percent: 95 };
    assert!(second.holding.iter().any(|held| held.grounds == [ground.clone()]), "{second:?}");

    // 95 % is a hospital's, 96 % is not.
    for (percent, level) in [
        (94, EscalationLevel::Emergency),
        (95, EscalationLevel::Emergency),
        (96, EscalationLevel::None),
    ] {
        let mut diary = begin(onset("2022-01-28"), AdmissionFacts::default());
        diary.add(entry(MORNING, 370, percent, &[]), &rules, at(MORNING)).unwrap();
        assert_eq!(diary.escalation(&rules, at(MORNING)).level, level, "{percent} %");
    }
}

#[test]
fn admission_scores_of_the_prefecture() {
    let with = |age, conditions: &[Condition]| AdmissionFacts {
        age_years: Some(age),
        conditions: conditions.iter().copied().collect(),
        ..AdmissionFacts::default()
    };
    let rules = DiaryRules::builtin();
    use Condition as C;
    let rows = [
        (with(76, &[C::Diabetes]), false, 5),
        (with(70, &[C::ChronicRespiratoryDisease]), true, 3),
        (AdmissionFacts { dialysis: true, ..with(40, &[]) }, false, 6),
        (AdmissionFacts { oxygen_needed: true, ..with(30, &[]) }, false, 5),
        (with(66, &[]), false, 2),
        // Both sides of the ages, and every other line of the table.
        (with(64, &[]), false, 0),
        (with(65, &[]), false, 2),
        (with(74, &[]), false, 2),
        (with(75, &[]), false, 3),
        (with(30, &[C::SevereCardiovascularDisease, C::Cancer]), false, 4),
        (
            with(30, &[C::UncontrolledHypertension, C::AfterTransplant, C::BodyMassIndexOf30]),
            false,
            3,
        ),
        (AdmissionFacts { pregnancy_of_37_weeks: true, ..with(30, &[]) }, false, 6),
        (AdmissionFacts { severe_impression: true, ..with(30, &[]) }, false, 1),
        (AdmissionFacts { pneumonia: Some(Pneumonia::OneLungUpToHalf), ..with(30, &[]) }, false, 3),
        (AdmissionFacts { pneumonia: Some(Pneumonia::OneLungOverHalf), ..with(30, &[]) }, false, 6),
        (AdmissionFacts { pneumonia: Some(Pneumonia::BothLungs), ..with(30, &[]) }, false, 6),
        (AdmissionFacts::default(), true, -1),
        (AdmissionFacts::default(), false, 0),
    ];
    for (number, (facts, asymptomatic, score)) in rows.into_iter().enumerate() {
        assert_eq!(rules.admission_score(&facts, asymptomatic), Some(score), "row {number}");
        let date = "2022-01-28".parse().unwrap();
        let basis = if asymptomatic { Basis::Test(date) } else { Basis::Onset(date) };
        let level = begin(basis, facts).escalation(&rules, at(MORNING - HOUR)).level;
        let hospital = level >= EscalationLevel::CallNurse;
        assert_eq!(hospital, score >= 5, "row {number}: {level:?}");
    }
}

#[test]
fn slots_are_due_missed_and_escalate() {
    let rules = DiaryRules::builtin();
    let mut diary = begin(onset("2022-01-28"), AdmissionFacts::default());
    // Begun at 07:00 in Japan; slots at 08:00 and 18:00.
    let eight = MORNING - HOUR;
    let before = diary.schedule(&rules, at(eight - 1));
    assert_eq!((before.due, before.next), (None, Some(at(eight))));
    let due = diary.schedule(&rules, at(eight)).due.unwrap();
    assert_eq!((due.begins, due.ends), (at(eight), at(eight + 10 * HOUR)));

    let levels = |diary: &Diary| {
        [10 * HOUR - 1, 10 * HOUR, 24 * HOUR - 1, 24 * HOUR].map(|later| {
            let found = diary.escalation(&rules, at(eight + later));
            (diary.schedule(&rules, at(eight + later)).missed_in_a_row, found.level)
        })
    };
    use EscalationLevel as Level;
    assert_eq!(
        levels(&diary),
        [(0, Level::None), (1, Level::Watch), (1, Level::Watch), (2, Level::CallNurse)]
    );
    let called = diary.escalation(&rules, at(eight + 24 * HOUR));
    assert_eq!(contacts(&called.contacts), ["health_centre"]);

    // An entry ends the silence at once; what was missed stays missed.
    let now = at(eight + 25 * HOUR);
    diary.add(entry(eight + 25 * HOUR, 368, 98, &[]), &rules, now).unwrap();
    let after = diary.schedule(&rules, now);
    assert_eq!((after.due, after.missed.len(), after.missed_in_a_row), (None, 2, 0));
    assert_eq!(diary.escalation(&rules, now).level, Level::None);

    // The last second of a slot is the slot's.
    let mut diary = begin(onset("2022-01-28"), AdmissionFacts::default());
    let last = eight + 10 * HOUR - 1;
    diary.add(entry(last, 368, 98, &[]), &rules, at(last)).unwrap();
    assert!(diary.schedule(&rules, at(last + 1)).missed.is_empty());
    assert!(diary.schedule(&rules, at(last + 1)).due.is_some());
}

#[test]
fn the_period_ends_in_the_patients_calendar() {
    let rules = DiaryRules::builtin();
    let diary = begin(onset("2022-01-27"), AdmissionFacts::default());
    assert_eq!(diary.last_day().to_string(), "2022-02-06");
    // Midnight in Japan.
    assert_eq!(diary.ends_at(), at(1_644_159_600));
    assert!(!diary.schedule(&rules, at(1_644_159_599)).is_over);
    let over = diary.schedule(&rules, at(1_644_159_600));
    assert!(over.is_over && over.due.is_none() && over.next.is_none());
    assert_eq!(over.missed.len(), 2 * 10);
    assert_eq!(diary.escalation(&rules, at(1_644_159_600)).level, EscalationLevel::None);

    let mut without = begin(Basis::Test("2022-01-27".parse().unwrap()), AdmissionFacts::default());
    assert_eq!(without.last_day().to_string(), "2022-02-03");
    without.symptoms_began("2022-01-28".parse().unwrap(), &rules, at(MORNING)).unwrap();
    assert_eq!(without.last_day().to_string(), "2022-02-07");
    let tomorrow = "2022-01-29".parse().unwrap();
    let refused = without.symptoms_began(tomorrow, &rules, at(MORNING));
    assert_eq!(refused, Err(StartError::Future));
    let start = |basis| Start {
        basis,
        place: Place::Hotel,
        utc_offset: UtcOffset::JAPAN,
        facts: AdmissionFacts::default(),
    };
    let begin = |basis| Diary::begin(start(basis), &rules, at(MORNING)).map(drop);
    assert_eq!(begin(Basis::Onset(tomorrow)), Err(StartError::Future));
    assert_eq!(begin(onset("2022-01-18")), Ok(()));
    assert_eq!(begin(onset("2022-01-17")), Err(StartError::Over("2022-01-27".parse().unwrap())));
}

#[test]
fn what_is_missing_makes_nobody_healthier() {
    let rules = DiaryRules::builtin();
    let mut diary = golden();
    let later = at(MORNING + 13 * HOUR);
    let note = Note::try_from("the oximeter is flat".to_owned()).unwrap();
    diary.add(Entry { note: Some(note), ..Entry::at(later) }, &rules, later).unwrap();
    assert_eq!(diary.escalation(&rules, later).level, EscalationLevel::Emergency);
    let measured = at(MORNING + 14 * HOUR);
    diary.add(entry(MORNING + 14 * HOUR, 370, 96, &[]), &rules, measured).unwrap();
    assert_eq!(diary.escalation(&rules, measured).level, EscalationLevel::None);
}

#[test]
fn entries_that_are_refused_change_nothing() {
    let rules = DiaryRules::builtin();
    let mut diary = golden();
    let before = diary.clone();
    let now = at(MORNING + 20 * HOUR);
    let cases = [
        (Entry::at(now), EntryError::Empty),
        (entry(MORNING + 20 * HOUR + 1, 370, 97, &[]), EntryError::Future),
        // 2022-01-27, 23:59:59 in Japan.
        (entry(MORNING - 9 * HOUR - 1, 370, 97, &[]), EntryError::BeforeThePeriod),
        (entry(MORNING, 370, 97, &["typo"]), EntryError::UnknownSymptom(symptom("typo"))),
    ];
    for (entry, error) in cases {
        assert_eq!(diary.add(entry, &rules, now), Err(error));
    }
    assert_eq!(diary, before);
    // One of the same second is a correction.
    diary.add(entry(MORNING, 371, 97, &[]), &rules, now).unwrap();
    assert_eq!(diary.entries().len(), 2);

    let end = at(MORNING + 10_000);
    let mut full = begin(onset("2022-01-28"), AdmissionFacts::default());
    for second in 0..i64::try_from(MOST_ENTRIES).unwrap() {
        full.add(entry(MORNING + second, 370, 97, &[]), &rules, end).unwrap();
    }
    assert_eq!(full.add(entry(MORNING + 9_000, 370, 97, &[]), &rules, end), Err(EntryError::Full));
    full.add(entry(MORNING, 371, 97, &[]), &rules, end).unwrap();
}

#[test]
fn kept_whole_until_the_period_is_forgotten() {
    let mut diary = golden();
    assert!(diary.outlives(diary.ends_at()));
    assert!(!diary.outlives(diary.ends_at().saturating_add(1)));
    diary.forget_day(UtcDay::new(19_020));
    assert_eq!(diary.entries().len(), 0);
}

fn builtin_json() -> Value {
    serde_json::from_str(include_str!("../resources/diary/rules.json")).unwrap()
}

#[test]
fn tables_that_are_refused_say_where() {
    let builtin = builtin_json();
    DiaryRules::read(&builtin.to_string()).unwrap();
    let changed = |pointer: &str, value: Value| {
        let mut table = builtin.clone();
        *table.pointer_mut(pointer).unwrap() = value;
        DiaryRules::read(&table.to_string()).unwrap_err().to_string()
    };
    let cases = [
        ("/format_version", json!(2), "format version 2 is not 1"),
        ("/period_days/with_symptoms", json!(0), "period_days.with_symptoms: 0"),
        ("/slots", json!([]), "slots: 0 of them"),
        ("/slots/1", json!("08:00"), "slots[1]"),
        ("/slots/0", json!("8:00"), "slots[0]"),
        ("/slots/1", json!("24:00"), "slots[1]"),
        ("/rules/0/when", json!({}), "rules[0].when: a rule without a condition"),
        ("/rules/0/when/symptoms", json!([]), "rules[0].when.symptoms: an empty list"),
        ("/rules/0/when/symptoms/0", json!("cyanossis"), "cyanossis is not among the symptoms"),
        ("/rules/0/escalate", json!("none"), "rules[0].escalate"),
        ("/rules/1/when/spo2_percent_at_most", json!(100), "rules[1].when.spo2_percent_at_most"),
        ("/rules/1/when/spo2_percent_at_most", json!(49), "rules[1].when.spo2_percent_at_most"),
        ("/rules/3/when/missed_slots_at_least", json!(0), "0 always holds"),
        ("/admission_score", Value::Null, "the table has no admission_score"),
        ("/contacts/emergency", json!([]), "nobody is to be contacted"),
        ("/rules/1/when", json!({ "spo2_at_most": 95 }), "unknown field"),
        ("/rules/3/escalate", json!("watch"), "nobody is called however many slots are missed"),
        ("/rules", json!([]), "nothing is ever an emergency"),
    ];
    for (pointer, value, expected) in cases {
        let message = changed(pointer, value);
        assert!(message.contains(expected), "{pointer}: {message}");
    }
    assert!(matches!(DiaryRules::read("{"), Err(DiaryRulesError::Document(_))));
}

#[test]
fn the_export_is_the_same_through_a_qr_code() {
    let rules = DiaryRules::builtin();
    let export = golden().export(&rules, at(MORNING + 12 * HOUR));
    let expected = json!({
        "format_version": 1, "made_at_unix_s": 1_643_371_200, "begun_at_unix_s": 1_643_320_800,
        "basis": { "onset": "2022-01-28" }, "place": "home", "utc_offset_minutes": 540,
        "last_day": "2022-02-07",
        "facts": {
            "age_years": null, "conditions": [], "pneumonia": null, "dialysis": false,
            "pregnancy_of_37_weeks": false, "oxygen_needed": false, "severe_impression": false,
        },
        "admission_score": 0, "escalation": "emergency", "missed_slots_unix_s": [],
        "entries": [
            { "at_unix_s": 1_643_328_000, "temperature_tenths_celsius": 378, "spo2_percent": 97,
              "symptoms": ["cough"] },
            { "at_unix_s": 1_643_371_200, "temperature_tenths_celsius": 386, "spo2_percent": 95,
              "symptoms": ["cough", "dyspnea"] },
        ],
    });
    assert_eq!(serde_json::from_str::<Value>(&export.to_json()).unwrap(), expected);
    let text = export.to_qr_text();
    let read = DiaryExport::from_qr_text(&text).unwrap();
    assert_eq!((read.to_json(), &read), (export.to_json(), &export));
    assert_eq!(DiaryExport::from_json(&export.to_json()).unwrap(), export);
    // Only characters that a QR code packs densely.
    let dense = |c: char| c.is_ascii_digit() || c.is_ascii_uppercase() || " $%*+-./:".contains(c);
    assert!(text.chars().all(dense), "{text}");

    for cut in 0..text.len() {
        assert!(DiaryExport::from_qr_text(&text[..cut]).is_err(), "cut at {cut}");
    }
    assert!(matches!(DiaryExport::from_qr_text("HC1:"), Err(DiaryExportError::NotADiary)));
    let more = format!("{text}000");
    assert!(matches!(DiaryExport::from_qr_text(&more), Err(DiaryExportError::Damaged)));
    let mut unordered = expected;
    unordered["entries"][1]["at_unix_s"] = json!(1_643_328_000);
    let refused = DiaryExport::from_json(&unordered.to_string());
    assert!(matches!(refused, Err(DiaryExportError::Entries)));
}

#[test]
fn a_whole_period_fits_in_one_code() {
    let rules = DiaryRules::builtin();
    let mut diary = begin(onset("2022-01-28"), AdmissionFacts::default());
    for slot in 0..21 {
        let (seconds, spread) = (MORNING + slot * 12 * HOUR + slot * 97, slot * 7 % 13);
        let spread = u16::try_from(spread).unwrap();
        let percent = 95 + u8::try_from(spread % 5).unwrap();
        let mut filled = entry(seconds, 365 + spread, percent, &["cough", "fatigue", "fever"]);
        let text = format!("slept {spread} hours, ate {} times", spread % 4);
        filled.note = Some(Note::try_from(text).unwrap());
        diary.add(filled, &rules, at(seconds)).unwrap();
    }
    let text = diary.export(&rules, diary.ends_at()).to_qr_text();
    // Alphanumeric characters of version 40 at error correction M (ISO/IEC 18004, table 7).
    assert!(text.len() <= 3_391, "{} characters", text.len());
}

#[test]
fn debug_shows_no_health() {
    let diary = golden();
    let export = diary.export(&DiaryRules::builtin(), at(MORNING));
    let shown = format!("{diary:?} {export:?} {:?} {:?}", diary.entries(), diary.facts());
    for hidden in ["378", "386", "97", "95", "cough", "dyspnea", "2022"] {
        assert!(!shown.contains(hidden), "{hidden} in {shown}");
    }
}

fn entries() -> impl Strategy<Value = Vec<Entry>> {
    let keys = proptest::sample::subsequence(vec!["cough", "cyanosis", "dyspnea", "fever"], 0..=4);
    let one = (
        0_i64..20 * 24 * HOUR,
        proptest::option::of(300_u16..=450),
        proptest::option::of(50_u8..=100),
        proptest::option::of(keys),
    );
    let one = one.prop_map(|(later, tenths, percent, keys)| Entry {
        temperature: tenths.map(|tenths| Temperature::from_tenths_celsius(tenths).unwrap()),
        oxygen_saturation: percent.map(|percent| OxygenSaturation::from_percent(percent).unwrap()),
        symptoms: keys.map(|keys| keys.into_iter().map(symptom).collect()),
        ..Entry::at(at(MORNING + later))
    });
    proptest::collection::vec(one, 0..40)
}

proptest! {
    #[test]
    fn any_diary_round_trips_and_a_worse_value_is_never_less_urgent(
        entries in entries(),
        later in 0_i64..30 * 24 * HOUR,
        worse in 50_u8..=100,
    ) {
        let rules = DiaryRules::builtin();
        let mut diary = begin(onset("2022-01-28"), AdmissionFacts::default());
        for entry in entries {
            let _refused_if_empty = diary.add(entry, &rules, at(MORNING + 30 * 24 * HOUR));
        }
        let now = at(MORNING + later);
        let export = diary.export(&rules, now);
        prop_assert_eq!(&DiaryExport::from_qr_text(&export.to_qr_text()).unwrap(), &export);
        let schedule = diary.schedule(&rules, now);
        prop_assert!(schedule.missed.len() >= schedule.missed_in_a_row as usize);
        prop_assert!(schedule.missed.iter().all(|slot| slot.ends <= now));

        let with = |percent: u8| {
            let mut diary = diary.clone();
            let measured = OxygenSaturation::from_percent(percent).unwrap();
            let entry = Entry { oxygen_saturation: Some(measured), ..Entry::at(now) };
            diary.add(entry, &rules, now).ok().map(|()| diary.escalation(&rules, now).level)
        };
        prop_assert!(with(worse) >= with(100));
    }
}
