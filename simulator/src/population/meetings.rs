//! Who meets whom on which day. Nothing is stored: a day's meetings are computed from either side,
//! on the day for the infection and again later for the phones that were there.

use super::draw::{Draws, Permutation, Purpose, Seed, mixed, unit};
use super::people::{NETWORKS, People};
use super::scenario::Scenario;

/// Where two people met.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Setting {
    Household,
    Occupation,
    Random,
}

/// One meeting, seen from one side.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Meeting {
    pub(crate) other: u32,
    pub(crate) setting: Setting,
    /// Random bits of the two and the day, the same from both sides.
    pub(crate) bits: u64,
}

/// Rounds in which strangers are paired each day.
const RANDOM_ROUNDS: u32 = 24;
/// Most people go out little and some a lot, with mean 1 and a variance of 0.84: with the chance of
/// each round, the number of random meetings has about the deviation of its mean.
const SOCIABILITY: [(f64, f64); 2] = [(0.6, 0.25), (1.0, 2.125)];

/// The rules of meeting.
#[derive(Debug)]
pub(crate) struct Networks {
    seed: Seed,
    /// Colleagues on each side of the ring: near and far, by network.
    near: [f64; NETWORKS],
    far: [f64; NETWORKS],
    far_rings: [Permutation; NETWORKS],
    daily_share: f64,
    /// Probability of going out in a round, before sociability, by generation.
    outgoing: [f64; 3],
    most_outgoing: f64,
    strangers: Permutation,
    link_exists: Draws,
    sociability: Draws,
}

/// The meetings of one day.
#[derive(Debug)]
pub(crate) struct DayOfMeetings<'a> {
    networks: &'a Networks,
    people: &'a People,
    pair: Draws,
    rounds: [(Draws, Permutation); RANDOM_ROUNDS as usize],
}

impl Networks {
    pub(crate) fn new(scenario: &Scenario, people: &People, seed: Seed) -> Self {
        let meetings = &scenario.meetings;
        let degree = |network: usize| {
            let generation = [0, 0, 1, 2, 2][network];
            meetings.occupation[generation] / meetings.occupation_daily_share / 2.0
        };
        let share = meetings.occupation_far_share;
        let indices: [usize; NETWORKS] = core::array::from_fn(|network| network);
        let far_rings = indices.map(|network| {
            let number = u32::try_from(network).unwrap_or(0);
            let size = people.network_size(network).max(1);
            Permutation::new(seed.on(Purpose::FarNeighbour, number), size)
        });
        let count = people.count();
        let mean = (0..count).map(|person| meetings.random[people.generation(person)]).sum::<f64>()
            / f64::from(count.max(1));
        let norm = libm::sqrt(f64::from(RANDOM_ROUNDS) * mean.max(1e-9));
        let outgoing = meetings.random.map(|number| number / norm);
        Self {
            seed,
            near: indices.map(|network| degree(network) * (1.0 - share)),
            far: indices.map(|network| degree(network) * share),
            far_rings,
            daily_share: meetings.occupation_daily_share,
            outgoing,
            most_outgoing: outgoing.into_iter().fold(0.0, f64::max),
            strangers: Permutation::new(seed.always(Purpose::RandomPartner), count),
            link_exists: seed.always(Purpose::LinkExists),
            sociability: seed.always(Purpose::Sociability),
        }
    }

    pub(crate) fn day<'a>(&'a self, people: &'a People, day: u16) -> DayOfMeetings<'a> {
        let day = u32::from(day);
        let round = |number: usize| {
            let number = u32::try_from(number).unwrap_or(0);
            let day = day * RANDOM_ROUNDS + number;
            let strangers = self.strangers.with(self.seed.on(Purpose::RandomPartner, day));
            (self.seed.on(Purpose::RandomRound, day), strangers)
        };
        let pair = self.seed.on(Purpose::OccupationToday, day);
        DayOfMeetings { networks: self, people, pair, rounds: core::array::from_fn(round) }
    }

