//! The daily summary and COCOA's decision, on the cases of its design document and around every
//! edge. Scores were computed by hand from the configuration; no code of the core made them.

#![allow(clippy::unwrap_used, reason = "a test may fail by panicking")]

use chikaku_core::diagnosis_key::{DiagnosisKey, DiagnosisKeyDetails, ReportType};
use chikaku_core::exposure::{
    ExposureWindow, MeasuredSighting, ScanInstance, WindowOrigin, WindowRules, exposure_windows,
};
use chikaku_core::risk::cocoa::RiskCalculationConfiguration;
use chikaku_core::risk::cocoa_v2::{Behaviour, CocoaV2};
use chikaku_core::risk::daily_summary::{BucketEdges, DailySummariesConfig, daily_summary};
use chikaku_core::risk::{
    Assessment, ConfigurationError, Infectiousness, KeyEvidence, ProfileRules, RiskLevel,
    RiskProfile,
};
use chikaku_core::signal::AttenuationDb;
use chikaku_core::time::{IntervalNumber, RollingPeriod, UtcDay};
use proptest::prelude::*;

const DAY: UtcDay = UtcDay::new(19_004);

/// A window of scan instances of (typical attenuation, seconds).
fn window(key: u8, scans: &[(u16, u32)]) -> ExposureWindow {
    let key = DiagnosisKey::new(
        [key; 16],
        IntervalNumber::new(0),
        RollingPeriod::DAY,
        DiagnosisKeyDetails::default(),
    );
    let origin = WindowOrigin {
        key: key.hash(),
        report_type: ReportType::ConfirmedTest,
        infectiousness: Infectiousness::High,
    };
    let first = MeasuredSighting {
        heard_at: DAY.start(),
        previous_scan_ended: None,
        attenuation: AttenuationDb::from_db(0),
        calibration_confidence: None,
    };
    let mut windows = exposure_windows(&[first], &origin, &WindowRules::default());
    let mut window = windows.remove(0);
    window.scan_instances = scans
        .iter()
        .map(|&(db, seconds)| ScanInstance {
            minimum_attenuation: AttenuationDb::from_db(db),
            typical_attenuation: AttenuationDb::from_db(db),
            seconds_since_last_scan: seconds,
        })
        .collect();
    window
}

fn decide(windows: &[ExposureWindow], edges: BucketEdges) -> Option<(f64, RiskLevel)> {
    let config = DailySummariesConfig { bucket_edges: edges, ..DailySummariesConfig::cocoa() };
    let rules = CocoaV2 { daily_summaries: config, ..CocoaV2::default() };
    let assessment = assess(rules, windows).unwrap()?;
    assessment.kept().next()?;
    Some((assessment.score, assessment.level))
}

fn assess(
    rules: CocoaV2,
    windows: &[ExposureWindow],
) -> Result<Option<Assessment>, ConfigurationError> {
    let details = DiagnosisKeyDetails::default();
    let key = DiagnosisKey::new([9; 16], IntervalNumber::new(0), RollingPeriod::DAY, details);
    let evidence = KeyEvidence { key: &key, windows, sightings: &[] };
    Ok(RiskProfile::new(ProfileRules::CocoaV2(rules))?.assess_day(DAY, &[evidence], DAY))
}

#[test]
fn i6_cases_around_every_edge() {
    use BucketEdges::{UpperExclusive, UpperInclusive};
    use RiskLevel::{High, Low};
    for (scans, edges, score, level) in [
        // Score exactly 1350, but 540 s.
        (&[(50, 300), (50, 240)][..], UpperInclusive, 1350.0, Low),
        (&[(50, 300), (50, 240), (70, 300), (70, 60)], UpperInclusive, 1353.6, High),
        // The nearest bucket weighs least but one: 15 minutes at arm's length are Low.
        (&[(40, 300), (40, 300), (40, 300)], UpperInclusive, 900.0, Low),
        (&[(46, 300), (46, 300), (46, 300)], UpperInclusive, 900.0, Low),
        (&[(46, 300), (46, 300), (46, 300)], UpperExclusive, 2250.0, High),
        (&[(60, 300), (60, 300), (60, 300)], UpperInclusive, 2250.0, High),
        (&[(60, 300), (60, 300), (60, 300)], UpperExclusive, 1170.0, Low),
        (&[(65, 300), (65, 300), (65, 300)], UpperInclusive, 1170.0, Low),
        (&[(65, 300), (65, 300), (65, 300)], UpperExclusive, 9.0, Low),
    ] {
        let (sum, decided) = decide(&[window(1, scans)], edges).unwrap();
        assert!((sum - score).abs() < 1e-9, "{scans:?} {edges:?}: {sum}");
        assert_eq!(decided, level, "{scans:?} {edges:?}");
    }
}

#[test]
fn i10_c36_windows_that_look_alike_both_count() {
    let scans = [(50, 300), (50, 300)];
    let both = [window(1, &scans), window(2, &scans)];
    assert_eq!(decide(&both, BucketEdges::UpperInclusive), Some((3000.0, RiskLevel::High)));
    assert_eq!(decide(&both[..1], BucketEdges::UpperInclusive), Some((1500.0, RiskLevel::Low)));
}

