//! The characteristic that answers a read with the payload.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use chikaku_core::advertisement::SERVICE_DATA_LENGTH;
use tokio::sync::watch;
use zbus::{Connection, ObjectPath, Proxy, Variant};

use super::adapter::Link;
use super::{GattCarrier, SERVICE};

const ROOT: &str = "/dev/chikaku/gatt";
const SERVICE_PATH: &str = "/dev/chikaku/gatt/service";
const CHARACTERISTIC_PATH: &str = "/dev/chikaku/gatt/service/payload";

/// What a read is answered with: the payload of the plan that is on the air, and nothing otherwise.
#[derive(Clone, Default)]
pub(super) struct Served(Arc<Mutex<Option<[u8; SERVICE_DATA_LENGTH]>>>);

impl Served {
    pub(super) fn set(&self, payload: Option<[u8; SERVICE_DATA_LENGTH]>) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = payload;
    }

    fn get(&self) -> Option<[u8; SERVICE_DATA_LENGTH]> {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

struct GattService {
    uuid: String,
}

#[zbus::interface(name = "org.bluez.GattService1")]
impl GattService {
    #[zbus(property, name = "UUID")]
    fn uuid(&self) -> String {
        self.uuid.clone()
    }

    #[zbus(property)]
    fn primary(&self) -> bool {
        true
    }
}

struct GattCharacteristic {
    uuid: String,
    served: Served,
}

/// The errors by which BlueZ tells the reader.
#[derive(Debug, zbus::DBusError)]
#[zbus(prefix = "org.bluez.Error")]
enum ReadError {
    #[zbus(error)]
    ZBus(zbus::Error),
    NotPermitted(String),
    InvalidOffset(String),
}

#[zbus::interface(name = "org.bluez.GattCharacteristic1")]
impl GattCharacteristic {
    fn read_value(&self, options: HashMap<String, Variant<'_>>) -> Result<Vec<u8>, ReadError> {
        let nothing = || ReadError::NotPermitted("nothing is on the air".to_owned());
        let payload = self.served.get().ok_or_else(nothing)?;
        let offset = match options.get("offset") {
            Some(Variant::U16(offset)) => usize::from(*offset),
            _ => 0,
        };
        let rest = payload.get(offset..).map(<[u8]>::to_vec);
        rest.ok_or_else(|| ReadError::InvalidOffset("behind the payload".to_owned()))
    }

    #[zbus(property, name = "UUID")]
    fn uuid(&self) -> String {
        self.uuid.clone()
    }

    #[zbus(property)]
    fn service(&self) -> ObjectPath<'static> {
        ObjectPath::from_static_str_unchecked(SERVICE_PATH)
    }

    #[zbus(property)]
    fn flags(&self) -> Vec<String> {
        vec!["read".to_owned()]
    }
}

/// Keeps the service registered for as long as the adapter can be used, again and again.
pub(super) async fn run(
    adapter: String,
    gatt: GattCarrier,
    served: Served,
    mut link: watch::Receiver<Link>,
) {
    let mut registered = 0;
    loop {
        let current = link.borrow_and_update().clone();
        if let Some(connection) = current.ready()
            && current.generation != registered
            && register(connection, &adapter, &gatt, &served).await.is_ok()
        {
            registered = current.generation;
        }
        if link.changed().await.is_err() {
            return;
        }
    }
}

async fn register(
    connection: &Connection,
    adapter: &str,
    gatt: &GattCarrier,
    served: &Served,
) -> zbus::Result<()> {
    let server = connection.object_server();
    let uuid = gatt.characteristic.clone();
    // `false` says that it is there already.
    server.at(ROOT, zbus::fdo::ObjectManager).await?;
    server.at(SERVICE_PATH, GattService { uuid: gatt.service.clone() }).await?;
    let served = served.clone();
    server.at(CHARACTERISTIC_PATH, GattCharacteristic { uuid, served }).await?;
    let manager = Proxy::new(connection, SERVICE, adapter, "org.bluez.GattManager1").await?;
    let options: HashMap<&str, Variant<'_>> = HashMap::new();
    let root = ObjectPath::try_from(ROOT)?;
    match manager.call_method("RegisterApplication", &(&root, options)).await {
        // An adapter that was only switched off has kept it.
        Err(zbus::Error::MethodError(name, _, _))
            if name.as_str() == "org.bluez.Error.AlreadyExists" =>
        {
            Ok(())
        }
        outcome => outcome.map(drop),
    }
}
