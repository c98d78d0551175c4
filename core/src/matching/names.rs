//! Which keys are worth a closer look, by their bytes: a bit says that one may be.

use core::fmt;

/// A set of key bytes with false positives.
#[derive(Default)]
pub(super) struct Names {
    words: Vec<u64>,
    names: usize,
}

impl fmt::Debug for Names {
    /// Numbers only: identifiers are not for logs.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Names").field("names", &self.names).finish_non_exhaustive()
    }
}

impl Names {
    /// Bits for each name, at least.
    const BITS: usize = 64;
    /// Words at the start: 8 KiB.
    const WORDS: usize = 1 << 10;
    /// Three bytes of a key choose its bit: 2 MiB at most.
    const WORDS_AT_MOST: usize = 1 << 18;

    pub(super) fn insert(&mut self, name: &[u8; 16]) {
        if self.words.is_empty() {
            self.words.resize(Self::WORDS, 0);
        }
        while self.names * Self::BITS >= self.words.len() * 64
            && self.words.len() < Self::WORDS_AT_MOST
        {
            // The longer index starts with the same bits, so the longer set is the old one twice.
            self.words.extend_from_within(..);
        }
        self.names += 1;
        let (word, bit) = self.place(name);
        if let Some(word) = self.words.get_mut(word) {
            *word |= bit;
        }
    }

    pub(super) fn may_hold(&self, name: &[u8; 16]) -> bool {
        let (word, bit) = self.place(name);
        self.words.get(word).is_some_and(|word| word & bit != 0)
    }

    pub(super) fn memory_bytes(&self) -> usize {
        self.words.capacity() * size_of::<u64>()
    }

    fn place(&self, name: &[u8; 16]) -> (usize, u64) {
        let [a, b, c, bit, ..] = *name;
        let word = u32::from_le_bytes([a, b, c, 0]) as usize;
        (word & self.words.len().wrapping_sub(1), 1 << (bit & 63))
    }
}
