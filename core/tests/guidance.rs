//! What a notified person is told, as an app asks for it.

#![allow(clippy::unwrap_used, reason = "a test may fail by panicking")]

use std::collections::BTreeSet;

use chikaku_core::guidance::messages::{MessageFile, MessageKey, MessageSet};
use chikaku_core::guidance::opening_hours::OpeningState;
use chikaku_core::guidance::{Guidance, Phase, RuleTable, Situation, Symptoms, guidance};
use chikaku_core::local_time::{LocalDate, UtcOffset};
use chikaku_core::time::{Timestamp, UtcDay};
use proptest::prelude::*;
use serde_json::{Value, json};

/// 2022-01-12, a Wednesday; in Japan it runs from 09:00 to 09:00 of the next day.
const DAY: UtcDay = UtcDay::new(19_004);

fn at(seconds: i64) -> Timestamp {
    Timestamp::from_unix_seconds(seconds).unwrap()
}

/// Hours and minutes of a January day of 2022 in Japan.
fn japan(day: u32, hour: i64, minute: i64) -> Timestamp {
    let midnight = UtcDay::new(18_992 + day).start().unix_seconds() - 9 * 3600;
    at(midnight + hour * 3600 + minute * 60)
}

fn situation(high_days: &[UtcDay], symptoms: Symptoms) -> Situation {
    let high_days = high_days.iter().copied().collect();
    Situation { high_days, symptoms, utc_offset: UtcOffset::JAPAN }
}

fn keys(found: &Guidance) -> Vec<&str> {
    found.messages.iter().map(MessageKey::as_str).collect()
}

/// The names of a prefecture's contact points, over the library's own texts.
fn prefecture_messages() -> MessageSet {
    let own = [("ja", "コロナ119番", "専用ダイヤル"), ("en", "Corona 119", "Helpline")];
    let own = own.map(|(language, first, second)| {
        let names = json!({ "corona_119": first, "helpline": second });
        let file = json!({ "format_version": 1, "language": language, "messages": names });
        MessageFile::read(&file.to_string()).unwrap()
    });
    MessageSet::new(MessageFile::builtin().into_iter().chain(own)).unwrap()
}

/// A prefecture's table, made of the library's rules and two contact points.
fn prefecture_table() -> Value {
    let builtin = include_str!("../resources/guidance/rules.json");
    let mut table: Value = serde_json::from_str(builtin).unwrap();
    let always = vec!["00:00-24:00"];
    let office = vec!["09:00-12:00", "13:00-17:00"];
    table["contact_points"] = json!([
        {
            "name": "corona_119", "phone": "045-000-0119", "utc_offset_minutes": 540,
            "opening_hours": {
                "monday": always, "tuesday": always, "wednesday": always, "thursday": always,
                "friday": always, "saturday": always, "sunday": always,
            },
        },
        {
            "name": "helpline", "phone": "0570-000-000", "utc_offset_minutes": 540,
            "opening_hours": {
                "monday": office, "tuesday": office, "wednesday": office, "thursday": office,
                "friday": office,
            },
            "closed_on": ["2022-01-17"],
            "when": { "phase": ["precaution"] },
        },
    ]);
    table
}

fn read(table: &Value) -> Result<RuleTable, String> {
    RuleTable::read(&table.to_string(), &prefecture_messages()).map_err(|e| e.to_string())
}

#[test]
fn a_contact_on_wednesday_asked_about_on_saturday() {
    let (messages, table) = (prefecture_messages(), read(&prefecture_table()).unwrap());
    let asked = situation(&[DAY], Symptoms::Unknown);
    let found = guidance(&table, &asked, japan(15, 10, 0)).unwrap();

    assert_eq!((found.phase, found.precaution_days), (Phase::Precaution, 7));
    assert_eq!(found.until_day.to_string(), "2022-01-20");
    let expected = [
        "not_necessarily_infected",
        "monitor_health",
        "avoid_high_risk_people",
        "avoid_high_risk_behaviour",
        "consult_if_worried",
        "call_before_visiting",
    ];
    assert_eq!(keys(&found), expected);

    // Somebody always answers the first; the second is closed on Monday the 17th as well.
    let open: Vec<_> = found.open_now().map(|point| point.name.as_str()).collect();
    assert_eq!(open, ["corona_119"]);
    assert_eq!(found.contact_points[0].state, OpeningState::Open { closes: None });
    let (next, opens) = found.opening_next().unwrap();
    assert_eq!((next.phone.as_str(), opens), ("0570-000-000", japan(18, 9, 0)));

    let values = found.values("1月20日");
    let text = messages.text("ja", &found.messages[2], values).unwrap();
    assert!(text.starts_with("1月20日まで(接触のあった日の7日後まで)"), "{text}");
    let name = messages.text("en", &found.contact_points[0].name, values).unwrap();
    assert_eq!(name, "Corona 119");
    let date = found.until_day.to_string();
    for key in &found.messages {
        for language in ["ja", "en"] {
            let text = messages.text(language, key, found.values(&date)).unwrap();
            assert!(!text.contains(['{', '}']), "{text}");
        }
        assert_eq!(messages.text("de", key, found.values(&date)), None);
    }
}

