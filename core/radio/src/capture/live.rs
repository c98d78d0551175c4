//! The scans of a node that is running, from its controller's log as it is written.

use super::replay::Replay;
use super::{CaptureInstant, CaptureOptions, CapturedScan};
use crate::btsnoop::Record;

/// Makes scans of records as they come. The scans are those that [`Capture`](super::Capture) finds
/// in the same records.
pub struct LiveScans(Replay);

impl core::fmt::Debug for LiveScans {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("LiveScans(..)")
    }
}

impl LiveScans {
    /// Nothing heard yet. [`CaptureOptions::cut_at`] has no meaning here.
    #[must_use]
    pub fn new(options: CaptureOptions) -> Self {
        Self(Replay::new(options))
    }

    /// Takes the next record.
    pub fn record(&mut self, record: &Record<'_>) {
        self.0.record(record);
    }

    /// The scans that are over at `now`, each handed out once. A scan of Linux is over a second
    /// after its end, when it is certain that the scanner was not only restarted.
    pub fn take_finished(&mut self, now: CaptureInstant) -> Vec<CapturedScan> {
        self.0.pass(now);
        self.0.take_scans()
    }

    /// What the running scan has heard, as a scan that ends at `now`; what is heard from then on
    /// belongs to another one. For scans that somebody else keeps going.
    pub fn cut(&mut self, now: CaptureInstant) -> Option<CapturedScan> {
        self.0.cut(now)
    }
}
