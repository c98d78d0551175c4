//! Exposures, taken apart by day: each window lies with the day it was heard on, so that
//! forgetting the day forgets it.

use std::collections::BTreeMap;

use chikaku_core::diagnosis_key::ReportType;
use chikaku_core::encounter_log::Exposure;
use chikaku_core::exposure::{
    ExposureWindow, MeasuredSighting, ScanInstance, UnmeasuredSightings, WindowId,
};
use chikaku_core::matching::DroppedSightings;
use chikaku_core::metadata::CalibrationConfidence;
use chikaku_core::risk::Infectiousness;
use chikaku_core::signal::AttenuationDb;
use chikaku_core::time::UtcDay;
use serde::{Deserialize, Serialize};

use super::key::StoredPublishedKey;
use super::{StoredStamp, last_day, timestamp};
use crate::codec::Undecodable;

/// What one day holds of an exposure. The head lies with the latest of its days.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct ExposurePart {
    key: [u8; 16],
    head: Option<Head>,
    windows: Vec<StoredWindow>,
    sightings: Vec<StoredMeasured>,
}

#[derive(Clone, Serialize, Deserialize)]
struct Head {
    published: StoredPublishedKey,
    first_available: StoredStamp,
    identifiers: u32,
    outside_tolerance: u32,
    after_identifier_lifetime: u32,
    after_publication: u32,
    clock_suspect: u32,
    rssi_unavailable: u32,
    unknown_metadata_version: u32,
    implausible_transmit_power: u32,
}

#[derive(Clone, Serialize, Deserialize)]
struct StoredWindow {
    id: WindowId,
    first_heard_at: i64,
    scans: Vec<StoredScan>,
    report_type: i32,
    infectiousness: u8,
    calibration_confidence: Option<u8>,
}

#[derive(Clone, Serialize, Deserialize)]
struct StoredMeasured {
    heard_at: i64,
    /// Seconds from the end of the scan before.
    since_previous: Option<i64>,
    attenuation: u16,
    calibration_confidence: Option<u8>,
}

#[derive(Clone, Serialize, Deserialize)]
struct StoredScan {
    minimum_attenuation: u16,
    typical_attenuation: u16,
    seconds_since_last_scan: u32,
}

impl ExposurePart {
    pub(super) fn of(exposure: &Exposure) -> Vec<(UtcDay, Self)> {
        let published = StoredPublishedKey::of(&exposure.published);
        let key = published.bytes();
        let empty = || Self { key, head: None, windows: Vec::new(), sightings: Vec::new() };
        let mut parts: BTreeMap<UtcDay, Self> = BTreeMap::new();
        for window in &exposure.windows {
            let part = parts.entry(window.day()).or_insert_with(empty);
            part.windows.push(StoredWindow::of(window));
        }
        for sighting in &exposure.sightings {
            let part = parts.entry(sighting.heard_at.day()).or_insert_with(empty);
            part.sightings.push(StoredMeasured::of(sighting));
        }
        let ends = last_day(exposure.published.key.rolling_end());
        let last = parts.last_key_value().map_or(ends, |(day, _)| ends.max(*day));
        parts.entry(last).or_insert_with(empty).head = Some(Head {
            published,
            first_available: StoredStamp::of(exposure.first_available),
            identifiers: exposure.identifiers,
            outside_tolerance: exposure.dropped.outside_tolerance,
            after_identifier_lifetime: exposure.dropped.after_identifier_lifetime,
            after_publication: exposure.dropped.after_publication,
            clock_suspect: exposure.dropped.clock_suspect,
            rssi_unavailable: exposure.unmeasured.rssi_unavailable,
            unknown_metadata_version: exposure.unmeasured.unknown_metadata_version,
            implausible_transmit_power: exposure.unmeasured.implausible_transmit_power,
        });
        parts.into_iter().collect()
    }

    pub(crate) const fn key(&self) -> [u8; 16] {
        self.key
    }

