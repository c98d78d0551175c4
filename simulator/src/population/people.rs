//! Who there is: ages, households, and a place in the network of a school, of work, or of the old.
//! One array for each fact; a person is an index.

use super::draw::{Draws, Purpose, Seed};
use super::scenario::Scenario;

/// Networks of those under 10, under 20, under 70, under 80, and older.
pub(crate) const NETWORKS: usize = 5;

/// Everybody. Members of a household are neighbours in every array.
#[derive(Debug)]
pub(crate) struct People {
    age_years: Vec<u8>,
    household_size: Vec<u8>,
    /// How many members of the household come before.
    household_place: Vec<u8>,
    /// Whose colleague: the network's number and a place in its ring.
    network: Vec<u8>,
    place: Vec<u32>,
    /// The persons of each network by their place.
    members: Vec<u32>,
    network_starts: [u32; NETWORKS + 1],
}

impl People {
    pub(crate) fn new(scenario: &Scenario, seed: Seed) -> Self {
        let count = scenario.people;
        let household_size = household_sizes(scenario, seed);
        let mut people = Self {
            age_years: Vec::with_capacity(count as usize),
            household_size,
            household_place: Vec::with_capacity(count as usize),
            network: vec![0; count as usize],
            place: vec![0; count as usize],
            members: Vec::new(),
            network_starts: [0; NETWORKS + 1],
        };
        people.draw_ages(scenario, seed);
        people.draw_networks(scenario, seed);
        people
    }

    pub(crate) fn count(&self) -> u32 {
        u32::try_from(self.age_years.len()).unwrap_or(u32::MAX)
    }

    pub(crate) fn age_years(&self, person: u32) -> u8 {
        self.age_years[person as usize]
    }

    /// 0 for 0–9 … 8 for 80 and older.
    pub(crate) fn decade(&self, person: u32) -> usize {
        usize::from(self.age_years(person) / 10).min(8)
    }

    /// 0 under 20, 1 under 70, 2 for the old.
    pub(crate) fn generation(&self, person: u32) -> usize {
        generation(self.decade(person))
    }

    pub(crate) fn household(&self, person: u32) -> core::ops::Range<u32> {
        let first = person - u32::from(self.household_place[person as usize]);
        first..first + u32::from(self.household_size[person as usize])
    }

    /// Network, place in its ring, and the persons of the ring.
    pub(crate) fn occupation(&self, person: u32) -> (u8, u32, &[u32]) {
        let network = self.network[person as usize];
        (network, self.place[person as usize], self.members_of(usize::from(network)))
    }

    /// The persons of a network by their place.
    pub(crate) fn members_of(&self, network: usize) -> &[u32] {
        let starts = &self.network_starts[network..];
        &self.members[starts[0] as usize..starts[1] as usize]
    }

    /// Bytes held for everybody.
    pub(crate) fn bytes(&self) -> usize {
        self.age_years.capacity()
            + self.household_size.capacity()
            + self.household_place.capacity()
            + self.network.capacity()
            + 4 * (self.place.capacity() + self.members.capacity())
    }

    /// Children fill the places beyond the first two of larger households; the old live alone or as
    /// two; everybody else takes what is left.
    fn draw_ages(&mut self, scenario: &Scenario, seed: Seed) {
        let ages = &scenario.population.ages;
        let total: f64 = ages.iter().sum();
        let people = f64::from(scenario.people);
        let (mut child_places, mut old_places) = (0.0, 0.0);
        each_household(&self.household_size, |_, size| {
            child_places += f64::from(size.saturating_sub(2));
            old_places += if size <= 2 { f64::from(size) } else { 0.0 };
        });
        let children = (ages[0] + ages[1]) / total * people;
        let old = (ages[7] + ages[8]) / total * people;
        let child_share = (children / f64::max(child_places, 1.0)).min(1.0);
        let old_share = (old / f64::max(old_places, 1.0)).min(1.0);
        let left = f64::max(people - child_places - old_places, 1.0);
        // Where the places do not suffice, the rest live with the others.
        let more_children = ((children - child_places) / left).clamp(0.0, 1.0);
        let more_old = ((old - old_places) / left).clamp(0.0, 1.0);

        let household = seed.always(Purpose::HouseholdAge);
        let each = seed.always(Purpose::Age);
        let (age_years, household_place) = (&mut self.age_years, &mut self.household_place);
        each_household(&self.household_size, |first, size| {
            let all_old = size <= 2 && household.unit(first, 0) < old_share;
            for place in 0..size {
                let person = first + u32::from(place);
                let drawn = each.unit(person, 0);
                let decades = if all_old || (size > 2 && place < 2 && drawn < more_old) {
                    7..9
                } else if (place >= 2 && drawn < child_share)
                    || (size > 2 && place < 2 && drawn > 1.0 - more_children)
                {
                    0..2
                } else {
                    2..7
                };
                household_place.push(place);
                age_years.push(age(ages, decades, each.unit(person, 1), each.unit(person, 2)));
            }
        });
    }

