//! Why was I told, and why was I not.

use std::collections::BTreeMap;

use chikaku_core::explain as core_explain;

use crate::assessment::conditions;
use crate::number::{self, code, to_i32, to_i64};
use crate::{Contribution, DecisionCondition, RiskLevel};

/// The chain from one key to the days it counts on.
#[derive(Clone, Debug, PartialEq, uniffi::Record)]
pub struct ExposureExplanation {
    /// SHA-256 of the key, hexadecimal.
    pub key_sha256: String,
    /// First ten-minute interval in which the key was valid.
    pub rolling_start_interval_number: i64,
    /// Identifiers of the key that were heard.
    pub identifiers_matched: i32,
    /// Sightings that count.
    pub sightings_kept: i64,
    /// Sightings that do not, by reason.
    pub sightings_dropped: Vec<DroppedSightings>,
    /// Every day with a sighting.
    pub days: Vec<DayShare>,
}

/// Sightings that do not count for one reason.
#[derive(Clone, Debug, PartialEq, Eq, uniffi::Record)]
pub struct DroppedSightings {
    /// The reason's code: `outside_tolerance`, `replay_window`, …
    pub code: String,
    /// How many.
    pub sightings: i64,
}

/// What one key adds to a day, and what the day came to.
#[derive(Clone, Debug, PartialEq, uniffi::Record)]
pub struct DayShare {
    /// The UTC day, days since 1970-01-01.
    pub day: i32,
    /// This key's windows with their score terms, those that do not count included.
    pub contributions: Vec<Contribution>,
    /// The whole day's conclusion over all keys.
    pub level: RiskLevel,
    /// The whole day's score.
    pub score: f64,
    /// The conditions of the decision.
    pub conditions: Vec<DecisionCondition>,
    /// Whether the user has confirmed the announcement.
    pub announced: bool,
}

/// Why a day was not announced. [`Silence::Other`] takes what a later core adds.
#[derive(Clone, Debug, PartialEq, uniffi::Enum)]
pub enum Silence {
    /// The day lies outside the retention period, or in the future.
    NotRemembered,
    /// The user had the day forgotten.
    Forgotten,
    /// The phone listened for less of the day than was planned, or not at all.
    NotListening {
        /// Whole minutes that scans cover.
        minutes_scanned: i32,
        /// Whole minutes for which tracing was switched on.
        minutes_planned: i32,
    },
    /// Nothing at all was heard on the day.
    NothingHeard,
    /// Something was heard while the wall clock was suspect.
    ClockSuspect {
        /// How many sightings.
        sightings: i64,
    },
    /// No key file was accepted since the day.
    NoKeyFile {
        /// Files that were refused since then.
        refused: i64,
    },
    /// Keys were checked, and none of them was heard on the day.
    NoKeyHeard {
        /// Keys checked since the day.
        keys_checked: i64,
    },
    /// Keys were heard of which every sighting was dropped.
    NearMisses {
        /// Keys, over all files since the day.
        keys: i64,
        /// Their sightings by reason.
        dropped: Vec<DroppedSightings>,
    },
    /// Keys were heard, and a condition of High does not hold.
    BelowThreshold {
        /// The conditions that do not hold.
        conditions: Vec<DecisionCondition>,
    },
    /// Keys were heard, and none of their windows counts.
    NothingCounts {
        /// The windows, each with the reason.
        contributions: Vec<Contribution>,
    },
    /// The day is High and the user has confirmed the announcement.
    Announced,
    /// The day is High, and the announcement waits for confirmation.
    Pending,
    /// A reason that this version does not know.
    Other {
        /// Its code.
        code: String,
    },
}

impl From<core_explain::ExposureExplanation> for ExposureExplanation {
    fn from(explanation: core_explain::ExposureExplanation) -> Self {
        Self {
            key_sha256: hex::encode(explanation.key.as_bytes()),
            rolling_start_interval_number: i64::from(explanation.rolling_start.get()),
            identifiers_matched: to_i32(explanation.identifiers_matched),
            sightings_kept: to_i64(explanation.sightings_kept),
            sightings_dropped: dropped(&explanation.sightings_dropped),
            days: explanation.days.into_iter().map(DayShare::from).collect(),
        }
    }
}

fn dropped(counts: &BTreeMap<core_explain::SightingDropped, u64>) -> Vec<DroppedSightings> {
    let entry = |(reason, count): (_, &u64)| DroppedSightings {
        code: code(reason),
        sightings: to_i64(*count),
    };
    counts.iter().map(entry).collect()
}

impl From<core_explain::DayShare> for DayShare {
    fn from(share: core_explain::DayShare) -> Self {
        Self {
            day: number::day(share.day),
            contributions: share.contributions.iter().map(Contribution::from).collect(),
            level: share.level.into(),
            score: share.score,
            conditions: conditions(&share.conditions),
            announced: share.announced,
        }
    }
}

impl From<core_explain::Silence> for Silence {
    fn from(silence: core_explain::Silence) -> Self {
        use core_explain::Silence as Core;
        match silence {
            Core::NotRemembered => Self::NotRemembered,
            Core::Forgotten => Self::Forgotten,
            Core::NotListening { minutes_scanned, minutes_planned } => Self::NotListening {
                minutes_scanned: to_i32(minutes_scanned),
                minutes_planned: to_i32(minutes_planned),
            },
            Core::NothingHeard => Self::NothingHeard,
            Core::ClockSuspect { sightings } => Self::ClockSuspect { sightings: to_i64(sightings) },
            Core::NoKeyFile { refused } => Self::NoKeyFile { refused: to_i64(refused) },
            Core::NoKeyHeard { keys_checked } => {
                Self::NoKeyHeard { keys_checked: to_i64(keys_checked) }
            }
            Core::NearMisses { keys, sightings } => {
                Self::NearMisses { keys: to_i64(keys), dropped: dropped(&sightings) }
            }
            Core::BelowThreshold { conditions: terms } => {
                Self::BelowThreshold { conditions: conditions(&terms) }
            }
            Core::NothingCounts { contributions } => Self::NothingCounts {
                contributions: contributions.iter().map(Contribution::from).collect(),
            },
            Core::Announced => Self::Announced,
            Core::Pending => Self::Pending,
            other => Self::Other { code: other.code().to_owned() },
        }
    }
}
