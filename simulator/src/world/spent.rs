//! Where the time of a run goes, for whoever wants to make it faster. It decides nothing.

use std::time::{Duration, Instant};

use super::Happening;

/// Time spent on each part of a run.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Spent {
    /// What a scan hears: path loss, shadowing, delivery of packets.
    pub radio: Duration,
    /// Engines taking in what their scans heard.
    pub scans: Duration,
    /// Engines waking up: new identifiers, plans, upkeep.
    pub wakes: Duration,
    /// Key files: export, download, signatures, matching, assessment.
    pub key_files: Duration,
    /// Everything else.
    pub others: Duration,
}

impl Spent {
    /// All of it.
    #[must_use]
    pub fn total(&self) -> Duration {
        self.radio + self.scans + self.wakes + self.key_files + self.others
    }

    pub(super) fn add(&mut self, happening: Happening, since: Instant, of_radio: Duration) {
        let elapsed = since.elapsed().saturating_sub(of_radio);
        let part = match happening {
            Happening::ScanEnds { .. } => &mut self.scans,
            Happening::Wake { .. } => &mut self.wakes,
            Happening::Export | Happening::Download { .. } | Happening::ForeignFile { .. } => {
                &mut self.key_files
            }
            _ => &mut self.others,
        };
        *part += elapsed;
        self.radio += of_radio;
    }
}