#[test]
fn symptoms_change_what_is_said() {
    let table = read(&prefecture_table()).unwrap();
    let found = |symptoms| {
        let now = japan(15, 10, 0);
        guidance(&table, &situation(&[DAY], symptoms), now).unwrap()
    };
    assert_eq!(found(Symptoms::No), found(Symptoms::Unknown));
    let ill = found(Symptoms::Yes);
    assert!(keys(&ill).contains(&"consult_now") && !keys(&ill).contains(&"consult_if_worried"));
}

#[test]
fn care_ends_with_the_last_day_and_not_before() {
    let table = read(&prefecture_table()).unwrap();
    let phase = |days: &[UtcDay], now| {
        let found = guidance(&table, &situation(days, Symptoms::Unknown), now).unwrap();
        (found.phase, found.until_day.to_string())
    };
    let last_second = at(japan(21, 0, 0).unix_seconds() - 1);
    assert_eq!(phase(&[DAY], last_second), (Phase::Precaution, "2022-01-20".to_owned()));
    assert_eq!(phase(&[DAY], japan(21, 0, 0)), (Phase::Over, "2022-01-20".to_owned()));
    // A second contact extends the first one's days; an earlier one changes nothing.
    let days = [DAY.saturating_sub(5), DAY, DAY.saturating_add(3)];
    assert_eq!(phase(&days, japan(21, 0, 0)), (Phase::Precaution, "2022-01-23".to_owned()));
    assert_eq!(phase(&days, japan(24, 0, 0)).0, Phase::Over);

    let over = situation(&[DAY], Symptoms::Unknown);
    let over = guidance(&table, &over, japan(24, 0, 0)).unwrap();
    assert_eq!(
        keys(&over),
        ["not_necessarily_infected", "precaution_over", "call_before_visiting"]
    );
    assert_eq!(over.contact_points.len(), 1, "the helpline is for the days of care");
    // Nobody who was not notified is told anything.
    assert_eq!(guidance(&table, &situation(&[], Symptoms::Yes), japan(24, 0, 0)), None);
}

#[test]
fn the_librarys_own_files_are_complete_and_without_strays() {
    let table = RuleTable::builtin();
    let keys: BTreeSet<_> = table.keys().into_iter().cloned().collect();
    let files = MessageFile::builtin();
    for file in &files {
        let found: BTreeSet<_> = file.keys().cloned().collect();
        assert_eq!(found, keys, "{}", file.language());
    }
    let languages: Vec<_> = files.iter().map(|file| file.language().to_string()).collect();
    assert_eq!(languages, ["ja", "en"]);
    assert_eq!(MessageSet::builtin().keys().count(), keys.len());
}

