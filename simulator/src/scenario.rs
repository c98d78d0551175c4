//! Scenarios: who is where, when, with which phone, and who tests positive.
//!
//! A scenario is a TOML file; [`Scenario::parse`] refuses what does not make sense, with the name
//! of what is wrong. `simulator/scenarios/office_lunch.toml` is the built-in one and an example
//! of every table.

mod document;

use std::collections::BTreeMap;

use chikaku_core::matching::MatchingRules;
use chikaku_core::time::{Timestamp, UtcDay};
use thiserror::Error;

use crate::radio::{Environment, PhoneModel};
use document::Document;

const OFFICE_LUNCH: &str = include_str!("../scenarios/office_lunch.toml");

/// Why a scenario cannot be run.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum ScenarioError {
    /// Not TOML, an unknown field or a wrong type; the message points at the line.
    #[error(transparent)]
    Syntax(#[from] toml::de::Error),
    /// A name that no phone has.
    #[error("{place} names the phone {phone:?}, which is not in the list of phones")]
    UnknownPhone {
        /// Where it is named.
        place: String,
        /// The name.
        phone: String,
    },
    /// Two phones of one name.
    #[error("two phones are named {0:?}")]
    DuplicatePhone(String),
    /// A date without a time or an offset, or one before 1970.
    #[error("{what}: {value} is not a time with an offset, such as 2026-04-06T12:00:00+09:00")]
    NotAnInstant {
        /// Where it stands.
        what: String,
        /// What stands there.
        value: String,
    },
    /// A stay that ends before it begins.
    #[error("the stay {0:?} ends before it begins")]
    EmptyStay(String),
    /// A phone in two places at once.
    #[error("{phone} is in {first:?} and in {second:?} at the same time")]
    TwoPlacesAtOnce {
        /// The phone.
        phone: String,
        /// One place.
        first: String,
        /// The other place.
        second: String,
    },
    /// Something that happens before the scenario starts or after it has ended.
    #[error("{what} lies outside the scenario's time")]
    OutsideScenario {
        /// What.
        what: String,
    },
    /// A number outside its range.
    #[error("{what} must be {range}, not {value}")]
    OutOfRange {
        /// Which number.
        what: String,
        /// What it may be.
        range: &'static str,
        /// What it is.
        value: f64,
    },
}

/// A phone of the scenario.
#[derive(Clone, Debug, PartialEq)]
pub struct PhoneSpecification {
    /// Name in reports.
    pub name: String,
    /// Model, for its radio.
    pub model: PhoneModel,
    /// How far its clock is ahead of true time, in seconds.
    pub clock_error_seconds: i32,
}

/// Some phones in one place for some time, each at a fixed position.
#[derive(Clone, Debug, PartialEq)]
pub struct Stay {
    /// Name in reports.
    pub place: String,
    /// Which radio environment the place is.
    pub environment: Environment,
    /// When it begins.
    pub from: Timestamp,
    /// When it is over.
    pub to: Timestamp,
    /// Position of each phone in metres, by the phone's index.
    pub positions: BTreeMap<usize, [f64; 2]>,
}

impl Stay {
    /// Metres between two phones, or `None` if one of them is not there.
    #[must_use]
    pub fn distance_m(&self, one: usize, other: usize) -> Option<f64> {
        let ([x, y], [u, v]) = (self.positions.get(&one)?, self.positions.get(&other)?);
        Some(libm::sqrt((x - u) * (x - u) + (y - v) * (y - v)))
    }

    /// Whether the stay is going on at `instant`.
    #[must_use]
    pub fn is_on(&self, instant: Timestamp) -> bool {
        self.from <= instant && instant < self.to
    }
}

/// Someone tests positive and publishes their keys.
#[derive(Clone, Debug, PartialEq)]
pub struct Diagnosis {
    /// The phone's index.
    pub phone: usize,
    /// When the keys are disclosed.
    pub reported: Timestamp,
    /// Day of symptom onset, if there were symptoms.
    pub onset: Option<UtcDay>,
}

/// How the key server and the phones meet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct KeyServer {
    /// Hours between two exports.
    pub export_every_hours: u32,
    /// Hours between two downloads of one phone.
    pub download_every_hours: u32,
}

/// What a scenario does to the chain on purpose.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Interference {
    /// The server signs with a key that the phones do not trust.
    pub untrusted_signature: bool,
    /// Replaces the tolerances of matching.
    pub matching: Option<MatchingRules>,
    /// Replaces the minimum window score of the daily summary.
    pub minimum_window_score: Option<f64>,
}

/// Everything a simulation needs besides its seed.
#[derive(Clone, Debug, PartialEq)]
pub struct Scenario {
    /// Title in reports.
    pub name: String,
    /// When the phones are switched on.
    pub starts: Timestamp,
    /// When the simulation is over.
    pub ends: Timestamp,
    /// The phones.
    pub phones: Vec<PhoneSpecification>,
    /// Who is where, when.
    pub stays: Vec<Stay>,
    /// Who tests positive.
    pub diagnoses: Vec<Diagnosis>,
    /// Exports and downloads.
    pub key_server: KeyServer,
    /// What is broken on purpose.
    pub interference: Interference,
}

impl Scenario {
    /// Reads a scenario file.
    ///
    /// # Errors
    /// [`ScenarioError`] says what does not make sense, and where.
    pub fn parse(text: &str) -> Result<Self, ScenarioError> {
        toml::from_str::<Document>(text)?.into_scenario()
    }

    /// The built-in scenario: a working day with two lunch tables.
    ///
    /// # Errors
    /// None in a released version; a test holds that.
    pub fn office_lunch() -> Result<Self, ScenarioError> {
        Self::parse(OFFICE_LUNCH)
    }
}
