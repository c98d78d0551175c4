//! Area under the curve and F1.

use std::collections::BTreeSet;

use serde::Serialize;

/// Something that was near or not, and what a rule said.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Case {
    pub(super) recording: usize,
    pub(super) near: bool,
    pub(super) score: f64,
    /// Whether the rule as shipped says near; `None` if it has no threshold.
    pub(super) verdict: Option<bool>,
}

/// How well scores and verdicts agree with the truth.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Figures {
    /// How many cases there are.
    pub cases: usize,
    /// How many of them were near.
    pub near: usize,
    /// Area under the receiver operating characteristic; `None` unless there is near and far.
    pub auc: Option<f64>,
    /// The same in each recording alone.
    pub auc_by_recording: Vec<Option<f64>>,
    /// The greatest F1 of any threshold.
    pub best_f1: Option<f64>,
    /// F1 with the threshold that is best on the other recordings; `None` with one recording.
    pub cross_validated_f1: Option<f64>,
    /// F1 of the rule as it ships; `None` if it has no threshold.
    pub shipped_f1: Option<f64>,
}

impl Figures {
    pub(super) fn of(cases: &[Case]) -> Self {
        let recordings: BTreeSet<_> = cases.iter().map(|case| case.recording).collect();
        let of = |recording: usize| -> Vec<Case> {
            cases.iter().filter(|case| case.recording == recording).copied().collect()
        };
        let verdicts: Vec<_> =
            cases.iter().filter_map(|case| Some((case.verdict?, case.near))).collect();
        Self {
            cases: cases.len(),
            near: cases.iter().filter(|case| case.near).count(),
            auc: auc(cases),
            auc_by_recording: recordings.iter().map(|one| auc(&of(*one))).collect(),
            best_f1: best(cases).map(|(f1, _)| f1),
            cross_validated_f1: cross_validated(cases, &recordings),
            shipped_f1: (!verdicts.is_empty()).then(|| f1(&verdicts)).flatten(),
        }
    }
}

/// The probability that a near case scores more than a far one; ties count half.
#[expect(clippy::cast_precision_loss, reason = "far fewer than 2^53")]
fn auc(cases: &[Case]) -> Option<f64> {
    let mut sorted: Vec<_> = cases.iter().collect();
    sorted.sort_by(|one, other| one.score.total_cmp(&other.score));
    let (mut far_below, mut sum) = (0_usize, 0.0);
    for ties in sorted.chunk_by(|one, other| one.score.total_cmp(&other.score).is_eq()) {
        let near = ties.iter().filter(|case| case.near).count();
        let far = ties.len() - near;
        sum += near as f64 * (far_below as f64 + far as f64 / 2.0);
        far_below += far;
    }
    let pairs = (cases.len() - far_below) as f64 * far_below as f64;
    (pairs > 0.0).then(|| sum / pairs)
}

/// The best F1 of "near from this score on", and the score.
#[expect(clippy::cast_precision_loss, reason = "far fewer than 2^53")]
fn best(cases: &[Case]) -> Option<(f64, f64)> {
    let all = cases.iter().filter(|case| case.near).count();
    let mut sorted: Vec<_> = cases.iter().collect();
    sorted.sort_by(|one, other| other.score.total_cmp(&one.score));
    let (mut right, mut said) = (0_usize, 0_usize);
    let mut best: Option<(f64, f64)> = None;
    for ties in sorted.chunk_by(|one, other| one.score.total_cmp(&other.score).is_eq()) {
        said += ties.len();
        right += ties.iter().filter(|case| case.near).count();
        let f1 = 2.0 * right as f64 / (said + all) as f64;
        let score = ties.first()?.score;
        if best.is_none_or(|(so_far, _)| f1 > so_far) {
            best = Some((f1, score));
        }
    }
    best.filter(|_| all > 0)
}

fn cross_validated(cases: &[Case], recordings: &BTreeSet<usize>) -> Option<f64> {
    let mut verdicts = Vec::new();
    for held_out in recordings {
        let others: Vec<_> =
            cases.iter().filter(|case| case.recording != *held_out).copied().collect();
        let (_, threshold) = best(&others)?;
        let of_this = cases.iter().filter(|case| case.recording == *held_out);
        verdicts.extend(of_this.map(|case| (case.score >= threshold, case.near)));
    }
    f1(&verdicts)
}

/// F1 of verdicts beside the truth; `None` if nothing was near.
#[expect(clippy::cast_precision_loss, reason = "far fewer than 2^53")]
fn f1(verdicts: &[(bool, bool)]) -> Option<f64> {
    let right = verdicts.iter().filter(|(said, near)| *said && *near).count();
    let said = verdicts.iter().filter(|(said, _)| *said).count();
    let near = verdicts.iter().filter(|(_, near)| *near).count();
    (near > 0).then(|| 2.0 * right as f64 / (said + near) as f64)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cases(of: &[(usize, bool, f64)]) -> Vec<Case> {
        let case = |&(recording, near, score)| Case { recording, near, score, verdict: None };
        of.iter().map(case).collect()
    }

    #[test]
    fn order_is_all_that_counts() {
        let perfect = cases(&[(0, true, 9.0), (0, true, 5.0), (0, false, 1.0)]);
        let found = Figures::of(&perfect);
        assert_eq!((found.auc, found.best_f1), (Some(1.0), Some(1.0)));
        assert_eq!(found.shipped_f1, None);
        let blind = cases(&[(0, true, 1.0), (0, false, 1.0), (0, false, 1.0)]);
        let found = Figures::of(&blind);
        assert_eq!((found.auc, found.best_f1), (Some(0.5), Some(0.5)));
        assert_eq!(Figures::of(&cases(&[(0, false, 1.0)])).auc, None);
    }

    #[test]
    fn a_threshold_of_the_other_recordings_can_fail_here() {
        let shifted = cases(&[(0, true, 2.0), (0, false, 1.0), (1, true, 20.0), (1, false, 10.0)]);
        let found = Figures::of(&shifted);
        assert_eq!(found.auc_by_recording, [Some(1.0), Some(1.0)]);
        // From recording 1 on 0 nothing is near; from 0 on 1 everything is.
        assert_eq!(found.cross_validated_f1, Some(0.5));
    }
}
