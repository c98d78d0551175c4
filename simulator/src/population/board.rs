//! The prefecture's beds, after Kanagawa's model: the mildly ill at home or in a hotel, beds for
//! moderate and for severe illness, and a queue of requests for a transfer.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use super::admission::Admission;
use super::disease::{Case, NEVER};
use super::draw::{Purpose, Seed};
use super::monitor::Day;
use super::scenario::{Hospital, Scenario};

/// What a patient needs, from the lowest tier to the highest.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Tier {
    Light,
    Moderate,
    Severe,
}

/// Where a patient is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stay {
    Home,
    Hotel,
    Bed(Tier),
}

/// Somebody who tested positive and is looked after.
#[derive(Clone, Copy, Debug)]
struct Patient {
    person: u32,
    /// `u32::MAX` for a false positive.
    case: u32,
    registered: u16,
    score: i16,
    stay: Stay,
    wants_hotel: bool,
    keeps_diary: bool,
    /// Since when a better bed is needed.
    waiting_since: Option<u16>,
}

/// A request for a transfer. The greater one comes first: severity, then score, then the time
/// waited, then the person's number.
type Request = (Tier, i16, Reverse<u16>, Reverse<u32>, usize);

/// Free places.
#[derive(Clone, Copy, Debug)]
struct Capacities {
    hotel: u64,
    moderate: u64,
    severe: u64,
}

/// Patients and beds.
#[derive(Debug)]
pub(crate) struct Board {
    hospital: Hospital,
    admission: Admission,
    seed: Seed,
    total: Capacities,
    free: Capacities,
    patients: Vec<Patient>,
}

impl Capacities {
    /// The best bed that can be had for a patient who needs `tier`: a severe case takes a moderate
    /// bed rather than none.
    const fn find_bed(&self, tier: Tier) -> Option<Tier> {
        match tier {
            Tier::Severe if self.severe > 0 => Some(Tier::Severe),
            Tier::Severe | Tier::Moderate if self.moderate > 0 => Some(Tier::Moderate),
            _ => None,
        }
    }

    const fn places(&mut self, stay: Stay) -> Option<&mut u64> {
        match stay {
            Stay::Home | Stay::Bed(Tier::Light) => None,
            Stay::Hotel => Some(&mut self.hotel),
            Stay::Bed(Tier::Moderate) => Some(&mut self.moderate),
            Stay::Bed(Tier::Severe) => Some(&mut self.severe),
        }
    }

    const fn take(&mut self, stay: Stay) {
        if let Some(places) = self.places(stay) {
            *places = places.saturating_sub(1);
        }
    }

    const fn give_back(&mut self, stay: Stay) {
        if let Some(places) = self.places(stay) {
            *places += 1;
        }
    }
}

impl Board {
    pub(crate) fn new(scenario: &Scenario, seed: Seed) -> Self {
        let hospital = scenario.hospital.clone();
        let places = |per_100_000: f64| {
            let places = libm::round(per_100_000 * f64::from(scenario.people) / 100_000.0);
            #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "beds")]
            let places = places.max(0.0) as u64;
            places
        };
        let total = Capacities {
            hotel: places(hospital.hotel_rooms_per_100_000),
            moderate: places(hospital.moderate_beds_per_100_000),
            severe: places(hospital.severe_beds_per_100_000),
        };
        let admission = Admission::new(&hospital, seed);
        Self { hospital, admission, seed, total, free: total, patients: Vec::new() }
    }

    /// Somebody tested positive.
    pub(crate) fn register(
        &mut self,
        person: u32,
        age_years: u8,
        has_smartphone: bool,
        case: Option<u32>,
        day: u16,
        cases: &[Case],
    ) {
        let course = case.and_then(|number| cases.get(number as usize));
        let score = self.admission.score(person, age_years, course);
        let hotel = self.seed.always(Purpose::Hotel);
        let diary = self.seed.always(Purpose::KeepsDiary);
        self.patients.push(Patient {
            person,
            case: case.unwrap_or(u32::MAX),
            registered: day,
            score,
            stay: Stay::Home,
            wants_hotel: hotel.happens(person, self.hospital.hotel_share),
            keeps_diary: has_smartphone && diary.happens(person, self.hospital.diary_share),
            waiting_since: None,
        });
    }

