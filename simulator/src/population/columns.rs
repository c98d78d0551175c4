//! Results as columns, and what other tools read: CSV and Parquet.

use core::fmt::Write as _;
use std::sync::Arc;

use arrow_array::{ArrayRef, Date32Array, Float64Array, RecordBatch, StringArray, UInt64Array};
use arrow_schema::ArrowError;
use parquet::arrow::ArrowWriter;
use parquet::errors::ParquetError;
use thiserror::Error;

/// A Parquet file that could not be made.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum ColumnError {
    /// Columns of different lengths.
    #[error("columns do not fit together: {0}")]
    Columns(#[from] ArrowError),
    /// The writer's.
    #[error("no Parquet file could be written: {0}")]
    Parquet(#[from] ParquetError),
}

/// The values of a column.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Values {
    /// Days since 1970-01-01.
    Date(Vec<i32>),
    /// How many.
    Count(Vec<u64>),
    /// How much; NaN where there is none.
    Real(Vec<f64>),
    /// Names.
    Text(Vec<String>),
}

/// A named column.
#[derive(Clone, Debug, PartialEq)]
pub struct Column {
    /// Its name.
    pub name: String,
    /// Its values.
    pub values: Values,
}

/// Columns of one length.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Frame {
    /// In the order in which they are written.
    pub columns: Vec<Column>,
}

impl Values {
    fn len(&self) -> usize {
        match self {
            Self::Date(values) => values.len(),
            Self::Count(values) => values.len(),
            Self::Real(values) => values.len(),
            Self::Text(values) => values.len(),
        }
    }

    fn text(&self, row: usize) -> String {
        match self {
            Self::Date(values) => values.get(row).map_or_else(String::new, |day| date(*day)),
            Self::Count(values) => values.get(row).map_or_else(String::new, u64::to_string),
            Self::Real(values) => {
                let value = values.get(row).filter(|value| !value.is_nan());
                value.map_or_else(String::new, f64::to_string)
            }
            Self::Text(values) => values.get(row).map_or_else(String::new, |text| quoted(text)),
        }
    }

    fn array(&self) -> ArrayRef {
        match self {
            Self::Date(values) => Arc::new(Date32Array::from(values.clone())),
            Self::Count(values) => Arc::new(UInt64Array::from(values.clone())),
            Self::Real(values) => {
                let values = values.iter().map(|value| Some(*value).filter(|v| !v.is_nan()));
                Arc::new(values.collect::<Float64Array>())
            }
            Self::Text(values) => Arc::new(values.iter().map(Some).collect::<StringArray>()),
        }
    }

    fn extend(&mut self, more: Self) {
        match (self, more) {
            (Self::Date(values), Self::Date(more)) => values.extend(more),
            (Self::Count(values), Self::Count(more)) => values.extend(more),
            (Self::Real(values), Self::Real(more)) => values.extend(more),
            (Self::Text(values), Self::Text(more)) => values.extend(more),
            _ => {}
        }
    }
}

impl Frame {
    /// How many rows there are.
    #[must_use]
    pub fn rows(&self) -> usize {
        self.columns.first().map_or(0, |column| column.values.len())
    }

    /// Puts the rows of a frame with the same columns below.
    pub fn append(&mut self, more: Self) {
        if self.columns.is_empty() {
            *self = more;
            return;
        }
        for (column, more) in self.columns.iter_mut().zip(more.columns) {
            column.values.extend(more.values);
        }
    }

    /// Comma-separated values with a header.
    #[must_use]
    pub fn to_csv(&self) -> String {
        let names: Vec<_> = self.columns.iter().map(|column| column.name.as_str()).collect();
        let mut csv = names.join(",");
        csv.push('\n');
        for row in 0..self.rows() {
            let cells: Vec<_> = self.columns.iter().map(|column| column.values.text(row)).collect();
            let _ = writeln!(csv, "{}", cells.join(","));
        }
        csv
    }

    /// A Parquet file.
    ///
    /// # Errors
    /// [`ColumnError`], if the columns differ in length.
    pub fn to_parquet(&self) -> Result<Vec<u8>, ColumnError> {
        let arrays = self.columns.iter().map(|column| {
            (column.name.as_str(), column.values.array(), matches!(column.values, Values::Real(_)))
        });
        let batch = RecordBatch::try_from_iter_with_nullable(arrays)?;
        let mut file = Vec::new();
        let mut writer = ArrowWriter::try_new(&mut file, batch.schema(), None)?;
        writer.write(&batch)?;
        writer.close()?;
        Ok(file)
    }
}

fn date(days: i32) -> String {
    let epoch = jiff::civil::date(1970, 1, 1);
    let date = epoch.checked_add(jiff::Span::new().days(days));
    date.map_or_else(|_| String::new(), |date| date.to_string())
}

fn quoted(text: &str) -> String {
    if text.contains([',', '"', '\n']) {
        format!("\"{}\"", text.replace('"', "\"\""))
    } else {
        text.to_owned()
    }
}
