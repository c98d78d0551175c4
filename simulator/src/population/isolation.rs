//! Who stays away from work, school and chance meetings, from when to when, and why.

use super::draw::{Purpose, Seed};

/// Why somebody stays at home. More than one reason may hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ground {
    Symptoms = 1,
    Positive = 2,
    Household = 4,
    Notice = 8,
}

/// The latest isolation of each person.
#[derive(Debug)]
pub(crate) struct Isolations {
    seed: Seed,
    from: Vec<u16>,
    until: Vec<u16>,
    grounds: Vec<u8>,
    /// Everybody who is isolated now or was yesterday, in the order in which they began.
    current: Vec<u32>,
}

/// How many were isolated on one day.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Isolated {
    pub(crate) all: u64,
    pub(crate) not_infected: u64,
    pub(crate) by_notice: u64,
    pub(crate) by_notice_not_infected: u64,
}

impl Isolations {
    pub(crate) fn new(people: u32, seed: Seed) -> Self {
        let count = people as usize;
        Self {
            seed,
            from: vec![0; count],
            until: vec![0; count],
            grounds: vec![0; count],
            current: Vec::new(),
        }
    }

    /// Whether `person` stayed at home on `day`, today or in the last two weeks. Of two isolations
    /// only the later one is known.
    pub(crate) fn is_isolated(&self, person: u32, day: u16) -> bool {
        let person = person as usize;
        self.from[person] <= day && day < self.until[person]
    }

    /// `person` stays at home from the day after `today` to the end of the day `last`, unless they
    /// give up.
    pub(crate) fn isolate(
        &mut self,
        person: u32,
        today: u16,
        last: u16,
        drop_out: f64,
        ground: Ground,
    ) {
        let draws = self.seed.on(Purpose::DropOut, u32::from(today));
        let days = kept_days(draws.unit(person, ground as u32), drop_out);
        let until = last.saturating_add(1).min(today.saturating_add(1).saturating_add(days));
        let index = person as usize;
        if until <= today.saturating_add(1) {
            return;
        }
        if self.until[index] > today {
            self.until[index] = self.until[index].max(until);
            self.grounds[index] |= ground as u8;
            return;
        }
        self.from[index] = today + 1;
        self.until[index] = until;
        self.grounds[index] = ground as u8;
        self.current.push(person);
    }

    /// A test was negative: who stayed at home with symptoms only may go out tomorrow.
    pub(crate) fn release(&mut self, person: u32, today: u16) {
        let index = person as usize;
        if self.grounds[index] == Ground::Symptoms as u8 {
            self.until[index] = self.until[index].min(today.saturating_add(1));
        }
    }

    /// Counts `day` and forgets who is free again.
    pub(crate) fn count(&mut self, day: u16, is_infected: impl Fn(u32) -> bool) -> Isolated {
        let mut count = Isolated::default();
        let (from, until, grounds) = (&self.from, &self.until, &self.grounds);
        self.current.retain(|&person| {
            let index = person as usize;
            if until[index] <= day {
                return false;
            }
            if from[index] <= day {
                let not_infected = u64::from(!is_infected(person));
                let by_notice = u64::from(grounds[index] & Ground::Notice as u8 != 0);
                count.all += 1;
                count.not_infected += not_infected;
                count.by_notice += by_notice;
                count.by_notice_not_infected += not_infected * by_notice;
            }
            true
        });
        count
    }

    pub(crate) fn bytes(&self) -> usize {
        2 * (self.from.capacity() + self.until.capacity())
            + self.grounds.capacity()
            + 4 * self.current.capacity()
    }
}

/// Days until somebody gives up who does so with the probability `drop_out` each day.
fn kept_days(drawn: f64, drop_out: f64) -> u16 {
    if drop_out <= 0.0 {
        return u16::MAX;
    }
    if drop_out >= 1.0 {
        return 0;
    }
    let days = libm::log(1.0 - drawn) / libm::log(1.0 - drop_out);
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "limited")]
    let days = days.min(10_000.0) as u16;
    days.saturating_add(1)
}
