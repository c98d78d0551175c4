//! The course of one infection, drawn when it begins.

use super::distribution::{Days, factors};
use super::draw::{Purpose, Seed, unit};
use super::meetings::Networks;
use super::people::{People, generation};
use super::scenario::{Disease, Scenario};

/// A day that does not come.
pub(crate) const NEVER: u16 = u16::MAX;
/// Days after infection for which somebody passes it on.
pub(crate) const INFECTIOUS_DAYS: u16 = 20;

/// An infected person. All days are of the simulation.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Case {
    pub(crate) person: u32,
    /// How infectious, relative to the mean of full symptoms.
    pub(crate) factor: f32,
    pub(crate) infected: u16,
    pub(crate) symptoms: u16,
    pub(crate) hospital: u16,
    pub(crate) critical: u16,
    /// No longer critical: back to a moderate bed.
    pub(crate) stepped_down: u16,
    /// Recovered, or dead.
    pub(crate) ends: u16,
    pub(crate) dies: bool,
}

impl Case {
    pub(crate) const fn has_symptoms(&self) -> bool {
        self.symptoms != NEVER
    }

    pub(crate) const fn needs_hospital(&self, day: u16) -> bool {
        self.hospital <= day && day < self.ends
    }

    pub(crate) const fn is_critical(&self, day: u16) -> bool {
        self.critical <= day && day < self.stepped_down
    }
}

/// What an infection does to whom.
#[derive(Debug)]
pub(crate) struct Courses {
    seed: Seed,
    disease: Disease,
    /// Hazard of one meeting with somebody of factor 1, by days since infection from 1 on.
    hazard: Vec<f64>,
    household_weight: f64,
    susceptibility: [f64; 9],
    most_susceptible: f64,
    factors: Vec<f64>,
    to_symptoms: Days,
    to_hospital: Days,
    to_critical: Days,
    to_recovery: Days,
    asymptomatic: Days,
    in_hospital: Days,
    critical: Days,
    to_death: Days,
}

impl Courses {
    pub(crate) fn new(scenario: &Scenario, people: &People, seed: Seed) -> Self {
        let disease = scenario.disease.clone();
        let means = [0, 1, 2].map(|group| Networks::mean_a_day(scenario, people, group).max(1e-9));
        let [mean, deviation] = disease.generation_days;
        let curve = Days::curve(mean, deviation, usize::from(INFECTIOUS_DAYS));
        let rate = disease.infectious_rate / means[1];
        let gamma = |[mean, deviation]: [f64; 2]| Days::gamma(mean, deviation);
        // Who meets more people is not therefore infected more often: the rate of an age is given.
        let susceptibility = core::array::from_fn(|decade| {
            disease.susceptibility[decade] * means[1] / means[generation(decade)]
        });
        Self {
            seed,
            hazard: curve.into_iter().map(|share| share * rate).collect(),
            household_weight: scenario.meetings.household_weight,
            susceptibility,
            most_susceptible: susceptibility.into_iter().fold(0.0, f64::max),
            factors: factors(disease.infectiousness_deviation),
            to_symptoms: gamma(disease.to_symptoms_days),
            to_hospital: Days::around(disease.to_hospital_days),
            to_critical: Days::around(disease.to_critical_days),
            to_recovery: gamma(disease.to_recovery_days),
            asymptomatic: gamma(disease.asymptomatic_days),
            in_hospital: gamma(disease.in_hospital_days),
            critical: gamma(disease.critical_days),
            to_death: gamma(disease.to_death_days),
            disease,
        }
    }

    /// Hazard of one meeting on `day`, before the other's susceptibility; 0 if it cannot be.
    pub(crate) fn hazard(&self, case: &Case, day: u16) -> f64 {
        let since = day.saturating_sub(case.infected);
        let Some(index) = usize::from(since).checked_sub(1) else { return 0.0 };
        let base = self.hazard.get(index).copied().unwrap_or(0.0);
        if day >= case.ends { 0.0 } else { base * f64::from(case.factor) }
    }

    pub(crate) const fn household_weight(&self) -> f64 {
        self.household_weight
    }

    pub(crate) fn susceptibility(&self, decade: usize) -> f64 {
        self.susceptibility[decade]
    }

    /// No age is more susceptible.
    pub(crate) const fn most_susceptible(&self) -> f64 {
        self.most_susceptible
    }

    /// The course of an infection of `person` on `day`.
    pub(crate) fn draw(&self, person: u32, decade: usize, day: u16) -> Case {
        let disease = &self.disease;
        let course = self.seed.always(Purpose::Course);
        let times = self.seed.always(Purpose::CourseTimes);
        let wait = |days: &Days, number: u32| days.draw(times.bits(person, number));
        let drawn = course.unit(person, 0);
        let has_symptoms = drawn >= disease.asymptomatic[decade];
        let is_mild = drawn < disease.asymptomatic[decade] + disease.mild[decade];
        let bits = self.seed.always(Purpose::Infectiousness).bits(person, 0);
        #[expect(clippy::cast_precision_loss, reason = "256 classes")]
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a class")]
        let class = (unit(bits) * self.factors.len() as f64) as usize;
        let own = self.factors.get(class).copied().unwrap_or(1.0);
        let relative = match (has_symptoms, is_mild) {
            (false, _) => disease.asymptomatic_factor,
            (true, true) => disease.mild_factor,
            (true, false) => 1.0,
        };
        #[expect(clippy::cast_possible_truncation, reason = "a factor needs no more digits")]
        let factor = (own * relative) as f32;
        let mut case = Case {
            person,
            factor,
            infected: day,
            symptoms: NEVER,
            hospital: NEVER,
            critical: NEVER,
            stepped_down: NEVER,
            ends: 0,
            dies: false,
        };
        if !has_symptoms {
            case.ends = later(day, wait(&self.asymptomatic, 0).max(1));
            return case;
        }
        case.symptoms = later(day, wait(&self.to_symptoms, 1).max(1));
        if is_mild || course.unit(person, 1) >= disease.hospitalised[decade] {
            case.ends = later(case.symptoms, wait(&self.to_recovery, 2).max(1));
            return case;
        }
        case.hospital = later(case.symptoms, wait(&self.to_hospital, 3).max(1));
        if course.unit(person, 2) >= disease.critical[decade] {
            case.ends = later(case.hospital, wait(&self.in_hospital, 4).max(1));
            return case;
        }
        case.critical = later(case.hospital, wait(&self.to_critical, 5).max(1));
        if course.unit(person, 3) < disease.fatal[decade] {
            case.dies = true;
            case.ends = later(case.critical, wait(&self.to_death, 6).max(1));
            case.stepped_down = case.ends;
        } else {
            case.stepped_down = later(case.critical, wait(&self.critical, 7).max(1));
            case.ends = later(case.stepped_down, wait(&self.in_hospital, 8).max(1));
        }
        case
    }
}

fn later(day: u16, wait: u16) -> u16 {
    day.saturating_add(wait).min(NEVER - 1)
}
