//! Whether the adapter can be used: watched through restarts of everything around it.

use std::num::NonZeroUsize;
use std::time::Duration;

use futures_util::StreamExt;
use futures_util::stream::select;
use tokio::sync::{mpsc, watch};
use zbus::fdo::{DBusProxy, PropertiesProxy};
use zbus::message::Type;
use zbus::names::{BusName, InterfaceName};
use zbus::{Connection, MatchRule, Message, MessageStream, Variant};

use super::{BluezOptions, SERVICE, tell};
use crate::radio::{RadioCondition, RadioEvent};

/// How often the adapter is looked at even if no signal says that something has changed.
const LOOK_AGAIN: Duration = Duration::from_secs(10);
/// How long to wait before the bus is tried again.
const RECONNECT: Duration = Duration::from_secs(1);
/// How long a call may take. Longer than the slowest registration that was seen (0.6 s).
const CALL_TIMEOUT: Duration = Duration::from_secs(20);
/// Room for signals that come while a call is waited for.
const QUEUE: NonZeroUsize = NonZeroUsize::new(512).unwrap();

const OBJECT_MANAGER: &str = "org.freedesktop.DBus.ObjectManager";
const PROPERTIES: &str = "org.freedesktop.DBus.Properties";
const ADAPTER: &str = "org.bluez.Adapter1";
const ADVERTISING_MANAGER: &str = "org.bluez.LEAdvertisingManager1";

/// The adapter as it stands. A new `generation` says that everything registered before is gone.
#[derive(Clone, Debug, Default)]
pub(super) struct Link {
    pub(super) connection: Option<Connection>,
    pub(super) condition: RadioCondition,
    pub(super) generation: u64,
}

impl Link {
    /// The connection, if the adapter is ready.
    pub(super) fn ready(&self) -> Option<&Connection> {
        self.connection.as_ref().filter(|_| self.condition == RadioCondition::Ready)
    }
}

/// Watches the adapter for as long as anybody wants to know.
pub(super) async fn watch(
    options: BluezOptions,
    link: watch::Sender<Link>,
    events: mpsc::UnboundedSender<RadioEvent>,
) {
    let mut watcher = Watcher { options, link, events, power_on: true };
    loop {
        if let Err(_broken) = watcher.watch_bus().await {
            watcher.set(None, RadioCondition::NoService);
        }
        tokio::time::sleep(RECONNECT).await;
    }
}

/// A connection whose calls do not wait for ever.
async fn connect() -> zbus::Result<Connection> {
    zbus::connection::Builder::system().method_timeout(CALL_TIMEOUT).build().await
}

struct Watcher {
    options: BluezOptions,
    link: watch::Sender<Link>,
    events: mpsc::UnboundedSender<RadioEvent>,
    /// Whether the adapter is to be switched on when it is found off: once each time it appears.
    power_on: bool,
}

impl Watcher {
    /// Until the bus is lost.
    async fn watch_bus(&mut self) -> zbus::Result<()> {
        let connection = connect().await?;
        // Never the signals of devices: there are hundreds a second while somebody scans, and a
        // queue that is full keeps answers from coming in.
        let signal = || MatchRule::builder().msg_type(Type::Signal);
        let owner = signal().sender("org.freedesktop.DBus").member("NameOwnerChanged");
        let owner = owner.add_arg(SERVICE).build()?;
        let objects = signal().sender(SERVICE).interface(OBJECT_MANAGER).build()?;
        let properties = signal().sender(SERVICE).interface(PROPERTIES);
        let properties = properties.path(self.options.path()).build()?;
        let owner = MessageStream::for_match_rule(owner, &connection, Some(QUEUE)).await?;
        let objects = MessageStream::for_match_rule(objects, &connection, Some(QUEUE)).await?;
        let properties =
            MessageStream::for_match_rule(properties, &connection, Some(QUEUE)).await?;
        let mut signals = select(owner, select(objects, properties));
        loop {
            let condition = self.look(&connection).await?;
            self.set(Some(&connection), condition);
            loop {
                match tokio::time::timeout(LOOK_AGAIN, signals.next()).await {
                    Err(_elapsed) => break,
                    Ok(None) => return Ok(()),
                    Ok(Some(message)) => {
                        if let Some(lost) = message.ok().and_then(|message| self.change(&message)) {
                            if let Some(condition) = lost {
                                self.set(Some(&connection), condition);
                            }
                            break;
                        }
                    }
                }
            }
        }
    }

