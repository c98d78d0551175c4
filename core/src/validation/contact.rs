//! Contacts that are tried on a profile, and what it says about them.
//!
//! A [`Contact`] is heard by a scan every five minutes and at the end of each of its parts. It goes
//! the way of a real one: sightings become windows by [`exposure_windows`], and
//! [`RiskProfile::assess_day`] decides.

use core::fmt;

use serde::ser::SerializeStruct;
use serde::{Serialize, Serializer};

use crate::diagnosis_key::{DiagnosisKey, DiagnosisKeyDetails, ReportType};
use crate::exposure::{MeasuredSighting, WindowRules, exposure_windows};
use crate::risk::assessment::Verdict;
use crate::risk::{Assessment, KeyEvidence, RiskLevel, RiskProfile};
use crate::signal::AttenuationDb;
use crate::time::{RollingPeriod, UtcDay};

/// Longest contact: a day.
pub const LONGEST_CONTACT_MINUTES: u32 = 24 * 60;
const SCAN_EVERY_MINUTES: u32 = 5;
/// The day of every contact; which one it is plays no part.
const DAY: UtcDay = UtcDay::new(20_000);

/// One key's owner near this phone on one day, without a pause.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Contact {
    /// What the server says about the key.
    #[serde(serialize_with = "serialize_details")]
    pub key: DiagnosisKeyDetails,
    /// How many days ago.
    pub age_days: u32,
    /// Its parts, by time; none if nothing was heard.
    pub parts: Vec<Part>,
}

/// A part of a contact with one attenuation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Part {
    /// How long.
    pub minutes: u32,
    /// How far away.
    pub attenuation: AttenuationDb,
}

/// A contact and what a profile says about it.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Outcome {
    /// The contact.
    pub contact: Contact,
    /// The day's level.
    pub level: RiskLevel,
    /// The day's score.
    pub score: f64,
    /// What the day would score if no minimum and no filter dropped anything.
    pub score_before_minimum: f64,
}

impl Contact {
    /// A contact of which nothing was heard yet.
    #[must_use]
    pub const fn new(key: DiagnosisKeyDetails, age_days: u32) -> Self {
        Self { key, age_days, parts: Vec::new() }
    }

    /// Followed by `minutes` at `attenuation`; what exceeds a day is cut off.
    #[must_use]
    pub fn then(mut self, minutes: u32, attenuation: AttenuationDb) -> Self {
        let so_far = self.parts.iter().fold(0_u32, |sum, part| sum.saturating_add(part.minutes));
        let minutes = minutes.min(LONGEST_CONTACT_MINUTES.saturating_sub(so_far));
        self.parts.push(Part { minutes, attenuation });
        self
    }

    /// Its sightings, one a scan.
    #[must_use]
    pub fn sightings(&self) -> Vec<MeasuredSighting> {
        let mut sightings = Vec::new();
        let (mut scanned, mut part_ends) = (0_u32, 0_u32);
        for part in &self.parts {
            part_ends = part_ends.saturating_add(part.minutes).min(LONGEST_CONTACT_MINUTES);
            while scanned < part_ends {
                let next = scanned.saturating_add(SCAN_EVERY_MINUTES).min(part_ends);
                let minute = |minute: u32| DAY.start().saturating_add(minute.saturating_mul(60));
                sightings.push(MeasuredSighting {
                    heard_at: minute(next),
                    previous_scan_ended: Some(minute(scanned)),
                    attenuation: part.attenuation,
                    calibration_confidence: None,
                });
                scanned = next;
            }
        }
        sightings
    }

    /// What `profile` says about its day; `None` if nothing was heard.
    #[must_use]
    pub fn assess(&self, profile: &RiskProfile) -> Option<Assessment> {
        let key = DiagnosisKey::new([7; 16], DAY.first_interval(), RollingPeriod::DAY, self.key);
        let sightings = self.sightings();
        // The first generation reads sightings, the others windows.
        let windows = if profile.mapping().is_some() {
            exposure_windows(&sightings, &profile.window_origin(&key), &WindowRules::default())
        } else {
            Vec::new()
        };
        let evidence = KeyEvidence { key: &key, windows: &windows, sightings: &sightings };
        profile.assess_day(DAY, &[evidence], DAY.saturating_add(self.age_days))
    }

