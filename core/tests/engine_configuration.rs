//! Configurations that come into force, and those that do not.

#![allow(clippy::unwrap_used, reason = "a test may fail by panicking")]

mod engine_support;

use chikaku_core::encounter_log::{EncounterLog, MemoryLog};
use chikaku_core::engine::{Engine, Input, KeyFile, NewConfiguration, Output};
use chikaku_core::risk::{ProfileName, ProfileRules, RiskLevel, RiskProfile};
use chikaku_core::status::{HostFacts, Reason};
use chikaku_core::validation::Refused;
use engine_support::{DAY, Host, announced, configuration, contact, key_file};

fn offer(host: &mut Host<MemoryLog>, json: &str) -> Vec<Output> {
    host.tell(Input::Configure(NewConfiguration { json, version: Some("v2") }))
}

fn refused(outputs: &[Output]) -> Option<&Refused> {
    outputs.iter().find_map(|output| match output {
        Output::ConfigurationRefused(refused) => Some(&**refused),
        _ => None,
    })
}

fn says(host: &mut Host<MemoryLog>, reason: Reason) -> bool {
    let clocks = host.clocks();
    host.engine.status(HostFacts::default(), clocks).reasons.contains(&reason)
}

/// A typing error in an operator silenced COCOA; here the previous configuration stays in force.
#[test]
fn i24_what_is_refused_leaves_the_previous_configuration_in_force() {
    let good = serde_json::to_string_pretty(&RiskProfile::cocoa_v2()).unwrap();
    let cases = [
        (good.replacen("\">=\"", "\"=>\"", 1), "unknown relation"),
        (good.replacen("\"value\"", "\"valeu\"", 1), "unknown field `valeu`"),
        (good.replacen("\"rule\"", "\"Rule\"", 1), "line"),
        (good.replacen("1350.0", "1e99", 1), "no contact can ever notify"),
        (good.replacen("2.5", "-2.5", 1), "daily_summaries.attenuation_bucket_weights[1]"),
        (good.replacen("\"format_version\": 1", "\"format_version\": 2", 1), "format version 2"),
        (String::from("{"), "line 1"),
        (String::from("[]"), "line 1"),
        (String::from("{\"regions\": []}"), "neither"),
    ];
    let (mut host, keys) = contact(30, -77);
    for (document, reason) in &cases {
        assert_ne!(document, &good, "{reason}");
        let outputs = offer(&mut host, document);
        let sentence = refused(&outputs).unwrap().to_string();
        assert!(sentence.contains(reason), "{reason}: {sentence}");
        assert_eq!(host.engine.profile(), &RiskProfile::cocoa_v2());
        assert!(says(&mut host, Reason::ConfigurationRejected));
    }
    // What was in force still notifies, also after a restart, and the status still says so.
    host = host.restarted_over(host.engine.log().clone());
    assert!(says(&mut host, Reason::ConfigurationRejected));
    let file = key_file(keys);
    assert_eq!(announced(&host.tell(Input::KeyFile(KeyFile::without_cursor(&file)))), 1);

    let outputs = offer(&mut host, &good);
    assert!(matches!(outputs[0], Output::Configured { .. }), "{outputs:?}");
    assert!(!says(&mut host, Reason::ConfigurationRejected));
}

#[test]
fn an_accepted_configuration_judges_the_days_that_are_remembered() {
    let (mut host, keys) = contact(10, -77);
    let file = key_file(keys);
    assert_eq!(announced(&host.tell(Input::KeyFile(KeyFile::without_cursor(&file)))), 0);
    let mut eager = RiskProfile::monotone();
    let ProfileRules::Monotone(rules) = eager.rules() else { panic!() };
    let mut rules = rules.clone();
    rules.high_from_near_minutes /= 2.0;
    eager = RiskProfile::new(ProfileRules::Monotone(rules)).unwrap();

    let outputs = offer(&mut host, &serde_json::to_string(&eager).unwrap());
    assert_eq!(refused(&outputs), None);
    assert_eq!(announced(&outputs), 1, "{outputs:?}");
    let assessment = host.day(DAY).unwrap().unwrap();
    assert_eq!((assessment.profile, assessment.level), (ProfileName::Monotone, RiskLevel::High));
    // It is in force after a restart, and the day is not announced again by it.
    host.tell(Input::Announced { day: DAY });
    host = host.restarted_over(host.engine.log().clone());
    assert_eq!(host.engine.profile(), &eager);
    assert_eq!(announced(&host.tell(Input::Start)), 0);
    let record = host.engine.log().engine_record().unwrap().unwrap();
    assert_eq!(record.accepted.unwrap().version.as_deref(), Some("v2"));
}

/// COCOA's Android app: the server wrote no useful risk level, and the app asked for 21 points.
#[test]
fn i1_c17_an_app_that_can_notify_nobody_says_so_from_the_first_minute() {
    let mut silent = configuration();
    silent.profile = RiskProfile::google_v1();
    let (mut host, keys) = contact(30, -77);
    host.engine = Engine::open(silent, host.engine.log().clone()).unwrap();
    assert!(says(&mut host, Reason::ConfigurationInvalid));
    let keys = keys.into_iter().map(|mut key| {
        key.details.transmission_risk_level = Some(0);
        key
    });
    let file = key_file(keys);
    assert_eq!(announced(&host.tell(Input::KeyFile(KeyFile::without_cursor(&file)))), 0);
    let clocks = host.clocks();
    let silences = host.engine.explain_silence(DAY, clocks).unwrap();
    assert_eq!(silences[0].code(), "nothing_counts", "{silences:?}");

    let good = serde_json::to_string(&RiskProfile::monotone()).unwrap();
    assert_eq!(announced(&offer(&mut host, &good)), 1);
    assert!(!says(&mut host, Reason::ConfigurationInvalid));
}
