//! When to escalate and whom to contact: a JSON document of an app or an authority.
//!
//! ```json
//! {
//!   "format_version": 1,
//!   "period_days": { "with_symptoms": 10, "without_symptoms": 7 },
//!   "slots": ["08:00", "18:00"],
//!   "symptoms": ["cough", "cyanosis"],
//!   "rules": [
//!     { "escalate": "emergency", "when": { "symptoms": ["cyanosis"] } },
//!     { "escalate": "emergency", "when": { "spo2_percent_at_most": 95 } },
//!     { "escalate": "call_nurse", "when": { "missed_slots_at_least": 2 } }
//!   ],
//!   "contacts": { "watch": [], "call_nurse": ["health_centre"], "emergency": ["corona_119"] }
//! }
//! ```
//!
//! The period's day 0 is the date of onset or test; it ends with day `period_days`. A rule holds if
//! all of its conditions do, a list of symptoms if any of them is there. Conditions can only be of
//! the kinds "at most" for the oxygen saturation and "at least" for everything else, so no table can
//! make a worse state less urgent. `contacts` are keys of the
//! [guidance's contact points](crate::guidance::rule_table). An `admission_score` may follow; its
//! shape is that of the built-in table, `core/resources/diary/rules.json`.

use std::collections::BTreeSet;

use serde::Deserialize;
use thiserror::Error;

use super::admission::{AdmissionFacts, AdmissionPoints};
use super::entry::{OxygenSaturation, Temperature};
use super::escalation::{Escalation, EscalationLevel, Findings, Ground, Holding};
use super::{Basis, SymptomKey};
use crate::document::{self, DocumentError};
use crate::guidance::messages::MessageKey;
use crate::local_time::LocalDate;

/// The version of a diary's rule table.
pub const DIARY_RULES_FORMAT_VERSION: u32 = 1;

/// The greatest number of days of a period.
pub const PERIOD_DAYS_LIMIT: u32 = 60;

/// The greatest number of slots a day.
pub const SLOTS_LIMIT: usize = 12;

