//! Loops of the kernels' instructions without anything that they would wait for: what the machine
//! can do at best. Only for measuring (feature `measure`).

#![allow(unsafe_code, reason = "the loops are assembly, so that the compiler keeps them")]

use core::arch::asm;

use super::{AesNi, Vaes};

/// Which instructions a loop repeats.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub enum Loop {
    /// An AES round of four blocks (`vaesenc zmm`).
    VectorAes,
    /// A rotation of sixteen words (`vprord zmm`).
    VectorRotate,
    /// An addition or a logical operation of sixteen words (`vpaddd`, `vpternlogd zmm`).
    VectorAdd,
    /// What a key needs at least, all at once: 9 rounds, 7 rotations and 10 additions or logical
    /// operations, 34 times.
    VectorKey,
    /// An AES round of one block (`aesenc xmm`).
    Aes,
    /// Two SHA-256 rounds (`sha256rnds2`), with their share of the message schedule
    /// (`sha256msg1` and `sha256msg2` for every four rounds).
    Sha,
}

impl Loop {
    /// Repeats the loop's instructions (for [`Loop::VectorKey`] the whole mixture) at least
    /// `count` times and says how often. `None` if this machine lacks them.
    #[must_use]
    pub fn run(self, count: u64) -> Option<u64> {
        let turns = count / self.repeated() + 1;
        match self {
            Self::VectorAes | Self::VectorRotate | Self::VectorAdd | Self::VectorKey => {
                Vaes::detect()?;
                // SAFETY: detection found AVX-512 and VAES.
                unsafe {
                    match self {
                        Self::VectorAes => vector_aes(turns),
                        Self::VectorRotate => vector_rotate(turns),
                        Self::VectorAdd => vector_add(turns),
                        _ => vector_key(turns),
                    }
                }
            }
            Self::Aes | Self::Sha => {
                AesNi::detect().filter(|found| self == Self::Aes || found.has_sha())?;
                // SAFETY: detection found AES-NI, and SHA-NI for its loop.
                unsafe {
                    match self {
                        Self::Aes => aes(turns),
                        _ => sha(turns),
                    }
                }
            }
        }
        Some(turns * self.repeated())
    }

    /// How often one turn of the loop repeats what is counted.
    const fn repeated(self) -> u64 {
        match self {
            Self::VectorAes | Self::VectorRotate | Self::VectorAdd | Self::Aes | Self::Sha => 48,
            Self::VectorKey => 1,
        }
    }
}

/// A loop over `$body`, which touches no memory and no register but the first 16 vectors.
macro_rules! turns {
    ($turns:ident, $count:literal, $($body:literal),*) => {
        // SAFETY: only the declared registers change; nothing is read or written in memory.
        unsafe {
            asm!(
                "2:",
                concat!(".rept ", $count),
                $($body,)*
                ".endr",
                "dec {turns}",
                "jnz 2b",
                turns = inout(reg) $turns => _,
                out("xmm0") _, out("xmm1") _, out("xmm2") _, out("xmm3") _, out("xmm4") _,
                out("xmm5") _, out("xmm6") _, out("xmm7") _, out("xmm8") _, out("xmm9") _,
                out("xmm10") _, out("xmm11") _, out("xmm12") _, out("xmm13") _, out("xmm14") _,
                out("xmm15") _,
                options(nomem, nostack)
            );
        }
    };
}

#[target_feature(enable = "avx512f,vaes")]
fn vector_aes(mut turns: u64) {
    turns = turns.max(1);
    turns!(
        turns,
        "6",
        "vaesenc zmm0, zmm0, zmm15",
        "vaesenc zmm1, zmm1, zmm15",
        "vaesenc zmm2, zmm2, zmm15",
        "vaesenc zmm3, zmm3, zmm15",
        "vaesenc zmm4, zmm4, zmm15",
        "vaesenc zmm5, zmm5, zmm15",
        "vaesenc zmm6, zmm6, zmm15",
        "vaesenc zmm7, zmm7, zmm15"
    );
}

