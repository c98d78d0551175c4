//! Scenarios: who is where, when, with which phone, and who tests positive.
//!
//! A scenario is a TOML file; [`Scenario::parse`] refuses what does not make sense, with its
//! line and what is allowed there. `simulator/scenarios/office_lunch.toml` is the built-in one and an example
//! of every table.

mod adversary;
pub mod camera_tracks;
pub mod contact_network;
mod defence;
mod document;
mod error;
mod expectation;
mod fault;
pub mod field_log;
pub mod library;
mod pairs;
mod stay;
mod system;
mod town;
mod walk;

use std::collections::BTreeSet;

use chikaku_core::engine::plan::ScanSchedule;
use chikaku_core::matching::MatchingRules;
use chikaku_core::time::{Timestamp, UtcDay};

use crate::radio::PhoneModel;
pub use adversary::{Adversary, AdversaryKind};
pub use defence::Defence;
use document::Document;
use error::Lines;
pub use error::{Problem, ScenarioError};
pub use expectation::Expectation;
pub use fault::{Fault, FaultKind, FileContent};
pub(crate) use stay::NEAR_M;
pub use stay::{Motion, Stay, Track};
pub use system::{AppState, Carrier, System};

const OFFICE_LUNCH: &str = include_str!("../scenarios/office_lunch.toml");

/// A phone of the scenario.
#[derive(Clone, Debug, PartialEq)]
pub struct PhoneSpecification {
    /// Name in reports.
    pub name: String,
    /// Model, for its radio.
    pub model: PhoneModel,
    /// What it runs.
    pub system: System,
    /// How far its clock is ahead of true time, in seconds.
    pub clock_error_seconds: i32,
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
    /// Replaces the length and spacing of scans.
    pub scan_schedule: Option<ScanSchedule>,
    /// Share of scans that the phones sleep through (doze), 0 to 1.
    pub scans_missed: f64,
    /// What a body or a pocket takes from every signal, in dB.
    pub body_db: f64,
}

/// Everything a simulation needs besides its seed.
#[derive(Clone, Debug, PartialEq)]
pub struct Scenario {
    /// Title in reports.
    pub name: String,
    /// What it shows, in a sentence or two.
    pub shows: String,
    /// The incidents and attacks it stages, as `core/INCIDENTS.md` numbers them.
    pub incidents: Vec<String>,
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
    /// What goes wrong, by time.
    pub faults: Vec<Fault>,
    /// Who attacks.
    pub adversaries: Vec<Adversary>,
    /// What keeps it from doing harm.
    pub defences: BTreeSet<Defence>,
    /// Why nothing could be switched off; `None` if there are defences.
    pub undefended: Option<String>,
    /// Defences that are switched off in this run.
    pub without: BTreeSet<Defence>,
    /// What must come of it; `None` if that is not said.
    pub expect: Option<Expectation>,
}

impl Scenario {
    /// Reads a scenario file.
    ///
    /// # Errors
    /// [`ScenarioError`] says what does not make sense, and where.
    pub fn parse(text: &str) -> Result<Self, ScenarioError> {
        toml::from_str::<Document>(text)?.into_scenario(&Lines(text))
    }

    /// The built-in scenario: a working day with two lunch tables.
    ///
    /// # Errors
    /// None in a released version; a test holds that.
    pub fn office_lunch() -> Result<Self, ScenarioError> {
        Self::parse(OFFICE_LUNCH)
    }
}
