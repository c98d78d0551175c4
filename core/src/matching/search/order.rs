//! Keys by their start, so that neighbours look for the same sightings.

use core::fmt;

use crate::diagnosis_key::DiagnosisKey;
use crate::time::INTERVALS_PER_DAY;

/// What of a key the search needs.
#[derive(Clone, Copy, Default)]
pub(super) struct Entry {
    pub(super) key: [u8; 16],
    /// The first interval and the last (inclusive).
    pub(super) start: u32,
    pub(super) last: u32,
    /// The key's place in the caller's list.
    pub(super) place: u32,
}

impl fmt::Debug for Entry {
    /// Numbers only: identifiers are not for logs.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Entry").field("start", &self.start).finish_non_exhaustive()
    }
}

impl Entry {
    fn of(key: &DiagnosisKey, place: u32) -> Self {
        let start = key.rolling_start().get();
        let last = key.rolling_end().get().saturating_sub(1);
        Self { key: *key.as_bytes(), start, last, place }
    }
}

/// Keys ordered by start; the memory is used again.
#[derive(Debug, Default)]
pub(super) struct Ordered {
    entries: Vec<Entry>,
    /// For each start from the earliest, where its next key goes.
    places: Vec<u32>,
}

impl Ordered {
    /// Starts that are counted one by one: a year and a quarter.
    const LONGEST_COUNT: u32 = 1 << 16;

    /// Takes the keys that are valid in any interval of `from..=to`.
    pub(super) fn fill<'k>(
        &mut self,
        keys: impl Iterator<Item = &'k DiagnosisKey> + Clone,
        from: u32,
        to: u32,
    ) {
        let relevant = || {
            let entries = keys.clone().zip(0..u32::MAX).map(|(key, place)| Entry::of(key, place));
            // A key at the end of time has no interval at all.
            let valid = entries.filter(|entry| entry.start <= entry.last);
            valid.filter(move |entry| entry.start <= to && entry.last >= from)
        };
        self.entries.clear();
        // A key that is valid in `from` starts less than a day before.
        let first = from.saturating_sub(INTERVALS_PER_DAY - 1);
        let span = to.saturating_sub(first);
        if span >= Self::LONGEST_COUNT {
            self.entries.extend(relevant());
            self.entries.sort_unstable_by_key(|entry| entry.start);
            return;
        }
        self.places.clear();
        self.places.resize(span as usize + 2, 0);
        for entry in relevant() {
            if let Some(count) = self.places.get_mut((entry.start - first) as usize + 1) {
                *count += 1;
            }
        }
        let mut sum = 0;
        for count in &mut self.places {
            sum += *count;
            *count = sum;
        }
        self.entries.resize(sum as usize, Entry::default());
        for entry in relevant() {
            if let Some(place) = self.places.get_mut((entry.start - first) as usize) {
                if let Some(slot) = self.entries.get_mut(*place as usize) {
                    *slot = entry;
                }
                *place += 1;
            }
        }
    }

    pub(super) fn entries(&self) -> &[Entry] {
        &self.entries
    }

    pub(super) fn memory_bytes(&self) -> usize {
        self.entries.capacity() * size_of::<Entry>() + self.places.capacity() * size_of::<u32>()
    }
}
