//! A scenario from positions that cameras measured: everybody where they were, every few seconds.

use core::fmt::Write as _;

use super::field_log::utc;
use super::town::MODELS;
use crate::fidelity::Tracks;
use crate::radio::Environment;

/// Seconds between two points of a track.
const STEP_SECONDS: usize = 5;

/// The text of a scenario in which people move as in `recording`; `None` if nobody is in it. The
/// one with the lowest number tests positive three hours later.
#[must_use]
pub fn scenario_of(recording: &Tracks) -> Option<String> {
    let (first, last) = (*recording.span()?.start(), *recording.span()?.end());
    let people = recording.people();
    let positive = people.first()?;
    let starts = first / 3600 * 3600 - 3600;
    let hours = (last - starts) / 3600 + 1 + 30;
    let environment = serde_json::to_value(recording.environment.unwrap_or(Environment::Movement));
    let environment = environment.unwrap_or_default();

    let mut file = String::from("# Made from positions that cameras measured.\n\n");
    let _ = write!(
        file,
        "name = \"Camera tracks: {}\"\nstarts = {}\nhours = {hours}\n\nphones = [\n",
        recording.name,
        utc(starts)
    );
    for (number, person) in people.iter().enumerate() {
        let model = serde_json::to_value(MODELS[number % MODELS.len()]).unwrap_or_default();
        let _ = writeln!(file, "  {{ name = \"{person}\", model = {model} }},");
    }
    let _ = write!(
        file,
        "]\n\n[[stays]]\nplace = \"{}\"\nenvironment = {environment}\nfrom = {}\nto = {}\n\n\
         [stays.tracks]\n",
        recording.name,
        utc(first),
        utc(last + 1)
    );
    for &person in &people {
        let _ = write!(file, "{person} = [");
        for second in (first..=last).step_by(STEP_SECONDS) {
            if let Some([x, y]) = recording.position(second, person) {
                let _ = write!(file, "[{}, {x:.2}, {y:.2}], ", second - first);
            }
        }
        file.push_str("]\n");
    }
    let reported = utc(last / 3600 * 3600 + 3 * 3600);
    let _ = write!(file, "\n[[diagnoses]]\nphone = \"{positive}\"\nreported = {reported}\n");
    Some(file)
}
