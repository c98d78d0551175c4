//! All of a log, to be carried to another phone.

use std::collections::{BTreeMap, BTreeSet};

use super::{AcceptedConfiguration, AuditEntry, Cursor, DayRecord, Exposure, LiveKey};
use crate::keys::TemporaryExposureKey;
use crate::sighting::Sighting;
use crate::status::assessed::Assessed;
use crate::time::{IntervalNumber, UtcDay};

/// What one phone hands to its successor. Every time in it is corrected as far as it could be: the
/// other phone's clocks know nothing of this one's.
///
/// It holds secrets; seal it ([`crate::transfer`]) before it leaves the phone.
#[derive(Clone, Debug, Default)]
pub struct LogContents {
    /// Own keys of the retention period.
    pub own_keys: Vec<TemporaryExposureKey>,
    /// Until when own keys have been published.
    pub disclosed_until: Option<IntervalNumber>,
    /// Sightings, without the stamps of this phone.
    pub sightings: Vec<Sighting>,
    /// Exposures.
    pub exposures: Vec<Exposure>,
    /// Keys that are still live.
    pub live_keys: Vec<LiveKey>,
    /// Conclusions.
    pub days: Vec<DayRecord>,
    /// What happened on each day.
    pub assessed: Vec<Assessed>,
    /// The audit trail.
    pub audit: Vec<AuditEntry>,
    /// Cursors of the sources that the host names.
    pub cursors: Vec<Cursor>,
    /// Days that the user wants forgotten.
    pub forgotten_days: BTreeSet<UtcDay>,
    /// The configuration that was accepted last.
    pub accepted: Option<AcceptedConfiguration>,
    /// Sightings that were left behind, because the clock was suspect when they were made.
    pub left_behind: u64,
}

impl LogContents {
    /// How much there is of each kind, for a progress message.
    #[must_use]
    pub fn counts(&self) -> BTreeMap<&'static str, u64> {
        let counts = [
            ("own_keys", self.own_keys.len()),
            ("sightings", self.sightings.len()),
            ("exposures", self.exposures.len()),
            ("live_keys", self.live_keys.len()),
            ("days", self.days.len()),
            ("assessed", self.assessed.len()),
            ("audit", self.audit.len()),
        ];
        counts.map(|(kind, count)| (kind, count as u64)).into()
    }
}
