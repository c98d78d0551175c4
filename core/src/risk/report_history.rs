//! What a key's records say together about the ground of its publication.
//!
//! A key may come again with another report type. An own report may become a test, a diagnosis or
//! a withdrawal; a diagnosis may become a test or a withdrawal; nothing else, and only once
//! (exposure-notifications-internals, `isValidTransition`). Google applies this in the order in
//! which files come; here the same records give the same answer in every order.

use crate::diagnosis_key::ReportType;
use crate::export::{KeyList, PublishedKey};

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
    /// * A record in `keys` never withdraws a key that another record reports: only
    ///   `revised_keys` may lower a result.
    /// * Of several allowed types the most certain is followed; a test outweighs a withdrawal,
    ///   since the harm of a warning too few is greater.
    #[must_use]
    pub fn of(
        records: impl IntoIterator<Item = PublishedKey>,
        when_missing: ReportType,
    ) -> Option<Self> {
        let mut types: Vec<(KeyList, ReportType)> = records
            .into_iter()
            .map(|record| (record.list, record.key.details.report_type.unwrap_or(when_missing)))
            .collect();
        types.sort_unstable_by_key(|(list, report_type)| (*list, certainty(*report_type)));
        types.dedup();
        let (list, first) = *types.first()?;
        let may_follow = |(of, to): &&(KeyList, ReportType)| {
            is_allowed(first, *to)
                && (*to != ReportType::Revoked || *of == KeyList::Revised || list == *of && only(&types))
        };
        let current = types
            .iter()
            .filter(may_follow)
            .map(|(_, to)| *to)
            .max_by_key(|to| precedence(*to))
            .unwrap_or(first);
        let mut others: Vec<_> = types
            .iter()
            .map(|(_, report_type)| *report_type)
            .filter(|report_type| *report_type != first && *report_type != current)
            .collect();
        others.sort_unstable();
        others.dedup();
        Some(Self { first, current, refused: u32::try_from(others.len()).unwrap_or(u32::MAX) })
    }
}
