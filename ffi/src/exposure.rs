//! Exposure windows, as GAEN's frameworks hand them to apps.

use chikaku_core::encounter_log::Exposure;
use chikaku_core::{exposure as core_exposure, metadata, risk};

use crate::ReportType;
use crate::number::{self, to_i32};

/// How infectious the sender was on the key's day.
#[derive(Clone, Copy, Debug, PartialEq, Eq, uniffi::Enum)]
pub enum Infectiousness {
    /// Not infectious: does not count.
    None,
    /// Infectious.
    Standard,
    /// Very infectious.
    High,
}

impl From<risk::Infectiousness> for Infectiousness {
    fn from(infectiousness: risk::Infectiousness) -> Self {
        match infectiousness {
            risk::Infectiousness::None => Self::None,
            risk::Infectiousness::Standard => Self::Standard,
            risk::Infectiousness::High => Self::High,
        }
    }
}

impl From<Infectiousness> for risk::Infectiousness {
    fn from(infectiousness: Infectiousness) -> Self {
        match infectiousness {
            Infectiousness::None => Self::None,
            Infectiousness::Standard => Self::Standard,
            Infectiousness::High => Self::High,
        }
    }
}

/// How well a model is calibrated.
#[derive(Clone, Copy, Debug, PartialEq, Eq, uniffi::Enum)]
pub enum CalibrationConfidence {
    /// No calibration data.
    Lowest,
    /// Average over models of the manufacturer.
    Low,
    /// Average over devices of the model.
    Medium,
    /// Measured for this model.
    High,
}

impl From<CalibrationConfidence> for metadata::CalibrationConfidence {
    fn from(confidence: CalibrationConfidence) -> Self {
        match confidence {
            CalibrationConfidence::Lowest => Self::Lowest,
            CalibrationConfidence::Low => Self::Low,
            CalibrationConfidence::Medium => Self::Medium,
            CalibrationConfidence::High => Self::High,
        }
    }
}

impl From<metadata::CalibrationConfidence> for CalibrationConfidence {
    fn from(confidence: metadata::CalibrationConfidence) -> Self {
        match confidence {
            metadata::CalibrationConfidence::Lowest => Self::Lowest,
            metadata::CalibrationConfidence::Low => Self::Low,
            metadata::CalibrationConfidence::Medium => Self::Medium,
            metadata::CalibrationConfidence::High => Self::High,
        }
    }
}

/// Up to half an hour near one key.
#[derive(Clone, Debug, PartialEq, Eq, uniffi::Record)]
pub struct ExposureWindow {
    /// Opaque identity, hexadecimal.
    pub id: String,
    /// SHA-256 of the key it belongs to, hexadecimal: names the key without being it.
    pub key_sha256: String,
    /// UTC day of the first sighting, days since 1970-01-01.
    pub day: i32,
    /// When the first sighting was heard, seconds since 1970 UTC. For the user's own eyes.
    pub first_heard_at: i64,
    /// The scans that heard the key, by time; never empty.
    pub scan_instances: Vec<ScanInstance>,
    /// Ground of the key's publication, after mapping.
    pub report_type: Option<ReportType>,
    /// The sender's infectiousness on the key's day, after mapping.
    pub infectiousness: Infectiousness,
    /// Calibration confidence of the sender, if its metadata carries one.
    pub calibration_confidence: Option<CalibrationConfidence>,
}

/// What one scan heard of one key.
#[derive(Clone, Debug, PartialEq, Eq, uniffi::Record)]
pub struct ScanInstance {
    /// Least attenuation in dB.
    pub min_attenuation_db: i32,
    /// Mean attenuation in dB.
    pub typical_attenuation_db: i32,
    /// Seconds that the instance stands for.
    pub seconds_since_last_scan: i32,
}

/// The windows of one exposure.
pub(crate) fn windows(exposure: &Exposure) -> impl Iterator<Item = ExposureWindow> {
    let key_sha256 = hex::encode(exposure.key_hash().as_bytes());
    exposure.windows.iter().map(move |window| ExposureWindow {
        id: window.id.to_string(),
        key_sha256: key_sha256.clone(),
        day: number::day(window.day()),
        first_heard_at: number::seconds(window.first_heard_at),
        scan_instances: window.scan_instances.iter().map(ScanInstance::from).collect(),
        report_type: ReportType::of(window.report_type),
        infectiousness: window.infectiousness.into(),
        calibration_confidence: window.calibration_confidence.map(Into::into),
    })
}

impl From<&core_exposure::ScanInstance> for ScanInstance {
    fn from(scan: &core_exposure::ScanInstance) -> Self {
        Self {
            min_attenuation_db: i32::from(scan.minimum_attenuation.db()),
            typical_attenuation_db: i32::from(scan.typical_attenuation.db()),
            seconds_since_last_scan: to_i32(scan.seconds_since_last_scan),
        }
    }
}
