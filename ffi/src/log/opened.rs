//! What there is to say about a log on disk that was opened.

use chikaku_log::{Maintenance, SpoolMerge};

use crate::number::to_i64;

/// What was found when the log was opened.
#[derive(Clone, Debug, Default, PartialEq, Eq, uniffi::Record)]
pub struct OpenedLog {
    /// Sixteen bytes that name the log, to be kept beside the root key; `None` in memory.
    pub install_marker: Option<Vec<u8>>,
    /// The log was made now.
    pub is_new: bool,
    /// Calls whose results were not yet merged when the process ended, and are there all the same.
    pub replayed_commits: i64,
    /// The process ended in the middle of a call, which has not happened: bytes that were left.
    pub unfinished_bytes: Option<i64>,
    /// What was taken over from the time before the first unlock; `None` if that failed, and is
    /// tried again at the next opening.
    pub spool: Option<TakenFromSpool>,
}

/// Scans from before the first unlock.
#[derive(Clone, Debug, Default, PartialEq, Eq, uniffi::Record)]
pub struct TakenFromSpool {
    /// Scans.
    pub scans: i64,
    /// What they heard.
    pub sightings: i64,
    /// Bytes that belong to no whole scan.
    pub unreadable_bytes: i64,
}

impl From<SpoolMerge> for TakenFromSpool {
    fn from(merge: SpoolMerge) -> Self {
        Self {
            scans: to_i64(merge.scans),
            sightings: to_i64(merge.sightings),
            unreadable_bytes: to_i64(merge.unreadable_bytes),
        }
    }
}

/// What maintenance came to.
#[derive(Clone, Debug, PartialEq, Eq, uniffi::Record)]
pub struct LogMaintenance {
    /// Length of the log's database before, bytes.
    pub bytes_before: i64,
    /// Its length now, bytes.
    pub bytes_after: i64,
}

impl From<Maintenance> for LogMaintenance {
    fn from(done: Maintenance) -> Self {
        Self { bytes_before: to_i64(done.bytes_before), bytes_after: to_i64(done.bytes_after) }
    }
}
