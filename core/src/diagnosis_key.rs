//! Diagnosis keys: temporary exposure keys that their owners made public.

use core::fmt;

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::keys::{
    AssociatedEncryptedMetadataKey, KeyBytes, RollingProximityIdentifierKey, rolling_end,
};
use crate::time::{IntervalNumber, RollingPeriod};

/// On what ground a key was published (`export.proto`, `ReportType`; the values are the wire's).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
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
    /// The type with the wire's number; 0 and unknown numbers mean that none was given.
    #[must_use]
    pub const fn from_wire(number: i32) -> Option<Self> {
        match number {
            1 => Some(Self::ConfirmedTest),
            2 => Some(Self::ConfirmedClinicalDiagnosis),
            3 => Some(Self::SelfReport),
            4 => Some(Self::Recursive),
            5 => Some(Self::Revoked),
            _ => None,
        }
    }

    /// The wire's number.
    #[must_use]
    pub const fn to_wire(self) -> i32 {
        match self {
            Self::ConfirmedTest => 1,
            Self::ConfirmedClinicalDiagnosis => 2,
            Self::SelfReport => 3,
            Self::Recursive => 4,
            Self::Revoked => 5,
        }
    }
}

/// Days from symptom onset to the key's day, -14..=14.
///
/// Other values occur on the wire and mean "not known" (Corona-Warn-App published 2000 and 4000);
/// they are `None`, not an error.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct DaysSinceOnset(i8);

impl DaysSinceOnset {
    /// The largest number of days on either side of onset.
    pub const LIMIT: i8 = 14;

    /// `days` if within -14..=14.
    #[must_use]
    pub const fn new(days: i32) -> Option<Self> {
        #[expect(clippy::cast_possible_truncation, reason = "within the matched range")]
        match days {
            -14..=14 => Some(Self(days as i8)),
            _ => None,
        }
    }

    /// The number of days.
    #[must_use]
    pub const fn days(self) -> i8 {
        self.0
    }
}

/// What a key server says about a key besides the key. Everything may be missing, and missing is
/// `None`: COCOA's Android app was silent for four months because a missing value was a zero.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct DiagnosisKeyDetails {
    /// Transmission risk level 0..=8 of the first generation of the interface. A level of 0 that
    /// is written out stays `Some(0)`.
    pub transmission_risk_level: Option<u8>,
    /// Ground of publication.
    pub report_type: Option<ReportType>,
    /// Days from onset to the key's day.
    pub days_since_onset: Option<DaysSinceOnset>,
    /// The server marked the key as belonging to a variant of concern.
    pub variant_of_concern: Option<bool>,
}

/// A published key: public by definition, plain data. `Debug` still hides the bytes, because
/// whose contacts matched it is nobody's business in a log.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct DiagnosisKey {
    bytes: KeyBytes,
    rolling_start: IntervalNumber,
    rolling_period: RollingPeriod,
    /// What the server says about it.
    pub details: DiagnosisKeyDetails,
}

impl DiagnosisKey {
    /// A published key.
    #[must_use]
    pub const fn new(
        bytes: [u8; 16],
        rolling_start: IntervalNumber,
        rolling_period: RollingPeriod,
        details: DiagnosisKeyDetails,
    ) -> Self {
        Self { bytes, rolling_start, rolling_period, details }
    }

    /// The sixteen bytes.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; 16] {
        &self.bytes
    }

    /// The first interval in which the key was valid.
    #[must_use]
    pub const fn rolling_start(&self) -> IntervalNumber {
        self.rolling_start
    }

    /// For how many intervals it was valid.
    #[must_use]
    pub const fn rolling_period(&self) -> RollingPeriod {
        self.rolling_period
    }

    /// The first interval in which it was no longer valid.
    #[must_use]
    pub fn rolling_end(&self) -> IntervalNumber {
        rolling_end(self.rolling_start, self.rolling_period)
    }

    /// The key that makes its identifiers.
    #[must_use]
    pub fn identifier_key(&self) -> RollingProximityIdentifierKey {
        RollingProximityIdentifierKey::derive(&self.bytes)
    }

    /// The key that decrypts its metadata.
    #[must_use]
    pub fn metadata_key(&self) -> AssociatedEncryptedMetadataKey {
        AssociatedEncryptedMetadataKey::derive(&self.bytes)
    }

    /// A name for the key that does not contain it.
    #[must_use]
    pub fn hash(&self) -> DiagnosisKeyHash {
        DiagnosisKeyHash(Sha256::digest(self.bytes).into())
    }
}

impl fmt::Debug for DiagnosisKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DiagnosisKey")
            .field("rolling_start", &self.rolling_start)
            .field("rolling_period", &self.rolling_period)
            .field("details", &self.details)
            .finish_non_exhaustive()
    }
}

/// SHA-256 of a diagnosis key: names it in results without being it.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct DiagnosisKeyHash([u8; 32]);

impl DiagnosisKeyHash {
    /// A hash that a report wrote.
    pub(crate) const fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// The whole hash.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

impl fmt::Debug for DiagnosisKeyHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "DiagnosisKeyHash({self})")
    }
}

impl fmt::Display for DiagnosisKeyHash {
    /// The first four bytes in hexadecimal: enough to tell two matches apart on a screen.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0[..4].iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}
