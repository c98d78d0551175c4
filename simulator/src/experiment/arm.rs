//! Arms of an experiment as thinnings of one run in which everybody takes part.
//!
//! Phones do not disturb each other on the air, and each draws from streams of its own. So a
//! world in which some have no app, leave the phone at home or do not report hears exactly the rest
//! of what the full world hears, and an arm needs no run of its own: it is the full run's evidence,
//! thinned, and assessed anew by the core. Every arm draws the same person with the same luck. A
//! test holds an arm against a run of its own.

use std::collections::{BTreeMap, BTreeSet};

use chikaku_core::diagnosis_key::DiagnosisKeyHash;
use chikaku_core::exposure::{ExposureWindow, MeasuredSighting};
use chikaku_core::risk::{KeyEvidence, RiskLevel, RiskProfile};
use chikaku_core::time::{Timestamp, UtcDay};

use crate::radio::uniform;
use crate::scenario::{Diagnosis, Scenario};
use crate::world::randomness::Randomness;
use crate::world::{Outcome, World};

/// Every so many-th person tests positive.
const ONE_POSITIVE_IN: usize = 8;

/// Who takes part. Shares from 0 to 1.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Arm {
    /// Of all people: has the app.
    pub(super) adoption: f64,
    /// Of all days of a person with the app: the phone is with them.
    pub(super) carry: f64,
    /// Of all positives: is given a number to report with.
    pub(super) issued: f64,
    /// Of those: enters it.
    pub(super) entered: f64,
    /// Of those who are told: act on it.
    pub(super) acts: f64,
}

impl Arm {
    pub(super) const EVERYBODY: Self =
        Self { adoption: 1.0, carry: 1.0, issued: 1.0, entered: 1.0, acts: 1.0 };
}

/// Why a contact came to nothing: the first thing that was missing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Fate {
    PositiveHasNoApp,
    NoNumberIssued,
    NumberNotEntered,
    ContactHasNoApp,
    NotCarried,
    NotHeard,
    ScoreLow,
    TellsAndIsIgnored,
    Acts,
}

impl Fate {
    pub(super) const ALL: [Self; 9] = [
        Self::PositiveHasNoApp,
        Self::NoNumberIssued,
        Self::NumberNotEntered,
        Self::ContactHasNoApp,
        Self::NotCarried,
        Self::NotHeard,
        Self::ScoreLow,
        Self::TellsAndIsIgnored,
        Self::Acts,
    ];

    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::PositiveHasNoApp => "the positive has no app",
            Self::NoNumberIssued => "no number was issued",
            Self::NumberNotEntered => "the number was not entered",
            Self::ContactHasNoApp => "the contact has no app",
            Self::NotCarried => "a phone was left behind",
            Self::NotHeard => "not heard",
            Self::ScoreLow => "heard, and the score is Low",
            Self::TellsAndIsIgnored => "told, and not acted on",
            Self::Acts => "told, and acted on",
        }
    }
}

/// A town in which everybody takes part, and every draw that decides who does in an arm.
#[derive(Debug)]
pub(super) struct Everybody {
    pub(super) outcome: Outcome,
    draws: BTreeMap<(&'static str, usize, usize), f64>,
    randomness: Randomness,
    by_key: BTreeMap<DiagnosisKeyHash, usize>,
}

/// A day on which a positive and another person were near for long enough: receiver, positive,
/// day of the scenario.
pub(super) type Due = (usize, usize, usize);

impl Everybody {
    pub(super) fn run(phones: u32, days: u32, seed: u64) -> Self {
        let scenario = town(phones, days, seed);
        let outcome = World::new(&scenario, seed).run(|_| {});
        Self::of(outcome, seed)
    }

    pub(super) fn of(outcome: Outcome, seed: u64) -> Self {
        let randomness = Randomness::new(seed);
        let by_key = outcome.published.iter().map(|one| (one.key, one.phone)).collect();
        let mut draws = BTreeMap::new();
        let days = days_of(&outcome.scenario);
        for phone in 0..outcome.scenario.phones.len() {
            for what in ["adopts", "issued", "enters", "acts"] {
                draws.insert((what, phone, 0), draw(randomness, what, phone, 0));
            }
            for day in 0..days {
                draws.insert(("carries", phone, day), draw(randomness, "carries", phone, day));
            }
        }
        Self { outcome, draws, randomness, by_key }
    }

