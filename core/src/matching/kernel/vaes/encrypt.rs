//! Forwards: every interval of four keys is encrypted, and its prefix looked up in the filter.

use core::arch::asm;
use core::arch::x86_64::*;

use super::super::super::filter::{Hit, Unit};
use super::super::{GROUP, UNIT, units};
use super::rounds::{Rounds, in_place};
use super::{Vector, add, blocks, rotated, words, xor};

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
/// Word `l` in all words of key `l`'s block.
#[inline]
fn by_key(words: [u32; 4]) -> Vector {
    let [a, b, c, d] = words.map(u32::cast_signed);
    _mm512_setr_epi32(a, a, a, a, b, b, b, b, c, c, c, c, d, d, d, d)
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
pub(super) fn encrypt_aligned<const N: usize>(
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
pub(super) fn encrypt_mixed<const N: usize>(
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
}
