//! What an arm of an experiment does differently, and the axes of a sweep.

use serde::{Deserialize, Serialize};

use super::Scenario;
#[cfg(doc)]
use super::{App, Incident, Testing};

/// What an arm does differently.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Arm {
    /// Name in reports.
    pub name: String,
    /// Replaces [`App::adoption`].
    pub adoption: Option<f64>,
    /// Replaces [`App::carry`].
    pub carry: Option<f64>,
    /// Replaces [`App::report`].
    pub report: Option<f64>,
    /// Replaces [`App::number_to_entry_hours`].
    pub delay_hours: Option<u32>,
    /// Replaces [`App::compliance`].
    pub compliance: Option<f64>,
    /// Replaces [`Testing::test_to_result_days`].
    pub test_to_result_days: Option<u16>,
    /// Replaces [`App::detection`].
    pub detection: Option<f64>,
    /// Replaces [`Incident::receiving_share`].
    pub receiving_share: Option<f64>,
}

/// Values of each axis; a sweep runs every combination with every seed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Sweep {
    /// Of [`App::adoption`].
    pub adoption: Vec<f64>,
    /// Of [`App::carry`].
    pub carry: Vec<f64>,
    /// Of [`App::report`].
    pub report: Vec<f64>,
    /// Of [`App::number_to_entry_hours`].
    pub delay_hours: Vec<u32>,
    /// Of [`App::compliance`].
    pub compliance: Vec<f64>,
    /// Seeds.
    pub seeds: Vec<u64>,
}

impl Scenario {
    /// The same with what `arm` changes.
    #[must_use]
    pub fn with(&self, arm: &Arm) -> Self {
        let mut changed = self.clone();
        let app = &mut changed.app;
        app.adoption = arm.adoption.unwrap_or(app.adoption);
        app.carry = arm.carry.unwrap_or(app.carry);
        app.report = arm.report.unwrap_or(app.report);
        app.number_to_entry_hours = arm.delay_hours.unwrap_or(app.number_to_entry_hours);
        app.compliance = arm.compliance.unwrap_or(app.compliance);
        app.detection = arm.detection.or(app.detection);
        let testing = &mut changed.testing;
        testing.test_to_result_days =
            arm.test_to_result_days.unwrap_or(testing.test_to_result_days);
        if let Some(share) = arm.receiving_share {
            changed.incident.receiving_share = share;
        }
        changed
    }
}
