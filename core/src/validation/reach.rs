//! What scores are possible at all, and whether that is enough.

use core::fmt;

use serde::Serialize;

use super::contact::Number;
use super::requirements::{
    GREATEST_ATTENUATION_DB, MOST_SECONDS_OF_A_KEY_AND_DAY, MOST_SECONDS_OF_A_WINDOW, Requirements,
};
use super::terms::{CountingKey, Terms};
use crate::risk::assessment::Quantity;
use crate::risk::cocoa::{Condition, Relation};
use crate::risk::cocoa_v2::Behaviour;
use crate::risk::gaen::SummaryRounding;
use crate::risk::{ProfileRules, RiskProfile};

/// Relative difference below which two numbers are equal: sums of fractions round.
pub(super) const ROUNDING: f64 = 1e-9;

/// A condition that a day must meet to be High.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Demand {
    /// What is compared.
    pub quantity: Quantity,
    /// How it must relate to the threshold.
    pub relation: Relation,
    /// The number it is compared with.
    pub threshold: f64,
}

/// What days can score.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Reach {
    /// The least score of a day: 0, for what was heard may not count.
    pub least: f64,
    /// No day on which one key matched scores more, however long and close the contact was.
    pub greatest_of_one_key: f64,
    /// No day scores more on which at most [`Requirements::keys`] keys matched.
    pub greatest: f64,
    /// The proof that no such day is High, if that follows from the terms.
    pub silence: Option<SilenceProof>,
}

/// Why no day can be High.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum SilenceProof {
    /// No key counts, whatever was heard of it.
    NoKeyCounts,
    /// No condition asks for anything, and such a rule is Low.
    AsksNothing,
    /// No attenuation meets the conditions on attenuations.
    NoAttenuation,
    /// No window scores enough to be kept.
    WindowMinimum {
        /// No window scores more.
        greatest: f64,
        /// The least score that is kept.
        minimum: f64,
    },
    /// No day's value meets a condition.
    OutOfReach {
        /// The condition.
        demand: Demand,
        /// No day has a smaller value.
        least: f64,
        /// No day has a greater value.
        greatest: f64,
    },
}

/// All that `profile` demands of a day.
#[must_use]
pub fn demands(profile: &RiskProfile) -> Vec<Demand> {
    let at_least =
        |quantity, threshold| Demand { quantity, relation: Relation::AtLeast, threshold };
    match profile.rules() {
        ProfileRules::Gaen(rules) => vec![at_least(Quantity::ScoreSum, rules.high_from_score_sum)],
        ProfileRules::CocoaV2(rules) => {
            let rule = &rules.rule;
            let conditions: [(Quantity, &Condition); 5] = [
                (Quantity::ScoreSum, &rule.score_sum),
                (Quantity::WeightedDurationAverage, &rule.weighted_duration_average),
                (Quantity::SecondsSinceLastScanSum, &rule.seconds_since_last_scan_sum),
                (Quantity::TypicalAttenuationMaximum, &rule.typical_attenuation_max),
                (Quantity::TypicalAttenuationMinimum, &rule.typical_attenuation_min),
            ];
            let demands = conditions.into_iter().map(|(quantity, condition)| Demand {
                quantity,
                relation: condition.op,
                threshold: condition.value,
            });
            demands.filter(|demand| demand.relation != Relation::Nop).collect()
        }
        ProfileRules::GoogleV1(rules) => {
            vec![at_least(Quantity::MaximumScore, f64::from(rules.minimum_risk_score))]
        }
        ProfileRules::AppleV1(rules) => {
            let minimum = f64::from(rules.minimum_risk_score);
            let greater = minimum.max(rules.minimum_risk_score_full_range);
            vec![at_least(Quantity::MaximumScore, greater)]
        }
        ProfileRules::Cwa(rules) => {
            vec![at_least(Quantity::NormalizedMinutes, rules.day_high_from)]
        }
        ProfileRules::Monotone(rules) => {
            vec![at_least(Quantity::NearMinutes, rules.high_from_near_minutes)]
        }
        ProfileRules::Proximity(rules) => {
            vec![at_least(Quantity::NearMinutes, rules.high_from_near_minutes)]
        }
    }
}

