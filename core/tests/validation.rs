//! Which configurations come into force, and what is said of those that do not.

#![allow(clippy::unwrap_used, reason = "a test's own data is right or the test fails")]

use chikaku_core::diagnosis_key::{DiagnosisKeyDetails, ReportType};
use chikaku_core::risk::apple_v1::AppleV1;
use chikaku_core::risk::assessment::Quantity;
use chikaku_core::risk::cocoa::{Condition, Relation, RiskCalculationConfiguration};
use chikaku_core::risk::cocoa_v2::{Behaviour, CocoaV2};
use chikaku_core::risk::daily_summary::DailySummariesConfig;
use chikaku_core::risk::gaen::Gaen;
use chikaku_core::risk::google_v1::GoogleV1;
use chikaku_core::risk::mapping::DiagnosisKeysDataMapping;
use chikaku_core::risk::monotone::Monotone;
use chikaku_core::risk::{Infectiousness, ProfileName, ProfileRules, RiskLevel, RiskProfile};
use chikaku_core::signal::AttenuationDb;
use chikaku_core::validation::document::{self, DocumentError};
use chikaku_core::validation::monotony::MoreOf;
use chikaku_core::validation::{
    ConfigurationRejected, Contact, Monotony, MonotonyRequirement, Reason, Requirements,
    SilenceProof, Validated, Warning, validate,
};

fn transmission_risk(level: Option<u8>) -> Requirements {
    let assured =
        DiagnosisKeyDetails { transmission_risk_level: level, ..DiagnosisKeyDetails::default() };
    Requirements { assured, ..Requirements::default() }
}

fn profile(rules: ProfileRules) -> RiskProfile {
    RiskProfile::new(rules).unwrap()
}

fn google(change: impl FnOnce(&mut GoogleV1)) -> RiskProfile {
    let mut rules = GoogleV1::default();
    change(&mut rules);
    profile(ProfileRules::GoogleV1(rules))
}

fn cocoa(change: impl FnOnce(&mut CocoaV2)) -> RiskProfile {
    let mut rules = CocoaV2::default();
    change(&mut rules);
    profile(ProfileRules::CocoaV2(rules))
}

fn gaen(change: impl FnOnce(&mut Gaen)) -> RiskProfile {
    let mut rules = Gaen::default();
    change(&mut rules);
    profile(ProfileRules::Gaen(rules))
}

fn monotone(change: impl FnOnce(&mut Monotone)) -> RiskProfile {
    let mut rules = Monotone::default();
    change(&mut rules);
    profile(ProfileRules::Monotone(rules))
}

fn accepted(profile: RiskProfile) -> Validated {
    validate(profile, &Requirements::default()).unwrap()
}

fn refuse(profile: RiskProfile) -> ConfigurationRejected {
    validate(profile, &Requirements::default()).unwrap_err()
}

fn proof(rejected: &ConfigurationRejected) -> SilenceProof {
    match rejected.reasons.first() {
        Some(Reason::Silent { proof, .. }) => *proof,
        other => panic!("{other:?}"),
    }
}

/// Somebody can be notified, but not by twenty minutes at one metre.
fn missed_alone(rejected: &ConfigurationRejected) -> bool {
    rejected.reasons.iter().all(|reason| matches!(reason, Reason::Missed(_)))
}

fn minutes_of_witness(validated: &Validated) -> u32 {
    validated.witness().contact.parts.iter().map(|part| part.minutes).sum()
}

/// From September 2020 to February 2021 nobody with Android was notified. The server wrote a
/// transmission risk level of 0 and the app asked for 21 points.
#[test]
fn i1_four_months_of_silence_are_refused_with_the_proof() {
    for level in [None, Some(0)] {
        let rejected = validate(RiskProfile::google_v1(), &transmission_risk(level)).unwrap_err();
        let [Reason::SilentWithoutDetails { proof, best }, Reason::Missed(canary)] =
            rejected.reasons.as_slice()
        else {
            panic!("{rejected}")
        };
        let SilenceProof::OutOfReach { demand, least, greatest } = proof else {
            panic!("{proof:?}")
        };
        assert_eq!((demand.quantity, demand.threshold), (Quantity::MaximumScore, 21.0));
        assert_eq!((*least, *greatest), (0.0, 8.0));
        assert_eq!((best.level, best.score, best.score_before_minimum), (RiskLevel::Low, 0.0, 8.0));
        assert_eq!((canary.outcome.score_before_minimum, canary.outcome.is_high()), (4.0, false));
        let said = rejected.to_string();
        for part in ["must be at least 21", "between 0 and 8", "20 min at 5 dB"] {
            assert!(said.contains(part), "{said}");
        }
    }
    // What the server wrote after the fault was found.
    let fixed = validate(RiskProfile::google_v1(), &transmission_risk(Some(4))).unwrap();
    assert_eq!((minutes_of_witness(&fixed), fixed.witness().score), (18, 28.0));
    // That keys with a level of 0 still do not notify is worth a warning.
    let left_out = |warning: &Warning| match warning {
        Warning::LeftOut(canary) => canary.outcome.contact.key.transmission_risk_level == Some(0),
        _ => false,
    };
    assert!(fixed.warnings().iter().any(left_out));
}

