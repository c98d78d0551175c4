//! How well each rule tells near from far on real phones: scans of a replay beside the distances
//! that cameras measured.
//!
//! A rule is asked about each scan what it would say to fifteen minutes of scans like this one:
//! its score orders the scans, and High is its verdict. A pair's score is the mean over its scans,
//! weighted by their seconds; its verdict is near if at least half of the seconds are. A pair that
//! was never heard counts too, with the least score. The truth of a pair is that its people were
//! nearer than the limit for at least half of the seconds in which both were seen.

mod figures;
mod observation;
mod rule;

use std::collections::BTreeMap;

use serde::Serialize;

use crate::fidelity::Tracks;
use crate::replay::Replay;
use figures::Case;
pub use figures::Figures;
pub use observation::{Observation, observations};
pub use rule::Rule;

/// The limits of nearness that are judged, in metres.
pub const LIMITS_M: [f64; 2] = [1.5, 2.0];
/// Two people who were seen together for fewer seconds are no pair.
const LEAST_SECONDS_SEEN: usize = 60;

/// What is told near from far.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Per {
    /// Each scan instance.
    ScanInstance,
    /// Each pair of receiver and transmitter in a recording.
    Pair,
}

/// How well one rule tells near from far.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Row {
    /// The rule.
    pub rule: String,
    /// Of what.
    pub per: Per,
    /// Nearer than so many metres is near.
    pub limit_m: f64,
    /// How many there are, and how well it does.
    #[serde(flatten)]
    pub figures: Figures,
}

/// Every rule, per scan instance and per pair, at 1.5 m and 2 m.
#[must_use]
pub fn judge(replay: &Replay, tracks: &[Tracks]) -> Vec<Row> {
    let observed = observations(replay, tracks);
    let shares: Vec<Shares> =
        LIMITS_M.iter().map(|limit| near_shares(replay, tracks, *limit)).collect();
    let corrections = rule::corrections(replay);
    let mut rows = Vec::new();
    for rule in Rule::all() {
        let judged: Vec<_> = observed.iter().map(|one| rule.judge(one, &corrections)).collect();
        for (limit_m, shares) in LIMITS_M.into_iter().zip(&shares) {
            let scans: Vec<_> = observed
                .iter()
                .zip(&judged)
                .map(|(one, (score, verdict))| Case {
                    recording: one.recording,
                    near: one.distance_m < limit_m,
                    score: *score,
                    verdict: *verdict,
                })
                .collect();
            let pairs = pairs(&observed, &judged, shares);
            for (per, cases) in [(Per::ScanInstance, scans), (Per::Pair, pairs)] {
                let figures = Figures::of(&cases);
                rows.push(Row { rule: rule.name().to_owned(), per, limit_m, figures });
            }
        }
    }
    rows
}

/// By recording, receiver and transmitter: the share of seconds in which they were near.
type Shares = BTreeMap<(usize, u32, u32), f64>;

#[expect(clippy::cast_precision_loss, reason = "a few thousand seconds")]
fn near_shares(replay: &Replay, tracks: &[Tracks], limit_m: f64) -> Shares {
    let mut shares = Shares::new();
    for (recording, track) in tracks.iter().enumerate() {
        let Some(span) = track.span() else { continue };
        for pair in &replay.pairs {
            let at = |second| track.distance_m(second, pair.receiver, pair.transmitter);
            let distances: Vec<f64> = span.clone().filter_map(at).collect();
            if distances.len() >= LEAST_SECONDS_SEEN {
                let near = distances.iter().filter(|distance| **distance < limit_m).count();
                let share = near as f64 / distances.len() as f64;
                shares.insert((recording, pair.receiver, pair.transmitter), share);
            }
        }
    }
    shares
}

fn pairs(observed: &[Observation], judged: &[(f64, Option<bool>)], shares: &Shares) -> Vec<Case> {
    /// Seconds, of them near by the verdict, and seconds times score.
    #[derive(Default)]
    struct Sum {
        seconds: f64,
        near: Option<f64>,
        scored: f64,
    }
    let mut sums: BTreeMap<(usize, u32, u32), Sum> = BTreeMap::new();
    for (one, (score, verdict)) in observed.iter().zip(judged) {
        // A scan whose minutes round to nothing was heard all the same.
        let seconds = f64::from(one.instance.seconds_since_last_scan.max(1));
        let sum = sums.entry((one.recording, one.receiver, one.transmitter)).or_default();
        sum.seconds += seconds;
        sum.scored += seconds * score;
        if let Some(verdict) = verdict {
            *sum.near.get_or_insert(0.0) += if *verdict { seconds } else { 0.0 };
        }
    }
    let least = judged.iter().map(|(score, _)| *score).fold(0.0, f64::min);
    let has_verdicts = judged.iter().any(|(_, verdict)| verdict.is_some());
    let case = |(pair, share): (&(usize, u32, u32), &f64)| {
        let near = *share >= 0.5;
        let Some(sum) = sums.get(pair) else {
            let verdict = has_verdicts.then_some(false);
            return Case { recording: pair.0, near, score: least, verdict };
        };
        let verdict = sum.near.map(|near| 2.0 * near >= sum.seconds);
        Case { recording: pair.0, near, score: sum.scored / sum.seconds, verdict }
    };
    shares.iter().map(case).collect()
}
