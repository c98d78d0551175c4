//! What a phone heard: one [`Sighting`] per delivered advertisement, kept in the encounter log.

use core::fmt;

use crate::advertisement::Advertisement;
use crate::clock::{ClockReading, ClockWatch, RecordStamp};
use crate::signal::RssiDbm;
use crate::time::Timestamp;

/// One delivered advertisement. Every one is kept: averaging is a reading of the log, not a
/// property of it. No address, position or name is part of it.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Sighting {
    /// When it was heard, in whole UTC seconds by the phone's wall clock.
    pub heard_at: Timestamp,
    /// When the scan before this one ended, whether or not that one heard this identifier.
    /// `None` after a start of the service, when that is not known.
    pub previous_scan_ended: Option<Timestamp>,
    /// Signal strength; `None` if the controller did not measure one.
    pub rssi: Option<RssiDbm>,
    /// Identifier and encrypted metadata.
    pub advertisement: Advertisement,
    /// When it was heard by everything but the wall clock; all sightings of a scan share the
    /// sequence number. `None` in a log from elsewhere, whose times are taken at their word.
    pub stamp: Option<RecordStamp>,
}

impl Sighting {
    /// The sighting with the times that were meant, as far as `clock` knows; `None` if it was made
    /// under a suspect clock and must not count.
    #[must_use]
    pub fn corrected(&self, clock: &ClockWatch) -> Option<Self> {
        let Some(stamp) = self.stamp else { return Some(*self) };
        let trust = clock.trust(stamp.epoch);
        Some(Self {
            heard_at: trust.correct(self.heard_at)?,
            previous_scan_ended: self.previous_scan_ended.and_then(|ended| trust.correct(ended)),
            ..*self
        })
    }
}

impl fmt::Debug for Sighting {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sighting")
            .field("heard_at", &self.heard_at)
            .field("rssi", &self.rssi)
            .finish_non_exhaustive()
    }
}

/// One advertisement as a scanner delivers it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ReceivedAdvertisement {
    /// When it was heard.
    pub heard_at: Timestamp,
    /// Signal strength; `None` if the controller did not measure one.
    pub rssi: Option<RssiDbm>,
    /// What was received.
    pub advertisement: Advertisement,
}

/// One whole scan as a host reports it: when it ran and everything it heard, in any order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ScanResult {
    /// When scanning began.
    pub started: Timestamp,
    /// When scanning ended.
    pub ended: Timestamp,
    /// Every delivered advertisement.
    pub received: Vec<ReceivedAdvertisement>,
    /// Advertisements of the service that could not be decoded.
    pub malformed: u32,
    /// Both clocks when the scan ended, for a scan that is handed over late, such as one from
    /// before the first unlock after a restart. `None`: it has ended just now.
    pub ended_reading: Option<ClockReading>,
}
