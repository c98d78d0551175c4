//! From symptoms to a test, its result, and what a positive one sets going.

use super::{Due, Epidemic, Event, HAS_APP, HAS_SMARTPHONE, NO_CASE, POSITIVE, TEST_ORDERED};
use crate::population::draw::Purpose;
use crate::population::isolation::Ground;
use crate::population::monitor::Day;
use crate::population::notification::Upload;

impl Epidemic<'_> {
    pub(super) fn happen(&mut self, event: Event, day: u16, due: &mut Due, row: &mut Day) {
        let testing = &self.scenario.testing;
        let isolation = &self.scenario.isolation;
        match event {
            Event::Symptoms { person } => {
                if self.knows(person, POSITIVE) || self.is_gone(person, day) {
                    return;
                }
                row.symptoms += 1;
                let stays = self.seed.on(Purpose::SelfIsolation, u32::from(day));
                if !self.isolations.is_isolated(person, day + 1)
                    && !stays.happens(person, isolation.with_symptoms)
                {
                    return;
                }
                let last = day.saturating_add(isolation.with_symptoms_days);
                let drop_out = isolation.symptoms_drop_out;
                self.isolations.isolate(person, day, last, drop_out, Ground::Symptoms);
                let tested = self.seed.on(Purpose::SymptomTest, u32::from(day));
                if tested.happens(person, testing.symptomatic) && !self.knows(person, TEST_ORDERED)
                {
                    self.facts[person as usize] |= TEST_ORDERED;
                    self.next(day, testing.onset_to_test_days, Event::Test { person }, due);
                }
            }
            Event::Hospital { person } => {
                // A hospital looks until it knows.
                if !self.knows(person, POSITIVE) {
                    row.tests += 1;
                    self.tested_positive(person, day, due, row);
                }
            }
            Event::Test { person } => {
                row.tests += 1;
                let drawn = self.seed.on(Purpose::Test, u32::from(day)).unit(person, 0);
                let found = self.case(person).filter(|case| {
                    let since = day - case.infected;
                    (testing.insensitive_days..testing.sensitive_days).contains(&since)
                });
                let positive = match found {
                    Some(_) => drawn < testing.sensitivity,
                    None => drawn >= testing.specificity,
                };
                let wait = testing.test_to_result_days;
                self.next(day, wait, Event::Result { person, positive }, due);
            }
            Event::Result { person, positive } => {
                self.facts[person as usize] &= !TEST_ORDERED;
                if positive && !self.knows(person, POSITIVE) {
                    self.tested_positive(person, day, due, row);
                } else if !positive && isolation.negative_test_ends {
                    self.isolations.release(person, day);
                }
            }
        }
    }

    /// Plans `event`, possibly for today.
    fn next(&mut self, today: u16, wait: u16, event: Event, due: &mut Due) {
        if wait == 0 {
            due.events.push_back(event);
        } else {
            self.plan(today.saturating_add(wait), event);
        }
    }

    fn tested_positive(&mut self, person: u32, day: u16, due: &mut Due, row: &mut Day) {
        self.facts[person as usize] |= POSITIVE;
        row.new_cases += 1;
        let isolation = &self.scenario.isolation;
        let last = day.saturating_add(isolation.positive_days);
        let drop_out = isolation.positive_drop_out;
        if !self.is_gone(person, day) {
            self.isolations.isolate(person, day, last, drop_out, Ground::Positive);
        }
        if isolation.household {
            for other in self.people.household(person).filter(|&other| other != person) {
                if !self.is_gone(other, day) {
                    self.isolations.isolate(other, day, last, drop_out, Ground::Household);
                }
            }
        }
        let case = Some(self.case_of[person as usize]).filter(|&case| case != NO_CASE);
        let age_years = self.people.age_years(person);
        let has_smartphone = self.knows(person, HAS_SMARTPHONE);
        self.board.register(person, age_years, has_smartphone, case, day, &self.cases);
        if !self.knows(person, HAS_APP) {
            return;
        }
        row.positives_with_app += 1;
        let onset = self.case(person).filter(|case| case.symptoms <= day).map(|case| case.symptoms);
        if let Some(upload) =
            Upload::of(&self.scenario.app, self.seed, person, day, onset, &self.scenario.testing)
        {
            if upload.day() == day {
                due.uploads.push(upload);
            } else if let Some(later) = self.due.get_mut(usize::from(upload.day())) {
                later.uploads.push(upload);
            }
        }
    }
}
