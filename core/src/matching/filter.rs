//! Most identifiers were never heard; a filter says so from the cache.
//!
//! A blocked Bloom filter over the first four bytes of an identifier: one word, two bits of it.

use super::kernel::{Probe, UNIT};

/// The first four bytes of an identifier, as the kernels deliver them.
pub(super) const fn prefix(identifier: &[u8; 16]) -> u32 {
    let [a, b, c, d, ..] = *identifier;
    u32::from_le_bytes([a, b, c, d])
}

/// The words of a filter. Their number is part of the type, so that a masked index needs no check.
#[derive(Debug)]
pub(super) enum Filter {
    /// 32 KiB: stays in the first cache.
    Small(Box<[u64; 1 << 12]>),
    /// 256 KiB.
    Medium(Box<[u64; 1 << 15]>),
    /// 1 MiB: stays in the second cache of most processors.
    Large(Box<[u64; 1 << 17]>),
    /// 8 MiB: for logs that no phone has.
    Huge(Box<[u64; 1 << 20]>),
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

fn zeros<const N: usize>() -> Box<[u64; N]> {
    // On the heap from the start: the array may be larger than a stack.
    vec![0; N].into_boxed_slice().try_into().unwrap_or_else(|_| Box::new([0; N]))
}

fn fill<const N: usize>(words: &mut [u64; N], identifiers: &[[u8; 16]]) {
    for identifier in identifiers {
        let prefix = prefix(identifier);
        words[place::<N>(prefix)] |= 1 << first_bit(prefix) | 1 << second_bit(prefix);
    }
}

/// Which word. The highest 12 bits choose the bits in it.
#[inline(always)]
const fn place<const N: usize>(prefix: u32) -> usize {
    const { assert!(N.is_power_of_two() && N <= 1 << 20) };
    prefix as usize & (N - 1)
}

#[inline(always)]
const fn first_bit(prefix: u32) -> u32 {
    prefix >> 26
}

#[inline(always)]
const fn second_bit(prefix: u32) -> u32 {
    prefix >> 20 & 63
}

/// In bit 0: whether an identifier with this prefix may have been heard.
#[inline(always)]
const fn test<const N: usize>(words: &[u64; N], prefix: u32) -> u64 {
    let word = words[place::<N>(prefix)];
    word >> first_bit(prefix) & word >> second_bit(prefix)
}

/// A prefix that passed the filter, by its place in the kernel's output.
#[derive(Clone, Copy, Debug)]
pub(super) struct Hit {
    pub(super) unit: usize,
    pub(super) place: usize,
    pub(super) prefix: u32,
}

/// Collects what passes the filter.
#[derive(Debug)]
pub(super) struct Lookup<'f, const N: usize> {
    pub(super) words: &'f [u64; N],
    pub(super) hits: &'f mut Vec<Hit>,
}

impl<const N: usize> Lookup<'_, N> {
    #[cold]
    #[inline(never)]
    fn collect(&mut self, unit: usize, prefixes: &[u32; UNIT]) {
        for (place, prefix) in prefixes.iter().copied().enumerate() {
            if test(self.words, prefix) & 1 == 1 {
                self.hits.push(Hit { unit, place, prefix });
            }
        }
    }
}

impl<const N: usize> Probe for Lookup<'_, N> {
    #[inline(always)]
    fn probe(&mut self, unit: usize, prefixes: &[u32; UNIT]) {
        let mut any = 0;
        for prefix in prefixes {
            any |= test(self.words, *prefix);
        }
        if any & 1 == 1 {
            self.collect(unit, prefixes);
        }
    }
}

/// A second filter over the whole log, with other bits, for what passed the first.
#[derive(Debug)]
pub(super) struct SecondFilter {
    words: Vec<u64>,
    shift: u32,
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
