#![doc = include_str!("../README.md")]

mod action;
mod assessment;
mod client;
mod clock;
mod configuration;
mod diary;
mod error;
mod explanation;
mod exposure;
mod gatt;
mod guidance;
mod key_file;
mod keys;
mod log;
mod number;
mod publishing;
mod scan;
#[cfg(feature = "simulation")]
mod simulation;
mod status;
mod status_facts;
mod venue;

pub use action::{Action, AdvertisePlan, DayRecord};
pub use assessment::{
    Assessment, AttenuationBucket, Contribution, DailySummary, DecisionCondition, RiskLevel,
    ScoreFactor, SummaryData,
};
pub use client::{ExposureNotificationClient, processing_number_of_link};
pub use clock::{Boot, ClockReading};
pub use configuration::{ClientConfiguration, RiskConfiguration, TrustedKey};
pub use diary::{
    AdmissionFacts, DiaryBasis, DiaryEntry, DiaryEscalation, DiaryExport, DiaryOutcome, DiaryPlace,
    DiaryResult, DiarySlot, DiaryStart, DiaryState, EscalationGround, EscalationLevel,
    PatientCondition, PneumoniaExtent,
};
pub use error::ExposureNotificationError;
pub use explanation::{DayShare, DroppedSightings, ExposureExplanation, Silence};
pub use exposure::{CalibrationConfidence, ExposureWindow, Infectiousness, ScanInstance};
pub use gatt::{GattDecision, GattReadPlanner};
pub use guidance::{ContactAdvice, Guidance, GuidancePhase, Symptoms};
pub use key_file::{KeyFile, KeyFileOutcome, KeyFilesResult};
pub use keys::{DiagnosisKey, Disclosure, InfectiousnessOnDay, KeysDataMapping, ReportType};
pub use log::{
    LogLocation, LogMaintenance, OpenedLog, ScanSpool, TakenFromSpool, delete_log,
    install_marker_at,
};
pub use publishing::{
    HttpHeader, Publication, PublicationConsent, PublicationDate, PublicationOutcome, UploadAnswer,
    UploadCall, UploadOutcome, UploadProgress, UploadServer, UploadStatus, UploadStep,
};
pub use scan::{HeardAdvertisement, Scan, ScanOutcome};
#[cfg(feature = "simulation")]
pub use simulation::SimulatedKeyServer;
pub use status::{ReasonDetail, Status, StatusReason};
pub use status_facts::{FixableBy, HostFact, HostFacts, LocationFact, TracingState};
pub use venue::{
    DayEvidence, ScannedCode, VenueCode, VenueContact, VenueWarningsOutcome, VenueWarningsResult,
    Visit, VisitOutcome, VisitResult,
};

uniffi::setup_scaffolding!();

/// Version of the library.
#[uniffi::export]
#[must_use]
pub fn chikaku_version() -> String {
    env!("CARGO_PKG_VERSION").to_owned()
}
