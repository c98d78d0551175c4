//! Configurations as app teams write them.
//!
//! Three documents are known, told apart by their fields:
//!
//! | document | what it becomes |
//! |---|---|
//! | `{"format_version": 1, "rules": {…}}`, a [`RiskProfile`] | itself |
//! | COCOA's `configuration.json` | `google-v1`, `apple-v1`, and `cocoa-v2` with the weights and mapping of either platform |
//! | COCOA's `risk_calculation_configuration.json` | `cocoa-v2` with this rule |
//!
//! COCOA splits `cocoa-v2` over two documents; what the one at hand does not say is COCOA's
//! production value. Unknown fields and operators are errors.

use std::collections::BTreeMap;

use serde::de::{DeserializeOwned, IgnoredAny};
use thiserror::Error;

use crate::risk::cocoa::RiskCalculationConfiguration;
use crate::risk::cocoa_configuration::CocoaConfiguration;
use crate::risk::cocoa_v2::CocoaV2;
use crate::risk::{ConfigurationError, ProfileRules, RiskProfile};

/// A profile that a document describes.
#[derive(Clone, Debug, PartialEq)]
pub struct Candidate {
    /// Which part of the document describes it; empty for the whole.
    pub part: &'static str,
    /// The profile.
    pub profile: RiskProfile,
}

/// Why a document is not a configuration.
#[derive(Clone, Debug, PartialEq, Error)]
#[non_exhaustive]
pub enum DocumentError {
    /// It is not JSON, lacks a field, or has one with an unknown name, operator or type. The
    /// sentence names it, with line and column.
    #[error("{0}")]
    Json(String),
    /// It is none of the known documents.
    #[error(
        "neither a risk profile (`format_version`, `rules`) nor COCOA's `configuration.json` \
         (`google_exposure_config`, …) or `risk_calculation_configuration.json` \
         (`DailySummary_DaySummary_ScoreSum`, …)"
    )]
    Unknown,
    /// It describes several profiles, and one was asked for.
    #[error("{0} profiles in one document")]
    Several(usize),
    /// A value in it is wrong.
    #[error(transparent)]
    Value(#[from] ConfigurationError),
}

/// The only profile that `json` describes.
///
/// # Errors
/// What is wrong with the document and where, or that it describes several profiles.
pub fn read_profile(json: &str) -> Result<RiskProfile, DocumentError> {
    let mut candidates = read(json)?;
    let count = candidates.len();
    match candidates.pop() {
        Some(candidate) if count == 1 => Ok(candidate.profile),
        _ => Err(DocumentError::Several(count)),
    }
}

/// Every profile that `json` describes, at least one.
///
/// # Errors
/// What is wrong with the document and where.
pub fn read(json: &str) -> Result<Vec<Candidate>, DocumentError> {
    let fields: BTreeMap<String, IgnoredAny> = parse(json)?;
    let any = |belongs: fn(&str) -> bool| fields.keys().any(|field| belongs(field));
    if any(|field| field == "rules") {
        let profile = parse(json)?;
        Ok(vec![Candidate { part: "", profile }])
    } else if any(|field| field.starts_with("google_") || field.starts_with("apple_")) {
        cocoa(&parse(json)?)
    } else if any(|field| {
        field.starts_with("DailySummary_") || field.starts_with("ExposureWindow_")
    }) {
        let rule: RiskCalculationConfiguration = parse(json)?;
        let rules = CocoaV2 { rule, ..CocoaV2::default() };
        Ok(vec![Candidate { part: "", profile: cocoa_v2(rules)? }])
    } else {
        Err(DocumentError::Unknown)
    }
}

/// The profiles of COCOA's two platforms in both generations.
fn cocoa(document: &CocoaConfiguration) -> Result<Vec<Candidate>, DocumentError> {
    document.check()?;
    let android = CocoaV2 {
        mapping: document.google_diagnosis_keys_data_mapping_config.mapping()?,
        daily_summaries: document.google_daily_summaries_config.daily_summaries()?,
        ..CocoaV2::default()
    };
    let ios = CocoaV2 {
        mapping: document.apple_exposure_config_v2.mapping()?,
        daily_summaries: document.apple_exposure_config_v2.daily_summaries()?,
        ..CocoaV2::default()
    };
    let candidate = |part, profile| Candidate { part, profile };
    Ok(vec![
        candidate("google_exposure_config", document.google_exposure_config.profile()?),
        candidate("google_daily_summaries_config", cocoa_v2(android)?),
        candidate("apple_exposure_config_v1", document.apple_exposure_config_v1.profile()?),
        candidate("apple_exposure_config_v2", cocoa_v2(ios)?),
    ])
}

fn cocoa_v2(rules: CocoaV2) -> Result<RiskProfile, ConfigurationError> {
    RiskProfile::new(ProfileRules::CocoaV2(rules))
}

fn parse<T: DeserializeOwned>(json: &str) -> Result<T, DocumentError> {
    serde_json::from_str(json).map_err(|error| DocumentError::Json(error.to_string()))
}
