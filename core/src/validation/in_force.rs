//! A new configuration takes the place of the one in force, or it does not.

use core::fmt;

use serde::Serialize;
use thiserror::Error;

use super::requirements::Requirements;
use super::{ConfigurationRejected, Validated, validate};
use crate::risk::RiskProfile;

/// The configuration in force, and what became of the last one that was offered: what a status
/// shows.
#[derive(Clone, Debug)]
pub struct InForce {
    configuration: Validated,
    refused: Option<Refused>,
}

/// Why the last configuration that was offered is not in force.
#[derive(Clone, Debug, PartialEq, Serialize, Error)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Refused {
    /// The document could not be read; the sentence says where and why.
    #[error("the configuration cannot be read: {0}")]
    Unreadable(String),
    /// It was read and not accepted.
    #[error("the configuration is not accepted: {0}")]
    Rejected(ConfigurationRejected),
}

/// Offers `candidate` to take the place of what is in force: a profile, or its reader's error
/// ([`super::document::read_profile`]).
///
/// What is refused changes nothing but [`InForce::refused`]: the previous configuration stays in
/// force, and the host sets
/// [`EngineFacts::configuration_rejected`](crate::status::EngineFacts::configuration_rejected) to
/// [`InForce::is_rejected`], so that the status says so until a configuration is accepted.
#[must_use]
pub fn replace<E: fmt::Display>(
    current: InForce,
    candidate: Result<RiskProfile, E>,
    requirements: &Requirements,
) -> InForce {
    let refused = match candidate {
        Ok(candidate) => match validate(candidate, requirements) {
            Ok(configuration) => return InForce::new(configuration),
            Err(rejected) => Refused::Rejected(rejected),
        },
        Err(unreadable) => Refused::Unreadable(unreadable.to_string()),
    };
    InForce { refused: Some(refused), ..current }
}

impl InForce {
    /// Starts with `configuration`.
    #[must_use]
    pub const fn new(configuration: Validated) -> Self {
        Self { configuration, refused: None }
    }

    /// The configuration in force.
    #[must_use]
    pub const fn configuration(&self) -> &Validated {
        &self.configuration
    }

    /// Why the last offer was refused; `None` if it was accepted.
    #[must_use]
    pub const fn refused(&self) -> Option<&Refused> {
        self.refused.as_ref()
    }

    /// Whether the last offer was refused and an earlier configuration is in force.
    #[must_use]
    pub const fn is_rejected(&self) -> bool {
        self.refused.is_some()
    }
}
