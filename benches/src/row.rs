//! One measured figure with everything it belongs to.

use serde::Serialize;

/// A row of the result. What does not apply is missing.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Row {
    /// What was measured.
    pub bench: &'static str,
    /// By whom.
    pub implementation: &'static str,
    /// On which instructions, for ours.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub kernel: Option<&'static str>,
    /// Sightings of strangers in the log.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sightings: Option<usize>,
    /// Shape of the log.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub log: Option<&'static str>,
    /// Whether keys start with the day or anywhere.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub starts: Option<&'static str>,
    /// Part of the work.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stage: Option<&'static str>,
    /// Keys per second of CPU time of one thread.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub keys_per_s: Option<f64>,
    /// Nanoseconds of CPU time for each key.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ns_per_key: Option<f64>,
    /// Cycles for each key, at the clock measured at the same time.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cycles_per_key: Option<f64>,
    /// How much faster than the published design of GAEN with the same log in the same run.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub times_published: Option<f64>,
    /// Of the measured bound of the instructions.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fraction_of_bound: Option<f64>,
    /// Bytes that matching held beside the index of the log.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub memory_bytes: Option<usize>,
    /// Bytes of the index of the log.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub index_bytes: Option<usize>,
    /// Other figures: per second of CPU time.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub per_s: Option<f64>,
    /// Seconds of CPU time for the whole.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub seconds: Option<f64>,
}

impl Row {
    /// A row for `ns` nanoseconds of CPU time for each key.
    #[must_use]
    pub fn keys(bench: &'static str, implementation: &'static str, ns: f64) -> Self {
        let (ns_per_key, keys_per_s) = (Some(ns), Some(1e9 / ns));
        Self { bench, implementation, ns_per_key, keys_per_s, ..Self::default() }
    }
}
