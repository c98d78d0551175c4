//! Randomness by counter: a draw is a function of the seed, its purpose, the day and whom it is
//! about, and of nothing that was drawn before. So the number of threads does not matter, and two
//! arms that differ in one rule share every draw that the rule does not touch.

/// What a draw is for. The numbers are part of what a seed means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Purpose {
    HouseholdSize = 1,
    HouseholdAge,
    Age,
    Network,
    FarNeighbour,
    LinkExists,
    Sociability,
    OccupationToday,
    RandomRound,
    RandomPartner,
    FirstInfections,
    Course,
    CourseTimes,
    Infectiousness,
    OtherSymptoms,
    SelfIsolation,
    SymptomTest,
    Test,
    DropOut,
    AppOwner,
    Carried,
    NumberIssued,
    NumberEntered,
    Receives,
    FetchPhase,
    Complies,
    Hotel,
    Conditions,
    KeepsDiary,
}

/// The seed of a run.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Seed(pub(crate) u64);

/// The draws of one purpose on one day.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Draws(u64);

impl Seed {
    /// Draws that do not depend on the day.
    pub(crate) fn always(self, purpose: Purpose) -> Draws {
        self.on(purpose, u32::MAX)
    }

    pub(crate) fn on(self, purpose: Purpose, day: u32) -> Draws {
        let word = ((purpose as u64) << 32) | u64::from(day);
        Draws(mixed(mixed(self.0 ^ 0x6368_696b_616b_7531).wrapping_add(mixed(word))))
    }
}

impl Draws {
    /// 64 bits about `one` and `other`, in this order.
    pub(crate) fn bits(self, one: u32, other: u32) -> u64 {
        let word = (u64::from(one) << 32) | u64::from(other);
        mixed(mixed(self.0 ^ word).wrapping_add(self.0))
    }

    /// From 0 (included) to 1 (excluded).
    pub(crate) fn unit(self, one: u32, other: u32) -> f64 {
        unit(self.bits(one, other))
    }

    /// The same whichever of the two comes first.
    pub(crate) fn pair_bits(self, one: u32, other: u32) -> u64 {
        self.bits(one.min(other), one.max(other))
    }

    /// Whether something of `probability` happens to `one`.
    pub(crate) fn happens(self, one: u32, probability: f64) -> bool {
        self.unit(one, 0) < probability
    }
}

/// From 0 (included) to 1 (excluded), with 53 of the bits.
#[expect(clippy::cast_precision_loss, reason = "53 bits fit a double exactly")]
pub(crate) fn unit(bits: u64) -> f64 {
    (bits >> 11) as f64 / (1_u64 << 53) as f64
}

/// Stafford's variant 13 of the finalizer of MurmurHash3, as in SplitMix64 (Steele, Lea and Flood,
/// 2014): every bit of the result depends on every bit of the word.
pub(crate) const fn mixed(word: u64) -> u64 {
    let word = (word ^ (word >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let word = (word ^ (word >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    word ^ (word >> 31)
}

/// A permutation of `0..size` that is computed, not stored, and can be walked back: a Feistel
/// network over the smallest square that holds `size`, repeated until the result is below `size`.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Permutation {
    draws: Draws,
    size: u32,
    side: u32,
}

const ROUNDS: u32 = 4;

impl Permutation {
    pub(crate) fn new(draws: Draws, size: u32) -> Self {
        let mut side = 1_u32;
        while u64::from(side) * u64::from(side) < u64::from(size) {
            side += 1;
        }
        Self { draws, size, side }
    }

    /// The same size under other draws.
    pub(crate) const fn with(self, draws: Draws) -> Self {
        Self { draws, ..self }
    }

    pub(crate) fn forward(&self, number: u32) -> u32 {
        self.walk(number, |left, right, round| {
            let sum = left + self.shift(right, round);
            (right, if sum < self.side { sum } else { sum - self.side })
        })
    }

    pub(crate) fn back(&self, number: u32) -> u32 {
        self.walk(number, |left, right, round| {
            let shift = self.shift(left, ROUNDS - 1 - round);
            (if right < shift { right + self.side - shift } else { right - shift }, left)
        })
    }

    fn shift(&self, half: u32, round: u32) -> u32 {
        let bits = mixed(self.draws.0 ^ (u64::from(half) << 8) ^ u64::from(round)) >> 32;
        let scaled = (bits * u64::from(self.side)) >> 32;
        u32::try_from(scaled).unwrap_or(0)
    }

    fn walk(&self, number: u32, step: impl Fn(u32, u32, u32) -> (u32, u32)) -> u32 {
        let mut number = number;
        loop {
            let mut halves = (number / self.side, number % self.side);
            for round in 0..ROUNDS {
                halves = step(halves.0, halves.1, round);
            }
            number = halves.0 * self.side + halves.1;
            if number < self.size {
                return number;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_permutation_reaches_everyone_once_and_leads_back() {
        for size in [1, 2, 3, 10, 97, 1000, 4097] {
            let permutation = Permutation::new(Seed(7).on(Purpose::RandomPartner, 3), size);
            let mut reached = vec![false; size as usize];
            for number in 0..size {
                let image = permutation.forward(number);
                assert!(!core::mem::replace(&mut reached[image as usize], true));
                assert_eq!(permutation.back(image), number);
            }
        }
    }

    #[test]
    fn draws_are_even() {
        let draws = Seed(1).on(Purpose::Carried, 5);
        let mean = (0..100_000).map(|one| draws.unit(one, 0)).sum::<f64>() / 100_000.0;
        assert!((mean - 0.5).abs() < 0.005, "{mean}");
    }
}