/// The table in the documentation of the module.
#[test]
fn what_the_shipped_profiles_come_to() {
    let verdicts = |requirements: &Requirements| {
        let profiles = [
            RiskProfile::gaen(),
            RiskProfile::cocoa_v2(),
            RiskProfile::google_v1(),
            RiskProfile::apple_v1(),
            RiskProfile::cwa(),
            RiskProfile::proximity(),
            RiskProfile::monotone(),
        ];
        profiles.map(|profile| {
            let (name, validated) = (profile.name(), validate(profile, requirements));
            let found = validated.map(|validated| {
                let proved = validated.report().monotony == Monotony::Proved;
                (minutes_of_witness(&validated), proved)
            });
            (name, found.ok())
        })
    };
    let always = [
        (ProfileName::Gaen, Some((15, true))),
        (ProfileName::CocoaV2, Some((15, false))),
        (ProfileName::GoogleV1, None),
        (ProfileName::AppleV1, None),
        (ProfileName::Cwa, Some((7, false))),
        (ProfileName::Proximity, Some((9, true))),
        (ProfileName::Monotone, Some((12, true))),
    ];
    assert_eq!(verdicts(&Requirements::default()), always);
    let mut with_a_level = always;
    with_a_level[2].1 = Some((18, false));
    with_a_level[3].1 = Some((16, false));
    assert_eq!(verdicts(&transmission_risk(Some(4))), with_a_level);
}

#[test]
fn a_lowered_table_is_caught() {
    let lowered = google(|rules| rules.transmission_risk_scores = [2; 8]);
    let rejected = validate(lowered, &transmission_risk(Some(4))).unwrap_err();
    let SilenceProof::OutOfReach { greatest, .. } = proof(&rejected) else { panic!("{rejected}") };
    assert_eq!(greatest, 16.0);

    let rules = AppleV1 { transmission_risk_level_values: [2; 8], ..AppleV1::default() };
    let lowered = profile(ProfileRules::AppleV1(rules));
    let rejected = validate(lowered, &transmission_risk(Some(4))).unwrap_err();
    let SilenceProof::OutOfReach { greatest, .. } = proof(&rejected) else { panic!("{rejected}") };
    assert_eq!(greatest, 16.0);

    // Weights of the second generation: enough for somebody near all day, not for twenty minutes.
    let lowered = cocoa(|rules| {
        let weights = &mut rules.daily_summaries.attenuation_bucket_weights;
        weights.iter_mut().for_each(|weight| *weight /= 10.0);
    });
    let rejected = refuse(lowered);
    assert!(missed_alone(&rejected), "{rejected}");
    let witness = rejected.report.witness.unwrap();
    assert!(witness.is_high() && witness.contact.parts[0].minutes > 20);
}

#[test]
fn a_raised_minimum_is_caught() {
    let raised = google(|rules| rules.minimum_risk_score = 57);
    let rejected = validate(raised, &transmission_risk(Some(4))).unwrap_err();
    assert!(matches!(proof(&rejected), SilenceProof::OutOfReach { greatest: 56.0, .. }));

    let raised = gaen(|rules| rules.high_from_score_sum = 1e9);
    assert!(matches!(proof(&refuse(raised)), SilenceProof::OutOfReach { .. }));
    let raised = gaen(|rules| rules.daily_summaries.minimum_window_score = 4000.0);
    let window = SilenceProof::WindowMinimum { greatest: 3600.0, minimum: 4000.0 };
    assert_eq!(proof(&refuse(raised)), window);
    let raised = monotone(|rules| rules.high_from_near_minutes = 21.0);
    let rejected = refuse(raised);
    assert!(missed_alone(&rejected), "{rejected}");
    assert_eq!(
        accepted(monotone(|rules| rules.high_from_near_minutes = 20.0)).witness().score,
        20.0
    );
}

