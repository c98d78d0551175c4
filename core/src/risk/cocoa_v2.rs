//! Profile `cocoa-v2`: daily summaries and five conditions (COCOA v2.0.1).
//!
//! The score of the day is GAEN's. The rule then compares it, and the seconds and attenuations of
//! the day's scan instances, with numbers; the day is High if all five conditions hold.
//!
//! By default the whole day counts and every window is its own. [`Behaviour::AsShipped`] brings
//! back what COCOA's app did instead ([`super::cocoa_as_shipped`]).

use serde::{Deserialize, Serialize};

use super::assessment::Assessment;
use super::check::ConfigurationError;
use super::cocoa::RiskCalculationConfiguration;
use super::cocoa_as_shipped;
use super::daily_summary::DailySummariesConfig;
use super::day::{conclude, windows_of_day};
use super::evidence::KeyEvidence;
use super::gaen::summarize;
use super::mapping::DiagnosisKeysDataMapping;
use super::profile::ProfileName;
use crate::exposure::ExposureWindow;
use crate::time::UtcDay;

/// Parameters of the profile; [`Default`] is COCOA's production configuration.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CocoaV2 {
    /// What a key's details, and their absence, mean.
    pub mapping: DiagnosisKeysDataMapping,
    /// Weights of the daily summary.
    pub daily_summaries: DailySummariesConfig,
    /// The five conditions.
    #[serde(deserialize_with = "cocoa_as_shipped::rule")]
    pub rule: RiskCalculationConfiguration,
    /// Whether COCOA's faults are reproduced.
    #[serde(default)]
    pub behaviour: Behaviour,
}

/// Whether COCOA's faults are reproduced.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Behaviour {
    /// The whole day, every window for itself, unknown operators and rules that ask for nothing
    /// refused.
    #[default]
    Corrected,
    /// As COCOA v2.0.1: only windows new in a batch, equal windows once, unknown operators accepted
    /// and never true, a rule that asks for nothing accepted and always Low.
    AsShipped,
}

impl CocoaV2 {
    pub(super) fn check(&self) -> Result<(), ConfigurationError> {
        self.mapping.check()?;
        self.daily_summaries.check()?;
        match self.behaviour {
            Behaviour::Corrected => self.rule.check(),
            Behaviour::AsShipped => self.rule.check_as_shipped(),
        }
    }

    pub(super) fn assess_day(
        &self,
        day: UtcDay,
        evidence: &[KeyEvidence<'_>],
        today: UtcDay,
    ) -> Option<Assessment> {
        self.assess_batch(day, &[], evidence, today)
    }

    /// Assesses `day` when `batch` has come in and `before` was known already. In the corrected
    /// behaviour that is the whole day and the division does not matter; as shipped, seconds and
    /// attenuations are those of the windows that are new by value. `None` if neither holds a
    /// window of the day.
    #[must_use]
    pub fn assess_batch(
        &self,
        day: UtcDay,
        before: &[KeyEvidence<'_>],
        batch: &[KeyEvidence<'_>],
        today: UtcDay,
    ) -> Option<Assessment> {
        let all = windows_of_day(day, &[before, batch].concat());
        if all.is_empty() {
            return None;
        }
        let (summary, contributions) = summarize(day, &all, today, &self.daily_summaries);
        let compared: Vec<&ExposureWindow> = match self.behaviour {
            Behaviour::Corrected => all.iter().map(|(_, window)| *window).collect(),
            Behaviour::AsShipped => cocoa_as_shipped::new_by_value(
                &windows_of_day(day, before),
                &windows_of_day(day, batch),
            ),
        };
        let compared = compared.into_iter().filter(|window| window.may_count());
        // Without a summary COCOA has no day to decide about.
        let conditions =
            if summary.windows == 0 { Vec::new() } else { self.rule.terms(&summary, compared).0 };
        let score = summary.score_sum;
        let name = ProfileName::CocoaV2;
        Some(conclude(name, day, score, Some(summary), conditions, contributions))
    }
}
