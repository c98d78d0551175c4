//! Does it help? An epidemic in a population with an app, and what it does to a prefecture's beds.
//!
//! People are indices into arrays; whom they meet is computed, not stored; how often a phone finds
//! a contact is looked up in a table that the simulator of phones measured. A run is a
//! function of its [`Scenario`] and seed, whatever the number of threads, and two arms of one seed
//! share every draw that their difference does not touch.
//!
//! * [`scenario`]: every parameter, with the built-in one of Kanagawa;
//! * [`run`]: one run, [`Monitor`] its row for each day;
//! * [`sweep`]: many runs, each benefit beside its price;
//! * [`page`]: the prefecture's board as a page;
//! * [`comparison`]: beside OpenABM-Covid19 at its parameters;
//! * [`detection`]: the table, and how it is measured;
//! * [`columns`]: CSV and Parquet.

mod admission;
mod board;
pub mod columns;
pub mod comparison;
pub mod detection;
mod disease;
mod distribution;
mod draw;
mod epidemic;
mod isolation;
mod meetings;
mod monitor;
mod notification;
pub mod page;
mod people;
pub mod scenario;
pub mod sweep;

pub use monitor::{Day, Monitor};
pub use scenario::{Arm, Scenario, ScenarioError};

use draw::Seed;
use epidemic::Epidemic;
use people::People;

/// What came of a run.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Outcome {
    /// A row for each day.
    pub monitor: Monitor,
    /// Bytes held at the end, for each person.
    pub bytes_per_person: f64,
}

/// Lets the days of `scenario` pass.
///
/// # Errors
/// [`ScenarioError`] says what does not make sense.
pub fn run(scenario: &Scenario, seed: u64) -> Result<Outcome, ScenarioError> {
    scenario.check()?;
    let seed = Seed(seed);
    let people = People::new(scenario, seed);
    let (monitor, bytes) = Epidemic::new(scenario, &people, seed)?.run();
    #[expect(clippy::cast_precision_loss, reason = "fewer than 2^53 bytes")]
    let bytes_per_person = bytes as f64 / f64::from(scenario.people);
    Ok(Outcome { monitor, bytes_per_person })
}

/// On how many threads runs are computed.
#[must_use]
pub fn threads() -> usize {
    rayon::current_num_threads()
}
