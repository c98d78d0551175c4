//! The admission score of a made-up patient, by the table that the core's diary uses.

use std::collections::BTreeSet;

use chikaku_core::diary::DiaryRules;
use chikaku_core::diary::admission::{AdmissionFacts, Condition, Pneumonia};

use super::disease::{Case, NEVER};
use super::draw::{Purpose, Seed};
use super::scenario::Hospital;

#[derive(Debug)]
pub(crate) struct Admission {
    rules: DiaryRules,
    /// Shares under 40, under 65, and older.
    illnesses: [(Condition, [f64; 3]); 6],
    dialysis: [f64; 3],
    seed: Seed,
}

impl Admission {
    pub(crate) fn new(hospital: &Hospital, seed: Seed) -> Self {
        let shares = &hospital.illnesses;
        let illnesses = [
            (Condition::Diabetes, shares.diabetes),
            (Condition::ChronicRespiratoryDisease, shares.chronic_respiratory_disease),
            (Condition::SevereCardiovascularDisease, shares.severe_cardiovascular_disease),
            (Condition::Cancer, shares.cancer),
            (Condition::UncontrolledHypertension, shares.uncontrolled_hypertension),
            (Condition::BodyMassIndexOf30, shares.bmi_of_30),
        ];
        Self { rules: DiaryRules::builtin(), illnesses, dialysis: shares.dialysis, seed }
    }

    /// The score on the day of the result. What the illness will come to shows in the lungs: a
    /// critical course in both, one that needs a hospital in one.
    pub(crate) fn score(&self, person: u32, age_years: u8, course: Option<&Case>) -> i16 {
        let group = match age_years {
            0..40 => 0,
            40..65 => 1,
            _ => 2,
        };
        let draws = self.seed.always(Purpose::Conditions);
        let has = |number: u32, share: f64| draws.unit(person, number) < share;
        let conditions: BTreeSet<Condition> = (0_u32..)
            .zip(&self.illnesses)
            .filter(|(number, (_, shares))| has(*number, shares[group]))
            .map(|(_, (condition, _))| *condition)
            .collect();
        let needs_hospital = course.is_some_and(|case| case.hospital != NEVER);
        let becomes_critical = course.is_some_and(|case| case.critical != NEVER);
        let pneumonia = match (needs_hospital, becomes_critical) {
            (_, true) => Some(Pneumonia::BothLungs),
            (true, false) => Some(Pneumonia::OneLungUpToHalf),
            (false, false) => None,
        };
        let facts = AdmissionFacts {
            age_years: Some(age_years),
            conditions,
            pneumonia,
            dialysis: has(100, self.dialysis[group]),
            oxygen_needed: becomes_critical,
            ..AdmissionFacts::default()
        };
        let is_asymptomatic = course.is_none_or(|case| !case.has_symptoms());
        let score = self.rules.admission_score(&facts, is_asymptomatic).unwrap_or(0);
        i16::try_from(score).unwrap_or(i16::MAX)
    }
}
