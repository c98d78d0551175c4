//! Who is told what, and whom to call: a JSON document of an app or an authority.
//!
//! ```json
//! {
//!   "format_version": 1,
//!   "precaution_days": 7,
//!   "rules": [
//!     { "show": "not_necessarily_infected" },
//!     { "show": "consult_now", "when": { "symptoms": ["yes"] } }
//!   ],
//!   "contact_points": [
//!     {
//!       "name": "fever_line",
//!       "phone": "0570-000-000",
//!       "utc_offset_minutes": 540,
//!       "opening_hours": { "monday": ["09:00-12:00", "13:00-17:00"] },
//!       "closed_on": ["2022-01-10"],
//!       "when": { "phase": ["precaution"] }
//!     }
//!   ]
//! }
//! ```
//!
//! `show` and `name` are keys of a message file. A condition that is left out always holds.

use std::collections::BTreeSet;

use serde::Deserialize;
use thiserror::Error;

use super::messages::{MessageKey, MessageSet};
use super::opening_hours::{OpeningHours, OpeningHoursError, WeekDocument};
use super::{Phase, Symptoms};
use crate::document::{self, DocumentError};
use crate::local_time::{LocalDate, LocalTimeError, UtcOffset};

/// The version of a rule table.
pub const RULE_TABLE_FORMAT_VERSION: u32 = 1;

/// The greatest number of days of care: as long as encounters are kept.
pub const PRECAUTION_DAYS_LIMIT: u32 = 14;

