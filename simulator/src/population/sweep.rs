//! Many runs: every combination of the scenario's axes with every seed. Each run is a row in a
//! Parquet file of its own, so that a sweep that was stopped goes on where it was.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

use arrow_array::Array;
use arrow_array::cast::AsArray;
use arrow_array::types::{Float64Type, UInt64Type};
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use rayon::prelude::*;
use thiserror::Error;

use super::columns::{Column, ColumnError, Frame, Values};
use super::monitor::{Day, Monitor};
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

/// What one run came to.
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
#[expect(missing_docs, reason = "named as in the scenario and the monitor")]
pub struct Summary {
    pub adoption: f64,
    pub carry: f64,
    pub report: f64,
    pub delay_hours: u64,
    pub compliance: f64,
    pub seed: u64,
    pub people: u64,
    pub days: u64,
    pub infections: u64,
    pub new_cases: u64,
    pub peak_new_cases: u64,
    pub deaths: u64,
    pub tests: u64,
    pub peak_hospital_need: u64,
    pub hospital_days: u64,
    pub waiting_days: u64,
    pub positives_registered: u64,
    pub notified: u64,
    pub notified_not_infected: u64,
    pub quarantine_days: u64,
    pub quarantine_days_not_infected: u64,
    pub diary_minutes_saved: u64,
    pub keys_published: u64,
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

impl Summary {
    fn of(scenario: &Scenario, seed: u64, monitor: &Monitor) -> Self {
        let app = &scenario.app;
        let sum = |indicator: fn(&Day) -> u64| monitor.sum(indicator);
        Self {
            adoption: app.adoption,
            carry: app.carry,
            report: app.report,
            delay_hours: u64::from(app.number_to_entry_hours),
            compliance: app.compliance,
            seed,
            people: u64::from(scenario.people),
            days: u64::from(scenario.days),
            infections: sum(|day| day.infections) + u64::from(scenario.first_infections),
            new_cases: sum(|day| day.new_cases),
            peak_new_cases: monitor.peak(|day| day.new_cases),
            deaths: sum(|day| day.deaths),
            tests: sum(|day| day.tests),
            peak_hospital_need: monitor.peak(|day| day.hospital_need),
            hospital_days: sum(|day| day.hospital_need),
            waiting_days: sum(|day| day.waiting),
            positives_registered: sum(|day| day.positives_registered),
            notified: sum(|day| day.notified),
            notified_not_infected: sum(|day| day.notified_not_infected),
            quarantine_days: sum(|day| day.isolated),
            quarantine_days_not_infected: sum(|day| day.isolated_not_infected),
            diary_minutes_saved: sum(|day| day.diary_minutes_saved),
            keys_published: sum(|day| day.keys_published),
        }
    }

    /// As a frame of one row.
    #[must_use]
    pub fn frame(&self) -> Frame {
        let mut row = *self;
        let columns = row.fields().map(|(name, field)| {
            let values = match field {
                Field::Count(value) => Values::Count(vec![*value]),
                Field::Real(value) => Values::Real(vec![*value]),
            };
            Column { name: name.to_owned(), values }
        });
        Frame { columns: columns.into() }
    }

    fn fields(&mut self) -> [(&'static str, Field<'_>); 23] {
        macro_rules! fields {
            ($($kind:ident $name:ident),* $(,)?) => {
                [$((stringify!($name), Field::$kind(&mut self.$name))),*]
            };
        }
        fields![
            Real adoption, Real carry, Real report, Count delay_hours, Real compliance, Count seed,
            Count people, Count days, Count infections, Count new_cases, Count peak_new_cases,
            Count deaths, Count tests, Count peak_hospital_need, Count hospital_days,
            Count waiting_days, Count positives_registered, Count notified,
            Count notified_not_infected, Count quarantine_days,
            Count quarantine_days_not_infected, Count diary_minutes_saved, Count keys_published,
        ]
    }

    fn read(path: &Path) -> Result<Self, SweepError> {
        let refused = |reason: &dyn ToString| SweepError::Partition {
            path: path.to_owned(),
            reason: reason.to_string(),
        };
        let file = File::open(path).map_err(|error| at(path, error))?;
        let reader = ParquetRecordBatchReaderBuilder::try_new(file).map_err(|e| refused(&e))?;
        let mut batches = reader.build().map_err(|error| refused(&error))?;
        let batch = batches.next().ok_or_else(|| refused(&"it is empty"))?;
        let batch = batch.map_err(|error| refused(&error))?;
        let mut row = Self::default();
        for (name, field) in row.fields() {
            let column = batch.column_by_name(name).filter(|column| column.len() == 1);
            let column =
                column.ok_or_else(|| refused(&format!("one value of {name} is missing")))?;
            let is_read = match field {
                Field::Count(value) => {
                    column.as_primitive_opt::<UInt64Type>().map(|column| *value = column.value(0))
                }
                Field::Real(value) => {
                    column.as_primitive_opt::<Float64Type>().map(|column| *value = column.value(0))
                }
            };
            is_read.ok_or_else(|| refused(&format!("{name} has another type")))?;
        }
        Ok(row)
    }

    fn is_arm_of(&self, other: &Self) -> bool {
        let axes =
            |row: &Self| (row.adoption, row.carry, row.report, row.delay_hours, row.compliance);
        axes(self) == axes(other)
    }
}

impl Default for Summary {
    fn default() -> Self {
        Self {
            adoption: f64::NAN,
            carry: f64::NAN,
            report: f64::NAN,
            delay_hours: 0,
            compliance: f64::NAN,
            seed: 0,
            people: 0,
            days: 0,
            infections: 0,
            new_cases: 0,
            peak_new_cases: 0,
            deaths: 0,
            tests: 0,
            peak_hospital_need: 0,
            hospital_days: 0,
            waiting_days: 0,
            positives_registered: 0,
            notified: 0,
            notified_not_infected: 0,
            quarantine_days: 0,
            quarantine_days_not_infected: 0,
            diary_minutes_saved: 0,
            keys_published: 0,
        }
    }
}

enum Field<'a> {
    Count(&'a mut u64),
    Real(&'a mut f64),
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
