//! Everything a run needs besides its seed, as a TOML document.
//!
//! `simulator/populations/kanagawa.toml` holds every parameter with its source; any other document
//! says only what differs from it.

use serde::{Deserialize, Serialize};
use thiserror::Error;

use super::detection::DetectionError;

mod arm;
mod check;

pub use arm::{Arm, Sweep};

const KANAGAWA: &str = include_str!("../../populations/kanagawa.toml");
const OPENABM: &str = include_str!("../../populations/openabm.toml");

/// A value for each decade of age: 0–9, 10–19, … 70–79, 80 and older.
pub type ByDecade = [f64; 9];

/// A scenario that cannot be used.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum ScenarioError {
    /// Not TOML, or a name or type that no scenario has.
    #[error("{0}")]
    Document(#[from] toml::de::Error),
    /// A number that makes no sense.
    #[error("{place} is {value}; {allowed}")]
    Number {
        /// Section and name.
        place: String,
        /// What it is.
        value: f64,
        /// What it may be.
        allowed: &'static str,
    },
    /// Contacts of a kind that nobody has measured.
    #[error(transparent)]
    Detection(#[from] DetectionError),
    /// A base that is not built in.
    #[error("base is {0}; \"kanagawa\" and \"openabm\" are built in")]
    Base(String),
    /// A date that is none.
    #[error("starts is {0:?}; a date like 2021-08-01 is expected")]
    Date(String),
}

/// A population, a disease, an app and hospitals.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Scenario {
    /// Title in reports.
    pub name: String,
    /// How many people there are.
    pub people: u32,
    /// How many days are simulated.
    pub days: u16,
    /// Date of the first day.
    pub starts: String,
    /// Infected at the beginning.
    pub first_infections: u32,
    /// Who there is.
    pub population: Population,
    /// Who meets whom.
    pub meetings: Meetings,
    /// What the infection does.
    pub disease: Disease,
    /// Who is tested.
    pub testing: Testing,
    /// Who stays away from others.
    pub isolation: Isolation,
    /// The app, from the phone to the notice.
    pub app: App,
    /// A fault of the app.
    pub incident: Incident,
    /// How near and long contacts are.
    pub contacts: Contacts,
    /// Beds and staff.
    pub hospital: Hospital,
    /// The arms of the board.
    #[serde(default)]
    pub arms: Vec<Arm>,
    /// The axes of a sweep.
    pub sweep: Sweep,
}

/// Ages and households.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Population {
    /// People by decade of age; only their proportions matter.
    pub ages: ByDecade,
    /// Households of 1 to 6 people; only their proportions matter.
    pub households: [f64; 6],
}

/// How many people one meets. Three values are for those under 20, under 70, and older.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Meetings {
    /// At school or work, each day.
    pub occupation: [f64; 3],
    /// Of all colleagues, the share met on a day.
    pub occupation_daily_share: f64,
    /// The share of colleagues outside one's own circle.
    pub occupation_far_share: f64,
    /// Adults in a school, for each pupil; and adults in the circles of the old.
    pub adults_in_other_networks: f64,
    /// By chance, each day.
    pub random: [f64; 3],
    /// How much easier an infection passes at home.
    pub household_weight: f64,
}

