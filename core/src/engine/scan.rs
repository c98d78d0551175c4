//! A finished scan becomes sightings.

use serde::{Deserialize, Serialize};

use super::{Output, State, Turn};
use crate::encounter_log::Change;
use crate::sighting::{ScanResult, Sighting};
use crate::time::Timestamp;

/// What became of one scan's advertisements. Nothing is dropped without being counted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct ScanReport {
    /// Sightings added to the log.
    pub kept: u32,
    /// Of these, sightings without a signal strength: they prove presence, not proximity.
    pub without_rssi: u32,
    /// This phone's own identifiers, heard from elsewhere: somebody replays them.
    pub own_identifiers: u32,
    /// Advertisements that could not be decoded, as the scanner counted them.
    pub malformed: u32,
    /// Advertisements dated in the future or before the retention period.
    pub outside_time: u32,
}

impl State {
    pub(super) fn ingest_scan(
        &mut self,
        scan: ScanResult,
        now: Timestamp,
        retained_since: Timestamp,
        turn: &mut Turn,
    ) {
        let mut report = ScanReport { malformed: scan.malformed, ..ScanReport::default() };
        let mut sightings = Vec::with_capacity(scan.received.len());
        for received in scan.received {
            if received.heard_at > now || received.heard_at < retained_since {
                report.outside_time += 1;
            } else if self.own_identifiers.contains(&received.advertisement.identifier) {
                report.own_identifiers += 1;
            } else {
                report.kept += 1;
                report.without_rssi += u32::from(received.rssi.is_none());
                sightings.push(Sighting {
                    heard_at: received.heard_at,
                    previous_scan_ended: self.previous_scan_ended,
                    rssi: received.rssi,
                    advertisement: received.advertisement,
                });
            }
        }
        // A host that reports an end in the future would make the next scan count for nothing.
        self.previous_scan_ended = Some(scan.ended.min(now));
        if !sightings.is_empty() {
            turn.changes.push(Change::Sightings(sightings));
        }
        turn.outputs.push(Output::ScanIngested(report));
    }
}
