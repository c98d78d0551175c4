//! A risk profile: everything that turns a day's evidence into a decision, as one document.
//!
//! A [`RiskProfile`] can only be had from checked [`ProfileRules`], so [`RiskProfile::assess_day`]
//! has no error: it is a pure function that is finite for every evidence. As a document it reads
//!
//! ```json
//! {"format_version": 1, "rules": {"cocoa-v2": {"mapping": {}, "daily_summaries": {}, "rule": {}}}}
//! ```

use serde::{Deserialize, Serialize};

use super::apple_v1::AppleV1;
use super::assessment::Assessment;
use super::check::ConfigurationError;
use super::cocoa_v2::CocoaV2;
use super::cwa::Cwa;
use super::evidence::KeyEvidence;
use super::gaen::Gaen;
use super::google_v1::GoogleV1;
use super::mapping::DiagnosisKeysDataMapping;
use super::monotone::Monotone;
use super::proximity::Proximity;
use super::report_history::ReportHistory;
use crate::diagnosis_key::DiagnosisKey;
use crate::export::PublishedKey;
use crate::exposure::WindowOrigin;
use crate::time::UtcDay;

/// Version of the document that a [`RiskProfile`] is read from and written to.
pub const PROFILE_FORMAT_VERSION: u32 = 1;

/// The parameters of a profile, not yet checked.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum ProfileRules {
    /// GAEN's daily summaries with one threshold.
    Gaen(Gaen),
    /// COCOA v2: daily summaries and five conditions.
    CocoaV2(CocoaV2),
    /// First generation, as Google's implementation computes it.
    GoogleV1(GoogleV1),
    /// First generation, as Apple's published implementation computes it.
    AppleV1(AppleV1),
    /// Corona-Warn-App's normalized minutes.
    Cwa(Cwa),
    /// This project's default: closer, longer, more infectious never lowers the score.
    Monotone(Monotone),
    /// Minutes at a distance that was probably near, fitted to measurements.
    Proximity(Proximity),
}

/// Names a profile in results.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum ProfileName {
    /// [`ProfileRules::Gaen`].
    Gaen,
    /// [`ProfileRules::CocoaV2`].
    CocoaV2,
    /// [`ProfileRules::GoogleV1`].
    GoogleV1,
    /// [`ProfileRules::AppleV1`].
    AppleV1,
    /// [`ProfileRules::Cwa`].
    Cwa,
    /// [`ProfileRules::Monotone`].
    Monotone,
    /// [`ProfileRules::Proximity`].
    Proximity,
}

impl ProfileName {
    /// What one unit of [`Assessment::score`] is, in English.
    #[must_use]
    pub const fn score_unit(self) -> &'static str {
        match self {
            Self::Gaen | Self::CocoaV2 => "weighted seconds",
            Self::GoogleV1 | Self::AppleV1 => "points",
            Self::Cwa => "normalized minutes",
            Self::Monotone | Self::Proximity => "near minutes",
        }
    }
}

/// A checked profile.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "Document", into = "Document")]
pub struct RiskProfile(ProfileRules);

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Document {
    format_version: u32,
    rules: ProfileRules,
}

impl RiskProfile {
    /// A profile with `rules`.
    ///
    /// # Errors
    /// What is wrong with the rules and where.
    pub fn new(rules: ProfileRules) -> Result<Self, ConfigurationError> {
        match &rules {
            ProfileRules::Gaen(rules) => rules.check(),
            ProfileRules::CocoaV2(rules) => rules.check(),
            ProfileRules::GoogleV1(rules) => rules.check(),
            ProfileRules::AppleV1(rules) => rules.check(),
            ProfileRules::Cwa(rules) => rules.check(),
            ProfileRules::Monotone(rules) => rules.check(),
            ProfileRules::Proximity(rules) => rules.check(),
        }?;
        Ok(Self(rules))
    }

    /// [`Gaen::default`]: the weights of Exposure Notifications Express.
    #[must_use]
    pub fn gaen() -> Self {
        Self(ProfileRules::Gaen(Gaen::default()))
    }

    /// [`CocoaV2::default`]: COCOA's production values, without its faults.
    #[must_use]
    pub fn cocoa_v2() -> Self {
        Self(ProfileRules::CocoaV2(CocoaV2::default()))
    }

    /// [`GoogleV1::default`]: COCOA's production tables on Android before version 2.
    #[must_use]
    pub fn google_v1() -> Self {
        Self(ProfileRules::GoogleV1(GoogleV1::default()))
    }

    /// [`AppleV1::default`]: COCOA's production tables on iOS before version 2.
    #[must_use]
    pub fn apple_v1() -> Self {
        Self(ProfileRules::AppleV1(AppleV1::default()))
    }

    /// [`Cwa::default`]: Corona-Warn-App's rule.
    #[must_use]
    pub fn cwa() -> Self {
        Self(ProfileRules::Cwa(Cwa::default()))
    }

