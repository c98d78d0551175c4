//! Why was I told, and why was I not.
//!
//! An explanation is put together from what the log holds and repeats no calculation: the chain
//! from a key's hash over its identifiers and sightings to windows, score terms and the threshold.
//! It holds no key, identifier or address, and each of its reasons has a stable code under which
//! an app keeps its translations.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::diagnosis_key::DiagnosisKeyHash;
use crate::encounter_log::{AuditEntry, DayRecord, Exposure};
use crate::risk::RiskLevel;
use crate::risk::assessment::{Assessment, ConditionTerm, Contribution};
use crate::status::coverage::ScanCoverage;
use crate::time::{IntervalNumber, UtcDay};

/// From here on a day counts as listened to.
const SUFFICIENT_COVERAGE_PERCENT: u8 = 80;

/// Why a sighting does not count.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum SightingDropped {
    /// Heard too long before or after the identifier's interval.
    OutsideTolerance,
    /// Heard too long after the identifier's first sighting.
    ReplayWindow,
    /// Heard after the key was public.
    AfterPublication,
    /// Heard while the wall clock was suspect; counts when a trusted time has come.
    ClockSuspect,
    /// The metadata's transmit power is impossible.
    TransmitPowerImplausible,
    /// The metadata's version is not known.
    MetadataVersionUnknown,
    /// The controller measured no signal strength.
    RssiUnavailable,
}

/// The chain from one key to the days it counts on.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ExposureExplanation {
    /// The key's hash.
    pub key: DiagnosisKeyHash,
    /// First interval in which the key was valid.
    pub rolling_start: IntervalNumber,
    /// Identifiers of the key that were heard.
    pub identifiers_matched: u32,
    /// Sightings that count.
    pub sightings_kept: u64,
    /// Sightings that do not, by reason.
    pub sightings_dropped: BTreeMap<SightingDropped, u64>,
    /// Every day with a sighting, with this key's contribution.
    pub days: Vec<DayShare>,
}

/// What one key adds to a day, and what the day came to.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct DayShare {
    /// The UTC day.
    pub day: UtcDay,
    /// This key's windows or exposures, with their score terms, those that do not count included.
    pub contributions: Vec<Contribution>,
    /// The whole day's conclusion over all keys.
    pub level: RiskLevel,
    /// The whole day's score.
    pub score: f64,
    /// The conditions of the decision.
    pub conditions: Vec<ConditionTerm>,
    /// Whether the user has confirmed the announcement.
    pub announced: bool,
}

/// Explains one exposure. `day` looks a day's record up.
///
/// # Errors
/// Those of `day`.
pub fn explain<E>(
    exposure: &Exposure,
    mut day: impl FnMut(UtcDay) -> Result<Option<DayRecord>, E>,
) -> Result<ExposureExplanation, E> {
    let key = exposure.key_hash();
    let mut days: Vec<_> = exposure.sightings.iter().map(|s| s.heard_at.day()).collect();
    days.sort_unstable();
    days.dedup();
    let mut shares = Vec::new();
    for each in days {
        if let Some(DayRecord { assessment, announced }) = day(each)? {
            shares.push(share(key, assessment, announced));
        }
    }
    Ok(ExposureExplanation {
        key,
        rolling_start: exposure.published.key.rolling_start(),
        identifiers_matched: exposure.identifiers,
        sightings_kept: exposure.sightings.len() as u64,
        sightings_dropped: dropped(exposure),
        days: shares,
    })
}

fn share(key: DiagnosisKeyHash, assessment: Assessment, announced: bool) -> DayShare {
    let mut contributions = assessment.contributions;
    contributions.retain(|contribution| contribution.key == key);
    DayShare {
        day: assessment.day,
        contributions,
        level: assessment.level,
        score: assessment.score,
        conditions: assessment.conditions,
        announced,
    }
}

fn dropped(exposure: &Exposure) -> BTreeMap<SightingDropped, u64> {
    use SightingDropped as Reason;
    let counts = [
        (Reason::OutsideTolerance, exposure.dropped.outside_tolerance),
        (Reason::ReplayWindow, exposure.dropped.after_identifier_lifetime),
        (Reason::AfterPublication, exposure.dropped.after_publication),
        (Reason::ClockSuspect, exposure.dropped.clock_suspect),
        (Reason::TransmitPowerImplausible, exposure.unmeasured.implausible_transmit_power),
        (Reason::MetadataVersionUnknown, exposure.unmeasured.unknown_metadata_version),
        (Reason::RssiUnavailable, exposure.unmeasured.rssi_unavailable),
    ];
    let present = counts.into_iter().filter(|(_, count)| *count > 0);
    present.map(|(reason, count)| (reason, u64::from(count))).collect()
}

/// Why a day was not announced.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "code")]
#[non_exhaustive]
pub enum Silence {
    /// The day lies outside the retention period, or in the future.
    NotRemembered,
    /// The user had the day forgotten.
    Forgotten,
    /// The phone listened for less of the day than was planned, or not at all.
    NotListening {
        /// Whole minutes that scans cover.
        minutes_scanned: u32,
        /// Whole minutes for which tracing was switched on.
        minutes_planned: u32,
    },
    /// Nothing at all was heard on the day.
    NothingHeard,
    /// Something was heard while the wall clock was suspect, and does not count until a trusted
    /// time is passed in.
    ClockSuspect {
        /// How many sightings.
        sightings: u64,
    },
    /// No key file was accepted since the day.
    NoKeyFile {
        /// Files that were refused since then.
        refused: u64,
    },
    /// Keys were checked, and none of them was heard on the day.
    NoKeyHeard {
        /// Keys checked since the day.
        keys_checked: u64,
    },
    /// Keys were heard of which every sighting was dropped.
    NearMisses {
        /// Keys, added up over all files since the day.
        keys: u64,
        /// Their sightings by reason.
        sightings: BTreeMap<SightingDropped, u64>,
    },
    /// Keys were heard on the day, and a condition of High does not hold.
    BelowThreshold {
        /// The conditions that do not hold.
        conditions: Vec<ConditionTerm>,
    },
    /// Keys were heard on the day, and none of their windows counts.
    NothingCounts {
        /// The windows, each with the reason why it does not count.
        contributions: Vec<Contribution>,
    },
    /// The day is High and was announced; the user confirmed it.
    Announced,
    /// The day is High, and the announcement waits for the user's confirmation.
    Pending,
}

