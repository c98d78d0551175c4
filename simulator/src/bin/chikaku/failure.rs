//! How a command fails, and the exit code that says so.

use core::fmt;
use std::path::Path;
use std::process::ExitCode;
use std::{fs, io};

/// Why a command did not do what it was asked.
#[derive(Debug)]
pub(crate) enum Failure {
    /// A file could not be read or written.
    File(anyhow::Error),
    /// An input was read and refused.
    Refused(anyhow::Error),
}

impl Failure {
    pub(crate) fn refused(error: impl Into<anyhow::Error>) -> Self {
        Self::Refused(error.into())
    }

    /// The same failure, of the file at `path`; a failure that names it already stays as it is.
    pub(crate) fn about(self, path: &Path) -> Self {
        match self {
            Self::Refused(error) => Self::Refused(error.context(path.display().to_string())),
            named @ Self::File(_) => named,
        }
    }

    pub(crate) fn exit_code(&self) -> ExitCode {
        match self {
            Self::File(_) => ExitCode::from(1),
            Self::Refused(_) => ExitCode::from(3),
        }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (Self::File(error) | Self::Refused(error)) = self;
        write!(f, "{error:#}")
    }
}

pub(crate) fn read(path: &Path) -> Result<Vec<u8>, Failure> {
    fs::read(path).map_err(|error| at(path, error))
}

pub(crate) fn read_text(path: &Path) -> Result<String, Failure> {
    fs::read_to_string(path).map_err(|error| at(path, error))
}

pub(crate) fn write(path: &Path, bytes: &[u8]) -> Result<(), Failure> {
    fs::write(path, bytes).map_err(|error| at(path, error))
}

pub(crate) fn at(path: &Path, error: io::Error) -> Failure {
    Failure::File(anyhow::Error::new(error).context(path.display().to_string()))
}
