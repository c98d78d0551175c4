use chikaku_benches::world::*;
use chikaku_core::matching::*;
use chikaku_core::time::Timestamp;
fn main() {
    let n: usize = std::env::args().nth(1).unwrap().parse().unwrap();
    let w = World::new(n, Shape::Uniform, 40_000, Starts::Aligned);
    let heard: SightingIndex = w.sightings.iter().copied().collect();
    for _ in 0..60 {
        let mut m = Matcher::new(&heard, MatchingRules::default());
        for k in &w.keys {
            m.check(*k, Timestamp::MAX);
        }
        std::hint::black_box(m.finish());
    }
}
