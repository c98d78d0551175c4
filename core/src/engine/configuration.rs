//! Everything an app team may choose, with COCOA's production values as the default.

use crate::advertisement::AdvertisementFormat;
use crate::clock::ClockRules;
use crate::diary::DiaryRules;
use crate::engine::plan::ScanSchedule;
use crate::export::{Limits, TrustedKeys};
use crate::exposure::WindowRules;
use crate::flood::FloodLimits;
use crate::matching::MatchingRules;
use crate::metadata::{BluetoothMetadata, CalibrationConfidence, MetadataVersion};
use crate::publish::Endpoint;
use crate::risk::RiskProfile;
use crate::signal::TransmitPowerDbm;
use crate::status::StatusRules;
use crate::validation::Requirements;
use crate::venue::{PackageLimits, VenueRules};

/// The engine's configuration.
#[derive(Clone, Debug)]
pub struct EngineConfiguration {
    /// The app team's name for the profile, for the daily records.
    pub version: Option<String>,
    /// Service UUID of the advertisement.
    pub advertisement_format: AdvertisementFormat,
    /// Version, calibration confidence and radiated transmit power of this phone's model.
    pub metadata: BluetoothMetadata,
    /// Length and spacing of scans.
    pub scan_schedule: ScanSchedule,
    /// How much is kept of a scan and of a day.
    pub flood: FloodLimits,
    /// Tolerances of matching.
    pub matching: MatchingRules,
    /// Constants of window building, with this model's signal correction.
    pub windows: WindowRules,
    /// What a key's details mean, how a day is scored, and when it is High, until another profile
    /// is accepted ([`Input::Configure`](super::Input::Configure)). One that does not meet the
    /// requirements is a reason in the status.
    pub profile: RiskProfile,
    /// What configurations are held against.
    pub requirements: Requirements,
    /// Whose key files and packages of venue warnings are believed. Without a key every one is
    /// refused.
    pub trusted_keys: TrustedKeys,
    /// How large a key file may be.
    pub limits: Limits,
    /// How many key files are matched a day; `None` for all. Six beside a framework that allows
    /// no more.
    pub key_files_per_day: Option<u32>,
    /// How a wrong clock is told from a right one.
    pub clock: ClockRules,
    /// From when on something counts as wrong.
    pub status: StatusRules,
    /// How large a package of venue warnings may be.
    pub package_limits: PackageLimits,
    /// When a visit is worth telling.
    pub venue_rules: VenueRules,
    /// The rules of the recuperation diary.
    pub diary_rules: DiaryRules,
    /// The server that takes keys; `None` if the app publishes by itself, or not at all.
    pub upload_endpoint: Option<Endpoint>,
    /// For how many times 24 hours anything is kept.
    pub retention_days: u32,
}

impl EngineConfiguration {
    /// The rules of `profile`, for a model whose radiated power is `transmit_power`.
    #[must_use]
    pub fn new(
        profile: RiskProfile,
        transmit_power: TransmitPowerDbm,
        trusted_keys: TrustedKeys,
    ) -> Self {
        Self {
            version: None,
            advertisement_format: AdvertisementFormat::default(),
            metadata: BluetoothMetadata {
                version: MetadataVersion::V1_1(CalibrationConfidence::Lowest),
                transmit_power,
            },
            scan_schedule: ScanSchedule::default(),
            flood: FloodLimits::default(),
            matching: MatchingRules::default(),
            windows: WindowRules::default(),
            profile,
            requirements: Requirements::default(),
            trusted_keys,
            limits: Limits::default(),
            key_files_per_day: None,
            clock: ClockRules::default(),
            status: StatusRules::default(),
            package_limits: PackageLimits::default(),
            venue_rules: VenueRules::default(),
            diary_rules: DiaryRules::builtin(),
            upload_endpoint: None,
            retention_days: 14,
        }
    }

    /// COCOA's production rules, without its faults.
    #[must_use]
    pub fn cocoa(transmit_power: TransmitPowerDbm, trusted_keys: TrustedKeys) -> Self {
        Self::new(RiskProfile::cocoa_v2(), transmit_power, trusted_keys)
    }
}
