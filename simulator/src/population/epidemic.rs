//! The days of a population: infections, symptoms, tests, the app's chain, isolation.
//!
//! On each day people meet first; what happens then (symptoms, results, notices) changes whom they
//! meet on the next one. The parts over everybody run in parallel and only read; what they find is
//! ordered by person before it is applied, so the number of threads changes nothing.

mod app;
mod testing;

use std::collections::VecDeque;

use rayon::prelude::*;

use super::board::Board;
use super::detection::{Detection, DetectionTable};
use super::disease::{Case, Courses};
use super::draw::{Permutation, Purpose, Seed, mixed, unit};
use super::isolation::{Ground, Isolations};
use super::meetings::{DayOfMeetings, Meeting, Networks, Setting};
use super::monitor::{Day, Monitor};
use super::notification::{Notice, Upload};
use super::people::People;
use super::scenario::{Scenario, ScenarioError};

const NO_CASE: u32 = u32::MAX;
/// Infected people in one piece of parallel work.
const CHUNK: usize = 512;

/// What is known of a person, as bits.
const HAS_APP: u8 = 1;
const HAS_SMARTPHONE: u8 = 2;
const POSITIVE: u8 = 4;
const TEST_ORDERED: u8 = 8;
const EVER_NOTIFIED: u8 = 16;

#[derive(Clone, Copy, Debug)]
enum Event {
    Symptoms { person: u32 },
    Hospital { person: u32 },
    Test { person: u32 },
    Result { person: u32, positive: bool },
}

/// What is due on a day.
#[derive(Debug, Default)]
struct Due {
    events: VecDeque<Event>,
    uploads: Vec<Upload>,
    notices: Vec<Notice>,
    /// Who begins to stay at home after a notice, and up to which day.
    stays: Vec<(u32, u16)>,
}

/// A population while its days pass.
#[derive(Debug)]
pub(crate) struct Epidemic<'a> {
    scenario: &'a Scenario,
    seed: Seed,
    people: &'a People,
    networks: Networks,
    courses: Courses,
    detection: Detection,
    case_of: Vec<u32>,
    cases: Vec<Case>,
    /// Cases that may still infect somebody.
    active: Vec<u32>,
    facts: Vec<u8>,
    isolations: Isolations,
    due: Vec<Due>,
    board: Board,
    monitor: Monitor,
}

impl<'a> Epidemic<'a> {
    pub(crate) fn new(
        scenario: &'a Scenario,
        people: &'a People,
        seed: Seed,
    ) -> Result<Self, ScenarioError> {
        let count = people.count();
        let app = &scenario.app;
        let owner = seed.always(Purpose::AppOwner);
        let facts = (0..count).into_par_iter().map(|person| {
            let smartphones = app.smartphones[people.decade(person)];
            let drawn = owner.unit(person, 0);
            // Who has the app at a low adoption has it at a higher one too.
            let has_app = drawn < smartphones * app.adoption;
            let has_smartphone = drawn < smartphones;
            (u8::from(has_app) * HAS_APP) | (u8::from(has_smartphone) * HAS_SMARTPHONE)
        });
        let mut epidemic = Self {
            scenario,
            seed,
            people,
            networks: Networks::new(scenario, people, seed),
            courses: Courses::new(scenario, people, seed),
            detection: DetectionTable::measured().probabilities(scenario)?,
            case_of: vec![NO_CASE; count as usize],
            cases: Vec::new(),
            active: Vec::new(),
            facts: facts.collect(),
            isolations: Isolations::new(count, seed),
            due: (0..scenario.days).map(|_| Due::default()).collect(),
            board: Board::new(scenario, seed),
            monitor: Monitor::new(scenario.first_date()?),
        };
        let order = Permutation::new(seed.always(Purpose::FirstInfections), count);
        for number in 0..scenario.first_infections.min(count) {
            epidemic.infect(order.forward(number), 0);
        }
        Ok(epidemic)
    }

    /// Lets every day pass.
    pub(crate) fn run(mut self) -> (Monitor, usize) {
        for day in 0..self.scenario.days {
            self.pass(day);
        }
        let bytes = self.bytes();
        (self.monitor, bytes)
    }

    fn pass(&mut self, day: u16) {
        let mut row = Day::default();
        let case_of = &self.case_of;
        let isolated = self.isolations.count(day, |person| case_of[person as usize] != NO_CASE);
        row.isolated = isolated.all;
        row.isolated_not_infected = isolated.not_infected;
        row.isolated_by_notice = isolated.by_notice;
        row.isolated_by_notice_not_infected = isolated.by_notice_not_infected;

        let infections = self.transmissions(day);
        row.infections = infections.len() as u64;
        for person in infections {
            self.infect(person, day);
        }
        self.other_symptoms(day);
        let mut due = core::mem::take(&mut self.due[usize::from(day)]);
        while let Some(event) = due.events.pop_front() {
            self.happen(event, day, &mut due, &mut row);
        }
        self.publish(&mut due, day, &mut row);
        self.notify(&mut due, day, &mut row);
        for &(person, last) in &due.stays {
            let drop_out = self.scenario.isolation.notice_drop_out;
            self.isolations.isolate(person, day, last, drop_out, Ground::Notice);
        }
        for case in &self.cases {
            row.hospital_need += u64::from(case.needs_hospital(day));
            row.critical_need += u64::from(case.is_critical(day));
            row.deaths += u64::from(case.dies && case.ends == day);
        }
        self.board.pass(day, &self.cases, &mut row);
        self.monitor.push(row);
    }

