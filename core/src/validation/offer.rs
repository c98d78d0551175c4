//! From a document to a configuration that may come into force.

use serde::{Serialize, Serializer};
use thiserror::Error;

use super::document::{self, DocumentError};
use super::requirements::Requirements;
use super::{ConfigurationRejected, Validated, validate};

/// Why a configuration that was offered does not come into force.
#[derive(Clone, Debug, PartialEq, Serialize, Error)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Refused {
    /// The document could not be read; the sentence says where and why.
    #[error("the configuration cannot be read: {0}")]
    Unreadable(#[serde(serialize_with = "sentence")] DocumentError),
    /// It was read and not accepted.
    #[error("the configuration is not accepted: {0}")]
    Rejected(ConfigurationRejected),
}

fn sentence<S: Serializer>(error: &DocumentError, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(error)
}

/// Reads the one profile that `json` describes and validates it.
///
/// # Errors
/// What is wrong with the document, or the reasons why it must not come into force.
pub fn offer(json: &str, requirements: &Requirements) -> Result<Validated, Refused> {
    let profile = document::read_profile(json).map_err(Refused::Unreadable)?;
    validate(profile, requirements).map_err(Refused::Rejected)
}