    /// [`Monotone::default`]: what this project recommends.
    #[must_use]
    pub fn monotone() -> Self {
        Self(ProfileRules::Monotone(Monotone::default()))
    }

    /// [`Proximity::default`]: minutes that were probably nearer than 1.5 m.
    #[must_use]
    pub fn proximity() -> Self {
        Self(ProfileRules::Proximity(Proximity::default()))
    }

    /// The parameters.
    #[must_use]
    pub const fn rules(&self) -> &ProfileRules {
        &self.0
    }

    /// The profile's name.
    #[must_use]
    pub const fn name(&self) -> ProfileName {
        match &self.0 {
            ProfileRules::Gaen(_) => ProfileName::Gaen,
            ProfileRules::CocoaV2(_) => ProfileName::CocoaV2,
            ProfileRules::GoogleV1(_) => ProfileName::GoogleV1,
            ProfileRules::AppleV1(_) => ProfileName::AppleV1,
            ProfileRules::Cwa(_) => ProfileName::Cwa,
            ProfileRules::Monotone(_) => ProfileName::Monotone,
            ProfileRules::Proximity(_) => ProfileName::Proximity,
        }
    }

    /// What a key's details, and their absence, mean to this profile; `None` for the first
    /// generation, which knows neither report type nor infectiousness.
    #[must_use]
    pub const fn mapping(&self) -> Option<&DiagnosisKeysDataMapping> {
        match &self.0 {
            ProfileRules::Gaen(rules) => Some(&rules.mapping),
            ProfileRules::CocoaV2(rules) => Some(&rules.mapping),
            ProfileRules::Cwa(rules) => Some(&rules.mapping),
            ProfileRules::Monotone(rules) => Some(&rules.mapping),
            ProfileRules::Proximity(rules) => Some(&rules.mapping),
            ProfileRules::GoogleV1(_) | ProfileRules::AppleV1(_) => None,
        }
    }

    /// The key with the report type that follows from all its records ([`ReportHistory`]).
    #[must_use]
    pub fn as_reported(&self, published: &PublishedKey) -> DiagnosisKey {
        let mut key = published.key;
        let history = self.mapping().and_then(|mapping| {
            ReportHistory::of(published.grounds(), mapping.report_type_when_missing)
        });
        if let Some(history) = history {
            key.details.report_type = Some(history.current);
        }
        key
    }

    /// With what windows of `key` must be built so that this profile reads them rightly. The
    /// first generation takes COCOA's mapping here; it looks at none of it.
    #[must_use]
    pub fn window_origin(&self, key: &DiagnosisKey) -> WindowOrigin {
        let origin = |mapping: &DiagnosisKeysDataMapping| WindowOrigin {
            key: key.hash(),
            report_type: mapping.report_type(&key.details),
            infectiousness: mapping.infectiousness(&key.details),
        };
        self.mapping().map_or_else(|| origin(&DiagnosisKeysDataMapping::cocoa()), origin)
    }

    /// Assesses one UTC day over all its evidence, or `None` if nothing was heard on that day.
    ///
    /// A day on which nothing counts is `Some`, Low, with the reasons in its contributions.
    /// `evidence` may hold windows and sightings of other days and may come in any order: the
    /// result depends on neither. `today` is the UTC day on which the question is asked.
    #[must_use]
    pub fn assess_day(
        &self,
        day: UtcDay,
        evidence: &[KeyEvidence<'_>],
        today: UtcDay,
    ) -> Option<Assessment> {
        match &self.0 {
            ProfileRules::Gaen(rules) => rules.assess_day(day, evidence, today),
            ProfileRules::CocoaV2(rules) => rules.assess_day(day, evidence, today),
            ProfileRules::GoogleV1(rules) => rules.assess_day(day, evidence, today),
            ProfileRules::AppleV1(rules) => rules.assess_day(day, evidence, today),
            ProfileRules::Cwa(rules) => rules.assess_day(day, evidence, today),
            ProfileRules::Monotone(rules) => rules.assess_day(day, evidence, today),
            ProfileRules::Proximity(rules) => rules.assess_day(day, evidence, today),
        }
    }
}

impl Default for RiskProfile {
    /// [`RiskProfile::monotone`].
    fn default() -> Self {
        Self::monotone()
    }
}

impl TryFrom<Document> for RiskProfile {
    type Error = ConfigurationError;
    fn try_from(document: Document) -> Result<Self, ConfigurationError> {
        if document.format_version == PROFILE_FORMAT_VERSION {
            Self::new(document.rules)
        } else {
            Err(ConfigurationError::FormatVersion {
                expected: PROFILE_FORMAT_VERSION,
                found: document.format_version,
            })
        }
    }
}

impl From<RiskProfile> for Document {
    fn from(profile: RiskProfile) -> Self {
        Self { format_version: PROFILE_FORMAT_VERSION, rules: profile.0 }
    }
}
