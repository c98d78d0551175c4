//! What a key's records say together about the ground of its publication.
//!
//! A key may come again with another report type. An own report may become a test, a diagnosis or
//! a withdrawal; a diagnosis may become a test or a withdrawal; nothing else, and only once
//! (exposure-notifications-internals, `isValidTransition`). Google applies this in the order in
//! which files come; here the same records give the same answer in every order.

use std::collections::BTreeSet;

use crate::diagnosis_key::ReportType;
use crate::export::{KeyList, ReportGrounds};

/// What became of a key's report type. A withdrawn key stays known; its windows are not returned
/// ([`crate::exposure::ExposureWindow::may_count`]).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ReportHistory {
    /// The type it was published with.
    pub first: ReportType,
    /// The type it has now.
    pub current: ReportType,
    /// Different types in its records that were not followed: not allowed, or one too many.
    pub refused: u32,
}

impl ReportHistory {
    /// The history of one key from all its records, or `None` without records. A record without a
    /// report type has `when_missing`.
    ///
    /// * The key begins with the least certain type among `keys`, or among `revised_keys` if it
    ///   stands only there.
    /// * Only a record in `revised_keys` withdraws a key that another record reports.
    /// * Of several allowed types the most certain is followed; a test outweighs a withdrawal,
    ///   since the harm of a warning too few is greater.
    #[must_use]
    pub fn of(grounds: ReportGrounds, when_missing: ReportType) -> Option<Self> {
        let records: BTreeSet<(KeyList, ReportType)> = grounds
            .iter()
            .map(|(list, report_type)| (list, report_type.unwrap_or(when_missing)))
            .collect();
        // The first list is `keys` wherever the key stands in it.
        let (list, _) = *records.first()?;
        let of_this_list = records.iter().filter(|(other, _)| *other == list);
        let first =
            of_this_list.map(|(_, published)| *published).min_by_key(order_of_publication)?;
        let current = records
            .iter()
            .filter(|(list, next)| {
                is_allowed(first, *next)
                    && (*next != ReportType::Revoked || *list == KeyList::Revised)
            })
            .map(|(_, next)| *next)
            .max_by_key(weight_of_evidence)
            .unwrap_or(first);
        let different: BTreeSet<_> = records.iter().map(|(_, published)| *published).collect();
        let followed = 1 + usize::from(current != first);
        let refused = different.len().saturating_sub(followed);
        Some(Self { first, current, refused: u32::try_from(refused).unwrap_or(u32::MAX) })
    }
}

const fn is_allowed(from: ReportType, to: ReportType) -> bool {
    use ReportType::{ConfirmedClinicalDiagnosis, ConfirmedTest, Revoked, SelfReport};
    matches!(
        (from, to),
        (SelfReport, ConfirmedTest | ConfirmedClinicalDiagnosis | Revoked)
            | (ConfirmedClinicalDiagnosis, ConfirmedTest | Revoked)
    )
}

/// Which of several types a key had first: the one from which the others can follow.
const fn order_of_publication(report_type: &ReportType) -> u8 {
    match report_type {
        ReportType::SelfReport => 0,
        ReportType::ConfirmedClinicalDiagnosis => 1,
        ReportType::ConfirmedTest => 2,
        ReportType::Recursive => 3,
        ReportType::Revoked => 4,
    }
}

/// Which of several types that may follow does.
const fn weight_of_evidence(report_type: &ReportType) -> u8 {
    match report_type {
        ReportType::SelfReport | ReportType::Recursive => 0,
        ReportType::ConfirmedClinicalDiagnosis => 1,
        ReportType::Revoked => 2,
        ReportType::ConfirmedTest => 3,
    }
}

#[cfg(test)]
mod tests {
    use KeyList::{New, Revised};
    use ReportType::{
        ConfirmedClinicalDiagnosis as Clinical, ConfirmedTest as Test, Recursive, Revoked,
        SelfReport,
    };

    use super::*;
    use crate::diagnosis_key::{DiagnosisKey, DiagnosisKeyDetails};
    use crate::export::PublishedKey;
    use crate::time::{IntervalNumber, RollingPeriod};

    fn record((list, report_type): (KeyList, Option<ReportType>)) -> PublishedKey {
        let details = DiagnosisKeyDetails { report_type, ..DiagnosisKeyDetails::default() };
        let key = DiagnosisKey::new([1; 16], IntervalNumber::new(0), RollingPeriod::DAY, details);
        PublishedKey::new(key, list)
    }

    fn history(records: &[(KeyList, Option<ReportType>)]) -> Option<ReportHistory> {
        let together = |records: &mut dyn Iterator<Item = (KeyList, Option<ReportType>)>| {
            let merged = records.map(record).reduce(PublishedKey::prevailing);
            ReportHistory::of(merged.map_or_else(Default::default, |m| m.grounds()), SelfReport)
        };
        let forwards = together(&mut records.iter().copied());
        let backwards = together(&mut records.iter().rev().copied());
        assert_eq!(forwards, backwards, "{records:?}");
        forwards
    }

    #[test]
    fn one_transition_of_the_allowed_ones() {
        let all = [Test, Clinical, SelfReport, Recursive, Revoked];
        for first in all {
            for next in all {
                let found = history(&[(New, Some(first)), (Revised, Some(next))]).unwrap();
                let allowed = match first {
                    SelfReport => [Test, Clinical, Revoked].contains(&next),
                    Clinical => [Test, Revoked].contains(&next),
                    _ => false,
                };
                let current = if allowed { next } else { first };
                let refused = u32::from(first != next && !allowed);
                assert_eq!(found, ReportHistory { first, current, refused }, "{first:?} {next:?}");
            }
        }
    }

    #[test]
    fn what_contradicts_itself_stays_a_warning() {
        let found = history(&[(New, None), (Revised, Some(Revoked)), (Revised, Some(Test))]);
        let expected = ReportHistory { first: SelfReport, current: Test, refused: 1 };
        assert_eq!(found, Some(expected));
        let found = history(&[(New, Some(SelfReport)), (New, Some(Revoked))]);
        let expected = ReportHistory { first: SelfReport, current: SelfReport, refused: 1 };
        assert_eq!(found, Some(expected));
    }

    #[test]
    fn a_revised_key_never_seen_before_is_a_key() {
        let found = history(&[(Revised, Some(Test))]);
        assert_eq!(found, Some(ReportHistory { first: Test, current: Test, refused: 0 }));
        let found = history(&[(Revised, Some(Revoked)), (Revised, Some(Clinical))]);
        assert_eq!(found, Some(ReportHistory { first: Clinical, current: Revoked, refused: 0 }));
        assert_eq!(history(&[]), None);
    }
}
