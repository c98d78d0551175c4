//! From sightings of one key to exposure windows and scan instances.
//!
//! The rules are those of Google's implementation (exposure-notifications-internals,
//! `KeyExposureEvaluator`, `ExposureWindowUtils`, `SightingRecordWithMetadata`), held against what
//! it computed on real phones (DP-3T bt-measurements, experiment 34):
//!
//! * time is whole seconds; sightings come in time order;
//! * a sighting opens a new window when it lies 1800 s or more after the window's first sighting;
//! * it belongs to the running scan instance if it lies at most 25.5 s after the previous
//!   sighting and in the same window; otherwise it opens a new instance;
//! * `minAttenuationDb` is the least attenuation of the instance, `typicalAttenuationDb` the mean
//!   of the dB values, rounded half up;
//! * `secondsSinceLastScan` is 60 times the difference of whole-minute indices between the
//!   instance's first sighting and the end of the phone's previous scan, capped at 300; 120 if
//!   that end is not known. It can be 0, and a window's sum can exceed 1800.

use core::fmt;

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::diagnosis_key::{DiagnosisKeyHash, ReportType};
use crate::matching::KeyMatch;
use crate::metadata::{BluetoothMetadata, CalibrationConfidence, MetadataError};
use crate::risk::Infectiousness;
use crate::signal::{AttenuationDb, RssiCorrectionDb};
use crate::time::{Timestamp, UtcDay};

/// The constants of window building.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct WindowRules {
    /// What this receiver's model adds to its readings.
    pub rssi_correction: RssiCorrectionDb,
    /// A sighting this many seconds after a window's first one opens a new window. GAEN: 1800.
    pub window_seconds: u32,
    /// A sighting at most this many seconds after the previous one shares its scan instance.
    /// GAEN: 25.5, which in whole seconds is 25.
    pub scan_instance_gap_seconds: u32,
    /// `secondsSinceLastScan` where the previous scan is not known. Google: 120.
    pub seconds_when_previous_scan_unknown: u32,
    /// Upper bound of `secondsSinceLastScan`, in minutes. GAEN: 5.
    pub longest_scan_gap_minutes: u32,
}

impl Default for WindowRules {
    fn default() -> Self {
        Self {
            rssi_correction: RssiCorrectionDb(0),
            window_seconds: 1800,
            scan_instance_gap_seconds: 25,
            seconds_when_previous_scan_unknown: 120,
            longest_scan_gap_minutes: 5,
        }
    }
}

/// A sighting whose attenuation is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct MeasuredSighting {
    /// When it was heard.
    pub heard_at: Timestamp,
    /// End of the scan before, if known.
    pub previous_scan_ended: Option<Timestamp>,
    /// Attenuation from the sender's transmit power.
    pub attenuation: AttenuationDb,
    /// The sender's calibration confidence, if its metadata version carries one.
    pub calibration_confidence: Option<CalibrationConfidence>,
}

/// Names a window without saying anything about it: a hash of the key's hash and the window's
/// start. Two windows that look alike keep two identities.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct WindowId([u8; 16]);

impl WindowId {
    fn derive(key: &DiagnosisKeyHash, first_heard_at: Timestamp) -> Self {
        let digest = Sha256::new()
            .chain_update(b"chikaku exposure window 1")
            .chain_update(key.as_bytes())
            .chain_update(first_heard_at.unix_seconds().to_be_bytes())
            .finalize();
        let mut id = [0; 16];
        id.copy_from_slice(&digest[..16]);
        Self(id)
    }

    /// The sixteen bytes of the identity.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; 16] {
        &self.0
    }
}

impl fmt::Display for WindowId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for WindowId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "WindowId({self})")
    }
}

/// What one scan heard of one key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct ScanInstance {
    /// Least attenuation of the instance's sightings (`minAttenuationDb`).
    pub minimum_attenuation: AttenuationDb,
    /// Mean attenuation in dB, rounded half up (`typicalAttenuationDb`).
    pub typical_attenuation: AttenuationDb,
    /// Seconds that the instance stands for (`secondsSinceLastScan`): 0, 60, …, 300.
    pub seconds_since_last_scan: u32,
}

/// Up to half an hour near one key.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ExposureWindow {
    /// Opaque identity.
    pub id: WindowId,
    /// When the first sighting was heard. Stays on the device.
    pub first_heard_at: Timestamp,
    /// The scans that heard the key, by time; never empty.
    pub scan_instances: Vec<ScanInstance>,
    /// Ground of the key's publication, after mapping.
    pub report_type: ReportType,
    /// The sender's infectiousness on the key's day, after mapping.
    pub infectiousness: Infectiousness,
    /// Calibration confidence of the first sighting, if its metadata carries one.
    pub calibration_confidence: Option<CalibrationConfidence>,
}

impl ExposureWindow {
    /// The UTC day of the first sighting, which need not be the key's day.
    #[must_use]
    pub const fn day(&self) -> UtcDay {
        self.first_heard_at.day()
    }

    /// Whether the window may count at all: the sender was infectious and the key not withdrawn.
    #[must_use]
    pub fn may_count(&self) -> bool {
        self.infectiousness != Infectiousness::None && self.report_type != ReportType::Revoked
    }

    /// Seconds of all scan instances together.
    #[must_use]
    pub fn seconds(&self) -> u64 {
        self.scan_instances.iter().map(|scan| u64::from(scan.seconds_since_last_scan)).sum()
    }
}