#[test]
fn rules_that_nothing_can_meet_are_silent() {
    let condition = |op, value| Condition { op, value };
    let silent = |change: &dyn Fn(&mut RiskCalculationConfiguration)| {
        let as_shipped = cocoa(|rules| {
            rules.behaviour = Behaviour::AsShipped;
            change(&mut rules.rule);
        });
        proof(&refuse(as_shipped))
    };
    let unknown = silent(&|rule| rule.weighted_duration_average.op = Relation::Unknown);
    assert!(matches!(unknown, SilenceProof::OutOfReach { .. }));
    let nothing = silent(&|rule| {
        rule.score_sum.op = Relation::Nop;
        rule.seconds_since_last_scan_sum.op = Relation::Nop;
    });
    assert_eq!(nothing, SilenceProof::AsksNothing);
    let negative =
        silent(&|rule| rule.seconds_since_last_scan_sum = condition(Relation::LessThan, 0.0));
    assert!(matches!(negative, SilenceProof::OutOfReach { .. }));
    let contradiction = silent(&|rule| {
        rule.typical_attenuation_max = condition(Relation::LessThan, 50.0);
        rule.typical_attenuation_min = condition(Relation::AtLeast, 50.0);
    });
    assert_eq!(contradiction, SilenceProof::NoAttenuation);
    // Nothing beyond 66 dB weighs more than a hundredth, and a hundred keys last 30 hours each.
    let far_alone = silent(&|rule| {
        rule.typical_attenuation_min = condition(Relation::MoreThan, 65.0);
        rule.score_sum.value = 108_001.0;
    });
    assert!(matches!(far_alone, SilenceProof::OutOfReach { greatest: 108_000.0, .. }));
}

#[test]
fn rules_that_few_contacts_meet_are_not_silent() {
    let condition = |op, value| Condition { op, value };
    let changes: [fn(&mut RiskCalculationConfiguration, Condition); 3] = [
        |rule, condition| rule.seconds_since_last_scan_sum = condition,
        |rule, condition| rule.typical_attenuation_max = condition,
        |rule, condition| rule.typical_attenuation_min = condition,
    ];
    // Twenty minutes at 50 dB meet them all.
    for (change, value) in changes.into_iter().zip([1200.0, 50.0, 50.0]) {
        for (op, by) in [
            (Relation::Equal, 0.0),
            (Relation::AtMost, 0.0),
            (Relation::LessThan, 1.0),
            (Relation::AtLeast, 0.0),
            (Relation::MoreThan, -1.0),
        ] {
            let exactly = cocoa(|rules| change(&mut rules.rule, condition(op, value + by)));
            let validated = accepted(exactly);
            assert_eq!(validated.report().any_key.silence, None, "{op:?} {value}");
        }
    }
}

#[test]
fn a_contact_far_away_must_not_notify() {
    let everything_counts =
        gaen(|rules| rules.daily_summaries.attenuation_bucket_weights = [1.0; 4]);
    let rejected = refuse(everything_counts);
    let Reason::FalseAlarm(canary) = &rejected.reasons[0] else { panic!("{rejected}") };
    assert_eq!(canary.outcome.contact.parts[0].attenuation, AttenuationDb::from_db(80));
    assert!(canary.outcome.is_high());
}

#[test]
fn keys_that_say_everything_must_count_as_well() {
    // A key without days since onset counts; one with any does not.
    let mapping =
        DiagnosisKeysDataMapping::from_days([], Infectiousness::High, ReportType::ConfirmedTest);
    let rejected = refuse(cocoa(|rules| rules.mapping = mapping.clone().unwrap()));
    let [Reason::Missed(canary)] = rejected.reasons.as_slice() else { panic!("{rejected}") };
    assert!(canary.outcome.contact.key.days_since_onset.is_some());

    // And the other way about: only a server that says the days can have this one.
    let mut mapping = DiagnosisKeysDataMapping::cocoa();
    mapping.infectiousness_when_missing = Infectiousness::None;
    let strict = cocoa(|rules| rules.mapping = mapping);
    let rejected = refuse(strict.clone());
    let Reason::SilentWithoutDetails { proof, .. } = &rejected.reasons[0] else {
        panic!("{rejected}")
    };
    assert_eq!(*proof, SilenceProof::NoKeyCounts);
    let mut requirements = Requirements::default();
    requirements.assured.days_since_onset = chikaku_core::diagnosis_key::DaysSinceOnset::new(0);
    assert!(validate(strict, &requirements).is_ok());
}

/// 0 is no limit in COCOA's document and "today alone" in this library's.
#[test]
fn contacts_of_three_days_ago_must_count() {
    let today_alone = cocoa(|rules| rules.daily_summaries.days_since_exposure_threshold = Some(0));
    let rejected = refuse(today_alone);
    assert!(matches!(rejected.reasons[0], Reason::Missed(_)), "{rejected}");
    assert!(rejected.to_string().contains("3 days ago"));
    let ten = accepted(cocoa(|rules| {
        rules.daily_summaries.days_since_exposure_threshold = Some(10);
    }));
    let old = |warning: &Warning| warning.to_string().contains("14 days ago");
    assert!(ten.warnings().iter().any(old));
}

