//! What the engine tells its host to do, and what became of what it was told.

use super::key_file::KeyFileReport;
use super::plan::{AdvertisePlan, ScanPlan};
use super::scan::ScanReport;
use crate::diagnosis_key::DiagnosisKey;
use crate::export::ExportError;
use crate::risk::cocoa::DayAssessment;
use crate::time::Timestamp;

/// What the host has to do.
#[derive(Debug)]
#[non_exhaustive]
pub enum Output {
    /// Advertise this, and nothing else, from now on.
    Advertise(AdvertisePlan),
    /// Advertise nothing.
    StopAdvertising,
    /// Nothing can be advertised: the clock was set back into the validity of a key that has been
    /// published since, and whose identifiers anybody can make. Others do not hear this phone.
    AdvertisingSuspended {
        /// When that key's validity is over.
        until: Timestamp,
    },
    /// Scan now, and report with [`Input::ScanFinished`](super::Input::ScanFinished).
    Scan(ScanPlan),
    /// What became of a scan.
    ScanIngested(ScanReport),
    /// What became of a key file. A refused file changed nothing; the next one is unaffected.
    KeyFileIngested(Result<KeyFileReport, ExportError>),
    /// The keys to publish, none of them able to make another identifier.
    Disclosed(Vec<DiagnosisKey>),
    /// A day's conclusion is new or has changed.
    DayAssessed(DayAssessment),
    /// Tell the user about this day, then answer [`Input::Announced`](super::Input::Announced).
    Announce(DayAssessment),
}
