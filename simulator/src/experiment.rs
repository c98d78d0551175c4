//! Experiments: sweeps over arms and seeds, on all cores, as tables.
//!
//! | | question |
//! |---|---|
//! | E1 | where contacts are lost; every lost contact has one reason |
//! | E2 | what adoption, carrying and reporting do together |
//! | E4 | how often to scan |
//! | E5 | what each rule makes of distance and duration |
//! | E6 | what an official for each case costs a venue's visitors |
//! | E8 | each incident, with and without its defences, and when the status says so |
//! | E9 | on how many days a person can be followed |
//!
//! Every arm of an experiment draws the same people with the same luck: streams of randomness are
//! named by what they are for, never by the arm. Results do not depend on the number of cores.

mod arm;
mod couples;
mod duty_cycle;
mod funnel;
mod grid;
mod incidents;
mod linkability;
pub mod parquet_file;
mod rules;
pub mod scenario_result;
pub mod table;
mod venues;

use std::collections::BTreeSet;

use rayon::prelude::*;
use thiserror::Error;

use crate::scenario::ScenarioError;
use table::Table;

/// One of the experiments.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Experiment {
    /// The funnel.
    E1,
    /// The grid.
    E2,
    /// The duty cycle.
    E4,
    /// The rules.
    E5,
    /// The venues.
    E6,
    /// The incidents.
    E8,
    /// Linkability.
    E9,
}

/// How large an experiment is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settings {
    /// Phones of the towns of E1, E2, E6 and E9.
    pub phones: u32,
    /// Days of those towns.
    pub days: u32,
    /// Runs of each arm, with the seeds 1, 2, ….
    pub seeds: u32,
    /// Scenarios of the library that E8 runs; all if empty.
    pub only: BTreeSet<String>,
}

impl Default for Settings {
    fn default() -> Self {
        Self { phones: 120, days: 3, seeds: 8, only: BTreeSet::new() }
    }
}

/// Why an experiment cannot be run.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum ExperimentError {
    /// A scenario of the library makes no sense.
    #[error(transparent)]
    Scenario(#[from] ScenarioError),
}

impl Experiment {
    /// Every experiment.
    pub const ALL: [Self; 7] =
        [Self::E1, Self::E2, Self::E4, Self::E5, Self::E6, Self::E8, Self::E9];

    /// Its name on the command line.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::E1 => "E1",
            Self::E2 => "E2",
            Self::E4 => "E4",
            Self::E5 => "E5",
            Self::E6 => "E6",
            Self::E8 => "E8",
            Self::E9 => "E9",
        }
    }

    /// What it asks.
    #[must_use]
    pub const fn question(self) -> &'static str {
        match self {
            Self::E1 => "Where are contacts lost?",
            Self::E2 => "What do adoption, carrying and reporting do together?",
            Self::E4 => "How often must a phone scan?",
            Self::E5 => "What does each rule make of distance and duration?",
            Self::E6 => "What does an official for each case cost the visitors of venues?",
            Self::E8 => "What does each incident do, and when does the status say so?",
            Self::E9 => "On how many days can a person be followed?",
        }
    }

    /// The experiment of this name, in capitals or not.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|one| one.name().eq_ignore_ascii_case(name))
    }

    /// How many steps `done` will be called for.
    #[must_use]
    pub fn steps(self, settings: &Settings) -> usize {
        let seeds = settings.seeds as usize;
        match self {
            Self::E1 | Self::E2 => seeds,
            Self::E4 => 35 * seeds,
            Self::E5 => 2 * seeds,
            Self::E6 => 5 * seeds,
            Self::E8 => incidents::variants(settings),
            Self::E9 => 3 * seeds,
        }
    }

    /// Runs it. `done` is called after each step, from any thread.
    ///
    /// # Errors
    /// [`ExperimentError`].
    pub fn run(
        self,
        settings: &Settings,
        done: &(dyn Fn() + Sync),
    ) -> Result<Vec<Table>, ExperimentError> {
        Ok(match self {
            Self::E1 => funnel::run(settings, done),
            Self::E2 => grid::run(settings, done),
            Self::E4 => duty_cycle::run(settings, done),
            Self::E5 => rules::run(settings, done),
            Self::E6 => venues::run(settings, done),
            Self::E8 => incidents::run(settings, done)?,
            Self::E9 => linkability::run(settings, done),
        })
    }
}

/// `run` for every seed, on all cores; in the order of the seeds.
fn over_seeds<R: Send>(
    settings: &Settings,
    done: &(dyn Fn() + Sync),
    run: impl Fn(u64) -> R + Sync,
) -> Vec<R> {
    let one = |seed: u32| {
        let result = run(u64::from(seed));
        done();
        result
    };
    (1..=settings.seeds).into_par_iter().map(one).collect()
}

/// `run` for every arm and seed, on all cores; in the order of arms, then of seeds.
fn over_arms<A: Clone + Sync + Send, R: Send>(
    settings: &Settings,
    arms: &[A],
    done: &(dyn Fn() + Sync),
    run: impl Fn(&A, u64) -> R + Sync,
) -> Vec<(A, R)> {
    let all: Vec<_> = arms
        .iter()
        .flat_map(|arm| (1..=settings.seeds).map(move |seed| (arm.clone(), u64::from(seed))))
        .collect();
    let one = |(arm, seed): (A, u64)| {
        let result = run(&arm, seed);
        done();
        (arm, result)
    };
    all.into_par_iter().map(one).collect()
}
