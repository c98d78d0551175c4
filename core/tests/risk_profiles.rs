//! The profiles on days whose answer is known from the sources, and what they refuse.

#![allow(clippy::unwrap_used, reason = "a test's own data is right or the test fails")]

mod risk_support;

use chikaku_core::diagnosis_key::{DiagnosisKeyDetails, ReportType};
use chikaku_core::exposure::WindowOrigin;
use chikaku_core::risk::apple_v1::AppleV1;
use chikaku_core::risk::assessment::{DropReason, Quantity, Verdict};
use chikaku_core::risk::cwa::{AttenuationFilter, Cwa};
use chikaku_core::risk::daily_summary::DailySummariesConfig;
use chikaku_core::risk::gaen::{Gaen, SummaryRounding};
use chikaku_core::risk::google_v1::GoogleV1;
use chikaku_core::risk::mapping::DiagnosisKeysDataMapping;
use chikaku_core::risk::monotone::Monotone;
use chikaku_core::risk::{
    Assessment, ConfigurationError, Infectiousness, KeyEvidence, ProfileRules, RiskLevel,
    RiskProfile,
};
use chikaku_core::signal::AttenuationDb;
use risk_support::{DAY, Heard, close, days_since_onset, evidence};

fn assess(profile: &RiskProfile, heard: &[Heard]) -> Assessment {
    profile.assess_day(DAY, &evidence(heard), DAY).unwrap()
}

#[test]
fn monotone_is_high_for_fifteen_near_minutes_and_low_for_short_or_far() {
    let profile = RiskProfile::default();
    let day = |db: u16, seconds: &[u32]| {
        let scans: Vec<_> = seconds.iter().map(|&seconds| (db, seconds)).collect();
        assess(&profile, &[Heard::key(1).window(DAY.start(), &scans)]).level
    };
    let (fifteen, ten, hour) = ([300_u32; 3], [300_u32; 2], [300_u32; 12]);
    // One metre in COCOA's document, in the measurements with bodies between; 30 cm.
    for db in [50, 63, 40] {
        assert_eq!(day(db, &fifteen), RiskLevel::High, "{db} dB");
        // Fifteen minutes scanned every 150 s, which whole minutes shorten to 720 s.
        assert_eq!(day(db, &[120; 6]), RiskLevel::High, "{db} dB");
        assert_eq!(day(db, &ten), RiskLevel::Low, "{db} dB");
    }
    // Two metres with bodies between; five metres without for an hour; 30 dB weaker for a day.
    assert_eq!(day(69, &fifteen), RiskLevel::Low);
    assert_eq!(day(73, &hour), RiskLevel::Low);
    assert_eq!(day(80, &[300; 200]), RiskLevel::Low);
    // COCOA loses exactly what is closest.
    let close = [Heard::key(1).window(DAY.start(), &[(30, 300); 3])];
    assert_eq!(assess(&RiskProfile::cocoa_v2(), &close).level, RiskLevel::Low);
    assert_eq!(assess(&profile, &close).level, RiskLevel::High);
}

#[test]
fn monotone_shows_its_terms() {
    let scans = [(40, 120), (63, 60), (68, 240), (73, 300), (200, 300)];
    let found = assess(&RiskProfile::monotone(), &[Heard::key(1).window(DAY.start(), &scans)]);
    // 3 full minutes and 4 half ones.
    assert!(close(found.score, 5.0), "{found:#?}");
    let buckets: Vec<_> = found.contributions[0]
        .buckets
        .iter()
        .map(|b| (b.from.db(), b.to.db(), b.seconds, b.weight * 60.0))
        .collect();
    assert_eq!(buckets, [(0, 63, 180, 1.0), (68, 68, 240, 0.5), (73, u16::MAX, 600, 0.0)]);
    let condition = found.conditions[0];
    assert_eq!((condition.quantity, condition.threshold), (Quantity::NearMinutes, 12.0));
    assert!(!condition.holds && found.level == RiskLevel::Low);
}

