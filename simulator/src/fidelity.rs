//! How far the radio model agrees with real phones: the same scans, once as they were captured and
//! once as the model makes them.
//!
//! Every scan of a phone is an opportunity to hear each other phone whose position is known. For
//! each opportunity the model is asked what it would have heard at that distance. A [`Row`]
//! compares one statistic in one environment, and holds the distance between the model and a phone
//! against the distance between two phones of one model: closer than those nothing need be.

mod observed;
mod positions;
mod statistic;

use serde::Serialize;

use crate::radio::{Environment, PhoneModel, constant_shadowing_db, link_attenuation_db};
use crate::radio::{normal, scan_packets};
use crate::world::randomness::Randomness;

pub use observed::{Opportunity, PHONES, opportunities};
pub use positions::{PositionError, Tracks, clock_ahead_s};
pub use statistic::Statistic;

/// Runs of the model over which the distance is averaged.
const RUNS: u64 = 8;

/// One statistic in one environment.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Row {
    /// The environment.
    pub environment: Environment,
    /// What is compared.
    pub statistic: Statistic,
    /// Opportunities of all phones that are compared.
    pub opportunities: usize,
    /// Its mean on the real phones; `None` if there is nothing.
    pub real: Option<f64>,
    /// Its mean in the model.
    pub simulated: Option<f64>,
    /// Distance between the model and a real phone, the mean over phones.
    pub model_to_phone: Option<f64>,
    /// Distance between two real phones of one model, the mean over pairs.
    pub phone_to_phone: Option<f64>,
}

impl Row {
    /// Whether the model is as close to a phone as another phone of its model is; `None` if either
    /// is not known.
    #[must_use]
    pub fn is_within(&self) -> Option<bool> {
        Some(self.model_to_phone? <= self.phone_to_phone?)
    }
}

/// Compares the model with what was observed.
#[must_use]
pub fn compare(observed: &[Opportunity]) -> Vec<Row> {
    let mut rows = Vec::new();
    for environment in [Environment::Lunch, Environment::Office, Environment::Party] {
        let here: Vec<_> =
            observed.iter().filter(|one| one.environment == environment).cloned().collect();
        let simulated: Vec<_> = (1..=RUNS).map(|seed| simulate(&here, seed)).collect();
        for statistic in Statistic::ALL {
            rows.push(row(environment, statistic, &here, &simulated));
        }
    }
    rows
}

fn row(
    environment: Environment,
    statistic: Statistic,
    real: &[Opportunity],
    simulated: &[Vec<Opportunity>],
) -> Row {
    let of = |all: &[Opportunity], phone: u32| -> Vec<Opportunity> {
        all.iter().filter(|one| one.receiver == phone).cloned().collect()
    };
    let (mut to_phone, mut between) = (Vec::new(), Vec::new());
    for (index, &(phone, model, _)) in PHONES.iter().enumerate() {
        let mut fellows = PHONES.iter().enumerate().filter(|(_, other)| other.1 == model);
        if fellows.clone().count() < 2 {
            continue;
        }
        let own = of(real, phone);
        for run in simulated {
            to_phone.extend(statistic.distance(&of(run, phone), &own));
        }
        for (_, &(other, ..)) in fellows.by_ref().filter(|(other, _)| *other > index) {
            between.extend(statistic.distance(&own, &of(real, other)));
        }
    }
    let all: Vec<_> = simulated.concat();
    Row {
        environment,
        statistic,
        opportunities: real.len(),
        real: statistic.mean(real),
        simulated: statistic.mean(&all),
        model_to_phone: mean(&to_phone),
        phone_to_phone: mean(&between),
    }
}

/// The same opportunities, with what the model hears in them.
fn simulate(real: &[Opportunity], seed: u64) -> Vec<Opportunity> {
    let randomness = Randomness::new(seed);
    let model = |phone| {
        let found = PHONES.iter().find(|(number, ..)| *number == phone);
        found.map_or(PhoneModel::S10, |(_, model, _)| *model)
    };
    let simulated = real.iter().enumerate().map(|(number, one)| {
        let (receiver, transmitter) = (one.receiver.to_string(), one.transmitter.to_string());
        let place = format!("{:?}", one.environment);
        let (low, high) = (one.receiver.min(one.transmitter), one.receiver.max(one.transmitter));
        let pair = [place.as_str(), &low.to_string(), &high.to_string()].map(str::to_owned);
        let pair = pair.each_ref().map(String::as_str);
        let link_db = link_attenuation_db(
            one.environment,
            one.distance_m,
            model(one.receiver),
            model(one.transmitter),
        ) + constant_shadowing_db(
            one.environment,
            normal(&mut randomness.stream("pair", &pair)),
            normal(&mut randomness.stream("direction", &[&place, &receiver, &transmitter])),
        );
        let mut rng = randomness.stream("scan", &[&number.to_string()]);
        let packets = scan_packets(one.environment, model(one.receiver), link_db, &mut rng);
        let attenuations_db = packets.into_iter().map(|(_, db)| db.round()).collect();
        Opportunity { attenuations_db, ..one.clone() }
    });
    simulated.collect()
}

#[expect(clippy::cast_precision_loss, reason = "far fewer than 2^53")]
fn mean(numbers: &[f64]) -> Option<f64> {
    (!numbers.is_empty()).then(|| numbers.iter().sum::<f64>() / numbers.len() as f64)
}
