//! JSON documents that say which version of their format they are.
//!
//! The version is read before anything else, so that a document of a later version is refused for
//! what it is and not for the first field nobody knows.

use serde::Deserialize;
use serde::de::DeserializeOwned;
use thiserror::Error;

/// A document that cannot be read.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum DocumentError {
    /// Not JSON, or not of the document's shape: a field too many, too few or of another type.
    #[error("not such a document: {0}")]
    Shape(#[from] serde_json::Error),
    /// A version of the format that this library does not read.
    #[error("format version {found} is not {expected}")]
    FormatVersion {
        /// The version that is read.
        expected: u32,
        /// What the document says.
        found: u32,
    },
}

/// Of any document, the one field that says how to read the others.
#[derive(Deserialize)]
struct Versioned {
    format_version: u32,
}

/// The document of version `expected` in `json`.
pub(crate) fn read<T: DeserializeOwned>(json: &str, expected: u32) -> Result<T, DocumentError> {
    let Versioned { format_version: found } = serde_json::from_str(json)?;
    if found == expected {
        Ok(serde_json::from_str(json)?)
    } else {
        Err(DocumentError::FormatVersion { expected, found })
    }
}