    /// The exposure whose parts these are.
    pub(super) fn restore(parts: Vec<Self>) -> Result<Exposure, Undecodable> {
        let head = parts.iter().find_map(|part| part.head.clone()).ok_or(Undecodable)?;
        let windows = parts.iter().flat_map(|part| &part.windows).map(StoredWindow::restore);
        let mut windows = windows.collect::<Result<Vec<_>, _>>()?;
        windows.sort_by_key(|window| window.first_heard_at);
        let sightings = parts.iter().flat_map(|part| &part.sightings);
        let mut sightings =
            sightings.map(StoredMeasured::restore).collect::<Result<Vec<_>, _>>()?;
        sightings.sort_by_key(|sighting| sighting.heard_at);
        let mut dropped = DroppedSightings::default();
        dropped.outside_tolerance = head.outside_tolerance;
        dropped.after_identifier_lifetime = head.after_identifier_lifetime;
        dropped.after_publication = head.after_publication;
        dropped.clock_suspect = head.clock_suspect;
        let mut unmeasured = UnmeasuredSightings::default();
        unmeasured.rssi_unavailable = head.rssi_unavailable;
        unmeasured.unknown_metadata_version = head.unknown_metadata_version;
        unmeasured.implausible_transmit_power = head.implausible_transmit_power;
        Ok(Exposure {
            published: head.published.restore()?,
            first_available: head.first_available.restore(),
            sightings,
            windows,
            identifiers: head.identifiers,
            dropped,
            unmeasured,
        })
    }
}

impl StoredWindow {
    fn of(window: &ExposureWindow) -> Self {
        let scans = window.scan_instances.iter().map(|scan| StoredScan {
            minimum_attenuation: scan.minimum_attenuation.db(),
            typical_attenuation: scan.typical_attenuation.db(),
            seconds_since_last_scan: scan.seconds_since_last_scan,
        });
        Self {
            id: window.id,
            first_heard_at: window.first_heard_at.unix_seconds(),
            scans: scans.collect(),
            report_type: window.report_type.to_wire(),
            infectiousness: match window.infectiousness {
                Infectiousness::None => 0,
                Infectiousness::Standard => 1,
                Infectiousness::High => 2,
            },
            calibration_confidence: window.calibration_confidence.map(confidence),
        }
    }

    fn restore(&self) -> Result<ExposureWindow, Undecodable> {
        let scans = self.scans.iter().map(|scan| ScanInstance {
            minimum_attenuation: AttenuationDb::from_db(scan.minimum_attenuation),
            typical_attenuation: AttenuationDb::from_db(scan.typical_attenuation),
            seconds_since_last_scan: scan.seconds_since_last_scan,
        });
        Ok(ExposureWindow {
            id: self.id,
            first_heard_at: timestamp(self.first_heard_at)?,
            scan_instances: scans.collect(),
            report_type: ReportType::from_wire(self.report_type).ok_or(Undecodable)?,
            infectiousness: match self.infectiousness {
                0 => Infectiousness::None,
                1 => Infectiousness::Standard,
                2 => Infectiousness::High,
                _ => return Err(Undecodable),
            },
            calibration_confidence: self
                .calibration_confidence
                .map(known_confidence)
                .transpose()?,
        })
    }
}

impl StoredMeasured {
    fn of(sighting: &MeasuredSighting) -> Self {
        let since = |ended| sighting.heard_at.seconds_since(ended);
        Self {
            heard_at: sighting.heard_at.unix_seconds(),
            since_previous: sighting.previous_scan_ended.map(since),
            attenuation: sighting.attenuation.db(),
            calibration_confidence: sighting.calibration_confidence.map(confidence),
        }
    }

    fn restore(&self) -> Result<MeasuredSighting, Undecodable> {
        let ended = |since| timestamp(self.heard_at.checked_sub(since).ok_or(Undecodable)?);
        Ok(MeasuredSighting {
            heard_at: timestamp(self.heard_at)?,
            previous_scan_ended: self.since_previous.map(ended).transpose()?,
            attenuation: AttenuationDb::from_db(self.attenuation),
            calibration_confidence: self
                .calibration_confidence
                .map(known_confidence)
                .transpose()?,
        })
    }
}

const fn confidence(confidence: CalibrationConfidence) -> u8 {
    match confidence {
        CalibrationConfidence::Lowest => 0,
        CalibrationConfidence::Low => 1,
        CalibrationConfidence::Medium => 2,
        CalibrationConfidence::High => 3,
    }
}

const fn known_confidence(stored: u8) -> Result<CalibrationConfidence, Undecodable> {
    match stored {
        0 => Ok(CalibrationConfidence::Lowest),
        1 => Ok(CalibrationConfidence::Low),
        2 => Ok(CalibrationConfidence::Medium),
        3 => Ok(CalibrationConfidence::High),
        _ => Err(Undecodable),
    }
}
