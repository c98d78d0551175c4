//! Signal strength: what a radio reports, and the attenuation that is computed from it.
//!
//! Sentinels are errors here and never numbers: HCI reports "not available" as 127, and a value
//! that enters arithmetic once cannot be told from a real one afterwards.

use core::fmt;

use serde::{Deserialize, Serialize};
use thiserror::Error;

/// A received signal strength that is no measurement.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum RssiError {
    /// HCI's value for "not available" (Bluetooth Core, vol. 4 part E, 7.7.65.2).
    #[error("the controller did not measure a signal strength (127)")]
    Unavailable,
    /// Outside HCI's range of -127..=20 dBm.
    #[error("{0} dBm is outside the range of -127..=20 dBm")]
    OutOfRange(i16),
}

/// Received signal strength in dBm, -127..=20.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "i16", into = "i16")]
pub struct RssiDbm(i8);

impl RssiDbm {
    /// A measured signal strength.
    ///
    /// # Errors
    /// [`RssiError::Unavailable`] for 127, [`RssiError::OutOfRange`] for what no radio measures.
    pub const fn new(dbm: i16) -> Result<Self, RssiError> {
        #[expect(clippy::cast_possible_truncation, reason = "within the matched range")]
        match dbm {
            127 => Err(RssiError::Unavailable),
            -127..=20 => Ok(Self(dbm as i8)),
            _ => Err(RssiError::OutOfRange(dbm)),
        }
    }

    /// The value in dBm.
    #[must_use]
    pub const fn dbm(self) -> i8 {
        self.0
    }
}

impl TryFrom<i16> for RssiDbm {
    type Error = RssiError;
    fn try_from(dbm: i16) -> Result<Self, RssiError> {
        Self::new(dbm)
    }
}

impl From<RssiDbm> for i16 {
    fn from(rssi: RssiDbm) -> Self {
        Self::from(rssi.0)
    }
}

/// A transmit power that no phone radiates.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("a transmit power of {0} dBm is outside the range of -60..=20 dBm")]
pub struct TransmitPowerError(pub i8);

/// Radiated transmit power in dBm, -60..=20, as carried in the metadata.
///
/// The metadata is encrypted but not authenticated (CVE-2020-24722): whoever flips a bit of it
/// changes this number, so only the range that real phones use is accepted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "i8", into = "i8")]
pub struct TransmitPowerDbm(i8);

impl TransmitPowerDbm {
    /// A plausible transmit power.
    ///
    /// # Errors
    /// [`TransmitPowerError`] outside -60..=20 dBm, the wider of the two bounds in use.
    pub const fn new(dbm: i8) -> Result<Self, TransmitPowerError> {
        match dbm {
            -60..=20 => Ok(Self(dbm)),
            _ => Err(TransmitPowerError(dbm)),
        }
    }

    /// The value in dBm.
    #[must_use]
    pub const fn dbm(self) -> i8 {
        self.0
    }
}

impl TryFrom<i8> for TransmitPowerDbm {
    type Error = TransmitPowerError;
    fn try_from(dbm: i8) -> Result<Self, TransmitPowerError> {
        Self::new(dbm)
    }
}

impl From<TransmitPowerDbm> for i8 {
    fn from(power: TransmitPowerDbm) -> Self {
        power.0
    }
}

/// What a receiver's model adds to its readings, in dB (the `rssi correction` column of the
/// published calibration tables).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct RssiCorrectionDb(pub i8);

/// Attenuation in whole dB: transmit power minus corrected signal strength, never below 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct AttenuationDb(u16);

impl AttenuationDb {
    /// `max(transmit power - (rssi + correction), 0)` (exposure-notifications-internals,
    /// `SightingRecordWithMetadata`).
    #[must_use]
    pub fn between(
        sent: TransmitPowerDbm,
        received: RssiDbm,
        correction: RssiCorrectionDb,
    ) -> Self {
        let corrected = i16::from(received.dbm()) + i16::from(correction.0);
        Self(u16::try_from(i16::from(sent.dbm()) - corrected).unwrap_or(0))
    }

    /// An attenuation of `db`.
    #[must_use]
    pub const fn from_db(db: u16) -> Self {
        Self(db)
    }

    /// The value in dB.
    #[must_use]
    pub const fn db(self) -> u16 {
        self.0
    }
}

impl fmt::Display for AttenuationDb {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} dB", self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sentinels_are_typed() {
        assert_eq!(RssiDbm::new(127), Err(RssiError::Unavailable));
        assert_eq!(RssiDbm::new(21), Err(RssiError::OutOfRange(21)));
        assert_eq!(RssiDbm::new(-128), Err(RssiError::OutOfRange(-128)));
        assert!(RssiDbm::new(20).is_ok() && RssiDbm::new(-127).is_ok());
        for dbm in i8::MIN..=i8::MAX {
            assert_eq!(TransmitPowerDbm::new(dbm).is_ok(), (-60..=20).contains(&dbm));
        }
    }

    #[test]
    fn attenuation_for_every_reading() {
        for tx in -60..=20 {
            for rssi in -127..=20 {
                for correction in [i8::MIN, -3, 0, 5, i8::MAX] {
                    let db = AttenuationDb::between(
                        TransmitPowerDbm::new(tx).unwrap(),
                        RssiDbm::new(rssi).unwrap(),
                        RssiCorrectionDb(correction),
                    )
                    .db();
                    let exact = i32::from(tx) - i32::from(rssi) - i32::from(correction);
                    assert_eq!(i32::from(db), exact.max(0));
                }
            }
        }
    }
}