#[test]
fn a_key_that_says_nothing_notifies_in_every_profile_but_google_v1_and_apple_v1() {
    for profile in [
        RiskProfile::gaen(),
        RiskProfile::cocoa_v2(),
        RiskProfile::cwa(),
        RiskProfile::monotone(),
        RiskProfile::proximity(),
    ] {
        let silent = Heard::key(1);
        let origin = profile.window_origin(&silent.key);
        let scans = [(50, 50, 300); 4];
        let heard = [silent.window_from(DAY.start(), &scans, origin)];
        let found = assess(&profile, &heard);
        assert_eq!(found.level, RiskLevel::High, "{:?}", profile.name());
        let far = [(80, 80, 300); 4];
        let heard = [Heard::key(1).window_from(DAY.start(), &far, origin)];
        assert_eq!(assess(&profile, &heard).level, RiskLevel::Low, "{:?}", profile.name());
    }
}

#[test]
fn windows_that_cannot_count_say_why_and_decide_nothing() {
    let scans = [(50, 50, 300); 10];
    let origin = |heard: &Heard, report_type, infectiousness| WindowOrigin {
        key: heard.key.hash(),
        report_type,
        infectiousness,
    };
    let harmless = Heard::with_details(1, days_since_onset(-14));
    let revoked = Heard::key(2);
    let none = origin(&harmless, ReportType::ConfirmedTest, Infectiousness::None);
    let withdrawn = origin(&revoked, ReportType::Revoked, Infectiousness::High);
    let heard = [
        harmless.window_from(DAY.start(), &scans, none),
        revoked.window_from(DAY.start().saturating_add(60), &scans, withdrawn),
    ];
    for profile in [
        RiskProfile::gaen(),
        RiskProfile::cocoa_v2(),
        RiskProfile::cwa(),
        RiskProfile::monotone(),
        RiskProfile::proximity(),
    ] {
        let found = assess(&profile, &heard);
        assert_eq!((found.score, found.level), (0.0, RiskLevel::Low));
        let verdicts: Vec<_> = found.contributions.iter().map(|one| one.verdict).collect();
        let dropped = [DropReason::NotInfectious, DropReason::Revoked].map(Verdict::Dropped);
        assert_eq!(verdicts, dropped, "{:?}", profile.name());
        assert_eq!((found.kept().count(), found.conditions.len()), (0, 0));
        let other_day = profile.assess_day(DAY.saturating_add(1), &evidence(&heard), DAY);
        assert_eq!(other_day, None);
        assert_eq!(profile.assess_day(DAY, &[], DAY), None);
    }
}

type CwaWindow<'a> = (ReportType, Infectiousness, &'a [(u16, u32)]);

/// Cases of the app's own test resource, with its configuration.
#[test]
fn cwa_maps_windows_and_days() {
    let day = |windows: &[CwaWindow<'_>]| {
        let mut heard = Vec::new();
        for (number, (report_type, infectiousness, scans)) in (1..).zip(windows) {
            let key = Heard::key(number);
            let origin = WindowOrigin {
                key: key.key.hash(),
                report_type: *report_type,
                infectiousness: *infectiousness,
            };
            // The typical attenuation does not matter.
            let scans: Vec<_> = scans.iter().map(|&(db, seconds)| (db, 25, seconds)).collect();
            heard.push(key.window_from(DAY.start(), &scans, origin));
        }
        let found = assess(&RiskProfile::cwa(), &heard);
        (found.score, found.contributions[0].level.unwrap(), found.level)
    };
    use Infectiousness::{High as Very, Standard};
    use ReportType::{ConfirmedClinicalDiagnosis as Clinical, Recursive, SelfReport};
    use RiskLevel::{High, Low};
    assert_eq!(day(&[(Clinical, Very, &[(30, 300), (30, 299)])]), (9.6, High, High));
    assert_eq!(day(&[(Clinical, Very, &[(73, 3000)])]), (6.0, Low, Low));
    assert_eq!(day(&[(Clinical, Very, &[(72, 300), (72, 300)])]), (12.0, High, High));
    assert_eq!(day(&[(Recursive, Very, &[(30, 600)])]), (0.0, Low, Low));
    assert_eq!(day(&[(SelfReport, Standard, &[(30, 900)])]), (7.2, Low, Low));
    assert_eq!(day(&[(Clinical, Standard, &[(65, 540)])]), (9.0, High, High));
    // 8.98 minutes round to 9.0: the day is High although the window is not.
    assert_eq!(day(&[(Clinical, Standard, &[(65, 539)])]), (9.0, Low, High));
    assert_eq!(day(&[(Clinical, Standard, &[(65, 536)])]), (8.9, Low, Low));
    // Two windows that look alike both count.
    let alike: (_, _, &[_]) = (Clinical, Standard, &[(65, 300)]);
    assert_eq!(day(&[alike, alike]), (10.0, Low, High));
}

