//! What the rules conclude from a diary.

use core::fmt;

use serde::{Deserialize, Serialize};

use super::{Diary, DiaryRules, SymptomKey};
use crate::guidance::messages::MessageKey;
use crate::time::Timestamp;

/// How urgent it is.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
#[serde(rename_all = "snake_case")]
pub enum EscalationLevel {
    /// Nothing calls for anything.
    #[default]
    None,
    /// Look again soon.
    Watch,
    /// Talk to a nurse.
    CallNurse,
    /// Call for help at once.
    Emergency,
}

/// One fact on which a rule held. `Debug` shows of which kind it is, and not the value.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Ground {
    /// The latest saturation that was measured.
    OxygenSaturation {
        /// When.
        at: Timestamp,
        /// Per cent.
        percent: u8,
    },
    /// The latest temperature that was measured.
    Temperature {
        /// When.
        at: Timestamp,
        /// Tenths of a degree Celsius.
        tenths_celsius: u16,
    },
    /// A symptom of the latest entry that says anything of symptoms.
    Symptom {
        /// When.
        at: Timestamp,
        /// Which.
        key: SymptomKey,
    },
    /// So many slots in a row were missed.
    MissedSlots(u32),
    /// The admission score.
    AdmissionScore(i32),
}

impl fmt::Debug for Ground {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::OxygenSaturation { .. } => "OxygenSaturation(..)",
            Self::Temperature { .. } => "Temperature(..)",
            Self::Symptom { .. } => "Symptom(..)",
            Self::MissedSlots(_) => "MissedSlots(..)",
            Self::AdmissionScore(_) => "AdmissionScore(..)",
        })
    }
}

/// A rule that holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Holding {
    /// Its place in the table, from 0.
    pub rule: usize,
    /// Its level.
    pub level: EscalationLevel,
    /// What it holds on, one ground for each condition.
    pub grounds: Vec<Ground>,
}

/// What the rules conclude.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Escalation {
    /// The highest level of the rules that hold.
    pub level: EscalationLevel,
    /// Every rule that holds, in the table's order.
    pub holding: Vec<Holding>,
    /// Keys of the contact points of the level; their numbers and hours are in the
    /// [guidance's table](crate::guidance::RuleTable).
    pub contacts: Vec<MessageKey>,
}

/// What the rules look at: the latest known value of each kind. A value that was not measured again
/// stays the latest; leaving the oximeter in the drawer makes nobody healthier.
#[derive(Clone, Debug, Default)]
pub(super) struct Findings<'a> {
    pub(super) oxygen_saturation: Option<(Timestamp, u8)>,
    pub(super) temperature: Option<(Timestamp, u16)>,
    pub(super) symptoms: Vec<(Timestamp, &'a SymptomKey)>,
    pub(super) missed_slots: u32,
    pub(super) admission_score: Option<i32>,
}

impl Diary {
    /// What `rules` conclude at `now`.
    #[must_use]
    pub fn escalation(&self, rules: &DiaryRules, now: Timestamp) -> Escalation {
        let schedule = self.schedule(rules, now);
        let entries = || self.entries().iter().rev().filter(|entry| entry.at <= now);
        let with_symptoms = entries().find_map(|entry| Some((entry.at, entry.symptoms.as_ref()?)));
        let findings = Findings {
            oxygen_saturation: entries()
                .find_map(|entry| Some((entry.at, entry.oxygen_saturation?.percent()))),
            temperature: entries()
                .find_map(|entry| Some((entry.at, entry.temperature?.tenths_celsius()))),
            symptoms: with_symptoms.map_or_else(Vec::new, |(at, symptoms)| {
                symptoms.iter().map(|key| (at, key)).collect()
            }),
            // After the period nobody is asked any more.
            missed_slots: if schedule.is_over { 0 } else { schedule.missed_in_a_row },
            admission_score: self.admission_score(rules),
        };
        rules.conclude(&findings)
    }

    /// The admission score; `None` if the rules have none.
    #[must_use]
    pub fn admission_score(&self, rules: &DiaryRules) -> Option<i32> {
        rules.admission_score(self.facts(), self.basis().is_asymptomatic())
    }
}
