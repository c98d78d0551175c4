//! Visits to venues by QR code, as apps get them. The name of a place is told in two answers only:
//! of a code that the user has just scanned, and of a visit that the user asks for.

use chikaku_core::engine::DayEvidence as CoreEvidence;
use chikaku_core::venue as core_venue;
use chikaku_core::venue::{CheckInError, PackageError, VenueCodeError};

use crate::number::{self, code, to_i32, to_i64};
use crate::{Action, Assessment};

/// What the code at a venue's door says.
#[derive(Clone, PartialEq, Eq, uniffi::Record)]
pub struct VenueCode {
    /// What kind of place it is: `permanent_retail`, `temporary_cultural_event`, …
    pub venue_type: String,
    /// For how long visitors stay as a rule; a visit ends by itself after that.
    pub default_stay_minutes: i32,
    /// The name, if the code has one. For the screen on which the user decides; not to be kept.
    pub name: Option<String>,
    /// When the event begins, seconds since 1970 UTC, if it is one.
    pub event_begins: Option<i64>,
    /// When the event ends.
    pub event_ends: Option<i64>,
    /// Measures that the keeper declares, as in `ventilation`.
    pub declared_measures: Vec<String>,
    /// The UTC day on which the code was issued, days since 1970-01-01, if it says so.
    pub issued_on: Option<i32>,
    /// One of the configuration's venue issuers signed it. Nobody signs Corona-Warn-App's codes.
    pub is_signed_by_trusted_issuer: bool,
}

impl core::fmt::Debug for VenueCode {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("VenueCode(..)")
    }
}

impl VenueCode {
    pub(crate) fn of(venue: &core_venue::VenueCode, is_signed_by_trusted_issuer: bool) -> Self {
        let declaration = venue.declaration();
        Self {
            venue_type: code(&venue.venue_type()),
            default_stay_minutes: to_i32(venue.default_stay().minutes()),
            name: venue.name().map(ToOwned::to_owned),
            event_begins: venue.event().map(|(begins, _)| number::seconds(begins)),
            event_ends: venue.event().map(|(_, ends)| number::seconds(ends)),
            declared_measures: declaration.map_or_else(Vec::new, |said| said.measures.clone()),
            issued_on: declaration.map(|said| number::day(said.issued_on)),
            is_signed_by_trusted_issuer,
        }
    }
}

/// What came of reading a code.
#[derive(Clone, Debug, PartialEq, Eq, uniffi::Enum)]
pub enum ScannedCode {
    /// A venue's.
    Venue {
        /// What it says.
        code: VenueCode,
    },
    /// No venue's, or one that cannot be read.
    Refused {
        /// Why, for ever: `not_a_venue`, `version`, `damaged`, …
        code: String,
        /// Why, in English.
        message: String,
    },
}

/// What came of checking in or out, and what has to be done.
#[derive(Clone, Debug, PartialEq, uniffi::Record)]
pub struct VisitResult {
    /// What came of it.
    pub outcome: VisitOutcome,
    /// What has to be done.
    pub actions: Vec<Action>,
}

/// What came of checking in or out.
#[derive(Clone, Debug, PartialEq, Eq, uniffi::Enum)]
pub enum VisitOutcome {
    /// It is kept.
    Kept {
        /// Names the visit on this phone.
        number: i64,
    },
    /// Nothing was kept.
    Refused {
        /// Why, for ever: `still_there`, `too_many`, `not_now`, `not_there`, `forgotten_day`, or a
        /// code of `ScannedCode`.
        code: String,
        /// Why, in English.
        message: String,
    },
}

impl VisitOutcome {
    pub(crate) fn of(result: Result<u64, CheckInError>) -> Self {
        match result {
            Ok(number) => Self::Kept { number: to_i64(number) },
            Err(error) => Self::refused(check_in_code(&error), &error),
        }
    }

    pub(crate) fn unreadable(error: &VenueCodeError) -> Self {
        Self::refused(venue_code_code(error), error)
    }

    fn refused(code: &str, error: &impl ToString) -> Self {
        Self::Refused { code: code.to_owned(), message: error.to_string() }
    }
}

const fn check_in_code(error: &CheckInError) -> &'static str {
    match error {
        CheckInError::StillThere => "still_there",
        CheckInError::TooMany => "too_many",
        CheckInError::NotNow => "not_now",
        CheckInError::NotThere => "not_there",
        CheckInError::ForgottenDay => "forgotten_day",
        _ => "other",
    }
}

pub(crate) const fn venue_code_code(error: &VenueCodeError) -> &'static str {
    match error {
        VenueCodeError::NotAVenue => "not_a_venue",
        VenueCodeError::Version => "version",
        VenueCodeError::TooLong => "too_long",
        VenueCodeError::Encoding => "damaged",
        VenueCodeError::Malformed(_) => "malformed",
        VenueCodeError::EventTimes => "event_times",
        VenueCodeError::Issuer => "issuer",
        _ => "other",
    }
}

