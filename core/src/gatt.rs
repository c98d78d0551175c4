//! Whom to read over GATT, and how often.
//!
//! A peer that cannot broadcast service data answers a read of one characteristic with the same
//! twenty bytes. Each read is a connection, which costs both sides, so a peer is read once in each
//! ten-minute interval, with which its payload changes, and an interval has a budget. Whoever did
//! not answer comes after everybody else and is left alone longer each time. Nothing outlives the
//! interval, and a peer's name (an address, or what a platform gives instead) is kept only as a
//! hash with a secret that goes with the interval.

use core::fmt;
use std::cmp::Reverse;
use std::collections::BTreeMap;

use sha2::{Digest, Sha256};
use zeroize::Zeroizing;

use crate::advertisement::Advertisement;
use crate::signal::RssiDbm;
use crate::time::{IntervalNumber, Timestamp};

/// How long a host waits for the answer to a read, in seconds, connection included. Less than the
/// four seconds after which Linux gives up an attempt to connect by itself.
pub const READ_SECONDS: u32 = 3;
/// How long the reads after one scan may take together, in seconds. No read begins later.
pub const READING_SECONDS_PER_SCAN: u32 = 15;
/// Connections in ten minutes, unless a host says otherwise.
pub const READS_PER_INTERVAL: u32 = 60;
/// How long a peer that did not answer is left alone the first time, in seconds; each further time
/// twice as long.
const FIRST_PAUSE_SECONDS: u32 = 30;
/// Peers remembered in one interval; further ones are not read.
const PEERS: usize = 1_024;

type PeerHash = [u8; 32];

/// A peer with the service, as a scan has seen it.
#[derive(Clone, Copy)]
pub struct SeenPeer<'p> {
    /// Names it for as long as its address stays the same.
    pub name: &'p [u8],
    /// Signal strength; `None` if the controller did not measure one.
    pub rssi: Option<RssiDbm>,
}

impl fmt::Debug for SeenPeer<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SeenPeer").field("rssi", &self.rssi).finish_non_exhaustive()
    }
}

/// Decides about reads.
pub struct ReadPlanner {
    reads_per_interval: u32,
    interval: Option<IntervalNumber>,
    secret: Zeroizing<[u8; 32]>,
    reads: u32,
    peers: BTreeMap<PeerHash, Peer>,
}

#[derive(Default)]
struct Peer {
    payload: Option<Advertisement>,
    reading: bool,
    failures: u32,
    not_before: Option<Timestamp>,
}

impl fmt::Debug for ReadPlanner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ReadPlanner").field("reads", &self.reads).finish_non_exhaustive()
    }
}

impl ReadPlanner {
    /// At most so many connections in each interval. `secret` is fresh randomness.
    #[must_use]
    pub fn new(reads_per_interval: u32, secret: [u8; 32]) -> Self {
        let secret = Zeroizing::new(secret);
        Self { reads_per_interval, interval: None, secret, reads: 0, peers: BTreeMap::new() }
    }

    /// The payload of a peer that was read in the interval of `now`: seeing it again means that it
    /// sends the same.
    pub fn known(&mut self, peer: &[u8], now: Timestamp) -> Option<Advertisement> {
        self.enter(now);
        self.peers.get(&self.hash(peer))?.payload
    }

