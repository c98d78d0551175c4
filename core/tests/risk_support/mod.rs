//! Keys, windows and sightings for the tests of the risk profiles.

#![allow(dead_code, unreachable_pub, reason = "each test file uses its part")]
#![allow(clippy::unwrap_used, reason = "a test's own data is right or the test fails")]

pub mod configurations;

use chikaku_core::diagnosis_key::{DaysSinceOnset, DiagnosisKey, DiagnosisKeyDetails, ReportType};
use chikaku_core::exposure::{
    ExposureWindow, MeasuredSighting, ScanInstance, WindowOrigin, WindowRules, exposure_windows,
};
use chikaku_core::risk::{Infectiousness, KeyEvidence};
use chikaku_core::signal::AttenuationDb;
use chikaku_core::time::{RollingPeriod, Timestamp, UtcDay};

/// 2022-01-12, the day of the sample documents.
pub const DAY: UtcDay = UtcDay::new(19_004);

/// A key with everything that was heard of it.
#[derive(Clone, Debug)]
pub struct Heard {
    pub key: DiagnosisKey,
    pub windows: Vec<ExposureWindow>,
    pub sightings: Vec<MeasuredSighting>,
}

impl Heard {
    /// A key of `DAY` that says nothing about itself.
    pub fn key(number: u8) -> Self {
        Self::with_details(number, DiagnosisKeyDetails::default())
    }

    pub fn with_details(number: u8, details: DiagnosisKeyDetails) -> Self {
        Self::starting(number, DAY, details)
    }

    pub fn starting(number: u8, day: UtcDay, details: DiagnosisKeyDetails) -> Self {
        let start = day.first_interval();
        let key = DiagnosisKey::new([number; 16], start, RollingPeriod::DAY, details);
        Self { key, windows: Vec::new(), sightings: Vec::new() }
    }

    /// With a window that is highly infectious and confirmed by test.
    pub fn window(self, start: Timestamp, scans: &[(u16, u32)]) -> Self {
        let origin = WindowOrigin {
            key: self.key.hash(),
            report_type: ReportType::ConfirmedTest,
            infectiousness: Infectiousness::High,
        };
        let scans: Vec<_> = scans.iter().map(|&(db, seconds)| (db, db, seconds)).collect();
        self.window_from(start, &scans, origin)
    }

    /// With a window of (least attenuation, typical attenuation, seconds).
    pub fn window_from(
        mut self,
        start: Timestamp,
        scans: &[(u16, u16, u32)],
        origin: WindowOrigin,
    ) -> Self {
        let first = sighting(start, None, 0);
        let mut window = exposure_windows(&[first], &origin, &WindowRules::default()).remove(0);
        let instance = |&(minimum, typical, seconds): &(u16, u16, u32)| ScanInstance {
            minimum_attenuation: AttenuationDb::from_db(minimum),
            typical_attenuation: AttenuationDb::from_db(typical),
            seconds_since_last_scan: seconds,
        };
        window.scan_instances = scans.iter().map(instance).collect();
        self.windows.push(window);
        self
    }

    /// With a sighting every `every` seconds from `start`, `count` times.
    pub fn sightings(mut self, start: Timestamp, every: u32, count: u32, db: u16) -> Self {
        for number in 0..count {
            let heard_at = start.saturating_add(number * every);
            self.sightings.push(sighting(heard_at, Some(heard_at.saturating_sub(every)), db));
        }
        self
    }

    pub fn evidence(&self) -> KeyEvidence<'_> {
        KeyEvidence { key: &self.key, windows: &self.windows, sightings: &self.sightings }
    }
}

pub fn evidence(heard: &[Heard]) -> Vec<KeyEvidence<'_>> {
    heard.iter().map(Heard::evidence).collect()
}

pub fn sighting(heard_at: Timestamp, before: Option<Timestamp>, db: u16) -> MeasuredSighting {
    MeasuredSighting {
        heard_at,
        previous_scan_ended: before,
        attenuation: AttenuationDb::from_db(db),
        calibration_confidence: None,
    }
}

pub fn transmission_risk(level: Option<u8>) -> DiagnosisKeyDetails {
    DiagnosisKeyDetails { transmission_risk_level: level, ..DiagnosisKeyDetails::default() }
}

pub fn days_since_onset(days: i32) -> DiagnosisKeyDetails {
    let days_since_onset = Some(DaysSinceOnset::new(days).unwrap());
    DiagnosisKeyDetails { days_since_onset, ..DiagnosisKeyDetails::default() }
}

pub fn at(seconds: i64) -> Timestamp {
    Timestamp::from_unix_seconds(seconds).unwrap()
}

/// Equal but for the rounding of the last digits.
pub fn close(one: f64, other: f64) -> bool {
    (one - other).abs() <= 1e-9 * one.abs().max(other.abs()).max(1.0)
}
