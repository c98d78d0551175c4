//! Replays a capture: which advertisements an exposure notification service was handed, scan by
//! scan, and which ones it sent. The same rules make the scans of a running Linux node
//! ([`LiveScans`]), so that its capture, replayed, gives what the node itself was handed.
//!
//! A controller hears much more than the service is told. The rules that lie between the two
//! were found in DP-3T bt-measurements, experiment 34 (EPFL, July 2020), which has both the HCI
//! logs of the phones and the exposure windows that Google's service made of them; each rule
//! stands where it is applied.

mod delivery;
mod filters;
mod instant;
mod live;
mod ownership;
mod replay;
mod scans;

#[cfg(test)]
mod tests;

use chikaku_core::advertisement::AdvertisementFormat;
use thiserror::Error;

use crate::btsnoop::{BtsnoopError, Records};

pub use instant::CaptureInstant;
pub use live::LiveScans;
pub use ownership::OwnAdvertisement;
pub use scans::{CapturedScan, CapturedSighting};

/// Why a capture cannot be replayed at all.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum CaptureError {
    /// The bytes are no capture file.
    #[error(transparent)]
    Btsnoop(#[from] BtsnoopError),
}

/// Whose rules lie between controller and service.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ScanningHost {
    /// An Android phone: a content filter says when the service scans, and scannable advertisers
    /// are delivered with their scan response.
    #[default]
    Android,
    /// Linux: a scan lasts as long as the controller scans. Pauses of less than a second, in which
    /// the kernel restarts its scanner (every 10.24 s) or changes its mode, are part of it.
    Linux,
}

/// How to read a capture.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct CaptureOptions {
    /// Seconds that the phone's local time was ahead of UTC. Android stamps local time and does
    /// not say which.
    pub utc_offset_seconds: i32,
    /// Whose capture it is.
    pub host: ScanningHost,
    /// The service to look for.
    pub format: AdvertisementFormat,
    /// The controller to look at; 0 is the only one of a phone.
    pub controller: u16,
    /// When the service matched its sightings with keys: it did not know of what it was handed
    /// at that moment or later. `None` keeps everything.
    pub cut_at: Option<CaptureInstant>,
}

/// What a replay met with. Every record and every report of the capture is counted in one of
/// the fields, so that nothing disappears silently.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct CaptureReport {
    /// Records read.
    pub records: u64,
    /// Records of other controllers.
    pub other_controllers: u64,
    /// Records whose time the protocol cannot express.
    pub unusable_times: u64,
    /// Records with neither command nor event: data, notes of the logger.
    pub other_packets: u64,
    /// Commands and events that could not be decoded.
    pub malformed_packets: u64,
    /// Advertising reports that could not be decoded.
    pub malformed_reports: u64,
    /// Advertising reports decoded.
    pub reports: u64,
    /// Reports of other services, and scan responses to what is not of the service.
    pub irrelevant_reports: u64,
    /// Reports with only a part of an advertisement.
    pub partial_reports: u64,
    /// Reports whose advertising structures are cut off.
    pub unreadable_reports: u64,
    /// Advertisements of the service that could not be decoded.
    pub malformed_advertisements: u64,
    /// Scannable advertisements of the service, each of them waiting for its scan response.
    pub scannable: u64,
    /// Those whose scan response arrived while the service scanned.
    pub scannable_delivered: u64,
    /// Advertisements of the service that a host could have handed over while the service was
    /// not scanning.
    pub outside_scans: u64,
    /// Advertisements at the very end of a scan, too late to be handed over.
    pub too_late: u64,
    /// Sightings without signal strength.
    pub unmeasured: u64,
    /// Sightings at or after [`CaptureOptions::cut_at`].
    pub after_cut: u64,
    /// Whether the capture ends during a scan; that scan ends with the last record.
    pub ends_during_scan: bool,
    /// Packets that the logger says it lost.
    pub lost_by_logger: u32,
    /// Why the capture could not be read to its end; what stands before is replayed.
    pub stopped: Option<BtsnoopError>,
}

/// A replayed capture.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Capture {
    scans: Vec<CapturedScan>,
    advertised: Vec<OwnAdvertisement>,
    report: CaptureReport,
}

impl Capture {
    /// Replays a whole capture file.
    ///
    /// A file that ends inside a record, as a phone's log does, is replayed up to there;
    /// [`CaptureReport::stopped`] says so.
    ///
    /// # Errors
    /// [`CaptureError`] if the bytes do not begin like a capture.
    pub fn read(file: &[u8], options: &CaptureOptions) -> Result<Self, CaptureError> {
        Ok(replay::replay(Records::new(file)?, options))
    }

    /// The service's scans in time order, those without sightings too.
    #[must_use]
    pub fn scans(&self) -> &[CapturedScan] {
        &self.scans
    }

    /// What the phone itself advertised, each identifier once, in order of first use.
    #[must_use]
    pub fn advertised(&self) -> &[OwnAdvertisement] {
        &self.advertised
    }

    /// What the replay met with.
    #[must_use]
    pub const fn report(&self) -> &CaptureReport {
        &self.report
    }
}