#[test]
fn cwa_evaluates_every_filter() {
    let filter = |from, below| AttenuationFilter {
        from: AttenuationDb::from_db(from),
        below: AttenuationDb::from_db(below),
        minutes_from: 10,
        minutes_below: 100,
    };
    // The first filter lets the window pass; the app looked no further.
    let attenuation_filters = vec![filter(73, 80), filter(0, 73)];
    let cwa = Cwa { attenuation_filters, ..Cwa::default() };
    let profile = RiskProfile::new(ProfileRules::Cwa(cwa)).unwrap();
    let found = assess(&profile, &[Heard::key(1).window(DAY.start(), &[(60, 600)])]);
    let dropped = Verdict::Dropped(DropReason::AttenuationFilter);
    assert_eq!(found.contributions[0].verdict, dropped);
    let found = assess(&profile, &[Heard::key(1).window(DAY.start(), &[(60, 599)])]);
    assert_eq!(found.contributions[0].verdict, Verdict::Kept);
}

#[test]
fn apples_minutes_are_rounded_in_the_named_direction() {
    let rounded = |rounding, seconds| {
        let gaen =
            Gaen { rounding, daily_summaries: DailySummariesConfig::cocoa(), ..Gaen::default() };
        let profile = RiskProfile::new(ProfileRules::Gaen(gaen)).unwrap();
        let heard = [Heard::key(1).window(DAY.start(), &[(40, seconds)])];
        let summary = assess(&profile, &heard).summary.unwrap();
        (summary.score_sum, summary.weighted_duration_sum)
    };
    assert_eq!(rounded(SummaryRounding::Unrounded, 89), (89.0, 89.0));
    assert_eq!(rounded(SummaryRounding::AppleMinutes, 89), (60.0, 120.0));
    assert_eq!(rounded(SummaryRounding::AppleMinutes, 90), (120.0, 120.0));
    assert_eq!(rounded(SummaryRounding::AppleMinutes, 120), (120.0, 120.0));
}

#[test]
fn limits_hold_where_they_are_reached_exactly() {
    let gaen = |seconds| {
        let heard = [Heard::key(1).window(DAY.start(), &[(45, 600), (45, seconds)])];
        assess(&RiskProfile::gaen(), &heard).level
    };
    assert_eq!((gaen(300), gaen(299)), (RiskLevel::High, RiskLevel::Low));
}

#[test]
fn a_gaen_day_has_a_summary_for_each_report_type() {
    let scans = [(45, 45, 300); 2];
    let heard: Vec<_> = [ReportType::ConfirmedTest, ReportType::SelfReport]
        .into_iter()
        .zip(1..)
        .map(|(report_type, number)| {
            let key = Heard::key(number);
            let infectiousness = Infectiousness::High;
            let origin = WindowOrigin { key: key.key.hash(), report_type, infectiousness };
            key.window_from(DAY.start(), &scans, origin)
        })
        .collect();
    let summary = assess(&RiskProfile::gaen(), &heard).summary.unwrap();
    assert_eq!((summary.windows, summary.score_sum), (2, 1200.0));
    assert_eq!(summary.confirmed_test.score_sum, 600.0);
    assert_eq!(summary.self_report.maximum_score, 600.0);
    assert_eq!(summary.recursive.score_sum, 0.0);
}

#[test]
fn documents_are_versioned_strict_and_checked() {
    for profile in [
        RiskProfile::gaen(),
        RiskProfile::cocoa_v2(),
        RiskProfile::google_v1(),
        RiskProfile::apple_v1(),
        RiskProfile::cwa(),
        RiskProfile::proximity(),
        RiskProfile::monotone(),
    ] {
        let text = serde_json::to_string(&profile).unwrap();
        assert_eq!(serde_json::from_str::<RiskProfile>(&text).unwrap(), profile);
        assert_eq!(RiskProfile::new(profile.rules().clone()).as_ref(), Ok(&profile));
        let newer =
            text.replace("\"format_version\":1,\"rules\"", "\"format_version\":2,\"rules\"");
        let error = serde_json::from_str::<RiskProfile>(&newer).unwrap_err().to_string();
        assert!(error.contains("format version 2 is not 1"), "{error}");
        let more = text.replacen('{', "{\"comment\":\"\",", 1);
        assert!(serde_json::from_str::<RiskProfile>(&more).is_err());
        let name = serde_json::to_value(profile.name()).unwrap();
        assert!(text.contains(&format!("\"rules\":{{{name}:")), "{text}");
    }
}

