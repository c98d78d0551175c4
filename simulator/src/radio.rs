//! The virtual radio: attenuation by distance, and which packets of a scan arrive.
//!
//! `attenuation = A + 10 n log10(d / 1 m) + receiver + transmitter + shadowing`, with offsets of
//! receiver and transmitter from the mean phone of the measurements, and the shadowing
//! split into parts that are constant for a pair, for a direction, for a scan and for a packet.
//! Of 14 advertising events in a 4 s scan each is delivered with the probability
//! `p0 / (1 + exp((attenuation - c) / s))` of the receiver's model.
//!
//! All numbers were fitted to the captures of DP-3T bt-measurements, experiment 34 (path loss by
//! censored maximum likelihood, so that scans that heard nothing count too), in a calibration
//! where attenuation is `-21 - rssi`. Logarithm and exponential come from a library of our own
//! tree, not from the platform's, so that a seed means the same bytes on every machine.

mod environment;
mod model;

use rand_core::Rng;

pub use environment::Environment;
pub use model::PhoneModel;
use model::{MEAN_RECEIVER_OFFSET_DB, MEAN_TRANSMITTER_OFFSET_DB};

/// Advertising events of one transmitter during a 4 s scan: one every 286–290 ms.
pub const EVENTS_IN_A_SCAN: u32 = 14;
/// Milliseconds between two advertising events.
pub const EVENT_SPACING_MS: u32 = 288;
/// Attenuation is this number minus the signal strength, in the captures' calibration.
pub const CALIBRATION_DB: f64 = -21.0;

/// Nearer than this the path-loss law says nothing.
const NEAREST_M: f64 = 0.1;
/// Farther than this nothing is heard.
pub(crate) const FARTHEST_M: f64 = 100.0;

/// Attenuation of one link, without the parts that change from scan to scan, in dB.
#[must_use]
pub fn link_attenuation_db(
    environment: Environment,
    distance_m: f64,
    receiver: PhoneModel,
    transmitter: PhoneModel,
) -> f64 {
    let law = environment.path_loss();
    law.at_one_metre_db
        + 10.0 * law.exponent * libm::log10(distance_m.max(NEAREST_M))
        + (receiver.receiver_offset_db() - MEAN_RECEIVER_OFFSET_DB)
        + (transmitter.transmitter_offset_db() - MEAN_TRANSMITTER_OFFSET_DB)
}

/// The distance at which a link of two mean phones has this attenuation, from 0.1 to 100 m.
#[must_use]
pub fn distance_m(environment: Environment, attenuation_db: f64) -> f64 {
    let law = environment.path_loss();
    let decades = (attenuation_db - law.at_one_metre_db) / (10.0 * law.exponent);
    libm::pow(10.0, decades).clamp(NEAREST_M, FARTHEST_M)
}

/// The parts of shadowing that stay the same during a stay, from two standard normal draws.
#[must_use]
pub const fn constant_shadowing_db(environment: Environment, pair: f64, direction: f64) -> f64 {
    let shadowing = environment.shadowing();
    shadowing.pair_db * pair + shadowing.direction_db * direction
}

/// What one scan receives of a transmitter behind a link of `link_db`: number of the advertising
/// event and attenuation in dB of each packet that arrives.
pub fn scan_packets(
    environment: Environment,
    receiver: PhoneModel,
    link_db: f64,
    rng: &mut impl Rng,
) -> Vec<(u32, f64)> {
    let shadowing = environment.shadowing();
    let scan_db = link_db + shadowing.scan_db * normal(rng);
    let mut packets = Vec::new();
    for event in 0..EVENTS_IN_A_SCAN {
        let attenuation_db = scan_db + shadowing.packet_db * normal(rng);
        if is_delivered(receiver, attenuation_db, rng) {
            packets.push((event, attenuation_db));
        }
    }
    packets
}

/// Whether one packet arrives.
pub fn is_delivered(receiver: PhoneModel, attenuation_db: f64, rng: &mut impl Rng) -> bool {
    let curve = receiver.reception();
    let exponent = (attenuation_db - curve.midpoint_db) / curve.slope_db;
    uniform(rng) < curve.best / (1.0 + libm::exp(exponent))
}

/// A number from the standard normal distribution, by Box and Muller.
pub fn normal(rng: &mut impl Rng) -> f64 {
    // 1 - u is never 0, so the logarithm is finite.
    let radius = libm::sqrt(-2.0 * libm::log(1.0 - uniform(rng)));
    radius * libm::cos(2.0 * core::f64::consts::PI * uniform(rng))
}

/// A number from 0 (included) to 1 (excluded), with 53 random bits.
#[expect(clippy::cast_precision_loss, reason = "53 bits fit a double exactly")]
pub fn uniform(rng: &mut impl Rng) -> f64 {
    (rng.next_u64() >> 11) as f64 / (1_u64 << 53) as f64
}