    /// Which of `seen` to read next, as its place; `None` if nobody is to be read now. Counts as a
    /// read, and has to be answered by [`ReadPlanner::answered`].
    ///
    /// First come those who have failed least, then the nearest.
    pub fn choose(&mut self, seen: &[SeenPeer<'_>], now: Timestamp) -> Option<usize> {
        self.enter(now);
        if self.reads >= self.reads_per_interval {
            return None;
        }
        let (_, place, hash) = seen
            .iter()
            .enumerate()
            .filter_map(|(place, peer)| {
                let hash = self.hash(peer.name);
                let failures = match self.peers.get(&hash) {
                    Some(known) if !known.may_be_read(now) => return None,
                    Some(known) => known.failures,
                    None if self.peers.len() >= PEERS => return None,
                    None => 0,
                };
                Some(((failures, Reverse(peer.rssi)), place, hash))
            })
            .min()?;
        self.peers.entry(hash).or_default().reading = true;
        self.reads = self.reads.saturating_add(1);
        Some(place)
    }

    /// A read has ended; `None`: the peer did not answer, or with something else.
    pub fn answered(&mut self, peer: &[u8], answer: Option<Advertisement>, now: Timestamp) {
        self.enter(now);
        let hash = self.hash(peer);
        // A read that was begun in the interval before says nothing about this one.
        let Some(known) = self.peers.get_mut(&hash).filter(|peer| peer.reading) else { return };
        known.reading = false;
        known.payload = answer;
        if answer.is_none() {
            let pause = FIRST_PAUSE_SECONDS << known.failures.min(8);
            known.failures = known.failures.saturating_add(1);
            known.not_before = Some(now.saturating_add(pause));
        }
    }

    /// A new interval forgets everything of the one before.
    fn enter(&mut self, now: Timestamp) {
        if self.interval != Some(now.interval()) {
            self.interval = Some(now.interval());
            let next = Sha256::digest(self.secret.as_slice()).into();
            self.secret = Zeroizing::new(next);
            self.reads = 0;
            self.peers.clear();
        }
    }

    fn hash(&self, peer: &[u8]) -> PeerHash {
        Sha256::new().chain_update(self.secret.as_slice()).chain_update(peer).finalize().into()
    }
}

impl Peer {
    fn may_be_read(&self, now: Timestamp) -> bool {
        let rests = self.not_before.is_some_and(|not_before| now < not_before);
        self.payload.is_none() && !self.reading && !rests
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MIDNIGHT: i64 = 1_775_433_600;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_unix_seconds(MIDNIGHT + second).unwrap()
    }

    fn payload(byte: u8) -> Advertisement {
        Advertisement::from_service_data(&[byte; 20]).unwrap()
    }

    fn seen(name: &[u8], dbm: i16) -> SeenPeer<'_> {
        SeenPeer { name, rssi: RssiDbm::new(dbm).ok() }
    }

    #[test]
    fn a_peer_is_read_once_in_each_interval() {
        let mut planner = ReadPlanner::new(60, [1; 32]);
        let peers = [seen(b"a", -60)];
        assert_eq!(planner.choose(&peers, at(0)), Some(0));
        assert_eq!(planner.choose(&peers, at(1)), None, "the read is under way");
        planner.answered(b"a", Some(payload(7)), at(2));
        for second in [2, 599] {
            assert_eq!(planner.known(b"a", at(second)), Some(payload(7)));
            assert_eq!(planner.choose(&peers, at(second)), None);
        }
        assert_eq!(planner.known(b"a", at(600)), None);
        assert_eq!(planner.choose(&peers, at(600)), Some(0));
        // The answer to a read of the interval before comes too late.
        planner.answered(b"a", Some(payload(7)), at(1_200));
        assert_eq!(planner.known(b"a", at(1_200)), None);
        assert_eq!(planner.choose(&peers, at(1_200)), Some(0));
    }

    #[test]
    fn a_silent_peer_is_left_alone_longer_each_time_and_comes_after_the_others() {
        let mut planner = ReadPlanner::new(60, [1; 32]);
        let mut reads = Vec::new();
        for second in 0..600 {
            if planner.choose(&[seen(b"a", -30)], at(second)).is_some() {
                reads.push(second);
                planner.answered(b"a", None, at(second));
            }
        }
        assert_eq!(reads, [0, 30, 90, 210, 450]);
        let peers = [seen(b"near", -30), seen(b"far", -80), seen(b"middle", -50)];
        assert_eq!(planner.choose(&peers, at(600)), Some(0));
        planner.answered(b"near", None, at(600));
        let order: Vec<_> = (0..3).map(|_| planner.choose(&peers, at(700))).collect();
        assert_eq!(order, [Some(2), Some(1), Some(0)]);
    }

    #[test]
    fn no_crowd_exceeds_the_budget_of_an_interval() {
        let mut planner = ReadPlanner::new(5, [1; 32]);
        let names: Vec<_> = (0..2_000_u32).map(u32::to_be_bytes).collect();
        let peers: Vec<_> = names.iter().map(|name| seen(name, -60)).collect();
        let mut reads = |second| (0..9).filter_map(|_| planner.choose(&peers, at(second))).count();
        assert_eq!((reads(0), reads(1), reads(600)), (5, 0, 5));
        assert!(!format!("{planner:?} {:?}", peers[0]).contains("[0, 0, 0, 0]"));
    }
}
