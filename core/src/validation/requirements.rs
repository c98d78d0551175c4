//! What a configuration is held against.

use serde::Serialize;

use super::contact::serialize_details;
use crate::diagnosis_key::DiagnosisKeyDetails;
use crate::risk::{ProfileName, RiskProfile};
use crate::signal::AttenuationDb;

/// The greatest attenuation there is: 20 dBm sent, -127 dBm received, corrected by -128 dB.
pub const GREATEST_ATTENUATION_DB: u16 = 275;

/// More seconds than the windows of one key can hold on one day: 24 hours, half an hour into the
/// next day, and 300 seconds twice at each of the day's 48 window edges are 28 hours and 40 minutes.
pub const MOST_SECONDS_OF_A_KEY_AND_DAY: u32 = 30 * 3600;

/// More seconds than one window can hold: half an hour and twice the longest scan gap.
pub const MOST_SECONDS_OF_A_WINDOW: u32 = 2_400;

/// What a configuration is held against. [`Default`] suits a server of which nothing is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Requirements {
    /// What the server says about **every** key. What stands here as missing may be missing, and
    /// such keys must count. COCOA's server wrote a transmission risk level of 0.
    #[serde(serialize_with = "serialize_details")]
    pub assured: DiagnosisKeyDetails,
    /// The attenuation at one metre.
    pub one_metre: AttenuationDb,
    /// How much weaker than one metre the signal of a contact is that must not notify, in dB.
    pub far_db: u16,
    /// For how many minutes the contacts last that must, or must not, notify; at most 1440 count.
    pub minutes: u32,
    /// How many days ago these contacts were.
    pub age_days: u32,
    /// How many keys may match on one day; what needs more of them to notify is silent.
    pub keys: u32,
    /// Where a closer or longer contact must not score less.
    pub monotony: MonotonyRequirement,
}

/// Where a closer or longer contact must not score less.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum MonotonyRequirement {
    /// In rule sets that do not say that they may ([`claims_monotony`]).
    #[default]
    WhereClaimed,
    /// In all.
    Everywhere,
    /// In none: a counterexample is a warning.
    Nowhere,
}

/// Whether a rule set is one in which closer or longer contacts never score less.
///
/// `gaen`, `monotone` and `proximity` are: with their weights an app team decides for itself. The other four
/// reproduce what existing systems calculate, and are known to score some closer or longer contacts
/// less, even with the values those systems used.
#[must_use]
pub const fn claims_monotony(profile: ProfileName) -> bool {
    match profile {
        ProfileName::Gaen | ProfileName::Monotone | ProfileName::Proximity => true,
        ProfileName::CocoaV2 | ProfileName::GoogleV1 | ProfileName::AppleV1 | ProfileName::Cwa => {
            false
        }
    }
}

impl Requirements {
    pub(super) fn monotony_is_required(&self, profile: &RiskProfile) -> bool {
        match self.monotony {
            MonotonyRequirement::WhereClaimed => claims_monotony(profile.name()),
            MonotonyRequirement::Everywhere => true,
            MonotonyRequirement::Nowhere => false,
        }
    }

    pub(super) fn far(&self) -> AttenuationDb {
        AttenuationDb::from_db(self.one_metre.db().saturating_add(self.far_db))
    }
}

impl Default for Requirements {
    /// * Keys about which nothing is said.
    /// * One metre is 50 dB: e^3.92 in the model of COCOA's design document. Far is 30 dB weaker.
    /// * Contacts of 20 minutes, three days ago: nobody's key is published on the day.
    /// * A hundred keys that matched on one day.
    fn default() -> Self {
        Self {
            assured: DiagnosisKeyDetails::default(),
            one_metre: AttenuationDb::from_db(50),
            far_db: 30,
            minutes: 20,
            age_days: 3,
            keys: 100,
            monotony: MonotonyRequirement::WhereClaimed,
        }
    }
}
