//! People with a radio and bad intentions.

use chikaku_core::time::Timestamp;
use serde::Deserialize;

/// A radio that is no phone of the scenario, in one place.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Adversary {
    /// Index of the stay it is part of.
    pub stay: usize,
    /// Metres to every phone there.
    pub distance_m: f64,
    /// When it begins.
    pub from: Timestamp,
    /// When it ends.
    pub to: Timestamp,
    /// What it does.
    pub kind: AdversaryKind,
}

/// What an adversary does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum AdversaryKind {
    /// Broadcasts identifiers of published keys.
    Replay {
        /// Those of this many seconds from now; negative is the past.
        shift_seconds: i64,
    },
    /// Broadcasts what is on the air in another place at the same time.
    Relay {
        /// Index of the other stay.
        source: usize,
        /// Flips the bits of the metadata so that this power stands there.
        claimed_power_dbm: Option<i8>,
    },
    /// Broadcasts invented identifiers.
    Flood {
        /// New ones in each scan.
        identifiers_per_scan: u32,
    },
    /// Broadcasts identifiers of a key of its own, and offers a key file with it.
    KeyInjection {
        /// When the file is offered.
        offered: Timestamp,
    },
    /// Listens, and tries to link identifiers of one phone by their address.
    Sniffer,
}

/// The kinds of adversary as scenario files name them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum AdversaryWord {
    Replay,
    Relay,
    Flood,
    KeyInjection,
    Sniffer,
}
