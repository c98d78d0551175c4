//! The rounds of AES behind the first, of two quads whose states are interleaved.

use core::arch::asm;
use core::arch::x86_64::*;

use super::{Vector, rotated, words};

features! {
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

}

/// Round keys of rounds 2..=9 under the four rotations, and what of the last round key meets column
/// 0.
pub(super) struct Rounds {
    keys: [[Vector; 4]; 8],
    last: Vector,
}

/// Keeps an instruction in its place: without, the compiler gathers what must be spread out, and
/// the AES unit idles.
#[inline]
#[target_feature(enable = "avx512f")]
pub(super) fn in_place(mut v: Vector) -> Vector {
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
    pub(super) fn new(schedule: &[Vector; 11]) -> Self {
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
    pub(super) fn finish(
        &self,
        quads: [[Vector; 4]; 2],
        mut between: impl FnMut(usize),
    ) -> [Vector; 2] {
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
