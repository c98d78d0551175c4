//! Sixteen keys at a time, one in each 32-bit lane: HKDF-SHA256, then the key schedule of AES-128.

use core::arch::x86_64::*;

use super::super::{KEYS, hkdf};
use super::{Schedules, Vector, add, blocks, words, xor, xor3};

/// Sixteen compressions, one in each lane. Written out where it is used, because half of each block
/// of HKDF is constant, and so is much of its schedule.
macro_rules! compress {
    ($before:expr, $block:expr) => {{
        let (before, mut w): (&[Vector; 8], [Vector; 16]) = ($before, $block);
        let mut state = *before;
        let (first, rest) = hkdf::ROUND.as_chunks::<16>().0.split_at(1);
        for constants in first {
            sixteen!(T => state = round(state, add(w[T], words(constants[T]))));
        }
        for constants in rest {
            sixteen!(T => {
                extend(&mut w, T);
                state = round(state, add(w[T], words(constants[T])));
            });
        }
        sum(state, before)
    }};
}

/// Writes `$body` out for `$t` from 0 to 15. As a loop, the compiler would keep the schedule in
/// memory, whose words it must load and store in every round; so, it stays in registers.
macro_rules! sixteen {
    ($t:ident => $body:expr) => {
        sixteen!($t => $body; 0 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15)
    };
    ($t:ident => $body:expr; $($number:literal)*) => {
        $({
            const $t: usize = $number;
            $body;
        })*
    };
}

