//! The kernels' stages one by one, for benchmarks (feature `measure`). Not part of the interface.

use core::hint::black_box;

use super::InstructionSet;
use super::filter::{Filter, Lookup};
#[cfg(target_arch = "aarch64")]
use super::kernel::Armv8;
#[cfg(target_arch = "x86_64")]
pub use super::kernel::Loop;
use super::kernel::{GROUP, KEYS, Kernel, Portable, Probe, UNIT};
#[cfg(target_arch = "x86_64")]
use super::kernel::{AesNi, Vaes};

/// How far to go with each key.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub enum Stage {
    /// Derive and expand the identifier key.
    Derive,
    /// And encrypt 144 intervals.
    Encrypt,
    /// And look them up in a filter.
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

/// Looks at prefixes and forgets them.
struct Ignore(u32);

impl Probe for Ignore {
    #[inline(always)]
    fn probe(&mut self, _: usize, prefixes: &[u32; UNIT]) {
        self.0 ^= prefixes.iter().fold(0, |sum, prefix| sum ^ prefix);
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
    words: &[u64; N],
) -> usize {
    const START: u32 = 18_354 * 144;
    let quads: Vec<u32> = (START..START + 144).step_by(4).collect();
    let offsets: Vec<u32> = (0..144).step_by(4).collect();
    let mut hits = Vec::new();
    let mut count = 0;
    for keys in keys.as_chunks::<KEYS>().0 {
        let schedules = kernel.schedules(keys);
        for group in 0..KEYS / GROUP {
            match stage {
                Stage::Derive => break,
                Stage::Encrypt => {
                    let mut ignore = Ignore(0);
                    for quads in quads.chunk_by(|a, b| a >> 8 == b >> 8) {
                        kernel.encrypt_aligned(&schedules, group, quads, &mut ignore);
                    }
                    black_box(ignore.0);
                }
                Stage::LookUp => {
                    for quads in quads.chunk_by(|a, b| a >> 8 == b >> 8) {
                        let mut probe = Lookup { words, hits: &mut hits };
                        kernel.encrypt_aligned(&schedules, group, quads, &mut probe);
                    }
                }
                Stage::LookUpMixed => {
                    let starts = [START, START + 1, START + 2, START + 143];
                    let mut probe = Lookup { words, hits: &mut hits };
                    kernel.encrypt_mixed(&schedules, group, starts, &offsets, &mut probe);
                }
                Stage::Decrypt => {
                    let epoch = START >> 16 << 16;
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
