//! The TOML form of a scenario, and the checks on the way in.

use std::collections::BTreeMap;

use chikaku_core::matching::MatchingRules;
use chikaku_core::time::{Timestamp, UtcDay};
use serde::Deserialize;
use toml::value::Datetime;

use super::{
    Diagnosis, Interference, KeyServer, PhoneSpecification, Scenario, ScenarioError, Stay,
};
use crate::radio::{Environment, PhoneModel};

/// Farthest that a phone's clock may be off, in seconds: a year.
const CLOCK_ERROR_LIMIT: i32 = 366 * 86_400;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Document {
    name: String,
    starts: Datetime,
    hours: u32,
    phones: Vec<PhoneDocument>,
    #[serde(default)]
    stays: Vec<StayDocument>,
    #[serde(default)]
    diagnoses: Vec<DiagnosisDocument>,
    #[serde(default)]
    key_server: KeyServerDocument,
    #[serde(default)]
    interference: InterferenceDocument,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct PhoneDocument {
    name: String,
    model: PhoneModel,
    #[serde(default)]
    clock_error_seconds: i32,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct StayDocument {
    place: String,
    environment: Environment,
    from: Datetime,
    to: Datetime,
    positions: BTreeMap<String, [f64; 2]>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct DiagnosisDocument {
    phone: String,
    reported: Datetime,
    onset: Option<Datetime>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct KeyServerDocument {
    export_every_hours: u32,
    download_every_hours: u32,
}

impl Default for KeyServerDocument {
    fn default() -> Self {
        Self { export_every_hours: 4, download_every_hours: 4 }
    }
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct InterferenceDocument {
    untrusted_signature: bool,
    matching: Option<MatchingRules>,
    minimum_window_score: Option<f64>,
}

impl Document {
    pub(super) fn into_scenario(self) -> Result<Scenario, ScenarioError> {
        let starts = instant("starts", self.starts)?;
        in_range("hours", f64::from(self.hours), 1.0..=24.0 * 366.0, "1 to 8784")?;
        let mut indices = BTreeMap::new();
        let mut phones = Vec::new();
        for phone in self.phones {
            let error = phone.clock_error_seconds;
            let limit = CLOCK_ERROR_LIMIT;
            let range = f64::from(-limit)..=f64::from(limit);
            let what = format!("the clock error of {}", phone.name);
            in_range(&what, f64::from(error), range, "at most a year of seconds")?;
            if indices.insert(phone.name.clone(), phones.len()).is_some() {
                return Err(ScenarioError::DuplicatePhone(phone.name));
            }
            phones.push(PhoneSpecification {
                name: phone.name,
                model: phone.model,
                clock_error_seconds: error,
            });
        }
        let index = |place: &str, phone: String| match indices.get(&phone) {
            Some(&index) => Ok(index),
            None => Err(ScenarioError::UnknownPhone { place: place.to_owned(), phone }),
        };

        let stays = self.stays.into_iter().map(|stay| stay.into_stay(index));
        let stays = stays.collect::<Result<Vec<_>, _>>()?;
        nobody_is_in_two_places(&phones, &stays)?;
        let ends = starts.saturating_add(self.hours.saturating_mul(3600));
        if let Some(stay) = stays.iter().find(|stay| stay.to <= starts || stay.from >= ends) {
            return Err(ScenarioError::OutsideScenario {
                what: format!("the stay {:?}", stay.place),
            });
        }
        let diagnoses = self.diagnoses.into_iter().map(|diagnosis| {
            let reported = instant("reported", diagnosis.reported)?;
            if reported < starts || reported >= ends {
                let what = format!("the diagnosis of {}", diagnosis.phone);
                return Err(ScenarioError::OutsideScenario { what });
            }
            Ok(Diagnosis {
                phone: index("a diagnosis", diagnosis.phone)?,
                reported,
                onset: diagnosis.onset.map(|onset| day("onset", onset)).transpose()?,
            })
        });
        for (what, hours) in [
            ("export_every_hours", self.key_server.export_every_hours),
            ("download_every_hours", self.key_server.download_every_hours),
        ] {
            in_range(what, f64::from(hours), 1.0..=24.0 * 366.0, "1 to 8784")?;
        }
        if let Some(minimum) = self.interference.minimum_window_score {
            in_range("minimum_window_score", minimum, 0.0..=1e12, "0 to 1e12")?;
        }
        Ok(Scenario {
            name: self.name,
            starts,
            ends,
            diagnoses: diagnoses.collect::<Result<_, ScenarioError>>()?,
            phones,
            stays,
            key_server: KeyServer {
                export_every_hours: self.key_server.export_every_hours,
                download_every_hours: self.key_server.download_every_hours,
            },
            interference: Interference {
                untrusted_signature: self.interference.untrusted_signature,
                matching: self.interference.matching,
                minimum_window_score: self.interference.minimum_window_score,
            },
        })
    }
}

impl StayDocument {
    fn into_stay(
        self,
        index: impl Fn(&str, String) -> Result<usize, ScenarioError>,
    ) -> Result<Stay, ScenarioError> {
        let from = instant("from", self.from)?;
        let to = instant("to", self.to)?;
        if to <= from {
            return Err(ScenarioError::EmptyStay(self.place));
        }
        let mut positions = BTreeMap::new();
        for (phone, position) in self.positions {
            for metres in position {
                let what = format!("the position of {phone} in {:?}", self.place);
                in_range(&what, metres, -10_000.0..=10_000.0, "within 10 km")?;
            }
            positions.insert(index(&self.place, phone)?, position);
        }
        Ok(Stay { place: self.place, environment: self.environment, from, to, positions })
    }
}

fn nobody_is_in_two_places(
    phones: &[PhoneSpecification],
    stays: &[Stay],
) -> Result<(), ScenarioError> {
    for (number, first) in stays.iter().enumerate() {
        for second in &stays[number + 1..] {
            if first.from >= second.to || second.from >= first.to {
                continue;
            }
            let both = first.positions.keys().find(|phone| second.positions.contains_key(phone));
            if let Some(phone) = both.and_then(|&phone| phones.get(phone)) {
                return Err(ScenarioError::TwoPlacesAtOnce {
                    phone: phone.name.clone(),
                    first: first.place.clone(),
                    second: second.place.clone(),
                });
            }
        }
    }
    Ok(())
}

fn in_range(
    what: &str,
    value: f64,
    allowed: core::ops::RangeInclusive<f64>,
    range: &'static str,
) -> Result<(), ScenarioError> {
    if allowed.contains(&value) {
        return Ok(());
    }
    Err(ScenarioError::OutOfRange { what: what.to_owned(), range, value })
}

fn instant(what: &str, value: Datetime) -> Result<Timestamp, ScenarioError> {
    let seconds = value.to_string().parse::<jiff::Timestamp>().map(jiff::Timestamp::as_second);
    let timestamp = seconds.ok().and_then(|seconds| Timestamp::from_unix_seconds(seconds).ok());
    timestamp.ok_or_else(|| ScenarioError::NotAnInstant {
        what: what.to_owned(),
        value: value.to_string(),
    })
}

/// A date, taken as the UTC day of that date.
fn day(what: &str, value: Datetime) -> Result<UtcDay, ScenarioError> {
    let midnight = format!("{value}T00:00:00Z").parse::<jiff::Timestamp>();
    let timestamp = midnight.ok().and_then(|t| Timestamp::from_unix_seconds(t.as_second()).ok());
    timestamp.map(Timestamp::day).ok_or_else(|| ScenarioError::NotAnInstant {
        what: what.to_owned(),
        value: value.to_string(),
    })
}
