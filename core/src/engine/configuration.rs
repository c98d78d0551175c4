//! Everything an app team may choose, with COCOA's production values as the default.

use crate::advertisement::AdvertisementFormat;
use crate::engine::plan::ScanSchedule;
use crate::export::{Limits, TrustedKeys};
use crate::exposure::WindowRules;
use crate::matching::MatchingRules;
use crate::metadata::{BluetoothMetadata, CalibrationConfidence, MetadataVersion};
use crate::risk::cocoa::RiskCalculationConfiguration;
use crate::risk::daily_summary::DailySummariesConfig;
use crate::risk::mapping::DiagnosisKeysDataMapping;
use crate::signal::TransmitPowerDbm;

/// The engine's configuration.
#[derive(Clone, Debug)]
pub struct EngineConfiguration {
    /// Service UUID of the advertisement.
    pub advertisement_format: AdvertisementFormat,
    /// Version, calibration confidence and radiated transmit power of this phone's model.
    pub metadata: BluetoothMetadata,
    /// Length and spacing of scans.
    pub scan_schedule: ScanSchedule,
    /// Tolerances of matching.
    pub matching: MatchingRules,
    /// Constants of window building, with this model's signal correction.
    pub windows: WindowRules,
    /// What a key's details, and their absence, mean.
    pub mapping: DiagnosisKeysDataMapping,
    /// Weights of the daily summary.
    pub daily_summaries: DailySummariesConfig,
    /// When a day is High.
    pub risk: RiskCalculationConfiguration,
    /// Whose key files are believed. Without a key every file is refused.
    pub trusted_keys: TrustedKeys,
    /// How large a key file may be.
    pub limits: Limits,
    /// For how many times 24 hours anything is kept.
    pub retention_days: u32,
}

impl EngineConfiguration {
    /// COCOA's production rules, for a model whose radiated power is `transmit_power`.
    #[must_use]
    pub fn cocoa(transmit_power: TransmitPowerDbm, trusted_keys: TrustedKeys) -> Self {
        Self {
            advertisement_format: AdvertisementFormat::default(),
            metadata: BluetoothMetadata {
                version: MetadataVersion::V1_1(CalibrationConfidence::Lowest),
                transmit_power,
            },
            scan_schedule: ScanSchedule::default(),
            matching: MatchingRules::default(),
            windows: WindowRules::default(),
            mapping: DiagnosisKeysDataMapping::cocoa(),
            daily_summaries: DailySummariesConfig::cocoa(),
            risk: RiskCalculationConfiguration::cocoa(),
            trusted_keys,
            limits: Limits::default(),
            retention_days: 14,
        }
    }
}