#[test]
fn refused_tables_say_where() {
    let change = |pointer: &str, value: Value| {
        let mut table = prefecture_table();
        *table.pointer_mut(pointer).unwrap_or_else(|| panic!("{pointer}")) = value;
        read(&table).unwrap_err()
    };
    let hours = |spans: Value| change("/contact_points/1/opening_hours/monday", spans);
    let cases = [
        (change("/format_version", json!(2)), "format version 2 is not 1"),
        (change("/precaution_days", json!(0)), "precaution_days: 0 is outside 1..=14"),
        (change("/precaution_days", json!(15)), "precaution_days: 15 is outside"),
        (change("/rules/3/show", json!("monitor_wealth")), "rules[3].show: no message file has"),
        (change("/rules/3/show", json!("Monitor health")), "is not a message key"),
        (change("/rules/3/when/phase", json!([])), "rules[3].when.phase: an empty list"),
        (change("/rules/3/when/phase", json!(["later"])), "unknown variant `later`"),
        (change("/rules/3/when", json!({ "mood": ["bad"] })), "unknown field `mood`"),
        (change("/rules/0/show", json!("monitor_health")), "nobody would be told"),
        (change("/rules", json!([])), "in Precaution with symptoms Yes nobody would be told"),
        (
            change(
                "/rules/0",
                json!({ "show": "not_necessarily_infected", "when": { "symptoms": ["no"] } }),
            ),
            "in Precaution with symptoms Yes nobody would be told not_necessarily_infected",
        ),
        (
            change(
                "/rules/0",
                json!({ "show": "not_necessarily_infected", "when": { "phase": ["precaution"] } }),
            ),
            "in Over with symptoms Yes nobody would be told",
        ),
        (change("/contact_points/1/name", json!("hotline")), "contact_points[1].name: no message"),
        (change("/contact_points/1/phone", json!("")), "contact_points[1].phone: not a telephone"),
        (change("/contact_points/1/phone", json!("javascript:1234")), "not a telephone number"),
        (change("/contact_points/1/phone", json!("1;2")), "not a telephone number"),
        (change("/contact_points/1/utc_offset_minutes", json!(900)), "offset of 900 minutes"),
        (
            change("/contact_points/1/closed_on", json!(["2022-02-30"])),
            "closed_on[0]: \"2022-02-30\"",
        ),
        (change("/contact_points/1/closed_on", json!(["2022-1-3"])), "is not a date"),
        (change("/contact_points/1/opening_hours", json!({})), "contact_points[1]: never open"),
        (change("/contact_points/1/opening_hours", json!({ "holiday": [] })), "unknown field"),
        (hours(json!(["17:00-09:00"])), "17:00-09:00 ends before it begins"),
        (hours(json!(["09:00-09:00"])), "ends before it begins"),
        (hours(json!(["09:00-24:01"])), "is not a span"),
        (hours(json!(["9:00-17:00"])), "is not a span"),
        (hours(json!(["09:60-17:00"])), "is not a span"),
        (hours(json!(["+9:00-17:00"])), "is not a span"),
        (hours(json!(["09:00-13:00", "12:59-17:00"])), "Monday: 12:59-17:00 does not lie after"),
        (hours(json!(["13:00-17:00", "09:00-12:00"])), "does not lie after 13:00-17:00"),
    ];
    for (error, message) in cases {
        assert!(error.contains(message), "{error}\ndoes not say\n{message}");
    }
    let mut more = prefecture_table();
    more["precautions"] = json!(true);
    assert!(read(&more).unwrap_err().contains("unknown field `precautions`"));
    let dates =
        (0..367).map(|day| LocalDate::last_of(UtcDay::new(day), UtcOffset::UTC).to_string());
    assert!(
        change("/contact_points/1/closed_on", json!(dates.collect::<Vec<String>>()))
            .contains("367")
    );
}