#[test]
fn what_does_not_count_counts_nowhere() {
    let scans = [(50, 300), (50, 300), (50, 300)];
    let mut harmless = window(1, &scans);
    harmless.infectiousness = Infectiousness::None;
    let mut revoked = window(2, &scans);
    revoked.report_type = ReportType::Revoked;
    let windows = [harmless, revoked];
    assert_eq!(decide(&windows, BucketEdges::UpperInclusive), None);

    let mut other_day = window(3, &scans);
    other_day.first_heard_at = DAY.start().saturating_sub(1);
    assert_eq!(decide(&[other_day], BucketEdges::UpperInclusive), None);
}

#[test]
fn a_minimum_score_and_an_age_limit_drop_windows_whole() {
    let near = window(1, &[(50, 300)]);
    let config = |minimum_window_score, days_since_exposure_threshold| DailySummariesConfig {
        minimum_window_score,
        days_since_exposure_threshold,
        ..DailySummariesConfig::cocoa()
    };
    let summary = |config: &DailySummariesConfig, today| daily_summary(DAY, [&near], today, config);
    assert!(summary(&config(750.0, None), DAY).is_some());
    assert!(summary(&config(750.1, None), DAY).is_none());
    assert!(summary(&config(0.0, Some(3)), DAY.saturating_add(3)).is_some());
    assert!(summary(&config(0.0, Some(3)), DAY.saturating_add(4)).is_none());
}

#[test]
fn the_documents_read_as_cocoa_wrote_them() {
    let document = r#"{
        "format_version": 1,
        "DailySummary_DaySummary_ScoreSum": {"op": ">=", "value": 1350.0},
        "DailySummary_DaySummary_WeightedDurationAverage": {"op": "NOP", "value": 0.0},
        "ExposureWindow_ScanInstance_SecondsSinceLastScanSum": {"op": ">=", "value": 900.0},
        "ExposureWindow_ScanInstance_TypicalAttenuationDb_Max": {"op": "NOP", "value": 0.0},
        "ExposureWindow_ScanInstance_TypicalAttenuationDb_Min": {"op": "NOP", "value": 0.0}
    }"#;
    let read: RiskCalculationConfiguration = serde_json::from_str(document).unwrap();
    assert_eq!(read, RiskCalculationConfiguration::cocoa());
    // An operator nobody knows silenced COCOA; here it is refused.
    let unknown = document.replace("\">=\"", "\"=>\"");
    assert!(serde_json::from_str::<RiskCalculationConfiguration>(&unknown).is_err());
}

#[test]
fn a_rule_that_asks_for_nothing_notifies_nobody() {
    let nop = RiskCalculationConfiguration::cocoa().score_sum;
    let nop = chikaku_core::risk::cocoa::Condition {
        op: chikaku_core::risk::cocoa::Relation::Nop,
        ..nop
    };
    let all_nop = RiskCalculationConfiguration {
        score_sum: nop,
        seconds_since_last_scan_sum: nop,
        ..RiskCalculationConfiguration::cocoa()
    };
    let windows = [window(1, &[(50, 300); 10])];
    let rules = CocoaV2 { rule: all_nop, ..CocoaV2::default() };
    assert!(assess(rules.clone(), &windows).is_err());
    let as_shipped = CocoaV2 { behaviour: Behaviour::AsShipped, ..rules };
    assert_eq!(assess(as_shipped, &windows).unwrap().unwrap().level, RiskLevel::Low);
}

#[test]
fn the_order_of_windows_changes_not_even_the_last_bit() {
    // Far scans of 10, 20 and 30 s: the classic 0.1 + 0.2 + 0.3.
    let scans = [[(70, 10)], [(70, 20)], [(70, 30)], [(70, 70)], [(62, 11)]];
    let mut windows: Vec<_> = (1..).zip(&scans).map(|(key, scans)| window(key, scans)).collect();
    let first = decide(&windows, BucketEdges::UpperInclusive).unwrap().0;
    for turn in 0..windows.len() {
        windows.rotate_left(turn);
        windows.swap(0, turn);
        let sum = decide(&windows, BucketEdges::UpperInclusive).unwrap().0;
        assert_eq!(sum.to_bits(), first.to_bits());
    }
}

proptest! {
    /// Longer contact never lowers the score, and no window breaks the arithmetic.
    #[test]
    fn score_grows_with_every_scan(
        scans in proptest::collection::vec((0_u16..=u16::MAX, 0_u32..=u32::MAX), 1..40),
        extra in (0_u16..200, 0_u32..=300),
    ) {
        let before = decide(&[window(1, &scans)], BucketEdges::UpperInclusive).unwrap().0;
        let mut longer = scans;
        longer.push(extra);
        let after = decide(&[window(1, &longer)], BucketEdges::UpperInclusive).unwrap().0;
        prop_assert!(after >= before && after.is_finite());
    }
}
