//! Payloads that are read over GATT: whom a phone reads is the core's decision.

use chikaku_core::advertisement::Advertisement;
use chikaku_core::gatt::{READ_SECONDS, READING_SECONDS_PER_SCAN, ReadPlanner, SeenPeer};
use chikaku_core::sighting::ReceivedAdvertisement;
use chikaku_core::signal::RssiDbm;
use chikaku_core::time::Timestamp;

use super::air::{Air, Link};
use super::phone::Phone;
use crate::radio::uniform;

/// Share of the advertisements that iOS hands to an app in the background: assumed. Apple says only
/// that it scans less often and tells of each peer once.
const BACKGROUND_SHARE: f64 = 0.1;
/// What a read takes that is answered: assumed.
const ANSWERED_SECONDS: u32 = 1;

/// A peer that a scan has seen, and whose payload it does not know from that.
pub(super) struct Seen<'a> {
    link: Link<'a>,
    /// Names it as long as its address stays the same.
    name: [u8; 16],
    /// When it was seen, and how strong.
    packets: Vec<(Timestamp, Option<RssiDbm>)>,
}

impl<'a> Air<'a> {
    /// What a scan sees of a peer that advertises the service, `thinned` by a system in the
    /// background; `None` if nothing.
    pub(super) fn seen(
        &self,
        link: Link<'a>,
        thinned: bool,
        started: Timestamp,
        phones: &[Phone],
    ) -> Option<Seen<'a>> {
        let peer = &phones[link.transmitter];
        peer.payload_at(started)?;
        let mut packets = self.packets(&link, started);
        if thinned {
            let scan = started.unix_seconds().to_string();
            let mut rng = self.stream("background", &link, &scan);
            packets.retain(|_| uniform(&mut rng) < BACKGROUND_SHARE);
            packets.truncate(1);
        }
        let mut name = [0; 16];
        name[..8].copy_from_slice(&(link.transmitter as u64).to_be_bytes());
        name[8..].copy_from_slice(&peer.address.unwrap_or(0).to_be_bytes());
        (!packets.is_empty()).then_some(Seen { link, name, packets })
    }

    /// Reads those of `seen` whom `planner` chooses. Who was read before is known by its address:
    /// each advertisement counts. A read counts once, with the strength of the first.
    pub(super) fn read(
        &self,
        seen: &[Seen<'_>],
        planner: &mut ReadPlanner,
        [started, ended]: [Timestamp; 2],
        phones: &[Phone],
    ) -> Vec<ReceivedAdvertisement> {
        let mut received = Vec::new();
        for peer in seen {
            if let Some(advertisement) = planner.known(&peer.name, ended) {
                let packets = peer.packets.iter();
                received.extend(packets.map(|&(heard_at, rssi)| ReceivedAdvertisement {
                    heard_at,
                    rssi,
                    advertisement,
                }));
            }
        }
        let rssi = |peer: &Seen<'_>| peer.packets.first().and_then(|(_, rssi)| *rssi);
        let peers: Vec<_> =
            seen.iter().map(|peer| SeenPeer { name: &peer.name, rssi: rssi(peer) }).collect();
        let mut seconds = 0;
        while seconds < READING_SECONDS_PER_SCAN {
            let Some(place) = planner.choose(&peers, ended) else { break };
            let peer = &seen[place];
            let answer = self.answer(&peer.link, started, ended, phones);
            planner.answered(&peer.name, answer, ended);
            seconds += if answer.is_some() { ANSWERED_SECONDS } else { READ_SECONDS };
            received.extend(answer.map(|advertisement| ReceivedAdvertisement {
                heard_at: ended,
                rssi: rssi(peer),
                advertisement,
            }));
        }
        received
    }

    /// What a peer answers; `None` if it does not hear the question.
    fn answer(
        &self,
        link: &Link<'_>,
        started: Timestamp,
        ended: Timestamp,
        phones: &[Phone],
    ) -> Option<Advertisement> {
        let back = Link { receiver: link.transmitter, transmitter: link.receiver, ..*link };
        let hears = !self.packets(&back, started).is_empty();
        phones[link.transmitter].payload_at(ended).filter(|_| hears)
    }
}
