//! Which system a phone runs, and what it lets an ordinary app do with Bluetooth.

use chikaku_core::time::Timestamp;
use serde::Deserialize;

/// What a phone runs.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum System {
    /// A service that broadcasts and scans, whatever is on the screen.
    #[default]
    Android,
    /// An app that may broadcast no service data, and does little while nobody looks at it.
    Ios {
        /// From when to when it is on the screen; the second is no longer part of it.
        foreground: Vec<[Timestamp; 2]>,
    },
}

/// The systems as scenario files name them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum SystemWord {
    #[default]
    Android,
    Ios,
}

/// What an app may do at one instant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AppState {
    /// Android's service runs.
    Service,
    /// iOS, on the screen.
    Foreground,
    /// iOS, not on the screen, or the phone is locked.
    Background,
}

/// How a payload gets from one phone to another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Carrier {
    /// In every advertisement.
    Broadcast,
    /// Read over a connection to who advertises the service.
    Gatt {
        /// The system that listens lets few advertisements through.
        thinned: bool,
    },
}

impl System {
    /// What the app may do at `instant`.
    #[must_use]
    pub fn state_at(&self, instant: Timestamp) -> AppState {
        match self {
            Self::Android => AppState::Service,
            Self::Ios { foreground } => {
                let is_on = foreground.iter().any(|[from, to]| *from <= instant && instant < *to);
                if is_on { AppState::Foreground } else { AppState::Background }
            }
        }
    }
}

impl AppState {
    /// How who listens in this state gets the payload of `other`; `None` if not at all. The two
    /// platforms' rules, as the README's table has them; no phone has been measured.
    #[must_use]
    pub const fn hears(self, other: Self) -> Option<Carrier> {
        match (self, other) {
            (Self::Service, Self::Service) => Some(Carrier::Broadcast),
            (Self::Service, Self::Foreground) | (Self::Foreground, _) => {
                Some(Carrier::Gatt { thinned: false })
            }
            (Self::Background, Self::Service | Self::Foreground) => {
                Some(Carrier::Gatt { thinned: true })
            }
            // In the background, iOS advertises services where only an iPhone on the screen looks.
            (Self::Service | Self::Background, Self::Background) => None,
        }
    }
}
