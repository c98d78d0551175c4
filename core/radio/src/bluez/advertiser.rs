//! Payload and address change together: unregister, wait for the answer, register.

use std::collections::HashMap;
use std::time::Duration;

use chikaku_core::engine::plan::AdvertisePlan;
use tokio::sync::{mpsc, watch};
use zbus::{Connection, ObjectPath, Proxy, Variant};

use super::adapter::Link;
use super::gatt_server::Served;
use super::{BluezOptions, SERVICE, refused, tell};
use crate::radio::{RadioEvent, RadioFault};

/// How long to wait before a payload is registered again that BlueZ released by itself. What it
/// released it for is mostly over by then, or the adapter is known to be gone.
const AFTER_RELEASE: Duration = Duration::from_secs(1);
/// Milliseconds between two advertisements, as phones have it (250 on Android, measured 270 to
/// 290). BlueZ obeys on controllers with extended advertising, if it is run with `--experimental`.
const INTERVAL_MILLIS: (u32, u32) = (220, 280);

/// Errors that say that a registration is gone.
const GONE: [&str; 5] = [
    "org.bluez.Error.DoesNotExist",
    "org.freedesktop.DBus.Error.NameHasNoOwner",
    "org.freedesktop.DBus.Error.ServiceUnknown",
    "org.freedesktop.DBus.Error.UnknownMethod",
    "org.freedesktop.DBus.Error.UnknownObject",
];

/// What BlueZ reads when it registers the payload.
struct Advertisement {
    kind: &'static str,
    service_uuid: String,
    service_data: Option<Vec<u8>>,
    released: mpsc::UnboundedSender<u64>,
    number: u64,
}

#[zbus::interface(name = "org.bluez.LEAdvertisement1")]
impl Advertisement {
    fn release(&self) {
        let _ = self.released.send(self.number);
    }

    #[zbus(property, name = "Type")]
    fn kind(&self) -> &'static str {
        self.kind
    }

    #[zbus(property, name = "ServiceUUIDs")]
    fn service_uuids(&self) -> Vec<String> {
        vec![self.service_uuid.clone()]
    }

    #[zbus(property)]
    fn service_data(&self) -> HashMap<String, Variant<'_>> {
        let data = self.service_data.iter();
        data.map(|data| (self.service_uuid.clone(), Variant::from(data.clone()))).collect()
    }

    #[zbus(property)]
    fn min_interval(&self) -> u32 {
        INTERVAL_MILLIS.0
    }

    #[zbus(property)]
    fn max_interval(&self) -> u32 {
        INTERVAL_MILLIS.1
    }
}

/// What BlueZ has registered, by the number of the registration.
#[derive(Clone, Copy)]
struct Registered {
    plan: u64,
    number: u64,
    generation: u64,
}

struct Advertiser {
    options: BluezOptions,
    /// What a read is answered with.
    served: Served,
    events: mpsc::UnboundedSender<RadioEvent>,
    released: mpsc::UnboundedSender<u64>,
    wanted: Option<AdvertisePlan>,
    registered: Option<Registered>,
    /// Registrations that were lost with the adapter. BlueZ keeps those of an adapter that is
    /// switched off, and would put them on the air again beside the next one.
    lost: Vec<Registered>,
    registrations: u64,
}

/// Carries out orders until there are no more, then takes everything off the air.
pub(super) async fn run(
    options: BluezOptions,
    mut link: watch::Receiver<Link>,
    served: Served,
    mut orders: mpsc::UnboundedReceiver<Option<AdvertisePlan>>,
    events: mpsc::UnboundedSender<RadioEvent>,
) {
    let (released, mut releases) = mpsc::unbounded_channel();
    let mut advertiser = Advertiser {
        options,
        served,
        events,
        released,
        wanted: None,
        registered: None,
        lost: Vec::new(),
        registrations: 0,
    };
    let mut watched = true;
    loop {
        tokio::select! {
            order = orders.recv() => match order {
                Some(wanted) => advertiser.wanted = wanted,
                None => break,
            },
            changed = link.changed(), if watched => watched = changed.is_ok(),
            Some(number) = releases.recv() => {
                if advertiser.registered.as_ref().is_some_and(|registered| registered.number == number) {
                    advertiser.registered = None;
                    tokio::time::sleep(AFTER_RELEASE).await;
                }
            }
        }
        // Of several orders at once only the last one counts.
        while let Ok(wanted) = orders.try_recv() {
            advertiser.wanted = wanted;
        }
        let current = link.borrow_and_update().clone();
        advertiser.settle(&current).await;
    }
    advertiser.wanted = None;
    let current = link.borrow().clone();
    advertiser.settle(&current).await;
}

