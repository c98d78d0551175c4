//! Contacts that must be High, and some that must not, assessed as the engine assesses.

use core::fmt;

use serde::Serialize;

use super::contact::{Contact, Outcome};
use super::requirements::Requirements;
use super::terms::Terms;
use crate::diagnosis_key::{DaysSinceOnset, DiagnosisKeyDetails, ReportType};
use crate::risk::RiskProfile;

/// A contact that was tried, and what had to come out.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Canary {
    /// What had to come out.
    pub expectation: Expectation,
    /// What came out.
    pub outcome: Outcome,
}

/// What must come out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Expectation {
    /// It notifies.
    High,
    /// It does not.
    NotHigh,
    /// The configuration may leave such keys out.
    Either,
}

impl Canary {
    /// Whether it came out as expected.
    #[must_use]
    pub const fn holds(&self) -> bool {
        match self.expectation {
            Expectation::High => self.outcome.is_high(),
            Expectation::NotHigh => !self.outcome.is_high(),
            Expectation::Either => true,
        }
    }

    /// Whether the configuration may leave such a key out, and does.
    #[must_use]
    pub const fn is_left_out(&self) -> bool {
        matches!(self.expectation, Expectation::Either) && !self.outcome.is_high()
    }
}

impl fmt::Display for Canary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.outcome)
    }
}

/// Tries all canaries on `profile`.
///
/// * One metre must notify: a key that says no more than the server assures and, where the profile
///   reads such things, one that says everything: a test, on the day of onset.
/// * The same far away must not, not even with the key that counts most; nor must a key of which
///   nothing was heard.
/// * Keys of other report types, of 2 days before and 7 after onset, with a transmission risk level
///   of 0, or 14 days old may be left out, and whoever writes a configuration should know.
pub(super) fn release(
    profile: &RiskProfile,
    requirements: &Requirements,
    terms: &Terms,
) -> Vec<Canary> {
    let Requirements { assured, age_days, minutes, one_metre, .. } = *requirements;
    let near = |key, age_days| Contact::new(key, age_days).then(minutes, one_metre);
    let far = |key, age_days| Contact::new(key, age_days).then(minutes, requirements.far());
    let days = DaysSinceOnset::new;

    let mut contacts = vec![(Expectation::High, near(assured, age_days))];
    let report_type = assured.report_type.or(Some(ReportType::ConfirmedTest));
    let days_since_onset = assured.days_since_onset.or_else(|| days(0));
    if profile.mapping().is_some() {
        let described = DiagnosisKeyDetails { report_type, days_since_onset, ..assured };
        contacts.push((Expectation::High, near(described, age_days)));
    }
    contacts.push((Expectation::NotHigh, far(assured, age_days)));
    if let Some(best) = terms.best_key() {
        contacts.push((Expectation::NotHigh, far(best.details, terms.best_age_days)));
    }
    contacts.push((Expectation::NotHigh, Contact::new(assured, age_days)));

    let mut others = Vec::new();
    if profile.mapping().is_some() {
        for report_type in [
            ReportType::ConfirmedTest,
            ReportType::ConfirmedClinicalDiagnosis,
            ReportType::SelfReport,
        ] {
            let report_type = Some(report_type);
            others.push(DiagnosisKeyDetails { report_type, days_since_onset, ..assured });
        }
        for days_since_onset in [days(-2), days(7)] {
            others.push(DiagnosisKeyDetails { report_type, days_since_onset, ..assured });
        }
    } else {
        others.push(DiagnosisKeyDetails { transmission_risk_level: Some(0), ..assured });
    }
    contacts.extend(others.into_iter().map(|key| (Expectation::Either, near(key, age_days))));
    contacts.push((Expectation::Either, near(assured, age_days.max(14))));

    let mut canaries: Vec<Canary> = Vec::new();
    for (expectation, contact) in contacts {
        if !canaries.iter().any(|known| known.outcome.contact == contact) {
            canaries.push(Canary { expectation, outcome: contact.tried_on(profile) });
        }
    }
    canaries
}
