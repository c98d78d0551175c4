//! Sightings, as compact as they get without losing one of them.
//!
//! What one scan heard shares its time and the end of the scan before; all sightings of one
//! advertisement share its twenty bytes. A sighting adds a time difference and a signal strength,
//! two bytes as a rule.

use core::fmt;
use std::collections::BTreeMap;

use chikaku_core::advertisement::{Advertisement, SERVICE_DATA_LENGTH};
use chikaku_core::clock::{EpochId, RecordStamp};
use chikaku_core::encounter_log::Horizon;
use chikaku_core::sighting::Sighting;
use chikaku_core::signal::RssiDbm;
use chikaku_core::time::{Timestamp, UtcDay};
use serde::{Deserialize, Serialize};

use super::timestamp;
use crate::codec::{self, Undecodable};

/// Signal strength of a sighting that has none: HCI's own value for it.
const NO_RSSI: i8 = 127;
/// Bytes of a chunk, such that with its seal and the database's bookkeeping it fills one page of
/// 4096.
const CHUNK: usize = 4_030;

/// Sightings of one day that share the end of the scan before and, if they are stamped, their
/// stamp at [`ScanGroup::started`]: elapsed seconds grow with the time of hearing.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct ScanGroup {
    /// The stamp of a sighting at `started`.
    stamp: Option<GroupStamp>,
    /// The earliest sighting.
    started: u64,
    /// Seconds from the end of the scan before to `started`.
    since_previous: Option<i64>,
    heard: Vec<Heard>,
}

#[derive(Clone, Copy, Serialize, Deserialize)]
struct GroupStamp {
    sequence: u64,
    epoch: EpochId,
    elapsed_seconds: u64,
}

impl GroupStamp {
    /// Elapsed seconds of what was heard so many seconds after `started`. Counted round the end of
    /// the numbers, so that any stamp comes back as it was.
    const fn elapsed_after(&self, seconds: u32) -> u64 {
        self.elapsed_seconds.wrapping_add(seconds as u64)
    }
}

/// From when to when the sightings of a day reach, so that a day can be found to be forgotten
/// without being read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Span {
    /// Least and greatest elapsed seconds of those that are stamped.
    stamped: Option<(u64, u64)>,
    /// First and last Unix second of those that are not.
    unstamped: Option<(i64, i64)>,
}

impl Span {
    pub(crate) fn and(self, other: Self) -> Self {
        Self {
            stamped: wider(self.stamped, other.stamped),
            unstamped: wider(self.unstamped, other.unstamped),
        }
    }

    /// Whether all of it is forgotten.
    pub(crate) fn is_beyond(&self, horizon: &Horizon) -> bool {
        self.stamped.is_none_or(|(_, last)| last < horizon.elapsed_seconds)
            && self.unstamped.is_none_or(|(_, last)| last < horizon.before.unix_seconds())
    }

    /// Whether some of it is forgotten.
    pub(crate) fn is_touched_by(&self, horizon: &Horizon) -> bool {
        self.stamped.is_some_and(|(first, _)| first < horizon.elapsed_seconds)
            || self.unstamped.is_some_and(|(first, _)| first < horizon.before.unix_seconds())
    }
}

fn wider<T: Ord + Copy>(one: Option<(T, T)>, other: Option<(T, T)>) -> Option<(T, T)> {
    match (one, other) {
        (Some((first, last)), Some((earlier, later))) => {
            Some((first.min(earlier), last.max(later)))
        }
        (one, other) => one.or(other),
    }
}

#[derive(Clone, Serialize, Deserialize)]
struct Heard {
    service_data: [u8; SERVICE_DATA_LENGTH],
    /// Seconds after `started`, and dBm.
    at: Vec<(u32, i8)>,
}

impl fmt::Debug for ScanGroup {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ScanGroup({} sightings)", self.len())
    }
}

impl ScanGroup {
    pub(crate) fn of(sightings: &[Sighting]) -> Vec<(UtcDay, Self)> {
        let mut groups: BTreeMap<_, Vec<&Sighting>> = BTreeMap::new();
        for sighting in sightings {
            let heard_at = sighting.heard_at.unix_seconds().cast_unsigned();
            let stamp = sighting.stamp.map(|stamp| {
                (stamp.sequence, stamp.epoch, stamp.elapsed_seconds.wrapping_sub(heard_at))
            });
            let shared = (sighting.heard_at.day(), sighting.previous_scan_ended, stamp);
            groups.entry(shared).or_default().push(sighting);
        }
        let group =
            |((day, previous, _), sightings): ((_, Option<Timestamp>, _), Vec<&Sighting>)| {
                let first = sightings.iter().min_by_key(|sighting| sighting.heard_at)?;
                let started = first.heard_at;
                let stamp = first.stamp.map(|RecordStamp { sequence, epoch, elapsed_seconds }| {
                    GroupStamp { sequence, epoch, elapsed_seconds }
                });
                let mut heard: BTreeMap<_, Vec<_>> = BTreeMap::new();
                for sighting in sightings {
                    let after = u32::try_from(sighting.heard_at.seconds_since(started)).ok()?;
                    let rssi = sighting.rssi.map_or(NO_RSSI, RssiDbm::dbm);
                    let service_data = sighting.advertisement.to_service_data();
                    heard.entry(service_data).or_default().push((after, rssi));
                }
                let heard = heard.into_iter().map(|(service_data, at)| Heard { service_data, at });
                let group = Self {
                    stamp,
                    started: u64::try_from(started.unix_seconds()).ok()?,
                    since_previous: previous.map(|previous| started.seconds_since(previous)),
                    heard: heard.collect(),
                };
                Some((day, group))
            };
        groups.into_iter().filter_map(group).collect()
    }

