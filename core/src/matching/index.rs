//! Everything heard, in the two orders that matching needs.

use std::sync::OnceLock;

use super::filter::SecondFilter;
use crate::keys::RollingProximityIdentifier;
use crate::sighting::Sighting;

/// Everything heard, by identifier and by time.
///
/// The orders are made when they are first needed and kept; inserting discards them.
#[derive(Debug, Default)]
pub struct SightingIndex {
    sightings: Vec<Sighting>,
    orders: OnceLock<Orders>,
}

#[derive(Debug)]
struct Orders {
    /// Places in `sightings`, by identifier.
    by_identifier: Vec<u32>,
    /// Where in `by_identifier` each bucket ends; an identifier's first bits are its bucket.
    bucket_ends: Vec<u32>,
    identifiers: usize,
    by_time: HeardByTime,
}

impl SightingIndex {
    /// An index of nothing.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a sighting; the order of insertion does not matter.
    pub fn insert(&mut self, sighting: Sighting) {
        self.orders.take();
        self.sightings.push(sighting);
    }

    /// How many different identifiers were heard.
    #[must_use]
    pub fn identifiers(&self) -> usize {
        self.orders().identifiers
    }

    /// Bytes of memory in use, the orders included as far as they exist.
    #[must_use]
    pub fn memory_bytes(&self) -> usize {
        let orders = self.orders.get().map_or(0, |orders| {
            let places = orders.by_identifier.capacity() + orders.bucket_ends.capacity();
            places * size_of::<u32>() + orders.by_time.memory_bytes()
        });
        self.sightings.capacity() * size_of::<Sighting>() + orders
    }

    /// All sightings of an identifier, in any order.
    pub(super) fn heard(&self, identifier: &RollingProximityIdentifier) -> Vec<Sighting> {
        self.sightings_of(identifier).copied().collect()
    }

    /// Whether the identifier was heard.
    pub(super) fn holds(&self, identifier: &RollingProximityIdentifier) -> bool {
        self.sightings_of(identifier).next().is_some()
    }

    fn sightings_of(
        &self,
        identifier: &RollingProximityIdentifier,
    ) -> impl Iterator<Item = &Sighting> {
        let identifier = *identifier;
        let places = self.orders().bucket(&identifier);
        let sightings = places.iter().filter_map(|place| self.sightings.get(*place as usize));
        sightings.filter(move |s| s.advertisement.identifier == identifier)
    }

    pub(super) fn by_time(&self) -> &HeardByTime {
        &self.orders().by_time
    }

    fn orders(&self) -> &Orders {
        self.orders.get_or_init(|| Orders::of(&self.sightings))
    }
}

impl Extend<Sighting> for SightingIndex {
    fn extend<T: IntoIterator<Item = Sighting>>(&mut self, sightings: T) {
        self.orders.take();
        self.sightings.extend(sightings);
    }
}

impl FromIterator<Sighting> for SightingIndex {
    fn from_iter<T: IntoIterator<Item = Sighting>>(sightings: T) -> Self {
        let mut index = Self::new();
        index.extend(sightings);
        index
    }
}

/// The first bits of an identifier, as many as say which of `buckets` it is in.
fn bucket_of(identifier: &[u8; 16], buckets: usize) -> usize {
    let [a, b, c, d, ..] = *identifier;
    let first = u64::from(u32::from_be_bytes([a, b, c, d]));
    ((first * buckets as u64) >> 32) as usize
}

impl Orders {
    fn bucket(&self, identifier: &RollingProximityIdentifier) -> &[u32] {
        let bucket = bucket_of(identifier.as_bytes(), self.bucket_ends.len());
        let end = |bucket: usize| self.bucket_ends.get(bucket).map_or(0, |end| *end as usize);
        let start = bucket.checked_sub(1).map_or(0, end);
        self.by_identifier.get(start..end(bucket)).unwrap_or_default()
    }