    fn infect(&mut self, person: u32, day: u16) {
        let case = self.courses.draw(person, self.people.decade(person), day);
        let number = u32::try_from(self.cases.len()).unwrap_or(NO_CASE);
        self.case_of[person as usize] = number;
        self.cases.push(case);
        self.active.push(number);
        self.plan(case.symptoms, Event::Symptoms { person });
        self.plan(case.hospital, Event::Hospital { person });
    }

    fn plan(&mut self, day: u16, event: Event) {
        if let Some(due) = self.due.get_mut(usize::from(day)) {
            due.events.push_back(event);
        }
    }

    fn case(&self, person: u32) -> Option<&Case> {
        self.cases.get(self.case_of[person as usize] as usize)
    }

    /// In hospital, or dead: meets nobody of this model.
    fn is_gone(&self, person: u32, day: u16) -> bool {
        self.case(person)
            .is_some_and(|case| case.needs_hospital(day) || (case.dies && case.ends <= day))
    }

    fn goes_out(&self, person: u32, day: u16) -> bool {
        !self.isolations.is_isolated(person, day) && !self.is_gone(person, day)
    }

    /// Everybody whom `person` met on the day of `meetings`, of those meetings that are of
    /// `interest`. This is asked first, by the meeting's random bits alone: where somebody else was
    /// on that day lies far away in memory.
    fn met(
        &self,
        person: u32,
        day: u16,
        meetings: &DayOfMeetings<'_>,
        interest: impl Fn(&Meeting) -> bool,
        mut visit: impl FnMut(Meeting),
    ) {
        if self.is_gone(person, day) {
            return;
        }
        meetings.at_home(person, |meeting| {
            if interest(&meeting) && !self.is_gone(meeting.other, day) {
                visit(meeting);
            }
        });
        if self.goes_out(person, day) {
            meetings.outside(person, |meeting| {
                if interest(&meeting) && self.goes_out(meeting.other, day) {
                    visit(meeting);
                }
            });
        }
    }

    /// Who is infected on `day`, each once, by number.
    fn transmissions(&mut self, day: u16) -> Vec<u32> {
        let cases = &self.cases;
        self.active.retain(|&number| {
            let case = &cases[number as usize];
            case.ends > day && day - case.infected <= super::disease::INFECTIOUS_DAYS
        });
        let meetings = self.networks.day(self.people, day);
        let this = &*self;
        let found: Vec<Vec<u32>> = this
            .active
            .par_chunks(CHUNK)
            .map(|chunk| {
                let mut infected = Vec::new();
                for &number in chunk {
                    this.infect_neighbours(
                        &this.cases[number as usize],
                        day,
                        &meetings,
                        &mut infected,
                    );
                }
                infected
            })
            .collect();
        let mut infected: Vec<u32> = found.into_iter().flatten().collect();
        infected.par_sort_unstable();
        infected.dedup();
        infected
    }

    fn infect_neighbours(
        &self,
        case: &Case,
        day: u16,
        meetings: &DayOfMeetings<'_>,
        infected: &mut Vec<u32>,
    ) {
        let hazard = self.courses.hazard(case, day);
        if hazard <= 0.0 {
            return;
        }
        let weighted = |meeting: &Meeting| match meeting.setting {
            Setting::Household => hazard * self.courses.household_weight(),
            Setting::Occupation | Setting::Random => hazard,
        };
        let drawn = |meeting: &Meeting| unit(mixed(meeting.bits ^ 4));
        // 1 - exp(-h) is below h: few meetings could infect even the most susceptible.
        let most = self.courses.most_susceptible();
        let could_infect = |meeting: &Meeting| drawn(meeting) < weighted(meeting) * most;
        self.met(case.person, day, meetings, could_infect, |meeting| {
            if self.case_of[meeting.other as usize] != NO_CASE {
                return;
            }
            let susceptibility = self.courses.susceptibility(self.people.decade(meeting.other));
            let hazard = weighted(&meeting) * susceptibility;
            if drawn(&meeting) < 1.0 - libm::exp(-hazard) {
                infected.push(meeting.other);
            }
        });
    }

    /// Colds. The waits between them are drawn, not everybody's day.
    fn other_symptoms(&mut self, day: u16) {
        let rate = self.scenario.disease.other_symptoms_a_day;
        if rate <= 0.0 {
            return;
        }
        let draws = self.seed.on(Purpose::OtherSymptoms, u32::from(day));
        let per_step = libm::log(1.0 - rate.min(0.999_999));
        let mut at = 0.0;
        for number in 0_u32.. {
            at += libm::floor(libm::log(1.0 - draws.unit(number, 0)) / per_step);
            if at >= f64::from(self.people.count()) {
                return;
            }
            #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a person")]
            let person = at as u32;
            at += 1.0;
            let is_ill = self.case(person).is_some_and(|case| {
                (case.symptoms <= day && day < case.ends) || case.needs_hospital(day) || case.dies
            });
            if !is_ill {
                self.plan(day, Event::Symptoms { person });
            }
        }
    }

    fn knows(&self, person: u32, fact: u8) -> bool {
        self.facts[person as usize] & fact != 0
    }

    fn bytes(&self) -> usize {
        let due = self.due.iter().map(|due| {
            due.events.capacity() * size_of::<Event>()
                + due.uploads.capacity() * size_of::<Upload>()
                + due.notices.capacity() * size_of::<Notice>()
                + due.stays.capacity() * size_of::<(u32, u16)>()
        });
        self.people.bytes()
            + self.isolations.bytes()
            + self.board.bytes()
            + 4 * (self.case_of.capacity() + self.active.capacity())
            + self.cases.capacity() * size_of::<Case>()
            + self.facts.capacity()
            + due.sum::<usize>()
    }
}
