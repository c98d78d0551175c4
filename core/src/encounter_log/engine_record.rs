//! What the engine must know again when the process comes back.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use crate::budget::RateBudget;
use crate::clock::ClockWatch;
use crate::clock::signed_intervals::SignedIntervals;
use crate::flood::FloodGuard;
use crate::risk::RiskProfile;
use crate::status::KeyFileFacts;
use crate::status::assessed::DailyRecord;
use crate::status::coverage::Coverage;
use crate::time::{Timestamp, UtcDay};

/// A configuration that was accepted.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct AcceptedConfiguration {
    /// The profile.
    pub profile: RiskProfile,
    /// The app team's name for it.
    pub version: Option<String>,
}

/// Kept with every commit, whole. It holds no key and no identifier.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct EngineRecord {
    /// The user has switched tracing on.
    pub switched_on: bool,
    /// How far the wall clock is to be believed.
    pub clock: ClockWatch,
    /// Which intervals this phone has broadcast in.
    pub signed: SignedIntervals,
    /// How much was scanned.
    pub coverage: Coverage,
    /// The running day's record.
    pub daily: DailyRecord,
    /// What of a scan is kept.
    pub flood: FloodGuard,
    /// What is left of the day's matchings.
    pub budget: RateBudget,
    /// The last run of key files.
    pub key_files: KeyFileFacts,
    /// When the last scan ended.
    pub last_scan: Option<Timestamp>,
    /// The configuration that was accepted last; `None` while the app's own is in force.
    pub accepted: Option<AcceptedConfiguration>,
    /// The configuration that was offered last was refused.
    pub configuration_rejected: bool,
    /// Days that the user wants forgotten; nothing of them is kept again.
    pub forgotten_days: BTreeSet<UtcDay>,
}
