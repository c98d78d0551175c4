//! Own keys and published keys.

use chikaku_core::diagnosis_key::{DaysSinceOnset, DiagnosisKey, DiagnosisKeyDetails, ReportType};
use chikaku_core::encounter_log::LiveKey;
use chikaku_core::export::{KeyList, PublishedKey, ReportGrounds};
use chikaku_core::keys::TemporaryExposureKey;
use chikaku_core::time::{IntervalNumber, RollingPeriod};
use serde::{Deserialize, Serialize};

use super::StoredStamp;
use crate::codec::Undecodable;

#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct StoredOwnKey {
    bytes: [u8; 16],
    rolling_start: u32,
    rolling_period: u32,
}

impl StoredOwnKey {
    pub(super) fn of(key: &TemporaryExposureKey) -> Self {
        Self {
            bytes: *key.secret_bytes(),
            rolling_start: key.rolling_start().get(),
            rolling_period: key.rolling_period().intervals(),
        }
    }

    pub(super) fn restore(&self) -> Result<TemporaryExposureKey, Undecodable> {
        let period = RollingPeriod::new(self.rolling_period).map_err(|_| Undecodable)?;
        let start = IntervalNumber::new(self.rolling_start);
        Ok(TemporaryExposureKey::from_stored(self.bytes, start, period))
    }
}

#[derive(Clone, Copy, Serialize, Deserialize)]
pub(crate) struct StoredPublishedKey {
    bytes: [u8; 16],
    rolling_start: u32,
    rolling_period: u32,
    transmission_risk_level: Option<u8>,
    /// The number on the wire of `export.proto`.
    report_type: Option<i32>,
    days_since_onset: Option<i8>,
    variant_of_concern: Option<bool>,
    revised: bool,
    grounds: ReportGrounds,
}

impl StoredPublishedKey {
    pub(super) fn of(published: &PublishedKey) -> Self {
        let PublishedKey { key, list, .. } = published;
        let details = key.details;
        Self {
            bytes: *key.as_bytes(),
            rolling_start: key.rolling_start().get(),
            rolling_period: key.rolling_period().intervals(),
            transmission_risk_level: details.transmission_risk_level,
            report_type: details.report_type.map(ReportType::to_wire),
            days_since_onset: details.days_since_onset.map(DaysSinceOnset::days),
            variant_of_concern: details.variant_of_concern,
            revised: *list == KeyList::Revised,
            grounds: published.grounds(),
        }
    }

    pub(super) const fn bytes(&self) -> [u8; 16] {
        self.bytes
    }

    pub(super) fn restore(&self) -> Result<PublishedKey, Undecodable> {
        let known = |wire| ReportType::from_wire(wire).ok_or(Undecodable);
        let within = |days| DaysSinceOnset::new(i32::from(days)).ok_or(Undecodable);
        let details = DiagnosisKeyDetails {
            transmission_risk_level: self.transmission_risk_level,
            report_type: self.report_type.map(known).transpose()?,
            days_since_onset: self.days_since_onset.map(within).transpose()?,
            variant_of_concern: self.variant_of_concern,
        };
        let start = IntervalNumber::new(self.rolling_start);
        let period = RollingPeriod::new(self.rolling_period).map_err(|_| Undecodable)?;
        let list = if self.revised { KeyList::Revised } else { KeyList::New };
        let key = DiagnosisKey::new(self.bytes, start, period, details);
        Ok(PublishedKey::with_grounds(key, list, self.grounds))
    }
}

#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct StoredLiveKey {
    published: StoredPublishedKey,
    first_available: StoredStamp,
}

impl StoredLiveKey {
    pub(super) fn of(live: &LiveKey) -> Self {
        Self {
            published: StoredPublishedKey::of(&live.published),
            first_available: StoredStamp::of(live.first_available),
        }
    }

    pub(super) fn restore(&self) -> Result<LiveKey, Undecodable> {
        Ok(LiveKey {
            published: self.published.restore()?,
            first_available: self.first_available.restore(),
        })
    }
}