/// One visit, without the place's name.
#[derive(Clone, Debug, PartialEq, Eq, uniffi::Record)]
pub struct Visit {
    /// Names the visit on this phone; for `checkOut` and `visitName`.
    pub number: i64,
    /// What kind of place it is.
    pub venue_type: String,
    /// When the user came, seconds since 1970 UTC.
    pub since: i64,
    /// When the user left, or will be taken to have left.
    pub until: i64,
    /// It was published, or waits for the server: no warning meets it any more.
    pub is_submitted: bool,
}

impl From<&core_venue::CheckIn> for Visit {
    fn from(visit: &core_venue::CheckIn) -> Self {
        Self {
            number: to_i64(visit.number),
            venue_type: code(&visit.venue_type),
            since: number::seconds(visit.since),
            until: number::seconds(visit.until),
            is_submitted: visit.submitted,
        }
    }
}

/// What became of a package of warnings, and what has to be done: above all, whom to tell.
#[derive(Clone, Debug, PartialEq, uniffi::Record)]
pub struct VenueWarningsResult {
    /// What became of it.
    pub outcome: VenueWarningsOutcome,
    /// What has to be done.
    pub actions: Vec<Action>,
}

/// What became of a package of warnings.
#[derive(Clone, Debug, PartialEq, Eq, uniffi::Enum)]
pub enum VenueWarningsOutcome {
    /// It was believed and matched.
    Matched {
        /// Warnings in it.
        warnings: i64,
        /// Messages that are no warnings.
        unreadable: i64,
        /// Warnings of a place that was visited.
        of_visited_places: i64,
        /// Of these, those that are not authentic or not possible.
        refused: i64,
        /// New meetings of a warning and a visit.
        matched: i64,
    },
    /// It had been matched before.
    Known,
    /// It was refused and changed nothing. Only another package can help.
    Refused {
        /// Why, for ever: `signature_mismatch`, `not_a_zip`, `truncated`, …
        code: String,
        /// Why, in English, for a log.
        message: String,
    },
}

impl VenueWarningsOutcome {
    pub(crate) fn of(result: &Result<core_venue::PackageReport, PackageError>) -> Self {
        match result {
            Ok(report) if report.known => Self::Known,
            Ok(report) => Self::Matched {
                warnings: to_i64(report.warnings),
                unreadable: to_i64(report.unreadable),
                of_visited_places: to_i64(report.of_visited_places),
                refused: to_i64(report.refused),
                matched: to_i64(report.matched),
            },
            Err(error) => {
                let code = match error {
                    PackageError::File(error) => error.code(),
                    PackageError::Truncated { .. } => "truncated",
                    PackageError::Malformed { .. } => "malformed",
                    PackageError::TooManyWarnings { .. } => "too_many_warnings",
                    _ => "other",
                };
                Self::Refused { code: code.to_owned(), message: error.to_string() }
            }
        }
    }
}

/// Everything that speaks for an exposure on one UTC day, by where it comes from.
#[derive(Clone, Debug, PartialEq, uniffi::Record)]
pub struct DayEvidence {
    /// The UTC day, days since 1970-01-01.
    pub day: i32,
    /// What follows from phones that were heard.
    pub encounters: Option<Assessment>,
    /// What follows from venues that were visited, by time.
    pub venues: Vec<VenueContact>,
}

/// A warning that met a visit.
#[derive(Clone, Debug, PartialEq, Eq, uniffi::Record)]
pub struct VenueContact {
    /// The visit's number.
    pub visit: i64,
    /// What kind of place it was.
    pub venue_type: String,
    /// When the user came, seconds since 1970 UTC.
    pub since: i64,
    /// When the user left.
    pub until: i64,
    /// From when on both were there, or the air still held what one had left.
    pub met_from: i64,
    /// For how many seconds.
    pub seconds: i64,
    /// How infectious the other visitor was, 1..=8.
    pub transmission_risk_level: i32,
    /// Whether that counts.
    pub counts: bool,
}

impl From<CoreEvidence> for DayEvidence {
    fn from(evidence: CoreEvidence) -> Self {
        Self {
            day: number::day(evidence.day),
            encounters: evidence.encounters.as_ref().map(Assessment::from),
            venues: evidence.venues.iter().map(VenueContact::from).collect(),
        }
    }
}

impl From<&core_venue::VenueExplanation> for VenueContact {
    fn from(explanation: &core_venue::VenueExplanation) -> Self {
        let matched = &explanation.matched;
        Self {
            visit: to_i64(matched.check_in),
            venue_type: code(&explanation.venue_type),
            since: number::seconds(explanation.stay.0),
            until: number::seconds(explanation.stay.1),
            met_from: number::seconds(matched.from),
            seconds: i64::from(matched.seconds),
            transmission_risk_level: i32::from(matched.transmission_risk_level),
            counts: explanation.counts,
        }
    }
}
