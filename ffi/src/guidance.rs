//! What a notified person should do.

use chikaku_core::guidance as core_guidance;
use chikaku_core::guidance::opening_hours::OpeningState;

use crate::number::{self, to_i32};

/// What the person says about symptoms. Nothing of it is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq, uniffi::Enum)]
pub enum Symptoms {
    /// There are some.
    Yes,
    /// There are none.
    No,
    /// Nobody asked, or there was no answer.
    Unknown,
}

impl From<Symptoms> for core_guidance::Symptoms {
    fn from(symptoms: Symptoms) -> Self {
        match symptoms {
            Symptoms::Yes => Self::Yes,
            Symptoms::No => Self::No,
            Symptoms::Unknown => Self::Unknown,
        }
    }
}

/// Whether care is still advised.
#[derive(Clone, Copy, Debug, PartialEq, Eq, uniffi::Enum)]
pub enum GuidancePhase {
    /// The days of care have not passed.
    Precaution,
    /// They have.
    Over,
}

/// What a notified person should do.
#[derive(Clone, Debug, PartialEq, Eq, uniffi::Record)]
pub struct Guidance {
    /// Whether care is still advised.
    pub phase: GuidancePhase,
    /// The last day of care in the person's calendar, days since 1970-01-01; it still counts.
    pub until_local_day: i32,
    /// How many days of care follow a contact.
    pub precaution_days: i32,
    /// Keys of what to say, in this order; `not_necessarily_infected` is always among them. The
    /// words: [`ExposureNotificationClient::guidance_text`](crate::ExposureNotificationClient::guidance_text).
    pub messages: Vec<String>,
    /// Whom to call, in the rule table's order.
    pub contact_points: Vec<ContactAdvice>,
}

/// A contact point.
#[derive(Clone, Debug, PartialEq, Eq, uniffi::Record)]
pub struct ContactAdvice {
    /// Key of its name.
    pub name: String,
    /// The number as it is shown and dialled.
    pub phone: String,
    /// Whether somebody answers now.
    pub is_open: bool,
    /// When that changes, seconds since 1970 UTC; `None` if not within a foreseeable time.
    pub changes_at: Option<i64>,
}

impl From<core_guidance::Guidance> for Guidance {
    fn from(guidance: core_guidance::Guidance) -> Self {
        let phase = match guidance.phase {
            core_guidance::Phase::Precaution => GuidancePhase::Precaution,
            core_guidance::Phase::Over => GuidancePhase::Over,
        };
        Self {
            phase,
            until_local_day: to_i32(guidance.until_day.days_since_1970()),
            precaution_days: to_i32(guidance.precaution_days),
            messages: guidance.messages.iter().map(|key| key.as_str().to_owned()).collect(),
            contact_points: guidance.contact_points.iter().map(ContactAdvice::from).collect(),
        }
    }
}

impl From<&core_guidance::ContactAdvice> for ContactAdvice {
    fn from(point: &core_guidance::ContactAdvice) -> Self {
        let (is_open, changes_at) = match point.state {
            OpeningState::Open { closes } => (true, closes),
            OpeningState::Closed { opens } => (false, opens),
        };
        Self {
            name: point.name.as_str().to_owned(),
            phone: point.phone.clone(),
            is_open,
            changes_at: changes_at.map(number::seconds),
        }
    }
}
