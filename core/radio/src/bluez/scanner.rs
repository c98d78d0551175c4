//! Keeps the controller scanning for as long as the engine planned, and collects what it heard.

use std::collections::HashMap;
use std::time::Duration;

use chikaku_core::engine::plan::ScanPlan;
use chikaku_core::sighting::{ReceivedAdvertisement, ScanResult};
use chikaku_core::time::Timestamp;
use futures_util::StreamExt;
use tokio::sync::{mpsc, watch};
use tokio::time::Instant;
use zbus::{Connection, MessageStream, ObjectPath, Proxy, Variant};

use super::adapter::Link;
use super::controller_log::ControllerScans;
use super::device_signals::{self, DeviceSignals};
use super::gatt_client::{GattClient, Peer};
use super::{BluezOptions, SERVICE, refused, tell};
use crate::capture::CapturedScan;
use crate::node::wall_millis;
use crate::radio::{RadioEvent, RadioFault, ReportSource};

/// How long after its end a scan may take to appear in the controller's log.
const LOG_DELAY: Duration = Duration::from_secs(3);
/// How long a scan that was ordered waits for the adapter. The engine takes one of which nothing is
/// heard for a minute for lost.
const UNTIL_READY: Duration = Duration::from_secs(45);
const LOG_POLL: Duration = Duration::from_millis(100);
const MONITOR_ROOT: &str = "/dev/chikaku/monitors";
const MONITOR: &str = "/dev/chikaku/monitors/0";
/// Service data with a 16-bit UUID, from the beginning of the structure.
const SERVICE_DATA_16: u8 = 0x16;

/// An advertisement monitor. That it exists is all that is wanted of it: while one does, the kernel
/// leaves the controller's filter for repetitions off.
struct Monitor {
    service_uuid: u16,
}

#[zbus::interface(name = "org.bluez.AdvertisementMonitor1")]
impl Monitor {
    fn release(&self) {}

    fn activate(&self) {}

    fn device_found(&self, _device: ObjectPath<'_>) {}

    fn device_lost(&self, _device: ObjectPath<'_>) {}

    #[zbus(property, name = "Type")]
    fn kind(&self) -> &'static str {
        "or_patterns"
    }

    #[zbus(property)]
    fn patterns(&self) -> Vec<(u8, u8, Vec<u8>)> {
        vec![(0, SERVICE_DATA_16, self.service_uuid.to_le_bytes().to_vec())]
    }
}

struct Scanner {
    options: BluezOptions,
    events: mpsc::UnboundedSender<RadioEvent>,
    controller: Option<ControllerScans>,
    gatt: Option<GattClient>,
}

/// Carries out one scan after the other.
pub(super) async fn run(
    options: BluezOptions,
    mut link: watch::Receiver<Link>,
    mut plans: mpsc::UnboundedReceiver<ScanPlan>,
    events: mpsc::UnboundedSender<RadioEvent>,
) {
    let gatt = options.gatt.clone().and_then(|gatt| GattClient::new(gatt, options.path()));
    let mut scanner = Scanner { options, events, controller: None, gatt };
    // It listens from the beginning, so that the first scan is whole.
    scanner.follow_controller().await;
    while let Some(plan) = plans.recv().await {
        // Right after a start, or between two looks at the adapter.
        let is_ready = |link: &Link| link.ready().is_some();
        let _ = tokio::time::timeout(UNTIL_READY, link.wait_for(is_ready)).await;
        let current = link.borrow_and_update().clone();
        let Some(connection) = current.ready() else {
            let reason = RadioFault::NotReady(current.condition);
            tell(&scanner.events, RadioEvent::ScanFailed { reason });
            continue;
        };
        if let Err(reason) = scanner.scan(connection, plan, &mut link).await {
            tell(&scanner.events, RadioEvent::ScanFailed { reason });
        }
    }
}

impl Scanner {
    /// Follows the controller's log if it can be read; starts anew what has ended.
    async fn follow_controller(&mut self) {
        if let Some(controller) = &mut self.controller
            && controller.listens().await
        {
            return;
        }
        self.controller = None;
        if self.options.controller_log {
            let (adapter, format) = (self.options.adapter, self.options.format);
            if let Ok(mut controller) = ControllerScans::follow(adapter, format)
                && controller.listens().await
            {
                self.controller = Some(controller);
            }
        }
    }

    /// One scan, reported as an event; cut short if the adapter is lost.
    async fn scan(
        &mut self,
        connection: &Connection,
        plan: ScanPlan,
        link: &mut watch::Receiver<Link>,
    ) -> Result<(), RadioFault> {
        self.follow_controller().await;
        if let Some(controller) = &self.controller {
            for heard in controller.take_finished() {
                self.report(heard.to_scan_result(), ReportSource::Controller);
            }
        }
        let signals = if self.controller.is_none() || self.gatt.is_some() {
            Some(device_signals::listen().await.map_err(|error| refused("AddMatch", &error))?)
        } else {
            None
        };
        let every_advertisement = self.add_monitor(connection).await.is_ok();
        let begun = self.start_discovery(connection).await;
        let outcome = match begun {
            Ok(adapter) => {
                let heard = self.collect(plan, link, signals).await;
                // If the adapter is lost there is nothing to stop.
                let _ = adapter.call_method("StopDiscovery", &()).await;
                Ok(heard)
            }
            Err(error) => Err(refused("StartDiscovery", &error)),
        };
        self.remove_monitor(connection).await;
        let (mut scan, peers) = outcome?;
        let read = match &mut self.gatt {
            Some(gatt) => gatt.read(connection, &peers).await,
            None => Vec::new(),
        };
        if self.controller.is_some() {
            self.report_controller_scans(read).await;
        } else {
            scan.received.extend(read);
            let source = if every_advertisement {
                ReportSource::Service
            } else {
                ReportSource::FilteredService
            };
            self.report(scan, source);
        }
        Ok(())
    }

