//! What a scenario of the library must come to.

use std::collections::{BTreeMap, BTreeSet};

/// Codes of [`chikaku_core::status::Reason`].
pub(super) const REASON_CODES: [&str; 23] = [
    "switched_off",
    "unsupported",
    "bluetooth_off",
    "permission_missing",
    "location_off",
    "log_failed",
    "log_full",
    "advertising_refused",
    "advertising_unconfirmed",
    "scans_missing",
    "low_coverage",
    "clock_suspect",
    "clock_wrong",
    "no_trusted_key",
    "never_matched",
    "key_files_stale",
    "key_files_missing",
    "key_files_refused",
    "configuration_invalid",
    "configuration_rejected",
    "throttled",
    "notifications_off",
    "unreported",
];

/// What must come of a scenario. What is `None` may be anything.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Expectation {
    /// Who is told, and nobody else.
    pub notified: BTreeSet<usize>,
    /// Reasons that each phone's status must have given at some time.
    pub reasons: BTreeMap<usize, BTreeSet<&'static str>>,
    /// Reasons that no phone's status may give at the end.
    pub gone_at_the_end: BTreeSet<&'static str>,
    /// How often a file was refused.
    pub refused_files: Option<usize>,
    /// Users who had to be told and were not.
    pub missed: Option<usize>,
    /// Users who were told without a reason.
    pub falsely: Option<usize>,
    /// Users who were told more than a day after the publication.
    pub late: Option<usize>,
    /// Changes of identifier that a sniffer could follow by the address.
    pub linkable: Option<u64>,
    /// Sightings in the fullest log.
    pub most_sightings: Option<u64>,
}
