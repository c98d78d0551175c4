//! A scan as a phone's Bluetooth stack hands it over.

use chikaku_core::advertisement::Advertisement;
use chikaku_core::engine::ScanReport;
use chikaku_core::sighting::{ReceivedAdvertisement, ScanResult};
use chikaku_core::signal::RssiDbm;
use chikaku_core::time::Timestamp;

use crate::number::{self, to_i32, to_i64};
use crate::{ClockReading, ExposureNotificationError};

/// One whole scan: when it ran, and everything it heard, in any order.
#[derive(Clone, PartialEq, Eq, uniffi::Record)]
pub struct Scan {
    /// When scanning began, seconds since 1970 UTC.
    pub started: i64,
    /// When scanning ended, seconds since 1970 UTC.
    pub ended: i64,
    /// Every delivered advertisement of the service.
    pub heard: Vec<HeardAdvertisement>,
    /// Both clocks when the scan ended, for one that is handed over late. `None`: just now.
    #[uniffi(default = None)]
    pub ended_reading: Option<ClockReading>,
}

/// One delivered advertisement, or one answer to a read over GATT.
#[derive(Clone, PartialEq, Eq, uniffi::Record)]
pub struct HeardAdvertisement {
    /// When, seconds since 1970 UTC.
    pub heard_at: i64,
    /// Signal strength in dBm; `None`, or the platform's 127, if none was measured.
    pub rssi_dbm: Option<i32>,
    /// The bytes behind the service UUID. What is not twenty bytes is counted, and costs its
    /// neighbours nothing.
    pub service_data: Vec<u8>,
}

impl core::fmt::Debug for HeardAdvertisement {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("HeardAdvertisement")
            .field("rssi_dbm", &self.rssi_dbm)
            .finish_non_exhaustive()
    }
}

impl core::fmt::Debug for Scan {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        write!(f, "Scan({} heard)", self.heard.len())
    }
}

impl Scan {
    pub(crate) fn read(self) -> Result<ScanResult, ExposureNotificationError> {
        let mut malformed = 0_u32;
        let mut received = Vec::with_capacity(self.heard.len());
        for heard in &self.heard {
            match heard.read() {
                Some(advertisement) => received.push(advertisement),
                None => malformed = malformed.saturating_add(1),
            }
        }
        Ok(ScanResult {
            started: number::timestamp("scan started", self.started)?,
            ended: number::timestamp("scan ended", self.ended)?,
            received,
            malformed,
            ended_reading: self.ended_reading.map(|reading| reading.read()).transpose()?,
        })
    }
}

impl HeardAdvertisement {
    fn read(&self) -> Option<ReceivedAdvertisement> {
        let rssi = self.rssi_dbm.and_then(|dbm| i16::try_from(dbm).ok());
        Some(ReceivedAdvertisement {
            heard_at: Timestamp::from_unix_seconds(self.heard_at).ok()?,
            rssi: rssi.and_then(|dbm| RssiDbm::new(dbm).ok()),
            advertisement: Advertisement::from_service_data(&self.service_data).ok()?,
        })
    }
}

/// What became of a scan. Nothing is dropped without being counted.
#[derive(Clone, Debug, PartialEq, Eq, uniffi::Record)]
pub struct ScanOutcome {
    /// Sightings added to the log.
    pub kept: i32,
    /// Of these, sightings without a signal strength: they prove presence, not proximity.
    pub without_rssi: i32,
    /// Of these, sightings under a suspect clock: they count when a trusted time has come.
    pub of_suspect_time: i32,
    /// This phone's own identifiers, heard from elsewhere: somebody replays them.
    pub own_identifiers: i32,
    /// Advertisements that are none.
    pub malformed: i32,
    /// Advertisements dated after the scan or before the retention period.
    pub outside_time: i32,
    /// Advertisements heard on a day that the user wants forgotten.
    pub of_forgotten_day: i32,
    /// Advertisements dropped by the caps on a scan and a day.
    pub flood: i64,
}

impl From<ScanReport> for ScanOutcome {
    fn from(report: ScanReport) -> Self {
        Self {
            kept: to_i32(report.kept),
            without_rssi: to_i32(report.without_rssi),
            of_suspect_time: to_i32(report.of_suspect_time),
            own_identifiers: to_i32(report.own_identifiers),
            malformed: to_i32(report.malformed),
            outside_time: to_i32(report.outside_time),
            of_forgotten_day: to_i32(report.of_forgotten_day),
            flood: to_i64(report.flood.total()),
        }
    }
}