    fn is(&self, what: &'static str, phone: usize, day: usize, share: f64) -> bool {
        let drawn = self.draws.get(&(what, phone, day)).copied();
        drawn.unwrap_or_else(|| draw(self.randomness, what, phone, day)) < share
    }

    pub(super) fn has_app(&self, arm: &Arm, phone: usize) -> bool {
        self.is("adopts", phone, 0, arm.adoption)
    }

    pub(super) fn carries(&self, arm: &Arm, phone: usize, day: usize) -> bool {
        self.is("carries", phone, day, arm.carry)
    }

    pub(super) fn reports(&self, arm: &Arm, phone: usize) -> bool {
        self.has_app(arm, phone)
            && self.is("issued", phone, 0, arm.issued)
            && self.is("enters", phone, 0, arm.entered)
    }

    /// Every due contact, once.
    pub(super) fn due(&self) -> BTreeSet<Due> {
        let scenario = &self.outcome.scenario;
        let mut due = BTreeSet::new();
        for contact in self.outcome.contacts.iter().filter(|contact| contact.is_long_and_near()) {
            let day = day_number(scenario, contact.from);
            for (one, other) in [(contact.one, contact.other), (contact.other, contact.one)] {
                let before = |diagnosis: &&Diagnosis| {
                    diagnosis.phone == one && contact.from < diagnosis.reported
                };
                if scenario.diagnoses.iter().any(|diagnosis| before(&diagnosis)) {
                    due.insert((other, one, day));
                }
            }
        }
        due
    }

    /// Days on which each phone of the arm is told, by phone and UTC day; assessed by the core.
    pub(super) fn told(&self, arm: &Arm, profile: &RiskProfile) -> BTreeSet<(usize, UtcDay)> {
        let mut told = BTreeSet::new();
        let today = self.outcome.scenario.ends.day();
        for (phone, result) in self.outcome.phones.iter().enumerate() {
            if !self.has_app(arm, phone) {
                continue;
            }
            let mut kept: Vec<(usize, Vec<ExposureWindow>, Vec<MeasuredSighting>)> = Vec::new();
            for (number, exposure) in result.exposures.iter().enumerate() {
                let Some(&owner) = self.by_key.get(&exposure.key_hash()) else { continue };
                if !self.reports(arm, owner) {
                    continue;
                }
                let both = |at: Timestamp| {
                    let day = day_number(&self.outcome.scenario, at);
                    self.carries(arm, phone, day) && self.carries(arm, owner, day)
                };
                let windows: Vec<_> =
                    exposure.windows.iter().filter(|w| both(w.first_heard_at)).cloned().collect();
                let sightings =
                    exposure.sightings.iter().filter(|s| both(s.heard_at)).copied().collect();
                if !windows.is_empty() {
                    kept.push((number, windows, sightings));
                }
            }
            let evidence: Vec<_> = kept
                .iter()
                .filter_map(|(number, windows, sightings)| {
                    let key = &result.exposures.get(*number)?.published.key;
                    Some(KeyEvidence { key, windows, sightings })
                })
                .collect();
            let days: BTreeSet<_> =
                evidence.iter().flat_map(|one| one.windows).map(ExposureWindow::day).collect();
            for day in days {
                let high = profile
                    .assess_day(day, &evidence, today)
                    .is_some_and(|assessment| assessment.level == RiskLevel::High);
                if high {
                    told.insert((phone, day));
                }
            }
        }
        told
    }

