//! Which numbers of a scenario make sense.

use super::{Scenario, ScenarioError};
use crate::population::detection::DetectionTable;

impl Scenario {
    /// # Errors
    /// The first number that makes no sense.
    pub fn check(&self) -> Result<(), ScenarioError> {
        let (app, testing, isolation) = (&self.app, &self.testing, &self.isolation);
        self.first_date()?;
        let shares = [
            ("app.adoption", app.adoption),
            ("app.carry", app.carry),
            ("app.number_issued", app.number_issued),
            ("app.report", app.report),
            ("app.compliance", app.compliance),
            ("app.detection", app.detection.unwrap_or(0.0)),
            ("incident.receiving_share", self.incident.receiving_share),
            ("testing.symptomatic", testing.symptomatic),
            ("testing.sensitivity", testing.sensitivity),
            ("testing.specificity", testing.specificity),
            ("isolation.with_symptoms", isolation.with_symptoms),
            ("isolation.symptoms_drop_out", isolation.symptoms_drop_out),
            ("isolation.notice_drop_out", isolation.notice_drop_out),
            ("isolation.positive_drop_out", isolation.positive_drop_out),
            ("hospital.hotel_share", self.hospital.hotel_share),
            ("hospital.diary_share", self.hospital.diary_share),
            ("meetings.occupation_far_share", self.meetings.occupation_far_share),
            ("disease.other_symptoms_a_day", self.disease.other_symptoms_a_day),
        ];
        let sweep = &self.sweep;
        let axes = [&sweep.adoption, &sweep.carry, &sweep.report, &sweep.compliance];
        let swept = axes.into_iter().flatten().map(|value| ("sweep", *value));
        for (place, value) in shares.into_iter().chain(swept) {
            number(place, value, (0.0..=1.0).contains(&value), "from 0 to 1 is allowed")?;
        }
        let disease = &self.disease;
        for (place, values) in [
            ("app.smartphones", &app.smartphones),
            ("disease.asymptomatic", &disease.asymptomatic),
            ("disease.mild", &disease.mild),
            ("disease.hospitalised", &disease.hospitalised),
            ("disease.critical", &disease.critical),
            ("disease.fatal", &disease.fatal),
        ] {
            for &value in values {
                number(place, value, (0.0..=1.0).contains(&value), "from 0 to 1 is allowed")?;
            }
        }
        let positive = [
            ("meetings.occupation_daily_share", self.meetings.occupation_daily_share),
            ("disease.generation_days", disease.generation_days[0]),
            ("disease.generation_days", disease.generation_days[1]),
            ("population.ages", self.population.ages.iter().sum()),
            ("population.households", self.population.households.iter().sum()),
        ];
        for (place, value) in positive {
            number(place, value, value > 0.0 && value.is_finite(), "more than 0 is needed")?;
        }
        let spread = [
            disease.to_symptoms_days,
            disease.to_recovery_days,
            disease.asymptomatic_days,
            disease.in_hospital_days,
            disease.critical_days,
            disease.to_death_days,
        ];
        for value in spread.into_iter().flatten() {
            number("disease", value, value > 0.0 && value < 60.0, "0 to 60 days are allowed")?;
        }
        for rate in [disease.infectious_rate, disease.infectiousness_deviation] {
            number("disease", rate, (0.0..=50.0).contains(&rate), "from 0 to 50 is allowed")?;
        }
        for &mean in self.meetings.occupation.iter().chain(&self.meetings.random) {
            number("meetings", mean, (0.0..=12.0).contains(&mean), "from 0 to 12 is allowed")?;
        }
        let people = f64::from(self.people);
        number("people", people, (10.0..=50e6).contains(&people), "10 to 50 million are allowed")?;
        let days = f64::from(self.days);
        number("days", days, (1.0..=3650.0).contains(&days), "1 to 3650 are allowed")?;
        let first = f64::from(self.first_infections);
        number("first_infections", first, first <= people, "everybody at most")?;
        let isolation_days =
            isolation.with_symptoms_days.max(isolation.positive_days).max(isolation.notice_days);
        let longest = f64::from(isolation_days.max(app.longest_days));
        number("days of isolation and keys", longest, longest <= 60.0, "60 at most")?;
        DetectionTable::measured().probabilities(self)?;
        Ok(())
    }
}

fn number(
    place: &str,
    value: f64,
    holds: bool,
    allowed: &'static str,
) -> Result<(), ScenarioError> {
    if holds {
        return Ok(());
    }
    Err(ScenarioError::Number { place: place.to_owned(), value, allowed })
}
