//! A day's quota that accrues evenly: a bucket that fills at seven eighths of the quota a day and
//! holds one eighth, so that no 24 hours cost more than the quota, and no flood lasts longer than
//! it is fed.

use serde::{Deserialize, Serialize};

use crate::time::DAY_SECONDS;

const DAY: u64 = DAY_SECONDS as u64;

/// What has accrued, in units of 1 / (8 · 86,400) so that seconds accrue without rounding.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(super) struct DayQuota {
    accrued: Option<u64>,
    at_elapsed: u64,
}

/// One item in the units of [`DayQuota`].
const ITEM: u64 = 8 * DAY;

impl DayQuota {
    pub(super) fn accrue(&mut self, elapsed_seconds: u64, per_day: u32) {
        let capacity = capacity(per_day);
        let passed = elapsed_seconds.saturating_sub(self.at_elapsed);
        let gained = passed.saturating_mul(7).saturating_mul(u64::from(per_day));
        let accrued = self.accrued.map_or(capacity, |accrued| accrued.saturating_add(gained));
        self.accrued = Some(accrued.min(capacity));
        self.at_elapsed = self.at_elapsed.max(elapsed_seconds);
    }

    /// Takes up to `wanted` items and says how many. Unknown identifiers leave a quarter of the
    /// bucket to those that were heard before.
    pub(super) fn take(&mut self, wanted: u64, per_day: u32, known: bool) -> u64 {
        let accrued = self.accrued.unwrap_or(0);
        let reserved = if known { 0 } else { capacity(per_day) / 4 };
        let granted = wanted.min(accrued.saturating_sub(reserved) / ITEM);
        self.accrued = Some(accrued.saturating_sub(granted.saturating_mul(ITEM)));
        granted
    }
}

/// An eighth of the quota, and at least one item.
const fn capacity(per_day: u32) -> u64 {
    let eighth = DAY * per_day as u64;
    if per_day > 0 && eighth < ITEM { ITEM } else { eighth }
}