/// Whose windows are built, and what is known about them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WindowOrigin {
    /// The key's hash, of which the windows' identities are made.
    pub key: DiagnosisKeyHash,
    /// Ground of publication, after mapping.
    pub report_type: ReportType,
    /// Infectiousness, after mapping.
    pub infectiousness: Infectiousness,
}

/// Sightings of a matched key that could not be measured, by reason.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct UnmeasuredSightings {
    /// The controller reported no signal strength.
    pub rssi_unavailable: u32,
    /// The metadata's version is not one we know.
    pub unknown_metadata_version: u32,
    /// The metadata's transmit power is impossible.
    pub implausible_transmit_power: u32,
}

/// Decrypts the metadata of a match and computes each sighting's attenuation.
#[must_use]
pub fn measure(
    matched: &KeyMatch,
    rules: &WindowRules,
) -> (Vec<MeasuredSighting>, UnmeasuredSightings) {
    let metadata_key = matched.published.key.metadata_key();
    let mut unmeasured = UnmeasuredSightings::default();
    let measured = matched.sightings().into_iter().filter_map(|sighting| {
        let heard = sighting.advertisement;
        let decrypted = metadata_key.decrypt(&heard.identifier, heard.metadata);
        let metadata = match BluetoothMetadata::from_bytes(decrypted) {
            Ok(metadata) => metadata,
            Err(MetadataError::UnknownVersion(_)) => {
                unmeasured.unknown_metadata_version += 1;
                return None;
            }
            Err(MetadataError::TransmitPower(_)) => {
                unmeasured.implausible_transmit_power += 1;
                return None;
            }
        };
        let Some(rssi) = sighting.rssi else {
            unmeasured.rssi_unavailable += 1;
            return None;
        };
        Some(MeasuredSighting {
            heard_at: sighting.heard_at,
            previous_scan_ended: sighting.previous_scan_ended,
            attenuation: AttenuationDb::between(
                metadata.transmit_power,
                rssi,
                rules.rssi_correction,
            ),
            calibration_confidence: metadata.calibration_confidence(),
        })
    });
    let measured = measured.collect();
    (measured, unmeasured)
}

/// Groups the sightings of one key into windows, by time.
#[must_use]
pub fn exposure_windows(
    sightings: &[MeasuredSighting],
    origin: &WindowOrigin,
    rules: &WindowRules,
) -> Vec<ExposureWindow> {
    let mut sightings = sightings.to_vec();
    sightings.sort_unstable();

    let opens_window = |window: &[MeasuredSighting], next: &MeasuredSighting| {
        window.first().is_some_and(|first| {
            next.heard_at.seconds_since(first.heard_at) >= i64::from(rules.window_seconds)
        })
    };
    let opens_instance = |instance: &[MeasuredSighting], next: &MeasuredSighting| {
        instance.last().is_some_and(|last| {
            next.heard_at.seconds_since(last.heard_at) > i64::from(rules.scan_instance_gap_seconds)
        })
    };
    split(&sightings, opens_window)
        .into_iter()
        .filter_map(|window| {
            let first = window.first()?;
            Some(ExposureWindow {
                id: WindowId::derive(&origin.key, first.heard_at),
                first_heard_at: first.heard_at,
                scan_instances: split(window, opens_instance)
                    .into_iter()
                    .filter_map(|instance| scan_instance(instance, rules))
                    .collect(),
                report_type: origin.report_type,
                infectiousness: origin.infectiousness,
                calibration_confidence: first.calibration_confidence,
            })
        })
        .collect()
}

/// Cuts `sightings` before each one that `opens` a new run.
fn split(
    sightings: &[MeasuredSighting],
    opens: impl Fn(&[MeasuredSighting], &MeasuredSighting) -> bool,
) -> Vec<&[MeasuredSighting]> {
    let mut runs = Vec::new();
    let mut start = 0;
    for (end, next) in sightings.iter().enumerate() {
        if opens(&sightings[start..end], next) {
            runs.push(&sightings[start..end]);
            start = end;
        }
    }
    if start < sightings.len() {
        runs.push(&sightings[start..]);
    }
    runs
}

fn scan_instance(sightings: &[MeasuredSighting], rules: &WindowRules) -> Option<ScanInstance> {
    let first = sightings.first()?;
    let count = sightings.len() as u64;
    let sum: u64 = sightings.iter().map(|sighting| u64::from(sighting.attenuation.db())).sum();
    let rounded_half_up = (2 * sum + count) / (2 * count);
    Some(ScanInstance {
        minimum_attenuation: sightings.iter().map(|sighting| sighting.attenuation).min()?,
        typical_attenuation: AttenuationDb::from_db(u16::try_from(rounded_half_up).ok()?),
        seconds_since_last_scan: seconds_since_last_scan(first, rules),
    })
}

fn seconds_since_last_scan(first: &MeasuredSighting, rules: &WindowRules) -> u32 {
    let Some(ended) = first.previous_scan_ended else {
        return rules.seconds_when_previous_scan_unknown;
    };
    let minutes = first.heard_at.minute() - ended.minute();
    let capped = minutes.clamp(0, i64::from(rules.longest_scan_gap_minutes));
    u32::try_from(capped).unwrap_or(0).saturating_mul(60)
}
