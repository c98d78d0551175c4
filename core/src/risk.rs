//! From what was heard of published keys to a decision about a day.
//!
//! [`RiskProfile::assess_day`] is the one entry point: [`KeyEvidence`] in, [`Assessment`] with
//! every term of its calculation out. Each profile is a file of its own: [`gaen`], [`cocoa_v2`],
//! [`google_v1`], [`apple_v1`], [`cwa`], [`monotone`], [`proximity`]. They share [`mapping`] (what a key's details
//! mean) and [`daily_summary`] (GAEN's score of a day); [`cocoa`] holds COCOA's five conditions,
//! [`check`] what makes a configuration readable. Whether anybody would be notified
//! under it, [`crate::validation`] finds out.

pub mod apple_v1;
pub mod assessment;
pub mod check;
pub mod cocoa;
pub mod cocoa_as_shipped;
pub mod cocoa_configuration;
pub mod cocoa_v2;
pub mod cwa;
pub mod daily_summary;
mod day;
pub mod evidence;
pub mod gaen;
pub mod google_v1;
mod legacy;
pub mod mapping;
pub mod monotone;
pub mod profile;
pub mod proximity;
pub mod report_history;

use serde::{Deserialize, Serialize};

pub use assessment::Assessment;
pub use check::ConfigurationError;
pub use evidence::KeyEvidence;
pub use profile::{ProfileName, ProfileRules, RiskProfile};

/// How infectious the sender was on the key's day (the values are GAEN's).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Infectiousness {
    /// Not infectious: the window is dropped.
    None,
    /// Infectious.
    Standard,
    /// Very infectious.
    High,
}

/// What the user is told about a day.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum RiskLevel {
    /// There were contacts, below the threshold.
    Low,
    /// The user is notified.
    High,
}
