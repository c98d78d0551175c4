//! Many runs: every combination of the scenario's axes with every seed. Each run is a row in a
//! Parquet file of its own, so that a sweep that was stopped goes on where it was.

mod summary;

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use rayon::prelude::*;
use thiserror::Error;

pub use summary::Summary;

use super::columns::ColumnError;
use super::scenario::{Arm, Scenario, ScenarioError};

/// A sweep that could not be finished. What is written stays.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum SweepError {
    /// The scenario, or a value on an axis.
    #[error(transparent)]
    Scenario(#[from] ScenarioError),
    /// A row that could not be written as Parquet.
    #[error(transparent)]
    Column(#[from] ColumnError),
    /// A folder or file.
    #[error("{}: {error}", path.display())]
    File {
        /// Which.
        path: PathBuf,
        /// Why.
        error: io::Error,
    },
    /// A folder with the runs of another scenario.
    #[error("{} is not this scenario; take another folder, or remove this one", .0.display())]
    OtherScenario(PathBuf),
    /// A scenario that cannot be written down.
    #[error(transparent)]
    Document(#[from] toml::ser::Error),
    /// A partition that is none of this sweep.
    #[error("{} is no partition of a sweep: {reason}", path.display())]
    Partition {
        /// Which.
        path: PathBuf,
        /// What is wrong.
        reason: String,
    },
}

/// One run of a sweep.
#[derive(Clone, Debug, PartialEq)]
pub struct Point {
    /// Counts combinations, from 0.
    pub number: usize,
    /// The values of the axes.
    pub arm: Arm,
    /// The seed.
    pub seed: u64,
}

/// Mean of a number over the seeds, and from where to where it goes: the 5th and 95th percentile,
/// which are the extremes for fewer than 20 seeds.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Band {
    /// Mean.
    pub mean: f64,
    /// Lower end.
    pub low: f64,
    /// Upper end.
    pub high: f64,
}

/// One combination against no app, seed by seed, and its price.
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub struct Benefit {
    /// A row of this combination, for the values of its axes.
    pub arm: Summary,
    /// How many seeds.
    pub seeds: usize,
    /// Infections avoided, of all in percent.
    pub infections_avoided_percent: Band,
    /// Fewer people in need of a hospital at the peak, in percent.
    pub peak_hospital_avoided_percent: Band,
    /// The price: additional days that people who were not infected stayed at home, for each of
    /// 100,000 people.
    pub additional_days_not_infected_per_100_000: Band,
    /// The price of one infection avoided, in such days; NaN if none was.
    pub days_for_an_infection: f64,
    /// Of the notified, the share that was infected, in percent.
    pub notified_infected_percent: Band,
}

impl Point {
    /// Where its row is written, below the sweep's folder.
    #[must_use]
    pub fn partition(&self) -> String {
        format!("arm={:04}/seed-{}.parquet", self.number, self.seed)
    }

    /// Runs it.
    ///
    /// # Errors
    /// [`ScenarioError`].
    pub fn run(&self, scenario: &Scenario) -> Result<Summary, ScenarioError> {
        let scenario = scenario.with(&self.arm);
        let outcome = super::run(&scenario, self.seed)?;
        Ok(Summary::of(&scenario, self.seed, &outcome.monitor))
    }
}

/// Every run of the scenario's sweep. Without the app the other axes mean nothing, so that an
/// adoption of 0 is one combination, the first; it is there even if no axis asks for it.
#[must_use]
pub fn points(scenario: &Scenario) -> Vec<Point> {
    let sweep = &scenario.sweep;
    let mut arms = vec![Arm { name: "no app".to_owned(), adoption: Some(0.0), ..Arm::default() }];
    for &adoption in sweep.adoption.iter().filter(|adoption| **adoption > 0.0) {
        for &carry in &sweep.carry {
            for &report in &sweep.report {
                for &delay_hours in &sweep.delay_hours {
                    for &compliance in &sweep.compliance {
                        arms.push(Arm {
                            name: format!("adoption {adoption}"),
                            adoption: Some(adoption),
                            carry: Some(carry),
                            report: Some(report),
                            delay_hours: Some(delay_hours),
                            compliance: Some(compliance),
                            ..Arm::default()
                        });
                    }
                }
            }
        }
    }
    let numbered = arms.into_iter().enumerate();
    let seeds = |(number, arm): (usize, Arm)| {
        let point = move |&seed| Point { number, arm: arm.clone(), seed };
        sweep.seeds.iter().map(point).collect::<Vec<_>>()
    };
    numbered.flat_map(seeds).collect()
}

/// Makes `folder` the one of this scenario's sweep, by writing the scenario into it. Runs that are
/// there from another scenario would be taken for runs of this one; only the seeds may differ.
///
/// # Errors
/// [`SweepError::OtherScenario`] if it is another one's; a file that cannot be read or written.
pub fn claim(scenario: &Scenario, folder: &Path) -> Result<(), SweepError> {
    let mut without_seeds = scenario.clone();
    without_seeds.sweep.seeds.clear();
    let document = toml::to_string(&without_seeds)?;
    let path = folder.join("scenario.toml");
    match fs::read_to_string(&path) {
        Ok(found) if found == document => Ok(()),
        Ok(_) => Err(SweepError::OtherScenario(path)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            write_whole(&path, document.as_bytes())
        }
        Err(error) => Err(at(&path, error)),
    }
}

/// Runs every point whose partition is not there yet, on all cores, and reads all of them.
/// `finished` is called after each.
///
/// # Errors
/// The first one; partitions that are written stay.
pub fn run(
    scenario: &Scenario,
    folder: &Path,
    finished: impl Fn() + Sync,
) -> Result<Vec<Summary>, SweepError> {
    claim(scenario, folder)?;
    let row = |point: &Point| {
        let path = folder.join(point.partition());
        if !path.exists() {
            let parquet = point.run(scenario)?.frame().to_parquet()?;
            write_whole(&path, &parquet)?;
        }
        finished();
        Summary::read(&path)
    };
    points(scenario).par_iter().map(row).collect()
}

/// A file is there whole or not at all.
fn write_whole(path: &Path, bytes: &[u8]) -> Result<(), SweepError> {
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder).map_err(|error| at(folder, error))?;
    }
    let unfinished = path.with_extension("unfinished");
    fs::write(&unfinished, bytes).map_err(|error| at(&unfinished, error))?;
    fs::rename(&unfinished, path).map_err(|error| at(path, error))
}

