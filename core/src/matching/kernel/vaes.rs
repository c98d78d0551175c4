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

use core::arch::asm;
use core::arch::x86_64::*;

use super::super::filter::{Hit, Unit};
use super::{GROUP, KEYS, Kernel, UNIT, hkdf, units};

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
        unsafe { schedules(keys) }
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
        unsafe { encrypt_aligned(schedules, quads, words, hits) }
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
        unsafe { encrypt_mixed(&schedules.0, starts, offsets, words, hits) }
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
        unsafe { decrypt(schedule, epoch, identifiers, &mut found) }
    }
}

macro_rules! features {
    ($($item:item)*) => {$(
        #[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl,bmi1,bmi2,vaes")]
        $item
    )*};
}

// ------------------------------------------------------------------------------- small pieces

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

/// Word `l` in all words of key `l`'s block.
#[inline]
fn by_key(words: [u32; 4]) -> Vector {
    let [a, b, c, d] = words.map(u32::cast_signed);
    _mm512_setr_epi32(a, a, a, a, b, b, b, b, c, c, c, c, d, d, d, d)
}

#[inline]
fn load(bytes: &[[u8; 16]; 4]) -> Vector {
    // SAFETY: the reference is to 64 readable bytes; the load needs no alignment.
    unsafe { _mm512_loadu_si512(bytes.as_ptr().cast()) }
}

#[inline]
fn load_words(half: &[u32; UNIT / 2]) -> Vector {
    // SAFETY: the reference is to 64 readable bytes; the load needs no alignment.
    unsafe { _mm512_loadu_si512(half.as_ptr().cast()) }
}

#[inline]
fn store(half: &mut [u32; UNIT / 2], prefixes: Vector) {
    // SAFETY: the reference is to 64 writable bytes; the store needs no alignment.
    unsafe { _mm512_storeu_si512(half.as_mut_ptr().cast(), prefixes) }
}

#[inline]
fn broadcast(block: &[u8; 16]) -> Vector {
    // SAFETY: the reference is to 16 readable bytes; the load needs no alignment.
    let block = unsafe { _mm_loadu_si128(block.as_ptr().cast()) };
    _mm512_broadcast_i32x4(block)
}