/// A rule table that is refused.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum RuleTableError {
    /// Not a rule table of a known version.
    #[error(transparent)]
    Document(#[from] DocumentError),
    /// A number of days of care outside 1..=14.
    #[error("precaution_days: {0} is outside 1..={PRECAUTION_DAYS_LIMIT}")]
    PrecautionDays(u32),
    /// A key that no message file has.
    #[error("{at}: no message file has {key}")]
    UnknownMessage {
        /// Path of the field.
        at: String,
        /// The key.
        key: MessageKey,
    },
    /// A condition without a value, which never holds.
    #[error("{at}: an empty list never holds")]
    NeverHolds {
        /// Path of the field.
        at: String,
    },
    /// Somebody would be notified without being told that this is no diagnosis.
    #[error(
        "rules: in {phase:?} with symptoms {symptoms:?} nobody would be told {}",
        MessageKey::NOT_NECESSARILY_INFECTED
    )]
    NotNecessarilyInfectedMissing {
        /// In which phase.
        phase: Phase,
        /// With which symptoms.
        symptoms: Symptoms,
    },
    /// Not a number that a phone can call.
    #[error("{at}: not a telephone number")]
    Phone {
        /// Path of the field.
        at: String,
    },
    /// An offset or a date that does not exist.
    #[error("{at}: {source}")]
    LocalTime {
        /// Path of the field.
        at: String,
        /// What is wrong.
        source: LocalTimeError,
    },
    /// Opening hours that make no sense.
    #[error("{at}: {source}")]
    OpeningHours {
        /// Path of the field.
        at: String,
        /// What is wrong.
        source: OpeningHoursError,
    },
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct TableDocument {
    #[serde(rename = "format_version")]
    _format_version: u32,
    precaution_days: u32,
    rules: Vec<RuleDocument>,
    contact_points: Vec<ContactPointDocument>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RuleDocument {
    show: MessageKey,
    #[serde(default)]
    when: When,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ContactPointDocument {
    name: MessageKey,
    phone: String,
    utc_offset_minutes: i64,
    opening_hours: WeekDocument,
    #[serde(default)]
    closed_on: Vec<String>,
    #[serde(default)]
    when: When,
}

/// Conditions, all of which must hold; one that is left out does.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
struct When {
    phase: Option<BTreeSet<Phase>>,
    symptoms: Option<BTreeSet<Symptoms>>,
}

impl When {
    fn check(&self, at: &str) -> Result<(), RuleTableError> {
        let never = |at: String| Err(RuleTableError::NeverHolds { at });
        if self.phase.as_ref().is_some_and(BTreeSet::is_empty) {
            never(format!("{at}.when.phase"))
        } else if self.symptoms.as_ref().is_some_and(BTreeSet::is_empty) {
            never(format!("{at}.when.symptoms"))
        } else {
            Ok(())
        }
    }

    fn holds(&self, phase: Phase, symptoms: Symptoms) -> bool {
        self.phase.as_ref().is_none_or(|phases| phases.contains(&phase))
            && self.symptoms.as_ref().is_none_or(|known| known.contains(&symptoms))
    }
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Rule {
    show: MessageKey,
    when: When,
}

/// Somebody to call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ContactPoint {
    /// The key of its name.
    pub name: MessageKey,
    /// The number as it is shown and dialled.
    pub phone: String,
    /// When somebody answers.
    pub opening_hours: OpeningHours,
    when: When,
}

/// A checked rule table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RuleTable {
    precaution_days: u32,
    rules: Vec<Rule>,
    contact_points: Vec<ContactPoint>,
}

impl RuleTable {
    /// Reads a table whose keys are those of `messages`.
    ///
    /// # Errors
    /// [`RuleTableError`], with the place; above all for a table with which somebody would be
    /// notified without [`MessageKey::NOT_NECESSARILY_INFECTED`]. A host keeps the table it had.
    pub fn read(json: &str, messages: &MessageSet) -> Result<Self, RuleTableError> {
        let document: TableDocument = document::read(json, RULE_TABLE_FORMAT_VERSION)?;
        if !(1..=PRECAUTION_DAYS_LIMIT).contains(&document.precaution_days) {
            return Err(RuleTableError::PrecautionDays(document.precaution_days));
        }
        let known = |at: String, key: &MessageKey| {
            let unknown = || RuleTableError::UnknownMessage { at, key: key.clone() };
            messages.contains(key).then_some(()).ok_or_else(unknown)
        };
        let mut table = Self {
            precaution_days: document.precaution_days,
            rules: Vec::new(),
            contact_points: Vec::new(),
        };
        for (number, RuleDocument { show, when }) in document.rules.into_iter().enumerate() {
            let at = format!("rules[{number}]");
            known(format!("{at}.show"), &show)?;
            when.check(&at)?;
            table.rules.push(Rule { show, when });
        }
        for (number, point) in document.contact_points.into_iter().enumerate() {
            let at = format!("contact_points[{number}]");
            known(format!("{at}.name"), &point.name)?;
            table.contact_points.push(contact_point(&at, point)?);
        }
        table.check_reassurance()?;
        Ok(table)
    }

    /// The library's own table: COCOA's last advice in rules. It has no contact points, which an
    /// app brings in a table of its own.
    #[must_use]
    pub fn builtin() -> Self {
        Self::read(include_str!("../../resources/guidance/rules.json"), &MessageSet::builtin())
            .expect("tests read the library's own table")
    }

    fn check_reassurance(&self) -> Result<(), RuleTableError> {
        for phase in Phase::ALL {
            for symptoms in Symptoms::ALL {
                let mut shown = self.messages(phase, symptoms).into_iter();
                if !shown.any(|key| key.as_str() == MessageKey::NOT_NECESSARILY_INFECTED) {
                    return Err(RuleTableError::NotNecessarilyInfectedMissing { phase, symptoms });
                }
            }
        }
        Ok(())
    }

    /// For how many days after a contact care is advised.
    #[must_use]
    pub const fn precaution_days(&self) -> u32 {
        self.precaution_days
    }

    /// Every key that the table names, in order.
    #[must_use]
    pub fn keys(&self) -> BTreeSet<&MessageKey> {
        let shown = self.rules.iter().map(|rule| &rule.show);
        shown.chain(self.contact_points.iter().map(|point| &point.name)).collect()
    }

    /// The messages whose conditions hold, in the table's order, each once.
    pub(super) fn messages(&self, phase: Phase, symptoms: Symptoms) -> Vec<MessageKey> {
        let mut seen = BTreeSet::new();
        let holding = self.rules.iter().filter(|rule| rule.when.holds(phase, symptoms));
        holding.map(|rule| &rule.show).filter(|key| seen.insert(*key)).cloned().collect()
    }

    /// The contact points whose conditions hold, in the table's order.
    pub(super) fn contact_points(
        &self,
        phase: Phase,
        symptoms: Symptoms,
    ) -> impl Iterator<Item = &ContactPoint> {
        self.contact_points.iter().filter(move |point| point.when.holds(phase, symptoms))
    }
}

fn contact_point(at: &str, point: ContactPointDocument) -> Result<ContactPoint, RuleTableError> {
    if !is_phone_number(&point.phone) {
        return Err(RuleTableError::Phone { at: format!("{at}.phone") });
    }
    point.when.check(at)?;
    let offset = UtcOffset::new(point.utc_offset_minutes).map_err(|source| {
        RuleTableError::LocalTime { at: format!("{at}.utc_offset_minutes"), source }
    })?;
    let dates = point.closed_on.iter().enumerate().map(|(number, date)| {
        date.parse::<LocalDate>().map_err(|source| RuleTableError::LocalTime {
            at: format!("{at}.closed_on[{number}]"),
            source,
        })
    });
    let closed_on = dates.collect::<Result<_, _>>()?;
    let opening_hours = OpeningHours::new(offset, &point.opening_hours, closed_on)
        .map_err(|source| RuleTableError::OpeningHours { at: at.to_owned(), source })?;
    Ok(ContactPoint { name: point.name, phone: point.phone, opening_hours, when: point.when })
}

/// Two to twenty digits, a `+` first at most, and what people write between them.
fn is_phone_number(text: &str) -> bool {
    let digits = text.bytes().filter(u8::is_ascii_digit).count();
    let (first, rest) = text.split_at_checked(1).unwrap_or_default();
    (2..=20).contains(&digits)
        && text.len() <= 32
        && first.bytes().all(|byte| byte.is_ascii_digit() || b"+(#*".contains(&byte))
        && rest.bytes().all(|byte| byte.is_ascii_digit() || b" -()#*".contains(&byte))
}
