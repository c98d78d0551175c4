//! Whether a closer or a longer contact ever scores less.
//!
//! Where scores are sums over seconds, two facts settle it: no second weighs less than one that is
//! farther away, and no condition asks for less of what grows. Otherwise pairs of contacts are
//! tried, and a pair in which more closeness or more time scores less, or loses High, is the
//! counterexample.

use core::fmt;

use serde::Serialize;

use super::contact::{Contact, Outcome};
use super::reach::{ROUNDING, demands};
use super::terms::Terms;
use crate::diagnosis_key::DiagnosisKeyDetails;
use crate::risk::assessment::Quantity;
use crate::risk::cocoa::Relation;
use crate::risk::cocoa_v2::Behaviour;
use crate::risk::{ProfileRules, RiskProfile};
use crate::signal::AttenuationDb;

/// Lengths of contact that are compared, in minutes.
const LENGTHS: [u32; 7] = [5, 10, 15, 20, 30, 60, 240];
/// Lengths of contacts that are then followed by a part at another distance, in minutes.
const FIRST_LENGTHS: [u32; 4] = [10, 20, 30, 60];
/// Lengths of that part, in minutes.
const SECOND_LENGTHS: [u32; 2] = [10, 60];

/// What is known about a profile's order.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Monotony {
    /// No contact scores less for scans that were closer, or for more scans after it; but for the
    /// last digits of a sum of fractions.
    Proved,
    /// One does.
    Refuted(Counterexample),
    /// Neither: no counterexample was found among those that were tried.
    NotRefuted,
}

/// Two contacts of which the closer or longer one scores less.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Counterexample {
    /// In what the second contact exceeds the first.
    pub more_of: MoreOf,
    /// The contact that is farther away or shorter.
    pub less: Outcome,
    /// The contact that is closer or longer, and scores less or loses High.
    pub more: Outcome,
}

/// In what one contact exceeds another.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum MoreOf {
    /// It is closer in some or all of its scans, and otherwise the same.
    Closeness,
    /// It goes on where the other ends.
    Time,
}

impl fmt::Display for Counterexample {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let more = match self.more_of {
            MoreOf::Closeness => "closer",
            MoreOf::Time => "longer",
        };
        write!(f, "{}; but {more}, {}", self.less, self.more)
    }
}

/// What can be said about the order of `profile`; contacts are tried at `places`, which ascend.
pub(super) fn examine(profile: &RiskProfile, terms: &Terms, places: &[AttenuationDb]) -> Monotony {
    if is_ordered(profile, terms) {
        return Monotony::Proved;
    }
    let key = terms.best_key().map_or_else(DiagnosisKeyDetails::default, |best| best.details);
    let search = Search { profile, places, key, age_days: terms.best_age_days };
    match search.run() {
        Some(counterexample) => Monotony::Refuted(counterexample),
        None => Monotony::NotRefuted,
    }
}

fn is_ordered(profile: &RiskProfile, terms: &Terms) -> bool {
    let sums_seconds = terms.greatest_length_factor.is_none();
    // Filters drop whole windows by their minutes, and equal windows count once in a set.
    let drops_by_shape = match profile.rules() {
        ProfileRules::Cwa(rules) => !rules.attenuation_filters.is_empty(),
        ProfileRules::CocoaV2(rules) => rules.behaviour == Behaviour::AsShipped,
        _ => false,
    };
    let weights_fall = terms.by_attenuation.windows(2).all(|pair| match pair {
        [nearer, farther] => nearer >= farther,
        _ => false,
    });
    let asks_for_more = demands(profile).iter().all(|demand| match demand.quantity {
        Quantity::ScoreSum
        | Quantity::MaximumScore
        | Quantity::NormalizedMinutes
        | Quantity::NearMinutes
        | Quantity::SecondsSinceLastScanSum => {
            matches!(demand.relation, Relation::AtLeast | Relation::MoreThan)
        }
        Quantity::TypicalAttenuationMinimum => {
            matches!(demand.relation, Relation::AtMost | Relation::LessThan)
        }
        Quantity::WeightedDurationAverage | Quantity::TypicalAttenuationMaximum => false,
    });
    sums_seconds && !drops_by_shape && weights_fall && asks_for_more
}

struct Search<'a> {
    profile: &'a RiskProfile,
    places: &'a [AttenuationDb],
    key: DiagnosisKeyDetails,
    age_days: u32,
}

/// The most telling pair so far: one that loses High if there is one, else one that scores less.
#[derive(Default)]
struct Found(Option<Counterexample>);

impl Found {
    /// Takes note of `pair`; whether no other pair could tell more.
    fn settles(&mut self, pair: Option<Counterexample>) -> bool {
        let loses_high = pair.as_ref().is_some_and(|p| p.less.is_high() && !p.more.is_high());
        if loses_high || self.0.is_none() {
            self.0 = pair.or_else(|| self.0.take());
        }
        loses_high
    }
}

impl Search<'_> {
    fn run(&self) -> Option<Counterexample> {
        let mut found = Found::default();
        let steady: Vec<Vec<Outcome>> =
            self.places.iter().map(|db| LENGTHS.map(|l| self.steady(l, *db)).to_vec()).collect();
        if self.among_steady(&steady, &mut found) || found.0.is_some() {
            return found.0;
        }
        self.among_changing(&mut found);
        found.0
    }

    /// Every length at every distance, against all that are longer or farther.
    fn among_steady(&self, steady: &[Vec<Outcome>], found: &mut Found) -> bool {
        for (near, row) in steady.iter().enumerate() {
            for (length, outcome) in row.iter().enumerate() {
                let farther = steady.iter().skip(near + 1).filter_map(|far| far.get(length));
                let closer = farther.map(|far| compare(MoreOf::Closeness, far, outcome));
                let longer = row.iter().skip(length + 1);
                let longer = longer.map(|longer| compare(MoreOf::Time, outcome, longer));
                if closer.chain(longer).any(|pair| found.settles(pair)) {
                    return true;
                }
            }
        }
        false
    }

    /// Contacts that change their distance once.
    fn among_changing(&self, found: &mut Found) -> bool {
        for first in self.places {
            for minutes in FIRST_LENGTHS {
                let begun = self.steady(minutes, *first);
                for more in SECOND_LENGTHS {
                    let mut closer: Option<Outcome> = None;
                    for then in self.places {
                        let changed = self.contact().then(minutes, *first).then(more, *then);
                        let changed = changed.tried_on(self.profile);
                        let longer = compare(MoreOf::Time, &begun, &changed);
                        let nearer = closer
                            .as_ref()
                            .and_then(|closer| compare(MoreOf::Closeness, &changed, closer));
                        if found.settles(longer) || found.settles(nearer) {
                            return true;
                        }
                        closer = Some(changed);
                    }
                }
            }
        }
        false
    }

    const fn contact(&self) -> Contact {
        Contact::new(self.key, self.age_days)
    }

    fn steady(&self, minutes: u32, attenuation: AttenuationDb) -> Outcome {
        self.contact().then(minutes, attenuation).tried_on(self.profile)
    }
}

fn compare(more_of: MoreOf, less: &Outcome, more: &Outcome) -> Option<Counterexample> {
    let scores_less = more.score < less.score - less.score * ROUNDING;
    let loses_high = more.level < less.level;
    (scores_less || loses_high).then(|| Counterexample {
        more_of,
        less: less.clone(),
        more: more.clone(),
    })
}
