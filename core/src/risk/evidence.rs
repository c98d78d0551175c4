//! What one matched key contributed: the input of every profile.

use crate::diagnosis_key::DiagnosisKey;
use crate::exposure::{ExposureWindow, MeasuredSighting};

/// One matched key with everything that was heard of it.
///
/// Two keys whose windows look alike are two pieces of evidence; nothing is compared by value.
#[derive(Clone, Copy, Debug)]
pub struct KeyEvidence<'a> {
    /// The key as it prevails after revisions. Each of its details may be missing, and missing is
    /// never zero: a profile documents what it takes instead.
    pub key: &'a DiagnosisKey,
    /// Its windows on any days, in any order, built with the report type and infectiousness of
    /// the profile's mapping ([`super::RiskProfile::window_origin`]). Read by `gaen`, `cocoa-v2`,
    /// `cwa`, `monotone` and `proximity`.
    pub windows: &'a [ExposureWindow],
    /// Its sightings on any days, in any order. Read by `google-v1`,
    /// `apple-v1` and `proximity`.
    pub sightings: &'a [MeasuredSighting],
}
