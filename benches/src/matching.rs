//! Keys in memory against logs of every size and shape.

use std::hint::black_box;

use chikaku_core::export::PublishedKey;
use chikaku_core::matching::{
    InstructionSet, MatchReport, Matcher, MatchingRules, SightingIndex, Strategy,
};

use crate::bound;
use crate::measured::{Contestant, in_turns};
use crate::peers::{Apple, ContactTracing, Gaen, HashSetOfIdentifiers, Peer};
use crate::row::Row;
use crate::world::{Shape, Starts, World};

/// Matches keys in memory as an app does.
#[must_use]
pub fn match_keys(
    heard: &SightingIndex,
    keys: &[PublishedKey],
    instructions: InstructionSet,
    strategy: Strategy,
) -> MatchReport {
    let mut matcher = Matcher::new(heard, MatchingRules::default())
        .with_instructions(instructions)
        .with_strategy(strategy);
    for key in keys {
        matcher.check(*key, None);
    }
    matcher.finish()
}

/// What is compared with what.
#[derive(Clone, Copy, Debug)]
pub struct Plan {
    /// Sightings in the log.
    pub sightings: usize,
    /// When they were heard.
    pub shape: Shape,
    /// Keys for ours; the others get fewer.
    pub keys: usize,
    /// Rounds of turns.
    pub rounds: usize,
}

/// The plans of the whole table, or of a glance.
#[must_use]
pub fn plans(quick: bool) -> Vec<Plan> {
    let sizes: &[usize] =
        if quick { &[1_000, 10_000] } else { &[100, 1_000, 10_000, 100_000, 1_000_000] };
    let shapes: &[Shape] = if quick { &[Shape::Uniform] } else { &Shape::ALL };
    let (keys, rounds) = if quick { (40_000, 3) } else { (100_000, 5) };
    let plan = |shape| move |sightings: &usize| Plan { sightings: *sightings, shape, keys, rounds };
    shapes.iter().flat_map(|shape| sizes.iter().map(plan(*shape))).collect()
}

struct Entry<'a> {
    implementation: &'static str,
    kernel: Option<InstructionSet>,
    starts: &'static str,
    contestant: Contestant<'a>,
}

/// One log: every implementation in turns.
#[must_use]
pub fn rows(plan: &Plan) -> Vec<Row> {
    let Plan { sightings, shape, keys, rounds } = *plan;
    let world = World::new(sightings, shape, keys, Starts::Aligned);
    let anywhere = World::new(sightings, shape, keys, Starts::Anywhere);
    let heard: SightingIndex = world.sightings.iter().copied().collect();
    let heard_anywhere: SightingIndex = anywhere.sightings.iter().copied().collect();
    let _ = (heard.identifiers(), heard_anywhere.identifiers());
    let best = InstructionSet::best();

    let mut gaen = Gaen::new(&world.sightings);
    let mut hash_set = HashSetOfIdentifiers::new(&world.sightings);
    let mut contact_tracing = ContactTracing::new(&world.sightings);
    let mut apple = Apple::new(&world.sightings).ok();
    let mut peers: Vec<(&'static str, usize, &mut dyn Peer)> = vec![
        ("gaen-published", 4_000, &mut gaen),
        ("hashset", 2_000, &mut hash_set),
        ("contact-tracing", 60, &mut contact_tracing),
    ];
    if let Some(apple) = &mut apple {
        peers.push(("apple-published", 2_000, apple));
    }
    let mut entries: Vec<_> = peers
        .into_iter()
        .map(|(implementation, count, peer)| {
            let keys = world.keys.get(..count).unwrap_or(&world.keys);
            let contestant = Contestant::new(keys.len(), move || {
                black_box(peer.matches(&mut keys.iter().map(|published| &published.key)));
            });
            Entry { implementation, kernel: None, starts: "aligned", contestant }
        })
        .collect();
    let ours = |heard, keys: &'_ [PublishedKey], set| {
        let count = keys.len();
        let keys: Box<[PublishedKey]> = keys.into();
        Contestant::new(count, move || {
            black_box(match_keys(heard, &keys, set, Strategy::Automatic));
        })
    };
    for set in InstructionSet::ALL.into_iter().filter(|set| set.is_available()) {
        let part = if set == best { keys } else { keys / 4 };
        let contestant = ours(&heard, world.keys.get(..part).unwrap_or(&world.keys), set);
        let implementation = "chikaku";
        entries.push(Entry { implementation, kernel: Some(set), starts: "aligned", contestant });
    }
    let contestant = ours(&heard_anywhere, &anywhere.keys, best);
    let implementation = "chikaku";
    entries.push(Entry { implementation, kernel: Some(best), starts: "anywhere", contestant });

    let names: Vec<_> = entries.iter().map(|e| (e.implementation, e.kernel, e.starts)).collect();
    let mut contestants: Vec<_> = entries.into_iter().map(|entry| entry.contestant).collect();
    let cycle = bound::cycle_ns();
    let ns = in_turns(rounds, &mut contestants);
    let published = ns.first().copied();
    names
        .into_iter()
        .zip(ns)
        .map(|((implementation, kernel, starts), ns)| {
            // The bound is that of deriving and encrypting; who skips or decrypts has another.
            let whole = shape == Shape::Uniform && sightings >= 10_000;
            let bound = kernel.filter(|_| whole).and_then(bound::key_ns);
            Row {
                kernel: kernel.map(InstructionSet::name),
                sightings: Some(sightings),
                log: Some(shape.name()),
                starts: Some(starts),
                cycles_per_key: Some(ns / cycle),
                times_published: published.map(|published| published / ns),
                fraction_of_bound: bound.map(|bound| bound / ns),
                ..Row::keys("matching", implementation, ns)
            }
        })
        .collect()
}
