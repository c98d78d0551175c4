//! The air: what one phone's scan hears of the phones in the same place.

use chikaku_core::diagnosis_key::DiagnosisKey;
use chikaku_core::gatt::ReadPlanner;
use chikaku_core::sighting::{ReceivedAdvertisement, ScanResult};
use chikaku_core::signal::RssiDbm;
use chikaku_core::time::Timestamp;

use super::phone::Phone;
use super::randomness::Randomness;
use crate::radio::{
    CALIBRATION_DB, EVENT_SPACING_MS, FARTHEST_M, constant_shadowing_db, link_attenuation_db,
    normal, scan_packets, uniform,
};
use crate::scenario::{Carrier, Scenario, Stay};

#[derive(Debug)]
pub(super) struct Air<'a> {
    pub(super) scenario: &'a Scenario,
    pub(super) randomness: Randomness,
    /// Each phone's stays by their beginning. A phone is in one place at a time.
    stays_of: Vec<Vec<usize>>,
}

/// One direction between two phones during a stay.
pub(super) struct Link<'a> {
    pub(super) stay: &'a Stay,
    pub(super) stay_number: usize,
    pub(super) receiver: usize,
    pub(super) transmitter: usize,
}

impl<'a> Air<'a> {
    pub(super) fn new(scenario: &'a Scenario, randomness: Randomness) -> Self {
        let mut stays_of = vec![Vec::new(); scenario.phones.len()];
        for (number, stay) in scenario.stays.iter().enumerate() {
            for &phone in stay.positions.keys() {
                stays_of[phone].push(number);
            }
        }
        for stays in &mut stays_of {
            stays.sort_by_key(|&number| scenario.stays[number].from);
        }
        Self { scenario, randomness, stays_of }
    }

    /// Where a phone is at `instant`.
    fn stay_at(&self, phone: usize, instant: Timestamp) -> Option<usize> {
        let stays = &self.stays_of[phone];
        let begun = stays.partition_point(|&number| self.scenario.stays[number].from <= instant);
        let last = *stays.get(begun.checked_sub(1)?)?;
        self.scenario.stays[last].is_on(instant).then_some(last)
    }

    /// Whether the phone sleeps through the scan that began at `started`.
    pub(super) fn sleeps(&self, phone: usize, started: Timestamp) -> bool {
        let share = self.scenario.interference.scans_missed;
        let name = self.scenario.phones[phone].name.as_str();
        let drawn = || {
            let scan = started.unix_seconds().to_string();
            uniform(&mut self.randomness.stream("doze", &[name, &scan]))
        };
        share > 0.0 && drawn() < share
    }

    /// Everything that `receiver` hears from `started` to `ended`, stamped by its own clock.
    pub(super) fn scan(
        &self,
        receiver: usize,
        [started, ended]: [Timestamp; 2],
        phones: &[Phone],
        planner: &mut ReadPlanner,
        published: &[DiagnosisKey],
    ) -> ScanResult {
        let own_time = |instant| phones[receiver].own_time(instant);
        let state = |phone: usize| self.scenario.phones[phone].system.state_at(started);
        let (mut received, mut seen) = (Vec::new(), Vec::new());
        if let Some(stay_number) = self.stay_at(receiver, started) {
            let stay = &self.scenario.stays[stay_number];
            for &transmitter in stay.positions.keys().filter(|&&phone| phone != receiver) {
                let link = Link { stay, stay_number, receiver, transmitter };
                match state(receiver).hears(state(transmitter)) {
                    Some(Carrier::Broadcast) => {
                        for (heard_at, rssi) in self.packets(&link, started) {
                            let payload = phones[transmitter].payload_at(heard_at);
                            received.extend(payload.map(|advertisement| ReceivedAdvertisement {
                                heard_at,
                                rssi,
                                advertisement,
                            }));
                        }
                    }
                    Some(Carrier::Gatt { thinned }) => {
                        seen.extend(self.seen(link, thinned, started, phones));
                    }
                    None => {}
                }
            }
        }
        received.extend(self.read(&seen, planner, [started, ended], phones));
        received.extend(self.foreign(receiver, started, phones, published));
        for packet in &mut received {
            packet.heard_at = own_time(packet.heard_at);
        }
        ScanResult {
            started: own_time(started),
            ended: own_time(ended),
            received,
            malformed: 0,
            ended_reading: None,
        }
    }

    /// The packets of one transmitter that arrive during a scan: when, and how strong.
    pub(super) fn packets(
        &self,
        link: &Link<'_>,
        started: Timestamp,
    ) -> Vec<(Timestamp, Option<RssiDbm>)> {
        let Link { stay, receiver, transmitter, .. } = *link;
        let distance_m = stay.distance_m(receiver, transmitter, started);
        let Some(distance_m) = distance_m.filter(|metres| *metres <= FARTHEST_M) else {
            return Vec::new();
        };
        let phones = &self.scenario.phones;
        let model = phones[receiver].model;
        let scan = started.unix_seconds().to_string();
        let mut rng = self.stream("packets", link, &scan);
        let link_db =
            link_attenuation_db(stay.environment, distance_m, model, phones[transmitter].model)
                + stay.wall_db
                + self.scenario.interference.body_db
                + self.constant_shadowing_db(link);
        let packets = scan_packets(stay.environment, model, link_db, &mut rng).into_iter();
        let stamped = packets.map(|(event, attenuation_db)| {
            let heard_at = started.saturating_add(event * EVENT_SPACING_MS / 1000);
            (heard_at, signal_strength(attenuation_db))
        });
        stamped.collect()
    }

    /// The parts of shadowing that stay the same during a stay.
    fn constant_shadowing_db(&self, link: &Link<'_>) -> f64 {
        let pair = Link {
            receiver: link.receiver.min(link.transmitter),
            transmitter: link.receiver.max(link.transmitter),
            ..*link
        };
        constant_shadowing_db(
            link.stay.environment,
            normal(&mut self.stream("pair", &pair, "")),
            normal(&mut self.stream("direction", link, "")),
        )
    }

    pub(super) fn stream(
        &self,
        purpose: &str,
        link: &Link<'_>,
        scan: &str,
    ) -> rand_chacha::ChaCha20Rng {
        let phones = &self.scenario.phones;
        let stay = link.stay_number.to_string();
        let names = [
            stay.as_str(),
            link.stay.place.as_str(),
            phones[link.receiver].name.as_str(),
            phones[link.transmitter].name.as_str(),
            scan,
        ];
        self.randomness.stream(purpose, &names)
    }
}

/// The reading of a receiver in the captures' calibration.
pub(super) fn signal_strength(attenuation_db: f64) -> Option<RssiDbm> {
    #[expect(clippy::cast_possible_truncation, reason = "clamped to what a radio can report")]
    let dbm = libm::round(CALIBRATION_DB - attenuation_db).clamp(-127.0, 20.0) as i16;
    RssiDbm::new(dbm).ok()
}
