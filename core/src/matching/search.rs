//! The fast way to the keys that may have been heard.
//!
//! Keys are gathered in batches and ordered by their start. Sixteen neighbours at a time are
//! looked for only among what was heard near their validity: where nothing was, they are skipped;
//! where little was, it is decrypted under each key; elsewhere the intervals near anything heard
//! are encrypted and looked up, first in a filter of the day. What is found may be false, and
//! nothing is missed: [`super::Matcher`] confirms every find by the plain rule.

mod order;

use super::filter::{Filter, Hit};
use super::index::HeardByTime;
#[cfg(target_arch = "aarch64")]
use super::kernel::Armv8;
#[cfg(target_arch = "x86_64")]
use super::kernel::{AesNi, Vaes};
use super::kernel::{GROUP, InstructionSet, KEYS, Kernel, Portable};
use crate::diagnosis_key::DiagnosisKey;
use crate::time::INTERVALS_PER_DAY;
use order::{Entry, Ordered};

/// How the keys that may have been heard are found. The result is the same.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
#[non_exhaustive]
pub enum Strategy {
    /// Whatever costs least for each key and day.
    #[default]
    Automatic,
    /// Intervals are encrypted and looked up.
    Encrypt,
    /// What was heard is decrypted under each key.
    Decrypt,
    /// Every identifier of every key is derived and looked up, one after the other.
    Plain,
}

/// Something that was heard and may be a key's.
#[derive(Clone, Copy)]
pub(super) enum Find {
    /// The key's identifier of this interval starts like one that was heard.
    Interval(u32),
    /// This identifier was heard and may be the key's.
    Identifier([u8; 16]),
}

/// Filters that are kept: two for each of the days that a log holds.
const FILTERS: usize = 32;

/// Looks for keys in what was heard.
#[derive(Debug)]
pub(super) struct Search<'a> {
    heard: &'a HeardByTime,
    /// How far from an identifier's interval a sighting is looked for, in intervals.
    reach: u32,
    instructions: InstructionSet,
    strategy: Strategy,
    filters: Vec<(Span, Filter)>,
    ordered: Ordered,
    quads: Vec<u32>,
    /// First and last interval of the keys starting together that `quads` are planned for.
    planned: Option<(u32, u32)>,
    hits: Vec<Hit>,
}

/// The rolling starts that a filter serves (inclusive).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Span {
    first: u32,
    last: u32,
}

impl Span {
    /// Keys mostly start with the day; the rest share a filter.
    fn around(start: u32) -> Self {
        let first = start / INTERVALS_PER_DAY * INTERVALS_PER_DAY;
        if start == first {
            Self { first, last: first }
        } else {
            Self { first: first + 1, last: first.saturating_add(INTERVALS_PER_DAY - 1) }
        }
    }
}

/// Up to sixteen neighbours of one span.
struct Batch<'e> {
    entries: &'e [Entry],
    span: Span,
    /// The first interval of any, and the last (inclusive).
    first: u32,
    last: u32,
    /// Whether all start with the first.
    together: bool,
}

impl<'e> Batch<'e> {
    /// The next batch of `entries`, which are ordered by start.
    fn next(entries: &'e [Entry]) -> Option<Self> {
        let first = entries.first()?.start;
        let span = Span::around(first);
        let entries = entries.get(..KEYS).unwrap_or(entries);
        let count = entries.partition_point(|entry| entry.start <= span.last);
        let entries = entries.get(..count)?;
        let last = entries.iter().fold(first, |last, entry| last.max(entry.last));
        let together = entries.iter().all(|entry| entry.start == first);
        Some(Self { entries, span, first, last, together })
    }

    fn keys(&self) -> [[u8; 16]; KEYS] {
        let mut keys = [[0; 16]; KEYS];
        for (key, entry) in keys.iter_mut().zip(self.entries) {
            *key = entry.key;
        }
        keys
    }
}

impl<'a> Search<'a> {
    pub(super) fn new(heard: &'a HeardByTime, reach: u32) -> Self {
        Self {
            heard,
            reach,
            instructions: InstructionSet::best(),
            strategy: Strategy::Automatic,
            filters: Vec::new(),
            ordered: Ordered::default(),
            quads: Vec::new(),
            planned: None,
            hits: Vec::new(),
        }
    }