#[test]
fn what_would_silence_or_break_a_profile_is_refused_with_its_place() {
    let place = |rules: ProfileRules| match RiskProfile::new(rules) {
        Err(
            ConfigurationError::OutOfRange { at, .. }
            | ConfigurationError::NotFinite { at }
            | ConfigurationError::NotAscending { at }
            | ConfigurationError::Meaningless { at, .. },
        ) => at,
        other => panic!("{other:?}"),
    };
    let gaen = |change: fn(&mut Gaen)| {
        let mut rules = Gaen::default();
        change(&mut rules);
        ProfileRules::Gaen(rules)
    };
    for (rules, expected) in [
        (gaen(|g| g.high_from_score_sum = 0.0), "high_from_score_sum"),
        (gaen(|g| g.high_from_score_sum = f64::NAN), "high_from_score_sum"),
        (
            gaen(|g| g.daily_summaries.attenuation_bucket_weights[2] = -0.5),
            "daily_summaries.attenuation_bucket_weights[2]",
        ),
        (
            gaen(|g| g.daily_summaries.infectiousness_weight_high = f64::INFINITY),
            "daily_summaries.infectiousness_weight_high",
        ),
        (
            gaen(|g| g.daily_summaries.attenuation_bucket_threshold_db = [50, 40, 60]),
            "daily_summaries.attenuation_bucket_threshold_db",
        ),
        (
            gaen(|g| g.mapping.report_type_when_missing = ReportType::Revoked),
            "mapping.report_type_when_missing",
        ),
        (
            ProfileRules::GoogleV1(GoogleV1 { duration_scores: [9; 8], ..GoogleV1::default() }),
            "duration_scores[0]",
        ),
        (
            ProfileRules::GoogleV1(GoogleV1 { minimum_risk_score: 0, ..GoogleV1::default() }),
            "minimum_risk_score",
        ),
        (
            ProfileRules::AppleV1(AppleV1 {
                minimum_risk_score_full_range: f64::NEG_INFINITY,
                ..AppleV1::default()
            }),
            "minimum_risk_score_full_range",
        ),
        (
            ProfileRules::Monotone(Monotone {
                zero_from: AttenuationDb::from_db(63),
                ..Monotone::default()
            }),
            "full_until, zero_from",
        ),
        (
            ProfileRules::Monotone(Monotone {
                infectiousness_weight_standard: 1.5,
                ..Monotone::default()
            }),
            "infectiousness_weight_standard, infectiousness_weight_high",
        ),
    ] {
        assert_eq!(place(rules), expected);
    }
    let mut cwa = Cwa::default();
    cwa.transmission_risk_offsets.confirmed_test = 7;
    let at = "transmission_risk_offsets, ConfirmedTest + High";
    assert_eq!(place(ProfileRules::Cwa(cwa.clone())), at);
    cwa = Cwa::default();
    cwa.attenuation_weights[1].from = AttenuationDb::from_db(60);
    assert_eq!(place(ProfileRules::Cwa(cwa)), "attenuation_weights[1]");
}

#[test]
fn a_mapping_is_where_missing_gets_its_meaning() {
    let profile = RiskProfile::cocoa_v2();
    assert_eq!(profile.mapping(), Some(&DiagnosisKeysDataMapping::cocoa()));
    assert_eq!(RiskProfile::google_v1().mapping(), None);
    let key = Heard::with_details(1, days_since_onset(11)).key;
    assert_eq!(profile.window_origin(&key).infectiousness, Infectiousness::None);
    let key = Heard::with_details(1, DiagnosisKeyDetails::default()).key;
    assert_eq!(profile.window_origin(&key).infectiousness, Infectiousness::High);
    assert_eq!(profile.window_origin(&key).report_type, ReportType::ConfirmedTest);
    let nothing: [KeyEvidence<'_>; 0] = [];
    assert_eq!(profile.assess_day(DAY, &nothing, DAY), None);
}