#[target_feature(enable = "avx512f")]
fn vector_rotate(mut turns: u64) {
    turns = turns.max(1);
    turns!(
        turns,
        "6",
        "vprord zmm0, zmm0, 7",
        "vprord zmm1, zmm1, 7",
        "vprord zmm2, zmm2, 7",
        "vprord zmm3, zmm3, 7",
        "vprord zmm4, zmm4, 7",
        "vprord zmm5, zmm5, 7",
        "vprord zmm6, zmm6, 7",
        "vprord zmm7, zmm7, 7"
    );
}

#[target_feature(enable = "avx512f")]
fn vector_add(mut turns: u64) {
    turns = turns.max(1);
    turns!(
        turns,
        "6",
        "vpaddd zmm0, zmm0, zmm15",
        "vpternlogd zmm1, zmm15, zmm14, 0x96",
        "vpaddd zmm2, zmm2, zmm15",
        "vpternlogd zmm3, zmm15, zmm14, 0xca",
        "vpaddd zmm4, zmm4, zmm15",
        "vpternlogd zmm5, zmm15, zmm14, 0xe8",
        "vpaddd zmm6, zmm6, zmm15",
        "vpternlogd zmm7, zmm15, zmm14, 0x96"
    );
}

#[target_feature(enable = "avx512f,vaes")]
fn vector_key(mut turns: u64) {
    turns = turns.max(1);
    turns!(
        turns,
        "34",
        "vaesenc zmm0, zmm0, zmm15",
        "vprord zmm8, zmm8, 7",
        "vpaddd zmm10, zmm10, zmm15",
        "vaesenc zmm1, zmm1, zmm15",
        "vpternlogd zmm11, zmm15, zmm14, 0x96",
        "vprord zmm9, zmm9, 7",
        "vaesenc zmm2, zmm2, zmm15",
        "vpaddd zmm12, zmm12, zmm15",
        "vpternlogd zmm13, zmm15, zmm14, 0xca",
        "vaesenc zmm3, zmm3, zmm15",
        "vprord zmm8, zmm8, 7",
        "vpaddd zmm10, zmm10, zmm15",
        "vaesenc zmm4, zmm4, zmm15",
        "vpternlogd zmm11, zmm15, zmm14, 0xe8",
        "vprord zmm9, zmm9, 7",
        "vaesenc zmm5, zmm5, zmm15",
        "vpaddd zmm12, zmm12, zmm15",
        "vprord zmm8, zmm8, 7",
        "vaesenc zmm6, zmm6, zmm15",
        "vpternlogd zmm13, zmm15, zmm14, 0x96",
        "vprord zmm9, zmm9, 7",
        "vaesenc zmm7, zmm7, zmm15",
        "vpaddd zmm10, zmm10, zmm15",
        "vprord zmm8, zmm8, 7",
        "vaesenc zmm0, zmm0, zmm15",
        "vpaddd zmm11, zmm11, zmm15"
    );
}

#[target_feature(enable = "aes,sse2")]
fn aes(mut turns: u64) {
    turns = turns.max(1);
    turns!(
        turns,
        "6",
        "aesenc xmm0, xmm15",
        "aesenc xmm1, xmm15",
        "aesenc xmm2, xmm15",
        "aesenc xmm3, xmm15",
        "aesenc xmm4, xmm15",
        "aesenc xmm5, xmm15",
        "aesenc xmm6, xmm15",
        "aesenc xmm7, xmm15"
    );
}

#[target_feature(enable = "sha,sse2")]
fn sha(mut turns: u64) {
    turns = turns.max(1);
    // xmm0 is the instruction's third operand.
    turns!(
        turns,
        "6",
        "sha256rnds2 xmm1, xmm15, xmm0",
        "sha256rnds2 xmm2, xmm15, xmm0",
        "sha256msg1 xmm9, xmm15",
        "sha256rnds2 xmm3, xmm15, xmm0",
        "sha256rnds2 xmm4, xmm15, xmm0",
        "sha256msg2 xmm10, xmm15",
        "sha256msg1 xmm11, xmm15",
        "sha256rnds2 xmm5, xmm15, xmm0",
        "sha256rnds2 xmm6, xmm15, xmm0",
        "sha256msg2 xmm12, xmm15",
        "sha256msg1 xmm13, xmm15",
        "sha256rnds2 xmm7, xmm15, xmm0",
        "sha256rnds2 xmm8, xmm15, xmm0",
        "sha256msg2 xmm14, xmm15"
    );
}
