//! Which keys are released: consent, a date, and one rule.
//!
//! The host closes the running key first ([`Input::Disclose`](crate::engine::Input::Disclose)), so
//! that of the engine's own keys none is still valid. Keys of an operating system's framework may
//! be: they are marked, and are not sent before they have ended. A key that is public while it
//! makes identifiers lets anybody make them (eprint 2020/1393).

use core::fmt;
use std::collections::BTreeSet;

use rand_core::CryptoRng;
use serde::{Deserialize, Serialize};
use thiserror::Error;

use super::local_date::LocalDate;
use super::visits::{self, MOST_WARNINGS, ReleasedWarnings};
use crate::diagnosis_key::{DaysSinceOnset, DiagnosisKey, DiagnosisKeyDetails, ReportType};
use crate::engine::Disclosure;
use crate::time::{IntervalNumber, RollingPeriod, Timestamp, UtcDay};
use crate::venue::stay::WarnedIntervals;
use crate::venue::{ProtectedWarning, TransmissionRiskLevel, VenueDiary, VisitReport};

/// For so many days before today (UTC) servers take keys. COCOA's refused the whole request for
/// one key that was older.
pub const ACCEPTED_DAYS: u32 = 14;

/// More keys than servers take in one request (exposure-notifications-server).
pub const MAX_KEYS: usize = 30;

/// The user's consent to publish the keys, and the visits to venues if the user agreed to that too.
/// It releases once: it cannot be copied.
#[derive(Debug, PartialEq, Eq)]
#[must_use = "a consent that is dropped releases nothing"]
pub struct Consent {
    given_at: Timestamp,
    includes_visits: bool,
}

impl Consent {
    /// The user has just been asked, by an app that says what will be published, and has agreed.
    pub const fn given_by_user(at: Timestamp) -> Self {
        Self { given_at: at, includes_visits: false }
    }

    /// The user was also asked whether other visitors of the same venues are to be warned, and has
    /// agreed.
    pub const fn including_visits(self) -> Self {
        Self { includes_visits: true, ..self }
    }
}

/// The date that the release is counted from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Basis {
    /// There are symptoms, and they began on this date.
    SymptomOnset(LocalDate),
    /// There are none; the test was made on this date.
    TestDate(LocalDate),
}

impl Basis {
    /// The date, whatever it is of.
    #[must_use]
    pub const fn date(self) -> LocalDate {
        let (Self::SymptomOnset(date) | Self::TestDate(date)) = self;
        date
    }

    /// Whether there are symptoms.
    #[must_use]
    pub const fn has_symptoms(self) -> bool {
        matches!(self, Self::SymptomOnset(_))
    }
}

/// Which key is the first one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum FirstKey {
    /// The first that is valid at any time of the first date: no contact of that date is lost.
    #[default]
    Overlapping,
    /// The first that starts on the first date or later (COCOA). Where clocks are ahead of UTC,
    /// contacts of the first date's early hours are lost.
    StartingWithin,
}

/// From which key on keys are released.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DateFilter {
    /// How many days before the date the first date lies.
    pub days_before: u32,
    /// How the first key is chosen.
    pub first_key: FirstKey,
}

impl DateFilter {
    /// COCOA 1.2.1 to 2.0.1, with its v2 interface.
    pub const COCOA_V2: Self = Self { days_before: 3, first_key: FirstKey::StartingWithin };
    /// COCOA with its v3 interface: the server filters.
    pub const COCOA_V3: Self = Self { days_before: 15, first_key: FirstKey::StartingWithin };

    /// The first interval of the first date.
    #[must_use]
    pub fn bound(self, date: LocalDate) -> IntervalNumber {
        date.saturating_sub(self.days_before).starts().interval()
    }

    /// Whether a key that is valid from `start` to before `end` is released. There is no upper
    /// bound but the present: who falls ill stays infectious.
    #[must_use]
    pub fn keeps(self, date: LocalDate, start: IntervalNumber, end: IntervalNumber) -> bool {
        let bound = self.bound(date);
        match self.first_key {
            FirstKey::Overlapping => end > bound,
            FirstKey::StartingWithin => start >= bound,
        }
    }
}

