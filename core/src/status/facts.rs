//! What is known about the phone, by the host and by the engine.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::coverage::ScanCoverage;
use super::{HostFact, Reason};
use crate::time::Timestamp;

/// Everything a status is concluded from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Facts {
    /// The present.
    pub now: Timestamp,
    /// What counts as wrong.
    pub rules: StatusRules,
    /// What the host has reported.
    pub host: HostFacts,
    /// What the engine knows itself.
    pub engine: EngineFacts,
}

/// From when on something counts as wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct StatusRules {
    /// Minutes scanned of a hundred planned that are enough.
    pub sufficient_coverage_percent: u8,
    /// How long nothing may be matched, in seconds.
    pub stale_key_files_seconds: u32,
}

impl Default for StatusRules {
    /// 80 %, and two days: COCOA matched every four hours and called a day without it an error.
    fn default() -> Self {
        Self { sufficient_coverage_percent: 80, stale_key_files_seconds: 2 * 86_400 }
    }
}

/// The location service, which some systems require for scanning (Android to version 11).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LocationFact {
    /// This system scans without it.
    NotNeeded,
    /// Needed and on.
    On,
    /// Needed and off.
    Off,
}

/// What only the host can know. `None`: it has not said.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct HostFacts {
    /// The phone can broadcast and scan.
    pub supported: Option<bool>,
    /// Bluetooth is on.
    pub bluetooth_on: Option<bool>,
    /// All permissions for broadcasting and scanning are granted.
    pub permission_granted: Option<bool>,
    /// The location service.
    pub location: Option<LocationFact>,
    /// Notifications may be shown.
    pub notifications_allowed: Option<bool>,
}

/// This phone's own advertisement.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AdvertisingFact {
    /// Planned, and not confirmed by the host in the time a radio needs.
    #[default]
    Unconfirmed,
    /// On the air.
    Confirmed,
    /// The radio refused it.
    Refused,
}

/// The wall clock.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ClockFact {
    /// Nothing speaks against it, or it was measured and is right.
    #[default]
    Good,
    /// [`ClockWatch::is_suspect`](crate::clock::ClockWatch::is_suspect).
    Suspect,
    /// [`ClockWatch::wall_ahead_seconds`](crate::clock::ClockWatch::wall_ahead_seconds).
    Wrong {
        /// Seconds ahead of the truth; negative if behind.
        ahead_seconds: i64,
    },
}

/// The encounter log.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LogFact {
    /// The last commit succeeded.
    #[default]
    Good,
    /// There is no room.
    Full,
    /// The last commit failed.
    Failed,
}

/// The key files of the last run.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeyFileFacts {
    /// How many the sources listed.
    pub listed: u32,
    /// Of these, how many could not be fetched.
    pub missing: u32,
    /// How many were fetched and refused.
    pub refused: u32,
    /// When a file was last matched; `None` if never.
    pub last_matched: Option<Timestamp>,
}

/// What the engine knows about itself.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct EngineFacts {
    /// The user has switched tracing on.
    pub switched_on: bool,
    /// The own advertisement.
    pub advertising: AdvertisingFact,
    /// [`Coverage::scans_missing`](super::coverage::Coverage::scans_missing).
    pub scans_missing_seconds: Option<u64>,
    /// Coverage of the last complete day; `None` if there was none.
    pub coverage: Option<ScanCoverage>,
    /// The wall clock.
    pub clock: ClockFact,
    /// The encounter log.
    pub log: LogFact,
    /// How many keys of publishers are trusted.
    pub trusted_keys: u32,
    /// Key files.
    pub key_files: KeyFileFacts,
    /// The last configuration was refused and the one before it is in force.
    pub configuration_rejected: bool,
    /// The configuration in force does not meet the requirements.
    pub configuration_invalid: bool,
    /// Until when a quota keeps from matching.
    pub throttled_until: Option<Timestamp>,
    /// When the last scan ended.
    pub last_scan: Option<Timestamp>,
    /// When the engine wants to be called next.
    pub next_due: Option<Timestamp>,
}

