//! E9: on how many days listeners can follow a person, and what a replay of identifiers does.
//!
//! A listener in a place stores what it hears. Two places are linked on a day if the listener can
//! tell that the same phone was in both: from a published key of that day, or from an address that
//! stays when the identifier changes. Who is where is the truth of the scenario; which keys are
//! published, and whether an address stays, is what the engines did.

use std::collections::{BTreeMap, BTreeSet};

use super::arm::{day_number, town};
use super::table::{Table, Value};
use super::{Settings, over_arms};
use crate::radio::uniform;
use crate::scenario::{Adversary, AdversaryKind, Defence, Scenario};
use crate::world::randomness::Randomness;
use crate::world::{Outcome, World};

/// Share of places in which somebody listens.
const LISTENERS: [f64; 5] = [0.05, 0.1, 0.2, 0.5, 1.0];

#[derive(Clone, Copy, Debug)]
enum Variant {
    AsShipped,
    AddressStays,
    KeysStayValid,
}

impl Variant {
    const fn name(self) -> &'static str {
        match self {
            Self::AsShipped => "as shipped",
            Self::AddressStays => "the address stays",
            Self::KeysStayValid => "same-day keys are not closed",
        }
    }
}

pub(super) fn run(settings: &Settings, done: &(dyn Fn() + Sync)) -> Vec<Table> {
    let variants = [Variant::AsShipped, Variant::AddressStays, Variant::KeysStayValid];
    let runs = over_arms(settings, &variants, done, |&variant, seed| {
        let mut scenario = town(settings.phones, settings.days, seed);
        match variant {
            Variant::AsShipped => {}
            Variant::AddressStays => {
                scenario.without.insert(Defence::AddressRotation);
            }
            Variant::KeysStayValid => {
                scenario.without.insert(Defence::KeyClosing);
            }
        }
        // One listener in every place tells which changes of identifier can be followed anywhere.
        let everywhere = scenario.stays.iter().enumerate().map(|(stay, place)| Adversary {
            stay,
            distance_m: 2.0,
            from: place.from,
            to: place.to,
            kind: AdversaryKind::Sniffer,
        });
        scenario.adversaries = everywhere.collect();
        let outcome = World::new(&scenario, seed).run(|_| {});
        let shares = LISTENERS.map(|share| (share, linked_days(&outcome, share, seed)));
        (seed, outcome.linkable, shares)
    });
    let mut rows = Vec::new();
    for (variant, (seed, followed, shares)) in runs {
        for (share, linked) in shares {
            rows.push([
                Value::from(seed),
                variant.name().into(),
                share.into(),
                linked.positives_days.into(),
                linked.positives.into(),
                linked.others_days.into(),
                linked.others.into(),
                followed.into(),
            ]);
        }
    }
    let columns = [
        "seed",
        "run",
        "share_of_places",
        "days_linked_of_positives",
        "positives",
        "days_linked_of_others",
        "others",
        "identifier_changes_followed",
    ];
    vec![Table::of_rows("e9_linkability", columns, rows)]
}

#[derive(Debug, Default)]
struct Linked {
    positives: usize,
    positives_days: usize,
    others: usize,
    others_days: usize,
}

fn linked_days(outcome: &Outcome, share: f64, seed: u64) -> Linked {
    let scenario: &Scenario = &outcome.scenario;
    let randomness = Randomness::new(seed);
    let mut heard: BTreeMap<usize, BTreeMap<usize, usize>> = BTreeMap::new();
    for stay in &scenario.stays {
        // The same place is listened to in every arm with at least this share.
        if uniform(&mut randomness.stream("listener", &[&stay.place])) >= share {
            continue;
        }
        let day = day_number(scenario, stay.from);
        for &phone in stay.positions.keys() {
            *heard.entry(phone).or_default().entry(day).or_default() += 1;
        }
    }
    let address_stays = scenario.without.contains(&Defence::AddressRotation);
    let mut published: BTreeMap<usize, BTreeSet<usize>> = BTreeMap::new();
    for key in &outcome.published {
        // A key's day is UTC; the part of the local day before it belongs to the key before.
        let day = day_number(scenario, key.day.start().max(scenario.starts));
        published.entry(key.phone).or_default().insert(day);
    }
    let positives: BTreeSet<_> = scenario.diagnoses.iter().map(|one| one.phone).collect();
    let mut linked = Linked::default();
    for phone in 0..scenario.phones.len() {
        let several = heard.get(&phone).into_iter().flatten().filter(|(_, places)| **places >= 2);
        let days = several
            .filter(|(day, _)| {
                address_stays || published.get(&phone).is_some_and(|days| days.contains(day))
            })
            .count();
        if positives.contains(&phone) {
            linked.positives += 1;
            linked.positives_days += days;
        } else {
            linked.others += 1;
            linked.others_days += days;
        }
    }
    linked
}
