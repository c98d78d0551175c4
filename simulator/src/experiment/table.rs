//! A table of results: named columns of one length.

/// A named table; the name is that of its file.
#[derive(Clone, Debug, PartialEq)]
pub struct Table {
    /// In snake case, for example `e2_grid`.
    pub name: String,
    /// The columns, all of one length.
    pub columns: Vec<Column>,
}

/// A named column.
#[derive(Clone, Debug, PartialEq)]
pub struct Column {
    /// In snake case, with the unit.
    pub name: String,
    /// Its values, by row.
    pub values: Values,
}

/// The values of a column.
#[derive(Clone, Debug, PartialEq)]
pub enum Values {
    /// Counts, seconds.
    Integers(Vec<i64>),
    /// Measured numbers; `None` is missing.
    Numbers(Vec<Option<f64>>),
    /// Names.
    Words(Vec<String>),
}

/// One value of a row that is being added.
#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    /// A count, or seconds.
    Integer(i64),
    /// A measured number; `None` is missing.
    Number(Option<f64>),
    /// A name.
    Word(String),
}

impl From<i64> for Value {
    fn from(value: i64) -> Self {
        Self::Integer(value)
    }
}

impl From<usize> for Value {
    fn from(value: usize) -> Self {
        Self::Integer(i64::try_from(value).unwrap_or(i64::MAX))
    }
}

impl From<u64> for Value {
    fn from(value: u64) -> Self {
        Self::Integer(i64::try_from(value).unwrap_or(i64::MAX))
    }
}

impl From<u32> for Value {
    fn from(value: u32) -> Self {
        Self::Integer(i64::from(value))
    }
}

impl From<f64> for Value {
    fn from(value: f64) -> Self {
        Self::Number(Some(value))
    }
}

impl From<Option<f64>> for Value {
    fn from(value: Option<f64>) -> Self {
        Self::Number(value)
    }
}

impl From<&str> for Value {
    fn from(value: &str) -> Self {
        Self::Word(value.to_owned())
    }
}

impl From<String> for Value {
    fn from(value: String) -> Self {
        Self::Word(value)
    }
}

impl Table {
    /// The table of these rows. The kind of a column is that of its first value; a value of
    /// another kind counts as missing, as 0, or as no word.
    #[must_use]
    pub fn of_rows<const N: usize>(
        name: &str,
        columns: [&str; N],
        rows: impl IntoIterator<Item = [Value; N]>,
    ) -> Self {
        let mut by_column: [Vec<Value>; N] = core::array::from_fn(|_| Vec::new());
        for row in rows {
            for (column, value) in by_column.iter_mut().zip(row) {
                column.push(value);
            }
        }
        let columns = columns
            .into_iter()
            .zip(by_column)
            .map(|(name, values)| Column { name: name.to_owned(), values: Values::of(values) });
        Self { name: name.to_owned(), columns: columns.collect() }
    }

    /// How many rows there are.
    #[must_use]
    pub fn rows(&self) -> usize {
        self.columns.first().map_or(0, |column| column.values.len())
    }

    /// The column of this name as numbers; empty if there is none or it has words.
    #[must_use]
    pub fn numbers(&self, name: &str) -> Vec<Option<f64>> {
        match self.column(name) {
            #[expect(clippy::cast_precision_loss, reason = "counts far below 2^53")]
            Some(Values::Integers(values)) => {
                values.iter().map(|value| Some(*value as f64)).collect()
            }
            Some(Values::Numbers(values)) => values.clone(),
            _ => Vec::new(),
        }
    }

    /// The column of this name as words; empty if there is none or it has numbers.
    #[must_use]
    pub fn words(&self, name: &str) -> Vec<&str> {
        match self.column(name) {
            Some(Values::Words(values)) => values.iter().map(String::as_str).collect(),
            _ => Vec::new(),
        }
    }

    fn column(&self, name: &str) -> Option<&Values> {
        self.columns.iter().find(|column| column.name == name).map(|column| &column.values)
    }
}

impl Values {
    fn of(values: Vec<Value>) -> Self {
        match values.first() {
            Some(Value::Integer(_)) => Self::Integers(
                values
                    .into_iter()
                    .map(|value| if let Value::Integer(number) = value { number } else { 0 })
                    .collect(),
            ),
            Some(Value::Word(_)) => Self::Words(
                values
                    .into_iter()
                    .map(|value| if let Value::Word(word) = value { word } else { String::new() })
                    .collect(),
            ),
            _ => Self::Numbers(
                values
                    .into_iter()
                    .map(|value| if let Value::Number(number) = value { number } else { None })
                    .collect(),
            ),
        }
    }

    fn len(&self) -> usize {
        match self {
            Self::Integers(values) => values.len(),
            Self::Numbers(values) => values.len(),
            Self::Words(values) => values.len(),
        }
    }

    /// The value of a row in words, for a table; empty if there is none.
    #[must_use]
    pub fn cell(&self, row: usize) -> String {
        let cell = match self {
            Self::Integers(values) => values.get(row).map(i64::to_string),
            Self::Numbers(values) => {
                values.get(row).copied().flatten().map(|number| format!("{number:.3}"))
            }
            Self::Words(values) => values.get(row).cloned(),
        };
        cell.unwrap_or_default()
    }
}
