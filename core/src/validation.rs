//! No configuration comes into force under which nobody is notified.
//!
//! COCOA's Android app notified nobody for four months. The server wrote a transmission risk of 0,
//! Google's formula multiplies with 1 there, so no contact scored more than 8, and the app asked
//! for 21. Every test was green: each tested its own half, and none looked at a configuration.
//!
//! [`validate`] looks at one, in three ways, and returns the profile only as [`Validated`]:
//!
//! * **[`reach`]**: bounds on what days can score, from the terms the profile itself reports. If
//!   they do not reach what is demanded, that is a [`SilenceProof`];
//! * **[`canary`]**: contacts that must be High, and some that must not, go the way of a real one.
//!   The shortest of the first kind is the [witness](Validated::witness): it was tried, never only
//!   calculated;
//! * **[`monotony`]**: whether a closer or longer contact can score less, with a proof or a
//!   [`Counterexample`]. It is a reason for rejection where the rule set does not say that it may
//!   ([`claims_monotony`]), else a warning.
//!
//! What this is held against is [`Requirements`]. Under its default, with the profiles' own
//! defaults:
//!
//! | profile | verdict | shortest contact at one metre | order |
//! |---|---|---|---|
//! | `gaen` | accepted | 15 min | proved |
//! | `cocoa-v2` | accepted | 15 min | closer can score less (weight 1 up to 46 dB, 2.5 above) |
//! | `google-v1` | **rejected**: 8 of 21 points without a transmission risk level | | |
//! | `apple-v1` | **rejected**: 0 of 21 points without a transmission risk level | | |
//! | `cwa` | accepted | 7 min | closer can score less (0.8 below 63 dB, 1 above) |
//! | `monotone` | accepted | 12 min | proved |
//! | `proximity` | accepted | 9 min | proved |
//!
//! With a server that [assures](Requirements::assured) a transmission risk level of 4, as COCOA's
//! did once the fault was found, `google-v1` and `apple-v1` are accepted, from 18 and 16 minutes
//! on; a longer contact can score less in both.
//!
//! [`document`] reads what app teams write, [`offer`] reads and validates it. What is refused leaves
//! the configuration in force as it is ([`Input::Configure`](crate::engine::Input::Configure)).

pub mod canary;
pub mod contact;
pub mod document;
pub mod monotony;
mod offer;
mod places;
pub mod reach;
mod report;
pub mod requirements;
mod terms;

use core::fmt;

use serde::Serialize;

use crate::risk::RiskProfile;

pub use canary::Canary;
pub use contact::{Contact, Outcome};
pub use monotony::{Counterexample, Monotony};
pub use offer::{Refused, offer};
pub use reach::{Reach, SilenceProof};
pub use report::{Reason, Report, Warning};
pub use requirements::{MonotonyRequirement, Requirements, claims_monotony};

/// A profile that was validated, and what was found out about it. There is no other way to one
/// than [`validate`].
#[derive(Clone, Debug, PartialEq)]
pub struct Validated {
    profile: RiskProfile,
    requirements: Requirements,
    witness: Outcome,
    report: Report,
}

/// Why a configuration is not accepted, and all that was found out about it.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ConfigurationRejected {
    /// The reasons; at least one.
    pub reasons: Vec<Reason>,
    /// What was found out.
    pub report: Box<Report>,
}

impl fmt::Display for ConfigurationRejected {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, reason) in self.reasons.iter().enumerate() {
            let and = if index == 0 { "" } else { "; " };
            write!(f, "{and}{reason}")?;
        }
        Ok(())
    }
}

impl core::error::Error for ConfigurationRejected {}

/// Validates `profile`.
///
/// # Errors
/// The reasons why it must not come into force, with proofs and counterexamples.
pub fn validate(
    profile: RiskProfile,
    requirements: &Requirements,
) -> Result<Validated, ConfigurationRejected> {
    let report = Report::on(&profile, requirements);
    let reasons = report.reasons(requirements.monotony_is_required(&profile));
    match &report.witness {
        // The canary of one metre holds, so there is a witness.
        Some(witness) if reasons.is_empty() => {
            let witness = witness.clone();
            Ok(Validated { profile, requirements: *requirements, witness, report })
        }
        _ => Err(ConfigurationRejected { reasons, report: Box::new(report) }),
    }
}

impl Validated {
    /// The profile.
    #[must_use]
    pub const fn profile(&self) -> &RiskProfile {
        &self.profile
    }

    /// What it was held against.
    #[must_use]
    pub const fn requirements(&self) -> &Requirements {
        &self.requirements
    }

    /// A contact that is High: the shortest one at one metre, in whole minutes, of a key that says
    /// no more than the server assures.
    #[must_use]
    pub const fn witness(&self) -> &Outcome {
        &self.witness
    }

    /// What was found out.
    #[must_use]
    pub const fn report(&self) -> &Report {
        &self.report
    }

    /// What is accepted and worth knowing.
    #[must_use]
    pub fn warnings(&self) -> Vec<Warning> {
        self.report.warnings(self.requirements.monotony_is_required(&self.profile))
    }
}
