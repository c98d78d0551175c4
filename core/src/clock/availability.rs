//! When a key was public: whoever can download a key can broadcast its identifiers.
//!
//! Replay of published keys within the matching tolerance is GAEN's oldest hole (eprint
//! 2020/1393). Two rules close it on this phone: what was heard after a key became available here
//! never counts, and a key whose identifiers may still be heard is looked at again when they may
//! not.

use super::RecordStamp;
use crate::time::{IntervalNumber, Timestamp};

/// Whether a sighting was made before its key was first available to this phone. Only such a
/// sighting counts.
///
/// Both stamps come from one [`ClockWatch`](super::ClockWatch). Age is compared, and the order of
/// recording where the age is the same, so no setting of the wall clock moves a replay before the
/// download, and a scan that is handed over late counts from when it was made.
#[must_use]
pub fn heard_before_public(heard: RecordStamp, first_available: RecordStamp) -> bool {
    age_and_order(heard) < age_and_order(first_available)
}

/// The earlier of two times at which one key was available, as several files may carry it.
#[must_use]
pub fn first_available(known: RecordStamp, downloaded: RecordStamp) -> RecordStamp {
    if age_and_order(known) <= age_and_order(downloaded) { known } else { downloaded }
}

const fn age_and_order(stamp: RecordStamp) -> (u64, u64) {
    (stamp.elapsed_seconds, stamp.sequence)
}

/// The instant from which no sighting of a key can count any more. `key_end` is the first interval
/// after the key's validity, `tolerance_intervals` that of matching (GAEN: 12, inclusive).
#[must_use]
pub const fn defer_until(key_end: IntervalNumber, tolerance_intervals: u32) -> Timestamp {
    match key_end.checked_add(tolerance_intervals) {
        Some(interval) => interval.start(),
        None => Timestamp::MAX,
    }
}

/// When to look at a downloaded key again; `None` if its first matching is its last.
///
/// Deferring is no discarding: what was heard before the download counts at once, and sightings
/// that are entered late are found on the second look.
#[must_use]
pub fn deferral(
    key_end: IntervalNumber,
    tolerance_intervals: u32,
    downloaded_at: Timestamp,
) -> Option<Timestamp> {
    let until = defer_until(key_end, tolerance_intervals);
    (until > downloaded_at).then_some(until)
}