impl Advertiser {
    /// Makes what is on the air what is wanted, as far as the adapter lets it.
    async fn settle(&mut self, link: &Link) {
        let Some(connection) = link.ready() else {
            self.lost.extend(self.registered.take());
            if let Some(connection) = &link.connection {
                // At once, so that it is gone before the adapter is switched on again.
                let _ = self.unregister_lost(connection).await;
            }
            return;
        };
        if let Some(registered) = self.registered {
            let is_wanted = self.wanted.is_some_and(|plan| plan.number == registered.plan);
            if is_wanted && registered.generation == link.generation {
                return;
            }
            self.registered = None;
            self.lost.push(registered);
        }
        if let Err(reason) = self.unregister_lost(connection).await {
            // Something old may still be on the air: nothing new may come beside it.
            if let Some(plan) = self.wanted.take() {
                let plan = plan.number;
                tell(&self.events, RadioEvent::AdvertisingFailed { plan, reason });
            }
            return;
        }
        let Some(plan) = self.wanted else { return };
        self.registrations += 1;
        let number = self.registrations;
        match self.register(connection, &plan, number).await {
            Ok(()) => {
                let generation = link.generation;
                self.registered = Some(Registered { plan: plan.number, number, generation });
                tell(&self.events, RadioEvent::AdvertisingStarted { plan: plan.number });
            }
            Err(reason) => {
                self.wanted = None;
                let plan = plan.number;
                tell(&self.events, RadioEvent::AdvertisingFailed { plan, reason });
            }
        }
    }

    /// Succeeds if nothing that was registered before can be on the air.
    async fn unregister_lost(&mut self, connection: &Connection) -> Result<(), RadioFault> {
        while let Some(lost) = self.lost.last() {
            self.unregister(connection, lost.number).await?;
            self.lost.pop();
        }
        Ok(())
    }

    async fn register(
        &self,
        connection: &Connection,
        plan: &AdvertisePlan,
        number: u64,
    ) -> Result<(), RadioFault> {
        const CALL: &str = "RegisterAdvertisement";
        let path = path_of(number);
        let payload = plan.payload.to_service_data();
        let (kind, service_uuid, service_data) = match self.options.serves() {
            Some(gatt) => ("peripheral", gatt.service.clone(), None),
            None => ("broadcast", broadcast_uuid(&self.options), Some(payload.to_vec())),
        };
        let released = self.released.clone();
        let advertisement = Advertisement { kind, service_uuid, service_data, released, number };
        self.served.set(Some(payload));
        let server = connection.object_server();
        server.at(path.as_str(), advertisement).await.map_err(|error| refused(CALL, &error))?;
        let outcome = self.call(connection, CALL, number, true).await;
        if outcome.is_err() {
            self.served.set(None);
            let _ = server.remove::<Advertisement, _>(path.as_str()).await;
        }
        outcome
    }

    /// Succeeds if the payload is certainly off the air.
    async fn unregister(&self, connection: &Connection, number: u64) -> Result<(), RadioFault> {
        const CALL: &str = "UnregisterAdvertisement";
        self.served.set(None);
        let outcome = self.call(connection, CALL, number, false).await;
        let path = path_of(number);
        let _ = connection.object_server().remove::<Advertisement, _>(path.as_str()).await;
        match outcome {
            // Nor can anything be on the air of a service or an adapter that does not exist.
            Err(RadioFault::Refused { error, .. }) if GONE.contains(&error.as_str()) => Ok(()),
            outcome => outcome,
        }
    }

    async fn call(
        &self,
        connection: &Connection,
        call: &'static str,
        number: u64,
        with_options: bool,
    ) -> Result<(), RadioFault> {
        let call_manager = async {
            let manager = Proxy::new(
                connection,
                SERVICE,
                self.options.path(),
                "org.bluez.LEAdvertisingManager1",
            )
            .await?;
            let path = path_of(number);
            let path = ObjectPath::try_from(path.as_str())?;
            if with_options {
                let options: HashMap<&str, Variant<'_>> = HashMap::new();
                manager.call_method(call, &(&path, options)).await?;
            } else {
                manager.call_method(call, &(&path,)).await?;
            }
            zbus::Result::Ok(())
        };
        call_manager.await.map_err(|error| refused(call, &error))
    }
}

fn broadcast_uuid(options: &BluezOptions) -> String {
    format!("0000{:04x}-0000-1000-8000-00805f9b34fb", options.format.service_uuid)
}

fn path_of(number: u64) -> String {
    format!("/dev/chikaku/advertisement/{number}")
}
