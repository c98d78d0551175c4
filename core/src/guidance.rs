//! What a notified person should do, as message keys, and whom to call.
//!
//! [`guidance`] is a pure function of a [`RuleTable`], a [`Situation`] and the time. The table is
//! configuration, the words are in message files; an app brings its own of either, or takes the
//! library's Japanese and English. The sources of the built-in rules are COCOA's last advice
//! (v2.0.1: care for seven days after the contact, a doctor for those who are ill or at risk) and
//! Kanagawa's notification over LINE, which always said that a message is not a diagnosis.
//!
//! This is no medical device: it repeats what an authority configured.

pub mod messages;
pub mod opening_hours;
pub mod rule_table;

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use crate::local_time::{LocalDate, UtcOffset};
use crate::time::{Timestamp, UtcDay};
use messages::{MessageKey, PlaceholderValues};
use opening_hours::OpeningState;
pub use rule_table::RuleTable;

/// Whether care is still advised.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Phase {
    /// The days of care have not passed.
    Precaution,
    /// They have.
    Over,
}

impl Phase {
    pub(crate) const ALL: [Self; 2] = [Self::Precaution, Self::Over];
}

/// What the person says about symptoms. It stays with the caller: the core keeps none of it.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
#[serde(rename_all = "snake_case")]
pub enum Symptoms {
    /// There are some.
    Yes,
    /// There are none.
    No,
    /// Nobody asked, or there was no answer.
    #[default]
    Unknown,
}

impl Symptoms {
    pub(crate) const ALL: [Self; 3] = [Self::Yes, Self::No, Self::Unknown];
}

/// Who is being guided.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Situation {
    /// The UTC days that were announced as High.
    pub high_days: BTreeSet<UtcDay>,
    /// Whether there are symptoms.
    pub symptoms: Symptoms,
    /// How far the person's clock is ahead of UTC now.
    pub utc_offset: UtcOffset,
}

/// A contact point and whether somebody answers there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ContactAdvice {
    /// The key of its name.
    pub name: MessageKey,
    /// The number as it is shown and dialled.
    pub phone: String,
    /// Whether it is open now, and when that changes.
    pub state: OpeningState,
}

/// What a notified person should do.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Guidance {
    /// Whether care is still advised.
    pub phase: Phase,
    /// The last day of care, in the person's calendar; that day still counts.
    pub until_day: LocalDate,
    /// How many days of care follow a contact.
    pub precaution_days: u32,
    /// What to say, in this order; [`MessageKey::NOT_NECESSARILY_INFECTED`] is always among it.
    pub messages: Vec<MessageKey>,
    /// Whom to call, in the table's order.
    pub contact_points: Vec<ContactAdvice>,
}

impl Guidance {
    /// What is filled into the messages; `until` is [`Guidance::until_day`] as the host's calendar
    /// and language write it.
    #[must_use]
    pub const fn values<'a>(&self, until: &'a str) -> PlaceholderValues<'a> {
        PlaceholderValues { days: self.precaution_days, until }
    }

    /// The contact points where somebody answers now.
    pub fn open_now(&self) -> impl Iterator<Item = &ContactAdvice> {
        let is_open = |state| matches!(state, OpeningState::Open { .. });
        self.contact_points.iter().filter(move |point| is_open(point.state))
    }

    /// Of those that are closed, the one that opens first, and when.
    #[must_use]
    pub fn opening_next(&self) -> Option<(&ContactAdvice, Timestamp)> {
        let opening = self.contact_points.iter().filter_map(|point| match point.state {
            OpeningState::Closed { opens } => Some((point, opens?)),
            OpeningState::Open { .. } => None,
        });
        opening.min_by_key(|(_, opens)| *opens)
    }
}

/// What `rules` say to somebody in `situation` at `now`; `None` for somebody with no High day, to
/// whom there is nothing to say.
///
/// Care lasts until the [`RuleTable::precaution_days`]-th date after the last High day, whichever
/// came before. A UTC day touches two dates of most places (in Japan it runs from 09:00 to 09:00);
/// the later of them counts.
#[must_use]
pub fn guidance(rules: &RuleTable, situation: &Situation, now: Timestamp) -> Option<Guidance> {
    let last_high_day = *situation.high_days.last()?;
    let offset = situation.utc_offset;
    let precaution_days = rules.precaution_days();
    let until_day = LocalDate::last_of(last_high_day, offset).saturating_add(precaution_days);
    let phase =
        if LocalDate::at(now, offset) <= until_day { Phase::Precaution } else { Phase::Over };
    let advice = |point: &rule_table::ContactPoint| ContactAdvice {
        name: point.name.clone(),
        phone: point.phone.clone(),
        state: point.opening_hours.state(now),
    };
    Some(Guidance {
        phase,
        until_day,
        precaution_days,
        messages: rules.messages(phase, situation.symptoms),
        contact_points: rules.contact_points(phase, situation.symptoms).map(advice).collect(),
    })
}
