//! Criterion's statistics of one log: `cargo bench -p chikaku-benches`. For the comparison with
//! other designs and the whole table: `chikaku bench`.

use std::hint::black_box;

use chikaku_benches::matching::match_keys;
use chikaku_benches::peers::{Gaen, Peer};
use chikaku_benches::world::{Shape, Starts, World};
use chikaku_core::matching::{InstructionSet, SightingIndex, Strategy};
use criterion::{Criterion, Throughput, criterion_group, criterion_main};

fn matching(criterion: &mut Criterion) {
    for sightings in [1_000, 10_000, 100_000] {
        let world = World::new(sightings, Shape::Uniform, 20_000, Starts::Aligned);
        let heard: SightingIndex = world.sightings.iter().copied().collect();
        let mut group = criterion.benchmark_group(format!("{sightings} sightings"));
        group.throughput(Throughput::Elements(world.keys.len() as u64)).sample_size(10);
        for set in InstructionSet::ALL.into_iter().filter(|set| set.is_available()) {
            group.bench_function(set.name(), |bencher| {
                bencher
                    .iter(|| black_box(match_keys(&heard, &world.keys, set, Strategy::Automatic)));
            });
        }
        let mut published = Gaen::new(&world.sightings);
        group.bench_function("gaen-published", |bencher| {
            bencher
                .iter(|| black_box(published.matches(&mut world.keys.iter().map(|key| &key.key))));
        });
        group.finish();
    }
}

criterion_group!(benches, matching);
criterion_main!(benches);
