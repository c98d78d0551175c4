//! `DiagnosisKeysDataMapping`: what a key's details mean, and what their absence means.

use serde::{Deserialize, Serialize};

use super::check::ConfigurationError;
use crate::diagnosis_key::{DaysSinceOnset, DiagnosisKeyDetails, ReportType};
use crate::risk::Infectiousness;

const DAYS: usize = 2 * DaysSinceOnset::LIMIT as usize + 1;

/// The mapping from published details to infectiousness and report type. Each missing value has
/// one documented meaning, given here and nowhere else.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
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

    /// Google's record for an app that never set a mapping: every day standard, confirmed by
    /// test (exposure-notifications-internals, `client_record.proto`).
    #[must_use]
    pub const fn google() -> Self {
        Self {
            infectiousness_by_days_since_onset: [Infectiousness::Standard; DAYS],
            infectiousness_when_missing: Infectiousness::Standard,
            report_type_when_missing: ReportType::ConfirmedTest,
        }
    }

    /// Exposure Notifications Express: -3 and -2 standard, -1 to 3 high, 4 to 10 standard, days
    /// unknown standard, nothing else (`0x0401555AA9400000`).
    #[must_use]
    pub fn express() -> Self {
        let mut days = [Infectiousness::None; DAYS];
        days[11..=24].fill(Infectiousness::Standard);
        days[13..=17].fill(Infectiousness::High);
        Self {
            infectiousness_by_days_since_onset: days,
            infectiousness_when_missing: Infectiousness::Standard,
            report_type_when_missing: ReportType::ConfirmedTest,
        }
    }

    /// A mapping from an app's map of days. Days that the map leaves out are not infectious, as
    /// in Google's and Apple's maps.
    ///
    /// # Errors
    /// [`ConfigurationError::OutOfRange`] for a day outside -14..=14.
    pub fn from_days(
        days: impl IntoIterator<Item = (i32, Infectiousness)>,
        infectiousness_when_missing: Infectiousness,
        report_type_when_missing: ReportType,
    ) -> Result<Self, ConfigurationError> {
        let mut table = [Infectiousness::None; DAYS];
        for (day, infectiousness) in days {
            let limit = i32::from(DaysSinceOnset::LIMIT);
            let entry = DaysSinceOnset::new(day)
                .and_then(index)
                .and_then(|index| table.get_mut(index))
                .ok_or_else(|| ConfigurationError::OutOfRange {
                    at: "infectiousness_for_days_since_onset_of_symptoms".to_owned(),
                    value: f64::from(day),
                    least: f64::from(-limit),
                    greatest: f64::from(limit),
                })?;
            *entry = infectiousness;
        }
        Ok(Self {
            infectiousness_by_days_since_onset: table,
            infectiousness_when_missing,
            report_type_when_missing,
        })
    }

    /// Reads the table of Exposure Notifications Express: 64 bits in hexadecimal, with or without
    /// `0x`, two bits a day from -14 to 14 with the least significant first, then two bits for a
    /// missing day; 00 is none, 01 standard, 10 high.
    ///
    /// # Errors
    /// [`ConfigurationError::Hexadecimal`] for what is not a number of at most sixteen digits;
    /// [`ConfigurationError::Meaningless`] for the code 11 and for bits after the last entry.
    pub fn from_express_hex(
        text: &str,
        report_type_when_missing: ReportType,
    ) -> Result<Self, ConfigurationError> {
        let at = |entry: usize| format!("infectiousness table, entry {entry}");
        let digits = text.strip_prefix("0x").unwrap_or(text);
        let digits_only = digits.bytes().all(|byte| byte.is_ascii_hexdigit());
        let bits = u64::from_str_radix(digits, 16)
            .ok()
            .filter(|_| digits_only && digits.len() <= 16)
            .ok_or_else(|| ConfigurationError::Hexadecimal { at: "infectiousness table".into() })?;
        let mut table = [Infectiousness::None; DAYS + 1];
        for (entry, infectiousness) in table.iter_mut().enumerate() {
            *infectiousness = match (bits >> (2 * entry)) & 0b11 {
                0b00 => Infectiousness::None,
                0b01 => Infectiousness::Standard,
                0b10 => Infectiousness::High,
                _ => return Err(ConfigurationError::Meaningless { at: at(entry), value: 3 }),
            };
        }
        if bits >> (2 * (DAYS + 1)) != 0 {
            return Err(ConfigurationError::Meaningless { at: at(DAYS + 1), value: 1 });
        }
        let mut infectiousness_by_days_since_onset = [Infectiousness::None; DAYS];
        infectiousness_by_days_since_onset.copy_from_slice(&table[..DAYS]);
        Ok(Self {
            infectiousness_by_days_since_onset,
            infectiousness_when_missing: table[DAYS],
            report_type_when_missing,
        })
    }

    /// Writes what [`DiagnosisKeysDataMapping::from_express_hex`] reads, with `0x` and sixteen
    /// capital digits.
    #[must_use]
    pub fn to_express_hex(&self) -> String {
        let entries = self.infectiousness_by_days_since_onset.iter();
        let bits = entries.chain([&self.infectiousness_when_missing]).enumerate().fold(
            0_u64,
            |bits, (entry, infectiousness)| {
                let code = match infectiousness {
                    Infectiousness::None => 0b00,
                    Infectiousness::Standard => 0b01,
                    Infectiousness::High => 0b10,
                };
                bits | (code << (2 * entry))
            },
        );
        format!("0x{bits:016X}")
    }

    /// Whether a key without a report type counts at all.
    ///
    /// # Errors
    /// [`ConfigurationError::Meaningless`] if it would count as revoked: that is a silent app.
    pub fn check(&self) -> Result<(), ConfigurationError> {
        if self.report_type_when_missing == ReportType::Revoked {
            return Err(ConfigurationError::Meaningless {
                at: "mapping.report_type_when_missing".to_owned(),
                value: i64::from(ReportType::Revoked.to_wire()),
            });
        }
        Ok(())
    }

    /// The infectiousness of a key with these details.
    #[must_use]
    pub fn infectiousness(&self, details: &DiagnosisKeyDetails) -> Infectiousness {
        let Some(onset) = details.days_since_onset else { return self.infectiousness_when_missing };
        index(onset)
            .and_then(|index| self.infectiousness_by_days_since_onset.get(index).copied())
            .unwrap_or(self.infectiousness_when_missing)
    }

    /// The report type of a key with these details.
    #[must_use]
    pub fn report_type(&self, details: &DiagnosisKeyDetails) -> ReportType {
        details.report_type.unwrap_or(self.report_type_when_missing)
    }
}