/// A rule table that is refused; a host keeps the one it had.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum DiaryRulesError {
    /// Not a rule table of a known version.
    #[error(transparent)]
    Document(#[from] DocumentError),
    /// A number of days outside 1..=60.
    #[error("{at}: {days} is outside 1..={PERIOD_DAYS_LIMIT}")]
    PeriodDays {
        /// Path of the field.
        at: &'static str,
        /// The number.
        days: u32,
    },
    /// No slot, or more than anybody would answer.
    #[error("slots: {0} of them, not 1..={SLOTS_LIMIT}")]
    SlotCount(usize),
    /// Not a time of day, or not later than the one before.
    #[error("slots[{0}]: not a time as in 08:00, or not later than the one before")]
    Slot(usize),
    /// A condition without a value, a threshold that nothing or everything meets, or no condition.
    #[error("{at}: {what}")]
    Condition {
        /// Path of the field.
        at: String,
        /// What is wrong.
        what: &'static str,
    },
    /// A symptom that a patient cannot choose; a typing error would disable the rule.
    #[error("{at}: {symptom} is not among the symptoms")]
    UnknownSymptom {
        /// Path of the field.
        at: String,
        /// The symptom.
        symptom: SymptomKey,
    },
    /// A rule asks for a score that the table does not say how to count.
    #[error("{at}: the table has no admission_score")]
    NoAdmissionScore {
        /// Path of the field.
        at: String,
    },
    /// A level that a rule reaches, and nobody to contact there.
    #[error("contacts: rules escalate to {0:?}, and nobody is to be contacted")]
    NobodyToContact(EscalationLevel),
    /// No rule ever says that help is needed, or nobody would notice a patient who fell silent.
    #[error("rules: {0}")]
    NeverEscalates(&'static str),
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct TableDocument {
    #[serde(rename = "format_version")]
    _format_version: u32,
    period_days: PeriodDays,
    slots: Vec<String>,
    symptoms: BTreeSet<SymptomKey>,
    rules: Vec<Rule>,
    contacts: Contacts,
    admission_score: Option<AdmissionPoints>,
}

#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
struct PeriodDays {
    with_symptoms: u32,
    without_symptoms: u32,
}

#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
struct Contacts {
    watch: Vec<MessageKey>,
    call_nurse: Vec<MessageKey>,
    emergency: Vec<MessageKey>,
}

#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
struct Rule {
    escalate: EscalationLevel,
    when: When,
}

/// Conditions, all of which must hold; at least one.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
struct When {
    symptoms: Option<BTreeSet<SymptomKey>>,
    spo2_percent_at_most: Option<u8>,
    temperature_tenths_celsius_at_least: Option<u16>,
    missed_slots_at_least: Option<u32>,
    admission_score_at_least: Option<i32>,
}

impl When {
    /// One ground for each condition, or `None` if one does not hold.
    fn holds(&self, found: &Findings<'_>) -> Option<Vec<Ground>> {
        let mut grounds = Vec::new();
        if let Some(symptoms) = &self.symptoms {
            let (at, key) = found.symptoms.iter().find(|(_, key)| symptoms.contains(*key))?;
            grounds.push(Ground::Symptom { at: *at, key: (*key).clone() });
        }
        if let Some(most) = self.spo2_percent_at_most {
            let (at, percent) = found.oxygen_saturation.filter(|(_, found)| *found <= most)?;
            grounds.push(Ground::OxygenSaturation { at, percent });
        }
        if let Some(least) = self.temperature_tenths_celsius_at_least {
            let (at, tenths_celsius) = found.temperature.filter(|(_, found)| *found >= least)?;
            grounds.push(Ground::Temperature { at, tenths_celsius });
        }
        if let Some(least) = self.missed_slots_at_least {
            (found.missed_slots >= least).then_some(())?;
            grounds.push(Ground::MissedSlots(found.missed_slots));
        }
        if let Some(least) = self.admission_score_at_least {
            grounds.push(Ground::AdmissionScore(found.admission_score.filter(|s| *s >= least)?));
        }
        (!grounds.is_empty()).then_some(grounds)
    }

    fn check(&self, at: &str, table: &TableDocument) -> Result<(), DiaryRulesError> {
        let wrong = |field: &str, what| {
            Err(DiaryRulesError::Condition { at: format!("{at}.when{field}"), what })
        };
        if *self == Self::default() {
            return wrong("", "a rule without a condition always holds");
        }
        if let Some(symptoms) = &self.symptoms {
            if symptoms.is_empty() {
                return wrong(".symptoms", "an empty list never holds");
            }
            if let Some(symptom) = symptoms.difference(&table.symptoms).next() {
                let (at, symptom) = (format!("{at}.when.symptoms"), symptom.clone());
                return Err(DiaryRulesError::UnknownSymptom { at, symptom });
            }
        }
        let saturation = self.spo2_percent_at_most.map(OxygenSaturation::from_percent);
        if saturation
            .is_some_and(|checked| checked.is_err() || self.spo2_percent_at_most == Some(100))
        {
            return wrong(".spo2_percent_at_most", "not within 50..=99");
        }
        let tenths = self.temperature_tenths_celsius_at_least;
        if tenths.is_some_and(|tenths| Temperature::from_tenths_celsius(tenths).is_err()) {
            return wrong(".temperature_tenths_celsius_at_least", "not within 300..=450");
        }
        if self.missed_slots_at_least == Some(0) {
            return wrong(".missed_slots_at_least", "0 always holds");
        }
        if self.admission_score_at_least.is_some() && table.admission_score.is_none() {
            let at = format!("{at}.when.admission_score_at_least");
            return Err(DiaryRulesError::NoAdmissionScore { at });
        }
        Ok(())
    }

    /// Whether a patient who says nothing at all meets it in the end.
    const fn is_silence_alone(&self) -> bool {
        self.missed_slots_at_least.is_some()
            && self.symptoms.is_none()
            && self.spo2_percent_at_most.is_none()
            && self.temperature_tenths_celsius_at_least.is_none()
            && self.admission_score_at_least.is_none()
    }
}

/// A checked rule table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DiaryRules {
    period_days: PeriodDays,
    /// Minutes of the local day, ascending.
    slots: Vec<u16>,
    symptoms: BTreeSet<SymptomKey>,
    rules: Vec<Rule>,
    contacts: Contacts,
    admission_score: Option<AdmissionPoints>,
}

impl DiaryRules {
    /// Reads a table.
    ///
    /// # Errors
    /// [`DiaryRulesError`], with the place; above all for a table that would never call for help or
    /// would not notice silence.
    pub fn read(json: &str) -> Result<Self, DiaryRulesError> {
        let table: TableDocument = document::read(json, DIARY_RULES_FORMAT_VERSION)?;
        for (at, days) in [
            ("period_days.with_symptoms", table.period_days.with_symptoms),
            ("period_days.without_symptoms", table.period_days.without_symptoms),
        ] {
            if !(1..=PERIOD_DAYS_LIMIT).contains(&days) {
                return Err(DiaryRulesError::PeriodDays { at, days });
            }
        }
        let slots = slots(&table.slots)?;
        for (number, rule) in table.rules.iter().enumerate() {
            let at = format!("rules[{number}]");
            if rule.escalate == EscalationLevel::None {
                let (at, what) = (format!("{at}.escalate"), "a rule that escalates to nothing");
                return Err(DiaryRulesError::Condition { at, what });
            }
            rule.when.check(&at, &table)?;
        }
        let serious = |rule: &&Rule| rule.escalate >= EscalationLevel::CallNurse;
        if !table.rules.iter().any(|rule| rule.escalate == EscalationLevel::Emergency) {
            return Err(DiaryRulesError::NeverEscalates("nothing is ever an emergency"));
        }
        if !table.rules.iter().filter(serious).any(|rule| rule.when.is_silence_alone()) {
            let what = "nobody is called however many slots are missed";
            return Err(DiaryRulesError::NeverEscalates(what));
        }
        for rule in table.rules.iter().filter(serious) {
            if contacts(&table.contacts, rule.escalate).is_empty() {
                return Err(DiaryRulesError::NobodyToContact(rule.escalate));
            }
        }
        let TableDocument { period_days, symptoms, rules, contacts, admission_score, .. } = table;
        Ok(Self { period_days, slots, symptoms, rules, contacts, admission_score })
    }

    /// The library's own table, with the prefecture's thresholds.
    #[must_use]
    pub fn builtin() -> Self {
        Self::read(include_str!("../../resources/diary/rules.json"))
            .expect("tests read the library's own table")
    }

    /// The symptoms that a patient can choose from, in order.
    pub fn symptoms(&self) -> impl Iterator<Item = &SymptomKey> {
        self.symptoms.iter()
    }

    /// The keys of everybody who may have to be contacted.
    pub fn contacts(&self) -> impl Iterator<Item = &MessageKey> {
        let Contacts { watch, call_nurse, emergency } = &self.contacts;
        watch.iter().chain(call_nurse).chain(emergency)
    }

    /// The admission score of a patient; `None` if the table has none.
    #[must_use]
    pub fn admission_score(&self, facts: &AdmissionFacts, asymptomatic: bool) -> Option<i32> {
        Some(self.admission_score.as_ref()?.score(facts, asymptomatic))
    }

    /// The last day of a period.
    #[must_use]
    pub const fn last_day(&self, basis: Basis) -> LocalDate {
        let days = match basis {
            Basis::Onset(_) => self.period_days.with_symptoms,
            Basis::Test(_) => self.period_days.without_symptoms,
        };
        basis.date().saturating_add(days)
    }

    pub(super) fn knows(&self, symptom: &SymptomKey) -> bool {
        self.symptoms.contains(symptom)
    }

    /// Minutes of the local day at which slots begin, ascending.
    pub(super) fn slots(&self) -> impl Iterator<Item = u16> + '_ {
        self.slots.iter().copied()
    }

    pub(super) fn conclude(&self, findings: &Findings<'_>) -> Escalation {
        let holding: Vec<_> = self
            .rules
            .iter()
            .enumerate()
            .filter_map(|(number, rule)| {
                let grounds = rule.when.holds(findings)?;
                Some(Holding { rule: number, level: rule.escalate, grounds })
            })
            .collect();
        let level = holding.iter().map(|held| held.level).max().unwrap_or_default();
        Escalation { level, holding, contacts: contacts(&self.contacts, level).to_vec() }
    }
}