impl Facts {
    pub(super) fn reasons(&self) -> BTreeSet<Reason> {
        let mut reasons = BTreeSet::new();
        self.host.add_to(&mut reasons);
        self.add_radio(&mut reasons);
        self.add_key_files(&mut reasons);
        let engine = &self.engine;
        match engine.clock {
            ClockFact::Good | ClockFact::Wrong { ahead_seconds: 0 } => None,
            ClockFact::Suspect => Some(Reason::ClockSuspect),
            ClockFact::Wrong { ahead_seconds } => Some(Reason::ClockWrong { ahead_seconds }),
        }
        .map(|reason| reasons.insert(reason));
        match engine.log {
            LogFact::Good => None,
            LogFact::Full => Some(Reason::LogFull),
            LogFact::Failed => Some(Reason::LogFailed),
        }
        .map(|reason| reasons.insert(reason));
        if engine.configuration_invalid {
            reasons.insert(Reason::ConfigurationInvalid);
        }
        if engine.configuration_rejected {
            reasons.insert(Reason::ConfigurationRejected);
        }
        if let Some(until) = engine.throttled_until.filter(|until| *until > self.now) {
            reasons.insert(Reason::Throttled { until });
        }
        reasons
    }

    /// While the user has switched tracing off, the radio is silent because it was told to be.
    fn add_radio(&self, reasons: &mut BTreeSet<Reason>) {
        let engine = &self.engine;
        if !engine.switched_on {
            reasons.insert(Reason::SwitchedOff);
            return;
        }
        match engine.advertising {
            AdvertisingFact::Confirmed => {}
            AdvertisingFact::Unconfirmed => {
                reasons.insert(Reason::AdvertisingUnconfirmed);
            }
            AdvertisingFact::Refused => {
                reasons.insert(Reason::AdvertisingRefused);
            }
        }
        if let Some(seconds) = engine.scans_missing_seconds {
            let minutes = u32::try_from(seconds.div_ceil(60)).unwrap_or(u32::MAX);
            reasons.insert(Reason::ScansMissing { minutes });
        }
        let percent = engine.coverage.and_then(|coverage| coverage.percent());
        if let Some(percent) = percent
            && percent < self.rules.sufficient_coverage_percent
        {
            reasons.insert(Reason::LowCoverage { percent });
        }
    }

    fn add_key_files(&self, reasons: &mut BTreeSet<Reason>) {
        let files = &self.engine.key_files;
        if self.engine.trusted_keys == 0 {
            reasons.insert(Reason::NoTrustedKey);
        }
        match files.last_matched {
            None => {
                reasons.insert(Reason::NeverMatched);
            }
            Some(since) => {
                let age = self.now.seconds_since(since);
                if age > i64::from(self.rules.stale_key_files_seconds) {
                    reasons.insert(Reason::KeyFilesStale { since });
                }
            }
        }
        if files.missing > 0 {
            let listed = files.listed.max(files.missing);
            reasons.insert(Reason::KeyFilesMissing { missing: files.missing, listed });
        }
        if files.refused > 0 {
            reasons.insert(Reason::KeyFilesRefused { refused: files.refused });
        }
    }
}

impl HostFacts {
    fn add_to(&self, reasons: &mut BTreeSet<Reason>) {
        let location_on = self.location.map(|location| location != LocationFact::Off);
        for (good, wrong, fact) in [
            (self.supported, Reason::Unsupported, HostFact::Supported),
            (self.bluetooth_on, Reason::BluetoothOff, HostFact::Bluetooth),
            (self.permission_granted, Reason::PermissionMissing, HostFact::Permission),
            (location_on, Reason::LocationOff, HostFact::Location),
            (self.notifications_allowed, Reason::NotificationsOff, HostFact::Notifications),
        ] {
            match good {
                Some(true) => {}
                Some(false) => {
                    reasons.insert(wrong);
                }
                None => {
                    reasons.insert(Reason::Unreported { fact });
                }
            }
        }
    }
}