    /// Discharges, requests, transfers, and the day's row.
    pub(crate) fn pass(&mut self, day: u16, cases: &[Case], row: &mut Day) {
        let (free, hospital) = (&mut self.free, &self.hospital);
        self.patients.retain(|patient| {
            let stays = is_looked_after(patient, hospital, day, cases);
            if !stays {
                free.give_back(patient.stay);
            }
            stays
        });
        let mut queue = BinaryHeap::new();
        for (index, patient) in self.patients.iter_mut().enumerate() {
            let need = need(patient, hospital, day, cases);
            // Who no longer needs a bed for the severely ill makes place, if there is another one.
            if patient.stay == Stay::Bed(Tier::Severe) && need < Tier::Severe && free.moderate > 0 {
                free.give_back(patient.stay);
                patient.stay = Stay::Bed(Tier::Moderate);
                free.take(patient.stay);
            }
            let is_served = match patient.stay {
                Stay::Bed(tier) => tier >= need,
                Stay::Home | Stay::Hotel => need == Tier::Light,
            };
            if is_served {
                patient.waiting_since = None;
            } else {
                row.transfer_requests += u64::from(patient.waiting_since.is_none());
                let since = *patient.waiting_since.get_or_insert(day);
                let request: Request =
                    (need, patient.score, Reverse(since), Reverse(patient.person), index);
                queue.push(request);
            }
        }
        while let Some((need, _, Reverse(since), _, index)) = queue.pop() {
            let Some(patient) = self.patients.get_mut(index) else { continue };
            let Some(bed) = self.free.find_bed(need) else { continue };
            if patient.stay == Stay::Bed(bed) {
                continue;
            }
            self.free.give_back(patient.stay);
            patient.stay = Stay::Bed(bed);
            self.free.take(patient.stay);
            if bed == need {
                patient.waiting_since = None;
                row.transfers += 1;
                row.transfer_wait_days += u64::from(day - since);
            }
        }
        let mut calls = 0.0;
        let mut calls_saved = 0.0;
        for patient in &mut self.patients {
            if patient.stay == Stay::Home && patient.wants_hotel && self.free.hotel > 0 {
                patient.stay = Stay::Hotel;
                self.free.take(patient.stay);
            }
            row.waiting += u64::from(patient.waiting_since.is_some());
            match patient.stay {
                Stay::Home => row.home += 1,
                Stay::Hotel => row.hotel += 1,
                Stay::Bed(_) => {}
            }
            if !matches!(patient.stay, Stay::Bed(_)) {
                let saved = if patient.keeps_diary { &mut calls_saved } else { &mut calls };
                *saved += self.hospital.calls_a_day;
            }
        }
        row.diary_minutes_saved = whole(calls_saved * self.hospital.minutes_a_call);
        row.call_minutes = whole(calls * self.hospital.minutes_a_call);
        row.moderate_beds_total = self.total.moderate;
        row.moderate_beds_used = self.total.moderate - self.free.moderate;
        row.severe_beds_total = self.total.severe;
        row.severe_beds_used = self.total.severe - self.free.severe;
    }

    pub(crate) const fn bytes(&self) -> usize {
        self.patients.capacity() * size_of::<Patient>()
    }
}

fn is_looked_after(patient: &Patient, hospital: &Hospital, day: u16, cases: &[Case]) -> bool {
    let cared_for = day < patient.registered.saturating_add(hospital.care_days);
    let Some(case) = cases.get(patient.case as usize) else { return cared_for };
    // Dead, or sent home from the hospital.
    if case.hospital != NEVER && case.ends <= day {
        return false;
    }
    // A hospital is still to come for somebody who tested positive early.
    cared_for || (case.hospital < case.ends && day < case.ends)
}

/// The tier of the illness, or a moderate bed for the admission score's sake.
fn need(patient: &Patient, hospital: &Hospital, day: u16, cases: &[Case]) -> Tier {
    let case = cases.get(patient.case as usize);
    if case.is_some_and(|case| case.is_critical(day)) {
        Tier::Severe
    } else if case.is_some_and(|case| case.needs_hospital(day))
        || i32::from(patient.score) >= hospital.admission_score
    {
        Tier::Moderate
    } else {
        Tier::Light
    }
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "minutes of a day")]
fn whole(minutes: f64) -> u64 {
    libm::round(minutes) as u64
}

#[cfg(test)]
mod tests {
    use super::*;

    fn case(person: u32, hospital: u16, critical: u16) -> Case {
        Case {
            person,
            factor: 1.0,
            infected: 0,
            symptoms: 1,
            hospital,
            critical,
            stepped_down: if critical == NEVER { NEVER } else { 8 },
            ends: 10,
            dies: false,
        }
    }

    /// One bed of each kind: the critical patient gets the severe one, the older of two others the
    /// moderate one, and the younger one waits until it is free.
    #[test]
    fn beds_go_by_severity_and_score() {
        let mut scenario = Scenario::kanagawa().unwrap();
        scenario.people = 100_000;
        scenario.hospital.moderate_beds_per_100_000 = 1.0;
        scenario.hospital.severe_beds_per_100_000 = 1.0;
        let mut board = Board::new(&scenario, Seed(1));
        let cases = [case(0, 2, NEVER), case(1, 2, NEVER), case(2, 2, 2)];
        for (number, age) in [(0, 30), (1, 80), (2, 50)] {
            board.register(number, age, true, Some(number), 1, &cases);
        }
        let mut row = Day::default();
        board.pass(2, &cases, &mut row);
        assert_eq!((row.severe_beds_used, row.moderate_beds_used, row.waiting), (1, 1, 1));
        assert_eq!(board.patients[1].stay, Stay::Bed(Tier::Moderate));
        assert_eq!(board.patients[2].stay, Stay::Bed(Tier::Severe));
        assert_eq!((row.transfer_requests, row.transfers), (3, 2));
        let mut row = Day::default();
        board.pass(10, &cases, &mut row);
        assert_eq!((row.severe_beds_used, row.moderate_beds_used), (0, 0), "all have recovered");
        assert_eq!(board.free.moderate, board.total.moderate);
    }
}
