//! A scenario from a phone's own log: who was around, in slots of five minutes, at the distance
//! that the path-loss law of an environment gives for the signal.
//!
//! A log says how strong a signal was, not where anybody stood: the scenario is one world in which
//! such a log can come about. Identifiers do not appear in it; each becomes a neighbour of its own,
//! for the log cannot tell whether two belong together.

use core::fmt::Write as _;
use std::collections::BTreeMap;

use chikaku_core::sighting::Sighting;
use chikaku_core::time::Timestamp;
use thiserror::Error;

use crate::radio::{CALIBRATION_DB, Environment, distance_m};

const SLOT_SECONDS: i64 = 300;
/// Longest scenario, in seconds.
const LONGEST_SECONDS: i64 = 60 * 86_400;

/// Why a log makes no scenario.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum FieldLogError {
    /// Nothing with a signal strength was heard.
    #[error("the log has no sighting with a signal strength")]
    Empty,
    /// From the first to the last sighting.
    #[error("the log spans more than 60 days")]
    TooLong,
}

/// The text of a scenario in which the phone `me` hears what is in the log. The neighbour that was
/// heard most often tests positive soon after the end.
///
/// # Errors
/// [`FieldLogError`].
pub fn scenario_of(
    sightings: &[Sighting],
    environment: Environment,
) -> Result<String, FieldLogError> {
    let measured = |sighting: &Sighting| {
        let rssi = sighting.rssi?;
        let attenuation_db = CALIBRATION_DB - f64::from(rssi.dbm());
        Some((sighting.heard_at, sighting.advertisement.identifier, attenuation_db))
    };
    let mut heard: Vec<_> = sightings.iter().filter_map(measured).collect();
    heard.sort_by(|one, other| one.0.cmp(&other.0).then(one.1.cmp(&other.1)));
    let (Some(first), Some(last)) = (heard.first(), heard.last()) else {
        return Err(FieldLogError::Empty);
    };
    if last.0.seconds_since(first.0) > LONGEST_SECONDS {
        return Err(FieldLogError::TooLong);
    }
    let begins = first.0.unix_seconds() / 3600 * 3600;
    let hours = (last.0.unix_seconds() - begins) / 3600 + 1 + 26;

    let mut names = BTreeMap::new();
    let mut times: BTreeMap<usize, usize> = BTreeMap::new();
    let mut slots: BTreeMap<i64, BTreeMap<usize, Vec<f64>>> = BTreeMap::new();
    for (at, identifier, attenuation_db) in heard {
        let next = names.len() + 1;
        let name = *names.entry(identifier).or_insert(next);
        *times.entry(name).or_default() += 1;
        let slot = (at.unix_seconds() - begins) / SLOT_SECONDS;
        slots.entry(slot).or_default().entry(name).or_default().push(attenuation_db);
    }
    let word = serde_json::to_value(environment).unwrap_or_default();
    let word = word.as_str().unwrap_or("office").to_owned();

    let mut text =
        String::from("# Made from a phone's log: one world in which it can come about.\n\n");
    let _ = write!(
        text,
        "name = \"A phone's log\"\nstarts = {}\nhours = {hours}\n\nphones = [\n  \
         {{ name = \"me\", model = \"S10\" }},\n",
        utc(begins)
    );
    for name in 1..=names.len() {
        let _ = writeln!(text, "  {{ name = \"neighbour {name}\", model = \"S10\" }},");
    }
    text.push_str("]\n");
    for (slot, neighbours) in &slots {
        let from = begins + slot * SLOT_SECONDS;
        let _ = write!(
            text,
            "\n[[stays]]\nplace = \"slot {slot}\"\nenvironment = \"{word}\"\nfrom = {}\nto = {}\n\
             positions = {{ me = [0.0, 0.0]",
            utc(from),
            utc(from + SLOT_SECONDS)
        );
        for (order, (name, attenuations)) in neighbours.iter().enumerate() {
            #[expect(clippy::cast_precision_loss, reason = "a few neighbours")]
            let (mean, turn) = (
                attenuations.iter().sum::<f64>() / attenuations.len().max(1) as f64,
                core::f64::consts::TAU * order as f64 / neighbours.len() as f64,
            );
            let metres = distance_m(environment, mean);
            let (x, y) = (metres * libm::cos(turn), metres * libm::sin(turn));
            let _ = write!(text, ", \"neighbour {name}\" = [{x:.2}, {y:.2}]");
        }
        text.push_str(" }\n");
    }
    let most = times.iter().max_by_key(|(name, count)| (**count, core::cmp::Reverse(**name)));
    if let Some((name, _)) = most {
        let reported = begins + (hours - 25) * 3600;
        let _ = write!(
            text,
            "\n[[diagnoses]]\nphone = \"neighbour {name}\"\nreported = {}\n",
            utc(reported)
        );
    }
    Ok(text)
}

pub(super) fn utc(seconds: i64) -> String {
    let at = Timestamp::from_unix_seconds(seconds).unwrap_or(Timestamp::EPOCH);
    jiff::Timestamp::from_second(at.unix_seconds())
        .map_or_else(|_| "1970-01-01T00:00:00Z".to_owned(), |at| at.to_string())
}
