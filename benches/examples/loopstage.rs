use chikaku_benches::world::*;
use chikaku_core::matching::{
    measure::{Stage, stage},
    *,
};
fn main() {
    let w = World::new(970, Shape::Uniform, 4096, Starts::Aligned);
    let keys: Vec<[u8; 16]> = w.keys.iter().map(|k| *k.key.as_bytes()).collect();
    let heard: Vec<[u8; 16]> =
        w.sightings.iter().map(|s| *s.advertisement.identifier.as_bytes()).collect();
    let n: usize = std::env::args().nth(1).unwrap().parse().unwrap();
    for _ in 0..n {
        let _ = stage(InstructionSet::Vaes, Stage::LookUp, &keys, &heard[..970]);
    }
}
