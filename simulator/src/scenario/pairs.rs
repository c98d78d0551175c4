//! Pairs of phones that meet once, to measure how often a contact is found.

use std::collections::{BTreeMap, BTreeSet};

use chikaku_core::time::Timestamp;

use super::town::MODELS;
use super::{
    Diagnosis, Interference, KeyServer, Motion, PhoneSpecification, Scenario, Stay, System,
};
use crate::radio::Environment;

/// 2026-04-06T18:00:00Z: the longest meeting is over, and its key's day soon after.
const MEETING: i64 = 1_775_498_400;

impl Scenario {
    /// `pairs` pairs, each alone in its place. One of each publishes keys an hour after midnight. Pairs
    /// begin at different seconds, so that they meet at every phase of the scans.
    #[must_use]
    pub fn pairs(environment: Environment, distance_m: f64, minutes: u32, pairs: u32) -> Self {
        let at = |seconds| Timestamp::from_unix_seconds(seconds).unwrap_or(Timestamp::EPOCH);
        let from = |pair: u32| at(MEETING).saturating_add(pair * 37 % 600);
        let day_after = at(MEETING).saturating_add(7 * 3600);
        let count = pairs as usize;
        let stay = |pair: u32| {
            let first = 2 * pair as usize;
            Stay {
                place: format!("place {pair}"),
                environment,
                from: from(pair),
                to: from(pair).saturating_add(minutes * 60),
                wall_db: 0.0,
                motion: Motion::Still,
                positions: BTreeMap::from([(first, [0.0, 0.0]), (first + 1, [distance_m, 0.0])]),
            }
        };
        let phone = |number: usize| PhoneSpecification {
            name: format!("phone {number}"),
            // Every model meets every other one.
            model: MODELS[(number / 2 + (number % 2) * (1 + number / 12)) % MODELS.len()],
            system: System::Android,
            clock_error_seconds: 0,
        };
        let diagnosis = |pair: usize| Diagnosis {
            phone: 2 * pair,
            reported: day_after,
            onset: Some(at(MEETING).day()),
        };
        Self {
            name: "Pairs".to_owned(),
            shows: String::new(),
            incidents: Vec::new(),
            starts: at(MEETING).saturating_sub(1200),
            ends: day_after.saturating_add(6 * 3600),
            phones: (0..2 * count).map(phone).collect(),
            stays: (0..pairs).map(stay).collect(),
            diagnoses: (0..count).map(diagnosis).collect(),
            key_server: KeyServer { export_every_hours: 1, download_every_hours: 2 },
            interference: Interference::default(),
            faults: Vec::new(),
            adversaries: Vec::new(),
            defences: BTreeSet::new(),
            undefended: None,
            without: BTreeSet::new(),
            expect: None,
        }
    }
}
