//! What the instructions of `aarch64.rs` do, in plain Rust, so that its tests run on any machine.
//!
//! Names and signatures are those of `core::arch::aarch64`; the steps are those of the Arm
//! Architecture Reference Manual (A64 SIMD: AESE, AESMC, AESD, AESIMC, SHA256H, SHA256H2, SHA256SU0,
//! SHA256SU1). Rounds of AES are a library's, so that no error of ours can be on both sides.

#![allow(non_camel_case_types, reason = "names of the instructions' own header")]
#![allow(clippy::unwrap_used, reason = "a lane is a constant; the model is for tests")]
#![allow(unsafe_code, reason = "vector loads and stores have the signatures of the instructions")]

use aes::Block;
use aes::hazmat::{cipher_round, equiv_inv_cipher_round, inv_mix_columns, mix_columns};

#[derive(Clone, Copy, Debug)]
pub(super) struct uint8x16_t([u8; 16]);

#[derive(Clone, Copy, Debug)]
pub(super) struct uint32x4_t([u32; 4]);

// ------------------------------------------------------------------------- memory and lanes

/// # Safety
///
/// 16 bytes are readable.
pub(super) unsafe fn vld1q_u8(from: *const u8) -> uint8x16_t {
    // SAFETY: the caller's promise; an array of bytes has no alignment.
    uint8x16_t(unsafe { from.cast::<[u8; 16]>().read() })
}

/// # Safety
///
/// 16 bytes are writable.
pub(super) unsafe fn vst1q_u8(to: *mut u8, vector: uint8x16_t) {
    // SAFETY: the caller's promise; an array of bytes has no alignment.
    unsafe { to.cast::<[u8; 16]>().write(vector.0) }
}

/// # Safety
///
/// Four words are readable and aligned.
pub(super) unsafe fn vld1q_u32(from: *const u32) -> uint32x4_t {
    // SAFETY: the caller's promise.
    uint32x4_t(unsafe { from.cast::<[u32; 4]>().read() })
}

pub(super) fn vdupq_n_u8(byte: u8) -> uint8x16_t {
    uint8x16_t([byte; 16])
}

pub(super) fn vgetq_lane_u32<const LANE: i32>(vector: uint32x4_t) -> u32 {
    vector.0[usize::try_from(LANE).unwrap()]
}

pub(super) fn vsetq_lane_u32<const LANE: i32>(word: u32, mut vector: uint32x4_t) -> uint32x4_t {
    vector.0[usize::try_from(LANE).unwrap()] = word;
    vector
}

pub(super) fn vreinterpretq_u32_u8(vector: uint8x16_t) -> uint32x4_t {
    uint32x4_t(lanes(|lane| u32::from_le_bytes(vector.0.as_chunks::<4>().0[lane])))
}

pub(super) fn vreinterpretq_u8_u32(vector: uint32x4_t) -> uint8x16_t {
    let mut bytes = [0; 16];
    for (four, word) in bytes.as_chunks_mut::<4>().0.iter_mut().zip(vector.0) {
        *four = word.to_le_bytes();
    }
    uint8x16_t(bytes)
}

pub(super) fn vrev32q_u8(vector: uint8x16_t) -> uint8x16_t {
    vreinterpretq_u8_u32(uint32x4_t(vreinterpretq_u32_u8(vector).0.map(u32::swap_bytes)))
}

// ------------------------------------------------------------------------------ arithmetic

pub(super) fn veorq_u8(a: uint8x16_t, b: uint8x16_t) -> uint8x16_t {
    uint8x16_t(core::array::from_fn(|byte| a.0[byte] ^ b.0[byte]))
}

pub(super) fn veorq_u32(a: uint32x4_t, b: uint32x4_t) -> uint32x4_t {
    uint32x4_t(lanes(|lane| a.0[lane] ^ b.0[lane]))
}

pub(super) fn vaddq_u32(a: uint32x4_t, b: uint32x4_t) -> uint32x4_t {
    uint32x4_t(lanes(|lane| a.0[lane].wrapping_add(b.0[lane])))
}

// ------------------------------------------------------------------------------------- AES

