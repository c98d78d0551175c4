//! Work whose cost must not grow: counted in instructions, or as a ratio of CPU times.

use chikaku_core::matching::{InstructionSet, SightingIndex, Strategy};

use crate::matching::match_keys;
use crate::measured::{Contestant, in_turns};
use crate::world::{Shape, Starts, World};

/// Keys in the smaller and in the larger of two counted runs. Their difference is free of what
/// start and set-up cost.
pub const COUNTED_KEYS: [usize; 2] = [1_024, 5_120];

/// The work that is counted: keys against ten thousand sightings, encrypted and looked up.
/// Returns the matches.
#[must_use]
pub fn counted_work(instructions: InstructionSet, keys: usize) -> usize {
    let [_, all] = COUNTED_KEYS;
    let world = World::new(10_000, Shape::Uniform, all, Starts::Aligned);
    let heard: SightingIndex = world.sightings.iter().copied().collect();
    let keys = world.keys.get(..keys).unwrap_or(&world.keys);
    match_keys(&heard, keys, instructions, Strategy::Encrypt).matches.len()
}

/// How many times as fast as the AES-NI kernel the VAES kernel is, by the median of runs in turns.
/// `None` where this machine lacks one of them.
#[must_use]
pub fn vaes_ratio() -> Option<f64> {
    let sets = [InstructionSet::AesNi, InstructionSet::Vaes];
    if !sets.iter().all(|set| set.is_available()) {
        return None;
    }
    let world = World::new(10_000, Shape::Uniform, 40_000, Starts::Aligned);
    let heard: SightingIndex = world.sightings.iter().copied().collect();
    let _ = heard.identifiers();
    let mut contestants = sets.map(|set| {
        let (world, heard) = (&world, &heard);
        Contestant::new(world.keys.len(), move || {
            let _ = std::hint::black_box(match_keys(heard, &world.keys, set, Strategy::Encrypt));
        })
    });
    let ns = in_turns(41, &mut contestants);
    Some(ns.first()? / ns.get(1)?)
}
