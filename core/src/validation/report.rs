//! Everything that was found out about a configuration.

use serde::Serialize;
use thiserror::Error;

use super::canary::{self, Canary, Expectation};
use super::contact::{Contact, Outcome};
use super::monotony::{self, Counterexample, Monotony};
use super::places;
use super::reach::{Demand, Reach, SilenceProof, demands};
use super::requirements::Requirements;
use super::terms::{self, Terms};
use crate::risk::{ProfileName, RiskProfile};
use crate::signal::AttenuationDb;

/// Lengths of the contacts among which the best one is looked for, in minutes.
const LENGTHS: [u32; 8] = [5, 10, 15, 20, 30, 60, 240, 1440];

/// What was found out about a configuration.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Report {
    /// The profile.
    pub profile: ProfileName,
    /// What it demands of a day; all of it must hold.
    pub demands: Vec<Demand>,
    /// What days can score, whatever the key server says about the keys.
    pub any_key: Reach,
    /// What days can score if it says nothing but what it assures.
    pub assured_key: Reach,
    /// The canary contacts.
    pub canaries: Vec<Canary>,
    /// Whether a closer or longer contact can score less.
    pub monotony: Monotony,
    /// A contact that was tried and is High: the shortest one at one metre of a key of which only
    /// the assured is said, or any other.
    pub witness: Option<Outcome>,
    /// The contact with the highest score among those that were tried with such a key.
    pub best_of_assured_key: Outcome,
    /// The contact with the highest score among those that were tried with any key.
    pub best_of_any_key: Outcome,
}

/// Why a configuration is not accepted.
#[derive(Clone, Debug, PartialEq, Serialize, Error)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Reason {
    /// Proved: nobody is ever notified.
    #[error("no contact can ever notify: {proof}. The best contact tried: {best}")]
    Silent {
        /// The proof.
        proof: SilenceProof,
        /// The best contact that was tried.
        best: Outcome,
    },
    /// Proved: nobody is notified as long as the server says no more than it assures.
    #[error(
        "no contact can notify of a key about which only the assured is said: {proof}. \
         The best contact tried: {best}"
    )]
    SilentWithoutDetails {
        /// The proof.
        proof: SilenceProof,
        /// The best contact that was tried.
        best: Outcome,
    },
    /// A contact that must be High is not.
    #[error("must notify and does not: {0}")]
    Missed(Canary),
    /// A contact that must not be High is.
    #[error("must not notify and does: {0}")]
    FalseAlarm(Canary),
    /// A closer or longer contact scores less.
    #[error("a closer or longer contact scores less: {0}")]
    NotMonotone(Counterexample),
    /// Order is required, and neither proved nor refuted.
    #[error("it is not proved that closer or longer contacts never score less")]
    MonotonyNotProved,
}

/// What is accepted and worth knowing.
#[derive(Clone, Debug, PartialEq, Serialize, Error)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Warning {
    /// A closer or longer contact scores less.
    #[error("a closer or longer contact scores less: {0}")]
    NotMonotone(Counterexample),
    /// Whether one can is not known.
    #[error("it is not proved that closer or longer contacts never score less")]
    MonotonyNotProved,
    /// A key that the configuration may leave out, and does.
    #[error("does not notify: {0}")]
    LeftOut(Canary),
}

impl Report {
    pub(super) fn on(profile: &RiskProfile, requirements: &Requirements) -> Self {
        let terms = Terms::of(profile, requirements);
        let assured = terms::counting(profile, requirements.assured, terms.best_age_days);
        let assured: Vec<_> = assured.into_iter().collect();
        let places = places::worth_trying(profile, &terms);
        let tried = Tried::on(profile, requirements, &terms, &places);
        Self {
            profile: profile.name(),
            demands: demands(profile),
            any_key: Reach::of(profile, &terms, &terms.keys, requirements),
            assured_key: Reach::of(profile, &terms, &assured, requirements),
            canaries: canary::release(profile, requirements, &terms),
            monotony: monotony::examine(profile, &terms, &places),
            witness: shortest_at_one_metre(profile, requirements).or(tried.high),
            best_of_assured_key: tried.best_of_assured,
            best_of_any_key: tried.best,
        }
    }

