//! Couples at known distances for known times, each in a place of its own.

use std::collections::{BTreeMap, BTreeSet};

use chikaku_core::exposure::ExposureWindow;
use chikaku_core::risk::{KeyEvidence, RiskLevel, RiskProfile};
use chikaku_core::time::Timestamp;

use crate::radio::{Environment, PhoneModel, uniform};
use crate::scenario::{
    Diagnosis, Interference, KeyServer, Motion, PhoneSpecification, Scenario, Stay, System,
};
use crate::world::Outcome;
use crate::world::randomness::Randomness;

/// 2026-04-06T00:00:00Z.
const MIDNIGHT: i64 = 1_775_433_600;
const MODELS: [PhoneModel; 4] =
    [PhoneModel::S10, PhoneModel::A40, PhoneModel::S20, PhoneModel::A51];
const ENVIRONMENTS: [Environment; 4] =
    [Environment::Lunch, Environment::Office, Environment::Queue, Environment::Party];
/// Seconds by which meetings begin at different phases of the scans.
const PHASES_SECONDS: f64 = 600.0;
/// What the first generation is told of every key.
const TRANSMISSION_RISK_LEVEL: u8 = 7;

/// Two people; the first tests positive.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Couple {
    pub(super) distance_m: f64,
    pub(super) minutes: u32,
    pub(super) wall_db: f64,
}

/// A scenario of six hours in which each couple meets once.
pub(super) fn scenario(couples: &[Couple], interference: Interference, seed: u64) -> Scenario {
    let randomness = Randomness::new(seed);
    let starts = Timestamp::from_unix_seconds(MIDNIGHT).unwrap_or(Timestamp::EPOCH);
    let mut rng = randomness.stream("couples", &[]);
    let mut pick = |from: usize| {
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            clippy::cast_precision_loss,
            reason = "a small number"
        )]
        let picked = (uniform(&mut rng) * from as f64) as usize;
        picked.min(from.saturating_sub(1))
    };
    let (mut phones, mut stays, mut diagnoses) = (Vec::new(), Vec::new(), Vec::new());
    for (number, couple) in couples.iter().enumerate() {
        for who in ["positive", "contact"] {
            phones.push(PhoneSpecification {
                name: format!("{who} {number}"),
                model: MODELS[pick(MODELS.len())],
                system: System::Android,
                clock_error_seconds: 0,
            });
        }
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "0 to 600")]
        let phase = (uniform(&mut randomness.stream("phase", &[&number.to_string()]))
            * PHASES_SECONDS) as u32;
        let from = starts.saturating_add(1800 + phase);
        let (positive, contact) = (2 * number, 2 * number + 1);
        stays.push(Stay {
            place: format!("place {number}"),
            environment: ENVIRONMENTS[pick(ENVIRONMENTS.len())],
            from,
            to: from.saturating_add(couple.minutes * 60),
            wall_db: couple.wall_db,
            motion: Motion::Still,
            positions: BTreeMap::from([
                (positive, [0.0, 0.0]),
                (contact, [couple.distance_m, 0.0]),
            ]),
        });
        let reported = starts.saturating_add(3 * 3600);
        diagnoses.push(Diagnosis { phone: positive, reported, onset: Some(reported.day()) });
    }
    Scenario {
        name: "Couples".to_owned(),
        shows: String::new(),
        incidents: Vec::new(),
        starts,
        ends: starts.saturating_add(6 * 3600),
        phones,
        stays,
        diagnoses,
        key_server: KeyServer { export_every_hours: 1, download_every_hours: 1 },
        interference,
        faults: Vec::new(),
        adversaries: Vec::new(),
        defences: BTreeSet::new(),
        undefended: None,
        without: BTreeSet::new(),
        expect: None,
    }
}

/// What a rule says about each couple's contact: score, and whether it is High.
pub(super) fn verdicts(outcome: &Outcome, profile: &RiskProfile) -> Vec<(f64, bool)> {
    let contacts = outcome.phones.iter().skip(1).step_by(2);
    let today = outcome.scenario.ends.day();
    contacts
        .map(|phone| {
            let keys: Vec<_> = phone
                .exposures
                .iter()
                .map(|exposure| {
                    let mut key = profile.as_reported(&exposure.published);
                    if profile.mapping().is_none() {
                        // The first generation counts no key without it, as COCOA found out.
                        key.details.transmission_risk_level = Some(TRANSMISSION_RISK_LEVEL);
                    }
                    key
                })
                .collect();
            let evidence: Vec<_> = phone
                .exposures
                .iter()
                .zip(&keys)
                .map(|(exposure, key)| KeyEvidence {
                    key,
                    windows: &exposure.windows,
                    sightings: &exposure.sightings,
                })
                .collect();
            let days: BTreeSet<_> =
                evidence.iter().flat_map(|one| one.windows).map(ExposureWindow::day).collect();
            let assessed =
                days.into_iter().filter_map(|day| profile.assess_day(day, &evidence, today));
            assessed.fold((0.0, false), |(score, high), day| {
                (day.score.max(score), high || day.level == RiskLevel::High)
            })
        })
        .collect()
}