impl Default for DateFilter {
    /// Three days, as COCOA, without losing part of the first one.
    fn default() -> Self {
        Self { days_before: 3, first_key: FirstKey::Overlapping }
    }
}

/// What is said about the transmission risk of each key.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum TransmissionRisk {
    /// Nothing. A profile by day tells which keys of an export belong to one person.
    #[default]
    NotGiven,
    /// What each key is marked with.
    AsMarked,
}

/// Why nothing was released. Nothing has been published, and the user must be told so.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum ReleaseError {
    /// The date has not begun where it was entered.
    #[error("the date of onset or test lies in the future")]
    DateInFuture,
    /// Visits were to be published as well, and the consent does not include them.
    #[error("the user has not agreed to publishing visits")]
    VisitsNotConsented,
    /// No key of that time is there, and no visit that would warn anybody.
    #[error("none of {considered} keys belongs to the time that is to be published")]
    NoKeys {
        /// How many keys there were.
        considered: usize,
    },
}

/// What the user wants to publish.
#[derive(Debug)]
pub struct ReleaseRequest {
    consent: Consent,
    /// Ground of publication.
    pub report_type: ReportType,
    /// Date of onset or test.
    pub basis: Basis,
    /// From which key on.
    pub filter: DateFilter,
    /// What is said about each key's risk.
    pub transmission_risk: TransmissionRisk,
    /// Other visitors of the same venues are warned, at this risk level, if the consent includes
    /// visits; `None` leaves the visits on the phone. The level is the same for all days: a profile
    /// by day tells which warnings belong to one person.
    pub visits: Option<TransmissionRiskLevel>,
}

impl ReleaseRequest {
    /// The release of the keys around `basis` that the user consented to.
    pub fn new(consent: Consent, report_type: ReportType, basis: Basis) -> Self {
        Self {
            consent,
            report_type,
            basis,
            filter: DateFilter::default(),
            transmission_risk: TransmissionRisk::default(),
            visits: None,
        }
    }

    /// What the engine is asked to disclose. Of a test's date it learns no onset.
    #[must_use]
    pub fn disclosure(&self) -> Disclosure {
        Disclosure { report_type: self.report_type, onset: self.onset() }
    }

    /// The UTC day of onset, if there are symptoms.
    fn onset(&self) -> Option<UtcDay> {
        self.basis.has_symptoms().then(|| self.basis.date().utc_day())
    }

    /// [`ReleaseRequest::release_with_visits`] on a phone that keeps none.
    ///
    /// # Errors
    /// As that.
    pub fn release(
        self,
        keys: &[DiagnosisKey],
        now: Timestamp,
        rng: &mut (impl CryptoRng + ?Sized),
    ) -> Result<Release, ReleaseError> {
        let released = self.release_with_visits(keys, &mut VenueDiary::default(), now, rng)?;
        Ok(released.0)
    }

    /// Chooses among `keys` and marks those that are still valid. The order of the result is
    /// random: it says nothing about days.
    ///
    /// A key is left out if it starts after `now`, if no server takes it any more, or if the date
    /// filter does not keep it; of more than [`MAX_KEYS`], the latest are kept.
    ///
    /// With [`ReleaseRequest::visits`], what was visited in the same time becomes warnings, at most
    /// [`MOST_WARNINGS`] of the latest visits; `visits` marks those as submitted, and the report
    /// says what became of the others. A phone without keys may release visits alone.
    ///
    /// # Errors
    /// [`ReleaseError`] if nothing would be published; `visits` has not changed then. The consent is
    /// used up all the same: the user has to be told, and asked again.
    pub fn release_with_visits(
        self,
        keys: &[DiagnosisKey],
        visits: &mut VenueDiary,
        now: Timestamp,
        rng: &mut (impl CryptoRng + ?Sized),
    ) -> Result<(Release, VisitReport), ReleaseError> {
        if self.visits.is_some() && !self.consent.includes_visits {
            return Err(ReleaseError::VisitsNotConsented);
        }
        let date = self.basis.date();
        if date.starts() > now {
            return Err(ReleaseError::DateInFuture);
        }
        let interval = now.interval();
        let is_released = |key: &&DiagnosisKey| {
            key.rolling_start() <= interval
                && is_accepted(key, now)
                && self.filter.keeps(date, key.rolling_start(), key.rolling_end())
        };
        let mut chosen: Vec<_> =
            keys.iter().filter(is_released).map(|key| self.mark(key)).collect();
        chosen.sort_unstable();
        chosen.dedup_by_key(|key| *key.as_bytes());
        chosen.sort_unstable_by_key(DiagnosisKey::rolling_start);
        let surplus = chosen.len().saturating_sub(MAX_KEYS);
        chosen.drain(..surplus);
        let (warnings, report) = self.submit(visits, now, rng);
        if chosen.is_empty() && warnings.is_empty() {
            return Err(ReleaseError::NoKeys { considered: keys.len() });
        }
        chosen.sort_by_cached_key(|_| rng.next_u64());
        let released = |key: DiagnosisKey| ReleasedKey {
            release_after: (key.rolling_end() > interval).then(|| key.rolling_end().start()),
            key,
        };
        let release = Release {
            keys: chosen.into_iter().map(released).collect(),
            basis: self.basis,
            consented_at: self.consent.given_at,
            warnings,
        };
        Ok((release, report))
    }

