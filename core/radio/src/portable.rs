//! A scanner for macOS, Windows and Linux, over btleplug. It cannot broadcast: no operating system
//! lets a portable program put service data on the air, and btleplug is a central only.
//!
//! btleplug tells what changed piece by piece: the strength first, then the service data of the
//! same advertisement. So the strength that counts is the last one before the data, of the same
//! device and the same scan. A device's first advertisement comes without service data; it is read
//! from the device's properties, unless the device was known before the scan: then they are old.

use std::collections::{HashMap, HashSet};
use std::time::Duration;

use btleplug::api::{Central, CentralEvent, Manager as _, Peripheral as _, ScanFilter};
use btleplug::platform::{Adapter, Manager, PeripheralId};
use chikaku_core::advertisement::{Advertisement, AdvertisementFormat};
use chikaku_core::engine::plan::ScanPlan;
use chikaku_core::sighting::{ReceivedAdvertisement, ScanResult};
use chikaku_core::signal::RssiDbm;
use chikaku_core::time::Timestamp;
use futures_util::StreamExt;

use crate::node::wall_millis;
use crate::radio::{
    RadioCondition, RadioEvent, RadioFault, RadioHandle, RadioOrder, RadioPort, ReportSource,
};

/// Starts the radio on the machine's first adapter. Orders to advertise are refused.
///
/// # Panics
/// Outside of a Tokio runtime.
#[must_use]
pub fn start(format: AdvertisementFormat) -> RadioHandle {
    let (handle, port) = RadioHandle::pair();
    tokio::spawn(run(format, port));
    handle
}

async fn run(format: AdvertisementFormat, port: RadioPort) {
    let RadioPort { mut orders, events } = port;
    let mut adapter = None;
    while let Some(order) = orders.recv().await {
        let event = match order {
            RadioOrder::Advertise(plan) => RadioEvent::AdvertisingFailed {
                plan: plan.number,
                reason: RadioFault::CannotAdvertise,
            },
            RadioOrder::StopAdvertising => continue,
            RadioOrder::Scan(plan) => {
                if adapter.is_none() {
                    adapter = first_adapter().await;
                    let condition = match adapter {
                        Some(_) => RadioCondition::CannotAdvertise,
                        None => RadioCondition::NoAdapter,
                    };
                    let _ = events.send(RadioEvent::Condition(condition));
                }
                match &adapter {
                    Some(central) => match scan(central, format, plan).await {
                        Ok(result) => {
                            RadioEvent::Scanned { result, source: ReportSource::FilteredService }
                        }
                        Err(_lost) => {
                            adapter = None;
                            let error = "the adapter was lost".to_owned();
                            let reason = RadioFault::Refused { call: "scan", error };
                            RadioEvent::ScanFailed { reason }
                        }
                    },
                    None => RadioEvent::ScanFailed {
                        reason: RadioFault::NotReady(RadioCondition::NoAdapter),
                    },
                }
            }
            RadioOrder::ShutDown(done) => {
                let _ = done.send(());
                return;
            }
        };
        if events.send(event).is_err() {
            return;
        }
    }
}

async fn first_adapter() -> Option<Adapter> {
    Manager::new().await.ok()?.adapters().await.ok()?.into_iter().next()
}

async fn scan(
    central: &Adapter,
    format: AdvertisementFormat,
    plan: ScanPlan,
) -> Result<ScanResult, btleplug::Error> {
    let service = btleplug::api::bleuuid::uuid_from_u16(format.service_uuid);
    let known: HashSet<_> =
        central.peripherals().await?.iter().map(btleplug::api::Peripheral::id).collect();
    let mut events = central.events().await?;
    let filter = ScanFilter { services: vec![service] };
    central.start_scan(filter).await?;
    let mut heard = Heard::new(known);
    let started = now();
    let end = tokio::time::sleep(Duration::from_secs(u64::from(plan.seconds)));
    tokio::pin!(end);
    loop {
        let event = tokio::select! {
            () = &mut end => break,
            event = events.next() => event,
        };
        match event {
            None => break,
            Some(CentralEvent::RssiUpdate { id, rssi }) => heard.strength(id, rssi),
            Some(CentralEvent::ServiceDataAdvertisement { id, service_data }) => {
                if let Some(bytes) = service_data.get(&service) {
                    heard.service_data(&id, bytes, now());
                }
            }
            Some(CentralEvent::DeviceDiscovered(id)) if heard.is_new(&id) => {
                let Ok(device) = central.peripheral(&id).await else { continue };
                let Ok(Some(properties)) = device.properties().await else { continue };
                if let Some(rssi) = properties.rssi {
                    heard.strength(id.clone(), rssi);
                }
                if let Some(bytes) = properties.service_data.get(&service) {
                    heard.service_data(&id, bytes, now());
                }
            }
            Some(_) => {}
        }
    }
    central.stop_scan().await?;
    let Heard { received, malformed, .. } = heard;
    Ok(ScanResult { started, ended: now(), received, malformed, ended_reading: None })
}

/// What one scan has heard.
struct Heard {
    /// Devices whose values may be older than the scan.
    known: HashSet<PeripheralId>,
    strength: HashMap<PeripheralId, Option<RssiDbm>>,
    received: Vec<ReceivedAdvertisement>,
    malformed: u32,
}

impl Heard {
    fn new(known: HashSet<PeripheralId>) -> Self {
        Self { known, strength: HashMap::new(), received: Vec::new(), malformed: 0 }
    }

    /// Says so once of each device.
    fn is_new(&mut self, id: &PeripheralId) -> bool {
        self.known.insert(id.clone())
    }

    fn strength(&mut self, id: PeripheralId, rssi: i16) {
        self.strength.insert(id, RssiDbm::new(rssi).ok());
    }

    fn service_data(&mut self, id: &PeripheralId, bytes: &[u8], heard_at: Timestamp) {
        let rssi = self.strength.get(id).copied().flatten();
        match Advertisement::from_service_data(bytes) {
            Ok(advertisement) => {
                self.received.push(ReceivedAdvertisement { heard_at, rssi, advertisement });
            }
            Err(_) => self.malformed = self.malformed.saturating_add(1),
        }
    }
}

fn now() -> Timestamp {
    let seconds = wall_millis().div_euclid(1000);
    Timestamp::from_unix_seconds(seconds).unwrap_or(Timestamp::EPOCH)
}
