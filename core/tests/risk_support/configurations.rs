//! Configurations of every rule set for property tests: right ones, wrong ones, and ones at the
//! edge of what is accepted.

use chikaku_core::diagnosis_key::ReportType;
use chikaku_core::risk::apple_v1::{AppleV1, AppleV1Weights};
use chikaku_core::risk::cocoa::{Condition, Relation, RiskCalculationConfiguration};
use chikaku_core::risk::cocoa_v2::{Behaviour, CocoaV2};
use chikaku_core::risk::cwa::{
    AttenuationFilter, AttenuationWeight, Cwa, TransmissionRiskFilter, TransmissionRiskOffsets,
};
use chikaku_core::risk::daily_summary::{BucketEdges, DailySummariesConfig, ReportTypeWeights};
use chikaku_core::risk::gaen::{Gaen, SummaryRounding};
use chikaku_core::risk::google_v1::GoogleV1;
use chikaku_core::risk::mapping::DiagnosisKeysDataMapping;
use chikaku_core::risk::monotone::Monotone;
use chikaku_core::risk::{Infectiousness, ProfileRules};
use chikaku_core::signal::AttenuationDb;
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use proptest::sample::select;

fn number() -> impl Strategy<Value = f64> {
    prop_oneof![
        4 => 0.0..3.0_f64,
        1 => select(vec![
            0.0, 1.0, 1000.0, -1.0, f64::NAN, f64::INFINITY, f64::NEG_INFINITY, f64::MAX,
            f64::MIN_POSITIVE, 1e-300,
        ]),
    ]
}

fn table() -> impl Strategy<Value = [u8; 8]> {
    prop_oneof![4 => prop::array::uniform8(0..=8_u8), 1 => any::<[u8; 8]>()]
}

fn mapping() -> impl Strategy<Value = DiagnosisKeysDataMapping> {
    use Infectiousness::{High, None, Standard};
    let infectiousness = || select(vec![None, Standard, High]);
    let report_type = select(vec![
        ReportType::ConfirmedTest,
        ReportType::ConfirmedClinicalDiagnosis,
        ReportType::SelfReport,
        ReportType::Recursive,
        ReportType::Revoked,
    ]);
    let any = (vec(infectiousness(), 29), infectiousness(), report_type).prop_map(
        |(days, infectiousness_when_missing, report_type_when_missing)| {
            let mut infectiousness_by_days_since_onset = [None; 29];
            infectiousness_by_days_since_onset.copy_from_slice(&days);
            DiagnosisKeysDataMapping {
                infectiousness_by_days_since_onset,
                infectiousness_when_missing,
                report_type_when_missing,
            }
        },
    );
    prop_oneof![
        1 => any,
        1 => Just(DiagnosisKeysDataMapping::cocoa()),
        1 => Just(DiagnosisKeysDataMapping::express()),
    ]
}

fn daily_summaries() -> impl Strategy<Value = DailySummariesConfig> {
    let parts =
        (any::<[u16; 3]>(), prop::array::uniform4(number()), any::<bool>(), any::<Option<u32>>());
    (parts, vec(number(), 7), any::<bool>()).prop_map(|(parts, numbers, sorted)| {
        let (mut thresholds, weights, inclusive, days) = parts;
        if sorted {
            thresholds.sort_unstable();
        }
        DailySummariesConfig {
            attenuation_bucket_threshold_db: thresholds,
            attenuation_bucket_weights: weights,
            bucket_edges: if inclusive {
                BucketEdges::UpperInclusive
            } else {
                BucketEdges::UpperExclusive
            },
            days_since_exposure_threshold: days,
            infectiousness_weight_standard: numbers[0],
            infectiousness_weight_high: numbers[1],
            minimum_window_score: numbers[2],
            report_type_weights: ReportTypeWeights {
                confirmed_test: numbers[3],
                confirmed_clinical_diagnosis: numbers[4],
                self_report: numbers[5],
                recursive: numbers[6],
            },
        }
    })
}

fn condition() -> impl Strategy<Value = Condition> {
    use Relation::{AtLeast, AtMost, Equal, LessThan, MoreThan, Nop, Unknown};
    let relation = select(vec![Nop, Equal, AtLeast, MoreThan, AtMost, LessThan, Unknown]);
    (relation, number()).prop_map(|(op, value)| Condition { op, value })
}