    /// Everybody has one occupation. Some adults teach, and some are in the circles of the old.
    fn draw_networks(&mut self, scenario: &Scenario, seed: Seed) {
        let total: f64 = scenario.population.ages.iter().sum();
        let share = |decade: usize| scenario.population.ages[decade] / total;
        let adults: f64 = (2..7).map(share).sum();
        let each_adult = scenario.meetings.adults_in_other_networks / f64::max(adults, 1e-9);
        let draws = seed.always(Purpose::Network);
        let mut sizes = [0_u32; NETWORKS];
        for person in 0..self.count() {
            let decade = self.decade(person);
            let network = match decade {
                0 => 0,
                1 => 1,
                7 => 3,
                8 => 4,
                _ => {
                    let mut drawn = draws.unit(person, 0);
                    let others = [(0, share(0)), (1, share(1)), (3, share(7)), (4, share(8))];
                    let taken = others.into_iter().find(|(_, share)| {
                        drawn -= share * each_adult;
                        drawn < 0.0
                    });
                    taken.map_or(2, |(network, _)| network)
                }
            };
            self.network[person as usize] = network;
            sizes[usize::from(network)] += 1;
        }
        let mut start = 0;
        for (next, size) in self.network_starts.iter_mut().skip(1).zip(sizes) {
            start += size;
            *next = start;
        }
        self.members = vec![0; self.count() as usize];
        // Households must not sit together at work: everybody gets a place at random.
        let mut order: [Vec<(u64, u32)>; NETWORKS] = Default::default();
        for person in 0..self.count() {
            let network = usize::from(self.network[person as usize]);
            order[network].push((draws.bits(person, 1), person));
        }
        for (network, mut order) in order.into_iter().enumerate() {
            order.sort_unstable();
            let start = self.network_starts[network];
            for (place, (_, person)) in (0_u32..).zip(order) {
                self.members[(start + place) as usize] = person;
                self.place[person as usize] = place;
            }
        }
    }
}

/// 0 under 20, 1 under 70, 2 for the old.
pub(crate) const fn generation(decade: usize) -> usize {
    match decade {
        0 | 1 => 0,
        2..=6 => 1,
        _ => 2,
    }
}

/// Of each person the size of the household.
fn household_sizes(scenario: &Scenario, seed: Seed) -> Vec<u8> {
    let shares = &scenario.population.households;
    let total: f64 = shares.iter().sum();
    let draws: Draws = seed.always(Purpose::HouseholdSize);
    let count = scenario.people as usize;
    let mut sizes = Vec::with_capacity(count);
    for household in 0_u32.. {
        if sizes.len() >= count {
            break;
        }
        let drawn = draws.unit(household, 0) * total;
        let size = 1 + pick(shares, drawn);
        let size = size.min(count - sizes.len());
        sizes.extend(core::iter::repeat_n(u8::try_from(size).unwrap_or(u8::MAX), size));
    }
    sizes
}

fn each_household(sizes: &[u8], mut visit: impl FnMut(u32, u8)) {
    let mut first = 0;
    while let Some(&size) = sizes.get(first as usize) {
        visit(first, size);
        first += u32::from(size);
    }
}

/// The index in `shares` at which their sum exceeds `drawn`.
pub(crate) fn pick(shares: &[f64], drawn: f64) -> usize {
    let mut sum = 0.0;
    let found = shares.iter().position(|share| {
        sum += share;
        drawn < sum
    });
    found.unwrap_or_else(|| shares.len().saturating_sub(1))
}

fn age(shares: &[f64; 9], decades: core::ops::Range<usize>, decade: f64, year: f64) -> u8 {
    let among = &shares[decades.clone()];
    let decade = decades.start + pick(among, decade * among.iter().sum::<f64>());
    // Nobody is older than 94 here.
    let years = if decade == 8 { 15.0 } else { 10.0 };
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "below 15")]
    let year = (year * years) as u8;
    u8::try_from(decade * 10).unwrap_or(80) + year
}
