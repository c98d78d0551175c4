//! From keys to what the look-up needs: identifiers of keys, or keys of identifiers.
//!
//! A kernel derives the identifier keys of [`KEYS`] keys at once and expands them. Then it either
//! encrypts intervals and reports those whose identifiers' first four bytes pass a filter, or it
//! decrypts identifiers and reports those that look like an interval. Both only propose: every
//! proposal is confirmed by the plain derivation of `keys.rs`.
//!
//! This is the only module of the crate with `unsafe` code, and that only in the files of the
//! instruction sets: each call of a function with target features stands behind a value that only
//! feature detection makes.

#[cfg(any(target_arch = "aarch64", test))]
mod aarch64;
#[cfg(target_arch = "x86_64")]
mod aes_ni;
#[cfg(all(test, not(target_arch = "aarch64")))]
mod armv8_model;
mod hkdf;
mod portable;
#[cfg(all(feature = "measure", target_arch = "x86_64"))]
mod throughput;
#[cfg(target_arch = "x86_64")]
mod vaes;

use core::fmt;

use super::filter::{Hit, Unit};

#[cfg(any(target_arch = "aarch64", test))]
pub(crate) use aarch64::Armv8;
#[cfg(target_arch = "x86_64")]
pub(crate) use aes_ni::AesNi;
pub(crate) use portable::Portable;
#[cfg(all(feature = "measure", target_arch = "x86_64"))]
pub use throughput::Loop;
#[cfg(target_arch = "x86_64")]
pub(crate) use vaes::Vaes;

/// Keys that are derived together.
pub(crate) const KEYS: usize = 16;
/// Keys that are encrypted together.
pub(crate) const GROUP: usize = 4;
/// Prefixes that are looked up together: two quads of four keys' four intervals. That of quad `q`
/// of the unit, key `k` of the group and interval `i` of the quad is at `16 q + 4 k + i`.
pub(crate) const UNIT: usize = 32;

/// An identifier before it is encrypted, without its interval.
const BLOCK: &[u8; 16] = b"EN-RPI\0\0\0\0\0\0\0\0\0\0";

/// An implementation for a set of instructions.
pub(crate) trait Kernel: Copy {
    /// Expanded identifier keys of [`KEYS`] keys, in groups of [`GROUP`].
    type Schedules;

    /// Cost of decrypting an identifier in percent of encrypting an interval and looking it up.
    const DECRYPT_PERCENT: usize;

    fn schedules(self, keys: &[[u8; 16]; KEYS]) -> Self::Schedules;

    /// Encrypts quads of intervals under the keys of the first `groups` groups. Each quad is the
    /// first of four intervals, a multiple of four. What passes the filter `words` is added to
    /// `hits`.
    fn encrypt_aligned<const N: usize>(
        self,
        schedules: &Self::Schedules,
        groups: usize,
        quads: &[u32],
        words: &[u32; N],
        hits: &mut Vec<Hit>,
    );

    /// As [`Kernel::encrypt_aligned`], for each key at these offsets from its start.
    fn encrypt_mixed<const N: usize>(
        self,
        schedules: &Self::Schedules,
        starts: &[[u32; GROUP]],
        offsets: &[u32],
        words: &[u32; N],
        hits: &mut Vec<Hit>,
    );

    /// Reports `(key of the group, identifier)` where the decrypted identifier may be an interval
    /// whose higher 16 bits are those of `epoch`. The lower 16 bits of `epoch` are zero.
    fn decrypt(
        self,
        schedules: &Self::Schedules,
        group: usize,
        epoch: u32,
        identifiers: &[[u8; 16]],
        found: impl FnMut(usize, usize),
    );
}

/// The quads in twos, as units of this group; an odd last one is done twice.
fn units(group: usize, quads: &[u32], first: usize) -> impl Iterator<Item = (Unit, [u32; 2])> {
    let group = u8::try_from(group).unwrap_or(u8::MAX);
    let place = move |place: usize| u16::try_from(first + place).unwrap_or(u16::MAX);
    quads.chunks(2).enumerate().map(move |(number, quads)| {
        let unit = |second| Unit { group, first: place(number * 2), second };
        match *quads {
            [one, other] => (unit(Some(place(number * 2 + 1))), [one, other]),
            [one, ..] => (unit(None), [one; 2]),
            [] => (unit(None), [0; 2]),
        }
    })
}

/// A set of instructions that matching can use. All give the same result.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub enum InstructionSet {
    /// Whatever there is, through portable libraries.
    Portable,
    /// x86-64: AES-NI, and SHA-NI if there is.
    AesNi,
    /// x86-64: AVX-512 and VAES.
    Vaes,
    /// 64-bit ARM: the AES and SHA-2 extensions of ARMv8.
    Armv8,
}

impl InstructionSet {
    /// Every set, the slowest first.
    pub const ALL: [Self; 4] = [Self::Portable, Self::AesNi, Self::Vaes, Self::Armv8];

    /// Whether this machine has it.
    #[must_use]
    pub fn is_available(self) -> bool {
        match self {
            Self::Portable => true,
            #[cfg(target_arch = "x86_64")]
            Self::AesNi => AesNi::detect().is_some(),
            #[cfg(target_arch = "x86_64")]
            Self::Vaes => Vaes::detect().is_some(),
            #[cfg(target_arch = "aarch64")]
            Self::Armv8 => Armv8::detect().is_some(),
            #[cfg(not(target_arch = "x86_64"))]
            Self::AesNi | Self::Vaes => false,
            #[cfg(not(target_arch = "aarch64"))]
            Self::Armv8 => false,
        }
    }

    /// The fastest that this machine has.
    #[must_use]
    pub fn best() -> Self {
        Self::ALL.into_iter().rev().find(|set| set.is_available()).unwrap_or(Self::Portable)
    }

    /// Its name in results and command lines.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Portable => "portable",
            Self::AesNi => "aes-ni",
            Self::Vaes => "vaes",
            Self::Armv8 => "armv8",
        }
    }
}

impl fmt::Display for InstructionSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

#[cfg(test)]
mod tests;
