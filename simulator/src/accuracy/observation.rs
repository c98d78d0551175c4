//! Scan instances of a replay with the true distance.

use chikaku_core::exposure::{ExposureWindow, MeasuredSighting, ScanInstance, WindowRules};
use chikaku_core::time::Timestamp;

use crate::fidelity::{Tracks, clock_ahead_s};
use crate::replay::{PairWindows, Replay};

/// Seconds of a scan, over which the true distance is averaged.
const SCAN_SECONDS: i64 = 4;

/// One scan instance of one pair, and how far apart its people truly were.
#[derive(Clone, Debug, PartialEq)]
pub struct Observation {
    /// Number of the recording, in the order of the tracks.
    pub recording: usize,
    /// Number of the phone that heard.
    pub receiver: u32,
    /// Number of the phone that was heard.
    pub transmitter: u32,
    /// When, by the receiver's clock.
    pub heard_at: Timestamp,
    /// Number of the window among the pair's.
    pub window: usize,
    /// Number of the instance in its window.
    pub number: usize,
    /// What the engine made of it.
    pub instance: ScanInstance,
    /// What it was made of.
    pub sightings: Vec<MeasuredSighting>,
    /// Metres between the two people during the scan.
    pub distance_m: f64,
}

/// Every scan instance during which both positions are known.
#[must_use]
pub fn observations(replay: &Replay, tracks: &[Tracks]) -> Vec<Observation> {
    let of_pair = |pair| of_pair(pair, tracks);
    replay.pairs.iter().flat_map(of_pair).collect()
}

fn of_pair(pair: &PairWindows, tracks: &[Tracks]) -> Vec<Observation> {
    let mut found = Vec::new();
    for (window, exposure) in pair.windows.iter().enumerate() {
        let next = pair.windows.get(window + 1).map(|next| next.first_heard_at);
        let runs = instances(exposure, next, &pair.sightings);
        for (number, (instance, run)) in exposure.scan_instances.iter().zip(runs).enumerate() {
            let Some(first) = run.first() else { continue };
            let Some((recording, distance_m)) = truth(pair, first.heard_at, tracks) else {
                continue;
            };
            found.push(Observation {
                recording,
                receiver: pair.receiver,
                transmitter: pair.transmitter,
                heard_at: first.heard_at,
                window,
                number,
                instance: *instance,
                sightings: run,
                distance_m,
            });
        }
    }
    found
}

/// The sightings of each scan instance of a window.
fn instances(
    window: &ExposureWindow,
    next: Option<Timestamp>,
    sightings: &[MeasuredSighting],
) -> Vec<Vec<MeasuredSighting>> {
    let gap = i64::from(WindowRules::default().scan_instance_gap_seconds);
    let mut runs: Vec<Vec<MeasuredSighting>> = Vec::new();
    let of_window = sightings.iter().filter(|sighting| {
        sighting.heard_at >= window.first_heard_at
            && next.is_none_or(|next| sighting.heard_at < next)
    });
    for sighting in of_window {
        match runs.last_mut() {
            Some(run)
                if run
                    .last()
                    .is_some_and(|last| sighting.heard_at.seconds_since(last.heard_at) <= gap) =>
            {
                run.push(*sighting);
            }
            _ => runs.push(vec![*sighting]),
        }
    }
    runs
}

/// In which recording the instant lies, and the mean distance during the scan.
fn truth(pair: &PairWindows, heard_at: Timestamp, tracks: &[Tracks]) -> Option<(usize, f64)> {
    #[expect(clippy::cast_possible_truncation, reason = "a few seconds")]
    let ahead = libm::round(clock_ahead_s(pair.receiver)) as i64;
    let second = heard_at.unix_seconds() - ahead;
    tracks.iter().enumerate().find_map(|(recording, track)| {
        let at = |second| track.distance_m(second, pair.receiver, pair.transmitter);
        let known: Vec<f64> = (second..second + SCAN_SECONDS).filter_map(at).collect();
        #[expect(clippy::cast_precision_loss, reason = "at most four")]
        let mean = known.iter().sum::<f64>() / known.len() as f64;
        (!known.is_empty()).then_some((recording, mean))
    })
}
