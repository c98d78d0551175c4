//! From keys to what the look-up needs: identifiers of keys, or keys of identifiers.
//!
//! A kernel derives the identifier keys of [`KEYS`] keys at once and expands them. Then it either
//! encrypts intervals and hands the first four bytes of each identifier to a [`Probe`], or it
//! decrypts identifiers and reports those that look like an interval. Both only propose: every
//! proposal is confirmed by the plain derivation of `keys.rs`.
//!
//! This is the only module of the crate with `unsafe` code, and that only in the files of the
//! instruction sets: each call of a function with target features stands behind a value that only
//! feature detection makes.

#[cfg(target_arch = "aarch64")]
mod aarch64;
#[cfg(target_arch = "x86_64")]
mod aes_ni;
mod hkdf;
mod portable;
#[cfg(all(feature = "measure", target_arch = "x86_64"))]
mod throughput;
#[cfg(target_arch = "x86_64")]
mod vaes;

use core::fmt;

#[cfg(target_arch = "aarch64")]
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
/// Prefixes that are looked up together: two quads of four keys' four intervals.
pub(crate) const UNIT: usize = 32;

/// An identifier before it is encrypted, without its interval.
const BLOCK: &[u8; 16] = b"EN-RPI\0\0\0\0\0\0\0\0\0\0";

/// Looks up the prefixes of a unit: that of quad `q` of the unit, key `k` and interval `i` of the
/// quad is at `16 q + 4 k + i`.
pub(crate) trait Probe {
    fn probe(&mut self, unit: usize, prefixes: &[u32; UNIT]);
}

/// An implementation for a set of instructions.
pub(crate) trait Kernel: Copy {
    /// Expanded identifier keys of [`KEYS`] keys, in groups of [`GROUP`].
    type Schedules;

    /// Cost of decrypting an identifier in percent of encrypting an interval and looking it up.
    const DECRYPT_PERCENT: usize;

    fn schedules(self, keys: &[[u8; 16]; KEYS]) -> Self::Schedules;

    /// Encrypts quads of intervals, the same for all keys of the group. Each quad is the first of
    /// four intervals, a multiple of four; all quads are equal but for their lowest byte.
    fn encrypt_aligned<P: Probe>(
        self,
        schedules: &Self::Schedules,
        group: usize,
        quads: &[u32],
        probe: &mut P,
    );

    /// Encrypts quads of intervals, for each key at these offsets from its start.
    fn encrypt_mixed<P: Probe>(
        self,
        schedules: &Self::Schedules,
        group: usize,
        starts: [u32; GROUP],
        offsets: &[u32],
        probe: &mut P,
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