    fn of(sightings: &[Sighting]) -> Self {
        // The first eight bytes decide nearly always, and are beside the place while sorting.
        let mut keyed: Vec<_> = sightings
            .iter()
            .zip(0..u32::MAX)
            .map(|(sighting, place)| {
                let bytes = sighting.advertisement.identifier.as_bytes();
                let (head, tail) = bytes.split_at(8);
                let number = |part: &[u8]| {
                    part.first_chunk().map_or(0, |bytes: &[u8; 8]| u64::from_be_bytes(*bytes))
                };
                (number(head), number(tail), sighting.heard_at.interval().get(), place)
            })
            .collect();
        keyed.sort_unstable();

        let mut identifiers = 0;
        let mut entries = Vec::with_capacity(keyed.len());
        for same in keyed.chunk_by(|a, b| (a.0, a.1) == (b.0, b.1)) {
            identifiers += 1;
            let mut covered_until = None;
            for &(head, tail, interval, _) in same {
                if covered_until.is_none_or(|until| interval > until) {
                    covered_until = Some(interval.saturating_add(HeardByTime::COVERED));
                    let identifier = u128::from(head) << 64 | u128::from(tail);
                    entries.push((interval, identifier.to_be_bytes()));
                }
            }
        }
        let mut bucket_ends = vec![0; (sightings.len() / 4).next_power_of_two()];
        for sighting in sightings {
            let identifier = sighting.advertisement.identifier.as_bytes();
            let bucket = bucket_of(identifier, bucket_ends.len());
            if let Some(end) = bucket_ends.get_mut(bucket) {
                *end += 1;
            }
        }
        let mut sum = 0;
        for end in &mut bucket_ends {
            sum += *end;
            *end = sum;
        }
        let by_identifier = keyed.into_iter().map(|(_, _, _, place)| place).collect();
        entries.sort_unstable_by_key(|(interval, _)| *interval);
        let by_time = HeardByTime::of(&entries);
        Self { by_identifier, bucket_ends, identifiers, by_time }
    }
}

/// Identifiers by the interval in which they were heard.
///
/// A phone repeats its identifier for some twenty minutes. An entry stands for all sightings of
/// its identifier from its interval to [`Self::COVERED`] intervals later.
#[derive(Debug)]
pub(super) struct HeardByTime {
    intervals: Vec<u32>,
    identifiers: Vec<[u8; 16]>,
    /// For each step of intervals from the first entry's, how many entries lie before it.
    before: Vec<u32>,
    step: u32,
    /// All identifiers, whenever they were heard.
    filter: SecondFilter,
}

impl HeardByTime {
    pub(super) const COVERED: u32 = 3;
    /// Steps are longer than one interval only in a log of more than a year.
    const STEPS: u32 = 1 << 16;

    fn of(entries: &[(u32, [u8; 16])]) -> Self {
        let intervals: Vec<_> = entries.iter().map(|(interval, _)| *interval).collect();
        let identifiers: Vec<_> = entries.iter().map(|(_, identifier)| *identifier).collect();
        let filter = SecondFilter::of(&identifiers);
        let mut before = Vec::new();
        let mut step = 1;
        if let (Some(first), Some(last)) = (intervals.first(), intervals.last()) {
            let span = last - first;
            step = span / Self::STEPS + 1;
            before.resize((span / step) as usize + 2, 0);
            for interval in &intervals {
                if let Some(count) = before.get_mut(((interval - first) / step) as usize + 1) {
                    *count += 1;
                }
            }
            let mut sum = 0;
            for count in &mut before {
                sum += *count;
                *count = sum;
            }
        }
        Self { intervals, identifiers, before, step, filter }
    }

    fn memory_bytes(&self) -> usize {
        (self.intervals.capacity() + self.before.capacity()) * size_of::<u32>()
            + self.identifiers.capacity() * 16
            + self.filter.memory_bytes()
    }

    pub(super) fn len(&self) -> usize {
        self.identifiers.len()
    }

    /// Whether any identifier with this prefix may have been heard at any time.
    pub(super) fn may_hold(&self, prefix: u32) -> bool {
        self.filter.may_hold(prefix)
    }

    /// Interval of the earliest and of the last entry.
    pub(super) fn span(&self) -> Option<(u32, u32)> {
        Some((*self.intervals.first()?, *self.intervals.last()?))
    }

    /// How many entries lie before `interval`.
    fn before(&self, interval: u32) -> usize {
        let Some(first) = self.intervals.first() else { return 0 };
        let Some(offset) = interval.checked_sub(*first) else { return 0 };
        let step = (offset / self.step) as usize;
        let Some(low) = self.before.get(step) else { return self.intervals.len() };
        let low = *low as usize;
        if self.step == 1 {
            return low;
        }
        let high = self.before.get(step + 1).map_or(self.intervals.len(), |high| *high as usize);
        let within = self.intervals.get(low..high).unwrap_or_default();
        low + within.partition_point(|entry| *entry < interval)
    }

    /// The entries with sightings from `first` to `last` (inclusive), and perhaps some before.
    pub(super) fn heard(&self, first: u32, last: u32) -> &[[u8; 16]] {
        let low = self.before(first.saturating_sub(Self::COVERED));
        let high = last.checked_add(1).map_or(self.len(), |end| self.before(end));
        self.identifiers.get(low..high).unwrap_or_default()
    }

    /// Whether `heard` finds any.
    pub(super) fn is_silent(&self, first: u32, last: u32) -> bool {
        self.heard(first, last).is_empty()
    }
}
