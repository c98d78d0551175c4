//! Own keys, once they are disclosed, and what is said about keys.

use chikaku_core::diagnosis_key as core_key;
use chikaku_core::risk::mapping::DiagnosisKeysDataMapping;

use crate::number::to_i32;
use crate::{Action, ExposureNotificationError, Infectiousness};

/// On what ground a key is published.
#[derive(Clone, Copy, Debug, PartialEq, Eq, uniffi::Enum)]
pub enum ReportType {
    /// A positive laboratory test.
    ConfirmedTest,
    /// A physician's diagnosis.
    ConfirmedClinicalDiagnosis,
    /// The owner's own report.
    SelfReport,
    /// Reserved for contacts of contacts.
    Recursive,
    /// Withdrawn: the owner is not infected.
    Revoked,
}

impl ReportType {
    pub(crate) const fn of(report: core_key::ReportType) -> Option<Self> {
        match report {
            core_key::ReportType::ConfirmedTest => Some(Self::ConfirmedTest),
            core_key::ReportType::ConfirmedClinicalDiagnosis => {
                Some(Self::ConfirmedClinicalDiagnosis)
            }
            core_key::ReportType::SelfReport => Some(Self::SelfReport),
            core_key::ReportType::Recursive => Some(Self::Recursive),
            core_key::ReportType::Revoked => Some(Self::Revoked),
            _ => None,
        }
    }

    pub(crate) const fn core(self) -> core_key::ReportType {
        match self {
            Self::ConfirmedTest => core_key::ReportType::ConfirmedTest,
            Self::ConfirmedClinicalDiagnosis => core_key::ReportType::ConfirmedClinicalDiagnosis,
            Self::SelfReport => core_key::ReportType::SelfReport,
            Self::Recursive => core_key::ReportType::Recursive,
            Self::Revoked => core_key::ReportType::Revoked,
        }
    }
}

/// An own key that may be published: it can make no further identifier.
#[derive(Clone, PartialEq, Eq, uniffi::Record)]
pub struct DiagnosisKey {
    /// The sixteen bytes.
    pub key_data: Vec<u8>,
    /// The first ten-minute interval since 1970 in which it was valid.
    pub rolling_start_interval_number: i64,
    /// For how many intervals it was valid, 1..=144.
    pub rolling_period: i32,
    /// Transmission risk level 0..=8; `None` if it was not given.
    pub transmission_risk_level: Option<i32>,
    /// Ground of publication; `None` if it was not given.
    pub report_type: Option<ReportType>,
    /// Days from the onset of symptoms to the key's day, -14..=14; `None` if not known.
    pub days_since_onset_of_symptoms: Option<i32>,
}

impl core::fmt::Debug for DiagnosisKey {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("DiagnosisKey(..)")
    }
}

impl From<&core_key::DiagnosisKey> for DiagnosisKey {
    fn from(key: &core_key::DiagnosisKey) -> Self {
        Self {
            key_data: key.as_bytes().to_vec(),
            rolling_start_interval_number: i64::from(key.rolling_start().get()),
            rolling_period: to_i32(key.rolling_period().intervals()),
            transmission_risk_level: key.details.transmission_risk_level.map(i32::from),
            report_type: key.details.report_type.and_then(ReportType::of),
            days_since_onset_of_symptoms: key
                .details
                .days_since_onset
                .map(|onset| i32::from(onset.days())),
        }
    }
}

/// The keys to publish, and what has to be done besides.
#[derive(Clone, Debug, PartialEq, uniffi::Record)]
pub struct Disclosure {
    /// The keys of the last fourteen days that have ended.
    pub keys: Vec<DiagnosisKey>,
    /// The identifiers of a new key go on the air at once.
    pub actions: Vec<Action>,
}

/// `DiagnosisKeysDataMapping`: what a key's details, and their absence, mean.
#[derive(Clone, Debug, PartialEq, Eq, uniffi::Record)]
pub struct KeysDataMapping {
    /// Infectiousness by days since the onset of symptoms, -14..=14; days that are left out are
    /// not infectious.
    pub days_since_onset_to_infectiousness: Vec<InfectiousnessOnDay>,
    /// Infectiousness where the onset is not known.
    pub infectiousness_when_days_since_onset_missing: Infectiousness,
    /// Report type where it is missing.
    pub report_type_when_missing: ReportType,
}

/// One entry of a mapping.
#[derive(Clone, Debug, PartialEq, Eq, uniffi::Record)]
pub struct InfectiousnessOnDay {
    /// Days since the onset of symptoms, -14..=14.
    pub days_since_onset: i32,
    /// Infectiousness on that day.
    pub infectiousness: Infectiousness,
}

impl KeysDataMapping {
    pub(crate) fn read(&self) -> Result<DiagnosisKeysDataMapping, ExposureNotificationError> {
        let days = self
            .days_since_onset_to_infectiousness
            .iter()
            .map(|entry| (entry.days_since_onset, entry.infectiousness.into()));
        DiagnosisKeysDataMapping::from_days(
            days,
            self.infectiousness_when_days_since_onset_missing.into(),
            self.report_type_when_missing.core(),
        )
        .map_err(ExposureNotificationError::argument)
    }
}