impl Reach {
    /// What days with `keys` can score; `terms` are those of `profile`.
    pub(super) fn of(
        profile: &RiskProfile,
        terms: &Terms,
        keys: &[CountingKey],
        requirements: &Requirements,
    ) -> Self {
        let demands = demands(profile);
        let factor = keys.iter().map(|key| key.factor).fold(0.0, f64::max);
        let of_one_key = |weight: f64, seconds: u32| {
            let length = terms.greatest_length_factor.unwrap_or_else(|| f64::from(seconds));
            weight * factor * length
        };
        let sums = terms.greatest_length_factor.is_none();
        let slack = rounds_up_by(profile);
        let of_all_keys = |weight: f64| {
            let of_one_key = of_one_key(weight, MOST_SECONDS_OF_A_KEY_AND_DAY);
            slack + if sums { of_one_key * f64::from(requirements.keys) } else { of_one_key }
        };
        let greatest_weight = terms.by_attenuation.iter().flatten().copied().fold(0.0, f64::max);

        // A day that meets the conditions on attenuations has scans at these alone.
        let usable = terms
            .by_attenuation
            .iter()
            .zip(0_u16..)
            .filter(|(_, db)| demands.iter().all(|demand| demand.allows_scan_at(*db)))
            .filter_map(|(weight, _)| *weight)
            .reduce(f64::max);
        let refuted = |weight: f64| {
            let of_window = of_one_key(weight, MOST_SECONDS_OF_A_WINDOW);
            let minimum = window_minimum(profile)
                .filter(|minimum| of_window + of_window * ROUNDING < *minimum)
                .map(|minimum| SilenceProof::WindowMinimum { greatest: of_window, minimum });
            minimum.or_else(|| {
                demands.iter().find_map(|demand| {
                    demand.refuted_within(match demand.quantity {
                        Quantity::ScoreSum
                        | Quantity::MaximumScore
                        | Quantity::NormalizedMinutes
                        | Quantity::NearMinutes => of_all_keys(weight),
                        Quantity::WeightedDurationAverage => {
                            greatest_average(profile).unwrap_or(weight)
                        }
                        Quantity::SecondsSinceLastScanSum => {
                            f64::from(MOST_SECONDS_OF_A_KEY_AND_DAY) * f64::from(requirements.keys)
                        }
                        Quantity::TypicalAttenuationMaximum
                        | Quantity::TypicalAttenuationMinimum => f64::from(GREATEST_ATTENUATION_DB),
                    })
                })
            })
        };
        let silence = if keys.is_empty() {
            Some(SilenceProof::NoKeyCounts)
        } else if demands.is_empty() {
            Some(SilenceProof::AsksNothing)
        } else {
            usable.map_or(Some(SilenceProof::NoAttenuation), refuted)
        };
        Self {
            least: 0.0,
            greatest_of_one_key: slack + of_one_key(greatest_weight, MOST_SECONDS_OF_A_KEY_AND_DAY),
            greatest: of_all_keys(greatest_weight),
            silence,
        }
    }
}

impl Demand {
    /// Whether a day with a scan at `db` can meet the demand: the greatest attenuation bounds
    /// every scan from above, the least one from below.
    fn allows_scan_at(&self, db: u16) -> bool {
        use Relation::{AtLeast, AtMost, Equal, LessThan, MoreThan};
        let db = f64::from(db);
        match (self.quantity, self.relation) {
            (Quantity::TypicalAttenuationMaximum, Equal | AtMost) => db <= self.threshold,
            (Quantity::TypicalAttenuationMaximum, LessThan) => db < self.threshold,
            (Quantity::TypicalAttenuationMinimum, Equal | AtLeast) => db >= self.threshold,
            (Quantity::TypicalAttenuationMinimum, MoreThan) => db > self.threshold,
            _ => true,
        }
    }

