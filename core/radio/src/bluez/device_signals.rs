//! What BlueZ's signals say about the advertisements of one scan.
//!
//! BlueZ keeps an object for each device and joins what changes at the same time into one signal,
//! so that signal strength and service data of one signal belong together. A signal without
//! strength means the strength of the one before it, because BlueZ forgets it between two scans.
//! Objects that exist before the scan are never read: their values are old.

use std::collections::HashMap;
use std::num::NonZeroUsize;

use chikaku_core::advertisement::Advertisement;
use chikaku_core::sighting::ReceivedAdvertisement;
use chikaku_core::signal::RssiDbm;
use chikaku_core::time::Timestamp;
use zbus::message::Type;
use zbus::{Connection, MatchRule, Message, MessageStream, ObjectPath, Variant};

use super::gatt_client::Peer;
use super::{BluezOptions, SERVICE};

const DEVICE: &str = "org.bluez.Device1";
/// Signals that may wait: a second of a crowd.
const QUEUE: NonZeroUsize = NonZeroUsize::new(4096).unwrap();

type Properties<'a> = HashMap<&'a str, Variant<'a>>;

/// Everything BlueZ says while a scan runs. On a connection of its own: a queue that is full would
/// keep the answers to calls from coming in.
pub(super) async fn listen() -> zbus::Result<MessageStream> {
    let connection = Connection::system().await?;
    let rule = MatchRule::builder().msg_type(Type::Signal).sender(SERVICE).build()?;
    MessageStream::for_match_rule(rule, &connection, Some(QUEUE)).await
}

/// What one scan has heard.
pub(super) struct DeviceSignals {
    service_uuid: String,
    /// Path of the adapter and a slash.
    devices: String,
    /// The service of peers that can be read, in small letters.
    gatt_service: Option<String>,
    strength: HashMap<String, Option<RssiDbm>>,
    /// Peers that can be read, by the path of their object.
    pub(super) peers: HashMap<String, Peer>,
    pub(super) received: Vec<ReceivedAdvertisement>,
    pub(super) malformed: u32,
}

impl DeviceSignals {
    pub(super) fn new(options: &BluezOptions) -> Self {
        let service = options.format.service_uuid;
        Self {
            service_uuid: format!("0000{service:04x}-0000-1000-8000-00805f9b34fb"),
            devices: format!("{}/", options.path()),
            gatt_service: options.gatt.as_ref().map(|gatt| gatt.service.to_ascii_lowercase()),
            peers: HashMap::new(),
            strength: HashMap::new(),
            received: Vec::new(),
            malformed: 0,
        }
    }

    /// Takes a signal that came at `heard_at`. Other signals than those of devices do no harm.
    pub(super) fn signal(&mut self, message: &Message, heard_at: Timestamp) {
        let header = message.header();
        let body = message.body();
        match header.member().map_or("", |member| member.as_str()) {
            "InterfacesAdded" => {
                let Ok((path, mut interfaces)) =
                    body.deserialize::<(ObjectPath<'_>, HashMap<&str, Properties<'_>>)>()
                else {
                    return;
                };
                if let Some(properties) = interfaces.remove(DEVICE) {
                    self.device(path.as_str(), &properties, heard_at);
                }
            }
            "PropertiesChanged" => {
                let path = header.path().map_or("", |path| path.as_str());
                let Ok((interface, properties, _)) =
                    body.deserialize::<(&str, Properties<'_>, Vec<&str>)>()
                else {
                    return;
                };
                if interface == DEVICE {
                    self.device(path, &properties, heard_at);
                }
            }
            _ => {}
        }
    }

    /// Notes a peer that can be read. It says so once, when it appears.
    fn peer(&mut self, path: &str, properties: &Properties<'_>, seen_at: Timestamp) {
        let Some(service) = &self.gatt_service else { return };
        let rssi = self.strength.get(path).copied().flatten();
        if let Some(known) = self.peers.get_mut(path) {
            *known = Peer { seen_at, rssi: rssi.max(known.rssi) };
        } else if properties.get("UUIDs").is_some_and(|uuids| names(uuids, service)) {
            self.peers.insert(path.to_owned(), Peer { seen_at, rssi });
        }
    }

    fn device(&mut self, path: &str, properties: &Properties<'_>, heard_at: Timestamp) {
        if !path.starts_with(&self.devices) {
            return;
        }
        if let Some(Variant::I16(strength)) = properties.get("RSSI") {
            self.strength.insert(path.to_owned(), RssiDbm::new(*strength).ok());
        }
        self.peer(path, properties, heard_at);
        let Some(Variant::Dict(service_data)) = properties.get("ServiceData") else { return };
        let of_service = service_data.iter().find(
            |(uuid, _)| matches!(uuid, Variant::Str(uuid) if uuid.as_str() == self.service_uuid),
        );
        let Some(bytes) = of_service.and_then(|(_, bytes)| byte_array(bytes)) else { return };
        let rssi = self.strength.get(path).copied().flatten();
        match Advertisement::from_service_data(&bytes) {
            Ok(advertisement) => {
                self.received.push(ReceivedAdvertisement { heard_at, rssi, advertisement });
            }
            Err(_) => self.malformed = self.malformed.saturating_add(1),
        }
    }
}

/// Whether a list of UUIDs names `service`.
fn names(uuids: &Variant<'_>, service: &str) -> bool {
    match uuids {
        Variant::Variant(wrapped) => names(wrapped, service),
        Variant::Array(uuids) => {
            uuids.iter().any(|uuid| matches!(uuid, Variant::Str(uuid) if uuid.as_str() == service))
        }
        _ => false,
    }
}

/// The bytes of an array of bytes, wrapped as often as it may be.
fn byte_array(value: &Variant<'_>) -> Option<Vec<u8>> {
    match value {
        Variant::Variant(wrapped) => byte_array(wrapped),
        Variant::Array(array) => array
            .iter()
            .map(|element| if let Variant::U8(byte) = element { Some(*byte) } else { None })
            .collect(),
        _ => None,
    }
}