fn at(path: &Path, error: io::Error) -> SweepError {
    SweepError::File { path: path.to_owned(), error }
}

/// Every combination against the run without app and with the same seed.
#[must_use]
pub fn benefits(rows: &[Summary]) -> Vec<Benefit> {
    let without = |seed| rows.iter().find(|row| row.adoption == 0.0 && row.seed == seed);
    let mut arms: Vec<&Summary> = Vec::new();
    for row in rows.iter().filter(|row| row.adoption > 0.0) {
        if !arms.iter().any(|arm| arm.is_arm_of(row)) {
            arms.push(row);
        }
    }
    let benefit = |arm: &&Summary| {
        let pairs: Vec<(&Summary, &Summary)> = rows
            .iter()
            .filter(|row| row.is_arm_of(arm))
            .filter_map(|row| Some((without(row.seed)?, row)))
            .collect();
        let band = |number: &dyn Fn(&Summary, &Summary) -> f64| {
            Band::of(pairs.iter().map(|(without, with)| number(without, with)).collect())
        };
        let additional = band(&|without, with| {
            let days = count(with.quarantine_days_not_infected)
                - count(without.quarantine_days_not_infected);
            days / count(with.people) * 100_000.0
        });
        let avoided = band(&|without, with| {
            (count(without.infections) - count(with.infections)) / count(with.people) * 100_000.0
        });
        Benefit {
            arm: **arm,
            seeds: pairs.len(),
            infections_avoided_percent: band(&|without, with| {
                percent_less(without.infections, with.infections)
            }),
            peak_hospital_avoided_percent: band(&|without, with| {
                percent_less(without.peak_hospital_need, with.peak_hospital_need)
            }),
            additional_days_not_infected_per_100_000: additional,
            days_for_an_infection: if avoided.mean > 0.0 {
                additional.mean / avoided.mean
            } else {
                f64::NAN
            },
            notified_infected_percent: band(&|_, with| {
                100.0 - 100.0 * count(with.notified_not_infected) / count(with.notified.max(1))
            }),
        }
    };
    arms.iter().map(benefit).collect()
}

fn percent_less(without: u64, with: u64) -> f64 {
    100.0 * (1.0 - count(with) / count(without.max(1)))
}

impl Band {
    /// Of the values of some seeds.
    #[must_use]
    pub fn of(mut values: Vec<f64>) -> Self {
        values.sort_by(f64::total_cmp);
        let number = count(values.len() as u64);
        let at = |share: f64| {
            #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "an index")]
            let index = libm::round((number - 1.0).max(0.0) * share) as usize;
            values.get(index).copied().unwrap_or(f64::NAN)
        };
        Self { mean: values.iter().sum::<f64>() / number, low: at(0.05), high: at(0.95) }
    }
}

#[expect(clippy::cast_precision_loss, reason = "far fewer than 2^53")]
pub(crate) const fn count(value: u64) -> f64 {
    value as f64
}
