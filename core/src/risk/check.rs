//! What may be wrong with a risk configuration, and the checks that find it.
//!
//! A configuration is checked once, when it is read or built. After that every assessment is
//! finite for every window: weights are bounded, seconds are integers, nothing divides by zero.

use thiserror::Error;

/// The greatest weight, factor or score of a table. Google allows 2.5, COCOA's Apple percentages
/// reach 250; the bound leaves room for both and keeps every product far from infinity.
pub const WEIGHT_LIMIT: f64 = 1000.0;

/// A configuration that is refused, with the place of the fault.
#[derive(Clone, Debug, PartialEq, Error)]
#[non_exhaustive]
pub enum ConfigurationError {
    /// A number is NaN or infinite.
    #[error("{at}: not a finite number")]
    NotFinite {
        /// Path of the field.
        at: String,
    },
    /// A number is outside its range.
    #[error("{at}: {value} is outside {least}..={greatest}")]
    OutOfRange {
        /// Path of the field.
        at: String,
        /// What stands there.
        value: f64,
        /// The least value allowed.
        least: f64,
        /// The greatest value allowed.
        greatest: f64,
    },
    /// A list has too few or too many entries.
    #[error("{at}: {found} entries instead of {expected}")]
    Length {
        /// Path of the field.
        at: String,
        /// How many entries there must be.
        expected: usize,
        /// How many there are.
        found: usize,
    },
    /// Thresholds do not ascend.
    #[error("{at}: entries do not ascend")]
    NotAscending {
        /// Path of the field.
        at: String,
    },
    /// A relation nobody knows. COCOA's app read it as one that never holds and fell silent.
    #[error("{at}: unknown relation")]
    UnknownRelation {
        /// Path of the field.
        at: String,
    },
    /// Conditions of which none asks for anything: such a rule can never be High.
    #[error("{at}: no condition asks for anything")]
    AsksNothing {
        /// Path of the field.
        at: String,
    },
    /// A document of a version this library does not read.
    #[error("format version {found} is not {expected}")]
    FormatVersion {
        /// The version that is read.
        expected: u32,
        /// What the document says.
        found: u32,
    },
    /// A hexadecimal table that is none.
    #[error("{at}: not sixteen hexadecimal digits")]
    Hexadecimal {
        /// Path of the field.
        at: String,
    },
    /// A two-bit code or a number that stands for nothing.
    #[error("{at}: {value} stands for nothing")]
    Meaningless {
        /// Path of the field.
        at: String,
        /// What stands there.
        value: i64,
    },
}

impl ConfigurationError {
    /// The same fault with the name of the object it was found in before its place.
    pub(in crate::risk) fn within(mut self, object: &str) -> Self {
        match &mut self {
            Self::NotFinite { at }
            | Self::OutOfRange { at, .. }
            | Self::Length { at, .. }
            | Self::NotAscending { at }
            | Self::UnknownRelation { at }
            | Self::AsksNothing { at }
            | Self::Hexadecimal { at }
            | Self::Meaningless { at, .. } => *at = format!("{object}: {at}"),
            Self::FormatVersion { .. } => {}
        }
        self
    }
}

/// `value` is finite and within `least..=greatest`.
pub(super) fn range(
    at: &str,
    value: f64,
    least: f64,
    greatest: f64,
) -> Result<(), ConfigurationError> {
    if !value.is_finite() {
        Err(ConfigurationError::NotFinite { at: at.to_owned() })
    } else if value < least || value > greatest {
        Err(ConfigurationError::OutOfRange { at: at.to_owned(), value, least, greatest })
    } else {
        Ok(())
    }
}

/// `value` is a weight: finite, not negative, at most [`WEIGHT_LIMIT`].
pub(super) fn weight(at: &str, value: f64) -> Result<(), ConfigurationError> {
    range(at, value, 0.0, WEIGHT_LIMIT)
}

/// Every entry is a weight.
pub(super) fn weights(at: &str, values: &[f64]) -> Result<(), ConfigurationError> {
    values.iter().enumerate().try_for_each(|(i, value)| weight(&format!("{at}[{i}]"), *value))
}

/// `value` is a threshold of a score: finite and not negative.
pub(super) fn score(at: &str, value: f64) -> Result<(), ConfigurationError> {
    range(at, value, 0.0, f64::MAX)
}

/// Every entry is at least the one before.
pub(in crate::risk) fn ascending<T: PartialOrd>(
    at: &str,
    values: &[T],
) -> Result<(), ConfigurationError> {
    if values.windows(2).all(|pair| pair[0] <= pair[1]) {
        Ok(())
    } else {
        Err(ConfigurationError::NotAscending { at: at.to_owned() })
    }
}
