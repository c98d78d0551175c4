//! Backwards: what was heard is decrypted under four keys.

use core::arch::x86_64::*;

use super::{Vector, blocks, words, xor};

features! {
/// Bytes of the block of rotation `N` that the inverse shift of rows moves into column 0's rotated
/// place.
#[inline]
const fn inverse_rows_of<const N: usize>() -> u64 {
    let mut mask = 0;
    let mut row = 0;
    while row < 4 {
        mask |= 1 << (4 * ((N + 4 - row) % 4) + row);
        row += 1;
    }
    mask | mask << 16 | mask << 32 | mask << 48
}

#[inline]
fn broadcast(block: &[u8; 16]) -> Vector {
    // SAFETY: the reference is to 16 readable bytes; the load needs no alignment.
    let block = unsafe { _mm_loadu_si128(block.as_ptr().cast()) };
    _mm512_broadcast_i32x4(block)
}

/// Tries every identifier under four keys; reports `(key, identifier)` if 16 bits of the decrypted
/// block are right.
pub(super) fn decrypt(
    schedule: &[Vector; 11],
    epoch: u32,
    identifiers: &[[u8; 16]],
    found: &mut impl FnMut(usize, usize),
) {
    let zero = words(0);
    // The equivalent inverse cipher's keys of rounds 9..=2.
    let mut keys = [zero; 8];
    for (key, encryption) in keys.iter_mut().zip(schedule[2..10].iter().rev()) {
        *key = _mm512_aesdec_epi128(_mm512_aesenclast_epi128(*encryption, zero), zero);
    }
    // The state after round 1 of any interval of this epoch, up to two of its columns.
    let start = blocks([
        u32::from_le_bytes(*b"EN-R"),
        u32::from_le_bytes(*b"PI\0\0"),
        0,
        epoch,
    ]);
    let state = _mm512_aesenc_epi128(xor(start, schedule[0]), schedule[1]);
    let expected = _mm512_aesenclast_epi128(state, zero);
    let known = blocks([0x0000_ffff, 0xff00_00ff, 0xffff_0000, 0x00ff_ff00]);
    let last = schedule[10];

    let (eights, rest) = identifiers.as_chunks::<8>();
    let mut tail = [[0; 16]; 8];
    for (place, identifier) in tail.iter_mut().zip(rest) {
        *place = *identifier;
    }
    let tail = if rest.is_empty() { None } else { Some(&tail) };
    for (number, eight) in eights.iter().chain(tail).enumerate() {
        let mut states = [zero; 8];
        for (state, identifier) in states.iter_mut().zip(eight) {
            *state = xor(broadcast(identifier), last);
        }
        for key in &keys[..7] {
            for state in &mut states {
                *state = _mm512_aesdec_epi128(*state, *key);
            }
        }
        let mut hits = 0_u32;
        for (half, s) in states.as_chunks::<4>().0.iter().enumerate() {
            let odd = _mm512_mask_blend_epi8(const { inverse_rows_of::<1>() }, s[0], s[1]);
            let even = _mm512_mask_blend_epi8(const { inverse_rows_of::<3>() }, s[2], s[3]);
            let columns = _mm512_mask_blend_epi8(
                const { inverse_rows_of::<2>() | inverse_rows_of::<3>() },
                odd,
                even,
            );
            let columns = _mm512_aesdec_epi128(columns, keys[7]);
            let difference = _mm512_and_si512(xor(columns, expected), known);
            let equal = _mm512_testn_epi32_mask(difference, difference);
            hits |= u32::from(equal) << (16 * half);
        }
        while hits != 0 {
            let bit = hits.trailing_zeros() as usize;
            hits &= hits - 1;
            let identifier = number * 8 + bit / 16 * 4 + bit % 4;
            if identifier < identifiers.len() {
                found(bit / 4 % 4, identifier);
            }
        }
    }
}
}