    /// Why the configuration is not accepted; empty if it is.
    pub(super) fn reasons(&self, order_is_required: bool) -> Vec<Reason> {
        let silent = self.any_key.silence.map(|proof| {
            let best = self.best_of_any_key.clone();
            Reason::Silent { proof, best }
        });
        let without_details = || {
            self.assured_key.silence.map(|proof| {
                let best = self.best_of_assured_key.clone();
                Reason::SilentWithoutDetails { proof, best }
            })
        };
        let mut reasons: Vec<_> = silent.or_else(without_details).into_iter().collect();
        for canary in self.canaries.iter().filter(|canary| !canary.holds()) {
            reasons.push(match canary.expectation {
                Expectation::NotHigh => Reason::FalseAlarm(canary.clone()),
                Expectation::High | Expectation::Either => Reason::Missed(canary.clone()),
            });
        }
        if order_is_required {
            reasons.extend(match &self.monotony {
                Monotony::Proved => None,
                Monotony::Refuted(pair) => Some(Reason::NotMonotone(pair.clone())),
                Monotony::NotRefuted => Some(Reason::MonotonyNotProved),
            });
        }
        reasons
    }

    /// What is worth knowing besides.
    pub(super) fn warnings(&self, order_is_required: bool) -> Vec<Warning> {
        let order = match &self.monotony {
            _ if order_is_required => None,
            Monotony::Proved => None,
            Monotony::Refuted(pair) => Some(Warning::NotMonotone(pair.clone())),
            Monotony::NotRefuted => Some(Warning::MonotonyNotProved),
        };
        let left_out = self.canaries.iter().filter(|canary| canary.is_left_out());
        order.into_iter().chain(left_out.cloned().map(Warning::LeftOut)).collect()
    }
}

/// The shortest contact at one metre, in whole minutes, that notifies: a key about which only the
/// assured is said.
fn shortest_at_one_metre(profile: &RiskProfile, requirements: &Requirements) -> Option<Outcome> {
    let Requirements { assured, age_days, one_metre, .. } = *requirements;
    let contact = |minutes| Contact::new(assured, age_days).then(minutes, one_metre);
    let longest = requirements.minutes.min(super::contact::LONGEST_CONTACT_MINUTES);
    (1..=longest).map(|minutes| contact(minutes).tried_on(profile)).find(Outcome::is_high)
}

/// What came of trying steady contacts of all lengths and distances.
struct Tried {
    best: Outcome,
    best_of_assured: Outcome,
    high: Option<Outcome>,
}

impl Tried {
    fn on(
        profile: &RiskProfile,
        requirements: &Requirements,
        terms: &Terms,
        places: &[AttenuationDb],
    ) -> Self {
        let steady = |key, age_days| {
            let at = move |db: &AttenuationDb| {
                let db = *db;
                LENGTHS.map(|minutes| Contact::new(key, age_days).then(minutes, db))
            };
            places.iter().flat_map(at).map(|contact| contact.tried_on(profile))
        };
        let Requirements { assured, age_days, minutes, one_metre, .. } = *requirements;
        let near = Contact::new(assured, age_days).then(minutes, one_metre).tried_on(profile);
        let mut tried = Self { best: near.clone(), best_of_assured: near, high: None };
        for outcome in steady(assured, age_days) {
            tried.take(&outcome);
            if exceeds(&outcome, &tried.best_of_assured) {
                tried.best_of_assured = outcome;
            }
        }
        if let Some(best) = terms.best_key() {
            steady(best.details, terms.best_age_days).for_each(|outcome| tried.take(&outcome));
        }
        tried
    }

    fn take(&mut self, outcome: &Outcome) {
        if exceeds(outcome, &self.best) {
            self.best = outcome.clone();
        }
        let shorter = |known: &Outcome| minutes(outcome) < minutes(known);
        if outcome.is_high() && self.high.as_ref().is_none_or(shorter) {
            self.high = Some(outcome.clone());
        }
    }
}

fn exceeds(outcome: &Outcome, other: &Outcome) -> bool {
    (outcome.level, outcome.score_before_minimum) > (other.level, other.score_before_minimum)
}

fn minutes(outcome: &Outcome) -> u32 {
    outcome.contact.parts.iter().map(|part| part.minutes).sum()
}
