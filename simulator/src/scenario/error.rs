//! Why a scenario cannot be run, and in which line the reason stands.

use core::fmt;
use core::ops::Range;

use thiserror::Error;

/// Why a scenario cannot be run.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum ScenarioError {
    /// Not TOML, an unknown field or word, or a wrong type; the message points at the line and
    /// names what is allowed.
    #[error(transparent)]
    Syntax(#[from] toml::de::Error),
    /// It can be read and makes no sense.
    #[error("line {line}: {problem}")]
    Senseless {
        /// Number of the line, from 1.
        line: usize,
        /// What makes no sense.
        problem: Problem,
    },
}

/// What makes no sense.
#[derive(Clone, Debug, PartialEq, Error)]
#[non_exhaustive]
pub enum Problem {
    /// A name that nothing has.
    #[error("there is no {what} {name:?}; allowed are {}", Listed(.allowed))]
    Unknown {
        /// What is named.
        what: &'static str,
        /// The name.
        name: String,
        /// Every name there is.
        allowed: Vec<String>,
    },
    /// Two phones of one name.
    #[error("two phones are named {0:?}")]
    DuplicatePhone(String),
    /// A date without a time or an offset, or one before 1970.
    #[error("{what}: {value} is not a time with an offset, such as 2026-04-06T12:00:00+09:00")]
    NotAnInstant {
        /// Where it stands.
        what: &'static str,
        /// What stands there.
        value: String,
    },
    /// Something that ends before it begins.
    #[error("{0} ends before it begins")]
    EndsBeforeItBegins(String),
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
    #[error("{0} lies outside the scenario's time")]
    OutsideScenario(String),
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
    /// Points in time that do not follow each other.
    #[error("{0} must be in the order of time")]
    NotInOrder(String),
    /// More than one way to say how people move.
    #[error("{0} has several of `walk`, `tracks` and `contacts`; one says how people move")]
    SeveralMotions(String),
    /// A field without which the rest says nothing.
    #[error("{what} needs `{field}`")]
    Missing {
        /// What needs it.
        what: String,
        /// The field.
        field: &'static str,
    },
    /// A library scenario that says neither what defends nor why nothing does.
    #[error("either `defences` or `undefended` must say what keeps this from doing harm")]
    NoDefenceNamed,
}

impl Problem {
    /// The error, of what stands at these bytes of the file.
    pub(super) fn at(self, lines: &Lines<'_>, span: &Range<usize>) -> ScenarioError {
        ScenarioError::Senseless { line: lines.number(span.start), problem: self }
    }
}

/// The text of a file, to tell the line of a place in it.
pub(super) struct Lines<'a>(pub(super) &'a str);

impl Lines<'_> {
    fn number(&self, byte: usize) -> usize {
        let before = self.0.as_bytes().get(..byte).unwrap_or(self.0.as_bytes());
        before.iter().filter(|byte| **byte == b'\n').count() + 1
    }
}

struct Listed<'a>(&'a [String]);

impl fmt::Display for Listed<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.join(", "))
    }
}