/// `AddRoundKey`, `SubBytes`, `ShiftRows`: a round of the library without its last two steps.
pub(super) fn vaeseq_u8(block: uint8x16_t, key: uint8x16_t) -> uint8x16_t {
    let mut round = Block::from(veorq_u8(block, key).0);
    cipher_round(&mut round, &Block::default());
    inv_mix_columns(&mut round);
    uint8x16_t(round.into())
}

pub(super) fn vaesmcq_u8(block: uint8x16_t) -> uint8x16_t {
    let mut columns = Block::from(block.0);
    mix_columns(&mut columns);
    uint8x16_t(columns.into())
}

/// `AddRoundKey`, `InvShiftRows`, `InvSubBytes`.
pub(super) fn vaesdq_u8(block: uint8x16_t, key: uint8x16_t) -> uint8x16_t {
    let mut round = Block::from(veorq_u8(block, key).0);
    equiv_inv_cipher_round(&mut round, &Block::default());
    mix_columns(&mut round);
    uint8x16_t(round.into())
}

pub(super) fn vaesimcq_u8(block: uint8x16_t) -> uint8x16_t {
    let mut columns = Block::from(block.0);
    inv_mix_columns(&mut columns);
    uint8x16_t(columns.into())
}

// --------------------------------------------------------------------------------- SHA-256

pub(super) fn vsha256hq_u32(abcd: uint32x4_t, efgh: uint32x4_t, sum: uint32x4_t) -> uint32x4_t {
    four_rounds(abcd, efgh, sum)[0]
}

pub(super) fn vsha256h2q_u32(efgh: uint32x4_t, abcd: uint32x4_t, sum: uint32x4_t) -> uint32x4_t {
    four_rounds(abcd, efgh, sum)[1]
}

fn four_rounds(abcd: uint32x4_t, efgh: uint32x4_t, sum: uint32x4_t) -> [uint32x4_t; 2] {
    let ([mut a, mut b, mut c, mut d], [mut e, mut f, mut g, mut h]) = (abcd.0, efgh.0);
    for word in sum.0 {
        let chosen = (e & f) | (!e & g);
        let majority = (a & b) | (a & c) | (b & c);
        let one = e.rotate_right(6) ^ e.rotate_right(11) ^ e.rotate_right(25);
        let zero = a.rotate_right(2) ^ a.rotate_right(13) ^ a.rotate_right(22);
        let added = h.wrapping_add(one).wrapping_add(chosen).wrapping_add(word);
        (h, g, f, e) = (g, f, e, d.wrapping_add(added));
        (d, c, b, a) = (c, b, a, added.wrapping_add(zero).wrapping_add(majority));
    }
    [uint32x4_t([a, b, c, d]), uint32x4_t([e, f, g, h])]
}

pub(super) fn vsha256su0q_u32(first: uint32x4_t, second: uint32x4_t) -> uint32x4_t {
    let next = [first.0[1], first.0[2], first.0[3], second.0[0]];
    let small = |x: u32| x.rotate_right(7) ^ x.rotate_right(18) ^ (x >> 3);
    uint32x4_t(lanes(|lane| first.0[lane].wrapping_add(small(next[lane]))))
}

pub(super) fn vsha256su1q_u32(
    partial: uint32x4_t,
    third: uint32x4_t,
    fourth: uint32x4_t,
) -> uint32x4_t {
    let back_seven = [third.0[1], third.0[2], third.0[3], fourth.0[0]];
    let small = |x: u32| x.rotate_right(17) ^ x.rotate_right(19) ^ (x >> 10);
    let mut words = lanes(|lane| partial.0[lane].wrapping_add(back_seven[lane]));
    words[0] = words[0].wrapping_add(small(fourth.0[2]));
    words[1] = words[1].wrapping_add(small(fourth.0[3]));
    words[2] = words[2].wrapping_add(small(words[0]));
    words[3] = words[3].wrapping_add(small(words[1]));
    uint32x4_t(words)
}

fn lanes(word: impl Fn(usize) -> u32) -> [u32; 4] {
    core::array::from_fn(word)
}