/// Any rules, most of which are refused.
pub fn rules() -> impl Strategy<Value = ProfileRules> {
    let gaen = (mapping(), daily_summaries(), number(), any::<bool>()).prop_map(
        |(m, d, from, minutes)| {
            ProfileRules::Gaen(Gaen {
                mapping: m,
                daily_summaries: d,
                high_from_score_sum: from,
                rounding: if minutes {
                    SummaryRounding::AppleMinutes
                } else {
                    SummaryRounding::Unrounded
                },
            })
        },
    );
    let cocoa = (mapping(), daily_summaries(), vec(condition(), 5), any::<bool>()).prop_map(
        |(m, d, c, shipped)| {
            ProfileRules::CocoaV2(CocoaV2 {
                mapping: m,
                daily_summaries: d,
                rule: RiskCalculationConfiguration {
                    score_sum: c[0],
                    weighted_duration_average: c[1],
                    seconds_since_last_scan_sum: c[2],
                    typical_attenuation_max: c[3],
                    typical_attenuation_min: c[4],
                    ..RiskCalculationConfiguration::cocoa()
                },
                behaviour: if shipped { Behaviour::AsShipped } else { Behaviour::Corrected },
            })
        },
    );
    let google = (table(), table(), table(), table(), any::<u16>()).prop_map(|(a, d, u, t, m)| {
        ProfileRules::GoogleV1(GoogleV1 {
            attenuation_scores: a,
            days_since_last_exposure_scores: d,
            duration_scores: u,
            transmission_risk_scores: t,
            minimum_risk_score: m % 4200,
        })
    });
    let apple = (table(), table(), table(), table(), vec(number(), 5), any::<u8>()).prop_map(
        |(a, d, u, t, n, m)| {
            ProfileRules::AppleV1(AppleV1 {
                attenuation_level_values: a,
                days_since_last_exposure_level_values: d,
                duration_level_values: u,
                transmission_risk_level_values: t,
                weights: AppleV1Weights {
                    attenuation: n[0],
                    days_since_last_exposure: n[1],
                    duration: n[2],
                    transmission_risk: n[3],
                },
                minimum_risk_score: m,
                minimum_risk_score_full_range: n[4],
            })
        },
    );
    let range = (any::<u16>(), any::<u16>(), number()).prop_map(|(from, below, weight)| {
        AttenuationWeight {
            from: AttenuationDb::from_db(from),
            below: AttenuationDb::from_db(below),
            weight,
        }
    });
    let filter = (0..100_u16, 0..100_u16, 0..40_u32, 0..40_u32).prop_map(
        |(from, below, minutes_from, minutes_below)| AttenuationFilter {
            from: AttenuationDb::from_db(from),
            below: AttenuationDb::from_db(below),
            minutes_from,
            minutes_below,
        },
    );
    let levels = (any::<u8>(), 0..=9_u8)
        .prop_map(|(from, to)| TransmissionRiskFilter { from: from % 10, to });
    let offsets = vec(0..=4_u8, 6).prop_map(|offsets| TransmissionRiskOffsets {
        confirmed_test: offsets[0],
        confirmed_clinical_diagnosis: offsets[1],
        self_report: offsets[2],
        recursive: offsets[3],
        infectiousness_standard: offsets[4],
        infectiousness_high: offsets[5],
    });
    let filters = (vec(filter, 0..2), vec(levels, 0..2), offsets, mapping());
    let numbers = (prop::array::uniform8(number()), number(), number());
    let cwa = (vec(range, 0..2), filters, numbers).prop_map(
        |(ranges, (filters, levels, offsets, mapping), (values, window, day))| {
            ProfileRules::Cwa(Cwa {
                mapping,
                attenuation_weights: ranges,
                attenuation_filters: filters,
                transmission_risk_filters: levels,
                transmission_risk_offsets: offsets,
                transmission_risk_values: values,
                window_high_from: window,
                day_high_from: day,
            })
        },
    );
    prop_oneof![gaen, cocoa, google, apple, cwa, monotone().prop_map(ProfileRules::Monotone)]
}

fn monotone() -> impl Strategy<Value = Monotone> {
    let limits = (any::<u16>(), any::<u16>(), option::of(0..20_u32));
    (limits, number(), number(), number(), mapping()).prop_map(
        |((full, zero, days), standard, high, from, mapping)| Monotone {
            mapping,
            days_since_exposure_limit: days,
            full_until: AttenuationDb::from_db(full),
            zero_from: AttenuationDb::from_db(zero),
            infectiousness_weight_standard: standard,
            infectiousness_weight_high: high,
            high_from_near_minutes: from,
            ..Monotone::default()
        },
    )
}

