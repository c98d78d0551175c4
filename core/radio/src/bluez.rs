//! The radio of a Linux machine, through BlueZ.
//!
//! BlueZ is spoken to over D-Bus, in pure Rust. Three tasks share what [`adapter`] finds out about
//! the adapter: [`advertiser`] changes payload and address together, [`scanner`] keeps the
//! controller scanning for as long as the engine planned. What a scan heard is taken from the
//! controller's own reports ([`controller_log`]) where this process may read them, and from
//! BlueZ's signals ([`device_signals`]) otherwise.
//!
//! Observed, and relied upon: each registration of a broadcast gets a fresh non-resolvable private
//! address, which stays until it is unregistered; registering the new payload before the old one is
//! gone would put it under the old address for some milliseconds; and the controller's filter for
//! repetitions is off only while an advertisement monitor is registered, which needs
//! `bluetoothd --experimental` before BlueZ 5.86 or so.

mod adapter;
mod advertiser;
mod controller_log;
mod device_signals;
mod gatt_client;
mod gatt_server;
mod scanner;

use chikaku_core::advertisement::AdvertisementFormat;
use tokio::sync::{mpsc, watch};
use tokio::task::JoinSet;

use crate::radio::{RadioEvent, RadioFault, RadioHandle, RadioOrder, RadioPort};
use adapter::Link;
pub use controller_log::{ControllerLog, ControllerLogError};
use gatt_server::Served;

const SERVICE: &str = "org.bluez";

/// Which adapter, and how.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BluezOptions {
    /// Number of the adapter: 0 for `hci0`.
    pub adapter: u16,
    /// The service to look for and to broadcast.
    pub format: AdvertisementFormat,
    /// Whether to switch the adapter on when it appears. One that somebody switches off later is
    /// left alone.
    pub power_on: bool,
    /// Whether to read the controller's own reports if this process may.
    pub controller_log: bool,
    /// The other carrier; `None` for broadcasts alone.
    pub gatt: Option<GattCarrier>,
}

/// The carrier for peers that cannot broadcast service data: a characteristic that answers a read
/// with the same twenty bytes. Both UUIDs have 128 bits, as `0000xxxx-0000-1000-8000-00805f9b34fb`,
/// and are the same on every platform of an app.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GattCarrier {
    /// What a peer advertises.
    pub service: String,
    /// What is read.
    pub characteristic: String,
    /// What this machine does about it.
    pub role: GattRole,
}

/// What a machine does about the other carrier.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum GattRole {
    /// It broadcasts, and reads peers that do not.
    #[default]
    Reads,
    /// It reads, and can be read, but broadcasts nothing, as a phone that cannot. Whoever can be
    /// connected to shows the address that the adapter is configured with: only with
    /// `btmgmt privacy on` is that a private one, which changes by a timer of its own.
    ServesInstead,
}

impl Default for BluezOptions {
    /// The first adapter, 0xFD6F, switched on, the controller's own reports.
    fn default() -> Self {
        let format = AdvertisementFormat::default();
        Self { adapter: 0, format, power_on: true, controller_log: true, gatt: None }
    }
}

impl BluezOptions {
    /// The carrier, if this machine can be read.
    fn serves(&self) -> Option<&GattCarrier> {
        self.gatt.as_ref().filter(|gatt| gatt.role == GattRole::ServesInstead)
    }

    /// D-Bus path of the adapter.
    fn path(&self) -> String {
        format!("/org/bluez/hci{}", self.adapter)
    }
}

/// Starts the radio. It goes on through restarts of BlueZ and of the bus, and through the
/// adapter's coming and going; its events say so.
///
/// # Panics
/// Outside of a Tokio runtime.
#[must_use]
pub fn start(options: BluezOptions) -> RadioHandle {
    let (handle, port) = RadioHandle::pair();
    tokio::spawn(run(options, port));
    handle
}

async fn run(options: BluezOptions, port: RadioPort) {
    let RadioPort { mut orders, events } = port;
    let (link_sender, link) = watch::channel(Link::default());
    let (advertise, advertiser_orders) = mpsc::unbounded_channel();
    let (scan, scanner_orders) = mpsc::unbounded_channel();
    let mut tasks = JoinSet::new();
    tasks.spawn(adapter::watch(options.clone(), link_sender, events.clone()));
    tasks.spawn(scanner::run(options.clone(), link.clone(), scanner_orders, events.clone()));
    let served = Served::default();
    if let Some(gatt) = options.serves() {
        tasks.spawn(gatt_server::run(options.path(), gatt.clone(), served.clone(), link.clone()));
    }
    // Not among the tasks that are ended: it takes the payload off the air first.
    let air = advertiser::run(options, link, served, advertiser_orders, events);
    let advertiser = tokio::spawn(air);
    let mut answer = None;
    while let Some(order) = orders.recv().await {
        let taken = match order {
            RadioOrder::Advertise(plan) => advertise.send(Some(plan)).is_ok(),
            RadioOrder::StopAdvertising => advertise.send(None).is_ok(),
            RadioOrder::Scan(plan) => scan.send(plan).is_ok(),
            RadioOrder::ShutDown(done) => {
                answer = Some(done);
                false
            }
        };
        if !taken {
            break;
        }
    }
    drop(advertise);
    let _ = advertiser.await;
    // The scanner ends what it began when its orders end.
    drop(scan);
    tasks.shutdown().await;
    if let Some(done) = answer {
        let _ = done.send(());
    }
}

/// What is kept of an error of D-Bus: its name. Texts could name a device.
fn refused(call: &'static str, error: &zbus::Error) -> RadioFault {
    let error = match error {
        zbus::Error::MethodError(name, _, _) => name.to_string(),
        zbus::Error::InputOutput(_) => "the connection is broken".to_owned(),
        _ => "no answer that could be read".to_owned(),
    };
    RadioFault::Refused { call, error }
}

/// Nobody may listen any more; the radio is about to end then.
fn tell(events: &mpsc::UnboundedSender<RadioEvent>, event: RadioEvent) {
    let _ = events.send(event);
}