    /// The day it was heard on; `None` if its time is impossible.
    pub(crate) fn day(&self) -> Option<UtcDay> {
        let started = i64::try_from(self.started).ok()?;
        timestamp(started).ok().map(Timestamp::day)
    }

    /// How many sightings it holds.
    pub(crate) fn len(&self) -> u64 {
        self.heard.iter().map(|heard| heard.at.len() as u64).sum()
    }

    /// Shows `visit` every sighting.
    pub(crate) fn visit(&self, visit: &mut dyn FnMut(&Sighting)) -> Result<(), Undecodable> {
        let started = timestamp(i64::try_from(self.started).map_err(|_| Undecodable)?)?;
        let previous_scan_ended = match self.since_previous {
            None => None,
            Some(seconds) => {
                let ended = started.unix_seconds().checked_sub(seconds).ok_or(Undecodable)?;
                Some(timestamp(ended)?)
            }
        };
        for heard in &self.heard {
            let advertisement =
                Advertisement::from_service_data(&heard.service_data).map_err(|_| Undecodable)?;
            for (after, rssi) in &heard.at {
                let seconds = started.unix_seconds().checked_add(i64::from(*after));
                let heard_at = timestamp(seconds.ok_or(Undecodable)?)?;
                let rssi = match *rssi {
                    NO_RSSI => None,
                    dbm => Some(RssiDbm::new(i16::from(dbm)).map_err(|_| Undecodable)?),
                };
                let stamp = self.stamp.map(|stamp| RecordStamp {
                    sequence: stamp.sequence,
                    epoch: stamp.epoch,
                    elapsed_seconds: stamp.elapsed_after(*after),
                });
                visit(&Sighting { heard_at, previous_scan_ended, rssi, advertisement, stamp });
            }
        }
        Ok(())
    }

    /// When what was heard so many seconds after `started` was heard.
    fn unix_seconds(&self, after: u32) -> i64 {
        i64::try_from(self.started.saturating_add(u64::from(after))).unwrap_or(i64::MAX)
    }

    /// From when to when it reaches.
    pub(crate) fn span(&self) -> Span {
        let afters = || self.heard.iter().flat_map(|heard| &heard.at).map(|(after, _)| *after);
        let reach = |after| match self.stamp {
            Some(stamp) => {
                let elapsed = stamp.elapsed_after(after);
                Span { stamped: Some((elapsed, elapsed)), unstamped: None }
            }
            None => {
                let heard_at = self.unix_seconds(after);
                Span { stamped: None, unstamped: Some((heard_at, heard_at)) }
            }
        };
        afters().map(reach).fold(Span::default(), Span::and)
    }

    /// Drops what is beyond `horizon`, as [`Horizon::hides`] has it; `false` if nothing is left.
    pub(crate) fn forget(&mut self, horizon: &Horizon) -> bool {
        let Self { stamp, started, .. } = *self;
        let kept = |after: u32| match stamp {
            Some(stamp) => stamp.elapsed_after(after) >= horizon.elapsed_seconds,
            None => {
                let heard_at = started.saturating_add(u64::from(after));
                i64::try_from(heard_at).is_ok_and(|it| it >= horizon.before.unix_seconds())
            }
        };
        self.heard.retain_mut(|heard| {
            heard.at.retain(|(after, _)| kept(*after));
            !heard.at.is_empty()
        });
        !self.heard.is_empty()
    }

    const fn empty_like(&self) -> Self {
        let Self { stamp, started, since_previous, .. } = *self;
        Self { stamp, started, since_previous, heard: Vec::new() }
    }

    /// Bytes of the stored form without what was heard, at most.
    fn header_size(&self) -> usize {
        let since_previous =
            self.since_previous.map_or(0, |it| number_size(it.unsigned_abs().saturating_mul(2)));
        let stamp = self.stamp.map_or(0, |stamp| {
            number_size(stamp.sequence)
                + number_size(stamp.epoch.get())
                + number_size(stamp.elapsed_seconds)
        });
        1 + stamp + number_size(self.started) + 1 + since_previous + 2
    }
}

impl Heard {
    /// Bytes of the stored form.
    fn size(&self) -> usize {
        let at = self.at.iter().map(|(after, _)| number_size(u64::from(*after)) + 1);
        SERVICE_DATA_LENGTH + number_size(self.at.len() as u64) + at.sum::<usize>()
    }
}

/// Bytes of a number as postcard writes it: seven bits each.
fn number_size(number: u64) -> usize {
    (u64::BITS - number.leading_zeros()).max(1).div_ceil(7) as usize
}

/// Packs groups of one day into encoded chunks that each fill a page.
pub(crate) fn chunks(groups: &[&ScanGroup]) -> Vec<Vec<u8>> {
    let mut chunks = Vec::new();
    let mut open: Vec<ScanGroup> = Vec::new();
    let mut size = 0;
    for group in groups {
        let mut part = group.empty_like();
        size += group.header_size();
        for heard in &group.heard {
            if size + heard.size() > CHUNK && !(open.is_empty() && part.heard.is_empty()) {
                let full = core::mem::replace(&mut part, group.empty_like());
                open.extend(Some(full).filter(|full| !full.heard.is_empty()));
                chunks.push(codec::encode(&core::mem::take(&mut open)));
                size = group.header_size();
            }
            size += heard.size();
            part.heard.push(heard.clone());
        }
        open.push(part);
    }
    if !open.is_empty() {
        chunks.push(codec::encode(&open));
    }
    chunks
}