fn contacts(contacts: &Contacts, level: EscalationLevel) -> &[MessageKey] {
    match level {
        EscalationLevel::None => &[],
        EscalationLevel::Watch => &contacts.watch,
        EscalationLevel::CallNurse => &contacts.call_nurse,
        EscalationLevel::Emergency => &contacts.emergency,
    }
}

/// Minutes of the day, strictly ascending.
fn slots(texts: &[String]) -> Result<Vec<u16>, DiaryRulesError> {
    if !(1..=SLOTS_LIMIT).contains(&texts.len()) {
        return Err(DiaryRulesError::SlotCount(texts.len()));
    }
    let mut slots: Vec<u16> = Vec::new();
    for (number, text) in texts.iter().enumerate() {
        let minute = minute_of_day(text).filter(|minute| slots.last().is_none_or(|m| m < minute));
        slots.push(minute.ok_or(DiaryRulesError::Slot(number))?);
    }
    Ok(slots)
}

fn minute_of_day(text: &str) -> Option<u16> {
    let (hours, minutes) = text.split_once(':')?;
    let number = |digits: &str| {
        let is_two = digits.len() == 2 && digits.bytes().all(|byte| byte.is_ascii_digit());
        is_two.then(|| digits.parse::<u16>().ok()).flatten()
    };
    let (hours, minutes) = (number(hours)?, number(minutes)?);
    (hours < 24 && minutes < 60).then_some(hours * 60 + minutes)
}