/// The default of each rule set with some of its numbers replaced: about half are accepted by
/// validation, and the rest fails in every way there is.
pub fn near_defaults() -> impl Strategy<Value = ProfileRules> {
    let scale = || {
        let others = select(vec![0.0, 1e-5, 0.01, 0.3, 0.7, 1.5, 3.0, 40.0, 1e7]);
        prop_oneof![3 => Just(1.0), 1 => others]
    };
    let weights = (prop::array::uniform4(scale()), vec(scale(), 6), any::<bool>());
    let summaries = (weights, prop::array::uniform3(-8..20_i16), select(vec![0.0, 0.0, 60.0, 1e7]))
        .prop_map(|((buckets, numbers, shared), moved, minimum)| {
            let mut config = DailySummariesConfig::cocoa();
            for (weight, by) in config.attenuation_bucket_weights.iter_mut().zip(buckets) {
                *weight = (*weight * if shared { buckets[0] } else { by }).min(1000.0);
            }
            for (threshold, by) in config.attenuation_bucket_threshold_db.iter_mut().zip(moved) {
                *threshold = threshold.saturating_add_signed(by);
            }
            config.attenuation_bucket_threshold_db.sort_unstable();
            config.minimum_window_score = minimum;
            config.infectiousness_weight_high = numbers[0];
            config.infectiousness_weight_standard = numbers[1];
            config.report_type_weights.confirmed_test = numbers[2];
            config.report_type_weights.self_report = numbers[3];
            config.days_since_exposure_threshold = match moved[0] {
                ..-4 => Some(0),
                -4..0 => Some(10),
                _ => None,
            };
            config
        });
    let summaries = summaries.boxed();
    let of_gaen = (mapping(), summaries.clone(), scale(), any::<bool>()).prop_map(
        |(mapping, mut daily_summaries, by, minutes)| {
            if by <= 1.0 {
                let weights = &mut daily_summaries.attenuation_bucket_weights;
                weights.sort_by(|one, other| other.total_cmp(one));
            }
            ProfileRules::Gaen(Gaen {
                mapping,
                daily_summaries,
                high_from_score_sum: 900.0 * by,
                rounding: if minutes {
                    SummaryRounding::AppleMinutes
                } else {
                    SummaryRounding::Unrounded
                },
            })
        },
    );
    let other = (0..5_usize, condition(), select(vec![0.0, 1.0, 40.0, 60.0, 900.0, 1e9]));
    let of_cocoa = (mapping(), summaries, option::of(other), scale(), any::<bool>()).prop_map(
        |(mapping, daily_summaries, other, by, shipped)| {
            let mut rule = RiskCalculationConfiguration::cocoa();
            rule.score_sum.value *= by;
            if let Some((place, condition, value)) = other {
                let condition = Condition { value, ..condition };
                *[
                    &mut rule.score_sum,
                    &mut rule.weighted_duration_average,
                    &mut rule.seconds_since_last_scan_sum,
                    &mut rule.typical_attenuation_max,
                    &mut rule.typical_attenuation_min,
                ][place] = condition;
            }
            let behaviour = if shipped { Behaviour::AsShipped } else { Behaviour::Corrected };
            ProfileRules::CocoaV2(CocoaV2 { mapping, daily_summaries, rule, behaviour })
        },
    );
    let entries = || {
        let table = prop::array::uniform8(0..=8_u8);
        prop_oneof![1 => table, 2 => (0..=8_u8).prop_map(|entry| [entry; 8])]
    };
    let of_google = (entries(), entries(), entries(), entries(), 1..60_u16).prop_map(
        |(attenuation_scores, days, duration_scores, transmission, minimum_risk_score)| {
            ProfileRules::GoogleV1(GoogleV1 {
                attenuation_scores,
                days_since_last_exposure_scores: days,
                duration_scores,
                transmission_risk_scores: transmission,
                minimum_risk_score,
            })
        },
    );
    let of_apple = (entries(), entries(), entries(), entries(), (1..=255_u8, scale())).prop_map(
        |(attenuation, days, duration, transmission, (minimum, full_range))| {
            ProfileRules::AppleV1(AppleV1 {
                attenuation_level_values: attenuation,
                days_since_last_exposure_level_values: days,
                duration_level_values: duration,
                transmission_risk_level_values: transmission,
                weights: AppleV1Weights::default(),
                minimum_risk_score: minimum / 3 + 1,
                minimum_risk_score_full_range: full_range,
            })
        },
    );
    let of_cwa = (mapping(), prop::array::uniform3(scale()), scale(), any::<Option<u8>>())
        .prop_map(|(mapping, weights, by, filtered)| {
            let mut rules = Cwa { mapping, ..Cwa::default() };
            for (range, by) in rules.attenuation_weights.iter_mut().zip(weights) {
                range.weight *= by;
            }
            if let (Some(last), Some(level)) = (rules.attenuation_weights.last_mut(), filtered) {
                last.below = AttenuationDb::from_db(u16::from(level) + 74);
            }
            rules.day_high_from = (rules.day_high_from * by).clamp(0.1, 1e6);
            rules.transmission_risk_filters.extend(
                filtered.map(|level| TransmissionRiskFilter { from: level % 9, to: level % 9 }),
            );
            ProfileRules::Cwa(rules)
        });
    let of_monotone = (mapping(), 0..90_u16, 1..40_u16, scale(), scale(), option::of(0..20_u32))
        .prop_map(|(mapping, full, range, weight, by, days)| {
            ProfileRules::Monotone(Monotone {
                mapping,
                full_until: AttenuationDb::from_db(full),
                zero_from: AttenuationDb::from_db(full + range),
                infectiousness_weight_standard: weight,
                infectiousness_weight_high: weight,
                days_since_exposure_limit: days,
                high_from_near_minutes: (12.0 * by).max(0.1),
                ..Monotone::default()
            })
        });
    prop_oneof![of_gaen, of_cocoa, of_google, of_apple, of_cwa, of_monotone]
}
