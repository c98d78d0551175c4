//! Some phones in one place for some time, and how far apart they are at each instant.

use std::collections::BTreeMap;

use chikaku_core::time::Timestamp;

use crate::radio::Environment;

/// Near enough for a contact that somebody must be told of, in metres.
pub(crate) const NEAR_M: f64 = 2.0;
/// Steps in which the time that moving people are near each other is summed up.
const STEP_SECONDS: u32 = 20;

/// Some phones in one place for some time.
#[derive(Clone, Debug, PartialEq)]
pub struct Stay {
    /// Name in reports.
    pub place: String,
    /// Which radio environment the place is.
    pub environment: Environment,
    /// When it begins.
    pub from: Timestamp,
    /// When it is over.
    pub to: Timestamp,
    /// What stands between any two of them takes away, in dB.
    pub wall_db: f64,
    /// Position of each phone in metres at the beginning, by the phone's index.
    pub positions: BTreeMap<usize, [f64; 2]>,
    /// What becomes of the positions.
    pub motion: Motion,
}

/// How people in a place move.
#[derive(Clone, Debug, Default, PartialEq)]
#[non_exhaustive]
pub enum Motion {
    /// Not at all.
    #[default]
    Still,
    /// In straight lines between points.
    Tracks(BTreeMap<usize, Track>),
    /// Pairs that are together at times; everybody else keeps their place.
    Contacts {
        /// How far apart they are then.
        metres: f64,
        /// By the phones' indices, the lesser first: from when to when, in seconds since the
        /// stay's beginning, in order.
        pairs: BTreeMap<(usize, usize), Vec<[u32; 2]>>,
    },
}

/// Positions in metres by seconds since the stay's beginning, in order of time.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Track(pub Vec<(u32, [f64; 2])>);

impl Track {
    /// Where it is after so many seconds: before the first point there, behind the last there.
    #[must_use]
    pub fn at(&self, seconds: u32) -> Option<[f64; 2]> {
        let next = self.0.partition_point(|(at, _)| *at <= seconds);
        let after = self.0.get(next);
        let before = next.checked_sub(1).and_then(|place| self.0.get(place));
        match (before, after) {
            (Some(&(begun, [x, y])), Some(&(ends, [u, v]))) => {
                let share = f64::from(seconds - begun) / f64::from(ends - begun);
                Some([x + (u - x) * share, y + (v - y) * share])
            }
            (Some((_, position)), None) | (None, Some((_, position))) => Some(*position),
            (None, None) => None,
        }
    }
}

impl Stay {
    /// Metres between two phones at `instant`, or `None` if one of them is not there.
    #[must_use]
    pub fn distance_m(&self, one: usize, other: usize, instant: Timestamp) -> Option<f64> {
        let since = u32::try_from(instant.seconds_since(self.from)).unwrap_or(0);
        if let Motion::Contacts { metres, pairs } = &self.motion {
            let times = pairs.get(&(one.min(other), one.max(other)));
            if times.is_some_and(|times| is_within(times, since)) {
                return Some(*metres);
            }
        }
        Some(metres_between(self.position(one, since)?, self.position(other, since)?))
    }

    fn position(&self, phone: usize, since: u32) -> Option<[f64; 2]> {
        let first = self.positions.get(&phone)?;
        let moved = match &self.motion {
            Motion::Tracks(tracks) => tracks.get(&phone).and_then(|track| track.at(since)),
            Motion::Still | Motion::Contacts { .. } => None,
        };
        Some(moved.unwrap_or(*first))
    }

    /// How far apart two phones are, and for how many seconds, between two instants: of those who
    /// move, the time that they are within 2 m and their mean distance then, if there is any. Who is
    /// in contact at times is so long, unless their places are near each other anyway.
    #[must_use]
    pub fn together(
        &self,
        one: usize,
        other: usize,
        [from, to]: [Timestamp; 2],
    ) -> Option<(f64, u32)> {
        let all = u32::try_from(to.seconds_since(from)).unwrap_or(0);
        let apart = metres_between(*self.positions.get(&one)?, *self.positions.get(&other)?);
        let (mut near, mut sum) = (0_u32, 0.0);
        match &self.motion {
            Motion::Contacts { metres, pairs } if apart > NEAR_M => {
                let times = pairs.get(&(one.min(other), one.max(other)));
                let times = times.map(Vec::as_slice).unwrap_or_default();
                let seconds: u32 = times.iter().map(|[begun, ended]| ended - begun).sum();
                if seconds > 0 {
                    return Some((*metres, seconds));
                }
            }
            Motion::Still | Motion::Contacts { .. } => {}
            Motion::Tracks(_) => {
                for step in 0..all / STEP_SECONDS {
                    let instant = from.saturating_add(step * STEP_SECONDS);
                    let metres = self.distance_m(one, other, instant)?;
                    if metres <= NEAR_M {
                        near += 1;
                        sum += metres;
                    }
                }
            }
        }
        if near > 0 {
            return Some((sum / f64::from(near), near * STEP_SECONDS));
        }
        Some((apart, all))
    }

    /// Whether the stay is going on at `instant`.
    #[must_use]
    pub fn is_on(&self, instant: Timestamp) -> bool {
        self.from <= instant && instant < self.to
    }
}

fn metres_between([x, y]: [f64; 2], [u, v]: [f64; 2]) -> f64 {
    libm::sqrt((x - u) * (x - u) + (y - v) * (y - v))
}

fn is_within(times: &[[u32; 2]], since: u32) -> bool {
    let begun = times.partition_point(|[from, _]| *from <= since);
    begun.checked_sub(1).is_some_and(|last| times.get(last).is_some_and(|[_, to]| since < *to))
}
