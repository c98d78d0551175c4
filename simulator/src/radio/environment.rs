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

    pub(crate) const fn shadowing(self) -> Shadowing {
        let (packet_db, scan_db, direction_db, pair_db) = match self {
            Self::Lunch => (3.34, 3.75, 3.01, 3.02),
            Self::Train => (3.38, 4.16, 3.60, 4.14),
            Self::Office => (2.73, 3.60, 2.22, 1.95),
            Self::Queue => (4.14, 3.57, 3.93, 2.37),
            Self::Party => (3.74, 4.14, 3.93, 1.00),
            Self::Movement => (4.07, 2.47, 4.06, 0.00),
        };
        Shadowing { pair_db, direction_db, scan_db, packet_db }
    }
}
