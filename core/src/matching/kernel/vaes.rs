//! x86-64 with AVX-512 and VAES: a register holds a block of each of four keys.
//!
//! Sixteen keys are derived together, one in each 32-bit lane. Three things make the encryption
//! cheaper than ten rounds a block:
//!
//! * Four consecutive intervals differ in one byte, so after the first round they differ in one
//!   column: one instruction computes that column for all four.
//! * Only four bytes of each identifier are looked up. AES commutes with a rotation of columns, so
//!   four intervals run under column-rotated key schedules and their last rounds share one
//!   instruction, which leaves the sixteen prefixes packed.
//! * Backwards, after eight rounds, half of the state is a constant of the key; four sightings
//!   share the eighth.

#![allow(unsafe_code, reason = "vector loads and stores, and the calls behind feature detection")]

use core::arch::x86_64::*;

use super::super::filter::Hit;
use super::{GROUP, KEYS, Kernel};

/// Its functions may be called only where [`Vaes::detect`] found the instructions.
macro_rules! features {
    ($($item:item)*) => {$(
        #[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl,bmi1,bmi2,vaes")]
        $item
    )*};
}

mod decrypt;
mod derive;
mod encrypt;
mod rounds;

type Vector = __m512i;

/// Proof that this machine has the instructions.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Vaes(());

impl Vaes {
    pub(crate) fn detect() -> Option<Self> {
        let found = std::is_x86_feature_detected!("avx512f")
            && std::is_x86_feature_detected!("avx512bw")
            && std::is_x86_feature_detected!("avx512dq")
            && std::is_x86_feature_detected!("avx512vl")
            && std::is_x86_feature_detected!("bmi1")
            && std::is_x86_feature_detected!("bmi2")
            && std::is_x86_feature_detected!("vaes");
        found.then_some(Self(()))
    }
}

/// Expanded keys: for each group of four, eleven round keys.
#[derive(Debug)]
pub(crate) struct Schedules([[Vector; 11]; 4]);

impl Kernel for Vaes {
    type Schedules = Schedules;

    // Measured: a decrypted block against an encrypted one with its look-up.
    const DECRYPT_PERCENT: usize = 70;

    fn schedules(self, keys: &[[u8; 16]; KEYS]) -> Schedules {
        // SAFETY: `self` exists only where `detect` found every feature of the function.
        unsafe { derive::schedules(keys) }
    }

    fn encrypt_aligned<const N: usize>(
        self,
        schedules: &Schedules,
        groups: usize,
        quads: &[u32],
        words: &[u32; N],
        hits: &mut Vec<Hit>,
    ) {
        let schedules = schedules.0.get(..groups).unwrap_or(&schedules.0);
        // SAFETY: `self` exists only where `detect` found every feature of the function.
        unsafe { encrypt::encrypt_aligned(schedules, quads, words, hits) }
    }

    fn encrypt_mixed<const N: usize>(
        self,
        schedules: &Schedules,
        starts: &[[u32; GROUP]],
        offsets: &[u32],
        words: &[u32; N],
        hits: &mut Vec<Hit>,
    ) {
        // SAFETY: `self` exists only where `detect` found every feature of the function.
        unsafe { encrypt::encrypt_mixed(&schedules.0, starts, offsets, words, hits) }
    }

    fn decrypt(
        self,
        schedules: &Schedules,
        group: usize,
        epoch: u32,
        identifiers: &[[u8; 16]],
        mut found: impl FnMut(usize, usize),
    ) {
        let Some(schedule) = schedules.0.get(group) else { return };
        // SAFETY: `self` exists only where `detect` found every feature of the function.
        unsafe { decrypt::decrypt(schedule, epoch, identifiers, &mut found) }
    }
}

features! {
#[inline]
fn words(word: u32) -> Vector {
    _mm512_set1_epi32(word.cast_signed())
}

/// The same 16 bytes, as little-endian words, for each of the four keys.
#[inline]
fn blocks(words: [u32; 4]) -> Vector {
    let [a, b, c, d] = words.map(u32::cast_signed);
    _mm512_broadcast_i32x4(_mm_setr_epi32(a, b, c, d))
}

#[inline]
fn xor(a: Vector, b: Vector) -> Vector {
    _mm512_xor_si512(a, b)
}

#[inline]
fn xor3(a: Vector, b: Vector, c: Vector) -> Vector {
    _mm512_ternarylogic_epi32::<0x96>(a, b, c)
}

#[inline]
fn add(a: Vector, b: Vector) -> Vector {
    _mm512_add_epi32(a, b)
}

/// Columns rotated by `N`: column `c` of the result is column `c - N` of `v`.
#[inline]
fn rotated<const N: usize>(v: Vector) -> Vector {
    match N {
        1 => _mm512_shuffle_epi32::<0x93>(v),
        2 => _mm512_shuffle_epi32::<0x4e>(v),
        3 => _mm512_shuffle_epi32::<0x39>(v),
        _ => v,
    }
}
}