fn index(days: DaysSinceOnset) -> Option<usize> {
    usize::try_from(days.days() + DaysSinceOnset::LIMIT).ok()
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
    fn the_express_table_reads_and_writes_its_default() {
        let hex = "0x0401555AA9400000";
        let read = DiagnosisKeysDataMapping::from_express_hex(hex, ReportType::ConfirmedTest);
        assert_eq!(read, Ok(DiagnosisKeysDataMapping::express()));
        assert_eq!(DiagnosisKeysDataMapping::express().to_express_hex(), hex);
        for wrong in ["", "0x", "g", "+1", "0x00401555AA9400000", "3", "0x1000000000000000"] {
            let read = DiagnosisKeysDataMapping::from_express_hex(wrong, ReportType::ConfirmedTest);
            assert!(read.is_err(), "{wrong}");
        }
    }

    #[test]
    fn days_that_a_map_leaves_out_are_not_infectious() {
        let map = |days: &[(i32, Infectiousness)]| {
            let days = days.iter().copied();
            DiagnosisKeysDataMapping::from_days(days, Infectiousness::High, ReportType::SelfReport)
        };
        let mapping = map(&[(14, Infectiousness::High), (-14, Infectiousness::Standard)]).unwrap();
        assert_eq!(mapping.infectiousness_by_days_since_onset[0], Infectiousness::Standard);
        assert_eq!(mapping.infectiousness_by_days_since_onset[28], Infectiousness::High);
        assert!(
            mapping.infectiousness_by_days_since_onset[1..28]
                .iter()
                .all(|day| *day == Infectiousness::None)
        );
        assert!(map(&[(15, Infectiousness::High)]).is_err());
        assert!(map(&[(i32::MIN, Infectiousness::High)]).is_err());
    }

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