    pub(super) const fn use_instructions(&mut self, instructions: InstructionSet) {
        self.instructions = instructions;
    }

    pub(super) const fn use_strategy(&mut self, strategy: Strategy) {
        self.strategy = strategy;
    }

    pub(super) const fn strategy(&self) -> Strategy {
        self.strategy
    }

    /// Bytes of memory in use beside the index.
    pub(super) fn memory_bytes(&self) -> usize {
        let filters = self.filters.iter().map(|(_, filter)| filter.memory_bytes());
        filters.sum::<usize>() + self.ordered.memory_bytes()
    }

    /// Calls `found` with the place in `keys` and what was found of it, in any order, perhaps
    /// several times.
    pub(super) fn find<'k>(
        &mut self,
        keys: impl Iterator<Item = &'k DiagnosisKey> + Clone,
        found: &mut impl FnMut(u32, Find),
    ) {
        match self.instructions {
            #[cfg(target_arch = "x86_64")]
            InstructionSet::Vaes => {
                if let Some(kernel) = Vaes::detect() {
                    return self.find_with(kernel, keys, found);
                }
            }
            #[cfg(target_arch = "x86_64")]
            InstructionSet::AesNi => {
                if let Some(kernel) = AesNi::detect() {
                    return self.find_with(kernel, keys, found);
                }
            }
            #[cfg(target_arch = "aarch64")]
            InstructionSet::Armv8 => {
                if let Some(kernel) = Armv8::detect() {
                    return self.find_with(kernel, keys, found);
                }
            }
            _ => {}
        }
        self.find_with(Portable, keys, found);
    }

    fn find_with<'k, K: Kernel>(
        &mut self,
        kernel: K,
        keys: impl Iterator<Item = &'k DiagnosisKey> + Clone,
        found: &mut impl FnMut(u32, Find),
    ) {
        let Some((earliest, latest)) = self.heard.span() else { return };
        let from = earliest.saturating_sub(self.reach);
        let to = latest.saturating_add(HeardByTime::COVERED).saturating_add(self.reach);
        let mut ordered = core::mem::take(&mut self.ordered);
        ordered.fill(keys, from, to);
        let mut rest = ordered.entries();
        while let Some(batch) = Batch::next(rest) {
            self.find_batch(kernel, &batch, found);
            rest = rest.get(batch.entries.len()..).unwrap_or_default();
        }
        self.ordered = ordered;
    }

    fn find_batch<K: Kernel>(
        &mut self,
        kernel: K,
        batch: &Batch<'_>,
        found: &mut impl FnMut(u32, Find),
    ) {
        let near = |first: u32, last: u32| {
            (first.saturating_sub(self.reach), last.saturating_add(self.reach))
        };
        let (from, to) = near(batch.first, batch.last);
        let heard = self.heard.heard(from, to);
        if heard.is_empty() {
            return;
        }
        self.plan(batch);
        let same_epoch = batch.first >> 16 == batch.last >> 16;
        let decrypt = same_epoch
            && match self.strategy {
                Strategy::Automatic | Strategy::Plain => {
                    heard.len() * K::DECRYPT_PERCENT < self.quads.len() * 4 * 100
                }
                Strategy::Encrypt => false,
                Strategy::Decrypt => true,
            };
        let schedules = kernel.schedules(&batch.keys());
        if decrypt {
            for (group, entries) in batch.entries.chunks(GROUP).enumerate() {
                let epoch = batch.first >> 16 << 16;
                kernel.decrypt(&schedules, group, epoch, heard, |key, identifier| {
                    if let (Some(entry), Some(identifier)) =
                        (entries.get(key), heard.get(identifier))
                    {
                        found(entry.place, Find::Identifier(*identifier));
                    }
                });
            }
            return;
        }
        self.prepare_filter(batch.span);
        let Some((_, filter)) = self.filters.iter().find(|(span, _)| *span == batch.span) else {
            return;
        };
        match filter {
            Filter::Small(words) => {
                encrypt(
                    kernel,
                    &schedules,
                    batch,
                    &self.quads,
                    words,
                    self.heard,
                    &mut self.hits,
                    found,
                );
            }
            Filter::Medium(words) => {
                encrypt(
                    kernel,
                    &schedules,
                    batch,
                    &self.quads,
                    words,
                    self.heard,
                    &mut self.hits,
                    found,
                );
            }
            Filter::Large(words) => {
                encrypt(
                    kernel,
                    &schedules,
                    batch,
                    &self.quads,
                    words,
                    self.heard,
                    &mut self.hits,
                    found,
                );
            }
            Filter::Huge(words) => {
                encrypt(
                    kernel,
                    &schedules,
                    batch,
                    &self.quads,
                    words,
                    self.heard,
                    &mut self.hits,
                    found,
                );
            }
        }
    }

    /// Fills in the quads of intervals near which anything was heard: intervals if the keys start
    /// together, offsets from each key's start if not.
    fn plan(&mut self, batch: &Batch<'_>) {
        let shape = (batch.first, batch.last);
        let spread = batch.entries.last().map_or(0, |last| last.start - batch.first);
        let (heard, reach) = (self.heard, self.reach);
        let near_anything = |first: u32| {
            let last = first.saturating_add(3).saturating_add(spread).saturating_add(reach);
            !heard.is_silent(first.saturating_sub(reach), last)
        };
        if batch.together {
            if self.planned == Some(shape) {
                return;
            }
            let quads = (batch.first & !3..=batch.last).step_by(4);
            self.quads.clear();
            self.quads.extend(quads.filter(|quad| near_anything(*quad)));
            self.planned = Some(shape);
        } else {
            let longest = batch
                .entries
                .iter()
                .fold(0, |longest, entry| longest.max(entry.last - entry.start));
            self.quads.clear();
            self.quads.extend(
                (0..=longest)
                    .step_by(4)
                    .filter(|offset| near_anything(batch.first.saturating_add(*offset))),
            );
            self.planned = None;
        }
    }

    fn prepare_filter(&mut self, span: Span) {
        if self.filters.iter().any(|(known, _)| *known == span) {
            return;
        }
        let last = span.last.saturating_add(INTERVALS_PER_DAY - 1).saturating_add(self.reach);
        let heard = self.heard.heard(span.first.saturating_sub(self.reach), last);
        if self.filters.len() >= FILTERS {
            self.filters.remove(0);
        }
        self.filters.push((span, Filter::of(heard)));
    }
}