/// The course of the infection.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Disease {
    /// Whom one infected adult with full symptoms would infect if nobody were immune or away.
    pub infectious_rate: f64,
    /// Mean and deviation of the days from infection to passing it on.
    pub generation_days: [f64; 2],
    /// Deviation between people of how infectious they are.
    pub infectiousness_deviation: f64,
    /// Infectiousness without symptoms, relative to full ones.
    pub asymptomatic_factor: f64,
    /// Infectiousness with mild symptoms.
    pub mild_factor: f64,
    /// Relative susceptibility.
    pub susceptibility: ByDecade,
    /// Share without symptoms.
    pub asymptomatic: ByDecade,
    /// Share with mild symptoms.
    pub mild: ByDecade,
    /// Of full symptoms, the share that needs a hospital.
    pub hospitalised: ByDecade,
    /// Of these, the share that becomes critical.
    pub critical: ByDecade,
    /// Of these, the share that dies.
    pub fatal: ByDecade,
    /// Days from infection to symptoms.
    pub to_symptoms_days: [f64; 2],
    /// Days from symptoms to hospital.
    pub to_hospital_days: f64,
    /// Days from hospital to critical.
    pub to_critical_days: f64,
    /// Days from symptoms to recovery without hospital.
    pub to_recovery_days: [f64; 2],
    /// Days from infection to recovery without symptoms.
    pub asymptomatic_days: [f64; 2],
    /// Days in hospital.
    pub in_hospital_days: [f64; 2],
    /// Days critical, for those who live.
    pub critical_days: [f64; 2],
    /// Days from critical to death.
    pub to_death_days: [f64; 2],
    /// Share of people whom something else gives such symptoms each day.
    pub other_symptoms_a_day: f64,
}

/// Tests and their delays.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Testing {
    /// Share of people with symptoms who get a test.
    pub symptomatic: f64,
    /// Days from symptoms to the test.
    pub onset_to_test_days: u16,
    /// Days from the test to its result.
    pub test_to_result_days: u16,
    /// Days after infection for which no test finds it.
    pub insensitive_days: u16,
    /// Days after infection from which no test finds it any more.
    pub sensitive_days: u16,
    /// Share of infections that a test finds.
    pub sensitivity: f64,
    /// Share of others that a test clears.
    pub specificity: f64,
}

/// Who stays away from work, school and chance meetings, and for how long.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Isolation {
    /// Share that stays at home with symptoms.
    pub with_symptoms: f64,
    /// For so many days.
    pub with_symptoms_days: u16,
    /// A negative test ends it.
    pub negative_test_ends: bool,
    /// Days after a positive test.
    pub positive_days: u16,
    /// The household of somebody who tested positive stays at home too.
    pub household: bool,
    /// Days after a notice, or after the contact.
    pub notice_days: u16,
    /// The days after a notice are counted from the contact.
    pub from_contact: bool,
    /// Share that gives up each day, isolated with symptoms.
    pub symptoms_drop_out: f64,
    /// The same after a notice.
    pub notice_drop_out: f64,
    /// The same after a positive test, household included.
    pub positive_drop_out: f64,
}

/// Every link from a positive test to a neighbour who stays at home.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct App {
    /// Share of smartphones with the app.
    pub adoption: f64,
    /// Share of people with a smartphone.
    pub smartphones: ByDecade,
    /// Share of days on which a phone is with its owner, switched on.
    pub carry: f64,
    /// Share of positives with the app who are issued a number.
    pub number_issued: f64,
    /// Hours from the result to the number.
    pub result_to_number_hours: u32,
    /// Of these, the share that enters it.
    pub report: f64,
    /// Hours from the number to its entry.
    pub number_to_entry_hours: u32,
    /// Hours between two key files; 0 is at once.
    pub export_every_hours: u32,
    /// Hours between two downloads of one phone; 0 is at once.
    pub fetch_every_hours: u32,
    /// Hours from the notice to staying at home.
    pub notice_to_isolation_hours: u32,
    /// Share of notified people who stay at home.
    pub compliance: f64,
    /// Keys are published from so many days before onset.
    pub days_before_onset: u16,
    /// Keys are never older than this, and without symptoms count from the test.
    pub longest_days: u16,
    /// The risk profile of the detection table.
    pub profile: String,
    /// Takes the place of the table: one probability for every contact.
    pub detection: Option<f64>,
}

/// Phones that silently receive nothing, as a third of COCOA's did for four months.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Incident {
    /// Share of phones that still receive.
    pub receiving_share: f64,
    /// First day of the incident.
    pub from_day: u16,
    /// First day after it.
    pub to_day: u16,
}

/// What kinds of contact there are in each setting.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Contacts {
    /// At home.
    pub household: Vec<ContactBand>,
    /// At school and work.
    pub occupation: Vec<ContactBand>,
    /// Chance meetings.
    pub random: Vec<ContactBand>,
}

