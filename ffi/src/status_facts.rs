//! What only the host knows, and the words of a status.

use chikaku_core::status as core_status;

/// Whether the phone takes part.
#[derive(Clone, Copy, Debug, PartialEq, Eq, uniffi::Enum)]
pub enum TracingState {
    /// Nothing is wrong.
    Working,
    /// The phone takes part, but contacts may be missed, misjudged or not told.
    Degraded,
    /// The phone does not take part.
    Stopped,
}

impl From<core_status::State> for TracingState {
    fn from(state: core_status::State) -> Self {
        match state {
            core_status::State::Working => Self::Working,
            core_status::State::Degraded => Self::Degraded,
            core_status::State::Stopped => Self::Stopped,
        }
    }
}

/// Who can remove a reason.
#[derive(Clone, Copy, Debug, PartialEq, Eq, uniffi::Enum)]
pub enum FixableBy {
    /// The user, in the settings.
    User,
    /// The app, or whoever operates its servers.
    App,
    /// Nobody: time passes, or the phone cannot.
    Nobody,
}

impl From<core_status::FixableBy> for FixableBy {
    fn from(who: core_status::FixableBy) -> Self {
        match who {
            core_status::FixableBy::User => Self::User,
            core_status::FixableBy::App => Self::App,
            core_status::FixableBy::Nobody => Self::Nobody,
        }
    }
}

/// What only the host can know. `None`: it has not said, and the status says so.
#[derive(Clone, Debug, Default, PartialEq, Eq, uniffi::Record)]
pub struct HostFacts {
    /// The phone can broadcast and scan.
    #[uniffi(default = None)]
    pub supported: Option<bool>,
    /// Bluetooth is on.
    #[uniffi(default = None)]
    pub bluetooth_on: Option<bool>,
    /// All permissions for broadcasting and scanning are granted.
    #[uniffi(default = None)]
    pub permission_granted: Option<bool>,
    /// The location service.
    #[uniffi(default = None)]
    pub location: Option<LocationFact>,
    /// Notifications may be shown.
    #[uniffi(default = None)]
    pub notifications_allowed: Option<bool>,
}

/// The location service, without which Android to version 11 delivers no scan results.
#[derive(Clone, Copy, Debug, PartialEq, Eq, uniffi::Enum)]
pub enum LocationFact {
    /// This system scans without it.
    NotNeeded,
    /// Needed and on.
    On,
    /// Needed and off.
    Off,
}

impl From<HostFacts> for core_status::HostFacts {
    fn from(facts: HostFacts) -> Self {
        Self {
            supported: facts.supported,
            bluetooth_on: facts.bluetooth_on,
            permission_granted: facts.permission_granted,
            location: facts.location.map(|location| match location {
                LocationFact::NotNeeded => core_status::LocationFact::NotNeeded,
                LocationFact::On => core_status::LocationFact::On,
                LocationFact::Off => core_status::LocationFact::Off,
            }),
            notifications_allowed: facts.notifications_allowed,
        }
    }
}

/// Something that only the host can know.
#[derive(Clone, Copy, Debug, PartialEq, Eq, uniffi::Enum)]
pub enum HostFact {
    /// Whether the phone can broadcast and scan at all.
    Supported,
    /// Whether Bluetooth is on.
    Bluetooth,
    /// Whether the permissions are granted.
    Permission,
    /// Whether the location service is on, or not needed.
    Location,
    /// Whether notifications may be shown.
    Notifications,
}

impl HostFact {
    pub(crate) const fn of(fact: core_status::HostFact) -> Option<Self> {
        match fact {
            core_status::HostFact::Supported => Some(Self::Supported),
            core_status::HostFact::Bluetooth => Some(Self::Bluetooth),
            core_status::HostFact::Permission => Some(Self::Permission),
            core_status::HostFact::Location => Some(Self::Location),
            core_status::HostFact::Notifications => Some(Self::Notifications),
            _ => None,
        }
    }
}
