//! What the instructions of this machine allow, measured; and the stages of the kernels.

use chikaku_core::matching::InstructionSet;
#[cfg(target_arch = "x86_64")]
use chikaku_core::matching::measure::Loop;
use chikaku_core::matching::measure::{Stage, stage};

use crate::measured::{Contestant, cpu_time, in_turns, median};
use crate::row::Row;
use crate::world::{Shape, Starts, World};

/// Nanoseconds of one cycle, by a chain of three dependent one-cycle operations.
#[must_use]
pub fn cycle_ns() -> f64 {
    const TURNS: u32 = 4_000_000;
    let mut times: Vec<_> = (0..7)
        .map(|seed| {
            cpu_time(|| {
                let mut x: u64 = seed;
                for _ in 0..TURNS {
                    x = (x ^ (x >> 7)).wrapping_add(0x9e37_79b9);
                }
                x
            })
        })
        .collect();
    median(&mut times).as_secs_f64() * 1e9 / (3.0 * f64::from(TURNS))
}

/// Nanoseconds in which one loop's instruction runs at best.
#[cfg(target_arch = "x86_64")]
fn instruction_ns(instruction: Loop) -> Option<f64> {
    let count = if instruction == Loop::VectorKey { 20_000 } else { 3_000_000 };
    instruction.run(1)?;
    let mut times: Vec<_> = (0..7)
        .map(|_| {
            let mut run = 0;
            let time = cpu_time(|| run = instruction.run(count).unwrap_or_default());
            time.div_f64(run.max(1) as f64 / 1e6)
        })
        .collect();
    Some(median(&mut times).as_secs_f64() * 1e3)
}

/// The least time for a key on this set of instructions: all of them, none waiting. VAES: the
/// mixture of AES rounds (8.5 for each of 36 quads), rotations and additions. AES-NI: 1,440 AES
/// rounds and six compressions, which use the same unit on no processor, so the longer one.
#[must_use]
pub fn key_ns(instructions: InstructionSet) -> Option<f64> {
    #[cfg(target_arch = "x86_64")]
    match instructions {
        InstructionSet::Vaes => return instruction_ns(Loop::VectorKey),
        InstructionSet::AesNi => {
            let aes = instruction_ns(Loop::Aes)? * 144.0 * 10.0;
            let sha = instruction_ns(Loop::Sha)? * 6.0 * 32.0;
            return Some(aes.max(sha));
        }
        _ => {}
    }
    let _ = instructions;
    None
}

/// Instructions, bounds and stages.
#[must_use]
pub fn rows(quick: bool) -> Vec<Row> {
    let cycle = cycle_ns();
    let mut rows = vec![Row {
        bench: "clock",
        implementation: "machine",
        per_s: Some(1e9 / cycle),
        ..Row::default()
    }];
    #[cfg(target_arch = "x86_64")]
    for (instruction, name) in [
        (Loop::VectorAes, "vaesenc zmm"),
        (Loop::VectorRotate, "vprord zmm"),
        (Loop::VectorAdd, "vpaddd and vpternlogd zmm"),
        (Loop::Aes, "aesenc xmm"),
        (Loop::Sha, "sha256rnds2 with its schedule"),
    ] {
        if let Some(ns) = instruction_ns(instruction) {
            rows.push(Row {
                bench: "instruction",
                implementation: "machine",
                stage: Some(name),
                per_s: Some(1e9 / ns),
                ..Row::default()
            });
        }
    }
    let count = if quick { 4_096 } else { 32_768 };
    let rounds = if quick { 5 } else { 15 };
    let keys = World::new(0, Shape::Uniform, count, Starts::Aligned).keys;
    let keys: Vec<_> = keys.iter().map(|published| *published.key.as_bytes()).collect();
    let heard = World::new(970, Shape::Uniform, 0, Starts::Aligned).sightings;
    let heard: Vec<_> =
        heard.iter().map(|sighting| *sighting.advertisement.identifier.as_bytes()).collect();
    let few = heard.get(..95).unwrap_or_default();
    for set in InstructionSet::ALL.into_iter().filter(|set| set.is_available()) {
        let bound = key_ns(set);
        if let Some(bound) = bound {
            rows.push(Row {
                kernel: Some(set.name()),
                cycles_per_key: Some(bound / cycle),
                ..Row::keys("bound", "machine", bound)
            });
        }
        let stages = [
            (Stage::Derive, "derive and expand", &heard[..]),
            (Stage::LookUp, "derive, encrypt 144 and look up in 970", &heard[..]),
            (Stage::LookUpMixed, "the same, each key with its own start", &heard[..]),
            (Stage::Decrypt, "derive, decrypt 95", few),
        ];
        let mut contestants: Vec<_> = stages
            .iter()
            .map(|&(part, _, heard)| {
                let keys = &keys;
                Contestant::new(count, move || {
                    let _ = std::hint::black_box(stage(set, part, keys, heard));
                })
            })
            .collect();
        for (ns, (part, name, _)) in in_turns(rounds, &mut contestants).into_iter().zip(stages) {
            let whole = part == Stage::LookUp;
            rows.push(Row {
                kernel: Some(set.name()),
                stage: Some(name),
                cycles_per_key: Some(ns / cycle),
                fraction_of_bound: bound.filter(|_| whole).map(|bound| bound / ns),
                ..Row::keys("stage", "chikaku", ns)
            });
        }
    }
    rows
}