    /// Waits for the scan's end; what BlueZ's signals said, and which peers can be read.
    async fn collect(
        &self,
        plan: ScanPlan,
        link: &mut watch::Receiver<Link>,
        signals: Option<MessageStream>,
    ) -> (ScanResult, HashMap<String, Peer>) {
        let started = now();
        let end = Instant::now() + Duration::from_secs(u64::from(plan.seconds));
        let mut heard = DeviceSignals::new(&self.options);
        let is_over = async {
            tokio::select! {
                () = tokio::time::sleep_until(end) => {}
                _ = link.changed() => {}
            }
        };
        let receive = async {
            let Some(mut signals) = signals else { return core::future::pending().await };
            while let Some(message) = signals.next().await {
                if let Ok(message) = message {
                    heard.signal(&message, now());
                }
            }
        };
        tokio::select! {
            () = is_over => {}
            () = receive => {}
        }
        let result = ScanResult {
            started,
            ended: now(),
            received: heard.received,
            malformed: heard.malformed,
            ended_reading: None,
        };
        (result, heard.peers)
    }

    /// The scan as the controller's log has it, as soon as its end is in it, with what was `read`
    /// of peers that do not broadcast.
    async fn report_controller_scans(&self, mut read: Vec<ReceivedAdvertisement>) {
        let Some(controller) = &self.controller else { return };
        let mut report = |scan: CapturedScan| {
            let mut scan = scan.to_scan_result();
            let (started, ended) = (scan.started, scan.ended);
            scan.received.extend(read.drain(..).map(|sighting| ReceivedAdvertisement {
                // The controller's clock is read elsewhere than ours.
                heard_at: sighting.heard_at.clamp(started, ended),
                ..sighting
            }));
            self.report(scan, ReportSource::Controller);
        };
        let deadline = Instant::now() + LOG_DELAY;
        loop {
            let finished = controller.take_finished();
            let done = !finished.is_empty();
            finished.into_iter().for_each(&mut report);
            if done {
                return;
            }
            if Instant::now() >= deadline {
                break;
            }
            tokio::time::sleep(LOG_POLL).await;
        }
        // Somebody else keeps the controller scanning, or the end was lost.
        if let Some(heard) = controller.cut() {
            report(heard);
        }
    }

    fn report(&self, result: ScanResult, source: ReportSource) {
        tell(&self.events, RadioEvent::Scanned { result, source });
    }

    async fn start_discovery<'c>(&self, connection: &'c Connection) -> zbus::Result<Proxy<'c>> {
        let adapter =
            Proxy::new(connection, SERVICE, self.options.path(), "org.bluez.Adapter1").await?;
        // Low energy alone: otherwise half of the time goes to the inquiry of classic Bluetooth.
        let filter: HashMap<&str, Variant<'_>> =
            [("Transport", Variant::from("le")), ("DuplicateData", Variant::from(true))].into();
        adapter.call_method("SetDiscoveryFilter", &(filter,)).await?;
        adapter.call_method("StartDiscovery", &()).await?;
        Ok(adapter)
    }

    /// Registers the monitor; BlueZ without `--experimental` may not know how.
    async fn add_monitor(&self, connection: &Connection) -> zbus::Result<()> {
        let service_uuid = self.options.format.service_uuid;
        let server = connection.object_server();
        server.at(MONITOR_ROOT, zbus::fdo::ObjectManager).await?;
        let manager = self.monitor_manager(connection).await?;
        let root = ObjectPath::try_from(MONITOR_ROOT)?;
        manager.call_method("RegisterMonitor", &(&root,)).await?;
        // BlueZ learns of it by the signal that its appearance makes.
        server.at(MONITOR, Monitor { service_uuid }).await?;
        Ok(())
    }

    /// Whatever is missing of it: nothing of it must stay.
    async fn remove_monitor(&self, connection: &Connection) {
        let server = connection.object_server();
        let _ = server.remove::<Monitor, _>(MONITOR).await;
        if let (Ok(manager), Ok(root)) =
            (self.monitor_manager(connection).await, ObjectPath::try_from(MONITOR_ROOT))
        {
            let _ = manager.call_method("UnregisterMonitor", &(&root,)).await;
        }
        let _ = server.remove::<zbus::fdo::ObjectManager, _>(MONITOR_ROOT).await;
    }

    async fn monitor_manager<'c>(&self, connection: &'c Connection) -> zbus::Result<Proxy<'c>> {
        let interface = "org.bluez.AdvertisementMonitorManager1";
        Proxy::new(connection, SERVICE, self.options.path(), interface).await
    }
}

fn now() -> Timestamp {
    let seconds = wall_millis().div_euclid(1000);
    Timestamp::from_unix_seconds(seconds).unwrap_or(Timestamp::EPOCH)
}
