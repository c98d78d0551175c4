//! A made-up town, to see how the simulator fares with many phones.

use std::collections::{BTreeMap, BTreeSet};

use chikaku_core::time::{Timestamp, UtcDay};

use super::{
    Diagnosis, Interference, KeyServer, Motion, PhoneSpecification, Scenario, Stay, System,
};
use crate::radio::{Environment, PhoneModel, uniform};
use crate::world::randomness::Randomness;

/// 2026-04-05T15:00:00Z, midnight in Japan before a Monday.
const MIDNIGHT: i64 = 1_775_401_200;
/// The models that people have, in turn.
pub(super) const MODELS: [PhoneModel; 6] = [
    PhoneModel::S10,
    PhoneModel::A40,
    PhoneModel::S10e,
    PhoneModel::A51,
    PhoneModel::S20,
    PhoneModel::A90,
];
/// Of a thousand people, so many test positive each day.
const POSITIVE_PER_MILLE_AND_DAY: f64 = 2.0;

/// A kind of place: its environment, hours of the day, people, and metres between neighbours.
struct Place {
    name: &'static str,
    environment: Environment,
    hours: [u32; 2],
    people: usize,
    spacing_m: f64,
    /// The same people meet here every day.
    fixed: bool,
}

const PLACES: [Place; 5] = [
    Place {
        name: "home",
        environment: Environment::Lunch,
        hours: [0, 7],
        people: 3,
        spacing_m: 2.5,
        fixed: true,
    },
    Place {
        name: "train",
        environment: Environment::Train,
        hours: [8, 9],
        people: 8,
        spacing_m: 0.7,
        fixed: false,
    },
    Place {
        name: "office",
        environment: Environment::Office,
        hours: [9, 12],
        people: 10,
        spacing_m: 2.0,
        fixed: true,
    },
    Place {
        name: "lunch",
        environment: Environment::Lunch,
        hours: [12, 13],
        people: 4,
        spacing_m: 0.8,
        fixed: false,
    },
    Place {
        name: "desk",
        environment: Environment::Office,
        hours: [13, 17],
        people: 10,
        spacing_m: 2.0,
        fixed: true,
    },
];

impl Scenario {
    /// A town of `phones` people for `days` days: they sleep at home, take the train, work, and
    /// have lunch with somebody else every day; a few of them test positive. Density does not
    /// depend on the number of phones.
    #[must_use]
    pub fn town(phones: u32, days: u32, seed: u64) -> Self {
        let randomness = Randomness::new(seed);
        let count = phones as usize;
        let starts = Timestamp::from_unix_seconds(MIDNIGHT).unwrap_or(Timestamp::EPOCH);
        let mut stays = Vec::new();
        for day in 0..days {
            let midnight = starts.saturating_add(day * 86_400);
            for place in &PLACES {
                let everyone: Vec<usize> = if place.fixed {
                    (0..count).collect()
                } else {
                    shuffled(count, &mut randomness.stream(place.name, &[&day.to_string()]))
                };
                for (number, group) in everyone.chunks(place.people).enumerate() {
                    stays.push(Stay {
                        place: format!("{} {number} on day {day}", place.name),
                        environment: place.environment,
                        from: midnight.saturating_add(place.hours[0] * 3600),
                        to: midnight.saturating_add(place.hours[1] * 3600),
                        wall_db: 0.0,
                        motion: Motion::Still,
                        positions: positions(group, place.spacing_m),
                    });
                }
            }
        }
        let mut rng = randomness.stream("positive", &[]);
        let mut diagnoses = Vec::new();
        let mut positive = BTreeSet::new();
        for day in 1..days {
            let reported = starts.saturating_add(day * 86_400 + 10 * 3600);
            for phone in 0..count {
                if uniform(&mut rng) * 1000.0 < POSITIVE_PER_MILLE_AND_DAY && positive.insert(phone)
                {
                    let onset: UtcDay = reported.day().saturating_sub(1);
                    diagnoses.push(Diagnosis { phone, reported, onset: Some(onset) });
                }
            }
        }
        let specification = |number: usize| PhoneSpecification {
            name: format!("phone {number}"),
            model: MODELS[number % MODELS.len()],
            system: System::Android,
            clock_error_seconds: 0,
        };
        Self {
            name: "A made-up town".to_owned(),
            shows: String::new(),
            incidents: Vec::new(),
            starts,
            ends: starts.saturating_add(days * 86_400),
            phones: (0..count).map(specification).collect(),
            stays,
            diagnoses,
            key_server: KeyServer { export_every_hours: 24, download_every_hours: 24 },
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

/// Two rows of people.
#[expect(clippy::cast_precision_loss, reason = "a few people")]
fn positions(group: &[usize], spacing_m: f64) -> BTreeMap<usize, [f64; 2]> {
    let position = |index: usize| [(index / 2) as f64 * spacing_m, (index % 2) as f64 * spacing_m];
    group.iter().enumerate().map(|(index, &phone)| (phone, position(index))).collect()
}

/// 0 to `count`, in an order that the seed decides.
#[expect(clippy::cast_precision_loss, reason = "far fewer than 2^53")]
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "below index + 1")]
fn shuffled(count: usize, rng: &mut impl rand_core::Rng) -> Vec<usize> {
    let mut numbers: Vec<usize> = (0..count).collect();
    for index in (1..count).rev() {
        let other = (uniform(rng) * (index + 1) as f64) as usize;
        numbers.swap(index, other.min(index));
    }
    numbers
}
