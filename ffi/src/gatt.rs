//! Whom to read over GATT, and how often.
//!
//! A phone that cannot put service data on the air answers a read with the same twenty bytes. Each
//! read is a connection, so a peer is read once in each ten-minute interval, with which its payload
//! changes, and an interval has a budget. Nothing outlives the interval, and a peer's handle (an
//! address, or iOS's identifier) is kept only as a hash with a secret that goes with it.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use getrandom::SysRng;
use rand_core::TryRng;
use sha2::{Digest, Sha256};

use crate::ExposureNotificationError;
use crate::number;

/// How long a peer that failed is left alone the first time, in seconds; each time twice as long.
const FIRST_PAUSE_SECONDS: u32 = 30;
/// Peers remembered in one interval; further ones are not read.
const PEERS: usize = 1_024;

/// What to do about a peer that was just seen.
#[derive(Clone, Debug, PartialEq, Eq, uniffi::Enum)]
pub enum GattDecision {
    /// Connect, read, disconnect, and report with `onRead`.
    Read,
    /// It was read in this interval: this sighting is of the same payload.
    Known {
        /// The twenty bytes.
        service_data: Vec<u8>,
    },
    /// Leave it alone: a read is under way or failed just now, or the budget is used up.
    Wait,
}

/// Decides about reads. Thread-safe, and independent of the client.
#[derive(Debug, uniffi::Object)]
pub struct GattReadPlanner {
    reads_per_interval: u32,
    interval: Mutex<Interval>,
}

#[derive(Default)]
struct Interval {
    number: Option<u32>,
    secret: [u8; 32],
    reads: u32,
    peers: HashMap<[u8; 32], Peer>,
}

impl core::fmt::Debug for Interval {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        write!(f, "Interval({} reads)", self.reads)
    }
}

#[derive(Default)]
struct Peer {
    payload: Option<Vec<u8>>,
    failures: u32,
    not_before: i64,
}

#[uniffi::export]
impl GattReadPlanner {
    /// At most so many connections in ten minutes.
    ///
    /// # Errors
    /// [`ExposureNotificationError::InvalidArgument`] for a negative number.
    #[uniffi::constructor(default(reads_per_interval = 60))]
    pub fn new(reads_per_interval: i32) -> Result<Self, ExposureNotificationError> {
        let reads_per_interval = number::count("reads per interval", reads_per_interval)?;
        Ok(Self { reads_per_interval, interval: Mutex::default() })
    }

    /// A peer with the service was seen. `Read` counts as a read.
    ///
    /// # Errors
    /// [`ExposureNotificationError::InvalidArgument`] for a time that is none, `Internal` without
    /// random numbers.
    pub fn on_seen(
        &self,
        peer: String,
        unix_seconds: i64,
    ) -> Result<GattDecision, ExposureNotificationError> {
        let mut interval = self.interval_at(unix_seconds)?;
        let name = interval.name(&peer);
        let is_new = !interval.peers.contains_key(&name);
        let exhausted = interval.reads >= self.reads_per_interval;
        if is_new && (exhausted || interval.peers.len() >= PEERS) {
            return Ok(GattDecision::Wait);
        }
        let known = interval.peers.entry(name).or_default();
        if let Some(service_data) = &known.payload {
            return Ok(GattDecision::Known { service_data: service_data.clone() });
        }
        if exhausted || unix_seconds < known.not_before {
            return Ok(GattDecision::Wait);
        }
        known.not_before = i64::MAX;
        interval.reads += 1;
        Ok(GattDecision::Read)
    }

    /// A read has ended; `None`: it failed.
    ///
    /// # Errors
    /// As `on_seen`.
    pub fn on_read(
        &self,
        peer: String,
        service_data: Option<Vec<u8>>,
        unix_seconds: i64,
    ) -> Result<(), ExposureNotificationError> {
        let mut interval = self.interval_at(unix_seconds)?;
        let name = interval.name(&peer);
        // A read that was begun in the interval before says nothing about this one.
        let Some(known) = interval.peers.get_mut(&name) else { return Ok(()) };
        known.payload = service_data.filter(|data| data.len() == 20);
        if known.payload.is_none() {
            let doublings = known.failures.min(8);
            let pause = i64::from(FIRST_PAUSE_SECONDS) << doublings;
            known.failures = known.failures.saturating_add(1);
            known.not_before = unix_seconds.saturating_add(pause);
        }
        Ok(())
    }
}

impl GattReadPlanner {
    /// The interval of this time; a new one forgets everything of the one before.
    fn interval_at(
        &self,
        unix_seconds: i64,
    ) -> Result<std::sync::MutexGuard<'_, Interval>, ExposureNotificationError> {
        let number = number::timestamp("time", unix_seconds)?.interval().get();
        let mut interval = self.interval.lock().unwrap_or_else(PoisonError::into_inner);
        if interval.number != Some(number) {
            *interval = Interval { number: Some(number), ..Interval::default() };
            SysRng
                .try_fill_bytes(&mut interval.secret)
                .map_err(|_| ExposureNotificationError::Internal)?;
        }
        Ok(interval)
    }
}

impl Interval {
    fn name(&self, peer: &str) -> [u8; 32] {
        Sha256::new().chain_update(self.secret).chain_update(peer).finalize().into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: i64 = 1_775_433_600;

    #[test]
    fn a_peer_is_read_once_in_each_interval() {
        let planner = GattReadPlanner::new(60).unwrap();
        let seen = |second| planner.on_seen("a".to_owned(), NOW + second).unwrap();
        assert_eq!(seen(0), GattDecision::Read);
        assert_eq!(seen(1), GattDecision::Wait, "the read is under way");
        planner.on_read("a".to_owned(), Some(vec![7; 20]), NOW + 2).unwrap();
        assert_eq!(seen(3), GattDecision::Known { service_data: vec![7; 20] });
        assert_eq!(seen(599), GattDecision::Known { service_data: vec![7; 20] });
        assert_eq!(seen(600), GattDecision::Read);
        // The answer to a read of the interval before comes too late.
        assert_eq!(seen(1_200), GattDecision::Read);
        planner.on_read("b".to_owned(), Some(vec![7; 20]), NOW + 1_200).unwrap();
        assert_eq!(planner.on_seen("b".to_owned(), NOW + 1_201).unwrap(), GattDecision::Read);
    }

    #[test]
    fn a_failing_peer_is_left_alone_longer_each_time() {
        let planner = GattReadPlanner::new(60).unwrap();
        let mut reads = Vec::new();
        for second in 0..600 {
            if planner.on_seen("a".to_owned(), NOW + second).unwrap() == GattDecision::Read {
                reads.push(second);
                let answer = (second % 2 == 0).then(|| vec![7; 19]);
                planner.on_read("a".to_owned(), answer, NOW + second).unwrap();
            }
        }
        assert_eq!(reads, [0, 30, 90, 210, 450]);
    }

    #[test]
    fn the_budget_of_an_interval_is_not_exceeded_by_any_crowd() {
        let planner = GattReadPlanner::new(5).unwrap();
        let read = |second: i64| {
            let decisions = (0..2_000)
                .map(|peer| planner.on_seen(format!("{second} {peer}"), NOW + second).unwrap());
            decisions.filter(|decision| *decision == GattDecision::Read).count()
        };
        assert_eq!(read(0), 5);
        assert_eq!(read(1), 0);
        assert_eq!(read(600), 5);
        assert!(GattReadPlanner::new(-1).is_err());
        assert!(planner.on_seen("a".to_owned(), -1).is_err());
    }
}