    /// The proof that no value in `0..=greatest` meets the demand, if none does.
    fn refuted_within(&self, greatest: f64) -> Option<SilenceProof> {
        let (least, slack) = (0.0, greatest * ROUNDING);
        let threshold = self.threshold;
        let possible = match self.relation {
            Relation::Nop => true,
            Relation::Equal => least <= threshold && threshold <= greatest + slack,
            Relation::AtLeast => threshold <= greatest + slack,
            Relation::MoreThan => threshold < greatest + slack,
            Relation::AtMost => least <= threshold,
            Relation::LessThan => least < threshold,
            Relation::Unknown => false,
        };
        (!possible).then_some(SilenceProof::OutOfReach { demand: *self, least, greatest })
    }
}

/// By how much a day's score can be rounded up.
fn rounds_up_by(profile: &RiskProfile) -> f64 {
    match profile.rules() {
        ProfileRules::Gaen(rules) if rules.rounding == SummaryRounding::AppleMinutes => 30.0,
        ProfileRules::Cwa(_) => 0.05,
        _ => 0.0,
    }
}

/// COCOA as shipped divides all weighted seconds by those of windows that differ, so its average
/// can exceed every weight.
fn greatest_average(profile: &RiskProfile) -> Option<f64> {
    match profile.rules() {
        ProfileRules::CocoaV2(rules) if rules.behaviour == Behaviour::AsShipped => Some(f64::MAX),
        _ => None,
    }
}

fn window_minimum(profile: &RiskProfile) -> Option<f64> {
    match profile.rules() {
        ProfileRules::Gaen(rules) => Some(rules.daily_summaries.minimum_window_score),
        ProfileRules::CocoaV2(rules) => Some(rules.daily_summaries.minimum_window_score),
        _ => None,
    }
}

const fn name(quantity: Quantity) -> &'static str {
    match quantity {
        Quantity::ScoreSum => "the score sum",
        Quantity::MaximumScore => "the score",
        Quantity::WeightedDurationAverage => "the average weighted duration",
        Quantity::SecondsSinceLastScanSum => "the sum of seconds",
        Quantity::TypicalAttenuationMaximum => "the greatest attenuation",
        Quantity::TypicalAttenuationMinimum => "the least attenuation",
        Quantity::NormalizedMinutes => "the normalized minutes",
        Quantity::NearMinutes => "the near minutes",
    }
}

impl fmt::Display for Demand {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let relation = match self.relation {
            Relation::Nop => return write!(f, "nothing is asked of {}", name(self.quantity)),
            Relation::Unknown => {
                return write!(f, "{} must meet an operator nobody knows", name(self.quantity));
            }
            Relation::Equal => "exactly",
            Relation::AtLeast => "at least",
            Relation::MoreThan => "more than",
            Relation::AtMost => "at most",
            Relation::LessThan => "less than",
        };
        write!(f, "{} must be {relation} {}", name(self.quantity), Number(self.threshold))
    }
}

impl fmt::Display for SilenceProof {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoKeyCounts => write!(f, "no key counts, whatever was heard of it"),
            Self::AsksNothing => write!(f, "no condition asks for anything, and that is Low"),
            Self::NoAttenuation => {
                write!(f, "no attenuation meets the conditions on attenuations")
            }
            Self::WindowMinimum { greatest, minimum } => write!(
                f,
                "no window scores more than {}, and windows below {} do not count",
                Number(*greatest),
                Number(*minimum)
            ),
            Self::OutOfReach { demand, least, greatest } => write!(
                f,
                "{demand}, and it lies between {} and {}",
                Number(*least),
                Number(*greatest)
            ),
        }
    }
}
