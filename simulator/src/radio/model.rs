//! Phone models, as a radio sees them.

use serde::{Deserialize, Serialize};

/// The models that were measured (Samsung Galaxy).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[non_exhaustive]
pub enum PhoneModel {
    /// Galaxy A40.
    A40,
    /// Galaxy A51.
    A51,
    /// Galaxy A90; hears half as many packets as the others.
    A90,
    /// Galaxy S10, to which offsets are relative.
    S10,
    /// Galaxy S10e.
    S10e,
    /// Galaxy S20.
    S20,
}

/// How well a model receives: `best / (1 + exp((attenuation - midpoint) / slope))`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct ReceptionCurve {
    /// Probability of delivery at no attenuation.
    pub(crate) best: f64,
    /// Attenuation at half of it, dB.
    pub(crate) midpoint_db: f64,
    /// Width of the slope, dB.
    pub(crate) slope_db: f64,
}

/// Mean receiver offset of the 18 phones (7 A40, 1 A51, 1 A90, 6 S10, 2 S10e, 1 S20) to which the
/// laws of attenuation were fitted without offsets: they hold for the mean phone, not for an S10.
pub(super) const MEAN_RECEIVER_OFFSET_DB: f64 = 2.478;
/// Mean transmitter offset of the same phones.
pub(super) const MEAN_TRANSMITTER_OFFSET_DB: f64 = -1.272;

impl PhoneModel {
    pub(crate) const fn reception(self) -> ReceptionCurve {
        let (best, midpoint_db, slope_db) = match self {
            Self::A40 => (0.39, 74.0, 3.7),
            Self::A51 => (0.37, 70.5, 2.5),
            Self::A90 => (0.21, 74.2, 2.9),
            Self::S10 => (0.52, 66.5, 4.8),
            Self::S10e => (0.53, 66.2, 4.7),
            Self::S20 => (0.59, 66.0, 4.2),
        };
        ReceptionCurve { best, midpoint_db, slope_db }
    }

    /// Attenuation that this model adds as a receiver, dB relative to an S10.
    pub(crate) const fn receiver_offset_db(self) -> f64 {
        match self {
            Self::A40 => 4.8,
            Self::A51 => 2.2,
            Self::A90 => 6.3,
            Self::S10 => 0.0,
            Self::S10e => 0.7,
            Self::S20 => 1.1,
        }
    }

    /// Attenuation that this model adds as a transmitter, dB relative to an S10.
    pub(crate) const fn transmitter_offset_db(self) -> f64 {
        match self {
            Self::A40 => -3.1,
            Self::A51 => -0.4,
            Self::A90 => -1.0,
            Self::S10 => 0.0,
            Self::S10e => 0.7,
            Self::S20 => -1.2,
        }
    }
}