/// Encrypts the planned quads of a batch and reports what passes both filters.
#[expect(clippy::too_many_arguments, reason = "one step of the search, for each size of filter")]
fn encrypt<K: Kernel, const N: usize>(
    kernel: K,
    schedules: &K::Schedules,
    batch: &Batch<'_>,
    quads: &[u32],
    words: &[u32; N],
    heard: &HeardByTime,
    hits: &mut Vec<Hit>,
    found: &mut impl FnMut(u32, Find),
) {
    hits.clear();
    if batch.together {
        let groups = batch.entries.len().div_ceil(GROUP);
        kernel.encrypt_aligned(schedules, groups, quads, words, hits);
    } else {
        let mut starts = [[batch.first; GROUP]; KEYS / GROUP];
        for (start, entry) in starts.as_flattened_mut().iter_mut().zip(batch.entries) {
            *start = entry.start;
        }
        let groups = batch.entries.len().div_ceil(GROUP);
        let starts = starts.get(..groups).unwrap_or(&starts);
        kernel.encrypt_mixed(schedules, starts, quads, words, hits);
    }
    for hit in hits.iter() {
        // Missing keys are encrypted too, and intervals beyond a key's validity.
        let entry = batch.entries.get(hit.group * GROUP + hit.key);
        let (Some(entry), Some(quad)) = (entry, quads.get(hit.quad)) else { continue };
        let start = if batch.together { 0 } else { entry.start };
        let interval = start.wrapping_add(*quad).wrapping_add(hit.interval);
        if (entry.start..=entry.last).contains(&interval) && heard.may_hold(hit.prefix) {
            found(entry.place, Find::Interval(interval));
        }
    }
}
