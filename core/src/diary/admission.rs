//! The admission score: whether a patient should be in a hospital rather than at home.
//!
//! Source of the built-in points: the prefecture of Kanagawa's 入院優先度判断スコア of 2020-12-07,
//! by which a score of 5 or more meant a hospital. The threshold is a rule of the
//! [table](super::rule_table).

use core::fmt;
use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

/// An illness that counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Condition {
    /// Diabetes.
    Diabetes,
    /// A chronic disease of the lungs or airways, asthma included.
    ChronicRespiratoryDisease,
    /// A severe disease of heart or vessels.
    SevereCardiovascularDisease,
    /// Cancer.
    Cancer,
    /// High blood pressure that is not under control.
    UncontrolledHypertension,
    /// An organ was transplanted.
    AfterTransplant,
    /// A body mass index of 30 or more.
    #[serde(rename = "bmi_of_30")]
    BodyMassIndexOf30,
}

/// How much of the lungs is inflamed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Pneumonia {
    /// One lung, up to a half of it.
    OneLungUpToHalf,
    /// One lung, more than a half of it.
    OneLungOverHalf,
    /// Both lungs.
    BothLungs,
}

/// What is known of the patient. What is not known adds nothing. `Debug` shows nothing.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct AdmissionFacts {
    /// Age in years.
    pub age_years: Option<u8>,
    /// Illnesses.
    pub conditions: BTreeSet<Condition>,
    /// Inflamed lungs.
    pub pneumonia: Option<Pneumonia>,
    /// The patient is on dialysis.
    pub dialysis: bool,
    /// The patient is pregnant in week 37 or later.
    pub pregnancy_of_37_weeks: bool,
    /// The patient needs oxygen.
    pub oxygen_needed: bool,
    /// The doctor's impression is that it is severe.
    pub severe_impression: bool,
}

impl fmt::Debug for AdmissionFacts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("AdmissionFacts(..)")
    }
}

/// Points for each fact, as a section of the rule table.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct AdmissionPoints {
    /// The points of the greatest age that the patient has reached.
    age_years_at_least: BTreeMap<u8, i16>,
    asymptomatic: i16,
    oxygen_needed: i16,
    severe_impression: i16,
    dialysis: i16,
    pregnancy_of_37_weeks: i16,
    pneumonia: PneumoniaPoints,
    conditions: BTreeMap<Condition, i16>,
}

#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
struct PneumoniaPoints {
    one_lung_up_to_half: i16,
    one_lung_over_half: i16,
    both_lungs: i16,
}

impl AdmissionPoints {
    pub(super) fn score(&self, facts: &AdmissionFacts, asymptomatic: bool) -> i32 {
        let age = facts.age_years.and_then(|age| self.age_years_at_least.range(..=age).next_back());
        let pneumonia = facts.pneumonia.map(|pneumonia| match pneumonia {
            Pneumonia::OneLungUpToHalf => self.pneumonia.one_lung_up_to_half,
            Pneumonia::OneLungOverHalf => self.pneumonia.one_lung_over_half,
            Pneumonia::BothLungs => self.pneumonia.both_lungs,
        });
        let conditions = facts.conditions.iter().filter_map(|known| self.conditions.get(known));
        let flags = [
            (asymptomatic, self.asymptomatic),
            (facts.oxygen_needed, self.oxygen_needed),
            (facts.severe_impression, self.severe_impression),
            (facts.dialysis, self.dialysis),
            (facts.pregnancy_of_37_weeks, self.pregnancy_of_37_weeks),
        ];
        let flags = flags.into_iter().filter(|(holds, _)| *holds).map(|(_, points)| points);
        let points = age.map(|(_, points)| *points).into_iter().chain(pneumonia).chain(flags);
        // A dozen 16-bit numbers do not overflow 32 bits.
        points.chain(conditions.copied()).map(i32::from).sum()
    }
}
