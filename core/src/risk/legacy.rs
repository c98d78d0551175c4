//! What the two profiles of the first generation share: tables of eight scores and their edges.
//!
//! Google and Apple agree on the edges and on little else; each profile is written out on its own
//! so that none of the differences is hidden behind a parameter.

use core::cmp::Ordering;

use super::assessment::{
    Assessment, ConditionTerm, Contribution, DropReason, FactorTerm, Quantity, Verdict,
};
use super::check::{self, ConfigurationError};
use super::cocoa::Relation;
use super::day::conclude;
use super::profile::ProfileName;
use crate::diagnosis_key::DiagnosisKeyHash;
use crate::exposure::MeasuredSighting;
use crate::time::{Timestamp, UtcDay};

/// The greatest entry of a table (`RISK_LEVEL_VALUE_MAX` of both interfaces).
const GREATEST_SCORE: u8 = 8;

/// The place of an attenuation of `db`: more than 73, 63, 51, 33, 27, 15, 10, else.
pub(super) fn attenuation_place(db: u16) -> usize {
    [73, 63, 51, 33, 27, 15, 10].iter().take_while(|edge| db <= **edge).count()
}

/// The place of an exposure `days` ago: at least 14, 12, 10, 8, 6, 4, 2, else.
pub(super) fn days_place(days: i64) -> usize {
    [14, 12, 10, 8, 6, 4, 2].iter().take_while(|edge| days < **edge).count()
}

/// The place of a duration: at most 0, 5, 10, 15, 20, 25, 30 units, else.
pub(super) fn duration_place(duration: u64, unit: u64) -> usize {
    [0, 5, 10, 15, 20, 25, 30].iter().take_while(|edge| duration > **edge * unit).count()
}

/// The entry of `table` at `place`; the last one for places behind it.
pub(super) fn entry(table: &[u8; 8], place: usize) -> f64 {
    let [.., last] = table;
    f64::from(*table.get(place).unwrap_or(last))
}

/// Every entry is 0..=8.
pub(super) fn check_table(at: &str, table: &[u8; 8]) -> Result<(), ConfigurationError> {
    table.iter().enumerate().try_for_each(|(place, score)| {
        let at = format!("{at}[{place}]");
        check::range(&at, f64::from(*score), 0.0, f64::from(GREATEST_SCORE))
    })
}

/// One key's sightings by time, with ties in an order of their own.
pub(super) fn by_time(sightings: &[MeasuredSighting]) -> Vec<MeasuredSighting> {
    let mut sightings = sightings.to_vec();
    sightings.sort_unstable();
    sightings
}

/// The mean of `values`, each with a weight, rounded half up; 0 without weight.
pub(super) fn rounded_mean(values: impl IntoIterator<Item = (u16, u64)>) -> u16 {
    // 2^16 values of 2^64 seconds leave room for 2^47 of them.
    let (mut sum, mut weights) = (0_u128, 0_u128);
    for (value, weight) in values {
        sum += u128::from(value) * u128::from(weight);
        weights += u128::from(weight);
    }
    let mean = (2 * sum + weights).checked_div(2 * weights).unwrap_or(0);
    u16::try_from(mean).unwrap_or(u16::MAX)
}

/// What one key was heard for; these profiles know no windows.
pub(super) struct Encounter {
    pub(super) key: DiagnosisKeyHash,
    pub(super) first_heard_at: Timestamp,
    pub(super) seconds: u64,
}

impl Encounter {
    /// What it counts; dropped if its score is `below` the profile's minimum.
    pub(super) fn contribution(
        self,
        factors: Vec<FactorTerm>,
        score: f64,
        below: bool,
    ) -> Contribution {
        let verdict =
            if below { Verdict::Dropped(DropReason::BelowMinimumScore) } else { Verdict::Kept };
        Contribution {
            key: self.key,
            first_heard_at: self.first_heard_at,
            window: None,
            seconds: self.seconds,
            report_type: None,
            infectiousness: None,
            buckets: Vec::new(),
            factors,
            score,
            level: None,
            verdict,
        }
    }
}

/// The day's assessment: High if the greatest score that `score_of` gives an exposure that counts
/// is at least `minimum`; `None` without exposures.
pub(super) fn conclude_by_maximum(
    profile: ProfileName,
    day: UtcDay,
    mut contributions: Vec<Contribution>,
    score_of: impl Fn(&Contribution) -> f64,
    minimum: f64,
) -> Option<Assessment> {
    if contributions.is_empty() {
        return None;
    }
    contributions.sort_by(by_time_key_and_content);
    let kept = || contributions.iter().filter(|one| one.verdict == Verdict::Kept);
    let score = kept().map(|one| one.score).fold(0.0, f64::max);
    let conditions = if kept().next().is_some() {
        let value = kept().map(score_of).fold(0.0, f64::max);
        vec![ConditionTerm {
            quantity: Quantity::MaximumScore,
            value,
            relation: Relation::AtLeast,
            threshold: minimum,
            holds: value >= minimum,
        }]
    } else {
        Vec::new()
    };
    Some(conclude(profile, day, score, None, conditions, contributions))
}

fn by_time_key_and_content(one: &Contribution, other: &Contribution) -> Ordering {
    let head = |contribution: &Contribution| {
        (contribution.first_heard_at, contribution.key, contribution.seconds)
    };
    let inputs = |contribution: &Contribution| {
        contribution.factors.iter().map(|factor| factor.input).collect::<Vec<_>>()
    };
    let values = one.factors.iter().zip(&other.factors);
    head(one).cmp(&head(other)).then_with(|| inputs(one).cmp(&inputs(other))).then_with(|| {
        let compared = values.map(|(one, other)| one.value.total_cmp(&other.value));
        compared.fold(Ordering::Equal, Ordering::then)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn edges_are_those_of_both_interfaces() {
        let attenuation =
            [(74, 0), (73, 1), (64, 1), (63, 2), (52, 2), (51, 3), (33, 4), (27, 5), (15, 6)];
        for (db, place) in attenuation.into_iter().chain([(11, 6), (10, 7), (0, 7)]) {
            assert_eq!(attenuation_place(db), place, "{db} dB");
        }
        for (days, place) in [(14, 0), (13, 1), (12, 1), (11, 2), (2, 6), (1, 7), (0, 7), (-1, 7)] {
            assert_eq!(days_place(days), place, "{days} days");
        }
        for (minutes, place) in [(0, 0), (1, 1), (5, 1), (6, 2), (15, 3), (16, 4), (30, 6), (31, 7)]
        {
            assert_eq!(duration_place(minutes, 1), place, "{minutes} minutes");
        }
    }

    #[test]
    fn a_mean_rounds_half_up_and_exists_without_weight() {
        assert_eq!(rounded_mean([(1, 1), (2, 1)]), 2);
        assert_eq!(rounded_mean([(1, 3), (2, 1)]), 1);
        assert_eq!(rounded_mean([(7, 0)]), 0);
        assert_eq!(rounded_mean([(u16::MAX, u64::MAX), (u16::MAX, u64::MAX)]), u16::MAX);
    }
}
