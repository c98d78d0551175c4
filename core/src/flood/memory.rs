//! Which identifiers the last two scans heard, kept or not.

use core::fmt;
use std::collections::BTreeMap;

use crate::keys::RollingProximityIdentifier;

/// What became of an identifier in a recent scan.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Heard {
    Dropped,
    Kept,
}

/// Identifiers by their first four bytes. An identifier that is taken for another one is only
/// kept more readily, and nobody can choose the bytes of somebody else's.
type Scan = BTreeMap<u32, Heard>;

#[derive(Clone, Default)]
pub(super) struct ScanMemory {
    last: Scan,
    /// A phone may be missed in one scan, so the scan before the last counts as well.
    before: Scan,
}

impl ScanMemory {
    pub(super) fn heard(&self, identifier: &RollingProximityIdentifier) -> Option<Heard> {
        let name = name(identifier);
        self.last.get(&name).or_else(|| self.before.get(&name)).copied()
    }

    /// Notes a scan. Beyond `limit` identifiers the kept ones come first, then arbitrary ones.
    pub(super) fn remember(
        &mut self,
        heard: &[RollingProximityIdentifier],
        kept: &[RollingProximityIdentifier],
        limit: u32,
    ) {
        let mut scan = Scan::new();
        let kept = kept.iter().map(|identifier| (name(identifier), Heard::Kept));
        let all = heard.iter().map(|identifier| (name(identifier), Heard::Dropped));
        for (name, outcome) in kept.chain(all) {
            if scan.len() >= limit as usize {
                break;
            }
            scan.entry(name).or_insert(outcome);
        }
        self.before = core::mem::replace(&mut self.last, scan);
    }
}

impl fmt::Debug for ScanMemory {
    /// Numbers only: identifiers are not for logs.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ScanMemory")
            .field("last", &self.last.len())
            .field("before", &self.before.len())
            .finish()
    }
}

const fn name(identifier: &RollingProximityIdentifier) -> u32 {
    let [a, b, c, d, ..] = *identifier.as_bytes();
    u32::from_le_bytes([a, b, c, d])
}
