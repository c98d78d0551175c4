//! A finished scan becomes sightings.

use rand_core::CryptoRng;
use serde::{Deserialize, Serialize};

use super::{EngineConfiguration, Output, State, Turn};
use crate::clock::{ClockReading, RecordStamp};
use crate::encounter_log::Change;
use crate::flood::FloodDrops;
use crate::sighting::{ReceivedAdvertisement, ScanResult, Sighting};
use crate::time::{DAY_SECONDS, Timestamp};

/// What became of one scan's advertisements. Nothing is dropped without being counted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct ScanReport {
    /// Sightings added to the log.
    pub kept: u32,
    /// Of these, sightings without a signal strength: they prove presence, not proximity.
    pub without_rssi: u32,
    /// Of these, sightings under a suspect clock: they count when a trusted time has come.
    pub of_suspect_time: u32,
    /// This phone's own identifiers, heard from elsewhere: somebody replays them.
    pub own_identifiers: u32,
    /// Advertisements that could not be decoded, as the scanner counted them.
    pub malformed: u32,
    /// Advertisements dated after the scan or before the retention period.
    pub outside_time: u32,
    /// Advertisements heard on a day that the user wants forgotten.
    pub of_forgotten_day: u32,
    /// Dropped by the caps on a scan and a day.
    pub flood: FloodDrops,
}

impl State {
    pub(super) fn ingest_scan(
        &mut self,
        scan: ScanResult,
        clocks: ClockReading,
        configuration: &EngineConfiguration,
        turn: &mut Turn,
        rng: &mut (impl CryptoRng + ?Sized),
    ) {
        let reading = scan.ended_reading.unwrap_or(clocks);
        let stamp = match &scan.ended_reading {
            None => self.record.clock.stamp(),
            Some(late) => self.record.clock.stamp_at(late),
        };
        let Some(stamp) = stamp else { return };
        // A host that reports an end in the future would make the next scan count for nothing.
        let ended = scan.ended.min(reading.wall);
        if scan.ended_reading.is_none() {
            let ended = self.record.clock.corrected(stamp.epoch, ended).unwrap_or(turn.now);
            let ended = ended.min(turn.now);
            self.scanning.finished(ended, &configuration.scan_schedule, rng);
            self.record.coverage.scan_finished(ended);
            self.record.last_scan = Some(ended);
        }
        let previous_scan_ended = self
            .previous_scan_ended
            .filter(|(epoch, previous)| *epoch == stamp.epoch && *previous <= scan.started)
            .map(|(_, previous)| previous);
        self.previous_scan_ended = Some((stamp.epoch, ended));

        let mut report = ScanReport { malformed: scan.malformed, ..ScanReport::default() };
        let oldest =
            reading.wall.saturating_sub(configuration.retention_days.saturating_mul(DAY_SECONDS));
        let received = scan
            .received
            .into_iter()
            .filter(|received| self.is_admissible(received, oldest, reading.wall, &mut report))
            .collect();
        let (received, flood) = self.record.flood.admit(stamp.elapsed_seconds, received);
        report.flood = flood;
        let suspect = self.record.clock.corrected(stamp.epoch, reading.wall).is_none();

        let sightings: Vec<_> = received
            .into_iter()
            .map(|received| Sighting {
                heard_at: received.heard_at,
                previous_scan_ended,
                rssi: received.rssi,
                advertisement: received.advertisement,
                stamp: Some(heard(received.heard_at, stamp, reading.wall)),
            })
            .collect();
        let count = |number: usize| u32::try_from(number).unwrap_or(u32::MAX);
        report.kept = count(sightings.len());
        report.without_rssi = count(sightings.iter().filter(|s| s.rssi.is_none()).count());
        report.of_suspect_time = if suspect { report.kept } else { 0 };
        if !sightings.is_empty() {
            turn.changes.push(Change::Sightings(sightings));
        }
        turn.outputs.push(Output::ScanIngested(report));
    }

    fn is_admissible(
        &self,
        received: &ReceivedAdvertisement,
        oldest: Timestamp,
        scan_handed_over: Timestamp,
        report: &mut ScanReport,
    ) -> bool {
        if received.heard_at > scan_handed_over || received.heard_at < oldest {
            report.outside_time += 1;
        } else if self.own_identifiers.contains(&received.advertisement.identifier) {
            report.own_identifiers += 1;
        } else if self.record.forgotten_days.contains(&received.heard_at.day()) {
            report.of_forgotten_day += 1;
        } else {
            return true;
        }
        false
    }
}

/// The scan's stamp, as old as the sighting.
fn heard(at: Timestamp, scan: RecordStamp, scan_handed_over: Timestamp) -> RecordStamp {
    let age = u64::try_from(scan_handed_over.seconds_since(at)).unwrap_or(0);
    RecordStamp { elapsed_seconds: scan.elapsed_seconds.saturating_sub(age), ..scan }
}