#[test]
fn a_closer_contact_that_scores_less_is_refused_where_no_profile_says_so() {
    let with_cocoas_weights = gaen(|rules| {
        rules.daily_summaries = DailySummariesConfig::cocoa();
        rules.high_from_score_sum = 1350.0;
    });
    let rejected = refuse(with_cocoas_weights.clone());
    let [Reason::NotMonotone(pair)] = rejected.reasons.as_slice() else { panic!("{rejected}") };
    assert_eq!(pair.more_of, MoreOf::Closeness);
    let (far, near) = (&pair.less, &pair.more);
    assert!(far.contact.parts[0].attenuation > near.contact.parts[0].attenuation);
    assert!((far.is_high(), near.is_high()) == (true, false) && near.score < far.score);

    let with = |monotony| Requirements { monotony, ..Requirements::default() };
    let nowhere = with(MonotonyRequirement::Nowhere);
    let tolerated = validate(with_cocoas_weights, &nowhere).unwrap();
    assert!(matches!(tolerated.warnings().as_slice(), [Warning::NotMonotone(_)]));
    // COCOA's own rule set says so.
    let warnings = accepted(RiskProfile::cocoa_v2()).warnings();
    assert!(matches!(warnings.as_slice(), [Warning::NotMonotone(_)]), "{warnings:?}");
    let everywhere = with(MonotonyRequirement::Everywhere);
    assert!(validate(RiskProfile::cocoa_v2(), &everywhere).is_err());
    assert!(validate(RiskProfile::monotone(), &everywhere).is_ok());
}

#[test]
fn a_longer_contact_that_scores_less_is_found() {
    // At Google the tail of a long contact lowers the mean attenuation of all of it.
    let validated = validate(RiskProfile::google_v1(), &transmission_risk(Some(4))).unwrap();
    let Monotony::Refuted(pair) = &validated.report().monotony else { panic!() };
    assert_eq!(pair.more_of, MoreOf::Time);
    assert_eq!((pair.less.level, pair.more.level), (RiskLevel::High, RiskLevel::Low));
    let average = cocoa(|rules| {
        rules.daily_summaries.attenuation_bucket_weights = [2.5, 2.5, 1.3, 0.0];
        rules.rule.weighted_duration_average = Condition { op: Relation::AtLeast, value: 2.0 };
    });
    let validated = accepted(average);
    let Monotony::Refuted(pair) = &validated.report().monotony else { panic!() };
    assert_eq!((pair.more_of, pair.more.level), (MoreOf::Time, RiskLevel::Low));
    assert_eq!(pair.more.contact.parts.len(), 2);
}

#[test]
fn documents_are_told_apart_and_read_to_the_last_field() {
    for profile in [RiskProfile::gaen(), RiskProfile::google_v1(), RiskProfile::cwa()] {
        let json = serde_json::to_string(&profile).unwrap();
        assert_eq!(document::read_profile(&json), Ok(profile));
        let more = json.replacen('{', "{\"note\": 1, ", 1);
        let error = document::read(&more).unwrap_err();
        assert!(error.to_string().contains("unknown field `note`"), "{error}");
    }
    let rule = serde_json::to_string_pretty(&RiskCalculationConfiguration::cocoa()).unwrap();
    assert_eq!(document::read_profile(&rule), Ok(RiskProfile::cocoa_v2()));
    let wrong = rule.replacen(">=", "=>", 1);
    let error = document::read(&wrong).unwrap_err().to_string();
    assert!(error.contains("`=>`") && error.contains("line 4 column"), "{error}");
    assert_eq!(document::read("{\"version\": 1}"), Err(DocumentError::Unknown));
    let deep = "[".repeat(100_000);
    assert!(matches!(document::read(&deep), Err(DocumentError::Json(_))));
}

#[test]
fn contacts_are_cut_at_a_day_and_described_in_words() {
    let requirements = Requirements { minutes: u32::MAX, ..Requirements::default() };
    assert!(validate(RiskProfile::monotone(), &requirements).is_ok());
    let contact = Contact::new(DiagnosisKeyDetails::default(), 1)
        .then(u32::MAX, AttenuationDb::from_db(50))
        .then(5, AttenuationDb::from_db(60));
    assert_eq!(contact.sightings().len(), 288);
    let said = contact.to_string();
    assert_eq!(
        said,
        "1440 min at 50 dB, then 0 min at 60 dB of a key with every optional field missing, \
         yesterday"
    );
}