#[inline]
fn xor(a: Vector, b: Vector) -> Vector {
    _mm512_xor_si512(a, b)
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

// ------------------------------------------------------------------------------------ SHA-256

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
#[inline]
fn xor3(a: Vector, b: Vector, c: Vector) -> Vector {
    _mm512_ternarylogic_epi32::<0x96>(a, b, c)
}

#[inline]
fn add(a: Vector, b: Vector) -> Vector {
    _mm512_add_epi32(a, b)
}

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

// ---------------------------------------------------------------------------------------- AES

features! {
/// Key expansion of AES-128. All columns of the shuffled word are equal, so that the shift of
/// rows in `aesenclast` does nothing, and what is left of it is the substitution.
fn schedules(keys: &[[u8; 16]; KEYS]) -> Schedules {
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

/// Bytes of the block of rotation `N` that the shift of rows moves into column 0's rotated place.
#[inline]
const fn rows_of<const N: usize>() -> u64 {
    let mut mask = 0;
    let mut row = 0;
    while row < 4 {
        mask |= 1 << (4 * ((N + row) % 4) + row);
        row += 1;
    }
    mask | mask << 16 | mask << 32 | mask << 48
}

/// As [`rows_of`], for the inverse shift of rows.
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

}

/// Round keys of rounds 2..=9 under the four rotations, and what of the last round key meets column
/// 0.
struct Rounds {
    keys: [[Vector; 4]; 8],
    last: Vector,
}

/// Keeps an instruction in its place: without, the compiler gathers what must be spread out, and
/// the AES unit idles.
#[inline]
#[target_feature(enable = "avx512f")]
fn in_place(mut v: Vector) -> Vector {
    // SAFETY: the assembly is empty; it touches nothing but the register it is given.
    unsafe {
        asm!("/* {0} */", inout(zmm_reg) v, options(nomem, nostack, preserves_flags));
    }
    v
}

/// One round of two quads. In assembly, because the compiler would take one block after the other
/// through all rounds, each instruction waiting for the one before it.
#[inline]
#[target_feature(enable = "avx512f,vaes")]
fn aes_round(s: [Vector; 4], t: [Vector; 4], keys: &[Vector; 4]) -> ([Vector; 4], [Vector; 4]) {
    let [mut s0, mut s1, mut s2, mut s3] = s;
    let [mut t0, mut t1, mut t2, mut t3] = t;
    // SAFETY: the instructions exist where the function may be called, and touch nothing but the
    // registers they are given.
    unsafe {
        asm!(
            "vaesenc {s0}, {s0}, {k0}",
            "vaesenc {t0}, {t0}, {k0}",
            "vaesenc {s1}, {s1}, {k1}",
            "vaesenc {t1}, {t1}, {k1}",
            "vaesenc {s2}, {s2}, {k2}",
            "vaesenc {t2}, {t2}, {k2}",
            "vaesenc {s3}, {s3}, {k3}",
            "vaesenc {t3}, {t3}, {k3}",
            s0 = inout(zmm_reg) s0,
            s1 = inout(zmm_reg) s1,
            s2 = inout(zmm_reg) s2,
            s3 = inout(zmm_reg) s3,
            t0 = inout(zmm_reg) t0,
            t1 = inout(zmm_reg) t1,
            t2 = inout(zmm_reg) t2,
            t3 = inout(zmm_reg) t3,
            k0 = in(zmm_reg) keys[0],
            k1 = in(zmm_reg) keys[1],
            k2 = in(zmm_reg) keys[2],
            k3 = in(zmm_reg) keys[3],
            options(nomem, nostack, preserves_flags)
        );
    }
    ([s0, s1, s2, s3], [t0, t1, t2, t3])
}

impl Rounds {
    #[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl,bmi1,bmi2,vaes")]
    #[inline]
    fn new(schedule: &[Vector; 11]) -> Self {
        let mut keys = [[words(0); 4]; 8];
        for (round, key) in keys.iter_mut().zip(&schedule[2..10]) {
            *round = [*key, rotated::<1>(*key), rotated::<2>(*key), rotated::<3>(*key)];
        }
        Self { keys, last: _mm512_shuffle_epi32::<0x00>(schedule[10]) }
    }

    /// Rounds 2..=10 of two quads, whose states are interleaved so that none waits for itself;
    /// `between` does something else after the first rounds, while the AES unit is busy.
    #[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl,bmi1,bmi2,vaes")]
    #[inline]
    fn finish(&self, quads: [[Vector; 4]; 2], mut between: impl FnMut(usize)) -> [Vector; 2] {
        let [mut s, mut t] = quads;
        // Written out, since a loop would not be unrolled around what stands between the rounds.
        macro_rules! round {
            ($number:literal) => {
                (s, t) = aes_round(s, t, &self.keys[$number]);
            };
        }
        round!(0);
        between(0);
        round!(1);
        between(1);
        round!(2);
        round!(3);
        round!(4);
        between(2);
        round!(5);
        round!(6);
        round!(7);
        let mut prefixes = [self.last; 2];
        for (prefixes, s) in prefixes.iter_mut().zip([s, t]) {
            let odd = _mm512_mask_blend_epi8(const { rows_of::<1>() }, s[0], s[1]);
            let even = _mm512_mask_blend_epi8(const { rows_of::<3>() }, s[2], s[3]);
            let column =
                _mm512_mask_blend_epi8(const { rows_of::<2>() | rows_of::<3>() }, odd, even);
            *prefixes = _mm512_aesenclast_epi128(column, self.last);
        }
        prefixes
    }
}

/// What is on its way from encryption to look-up, a unit a stage, so that no stage waits for the
/// one before it: places in the filter are stored, then words are collected, then bits tested.
///
/// Words are collected by plain loads. The instruction for it (`vpgatherdd`) keeps some processors
/// (Zen 4) from starting anything else for thirty cycles; plain loads hide behind the AES rounds.
struct Pipeline<'f, const N: usize> {
    filter: &'f [u32; N],
    hits: &'f mut Vec<Hit>,
    /// The younger unit and the older one.
    prefixes: [(Option<Unit>, [Vector; 2]); 2],
    /// Places of the younger unit's words in the filter, each less than `N`.
    places: Places,
    /// Words of the older unit.
    found: [[u32; UNIT / 2]; 2],
}

#[derive(Clone, Copy)]
#[repr(align(64))]
struct Places([[u32; UNIT / 2]; 2]);

features! {
/// The places of the prefixes' words.
#[inline]
fn places<const N: usize>(prefixes: Vector) -> Vector {
    const { assert!(N.is_power_of_two() && N <= 1 << 22) };
    let places = _mm512_srli_epi32::<10>(prefixes);
    #[expect(clippy::cast_possible_truncation, reason = "at most 2^22")]
    let last = const { (N - 1) as u32 };
    _mm512_and_si512(places, words(last))
}

/// In the highest bit of each word: whether both bits that the prefix chooses are set.
#[inline]
fn tested(found: Vector, prefixes: Vector) -> Vector {
    _mm512_and_si512(
        _mm512_rolv_epi32(found, prefixes),
        _mm512_rolv_epi32(found, _mm512_srli_epi32::<5>(prefixes)),
    )
}

#[inline]
fn highest_bits([first, second]: [Vector; 2]) -> u32 {
    let (first, second) = (_mm512_movepi32_mask(first), _mm512_movepi32_mask(second));
    u32::from(first) | u32::from(second) << 16
}

/// Keys with the same intervals.
fn encrypt_aligned<const N: usize>(
    schedules: &[[Vector; 11]],
    quads: &[u32],
    filter: &[u32; N],
    hits: &mut Vec<Hit>,
) {
    let mut pipeline = Pipeline::new(filter, hits);
    for (group, schedule) in schedules.iter().enumerate() {
        let rounds = Rounds::new(schedule);
        let column_key = _mm512_shuffle_epi32::<0xff>(schedule[1]);
        // Interval n of a quad runs under rotation n, which moves its column to place n - 1.
        let in_quad = blocks([1, 2, 3, 0]);
        let mut done = 0;
        for quads in quads.chunk_by(|a, b| a >> 8 == b >> 8) {
            let start = blocks([
                u32::from_le_bytes(*b"EN-R"),
                u32::from_le_bytes(*b"PI\0\0"),
                0,
                quads.first().map_or(0, |quad| quad & !0xff),
            ]);
            let start = xor(start, schedule[0]);
            // After the first round, only one column depends on the lowest byte of the interval.
            let base = _mm512_aesenc_epi128(start, schedule[1]);
            let base = [
                in_place(base),
                in_place(rotated::<1>(base)),
                in_place(rotated::<2>(base)),
                in_place(rotated::<3>(base)),
            ];
            let column = _mm512_shuffle_epi8(start, blocks([0x0b06_010c; 4]));
            let column = xor(column, in_quad);
            let first_round = |quad: u32| {
                let low = xor(column, words(quad & 0xff));
                let column = _mm512_aesenc_epi128(low, column_key);
                [
                    _mm512_mask_blend_epi32(0x8888, base[0], column),
                    _mm512_mask_blend_epi32(0x1111, base[1], column),
                    _mm512_mask_blend_epi32(0x2222, base[2], column),
                    _mm512_mask_blend_epi32(0x4444, base[3], column),
                ]
            };
            for (unit, quads) in units(group, quads, done) {
                let states = [first_round(quads[0]), first_round(quads[1])];
                pipeline.advance(&rounds, unit, states);
            }
            done += quads.len();
        }
    }
    pipeline.drain();
}

/// Keys, each with its own start.
fn encrypt_mixed<const N: usize>(
    schedules: &[[Vector; 11]],
    starts: &[[u32; GROUP]],
    offsets: &[u32],
    filter: &[u32; N],
    hits: &mut Vec<Hit>,
) {
    let mut pipeline = Pipeline::new(filter, hits);
    for (group, (schedule, starts)) in schedules.iter().zip(starts).enumerate() {
        let rounds = Rounds::new(schedule);
        let fixed = [u32::from_le_bytes(*b"EN-R"), u32::from_le_bytes(*b"PI\0\0"), 0, 0];
        let start = xor(blocks(fixed), schedule[0]);
        let key = schedule[1];
        let counters = by_key(*starts);
        let first_round = |offset: u32| {
            let counter = add(counters, words(offset));
            let quad = [
                _mm512_maskz_mov_epi32(0x8888, counter),
                _mm512_maskz_add_epi32(0x1111, counter, words(1)),
                _mm512_maskz_add_epi32(0x2222, counter, words(2)),
                _mm512_maskz_add_epi32(0x4444, counter, words(3)),
            ];
            [
                _mm512_aesenc_epi128(xor(start, quad[0]), key),
                _mm512_aesenc_epi128(xor(rotated::<1>(start), quad[1]), rotated::<1>(key)),
                _mm512_aesenc_epi128(xor(rotated::<2>(start), quad[2]), rotated::<2>(key)),
                _mm512_aesenc_epi128(xor(rotated::<3>(start), quad[3]), rotated::<3>(key)),
            ]
        };
        for (unit, offsets) in units(group, offsets, 0) {
            let states = [first_round(offsets[0]), first_round(offsets[1])];
            pipeline.advance(&rounds, unit, states);
        }
    }
    pipeline.drain();
}
}

/// The filter's words at these places, two with each store.
///
/// # Safety
/// Every place must be less than `N`.
#[inline]
unsafe fn gather<const N: usize>(
    filter: &[u32; N],
    places: &[u32; UNIT / 2],
    found: &mut [u32; UNIT / 2],
) {
    // SAFETY: reads 64 bytes of `places`, the words of `filter` at them, which the caller keeps
    // within it, and writes 64 bytes of `found`.
    unsafe {
        asm!(
            ".irp offset, 0, 8, 16, 24, 32, 40, 48, 56",
            "mov {a}, qword ptr [{places} + \\offset]",
            "mov {b:e}, {a:e}",
            "shr {a}, 32",
            "mov {a:e}, dword ptr [{filter} + {a} * 4]",
            "mov {b:e}, dword ptr [{filter} + {b} * 4]",
            "shl {a}, 32",
            "or {a}, {b}",
            "mov qword ptr [{found} + \\offset], {a}",
            ".endr",
            a = out(reg) _,
            b = out(reg) _,
            places = in(reg) places.as_ptr(),
            filter = in(reg) filter.as_ptr(),
            found = in(reg) found.as_mut_ptr(),
            options(nostack)
        );
    }
}

impl<'f, const N: usize> Pipeline<'f, N> {
    #[inline]
    #[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl,bmi1,bmi2,vaes")]
    fn new(filter: &'f [u32; N], hits: &'f mut Vec<Hit>) -> Self {
        let empty = [[0; UNIT / 2]; 2];
        let prefixes = [(None, [words(0); 2]); 2];
        Self { filter, hits, prefixes, places: Places(empty), found: empty }
    }

    /// Takes two quads through the rounds behind the first, and looks up what came before.
    #[inline]
    #[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl,bmi1,bmi2,vaes")]
    fn advance(&mut self, rounds: &Rounds, unit: Unit, quads: [[Vector; 4]; 2]) {
        let Self { filter, places, found, .. } = self;
        let [younger, (unit_before, before)] = self.prefixes;
        let mut passed = [before[0]; 2];
        let prefixes = rounds.finish(quads, |stage| match stage {
            0 => {
                passed = [
                    in_place(tested(load_words(&found[0]), before[0])),
                    in_place(tested(load_words(&found[1]), before[1])),
                ];
            }
            // SAFETY: `places` holds what `places()` returned, or zeros.
            1 => unsafe { gather(filter, &places.0[0], &mut found[0]) },
            // SAFETY: as before.
            _ => unsafe { gather(filter, &places.0[1], &mut found[1]) },
        });
        let passed = highest_bits(passed);
        if passed != 0 {
            collect(unit_before, before, passed, self.hits);
        }
        store(&mut self.places.0[0], self::places::<N>(prefixes[0]));
        store(&mut self.places.0[1], self::places::<N>(prefixes[1]));
        self.prefixes = [(Some(unit), prefixes), younger];
    }

    /// Looks up what is still on its way.
    #[inline]
    #[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl,bmi1,bmi2,vaes")]
    fn drain(mut self) {
        let [younger, older] = self.prefixes;
        for (unit, prefixes) in [older, younger] {
            let passed = highest_bits([
                tested(load_words(&self.found[0]), prefixes[0]),
                tested(load_words(&self.found[1]), prefixes[1]),
            ]);
            if passed != 0 {
                collect(unit, prefixes, passed, self.hits);
            }
            for (places, found) in self.places.0.iter().zip(&mut self.found) {
                // SAFETY: `places` holds what `places()` returned, or zeros.
                unsafe { gather(self.filter, places, found) };
            }
        }
    }
}

features! {
#[cold]
#[inline(never)]
fn collect(
    unit: Option<Unit>,
    prefixes: [Vector; 2],
    mut passed: u32,
    hits: &mut Vec<Hit>,
) {
    let Some(unit) = unit else { return };
    let mut buffer = [0; UNIT];
    for (half, prefixes) in buffer.as_chunks_mut().0.iter_mut().zip(prefixes) {
        store(half, prefixes);
    }
    while passed != 0 {
        let place = passed.trailing_zeros() as usize;
        passed &= passed - 1;
        hits.extend(unit.hit(place, buffer[place]));
    }
}

/// Tries every identifier under four keys; reports `(key, identifier)` if 16 bits of the decrypted
/// block are right.
fn decrypt(
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
