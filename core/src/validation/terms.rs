//! The terms a profile's scores are made of, as the profile itself reports them.
//!
//! Every score is `weight of an attenuation × length × factor of the key`, summed over seconds or,
//! in the first generation, taken once. Each term is read from assessments of short contacts, so
//! none of the profiles' formulas stands here a second time.

use super::contact::Contact;
use super::requirements::{GREATEST_ATTENUATION_DB, Requirements};
use crate::diagnosis_key::{DaysSinceOnset, DiagnosisKeyDetails, ReportType};
use crate::risk::RiskProfile;
use crate::risk::assessment::{Contribution, DropReason, Factor, Verdict};
use crate::risk::mapping::DiagnosisKeysDataMapping;
use crate::signal::AttenuationDb;

/// Any attenuation that no profile takes for implausible.
const SOME_ATTENUATION: AttenuationDb = AttenuationDb::from_db(30);
/// A step in which all lengths of contact are found that the first generation tells apart.
const LENGTHS_THAT_DIFFER: core::ops::RangeInclusive<u32> = 1..=40;
/// For how many days a contact is kept.
const GREATEST_AGE_DAYS: u32 = 14;

/// The terms of one profile.
#[derive(Clone, Debug)]
pub(super) struct Terms {
    /// By attenuation in dB: the weight of a second, or the factor of an exposure; `None` for
    /// attenuations that the profile takes for implausible.
    pub(super) by_attenuation: Vec<Option<f64>>,
    /// The greatest factor for a length, where scores are not sums over seconds.
    pub(super) greatest_length_factor: Option<f64>,
    /// The factor of every kind of key that counts.
    pub(super) keys: Vec<CountingKey>,
    /// The age at which keys count most.
    pub(super) best_age_days: u32,
}

/// A kind of key that counts.
#[derive(Clone, Copy, Debug)]
pub(super) struct CountingKey {
    pub(super) details: DiagnosisKeyDetails,
    pub(super) factor: f64,
}

impl Terms {
    pub(super) fn of(profile: &RiskProfile, requirements: &Requirements) -> Self {
        let keys = every_key(profile, &requirements.assured);
        let best_age_days = best_age_days(profile, requirements, &keys);
        let keys = keys.into_iter().filter_map(|key| counting(profile, key, best_age_days));
        let at_each = |db| attenuation_term(profile, requirements, AttenuationDb::from_db(db));
        let length_of = |minutes| {
            let contact = Contact::new(requirements.assured, best_age_days);
            let tried = contact.then(minutes, SOME_ATTENUATION);
            only_contribution(profile, &tried).and_then(|one| factor(&one, Factor::Duration))
        };
        Self {
            by_attenuation: (0..=GREATEST_ATTENUATION_DB).map(at_each).collect(),
            greatest_length_factor: LENGTHS_THAT_DIFFER.filter_map(length_of).reduce(f64::max),
            keys: keys.collect(),
            best_age_days,
        }
    }

    /// The key with the greatest factor, if any key counts; the assured one before its equals.
    pub(super) fn best_key(&self) -> Option<&CountingKey> {
        self.keys.iter().reduce(|best, key| if key.factor > best.factor { key } else { best })
    }
}

/// The factor of a key with these details, unless it never counts.
pub(super) fn counting(
    profile: &RiskProfile,
    details: DiagnosisKeyDetails,
    age_days: u32,
) -> Option<CountingKey> {
    let contact = Contact::new(details, age_days).then(5, SOME_ATTENUATION);
    let contribution = only_contribution(profile, &contact)?;
    match contribution.verdict {
        // These depend on what was heard, not on the key.
        Verdict::Kept
        | Verdict::Dropped(DropReason::BelowMinimumScore | DropReason::AttenuationFilter) => {}
        Verdict::Dropped(_) => return None,
    }
    let of_key = contribution.factors.iter().filter(|term| {
        matches!(
            term.factor,
            Factor::ReportType
                | Factor::Infectiousness
                | Factor::TransmissionRisk
                | Factor::DaysSinceExposure
        )
    });
    let factor = of_key.map(|term| term.value).product();
    Some(CountingKey { details, factor })
}

/// One key of each kind that the profile tells apart, the assured one first.
fn every_key(profile: &RiskProfile, assured: &DiagnosisKeyDetails) -> Vec<DiagnosisKeyDetails> {
    let mut keys = vec![*assured];
    let Some(mapping) = profile.mapping() else {
        let levels = [None].into_iter().chain((0..=8).map(Some));
        keys.extend(levels.map(|transmission_risk_level| DiagnosisKeyDetails {
            transmission_risk_level,
            ..*assured
        }));
        return keys;
    };
    let limit = i32::from(DaysSinceOnset::LIMIT);
    let report_types = [
        None,
        Some(ReportType::ConfirmedTest),
        Some(ReportType::ConfirmedClinicalDiagnosis),
        Some(ReportType::SelfReport),
        Some(ReportType::Recursive),
    ];
    for report_type in report_types {
        for days in [None].into_iter().chain((-limit..=limit).map(Some)) {
            let days_since_onset = days.and_then(DaysSinceOnset::new);
            let key = DiagnosisKeyDetails { report_type, days_since_onset, ..*assured };
            if !keys.iter().any(|known| means_the_same(mapping, known, &key)) {
                keys.push(key);
            }
        }
    }
    keys
}

fn means_the_same(
    mapping: &DiagnosisKeysDataMapping,
    one: &DiagnosisKeyDetails,
    other: &DiagnosisKeyDetails,
) -> bool {
    mapping.report_type(one) == mapping.report_type(other)
        && mapping.infectiousness(one) == mapping.infectiousness(other)
}

/// The age at which keys count most, that of the canaries before its equals.
fn best_age_days(
    profile: &RiskProfile,
    requirements: &Requirements,
    keys: &[DiagnosisKeyDetails],
) -> u32 {
    let counts_at = |age_days| {
        let counting = |key: &DiagnosisKeyDetails| counting(profile, *key, age_days);
        keys.iter().filter_map(counting).map(|key| key.factor).reduce(f64::max)
    };
    // `None`, where no key counts, is less than any factor.
    let mut best = (requirements.age_days, counts_at(requirements.age_days));
    for age_days in 0..=GREATEST_AGE_DAYS {
        let factor = counts_at(age_days);
        if factor > best.1 {
            best = (age_days, factor);
        }
    }
    best.0
}

fn attenuation_term(
    profile: &RiskProfile,
    requirements: &Requirements,
    attenuation: AttenuationDb,
) -> Option<f64> {
    let contact = Contact::new(requirements.assured, 0).then(5, attenuation);
    let contribution = only_contribution(profile, &contact)?;
    Some(factor(&contribution, Factor::Attenuation).unwrap_or_else(|| {
        contribution.buckets.iter().filter(|bucket| bucket.seconds > 0).map(|b| b.weight).sum()
    }))
}

fn only_contribution(profile: &RiskProfile, contact: &Contact) -> Option<Contribution> {
    contact.assess(profile)?.contributions.into_iter().next()
}

fn factor(contribution: &Contribution, kind: Factor) -> Option<f64> {
    contribution.factors.iter().find(|term| term.factor == kind).map(|term| term.value)
}
