//! Most identifiers were never heard; a filter says so from the cache.
//!
//! A blocked Bloom filter over the first four bytes of an identifier: one word, two bits of it.

use core::fmt;

use super::kernel::{GROUP, UNIT};

/// The first four bytes of an identifier, as the kernels deliver them.
pub(super) const fn prefix(identifier: &[u8; 16]) -> u32 {
    let [a, b, c, d, ..] = *identifier;
    u32::from_le_bytes([a, b, c, d])
}

/// The words of a filter. Their number is part of the type, so that a masked index needs no check.
pub(super) enum Filter {
    /// 32 KiB: stays in the first cache.
    Small(Box<[u32; 1 << 13]>),
    /// 256 KiB.
    Medium(Box<[u32; 1 << 16]>),
    /// 1 MiB: stays in the second cache of most processors.
    Large(Box<[u32; 1 << 18]>),
    /// 8 MiB: for logs that no phone has.
    Huge(Box<[u32; 1 << 21]>),
}

impl fmt::Debug for Filter {
    /// Numbers only: identifiers are not for logs.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Filter").finish_non_exhaustive()
    }
}

impl Filter {
    /// A filter of these identifiers.
    pub(super) fn of(identifiers: &[[u8; 16]]) -> Self {
        let mut filter = match identifiers.len() {
            0..3_000 => Self::Small(zeros()),
            3_000..40_000 => Self::Medium(zeros()),
            40_000..400_000 => Self::Large(zeros()),
            _ => Self::Huge(zeros()),
        };
        match &mut filter {
            Self::Small(words) => fill(words, identifiers),
            Self::Medium(words) => fill(words, identifiers),
            Self::Large(words) => fill(words, identifiers),
            Self::Huge(words) => fill(words, identifiers),
        }
        filter
    }

    pub(super) fn memory_bytes(&self) -> usize {
        match self {
            Self::Small(words) => size_of_val(&**words),
            Self::Medium(words) => size_of_val(&**words),
            Self::Large(words) => size_of_val(&**words),
            Self::Huge(words) => size_of_val(&**words),
        }
    }
}

fn zeros<const N: usize>() -> Box<[u32; N]> {
    // On the heap from the start: the array may be larger than a stack.
    vec![0; N].into_boxed_slice().try_into().unwrap_or_else(|_| Box::new([0; N]))
}

fn fill<const N: usize>(words: &mut [u32; N], identifiers: &[[u8; 16]]) {
    for identifier in identifiers {
        let prefix = prefix(identifier);
        words[place::<N>(prefix)] |=
            HIGHEST.rotate_right(prefix) | HIGHEST.rotate_right(prefix >> 5);
    }
}

const HIGHEST: u32 = 1 << 31;

/// Which word of a filter: the bits of the prefix above the ten that choose two bits of the word.
#[inline(always)]
pub(super) const fn place<const N: usize>(prefix: u32) -> usize {
    const { assert!(N.is_power_of_two() && N <= 1 << 22) };
    (prefix >> 10) as usize & (N - 1)
}

/// In the highest bit: whether an identifier with this prefix may have been heard.
#[inline(always)]
const fn test<const N: usize>(words: &[u32; N], prefix: u32) -> u32 {
    let word = words[place::<N>(prefix)];
    word.rotate_left(prefix) & word.rotate_left(prefix >> 5)
}

/// Two quads of intervals of a group of keys: places in the caller's list of quads. The second is
/// missing where their number is odd.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Unit {
    pub(super) group: u8,
    pub(super) first: u16,
    pub(super) second: Option<u16>,
}

/// A prefix that passed the filter.
#[derive(Clone, Copy, Debug)]
pub(super) struct Hit {
    pub(super) group: usize,
    /// Key of the group.
    pub(super) key: usize,
    /// Place in the caller's list of quads.
    pub(super) quad: usize,
    /// Interval of the quad.
    pub(super) interval: u32,
    pub(super) prefix: u32,
}

impl Unit {
    /// The prefix at `place` of this unit; `None` if it is only there to fill the unit.
    pub(super) fn hit(self, place: usize, prefix: u32) -> Option<Hit> {
        let quad = if place < UNIT / 2 { self.first } else { self.second? };
        Some(Hit {
            group: self.group.into(),
            key: place / 4 % GROUP,
            quad: quad.into(),
            interval: [0, 1, 2, 3][place % 4],
            prefix,
        })
    }
}

/// Looks a unit's prefixes up, one by one.
#[inline(always)]
pub(super) fn look_up<const N: usize>(
    words: &[u32; N],
    unit: Unit,
    prefixes: &[u32; UNIT],
    hits: &mut Vec<Hit>,
) {
    let mut any = 0;
    for prefix in prefixes {
        any |= test(words, *prefix);
    }
    if any & HIGHEST != 0 {
        collect(words, unit, prefixes, hits);
    }
}

#[cold]
#[inline(never)]
fn collect<const N: usize>(
    words: &[u32; N],
    unit: Unit,
    prefixes: &[u32; UNIT],
    hits: &mut Vec<Hit>,
) {
    for (place, prefix) in prefixes.iter().copied().enumerate() {
        if test(words, prefix) & HIGHEST != 0 {
            hits.extend(unit.hit(place, prefix));
        }
    }
}

/// A second filter over the whole log, with other bits, for what passed the first.
pub(super) struct SecondFilter {
    words: Vec<u64>,
    shift: u32,
}

impl fmt::Debug for SecondFilter {
    /// Numbers only: identifiers are not for logs.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SecondFilter").field("words", &self.words.len()).finish_non_exhaustive()
    }
}

impl SecondFilter {
    /// Sixteen bits an entry, three of them set.
    pub(super) fn of(identifiers: &[[u8; 16]]) -> Self {
        let words = (identifiers.len() / 4).next_power_of_two().clamp(64, 1 << 26);
        let shift = 32 - words.trailing_zeros();
        let mut filter = Self { words: vec![0; words], shift };
        for identifier in identifiers {
            let (place, bits) = filter.place(prefix(identifier));
            if let Some(word) = filter.words.get_mut(place) {
                *word |= bits;
            }
        }
        filter
    }

    fn place(&self, prefix: u32) -> (usize, u64) {
        let mixed = (prefix ^ prefix >> 15).wrapping_mul(0x9e37_79b1);
        let other = prefix.wrapping_mul(0x85eb_ca6b).rotate_left(13);
        let bits = 1 << (other & 63) | 1 << (other >> 6 & 63) | 1 << (other >> 12 & 63);
        ((mixed >> self.shift) as usize, bits)
    }

    pub(super) fn may_hold(&self, prefix: u32) -> bool {
        let (place, bits) = self.place(prefix);
        self.words.get(place).is_some_and(|word| word & bits == bits)
    }

    pub(super) fn memory_bytes(&self) -> usize {
        self.words.len() * size_of::<u64>()
    }
}
