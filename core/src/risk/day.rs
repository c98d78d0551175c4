//! The windows of one day in an order of their own, so that no result depends on the caller's.

use core::cmp::Ordering;

use super::assessment::{Assessment, ConditionTerm, Contribution};
use super::assessment::{DropReason, Quantity, Verdict};
use super::cocoa::Relation;
use super::daily_summary::DailySummary;
use super::evidence::KeyEvidence;
use super::profile::ProfileName;
use super::{Infectiousness, RiskLevel};
use crate::diagnosis_key::{DiagnosisKeyHash, ReportType};
use crate::exposure::ExposureWindow;
use crate::time::UtcDay;

/// A window of the day and the key it belongs to.
pub(super) type KeyWindow<'a> = (DiagnosisKeyHash, &'a ExposureWindow);

/// All windows of `day`, by time, key and content.
pub(super) fn windows_of_day<'a>(day: UtcDay, evidence: &[KeyEvidence<'a>]) -> Vec<KeyWindow<'a>> {
    let mut windows: Vec<KeyWindow<'a>> = Vec::new();
    for piece in evidence {
        let mut of_this_day = piece.windows.iter().filter(|window| window.day() == day).peekable();
        if of_this_day.peek().is_some() {
            let key = piece.key.hash();
            windows.extend(of_this_day.map(|window| (key, window)));
        }
    }
    windows.sort_by(by_time_key_and_content);
    windows
}

fn by_time_key_and_content(one: &KeyWindow<'_>, other: &KeyWindow<'_>) -> Ordering {
    let head = |(key, window): &KeyWindow<'_>| {
        (window.first_heard_at, *key, window.id, window.report_type, window.infectiousness)
    };
    head(one).cmp(&head(other)).then_with(|| shape(one.1).cmp(&shape(other.1)))
}

/// A window's scan instances as numbers.
pub(super) fn shape(window: &ExposureWindow) -> Vec<(u16, u16, u32)> {
    window
        .scan_instances
        .iter()
        .map(|scan| {
            (
                scan.minimum_attenuation.db(),
                scan.typical_attenuation.db(),
                scan.seconds_since_last_scan,
            )
        })
        .collect()
}

/// Why a window cannot count whatever its weights are.
pub(super) fn drop_reason(
    window: &ExposureWindow,
    today: UtcDay,
    days_limit: Option<u32>,
) -> Option<DropReason> {
    let days = today.days_since(window.day());
    if window.report_type == ReportType::Revoked {
        Some(DropReason::Revoked)
    } else if window.infectiousness == Infectiousness::None {
        Some(DropReason::NotInfectious)
    } else if days_limit.is_some_and(|limit| days > i64::from(limit)) {
        Some(DropReason::TooLongAgo)
    } else {
        None
    }
}

/// The contribution of a window before anything is calculated: nothing, kept.
pub(super) fn contribution((key, window): &KeyWindow<'_>) -> Contribution {
    Contribution {
        key: *key,
        first_heard_at: window.first_heard_at,
        window: Some(window.id),
        seconds: window.seconds(),
        report_type: Some(window.report_type),
        infectiousness: Some(window.infectiousness),
        buckets: Vec::new(),
        factors: Vec::new(),
        score: 0.0,
        level: None,
        verdict: Verdict::Kept,
    }
}

/// The day's assessment: High exactly if there are conditions and all of them hold.
pub(super) fn conclude(
    profile: ProfileName,
    day: UtcDay,
    score: f64,
    summary: Option<DailySummary>,
    conditions: Vec<ConditionTerm>,
    contributions: Vec<Contribution>,
) -> Assessment {
    let high = !conditions.is_empty() && conditions.iter().all(|condition| condition.holds);
    let level = if high { RiskLevel::High } else { RiskLevel::Low };
    Assessment { profile, day, level, score, summary, conditions, contributions }
}

/// The sum of what counts.
pub(super) fn sum_of_kept(contributions: &[Contribution]) -> f64 {
    contributions
        .iter()
        .filter(|one| one.verdict == Verdict::Kept)
        .fold(0.0, |sum, one| sum + one.score)
}

/// High if something counts and the score reaches the threshold.
pub(super) fn conclude_by_threshold(
    profile: ProfileName,
    day: UtcDay,
    score: f64,
    (quantity, threshold): (Quantity, f64),
    contributions: Vec<Contribution>,
) -> Assessment {
    let condition = ConditionTerm {
        quantity,
        value: score,
        relation: Relation::AtLeast,
        threshold,
        holds: score >= threshold,
    };
    let counts = contributions.iter().any(|one| one.verdict == Verdict::Kept);
    let conditions = if counts { vec![condition] } else { Vec::new() };
    conclude(profile, day, score, None, conditions, contributions)
}

/// `count` as a number to calculate with. Sums of seconds lie far below 2^53, above which the
/// conversion would round; it never fails.
#[expect(clippy::cast_precision_loss, reason = "rounds above 2^53 and cannot fail")]
pub(super) const fn number(count: u64) -> f64 {
    count as f64
}