#[test]
fn refused_message_files_say_where() {
    let file = |language: &str, messages: Value| {
        json!({ "format_version": 1, "language": language, "messages": messages }).to_string()
    };
    let error = |json: &str| MessageFile::read(json).unwrap_err().to_string();
    let cases = [
        (error(&file("j", json!({}))), "\"j\" is not a language tag"),
        (error(&file("ja", json!({ "A": "x" }))), "\"A\" is not a message key"),
        (error(&file("ja", json!({ "a": " " }))), "ja: a has no text"),
        (error(&file("ja", json!({ "a": "{day}" }))), "ja: a has a brace"),
        (error(&file("ja", json!({ "a": "{days" }))), "ja: a has a brace"),
        (error(&file("ja", json!({ "a": "days}" }))), "ja: a has a brace"),
        (error(&file("ja", json!({})).replace(":1", ":3")), "format version 3 is not 1"),
        (
            error(r#"{"format_version":1,"language":"ja","messages":{"a":"x","a":"y"}}"#),
            "a stands twice",
        ),
        (error("[]"), "not such a document"),
    ];
    for (error, message) in cases {
        assert!(error.contains(message), "{error}\ndoes not say\n{message}");
    }
    let set = |files: &[(&str, Value)]| {
        let files = files.iter().map(|(l, m)| MessageFile::read(&file(l, m.clone())).unwrap());
        MessageSet::new(files).map_err(|error| error.to_string())
    };
    let days = json!({ "a": "{days}" });
    assert_eq!(set(&[]).unwrap_err(), "no language");
    let missing = set(&[("ja", days.clone()), ("en", json!({})), ("pt-BR", days.clone())]);
    assert_eq!(missing.unwrap_err(), "a is missing in en");
    let other = set(&[("ja", days.clone()), ("en", json!({ "a": "{until}" }))]);
    assert_eq!(other.unwrap_err(), "a has other placeholders in ja than in en");
    // A later file of the same language is laid over the earlier one.
    let over = set(&[("ja", json!({ "a": "x" })), ("en", days.clone()), ("ja", days)]).unwrap();
    assert_eq!(over.languages().count(), 2);
}

#[test]
fn opening_hours_of_the_independent_calculation() {
    let vectors: Value = serde_json::from_str(include_str!("vectors/guidance.json")).unwrap();
    let mut checked = 0;
    for point in vectors["contact_points"].as_array().unwrap() {
        let mut table = prefecture_table();
        for field in ["utc_offset_minutes", "opening_hours", "closed_on"] {
            table["contact_points"][1][field] = point[field].clone();
        }
        table["contact_points"][1]["when"] = json!({});
        let table = read(&table).unwrap();
        for case in point["cases"].as_array().unwrap() {
            let now = at(case["now"].as_i64().unwrap());
            let found = guidance(&table, &situation(&[DAY], Symptoms::Unknown), now).unwrap();
            let changes = case["changes"].as_i64().map(at);
            let expected = if case["open"].as_bool().unwrap() {
                OpeningState::Open { closes: changes }
            } else {
                OpeningState::Closed { opens: changes }
            };
            assert_eq!(found.contact_points[1].state, expected, "{point:#} at {now:?}");
            checked += 1;
        }
    }
    assert_eq!(checked, 560);
}

#[test]
fn days_of_care_of_the_independent_calculation() {
    let vectors: Value = serde_json::from_str(include_str!("vectors/guidance.json")).unwrap();
    for case in vectors["care"].as_array().unwrap() {
        let mut table = prefecture_table();
        table["precaution_days"] = case["precaution_days"].clone();
        let table = read(&table).unwrap();
        let days = case["high_days"].as_array().unwrap().iter();
        let situation = Situation {
            high_days: days
                .map(|day| UtcDay::new(u32::try_from(day.as_u64().unwrap()).unwrap()))
                .collect(),
            symptoms: Symptoms::Unknown,
            utc_offset: UtcOffset::new(case["utc_offset_minutes"].as_i64().unwrap()).unwrap(),
        };
        let over = case["over_from"].as_i64().unwrap();
        for (now, phase) in [(over - 1, Phase::Precaution), (over, Phase::Over)] {
            let found = guidance(&table, &situation, at(now)).unwrap();
            assert_eq!(found.until_day.to_string(), case["until"].as_str().unwrap());
            assert_eq!(found.phase, phase, "{case}");
        }
    }
}

proptest! {
    #[test]
    fn for_every_situation(
        high_days in prop::collection::btree_set(any::<u32>().prop_map(UtcDay::new), 1..4),
        more in any::<u32>().prop_map(UtcDay::new),
        symptoms in prop::sample::select(vec![Symptoms::Yes, Symptoms::No, Symptoms::Unknown]),
        offset in -720_i64..=840,
        now in 0..=Timestamp::MAX.unix_seconds(),
        later: u32,
    ) {
        let table = read(&prefecture_table()).unwrap();
        let utc_offset = UtcOffset::new(offset).unwrap();
        let mut asked = Situation { high_days, symptoms, utc_offset };
        let found = guidance(&table, &asked, at(now)).unwrap();
        prop_assert!(keys(&found).contains(&MessageKey::NOT_NECESSARILY_INFECTED));
        prop_assert_eq!(found.until_day.to_string().parse::<LocalDate>().ok(),
            (found.until_day.to_string().len() == 10).then_some(found.until_day));
        let after = guidance(&table, &asked, at(now).saturating_add(later)).unwrap();
        prop_assert!(found.phase <= after.phase, "care does not begin again by itself");
        asked.high_days.insert(more);
        let extended = guidance(&table, &asked, at(now)).unwrap();
        prop_assert!(found.until_day <= extended.until_day);
    }

    #[test]
    fn no_text_panics(text: String) {
        let _ = MessageFile::read(&text);
        let _ = RuleTable::read(&text, &MessageSet::builtin());
        let _ = text.parse::<LocalDate>();
        let mut table = prefecture_table();
        table["contact_points"][0]["phone"] = json!(text);
        let _ = read(&table);
        table["contact_points"][0]["opening_hours"] = json!({ "monday": [text] });
        let _ = read(&table);
    }
}