impl Silence {
    /// Names the reason in messages, logs and support mail, for ever: the key of its translation.
    /// The same word tags the serialised reason.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::NotRemembered => "not_remembered",
            Self::Forgotten => "forgotten",
            Self::NotListening { .. } => "not_listening",
            Self::NothingHeard => "nothing_heard",
            Self::ClockSuspect { .. } => "clock_suspect",
            Self::NoKeyFile { .. } => "no_key_file",
            Self::NoKeyHeard { .. } => "no_key_heard",
            Self::NearMisses { .. } => "near_misses",
            Self::BelowThreshold { .. } => "below_threshold",
            Self::NothingCounts { .. } => "nothing_counts",
            Self::Announced => "announced",
            Self::Pending => "pending",
        }
    }
}

/// What is known about a day on which a user wonders why nothing happened.
#[derive(Clone, Debug, PartialEq)]
pub struct SilentDay<'a> {
    /// The UTC day.
    pub day: UtcDay,
    /// The first and the last day that the log remembers.
    pub remembered: core::ops::RangeInclusive<UtcDay>,
    /// The user had the day forgotten.
    pub forgotten: bool,
    /// Sightings of the day, whoever they are of.
    pub sightings: u64,
    /// Sightings that a suspect wall clock dated to the day.
    pub sightings_of_suspect_time: u64,
    /// How much of the day was scanned; `None` if tracing was off.
    pub coverage: Option<ScanCoverage>,
    /// What was concluded about the day, if a key was heard on it.
    pub record: Option<&'a DayRecord>,
    /// The audit trail.
    pub audit: &'a [AuditEntry],
}

/// Explains why a day was not announced: every reason that applies, the nearest first.
#[must_use]
pub fn explain_silence(silent: &SilentDay<'_>) -> Vec<Silence> {
    if !silent.remembered.contains(&silent.day) {
        return vec![Silence::NotRemembered];
    }
    if silent.forgotten {
        return vec![Silence::Forgotten];
    }
    let mut reasons: Vec<_> = silent.record.map(of_record).into_iter().collect();
    if matches!(reasons.first(), Some(Silence::Announced | Silence::Pending)) {
        return reasons;
    }
    let scans = silent.coverage.unwrap_or_default();
    if scans.percent().is_none_or(|percent| percent < SUFFICIENT_COVERAGE_PERCENT) {
        reasons.push(Silence::NotListening {
            minutes_scanned: scans.minutes_scanned(),
            minutes_planned: scans.minutes_planned(),
        });
    }
    if silent.sightings_of_suspect_time > 0 {
        reasons.push(Silence::ClockSuspect { sightings: silent.sightings_of_suspect_time });
    } else if silent.sightings == 0 {
        reasons.push(Silence::NothingHeard);
    }
    if silent.record.is_some() {
        return reasons;
    }
    let since = silent.audit.iter().filter(|entry| entry.at.day() >= silent.day);
    let (mut refused, mut keys_checked, mut accepted) = (0, 0_u64, 0_u64);
    let mut near_misses = crate::matching::NearMisses::default();
    for entry in since {
        match &entry.outcome {
            Err(_) => refused += 1,
            Ok(file) => {
                accepted += 1;
                keys_checked = keys_checked.saturating_add(file.keys);
                near_misses.keys = near_misses.keys.saturating_add(file.near_misses.keys);
                near_misses.sightings = near_misses.sightings.plus(file.near_misses.sightings);
            }
        }
    }
    if accepted == 0 {
        reasons.push(Silence::NoKeyFile { refused });
    } else if silent.sightings > 0 {
        reasons.push(Silence::NoKeyHeard { keys_checked });
    }
    if near_misses.keys > 0 {
        let counts = [
            (SightingDropped::OutsideTolerance, near_misses.sightings.outside_tolerance),
            (SightingDropped::ReplayWindow, near_misses.sightings.after_identifier_lifetime),
            (SightingDropped::AfterPublication, near_misses.sightings.after_publication),
            (SightingDropped::ClockSuspect, near_misses.sightings.clock_suspect),
        ];
        let present = counts.into_iter().filter(|(_, count)| *count > 0);
        reasons.push(Silence::NearMisses {
            keys: near_misses.keys,
            sightings: present.map(|(reason, count)| (reason, u64::from(count))).collect(),
        });
    }
    reasons
}

fn of_record(record: &DayRecord) -> Silence {
    let assessment = &record.assessment;
    match (assessment.level, record.announced) {
        (RiskLevel::High, true) => Silence::Announced,
        (RiskLevel::High, false) => Silence::Pending,
        (RiskLevel::Low, _) if assessment.kept().next().is_none() => {
            Silence::NothingCounts { contributions: assessment.contributions.clone() }
        }
        (RiskLevel::Low, _) => {
            let failing = assessment.conditions.iter().filter(|condition| !condition.holds);
            Silence::BelowThreshold { conditions: failing.copied().collect() }
        }
    }
}
