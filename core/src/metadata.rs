//! The four metadata bytes behind an identifier, once decrypted (GAEN Bluetooth spec 1.2).
//!
//! | byte | meaning |
//! |---|---|
//! | 0 | bits 7:6 major version 01, bits 5:4 minor version, bits 3:2 calibration confidence (1.1) |
//! | 1 | radiated transmit power, signed dBm |
//! | 2, 3 | reserved: 0 when sent, ignored when received |

use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::signal::{TransmitPowerDbm, TransmitPowerError};

/// How well the sender's model is calibrated (metadata 1.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CalibrationConfidence {
    /// No calibration data.
    Lowest,
    /// Average over models of the manufacturer.
    Low,
    /// Average over devices of the model.
    Medium,
    /// Measured for this model.
    High,
}

/// The metadata versions in use.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[non_exhaustive]
pub enum MetadataVersion {
    /// 1.0: no calibration confidence.
    V1_0,
    /// 1.1: with calibration confidence.
    V1_1(CalibrationConfidence),
}

/// Metadata that cannot be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum MetadataError {
    /// A version byte other than 1.0 or 1.1.
    #[error("metadata version byte {0:#04x} is neither 1.0 nor 1.1")]
    UnknownVersion(u8),
    /// A transmit power no phone radiates.
    #[error(transparent)]
    TransmitPower(#[from] TransmitPowerError),
}

/// Decrypted Bluetooth metadata.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct BluetoothMetadata {
    /// Version, with the calibration confidence where it has one.
    pub version: MetadataVersion,
    /// Power radiated by the sender.
    pub transmit_power: TransmitPowerDbm,
}

impl BluetoothMetadata {
    /// The four bytes as they are encrypted and sent.
    #[must_use]
    pub const fn to_bytes(self) -> [u8; 4] {
        let version = match self.version {
            MetadataVersion::V1_0 => 0x40,
            MetadataVersion::V1_1(confidence) => 0x50 | (confidence as u8) << 2,
        };
        [version, self.transmit_power.dbm().to_be_bytes()[0], 0, 0]
    }

    /// Reads four decrypted bytes. Reserved bits and bytes are ignored.
    ///
    /// # Errors
    /// [`MetadataError`] for a version other than 1.x with x in 0..=1, and for an impossible
    /// transmit power. Wrongly decrypted metadata usually ends in one of them.
    pub fn from_bytes(bytes: [u8; 4]) -> Result<Self, MetadataError> {
        let version = match bytes[0] >> 4 {
            0b0100 => MetadataVersion::V1_0,
            0b0101 => MetadataVersion::V1_1(match bytes[0] >> 2 & 0b11 {
                0 => CalibrationConfidence::Lowest,
                1 => CalibrationConfidence::Low,
                2 => CalibrationConfidence::Medium,
                _ => CalibrationConfidence::High,
            }),
            _ => return Err(MetadataError::UnknownVersion(bytes[0])),
        };
        let transmit_power = TransmitPowerDbm::new(i8::from_be_bytes([bytes[1]]))?;
        Ok(Self { version, transmit_power })
    }

    /// The sender's calibration confidence; version 1.0 has none.
    #[must_use]
    pub const fn calibration_confidence(self) -> Option<CalibrationConfidence> {
        match self.version {
            MetadataVersion::V1_0 => None,
            MetadataVersion::V1_1(confidence) => Some(confidence),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_version_and_power_survives_the_round_trip() {
        use CalibrationConfidence::{High, Low, Lowest, Medium};
        let versions = [
            (MetadataVersion::V1_0, 0x40),
            (MetadataVersion::V1_1(Lowest), 0x50),
            (MetadataVersion::V1_1(Low), 0x54),
            (MetadataVersion::V1_1(Medium), 0x58),
            (MetadataVersion::V1_1(High), 0x5c),
        ];
        for (version, byte) in versions {
            for dbm in -60..=20 {
                let transmit_power = TransmitPowerDbm::new(dbm).unwrap();
                let metadata = BluetoothMetadata { version, transmit_power };
                assert_eq!(metadata.to_bytes()[..2], [byte, dbm.to_be_bytes()[0]]);
                assert_eq!(BluetoothMetadata::from_bytes(metadata.to_bytes()), Ok(metadata));
            }
        }
    }

    #[test]
    fn reserved_bits_are_ignored_and_unknown_versions_refused() {
        assert!(BluetoothMetadata::from_bytes([0x43, 0xf6, 9, 9]).is_ok());
        assert_eq!(
            BluetoothMetadata::from_bytes([0x80, 0, 0, 0]),
            Err(MetadataError::UnknownVersion(0x80))
        );
        assert_eq!(
            BluetoothMetadata::from_bytes([0x40, 0x7f, 0, 0]),
            Err(MetadataError::TransmitPower(TransmitPowerError(127)))
        );
    }
}