    /// Mean number of meetings a day of those of `generation`, at home counted `household_weight`
    /// times.
    pub(crate) fn mean_a_day(scenario: &Scenario, people: &People, generation: usize) -> f64 {
        let (mut persons, mut sum) = (0.0, 0.0);
        for person in 0..people.count() {
            if people.generation(person) == generation {
                persons += 1.0;
                let household = people.household(person);
                sum += f64::from(household.end - household.start - 1)
                    * scenario.meetings.household_weight;
                let network = usize::from(people.occupation(person).0);
                sum += scenario.meetings.occupation[[0, 0, 1, 2, 2][network]];
            }
        }
        sum / f64::max(persons, 1.0) + scenario.meetings.random[generation]
    }
}

impl People {
    fn network_size(&self, network: usize) -> u32 {
        let members = self.members_of(network);
        u32::try_from(members.len()).unwrap_or(u32::MAX)
    }
}

impl DayOfMeetings<'_> {
    /// Everybody of the same household.
    pub(crate) fn at_home(&self, person: u32, mut visit: impl FnMut(Meeting)) {
        for other in self.people.household(person).filter(|&other| other != person) {
            self.visit(person, other, Setting::Household, &mut visit);
        }
    }

    /// Colleagues and strangers, if nobody stays at home.
    pub(crate) fn outside(&self, person: u32, mut visit: impl FnMut(Meeting)) {
        let (network, place, members) = self.people.occupation(person);
        let network = usize::from(network);
        let networks = self.networks;
        let size = u32::try_from(members.len()).unwrap_or(u32::MAX);
        let far = networks.far_rings[network];
        let far_place = far.forward(place);
        let mut colleague = |other: u32, expected: f64, distance: u32| {
            let left = expected - f64::from(distance - 1);
            let exists = left >= 1.0 || unit(networks.link_exists.pair_bits(person, other)) < left;
            let bits = self.pair.pair_bits(person, other);
            if exists && unit(bits) < networks.daily_share {
                let bits = mixed(bits ^ 1);
                visit(Meeting { other, setting: Setting::Occupation, bits });
            }
        };
        for distance in 1..=reach(networks.near[network], size) {
            for neighbour in [place + distance, place + size - distance] {
                let other = members[(neighbour % size) as usize];
                colleague(other, networks.near[network], distance);
            }
        }
        for distance in 1..=reach(networks.far[network], size) {
            for neighbour in [far_place + distance, far_place + size - distance] {
                let other = members[far.back(neighbour % size) as usize];
                colleague(other, networks.far[network], distance);
            }
        }

        let goes_out = self.outgoing(person, self.sociability(person));
        for (draws, strangers) in &self.rounds {
            if !draws.happens(person, goes_out) {
                continue;
            }
            let partner = strangers.forward(person) ^ 1;
            if partner >= self.people.count() {
                continue;
            }
            let other = strangers.back(partner);
            let drawn = draws.unit(other, 0);
            let sociability = self.sociability(other);
            // The other's age, which lies far away in memory, is asked for only if it matters.
            if drawn < sociability * networks.most_outgoing
                && drawn < self.outgoing(other, sociability)
            {
                self.visit(person, other, Setting::Random, &mut visit);
            }
        }
    }

    fn visit(&self, person: u32, other: u32, setting: Setting, visit: &mut impl FnMut(Meeting)) {
        let bits = self.pair.pair_bits(person, other);
        visit(Meeting { other, setting, bits: mixed(bits ^ 1) });
    }

    /// How much more often than others of the same age `person` goes out.
    fn sociability(&self, person: u32) -> f64 {
        let drawn = self.networks.sociability.unit(person, 0);
        let sociable = SOCIABILITY.iter().find(|(up_to, _)| drawn < *up_to);
        sociable.map_or(1.0, |(_, factor)| *factor)
    }

    fn outgoing(&self, person: u32, sociability: f64) -> f64 {
        sociability * self.networks.outgoing[self.people.generation(person)]
    }
}

/// How many places on each side of a ring of `size` are looked at, none of them twice.
fn reach(expected: f64, size: u32) -> u32 {
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a few colleagues")]
    let reach = libm::ceil(expected) as u32;
    reach.min(size.saturating_sub(1) / 2)
}
