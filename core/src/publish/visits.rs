//! Warnings for the visitors of the same venues, which travel in the request that carries the keys.
//!
//! Wire: a request to a server that takes visits has a field more than the server's own format,
//! `checkInProtectedReports` (Corona-Warn-App's name for it in its submission): base64 of the
//! field 4 of a `TraceWarningPackage`, `repeated CheckInProtectedReport`, sorted by bytes.
//! Protobuf joins messages that stand behind each other, so the content of a package is what was
//! uploaded, one after another; a server that hides which warnings belong to one person takes them
//! apart with [`uploaded_warnings`] and lets
//! [`WarningPackageWriter`](crate::venue::WarningPackageWriter) sort and sign them. The field is
//! absent if there are no warnings. Neither COCOA's attestation nor the HMAC of a verification
//! certificate covers it: what entitles the keys entitles the warnings of the same request.
//!
//! Two sizes hide how many places somebody visited. Every request to such a server, a decoy's as
//! well, is as long as if it held [`MOST_WARNINGS`]. And who receives the warnings counts
//! [`WARNING_COUNTS`] only: the rest are warnings of no venue, made once, so that a repetition does
//! not tell them apart.

use std::collections::BTreeSet;

use base64ct::{Base64, Encoding};
use rand_core::CryptoRng;
use serde::{Deserialize, Serialize};
use thiserror::Error;

use super::release::ACCEPTED_DAYS;
use crate::time::{IntervalNumber, Timestamp};
use crate::venue::package::{self, read_unsigned};
use crate::venue::stay::WarnedIntervals;
use crate::venue::{PackageError, PackageLimits, ProtectedWarning, SubmittedWarning};

/// How many warnings a request holds, if it holds any. Ours.
pub const WARNING_COUNTS: [usize; 3] = [8, 32, 128];
/// More warnings than a request holds.
pub const MOST_WARNINGS: usize = 128;
/// Bytes of one warning: tag and length, and four fields with theirs.
const WARNING_BYTES: usize = 2 + 34 + 18 + 18 + 34;
/// `,"checkInProtectedReports":""`
const FIELD_BYTES: usize = 29;
/// What the field takes in a request at most.
pub(super) const LONGEST_BYTES: usize =
    FIELD_BYTES + (MOST_WARNINGS * WARNING_BYTES).div_ceil(3) * 4;

/// What the field with this content takes.
pub(super) const fn field_bytes(content: &str) -> usize {
    if content.is_empty() { 0 } else { FIELD_BYTES + content.len() }
}

/// Whether servers still take what began in `start`.
pub(super) fn is_accepted(start: IntervalNumber, now: Timestamp) -> bool {
    start >= now.day().saturating_sub(ACCEPTED_DAYS).first_interval()
}

/// Warnings that the user agreed to publish. They are kept sealed; what they warn about stands
/// beside them, so that they are forgotten in time.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct ReleasedWarnings {
    warnings: Vec<ReleasedWarning>,
    decoys: Vec<Sealed>,
}

#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
struct ReleasedWarning {
    sealed: Sealed,
    start: IntervalNumber,
    period: u32,
    visit: u64,
}

impl ReleasedWarning {
    fn end(&self) -> IntervalNumber {
        let longest = IntervalNumber::new(u32::MAX);
        self.start.checked_add(self.period).unwrap_or(longest)
    }
}

impl ReleasedWarnings {
    pub(super) fn of(
        submitted: Vec<SubmittedWarning>,
        rng: &mut (impl CryptoRng + ?Sized),
    ) -> Self {
        let released = |warning: SubmittedWarning| {
            let WarnedIntervals { start, period } = warning.intervals;
            ReleasedWarning { sealed: Sealed(warning.sealed), start, period, visit: warning.visit }
        };
        let count = submitted.len();
        let places = WARNING_COUNTS.into_iter().find(|places| *places >= count);
        let missing = places.unwrap_or(count) - count;
        let decoys = if count == 0 { 0 } else { missing };
        Self {
            warnings: submitted.into_iter().map(released).collect(),
            decoys: (0..decoys).map(|_| Sealed(ProtectedWarning::decoy(rng))).collect(),
        }
    }

    pub(super) const fn is_empty(&self) -> bool {
        self.warnings.is_empty()
    }