    fn submit(
        &self,
        visits: &mut VenueDiary,
        now: Timestamp,
        rng: &mut (impl CryptoRng + ?Sized),
    ) -> (ReleasedWarnings, VisitReport) {
        let Some(level) = self.visits else {
            return (ReleasedWarnings::default(), VisitReport::default());
        };
        let keeps = |WarnedIntervals { start, period }| {
            let end = start.checked_add(period).unwrap_or(start);
            visits::is_accepted(start, now) && self.filter.keeps(self.basis.date(), start, end)
        };
        let (submitted, report) = visits.submit(level, keeps, MOST_WARNINGS, now, rng);
        (ReleasedWarnings::of(submitted, rng), report)
    }

    fn mark(&self, key: &DiagnosisKey) -> DiagnosisKey {
        let days_since = |onset| i32::try_from(key.rolling_start().day().days_since(onset)).ok();
        let details = DiagnosisKeyDetails {
            transmission_risk_level: match self.transmission_risk {
                TransmissionRisk::NotGiven => None,
                TransmissionRisk::AsMarked => key.details.transmission_risk_level,
            },
            report_type: Some(self.report_type),
            days_since_onset: self.onset().and_then(days_since).and_then(DaysSinceOnset::new),
            variant_of_concern: None,
        };
        DiagnosisKey::new(*key.as_bytes(), key.rolling_start(), key.rolling_period(), details)
    }
}

/// Whether servers still take `key` at `now`.
fn is_accepted(key: &DiagnosisKey, now: Timestamp) -> bool {
    visits::is_accepted(key.rolling_start(), now)
}

/// A key that may be sent. `Debug` hides its bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "StoredKey", into = "StoredKey")]
pub struct ReleasedKey {
    /// The key.
    pub key: DiagnosisKey,
    /// Not before this time, when it has ended; `None` if it has.
    pub release_after: Option<Timestamp>,
}

/// What the user agreed to publish.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Release {
    keys: Vec<ReleasedKey>,
    basis: Basis,
    consented_at: Timestamp,
    #[serde(default)]
    warnings: ReleasedWarnings,
}

impl Release {
    pub(super) fn of(keys: Vec<ReleasedKey>, basis: Basis, consented_at: Timestamp) -> Self {
        Self { keys, basis, consented_at, warnings: ReleasedWarnings::default() }
    }

    /// All keys, in random order.
    #[must_use]
    pub fn keys(&self) -> &[ReleasedKey] {
        &self.keys
    }

    /// The date it is counted from.
    #[must_use]
    pub const fn basis(&self) -> Basis {
        self.basis
    }

    /// When the user agreed.
    #[must_use]
    pub const fn consented_at(&self) -> Timestamp {
        self.consented_at
    }

    /// The keys that can be sent at `now`: they have ended, and servers still take them.
    #[must_use]
    pub fn sendable(&self, now: Timestamp) -> Vec<DiagnosisKey> {
        let is_due = |key: &&ReleasedKey| key.release_after.is_none_or(|after| after <= now);
        let due = self.keys.iter().filter(is_due).map(|released| released.key);
        due.filter(|key| is_accepted(key, now)).collect()
    }

