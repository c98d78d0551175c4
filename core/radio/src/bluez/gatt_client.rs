//! Reads the payload of peers that cannot broadcast it, after each scan that has seen some.
//!
//! The core says whom to read. BlueZ keeps an object for a peer for half a minute after it was seen,
//! so that it can be read after the scan, and the next scan sees it anew.

use std::collections::HashMap;
use std::time::Duration;

use chikaku_core::advertisement::Advertisement;
use chikaku_core::gatt::{
    READ_SECONDS, READING_SECONDS_PER_SCAN, READS_PER_INTERVAL, ReadPlanner, SeenPeer,
};
use chikaku_core::sighting::ReceivedAdvertisement;
use chikaku_core::signal::RssiDbm;
use chikaku_core::time::Timestamp;
use getrandom::SysRng;
use getrandom::rand_core::TryRng;
use tokio::time::Instant;
use zbus::fdo::ObjectManagerProxy;
use zbus::{Connection, ObjectPath, Proxy, Variant};

use super::{GattCarrier, SERVICE};
use crate::node::wall_millis;

const DEVICE: &str = "org.bluez.Device1";
const CHARACTERISTIC: &str = "org.bluez.GattCharacteristic1";
/// How often BlueZ is asked whether it knows what the peer has.
const POLL: Duration = Duration::from_millis(100);
/// How long it may take to let go of a peer.
const LETTING_GO: Duration = Duration::from_secs(2);

/// A peer with the service, as the running scan has seen it.
#[derive(Clone, Copy)]
pub(super) struct Peer {
    pub(super) seen_at: Timestamp,
    /// At its strongest.
    pub(super) rssi: Option<RssiDbm>,
}

/// Reads peers, within the core's budget.
pub(super) struct GattClient {
    gatt: GattCarrier,
    adapter: String,
    planner: ReadPlanner,
}

impl GattClient {
    /// `None` if the system has no random numbers.
    pub(super) fn new(gatt: GattCarrier, adapter: String) -> Option<Self> {
        let mut secret = [0; 32];
        SysRng.try_fill_bytes(&mut secret).ok()?;
        let planner = ReadPlanner::new(READS_PER_INTERVAL, secret);
        Some(Self { gatt, adapter, planner })
    }

    /// What the peers of one scan send, each once.
    pub(super) async fn read(
        &mut self,
        connection: &Connection,
        peers: &HashMap<String, Peer>,
    ) -> Vec<ReceivedAdvertisement> {
        let mut received = Vec::new();
        let mut unknown = Vec::new();
        for (path, peer) in peers {
            match self.planner.known(path.as_bytes(), now()) {
                Some(advertisement) => received.push(sighting(*peer, advertisement)),
                None => unknown.push((path, *peer)),
            }
        }
        let last_begin = Instant::now() + reading_seconds(READING_SECONDS_PER_SCAN - READ_SECONDS);
        while Instant::now() <= last_begin {
            let seen = |(path, peer): &(&String, Peer)| (path.as_bytes().to_vec(), peer.rssi);
            let names: Vec<_> = unknown.iter().map(seen).collect();
            let seen: Vec<_> =
                names.iter().map(|(name, rssi)| SeenPeer { name, rssi: *rssi }).collect();
            let Some((path, peer)) =
                self.planner.choose(&seen, now()).and_then(|place| unknown.get(place).copied())
            else {
                break;
            };
            let reading = self.read_peer(connection, path);
            let answer = tokio::time::timeout(reading_seconds(READ_SECONDS), reading).await;
            let answer = answer.ok().and_then(Result::ok).flatten();
            let letting_go = self.let_go(connection, path, answer.is_some());
            let _ = tokio::time::timeout(LETTING_GO, letting_go).await;
            self.planner.answered(path.as_bytes(), answer, now());
            received.extend(answer.map(|advertisement| sighting(peer, advertisement)));
        }
        received
    }

    async fn read_peer(
        &self,
        connection: &Connection,
        path: &str,
    ) -> zbus::Result<Option<Advertisement>> {
        let device = Proxy::new(connection, SERVICE, path, DEVICE).await?;
        device.call_method("Connect", &()).await?;
        loop {
            if let Some(characteristic) = self.characteristic(connection, path).await? {
                let proxy = Proxy::new(connection, SERVICE, characteristic, CHARACTERISTIC).await?;
                let options: HashMap<&str, Variant<'_>> = HashMap::new();
                let bytes: Vec<u8> = proxy.call("ReadValue", &(options,)).await?;
                return Ok(Advertisement::from_service_data(&bytes).ok());
            }
            tokio::time::sleep(POLL).await;
        }
    }

    /// The characteristic of the peer, if BlueZ has found it already.
    async fn characteristic(
        &self,
        connection: &Connection,
        device: &str,
    ) -> zbus::Result<Option<zbus::OwnedObjectPath>> {
        let manager = ObjectManagerProxy::new(connection, SERVICE, "/").await?;
        let objects = manager.get_managed_objects().await?;
        let mut of_device = objects.into_iter().filter(|(path, _)| {
            path.as_str().strip_prefix(device).is_some_and(|rest| rest.starts_with('/'))
        });
        let wanted = of_device.find(|(_, interfaces)| {
            let found =
                interfaces.get(CHARACTERISTIC).and_then(|properties| properties.get("UUID"));
            let uuid = found.and_then(|uuid| <&str>::try_from(&**uuid).ok());
            uuid.is_some_and(|uuid| uuid.eq_ignore_ascii_case(&self.gatt.characteristic))
        });
        Ok(wanted.map(|(path, _)| path))
    }

    /// Ends the connection, whether it was made or is still being made.
    ///
    /// A peer that does not answer is removed: BlueZ then mostly closes its side before the link
    /// ends. The other way round Linux 6.1.192 deletes a channel twice, and panics.
    async fn let_go(
        &self,
        connection: &Connection,
        path: &str,
        has_answered: bool,
    ) -> zbus::Result<()> {
        if has_answered {
            let device = Proxy::new(connection, SERVICE, path, DEVICE).await?;
            return device.call_method("Disconnect", &()).await.map(drop);
        }
        let adapter =
            Proxy::new(connection, SERVICE, self.adapter.as_str(), "org.bluez.Adapter1").await?;
        adapter.call_method("RemoveDevice", &(ObjectPath::try_from(path)?,)).await.map(drop)
    }
}

fn sighting(peer: Peer, advertisement: Advertisement) -> ReceivedAdvertisement {
    ReceivedAdvertisement { heard_at: peer.seen_at, rssi: peer.rssi, advertisement }
}

fn reading_seconds(seconds: u32) -> Duration {
    Duration::from_secs(u64::from(seconds))
}

fn now() -> Timestamp {
    let seconds = wall_millis().div_euclid(1000);
    Timestamp::from_unix_seconds(seconds).unwrap_or(Timestamp::EPOCH)
}