    /// What became of every due contact: exactly one fate each.
    pub(super) fn fates(&self, arm: &Arm) -> BTreeMap<Due, Fate> {
        let told = self.told(arm, &RiskProfile::cocoa_v2());
        let mut heard: BTreeSet<Due> = BTreeSet::new();
        for (phone, result) in self.outcome.phones.iter().enumerate() {
            for exposure in &result.exposures {
                let Some(&owner) = self.by_key.get(&exposure.key_hash()) else { continue };
                heard.extend(exposure.windows.iter().map(|window| {
                    (phone, owner, day_number(&self.outcome.scenario, window.first_heard_at))
                }));
            }
        }
        let fate = |due: Due| {
            let (contact, positive, day) = due;
            let starts = self
                .outcome
                .scenario
                .starts
                .saturating_add(u32::try_from(day).unwrap_or(u32::MAX).saturating_mul(86_400));
            let last = starts.saturating_add(86_399);
            let is_told =
                told.contains(&(contact, starts.day())) || told.contains(&(contact, last.day()));
            if !self.has_app(arm, positive) {
                Fate::PositiveHasNoApp
            } else if !self.is("issued", positive, 0, arm.issued) {
                Fate::NoNumberIssued
            } else if !self.is("enters", positive, 0, arm.entered) {
                Fate::NumberNotEntered
            } else if !self.has_app(arm, contact) {
                Fate::ContactHasNoApp
            } else if !(self.carries(arm, contact, day) && self.carries(arm, positive, day)) {
                Fate::NotCarried
            } else if !heard.contains(&due) {
                Fate::NotHeard
            } else if !is_told {
                Fate::ScoreLow
            } else if !self.is("acts", contact, 0, arm.acts) {
                Fate::TellsAndIsIgnored
            } else {
                Fate::Acts
            }
        };
        self.due().into_iter().map(|due| (due, fate(due))).collect()
    }

    /// The arm as a scenario of its own: who does not take part is nowhere, and who does not
    /// report publishes nothing.
    #[cfg(test)]
    pub(super) fn scenario_of(&self, arm: &Arm) -> Scenario {
        let mut scenario = self.outcome.scenario.clone();
        for stay in &mut scenario.stays {
            let day = day_number(&self.outcome.scenario, stay.from);
            stay.positions
                .retain(|&phone, _| self.has_app(arm, phone) && self.carries(arm, phone, day));
        }
        scenario.diagnoses.retain(|diagnosis| self.reports(arm, diagnosis.phone));
        scenario
    }
}

/// A made-up town in which every eighth person tests positive on the last day.
pub(super) fn town(phones: u32, days: u32, seed: u64) -> Scenario {
    let mut scenario = Scenario::town(phones, days, seed);
    let reported = scenario.starts.saturating_add(days.saturating_sub(1).saturating_mul(86_400));
    let reported = reported.saturating_add(3600);
    scenario.diagnoses = (0..scenario.phones.len())
        .step_by(ONE_POSITIVE_IN)
        .map(|phone| Diagnosis { phone, reported, onset: Some(reported.day()) })
        .collect();
    scenario.key_server.export_every_hours = 4;
    scenario.key_server.download_every_hours = 4;
    scenario
}

/// Days since the scenario began.
pub(super) fn day_number(scenario: &Scenario, at: Timestamp) -> usize {
    usize::try_from(at.seconds_since(scenario.starts) / 86_400).unwrap_or(0)
}

fn days_of(scenario: &Scenario) -> usize {
    day_number(scenario, scenario.ends).saturating_add(1)
}

fn draw(randomness: Randomness, what: &str, phone: usize, day: usize) -> f64 {
    uniform(&mut randomness.stream(what, &[&phone.to_string(), &day.to_string()]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_thinned_arm_is_the_run_of_its_own_world() {
        let everybody = Everybody::run(24, 2, 5);
        let arm = Arm { adoption: 0.8, carry: 0.8, entered: 0.7, ..Arm::EVERYBODY };
        let own = World::new(&everybody.scenario_of(&arm), 5).run(|_| {});
        let told: BTreeSet<_> =
            own.announcements.iter().map(|told| (told.phone, told.assessment.day)).collect();
        assert!(!told.is_empty());
        assert_eq!(everybody.told(&arm, &RiskProfile::cocoa_v2()), told);
        let all = everybody.told(&Arm::EVERYBODY, &RiskProfile::cocoa_v2());
        assert!(told.len() < all.len(), "the arm leaves somebody out");
    }
}
