//! Scans: what the service was handed between the beginning and the end of one.

use chikaku_core::advertisement::Advertisement;
use chikaku_core::sighting::{ReceivedAdvertisement, ScanResult};
use chikaku_core::signal::RssiDbm;

use super::CaptureInstant;
use crate::hci::ScanCommands;

/// How long before the end of a scan the host still hears what the service is not handed.
///
/// A host ends a scan by forgetting the application first and telling the controller afterwards,
/// and an advertisement takes time on its way up; what the controller reports within both
/// latencies together finds nobody to be handed to. The log shows only the end of the way down.
///
/// The sum depends on how fast the host is. On phones with Bluetooth 5 scan commands (Samsung S10,
/// S10e, S20) advertisements were lost up to 5.9 ms before the end and handed over from 5.8 ms on;
/// on the slower phones with Bluetooth 4 commands (A40) lost up to 15.8 ms and handed over from
/// 15.7 ms on. Google's windows in DP-3T bt-measurements, experiment 34, decide this for 131
/// advertisements in the last 45 ms of a scan, all but two of them as these limits say. One limit
/// for all phones would have to lie below 5.8 and above 14.9 ms.
const fn stop_latency_micros(commands: ScanCommands) -> i64 {
    match commands {
        ScanCommands::Extended => 6_000,
        ScanCommands::Legacy => 16_000,
    }
}

/// One advertisement as the service was handed it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CapturedSighting {
    /// When the controller reported it.
    pub heard_at: CaptureInstant,
    /// Signal strength; `None` if the controller did not measure one.
    pub rssi: Option<RssiDbm>,
    /// What was received.
    pub advertisement: Advertisement,
}

/// One scan of the service.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CapturedScan {
    /// When it began.
    pub started: CaptureInstant,
    /// When it ended.
    pub ended: CaptureInstant,
    /// Whether the service was started before this scan, so that it does not know when the scan
    /// before it ended. Always so for the first scan of a capture.
    pub first_of_service: bool,
    /// What the service was handed, in time order.
    pub sightings: Vec<CapturedSighting>,
    /// Advertisements of the service that could not be decoded.
    pub malformed: u32,
}

impl CapturedScan {
    /// The scan in the terms of the core, in whole seconds.
    #[must_use]
    pub fn to_scan_result(&self) -> ScanResult {
        let received = |sighting: &CapturedSighting| ReceivedAdvertisement {
            heard_at: sighting.heard_at.timestamp(),
            rssi: sighting.rssi,
            advertisement: sighting.advertisement,
        };
        ScanResult {
            started: self.started.timestamp(),
            ended: self.ended.timestamp(),
            received: self.sightings.iter().map(received).collect(),
            malformed: self.malformed,
            ended_reading: None,
        }
    }

    /// A scan that begins.
    pub(super) const fn begin(started: CaptureInstant, first_of_service: bool) -> Self {
        Self { started, ended: started, first_of_service, sightings: Vec::new(), malformed: 0 }
    }

    /// Ends the scan as a host does that speaks `commands`, and returns how many advertisements
    /// came too late to be handed over.
    pub(super) fn stop(&mut self, ended: CaptureInstant, commands: ScanCommands) -> usize {
        self.ended = ended;
        let latency = stop_latency_micros(commands);
        self.keep_sightings(|sighting| ended.micros_since(sighting.heard_at) > latency)
    }

    /// Drops what does not satisfy `keep` and returns how many sightings that were.
    pub(super) fn keep_sightings(&mut self, keep: impl FnMut(&CapturedSighting) -> bool) -> usize {
        let before = self.sightings.len();
        self.sightings.retain(keep);
        before.saturating_sub(self.sightings.len())
    }
}
