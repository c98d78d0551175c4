//! The kernels' stages one by one, for benchmarks (feature `measure`). Not part of the interface.

use core::hint::black_box;

use super::InstructionSet;
use super::filter::Filter;
#[cfg(target_arch = "aarch64")]
use super::kernel::Armv8;
#[cfg(target_arch = "x86_64")]
pub use super::kernel::Loop;
#[cfg(target_arch = "x86_64")]
use super::kernel::{AesNi, Vaes};
use super::kernel::{GROUP, KEYS, Kernel, Portable};

/// How far to go with each key.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub enum Stage {
    /// Derive and expand the identifier key.
    Derive,
    /// And encrypt 144 intervals and look them up in a filter.
    LookUp,
    /// As `LookUp`, but each key starts at another time.
    LookUpMixed,
    /// Derive, expand and decrypt what was heard.
    Decrypt,
}

/// Takes all keys (but fewer than 16 at the end) through `stage`, as if `heard` had been heard in
/// the hours of their validity. Returns how many hits there were, to be used for nothing.
#[must_use]
pub fn stage(
    instructions: InstructionSet,
    stage: Stage,
    keys: &[[u8; 16]],
    heard: &[[u8; 16]],
) -> Option<usize> {
    match instructions {
        #[cfg(target_arch = "x86_64")]
        InstructionSet::Vaes => Some(run(Vaes::detect()?, stage, keys, heard)),
        #[cfg(target_arch = "x86_64")]
        InstructionSet::AesNi => Some(run(AesNi::detect()?, stage, keys, heard)),
        #[cfg(target_arch = "aarch64")]
        InstructionSet::Armv8 => Some(run(Armv8::detect()?, stage, keys, heard)),
        InstructionSet::Portable => Some(run(Portable, stage, keys, heard)),
        _ => None,
    }
}

fn run<K: Kernel>(kernel: K, stage: Stage, keys: &[[u8; 16]], heard: &[[u8; 16]]) -> usize {
    match &Filter::of(heard) {
        Filter::Small(words) => run_with(kernel, stage, keys, heard, words),
        Filter::Medium(words) => run_with(kernel, stage, keys, heard, words),
        Filter::Large(words) => run_with(kernel, stage, keys, heard, words),
        Filter::Huge(words) => run_with(kernel, stage, keys, heard, words),
    }
}

fn run_with<K: Kernel, const N: usize>(
    kernel: K,
    stage: Stage,
    keys: &[[u8; 16]],
    heard: &[[u8; 16]],
    words: &[u32; N],
) -> usize {
    const START: u32 = 18_354 * 144;
    let quads: Vec<u32> = (START..START + 144).step_by(4).collect();
    let offsets: Vec<u32> = (0..144).step_by(4).collect();
    let mut hits = Vec::new();
    let mut count = 0;
    for keys in keys.as_chunks::<KEYS>().0 {
        let schedules = kernel.schedules(keys);
        match stage {
            Stage::Derive => {}
            Stage::LookUp => {
                kernel.encrypt_aligned(&schedules, KEYS / GROUP, &quads, words, &mut hits);
            }
            Stage::LookUpMixed => {
                let starts = [[START, START + 1, START + 2, START + 143]; KEYS / GROUP];
                kernel.encrypt_mixed(&schedules, &starts, &offsets, words, &mut hits);
            }
            Stage::Decrypt => {
                let epoch = START >> 16 << 16;
                for group in 0..KEYS / GROUP {
                    kernel.decrypt(&schedules, group, epoch, heard, |_, _| count += 1);
                }
            }
        }
        black_box(&schedules);
        count += hits.len();
        hits.clear();
    }
    count
}