    /// The contact with what `profile` says about it.
    #[must_use]
    pub fn tried_on(self, profile: &RiskProfile) -> Outcome {
        let Some(assessment) = self.assess(profile) else {
            let level = RiskLevel::Low;
            return Outcome { contact: self, level, score: 0.0, score_before_minimum: 0.0 };
        };
        let of_all = assessment.contributions.iter().map(|one| one.score);
        let kept_all = assessment.contributions.iter().all(|one| one.verdict == Verdict::Kept);
        let score_before_minimum = if kept_all {
            assessment.score
        } else if profile.mapping().is_some() {
            of_all.sum()
        } else {
            of_all.fold(0.0, f64::max)
        };
        let Assessment { level, score, .. } = assessment;
        Outcome { contact: self, level, score, score_before_minimum }
    }
}

impl Outcome {
    /// Whether it notifies.
    #[must_use]
    pub const fn is_high(&self) -> bool {
        matches!(self.level, RiskLevel::High)
    }
}

impl fmt::Display for Contact {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.parts.is_empty() {
            write!(f, "nothing heard")?;
        }
        for (index, part) in self.parts.iter().enumerate() {
            let then = if index == 0 { "" } else { ", then " };
            write!(f, "{then}{} min at {}", part.minutes, part.attenuation)?;
        }
        write!(f, " of {}, {}", Details(&self.key), Ago(self.age_days))
    }
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let level = match self.level {
            RiskLevel::Low => "Low",
            RiskLevel::High => "High",
        };
        write!(f, "{} scores {} ({level})", self.contact, Number(self.score))?;
        if self.score_before_minimum > self.score {
            write!(f, ", {} before minimum and filters", Number(self.score_before_minimum))?;
        }
        Ok(())
    }
}

struct Ago(u32);

impl fmt::Display for Ago {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            0 => write!(f, "today"),
            1 => write!(f, "yesterday"),
            days => write!(f, "{days} days ago"),
        }
    }
}

/// What is said about a key, for people.
pub(super) struct Details<'a>(pub(super) &'a DiagnosisKeyDetails);

impl fmt::Display for Details<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if *self.0 == DiagnosisKeyDetails::default() {
            return write!(f, "a key with every optional field missing");
        }
        write!(f, "a key with")?;
        let mut separator = " ";
        let mut say = |text: String| {
            let written = write!(f, "{separator}{text}");
            separator = ", ";
            written
        };
        if let Some(level) = self.0.transmission_risk_level {
            say(format!("transmission risk level {level}"))?;
        }
        if let Some(report_type) = self.0.report_type {
            say(format!("report type {}", report_type_name(report_type)))?;
        }
        if let Some(days) = self.0.days_since_onset {
            say(format!("{} days since onset", days.days()))?;
        }
        if let Some(variant) = self.0.variant_of_concern {
            say(format!("variant of concern {variant}"))?;
        }
        Ok(())
    }
}

const fn report_type_name(report_type: ReportType) -> &'static str {
    match report_type {
        ReportType::ConfirmedTest => "confirmed test",
        ReportType::ConfirmedClinicalDiagnosis => "clinical diagnosis",
        ReportType::SelfReport => "self report",
        ReportType::Recursive => "recursive",
        ReportType::Revoked => "revoked",
    }
}

pub(super) fn serialize_details<S: Serializer>(
    details: &DiagnosisKeyDetails,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    let mut fields = serializer.serialize_struct("DiagnosisKeyDetails", 4)?;
    fields.serialize_field("transmission_risk_level", &details.transmission_risk_level)?;
    fields.serialize_field("report_type", &details.report_type)?;
    let days = details.days_since_onset.map(|days| days.days());
    fields.serialize_field("days_since_onset", &days)?;
    fields.serialize_field("variant_of_concern", &details.variant_of_concern)?;
    fields.end()
}

/// A number for people: at most three decimals, and a power of ten where it is long.
pub(super) struct Number(pub(super) f64);

impl fmt::Display for Number {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let magnitude = self.0.abs();
        if magnitude >= 1e12 || (magnitude > 0.0 && magnitude < 0.001) {
            return write!(f, "{:e}", self.0);
        }
        let text = format!("{:.3}", self.0);
        write!(f, "{}", text.trim_end_matches('0').trim_end_matches('.'))
    }
}