    /// The visits that are not published yet.
    pub(super) fn visits(&self) -> BTreeSet<u64> {
        self.warnings.iter().map(|warning| warning.visit).collect()
    }

    /// What can be sent at `now`, sorted, with the warnings of no venue; nothing once everything
    /// is too old.
    pub(super) fn sendable(&self, now: Timestamp) -> Vec<ProtectedWarning> {
        let accepted = self.warnings.iter().filter(|warning| is_accepted(warning.start, now));
        let mut sendable: Vec<_> = accepted.map(|warning| warning.sealed.0.clone()).collect();
        if !sendable.is_empty() {
            sendable.extend(self.decoys.iter().map(|decoy| decoy.0.clone()));
        }
        sendable.sort_unstable();
        sendable
    }

    /// The content of the request's field.
    pub(super) fn content(&self, now: Timestamp) -> String {
        Base64::encode_string(&package::reports(self.sendable(now)))
    }

    /// Keeps only the warnings whose first interval, and the one behind their last, `keep` says of.
    pub(super) fn retain(&mut self, keep: impl Fn(IntervalNumber, IntervalNumber) -> bool) {
        self.warnings.retain(|warning| keep(warning.start, warning.end()));
        if self.warnings.is_empty() {
            self.decoys.clear();
        }
    }
}

/// A sealed warning, stored as the base64 of its parts.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
struct Sealed(ProtectedWarning);

/// A stored warning that is none.
#[derive(Clone, Copy, Debug, Error)]
#[error("a stored warning is damaged")]
struct DamagedWarning;

impl TryFrom<String> for Sealed {
    type Error = DamagedWarning;
    fn try_from(text: String) -> Result<Self, DamagedWarning> {
        let bytes = Base64::decode_vec(&text).map_err(|_| DamagedWarning)?;
        let (venue_hash, rest) = bytes.split_first_chunk().ok_or(DamagedWarning)?;
        let (iv, rest) = rest.split_first_chunk().ok_or(DamagedWarning)?;
        let (ciphertext, mac) = rest.split_last_chunk().ok_or(DamagedWarning)?;
        let (venue_hash, iv, mac) = (*venue_hash, *iv, *mac);
        Ok(Self(ProtectedWarning { venue_hash, iv, ciphertext: ciphertext.to_vec(), mac }))
    }
}

impl From<Sealed> for String {
    fn from(Sealed(warning): Sealed) -> Self {
        let ProtectedWarning { venue_hash, iv, ciphertext, mac } = warning;
        Base64::encode_string(&[&venue_hash[..], &iv, &ciphertext, &mac].concat())
    }
}

/// Warnings in a request that cannot be read.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum UploadedWarningsError {
    /// The request's body is no JSON object, or the field no text.
    #[error("the request is not JSON of the expected form")]
    Request,
    /// The field is not base64.
    #[error("the warnings are not in base64")]
    Encoding,
    /// What it holds is malformed.
    #[error(transparent)]
    Content(#[from] PackageError),
    /// Some messages are no warnings.
    #[error("{messages} messages are no warnings")]
    Unreadable {
        /// How many.
        messages: u64,
    },
}

/// The warnings in the body of a request of any format, none if it holds none: the server's side,
/// which checks first what entitles the request.
///
/// # Errors
/// [`UploadedWarningsError`]; more than [`MOST_WARNINGS`] are refused as well.
pub fn uploaded_warnings(body: &[u8]) -> Result<Vec<ProtectedWarning>, UploadedWarningsError> {
    #[derive(Deserialize)]
    struct Request {
        #[serde(default, rename = "checkInProtectedReports")]
        reports: String,
    }
    let request: Request =
        serde_json::from_slice(body).map_err(|_| UploadedWarningsError::Request)?;
    let content =
        Base64::decode_vec(&request.reports).map_err(|_| UploadedWarningsError::Encoding)?;
    let limits = PackageLimits { warnings: MOST_WARNINGS as u64, ..PackageLimits::default() };
    let mut warnings = Vec::new();
    let unreadable =
        read_unsigned(&content, &limits, &mut |warning| warnings.push(warning.clone()))?;
    match unreadable {
        0 => Ok(warnings),
        messages => Err(UploadedWarningsError::Unreadable { messages }),
    }
}
