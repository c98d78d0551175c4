//! Why a phone does not take part, or not fully.

use serde::{Deserialize, Serialize};

use super::State;
use crate::time::Timestamp;

/// Who can remove a reason.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FixableBy {
    /// The user, in the settings.
    User,
    /// The app, or whoever operates its servers.
    App,
    /// Nobody: time passes, or the phone cannot.
    Nobody,
}

/// Something that only the host can know.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
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

/// One thing that is wrong. [`Reason::code`] never changes; new reasons may come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(tag = "code", rename_all = "snake_case")]
#[non_exhaustive]
pub enum Reason {
    /// The user has switched tracing off.
    SwitchedOff,
    /// The phone cannot broadcast or scan.
    Unsupported,
    /// Bluetooth is off.
    BluetoothOff,
    /// A permission that broadcasting or scanning needs is missing.
    PermissionMissing,
    /// The location service is off on a system that delivers no scan results without it.
    LocationOff,
    /// The encounter log cannot be written: nothing is remembered.
    LogFailed,
    /// The encounter log is full: nothing more is remembered.
    LogFull,
    /// The radio refused the advertisement: others do not hear this phone.
    AdvertisingRefused,
    /// The host has not confirmed that the advertisement is on the air.
    AdvertisingUnconfirmed,
    /// Scans that were due did not happen.
    ScansMissing {
        /// For how many minutes.
        minutes: u32,
    },
    /// Less of the last day was scanned than the configuration asks for.
    LowCoverage {
        /// Minutes scanned of a hundred planned.
        percent: u8,
    },
    /// The wall clock jumped and nobody has said what is right. What is heard does not count
    /// until a trusted time is passed in.
    ClockSuspect,
    /// The wall clock is known to be wrong. What is heard is corrected.
    ClockWrong {
        /// By how many seconds it is ahead; negative if behind.
        ahead_seconds: i64,
    },
    /// No key is trusted: every key file is refused.
    NoTrustedKey,
    /// Nothing has been matched yet.
    NeverMatched,
    /// Nothing has been matched for too long.
    KeyFilesStale {
        /// The last time.
        since: Timestamp,
    },
    /// Key files that are listed could not be fetched.
    KeyFilesMissing {
        /// How many.
        missing: u32,
        /// Of how many listed.
        listed: u32,
    },
    /// Key files were refused: broken, too large, or not signed by a trusted key.
    KeyFilesRefused {
        /// How many.
        refused: u32,
    },
    /// Under the configuration in force contacts that must notify do not, or the other way round:
    /// the app was built with one that does not pass validation.
    ConfigurationInvalid,
    /// A new configuration was refused; the one before it stays in force.
    ConfigurationRejected,
    /// Matching has to wait for a quota.
    Throttled {
        /// Until then.
        until: Timestamp,
    },
    /// Notifications may not be shown: the user would not learn of a High day.
    NotificationsOff,
    /// The host has not said what only it can know.
    Unreported {
        /// What it has not said.
        fact: HostFact,
    },
}

impl Reason {
    /// The state that this reason alone would cause.
    #[must_use]
    pub const fn state(&self) -> State {
        match self {
            Self::SwitchedOff
            | Self::Unsupported
            | Self::BluetoothOff
            | Self::PermissionMissing
            | Self::LocationOff
            | Self::LogFailed
            | Self::LogFull => State::Stopped,
            Self::AdvertisingRefused
            | Self::AdvertisingUnconfirmed
            | Self::ScansMissing { .. }
            | Self::LowCoverage { .. }
            | Self::ClockSuspect
            | Self::ClockWrong { .. }
            | Self::NoTrustedKey
            | Self::NeverMatched
            | Self::KeyFilesStale { .. }
            | Self::KeyFilesMissing { .. }
            | Self::KeyFilesRefused { .. }
            | Self::ConfigurationInvalid
            | Self::ConfigurationRejected
            | Self::Throttled { .. }
            | Self::NotificationsOff
            | Self::Unreported { .. } => State::Degraded,
        }
    }

    /// Names the reason in logs, exports and support mail, for ever. The same word tags the
    /// serialised reason.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::SwitchedOff => "switched_off",
            Self::Unsupported => "unsupported",
            Self::BluetoothOff => "bluetooth_off",
            Self::PermissionMissing => "permission_missing",
            Self::LocationOff => "location_off",
            Self::LogFailed => "log_failed",
            Self::LogFull => "log_full",
            Self::AdvertisingRefused => "advertising_refused",
            Self::AdvertisingUnconfirmed => "advertising_unconfirmed",
            Self::ScansMissing { .. } => "scans_missing",
            Self::LowCoverage { .. } => "low_coverage",
            Self::ClockSuspect => "clock_suspect",
            Self::ClockWrong { .. } => "clock_wrong",
            Self::NoTrustedKey => "no_trusted_key",
            Self::NeverMatched => "never_matched",
            Self::KeyFilesStale { .. } => "key_files_stale",
            Self::KeyFilesMissing { .. } => "key_files_missing",
            Self::KeyFilesRefused { .. } => "key_files_refused",
            Self::ConfigurationInvalid => "configuration_invalid",
            Self::ConfigurationRejected => "configuration_rejected",
            Self::Throttled { .. } => "throttled",
            Self::NotificationsOff => "notifications_off",
            Self::Unreported { .. } => "unreported",
        }
    }

    /// Who can remove it.
    #[must_use]
    pub const fn fixable_by(&self) -> FixableBy {
        match self {
            // A full log is a full phone; a wrong clock is set in the settings.
            Self::SwitchedOff
            | Self::BluetoothOff
            | Self::PermissionMissing
            | Self::LocationOff
            | Self::LogFull
            | Self::ClockWrong { .. }
            | Self::NotificationsOff => FixableBy::User,
            Self::LogFailed
            | Self::AdvertisingUnconfirmed
            | Self::ScansMissing { .. }
            | Self::LowCoverage { .. }
            | Self::ClockSuspect
            | Self::NoTrustedKey
            | Self::NeverMatched
            | Self::KeyFilesStale { .. }
            | Self::KeyFilesMissing { .. }
            | Self::KeyFilesRefused { .. }
            | Self::ConfigurationInvalid
            | Self::ConfigurationRejected
            | Self::Unreported { .. } => FixableBy::App,
            Self::Unsupported | Self::AdvertisingRefused | Self::Throttled { .. } => {
                FixableBy::Nobody
            }
        }
    }
}
