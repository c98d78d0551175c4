//! What a rule says about fifteen minutes of scans like one.

use std::collections::BTreeMap;

use chikaku_core::calibration::receiver_correction;
use chikaku_core::diagnosis_key::{DiagnosisKey, DiagnosisKeyDetails, ReportType};
use chikaku_core::exposure::{MeasuredSighting, WindowRules, exposure_windows};
use chikaku_core::risk::{KeyEvidence, RiskLevel, RiskProfile};
use chikaku_core::signal::{AttenuationDb, RssiCorrectionDb};
use chikaku_core::time::{RollingPeriod, UtcDay};

use super::Observation;
use crate::replay::Replay;

/// Three scans, each of which stands for five minutes.
const SCANS: u32 = 3;
const SCAN_SPACING_SECONDS: u32 = 300;
const DAY: UtcDay = UtcDay::new(20_000);
/// What the first generation needs to count a key at all.
const TRANSMISSION_RISK_LEVEL: u8 = 7;

/// Something that tells near from far.
#[derive(Clone, Debug)]
pub struct Rule {
    name: &'static str,
    how: How,
}

#[derive(Clone, Debug)]
enum How {
    Typical,
    Least,
    Profile { profile: Box<RiskProfile>, corrected: bool },
}

impl Rule {
    /// The plain attenuations, every risk profile, and `proximity` with the receiver's correction
    /// from its own log.
    #[must_use]
    pub fn all() -> Vec<Self> {
        let profile = |name, profile, corrected| Self {
            name,
            how: How::Profile { profile: Box::new(profile), corrected },
        };
        vec![
            Self { name: "typical attenuation", how: How::Typical },
            Self { name: "least attenuation", how: How::Least },
            profile("gaen", RiskProfile::gaen(), false),
            profile("cocoa-v2", RiskProfile::cocoa_v2(), false),
            profile("google-v1", RiskProfile::google_v1(), false),
            profile("apple-v1", RiskProfile::apple_v1(), false),
            profile("cwa", RiskProfile::cwa(), false),
            profile("monotone", RiskProfile::monotone(), false),
            profile("proximity, uncorrected", RiskProfile::proximity(), false),
            profile("proximity", RiskProfile::proximity(), true),
        ]
    }

    /// Its name in tables.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        self.name
    }

    /// Score, and the verdict as shipped; plain attenuations have none.
    pub(super) fn judge(
        &self,
        one: &Observation,
        corrections: &BTreeMap<u32, RssiCorrectionDb>,
    ) -> (f64, Option<bool>) {
        let db = |attenuation: AttenuationDb| -f64::from(attenuation.db());
        match &self.how {
            How::Typical => (db(one.instance.typical_attenuation), None),
            How::Least => (db(one.instance.minimum_attenuation), None),
            How::Profile { profile, corrected } => {
                let correction = corrections.get(&one.receiver).filter(|_| *corrected);
                let by = correction.map_or(0, |correction| correction.0);
                let (score, high) = fifteen_minutes(profile, &one.sightings, by);
                (score, Some(high))
            }
        }
    }
}

/// Each receiver's correction from everything it heard.
pub(super) fn corrections(replay: &Replay) -> BTreeMap<u32, RssiCorrectionDb> {
    let of = |phone: &crate::replay::PhoneReplay| {
        let readings = phone.sightings.iter().filter_map(|sighting| sighting.rssi);
        Some((phone.phone, receiver_correction(readings)?))
    };
    replay.phones.iter().filter_map(of).collect()
}

fn fifteen_minutes(
    profile: &RiskProfile,
    scan: &[MeasuredSighting],
    correction_db: i8,
) -> (f64, bool) {
    let details = DiagnosisKeyDetails {
        report_type: Some(ReportType::ConfirmedTest),
        transmission_risk_level: Some(TRANSMISSION_RISK_LEVEL),
        ..DiagnosisKeyDetails::default()
    };
    let key = DiagnosisKey::new([7; 16], DAY.first_interval(), RollingPeriod::DAY, details);
    let mut sightings = Vec::new();
    for number in 0..SCANS {
        let ended = DAY.start().saturating_add(number * SCAN_SPACING_SECONDS);
        sightings.extend(scan.iter().map(|packet| MeasuredSighting {
            heard_at: ended.saturating_add(SCAN_SPACING_SECONDS),
            previous_scan_ended: Some(ended),
            attenuation: AttenuationDb::from_db(
                packet.attenuation.db().saturating_add_signed(-i16::from(correction_db)),
            ),
            calibration_confidence: None,
        }));
    }
    let windows =
        exposure_windows(&sightings, &profile.window_origin(&key), &WindowRules::default());
    let evidence = KeyEvidence { key: &key, windows: &windows, sightings: &sightings };
    profile
        .assess_day(DAY, &[evidence], DAY)
        .map_or((0.0, false), |day| (day.score, day.level == RiskLevel::High))
}