    /// The warnings that can be sent at `now`, sorted; those of no venue are among them.
    #[must_use]
    pub fn sendable_warnings(&self, now: Timestamp) -> Vec<ProtectedWarning> {
        self.warnings.sendable(now)
    }

    /// What a request's field of warnings holds at `now`.
    pub(super) fn warnings_content(&self, now: Timestamp) -> String {
        self.warnings.content(now)
    }

    /// The visits whose warnings are not published yet, by [`CheckIn::number`](crate::venue::CheckIn::number).
    #[must_use]
    pub fn visits(&self) -> BTreeSet<u64> {
        self.warnings.visits()
    }

    /// Whether something can be sent at `now`.
    pub(super) fn is_sendable(&self, now: Timestamp) -> bool {
        !self.sendable(now).is_empty() || !self.warnings.sendable(now).is_empty()
    }

    /// When the next key will have ended; `None` if all have.
    #[must_use]
    pub fn next_due(&self, now: Timestamp) -> Option<Timestamp> {
        self.keys.iter().filter_map(|key| key.release_after).filter(|after| *after > now).min()
    }

    /// Whether nothing can be sent now or later.
    pub(super) fn is_too_old(&self, now: Timestamp) -> bool {
        self.next_due(now).is_none() && !self.is_sendable(now)
    }

    /// Keeps only the keys and warnings whose first interval, and the one behind their last, `keep`
    /// says of.
    pub(super) fn retain(&mut self, keep: impl Fn(IntervalNumber, IntervalNumber) -> bool) -> Kept {
        let before = self.keys.len();
        self.keys.retain(|released| keep(released.key.rolling_start(), released.key.rolling_end()));
        self.warnings.retain(keep);
        Kept {
            something_left: !(self.keys.is_empty() && self.warnings.is_empty()),
            keys_gone: self.keys.len() < before,
        }
    }

    /// Forgets the keys and the warnings that were sent. All warnings are sent with the first
    /// request.
    pub(super) fn remove(&mut self, sent: &[DiagnosisKey]) {
        self.keys
            .retain(|released| sent.iter().all(|key| key.as_bytes() != released.key.as_bytes()));
        self.warnings = ReleasedWarnings::default();
    }
}

/// What became of a release.
pub(super) struct Kept {
    pub(super) something_left: bool,
    pub(super) keys_gone: bool,
}

impl fmt::Debug for Release {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Release({} keys)", self.keys.len())
    }
}

/// A released key as it is stored.
#[derive(Serialize, Deserialize)]
struct StoredKey {
    key: [u8; 16],
    rolling_start: IntervalNumber,
    rolling_period: RollingPeriod,
    transmission_risk_level: Option<u8>,
    report_type: Option<ReportType>,
    days_since_onset: Option<i8>,
    release_after: Option<Timestamp>,
}

/// A stored number of days outside -14..=14.
#[derive(Clone, Copy, Debug, Error)]
#[error("{0} days since onset are outside -14..=14")]
struct StoredDays(i8);

impl TryFrom<StoredKey> for ReleasedKey {
    type Error = StoredDays;
    fn try_from(stored: StoredKey) -> Result<Self, StoredDays> {
        let days = |days: i8| DaysSinceOnset::new(days.into()).ok_or(StoredDays(days));
        let details = DiagnosisKeyDetails {
            transmission_risk_level: stored.transmission_risk_level,
            report_type: stored.report_type,
            days_since_onset: stored.days_since_onset.map(days).transpose()?,
            variant_of_concern: None,
        };
        let (start, period) = (stored.rolling_start, stored.rolling_period);
        let key = DiagnosisKey::new(stored.key, start, period, details);
        Ok(Self { key, release_after: stored.release_after })
    }
}

impl From<ReleasedKey> for StoredKey {
    fn from(released: ReleasedKey) -> Self {
        let key = released.key;
        Self {
            key: *key.as_bytes(),
            rolling_start: key.rolling_start(),
            rolling_period: key.rolling_period(),
            transmission_risk_level: key.details.transmission_risk_level,
            report_type: key.details.report_type,
            days_since_onset: key.details.days_since_onset.map(DaysSinceOnset::days),
            release_after: released.release_after,
        }
    }
}