features! {
/// One round; `w` is the schedule's word with the round constant.
#[inline]
fn round(state: [Vector; 8], w: Vector) -> [Vector; 8] {
    let [a, b, c, d, e, f, g, h] = state;
    let s1 = xor3(
        _mm512_ror_epi32::<6>(e),
        _mm512_ror_epi32::<11>(e),
        _mm512_ror_epi32::<25>(e),
    );
    let choice = _mm512_ternarylogic_epi32::<0xca>(e, f, g);
    let t1 = add(add(add(h, w), choice), s1);
    let s0 = xor3(
        _mm512_ror_epi32::<2>(a),
        _mm512_ror_epi32::<13>(a),
        _mm512_ror_epi32::<22>(a),
    );
    let majority = _mm512_ternarylogic_epi32::<0xe8>(a, b, c);
    [add(t1, add(s0, majority)), a, b, c, add(d, t1), e, f, g]
}

/// The next word of the schedule, in the place of the one sixteen before it.
#[inline]
fn extend(w: &mut [Vector; 16], t: usize) {
    let (a, b) = (w[(t + 1) & 15], w[(t + 14) & 15]);
    let s0 = xor3(
        _mm512_ror_epi32::<7>(a),
        _mm512_ror_epi32::<18>(a),
        _mm512_srli_epi32::<3>(a),
    );
    let s1 = xor3(
        _mm512_ror_epi32::<17>(b),
        _mm512_ror_epi32::<19>(b),
        _mm512_srli_epi32::<10>(b),
    );
    w[t & 15] = add(add(w[t & 15], s0), add(w[(t + 9) & 15], s1));
}

/// The message `body ‖ end` behind a padded block of HMAC, of `BITS` in all.
#[inline(never)]
fn compress_message<const WORDS: usize, const BITS: u32>(
    before: &[Vector; 8],
    body: &[Vector; WORDS],
) -> [Vector; 8] {
    let mut block = [words(0); 16];
    for (word, body) in block.iter_mut().zip(body) {
        *word = *body;
    }
    block[WORDS] = words(hkdf::MESSAGE_END);
    block[15] = words(BITS);
    compress!(before, block)
}

/// An HMAC key with its padding, the first block of either of its two messages.
#[inline(never)]
fn compress_key<const PAD: u32>(key: &[Vector; 8]) -> [Vector; 8] {
    let mut block = [words(PAD); 16];
    for (word, key) in block.iter_mut().zip(key) {
        *word = xor(*word, *key);
    }
    let before = constants(&hkdf::INITIAL);
    compress!(&before, block)
}

/// Sixteen compressions of the one block that is the same for every key.
#[inline(never)]
fn compress_info(before: &[Vector; 8]) -> [Vector; 8] {
    let mut state = *before;
    for constants in hkdf::INFO_ROUND.as_chunks::<16>().0 {
        sixteen!(T => state = round(state, words(constants[T])));
    }
    sum(state, before)
}

#[inline]
fn sum(mut state: [Vector; 8], before: &[Vector; 8]) -> [Vector; 8] {
    for (word, before) in state.iter_mut().zip(before) {
        *word = add(*word, *before);
    }
    state
}

#[inline]
fn constants(state: &[u32; 8]) -> [Vector; 8] {
    let mut vectors = [words(0); 8];
    for (vector, word) in vectors.iter_mut().zip(state) {
        *vector = words(*word);
    }
    vectors
}

#[inline]
fn load(bytes: &[[u8; 16]; 4]) -> Vector {
    // SAFETY: the reference is to 64 readable bytes; the load needs no alignment.
    unsafe { _mm512_loadu_si512(bytes.as_ptr().cast()) }
}

/// 4 × 4 words transposed within each 128-bit lane; its own inverse.
#[inline]
fn transposed(rows: [Vector; 4]) -> [Vector; 4] {
    let a = _mm512_unpacklo_epi32(rows[0], rows[1]);
    let b = _mm512_unpackhi_epi32(rows[0], rows[1]);
    let c = _mm512_unpacklo_epi32(rows[2], rows[3]);
    let d = _mm512_unpackhi_epi32(rows[2], rows[3]);
    [
        _mm512_unpacklo_epi64(a, c),
        _mm512_unpackhi_epi64(a, c),
        _mm512_unpacklo_epi64(b, d),
        _mm512_unpackhi_epi64(b, d),
    ]
}

#[inline]
fn bytes_swapped(v: Vector) -> Vector {
    _mm512_shuffle_epi8(v, blocks([0x0001_0203, 0x0405_0607, 0x0809_0a0b, 0x0c0d_0e0f]))
}

/// RPIK of sixteen keys. Key `4 g + l` is block `l` of vector `g`.
fn identifier_keys(keys: &[[u8; 16]; KEYS]) -> [Vector; 4] {
    let mut rows = [words(0); 4];
    for (row, keys) in rows.iter_mut().zip(keys.as_chunks::<4>().0) {
        *row = bytes_swapped(load(keys));
    }
    let key = transposed(rows);
    let digest = compress_message::<4, { hkdf::KEY_MESSAGE_BITS }>(
        &constants(&hkdf::SALT_INNER),
        &key,
    );
    let pseudorandom_key = compress_message::<8, { hkdf::DIGEST_MESSAGE_BITS }>(
        &constants(&hkdf::SALT_OUTER),
        &digest,
    );
    let outer = compress_key::<{ hkdf::OUTER_PAD }>(&pseudorandom_key);
    let inner = compress_key::<{ hkdf::INNER_PAD }>(&pseudorandom_key);
    let digest = compress_info(&inner);
    let output = compress_message::<8, { hkdf::DIGEST_MESSAGE_BITS }>(&outer, &digest);
    let mut rows = transposed([output[0], output[1], output[2], output[3]]);
    for row in &mut rows {
        *row = bytes_swapped(*row);
    }
    rows
}
}

features! {
/// Key expansion of AES-128. All columns of the shuffled word are equal, so that the shift of
/// rows in `aesenclast` does nothing, and what is left of it is the substitution.
pub(super) fn schedules(keys: &[[u8; 16]; KEYS]) -> Schedules {
    const CONSTANTS: [u32; 10] = [1, 2, 4, 8, 16, 32, 64, 128, 27, 54];
    let mut key = identifier_keys(keys);
    let rotated_last_word = blocks([0x0c0f_0e0d; 4]);
    let mut schedules = [[words(0); 11]; 4];
    for (schedule, key) in schedules.iter_mut().zip(&key) {
        schedule[0] = *key;
    }
    for (number, constant) in CONSTANTS.into_iter().enumerate() {
        for (schedule, key) in schedules.iter_mut().zip(&mut key) {
            let word = _mm512_shuffle_epi8(*key, rotated_last_word);
            let word = _mm512_aesenclast_epi128(word, words(constant));
            let sums = xor(*key, _mm512_bslli_epi128::<4>(*key));
            *key = xor3(sums, _mm512_bslli_epi128::<8>(sums), word);
            schedule[number + 1] = *key;
        }
    }
    Schedules(schedules)
}

}
