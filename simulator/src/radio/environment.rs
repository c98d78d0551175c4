//! Places, as a radio sees them.

use serde::{Deserialize, Serialize};

/// The environments that were measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Environment {
    /// Two groups at tables.
    Lunch,
    /// Rows of seats.
    Train,
    /// Desks in an open space.
    Office,
    /// One or two lines in front of a till.
    Queue,
    /// People standing and walking about in a crowd.
    Party,
    /// Fast movement, as in a gym.
    Movement,
}

/// The law of attenuation by distance.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct PathLoss {
    /// Attenuation at 1 m, dB.
    pub(crate) at_one_metre_db: f64,
    /// Exponent n.
    pub(crate) exponent: f64,
}

/// Standard deviations of the parts of shadowing, dB.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Shadowing {
    /// Constant for two phones during a stay.
    pub(crate) pair_db: f64,
    /// Constant for one direction of a pair during a stay.
    pub(crate) direction_db: f64,
    /// Constant during a scan.
    pub(crate) scan_db: f64,
    /// From packet to packet.
    pub(crate) packet_db: f64,
}

impl Environment {
    pub(crate) const fn path_loss(self) -> PathLoss {
        let (at_one_metre_db, exponent) = match self {
            Self::Lunch => (63.4, 1.98),
            Self::Train => (63.6, 1.74),
            Self::Office => (63.4, 1.77),
            Self::Queue => (60.5, 1.43),
            Self::Party => (64.2, 1.79),
            Self::Movement => (60.7, 1.33),
        };
        PathLoss { at_one_metre_db, exponent }
    }

    /// The measured parts, less what the models of the phones explain of them
    /// ([`super::model`]): the offsets of the 18 phones have a variance of 13.8 dB² between the
    /// directions of a pair and of -6.1 dB² between pairs, because a model that hears badly sends
    /// well. Where a part would become negative the other one pays, so that the sum stays.
    pub(crate) const fn shadowing(self) -> Shadowing {
        let (packet_db, scan_db, direction_db, pair_db) = match self {
            Self::Lunch => (3.34, 3.75, 0.00, 3.23),
            Self::Train => (3.38, 4.16, 0.00, 4.73),
            Self::Office => (2.73, 3.60, 0.00, 1.00),
            Self::Queue => (4.14, 3.57, 1.27, 3.42),
            Self::Party => (3.74, 4.14, 1.27, 2.67),
            Self::Movement => (4.07, 2.47, 1.63, 2.47),
        };
        Shadowing { pair_db, direction_db, scan_db, packet_db }
    }
}