/// A kind of contact, as the detection table knows them.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ContactBand {
    /// Radio environment.
    pub environment: String,
    /// Metres.
    pub distance_m: f64,
    /// Minutes.
    pub minutes: u32,
    /// Share of the setting's contacts; only proportions matter.
    pub share: f64,
}

/// Capacities and staff.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Hospital {
    /// Beds for moderate illness.
    pub moderate_beds_per_100_000: f64,
    /// Beds for severe illness.
    pub severe_beds_per_100_000: f64,
    /// Hotel rooms for the mildly ill.
    pub hotel_rooms_per_100_000: f64,
    /// Share of the mildly ill who go to a hotel.
    pub hotel_share: f64,
    /// Days after the test for which a patient is looked after.
    pub care_days: u16,
    /// Calls a day to a patient at home or in a hotel who keeps no diary.
    pub calls_a_day: f64,
    /// Minutes of staff for each call.
    pub minutes_a_call: f64,
    /// Share of patients with a smartphone who keep the diary.
    pub diary_share: f64,
    /// Admission score from which a patient is to be in a hospital.
    pub admission_score: i32,
    /// Share of people with each illness under 40, under 65, and older.
    pub illnesses: Illnesses,
}

/// Shares under 40, under 65, and older.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(missing_docs, reason = "the names say it")]
pub struct Illnesses {
    pub diabetes: [f64; 3],
    pub chronic_respiratory_disease: [f64; 3],
    pub severe_cardiovascular_disease: [f64; 3],
    pub cancer: [f64; 3],
    pub uncontrolled_hypertension: [f64; 3],
    pub bmi_of_30: [f64; 3],
    pub dialysis: [f64; 3],
}

impl Scenario {
    /// The built-in scenario: the prefecture of Kanagawa.
    ///
    /// # Errors
    /// None in a released version; a test holds that.
    pub fn kanagawa() -> Result<Self, ScenarioError> {
        Self::parse("")
    }

    /// The parameters at which OpenABM-Covid19 was measured.
    ///
    /// # Errors
    /// None in a released version; a test holds that.
    pub fn openabm() -> Result<Self, ScenarioError> {
        Self::parse(OPENABM)
    }

    /// Reads a document that says what differs from the built-in scenario (`base = "kanagawa"`, if
    /// it is to be said). `base = "openabm"` starts from that one instead.
    ///
    /// # Errors
    /// [`ScenarioError`].
    pub fn parse(text: &str) -> Result<Self, ScenarioError> {
        let mut document = toml::from_str::<toml::Table>(KANAGAWA)?;
        let mut changes = toml::from_str::<toml::Table>(text)?;
        match changes.remove("base") {
            None => {}
            Some(base) if base.as_str() == Some("kanagawa") => {}
            Some(base) if base.as_str() == Some("openabm") => {
                merge(&mut document, toml::from_str(OPENABM)?);
            }
            Some(base) => return Err(ScenarioError::Base(base.to_string())),
        }
        merge(&mut document, changes);
        let scenario: Self = document.try_into()?;
        scenario.check()?;
        Ok(scenario)
    }

    /// Days from 1970-01-01 to the first day.
    ///
    /// # Errors
    /// [`ScenarioError::Date`].
    pub fn first_date(&self) -> Result<i32, ScenarioError> {
        let date: jiff::civil::Date =
            self.starts.parse().map_err(|_| ScenarioError::Date(self.starts.clone()))?;
        let days = date.since(jiff::civil::date(1970, 1, 1));
        let days = days.map_err(|_| ScenarioError::Date(self.starts.clone()))?;
        Ok(days.get_days())
    }
}

fn merge(into: &mut toml::Table, changes: toml::Table) {
    for (name, value) in changes {
        match (into.get_mut(&name), value) {
            (Some(toml::Value::Table(inner)), toml::Value::Table(changes)) => merge(inner, changes),
            (_, value) => {
                into.insert(name, value);
            }
        }
    }
}
