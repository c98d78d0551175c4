//! Whom to read over GATT, and how often: the core's planner, as a host asks it peer by peer.

use std::sync::{Mutex, PoisonError};

use chikaku_core::advertisement::Advertisement;
use chikaku_core::gatt::{ReadPlanner, SeenPeer};
use getrandom::SysRng;
use rand_core::TryRng;

use crate::ExposureNotificationError;
use crate::number;

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
    planner: Mutex<ReadPlanner>,
}

#[uniffi::export]
impl GattReadPlanner {
    /// At most so many connections in ten minutes.
    ///
    /// # Errors
    /// [`ExposureNotificationError::InvalidArgument`] for a negative number, `Internal` without
    /// random numbers.
    #[uniffi::constructor(default(reads_per_interval = 60))]
    pub fn new(reads_per_interval: i32) -> Result<Self, ExposureNotificationError> {
        let reads_per_interval = number::count("reads per interval", reads_per_interval)?;
        let mut secret = [0; 32];
        SysRng.try_fill_bytes(&mut secret).map_err(|_| ExposureNotificationError::Internal)?;
        Ok(Self { planner: Mutex::new(ReadPlanner::new(reads_per_interval, secret)) })
    }

    /// A peer with the service was seen. `Read` counts as a read.
    ///
    /// # Errors
    /// [`ExposureNotificationError::InvalidArgument`] for a time that is none.
    pub fn on_seen(
        &self,
        peer: String,
        unix_seconds: i64,
    ) -> Result<GattDecision, ExposureNotificationError> {
        let now = number::timestamp("time", unix_seconds)?;
        let mut planner = self.planner.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(payload) = planner.known(peer.as_bytes(), now) {
            return Ok(GattDecision::Known { service_data: payload.to_service_data().to_vec() });
        }
        let seen = SeenPeer { name: peer.as_bytes(), rssi: None };
        Ok(match planner.choose(&[seen], now) {
            Some(_) => GattDecision::Read,
            None => GattDecision::Wait,
        })
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
        let now = number::timestamp("time", unix_seconds)?;
        let answer = service_data.and_then(|data| Advertisement::from_service_data(&data).ok());
        let mut planner = self.planner.lock().unwrap_or_else(PoisonError::into_inner);
        planner.answered(peer.as_bytes(), answer, now);
        Ok(())
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
