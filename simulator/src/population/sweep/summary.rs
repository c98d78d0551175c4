//! What one run came to: a row, written to a Parquet file and read back.

use std::fs::File;
use std::path::Path;

use arrow_array::Array;
use arrow_array::cast::AsArray;
use arrow_array::types::{Float64Type, UInt64Type};
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;

use super::{SweepError, at};
use crate::population::columns::{Column, Frame, Values};
use crate::population::monitor::{Day, Monitor};
use crate::population::scenario::Scenario;

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

impl Summary {
    pub(super) fn of(scenario: &Scenario, seed: u64, monitor: &Monitor) -> Self {
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

    pub(super) fn read(path: &Path) -> Result<Self, SweepError> {
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

    pub(super) fn is_arm_of(&self, other: &Self) -> bool {
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
