//! `DiagnosisKeysDataMapping`: what a key's details mean, and what their absence means.

use serde::{Deserialize, Serialize};

use crate::diagnosis_key::{DaysSinceOnset, DiagnosisKeyDetails, ReportType};
use crate::risk::Infectiousness;

const DAYS: usize = 2 * DaysSinceOnset::LIMIT as usize + 1;

/// The mapping from published details to infectiousness and report type. Each missing value has
/// one documented meaning, given here and nowhere else.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DiagnosisKeysDataMapping {
    /// Infectiousness from -14 to +14 days since onset.
    pub infectiousness_by_days_since_onset: [Infectiousness; DAYS],
    /// Infectiousness where the days since onset are missing.
    pub infectiousness_when_missing: Infectiousness,
    /// Report type where it is missing.
    pub report_type_when_missing: ReportType,
}

impl DiagnosisKeysDataMapping {
    /// COCOA's production mapping: High from 3 days before onset to 10 days after, nothing
    /// outside; a key without details is High and confirmed by test (`configuration.json`).
    #[must_use]
    pub fn cocoa() -> Self {
        let mut infectiousness_by_days_since_onset = [Infectiousness::None; DAYS];
        let first = usize::from(DaysSinceOnset::LIMIT.unsigned_abs()) - 3;
        infectiousness_by_days_since_onset[first..=first + 13].fill(Infectiousness::High);
        Self {
            infectiousness_by_days_since_onset,
            infectiousness_when_missing: Infectiousness::High,
            report_type_when_missing: ReportType::ConfirmedTest,
        }
    }

    /// The infectiousness of a key with these details.
    #[must_use]
    pub fn infectiousness(&self, details: &DiagnosisKeyDetails) -> Infectiousness {
        let Some(onset) = details.days_since_onset else { return self.infectiousness_when_missing };
        usize::try_from(i16::from(onset.days()) + i16::from(DaysSinceOnset::LIMIT))
            .ok()
            .and_then(|index| self.infectiousness_by_days_since_onset.get(index).copied())
            .unwrap_or(self.infectiousness_when_missing)
    }

    /// The report type of a key with these details.
    #[must_use]
    pub fn report_type(&self, details: &DiagnosisKeyDetails) -> ReportType {
        details.report_type.unwrap_or(self.report_type_when_missing)
    }
}

impl Default for DiagnosisKeysDataMapping {
    /// [`DiagnosisKeysDataMapping::cocoa`].
    fn default() -> Self {
        Self::cocoa()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cocoa_is_high_from_three_days_before_onset_to_ten_after() {
        let mapping = DiagnosisKeysDataMapping::cocoa();
        for days in -14..=14 {
            let details = DiagnosisKeyDetails {
                days_since_onset: DaysSinceOnset::new(days),
                ..DiagnosisKeyDetails::default()
            };
            let expected =
                if (-3..=10).contains(&days) { Infectiousness::High } else { Infectiousness::None };
            assert_eq!(mapping.infectiousness(&details), expected, "{days}");
        }
        let missing = DiagnosisKeyDetails::default();
        assert_eq!(mapping.infectiousness(&missing), Infectiousness::High);
        assert_eq!(mapping.report_type(&missing), ReportType::ConfirmedTest);
    }
}