    /// What the adapter is now.
    async fn look(&mut self, connection: &Connection) -> zbus::Result<RadioCondition> {
        let bus = DBusProxy::new(connection).await?;
        if !bus.name_has_owner(BusName::try_from(SERVICE)?).await? {
            self.power_on = true;
            return Ok(RadioCondition::NoService);
        }
        let adapter = PropertiesProxy::builder(connection)
            .destination(SERVICE)
            .path(self.options.path())
            .build()
            .await?;
        let adapter_name = InterfaceName::try_from(ADAPTER)?;
        let powered = match adapter.get(adapter_name.clone(), "Powered").await {
            Ok(powered) => bool::try_from(powered).unwrap_or(false),
            Err(zbus::fdo::Error::AccessDenied(_)) => return Ok(RadioCondition::PermissionDenied),
            Err(_gone) => {
                self.power_on = true;
                return Ok(RadioCondition::NoAdapter);
            }
        };
        if !powered {
            if self.options.power_on && self.power_on {
                // Its answer is the signal that follows; one that cannot be switched on is off.
                let _ = adapter.set(adapter_name, "Powered", &Variant::from(true)).await;
                self.power_on = false;
                let now = adapter.get(InterfaceName::try_from(ADAPTER)?, "Powered").await;
                if now.is_ok_and(|now| bool::try_from(now).unwrap_or(false)) {
                    return Ok(RadioCondition::Ready);
                }
            }
            return Ok(RadioCondition::PoweredOff);
        }
        self.power_on = false;
        let manager = InterfaceName::try_from(ADVERTISING_MANAGER)?;
        match adapter.get_all(manager).await {
            Ok(_) => Ok(RadioCondition::Ready),
            Err(_missing) => Ok(RadioCondition::CannotAdvertise),
        }
    }

    /// Whether a signal says that the adapter has changed, and what it certainly is meanwhile.
    ///
    /// What was lost and came back between two looks is still a loss: it has cost every
    /// registration.
    fn change(&self, message: &Message) -> Option<Option<RadioCondition>> {
        let header = message.header();
        let path = header.path().map_or("", |path| path.as_str());
        match header.member().map_or("", |member| member.as_str()) {
            "NameOwnerChanged" => Some(Some(RadioCondition::NoService)),
            "InterfacesRemoved" => {
                let body = message.body();
                let (path, interfaces): (zbus::ObjectPath<'_>, Vec<String>) =
                    body.deserialize().ok()?;
                let lost = path.as_str() == self.options.path()
                    && interfaces.iter().any(|interface| interface == ADAPTER);
                lost.then_some(Some(RadioCondition::NoAdapter))
            }
            "InterfacesAdded" => {
                let body = message.body();
                let (path, _): (zbus::ObjectPath<'_>, Variant<'_>) = body.deserialize().ok()?;
                (path.as_str() == self.options.path()).then_some(None)
            }
            "PropertiesChanged" if path == self.options.path() => {
                let body = message.body();
                let (interface, changed): (String, std::collections::HashMap<String, Variant<'_>>) =
                    body.deserialize::<(_, _, Vec<String>)>().map(|(i, c, _)| (i, c)).ok()?;
                if interface != ADAPTER {
                    return None;
                }
                match changed.get("Powered")? {
                    Variant::Bool(false) => Some(Some(RadioCondition::PoweredOff)),
                    _ => Some(None),
                }
            }
            _ => None,
        }
    }

    fn set(&self, connection: Option<&Connection>, condition: RadioCondition) {
        let changed = self.link.send_if_modified(|link| {
            if link.condition == condition {
                return false;
            }
            let generation = link.generation + u64::from(condition == RadioCondition::Ready);
            *link = Link { connection: connection.cloned(), condition, generation };
            true
        });
        if changed {
            tell(&self.events, RadioEvent::Condition(condition));
        }
    }
}
