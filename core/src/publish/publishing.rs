//! Everything about publishing that outlives the process: a plain value, which the engine keeps in
//! the encounter log.

use core::fmt;

use serde::{Deserialize, Serialize};

use super::attempts::AttemptLimiter;
use super::decoy::DecoySchedule;
use super::queue::UploadQueue;
use crate::time::{Timestamp, UtcDay};

/// Uploads that wait, refused numbers, and when the next decoy is due.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Publishing {
    /// Uploads that wait, decoys among them.
    pub uploads: UploadQueue,
    /// How many numbers the server refused lately.
    pub attempts: AttemptLimiter,
    /// When the next decoy is due.
    pub decoys: DecoySchedule,
}

impl Publishing {
    /// Forgets the keys and warnings that ended before `instant`, and uploads of which nothing is
    /// left.
    pub fn forget_before(&mut self, instant: Timestamp) {
        self.uploads.retain(|_, end| end.start() > instant);
    }

    /// Forgets the keys that were valid on a UTC day and the warnings of that day, and uploads of
    /// which nothing is left.
    pub fn forget_day(&mut self, day: UtcDay) {
        self.uploads.retain(|start, end| start.day() > day || end <= day.first_interval());
    }
}

impl fmt::Debug for Publishing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Publishing").field("uploads", &self.uploads).finish_non_exhaustive()
    }
}
