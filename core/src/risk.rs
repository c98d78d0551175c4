//! From exposure windows to a decision: one file for each step and each rule.
//!
//! [`mapping`] gives a key's infectiousness and report type, [`daily_summary`] the score of a UTC
//! day, [`cocoa`] the decision whether the day is High.

pub mod cocoa;
pub mod daily_summary;
pub mod mapping;

use serde::{Deserialize, Serialize};

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
