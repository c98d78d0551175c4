//! Publishing keys and visits: what a host says, and what it is asked to do.

use core::fmt;

use chikaku_core::local_time::UtcOffset;
use chikaku_core::publish::cocoa::{CocoaEndpoint, Version};
use chikaku_core::publish::exposure_server::ExposureServerEndpoint;
use chikaku_core::publish::queue as core_queue;
use chikaku_core::publish::request::{Method, RetryReason};
use chikaku_core::publish::{self, Endpoint, LocalDate, Step};
use chikaku_core::venue::TransmissionRiskLevel;

use crate::number::{seconds, to_i32};
use crate::{Action, ExposureNotificationError};

/// The server that takes keys, and what it has to be told about the app.
#[derive(Clone, Debug, PartialEq, Eq, uniffi::Enum)]
pub enum UploadServer {
    /// COCOA's diagnosis interface.
    Cocoa {
        /// Version of the interface: 2 or 3.
        version: i32,
        /// Mobile country codes; Japan is `440`.
        regions: Vec<String>,
        /// `Android` or `iOS`.
        platform: String,
        /// The app's package name.
        app_package_name: String,
        /// It takes warnings for the visitors of the same venues with the keys.
        takes_visits: bool,
    },
    /// Google's exposure-notifications-server, publish v1.
    ExposureServer {
        /// The health authority, as the server's operator names it.
        health_authority_id: String,
        /// The user has been outside of the server's region.
        traveler: bool,
        /// It takes warnings for the visitors of the same venues with the keys. The original refuses
        /// them.
        takes_visits: bool,
    },
}

impl UploadServer {
    pub(crate) fn endpoint(&self) -> Result<Endpoint, ExposureNotificationError> {
        match self {
            Self::Cocoa { version, regions, platform, app_package_name, takes_visits } => {
                let version = match version {
                    2 => Version::V2,
                    3 => Version::V3,
                    other => {
                        return Err(ExposureNotificationError::configuration(format_args!(
                            "upload_server: COCOA's interface has no version {other}, only 2 and 3"
                        )));
                    }
                };
                Ok(Endpoint::Cocoa(CocoaEndpoint {
                    version,
                    regions: regions.clone(),
                    platform: platform.clone(),
                    app_package_name: app_package_name.clone(),
                    takes_visits: *takes_visits,
                }))
            }
            Self::ExposureServer { health_authority_id, traveler, takes_visits } => {
                Ok(Endpoint::ExposureServer(ExposureServerEndpoint {
                    health_authority_id: health_authority_id.clone(),
                    traveler: *traveler,
                    takes_visits: *takes_visits,
                }))
            }
        }
    }
}

/// What the user agreed to publish, asked by an app that says what that is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, uniffi::Enum)]
pub enum PublicationConsent {
    /// The keys. No visit leaves the phone.
    Keys,
    /// The keys, and sealed warnings for other visitors of the same venues.
    KeysAndVisits {
        /// How infectious the user was, 1..=8; the same for all days.
        transmission_risk_level: i32,
    },
}

impl PublicationConsent {
    pub(crate) fn visits(self) -> Result<Option<TransmissionRiskLevel>, ExposureNotificationError> {
        let Self::KeysAndVisits { transmission_risk_level } = self else { return Ok(None) };
        let level = u8::try_from(transmission_risk_level).ok().and_then(TransmissionRiskLevel::new);
        let wrong = || ExposureNotificationError::argument("transmission risk level: not 1..=8");
        level.ok_or_else(wrong).map(Some)
    }
}

/// The date that a publication is counted from, on the user's own calendar.
#[derive(Clone, Copy, Debug, PartialEq, Eq, uniffi::Record)]
pub struct PublicationDate {
    /// Days from 1970-01-01 to the date, on the user's calendar.
    pub local_day: i32,
    /// How far the user's clock is ahead of UTC.
    pub utc_offset_minutes: i32,
    /// Symptoms began on this date; else a test was made on it, and there are none.
    pub is_symptom_onset: bool,
}

impl PublicationDate {
    pub(crate) fn basis(self) -> Result<publish::Basis, ExposureNotificationError> {
        let wrong = |error: &dyn fmt::Display| {
            ExposureNotificationError::argument(format_args!("date: {error}"))
        };
        let days = crate::number::count("local day", self.local_day)?;
        let offset =
            UtcOffset::new(i64::from(self.utc_offset_minutes)).map_err(|error| wrong(&error))?;
        let date = LocalDate::new(days, offset).map_err(|error| wrong(&error))?;
        Ok(if self.is_symptom_onset {
            publish::Basis::SymptomOnset(date)
        } else {
            publish::Basis::TestDate(date)
        })
    }
}

/// What became of the wish to publish, and what has to be done.
#[derive(Clone, Debug, PartialEq, uniffi::Record)]
pub struct Publication {
    /// Whether keys wait to be sent.
    pub outcome: PublicationOutcome,
    /// What has to be done.
    pub actions: Vec<Action>,
}

/// What became of the wish to publish. Unless it is queued, no key has been disclosed and no visit
/// marked.
#[derive(Clone, Debug, PartialEq, Eq, uniffi::Enum)]
pub enum PublicationOutcome {
    /// Keys and warnings are kept until the server has them.
    Queued {
        /// Names the upload.
        upload: String,
        /// Visits whose other visitors will be warned.
        visits: i32,
        /// Visits for which the upload has no room, the oldest ones; the user should know.
        visits_left_out: i32,
    },
    /// Numbers were refused just before.
    Wait {
        /// For so many seconds.
        seconds: i32,
    },
    /// The date has not begun where the user is.
    DateInFuture,
    /// No key of that time is there, and no visit that would warn anybody.
    NoKeys,
    /// The client was opened without a server that takes keys.
    NoServer,
    /// The server takes no visits. Keys alone can be published.
    NoServerForVisits,
}

/// One call to make for an upload, which may be a decoy: treat all alike.
#[derive(Clone, PartialEq, Eq, uniffi::Record)]
pub struct UploadCall {
    /// Names the upload in the answer.
    pub upload: String,
    /// What to do.
    pub step: UploadStep,
}

impl fmt::Debug for UploadCall {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("UploadCall(..)")
    }
}

/// What to do for an upload.
#[derive(Clone, PartialEq, Eq, uniffi::Enum)]
pub enum UploadStep {
    /// Have the operating system attest that app and phone are genuine (Play Integrity,
    /// DeviceCheck), and answer `Attested`. An attestation serves once.
    Attest {
        /// 32 bytes that the attestation is bound to.
        nonce: Vec<u8>,
    },
    /// Have the verification server exchange the code for a certificate, and answer `Certified`.
    Certify {
        /// What the user entered.
        code: String,
        /// HMAC-SHA-256 over the keys, in base64.
        keys_hmac: String,
        /// Send the header `X-Chaff`, and answer with whatever comes.
        decoy: bool,
    },
    /// Send this to the key server, and answer `Response`.
    Send {
        /// `PUT` or `POST`.
        method: String,
        /// The path behind the server's address, from its slash on.
        path: String,
        /// Headers to add.
        headers: Vec<HttpHeader>,
        /// JSON.
        body: Vec<u8>,
    },
}

impl fmt::Debug for UploadStep {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Attest { .. } => "Attest(..)",
            Self::Certify { .. } => "Certify(..)",
            Self::Send { .. } => "Send(..)",
        })
    }
}

/// A header of an HTTP request.
#[derive(Clone, Debug, PartialEq, Eq, uniffi::Record)]
pub struct HttpHeader {
    /// Its name.
    pub name: String,
    /// Its value.
    pub value: String,
}

impl UploadCall {
    /// `None` for a step that this interface does not have.
    pub(crate) fn of(call: publish::Call) -> Option<Self> {
        let step = match call.step {
            Step::Attest { nonce } => UploadStep::Attest { nonce: nonce.to_vec() },
            Step::Certify { code, keys_hmac, decoy } => {
                UploadStep::Certify { code: code.as_str().to_owned(), keys_hmac, decoy }
            }
            Step::Send(request) => UploadStep::Send {
                method: match request.method {
                    Method::Put => "PUT".to_owned(),
                    Method::Post => "POST".to_owned(),
                },
                path: request.path.to_owned(),
                headers: request
                    .headers
                    .iter()
                    .map(|(name, value)| HttpHeader {
                        name: (*name).to_owned(),
                        value: (*value).to_owned(),
                    })
                    .collect(),
                body: request.body,
            },
            _ => return None,
        };
        Some(Self { upload: call.upload.to_string(), step })
    }
}

/// What came of a call.
#[derive(Clone, PartialEq, Eq, uniffi::Enum)]
pub enum UploadAnswer {
    /// The attestation.
    Attested {
        /// As the operating system gave it.
        token: String,
    },
    /// The certificate.
    Certified {
        /// As the verification server gave it.
        certificate: String,
    },
    /// The verification server does not know the code, or it has been used.
    CodeRefused,
    /// The server answered.
    Response {
        /// HTTP status.
        status: i32,
        /// The body, which may be empty.
        body: Vec<u8>,
    },
    /// No answer: no network, a timeout, no attestation to be had.
    Nothing,
}

impl fmt::Debug for UploadAnswer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Attested { .. } => "Attested(..)",
            Self::Certified { .. } => "Certified(..)",
            Self::CodeRefused => "CodeRefused",
            Self::Response { .. } => "Response(..)",
            Self::Nothing => "Nothing",
        })
    }
}

impl UploadAnswer {
    pub(crate) fn core(self) -> Result<publish::Answer, ExposureNotificationError> {
        Ok(match self {
            Self::Attested { token } => publish::Answer::Attested(token),
            Self::Certified { certificate } => publish::Answer::Certified(certificate),
            Self::CodeRefused => publish::Answer::CodeRefused,
            Self::Response { status, body } => {
                let status = u16::try_from(status).map_err(|_| {
                    ExposureNotificationError::argument(format_args!("status {status}"))
                })?;
                publish::Answer::Response { status, body }
            }
            Self::Nothing => publish::Answer::Nothing,
        })
    }
}

/// What an answer led to, and what has to be done.
#[derive(Clone, Debug, PartialEq, uniffi::Record)]
pub struct UploadProgress {
    /// What it led to.
    pub outcome: UploadOutcome,
    /// What has to be done.
    pub actions: Vec<Action>,
}

/// What an answer led to.
#[derive(Clone, Debug, PartialEq, Eq, uniffi::Enum)]
pub enum UploadOutcome {
    /// The next call is ready.
    Proceeds,
    /// The server took the keys, and the warnings for other visitors if there were any.
    Published {
        /// How many keys.
        keys: i32,
        /// How many visits became warnings.
        visits: i32,
        /// Others follow when they have ended.
        more_follow: bool,
    },
    /// The server does not know the number, or it has been used; `correctNumber` sends the same
    /// keys under a better one.
    CodeRefused,
    /// It is tried again, as often as it takes.
    Waits {
        /// When, seconds since 1970 UTC.
        until: i64,
        /// Why: `no_answer`, `server_busy`, `not_from_here` or `not_understood`.
        reason: String,
    },
    /// The first keys were published; the server does not take those that ended later.
    RestRefused,
    /// There is nothing to tell the user.
    Done,
    /// The upload is not in the queue, or did not wait for this.
    Ignored,
}

impl From<core_queue::Outcome> for UploadOutcome {
    fn from(outcome: core_queue::Outcome) -> Self {
        match outcome {
            core_queue::Outcome::Proceeds => Self::Proceeds,
            core_queue::Outcome::Published { keys, visits, more_follow } => {
                Self::Published { keys: count(keys), visits: count(visits), more_follow }
            }
            core_queue::Outcome::CodeRefused => Self::CodeRefused,
            core_queue::Outcome::Waits { until, reason } => {
                let reason = match reason {
                    RetryReason::NoAnswer => "no_answer",
                    RetryReason::ServerBusy => "server_busy",
                    RetryReason::NotFromHere => "not_from_here",
                    _ => "not_understood",
                };
                Self::Waits { until: seconds(until), reason: reason.to_owned() }
            }
            core_queue::Outcome::RestRefused => Self::RestRefused,
            core_queue::Outcome::DecoyDone => Self::Done,
            _ => Self::Ignored,
        }
    }
}

/// An upload that the user waits for.
#[derive(Clone, Debug, PartialEq, Eq, uniffi::Record)]
pub struct UploadStatus {
    /// Its name.
    pub upload: String,
    /// How many keys are not published yet.
    pub keys: i32,
    /// How many visits are not published yet.
    pub visits: i32,
    /// How often it failed.
    pub failures: i32,
    /// When it is tried again, seconds since 1970 UTC; `None` if it can be tried now.
    pub not_before: Option<i64>,
    /// It waits for `correctNumber`.
    pub code_refused: bool,
}

impl From<core_queue::UploadStatus> for UploadStatus {
    fn from(status: core_queue::UploadStatus) -> Self {
        Self {
            upload: status.id.to_string(),
            keys: count(status.keys),
            visits: count(status.visits),
            failures: to_i32(status.failures),
            not_before: status.not_before.map(seconds),
            code_refused: status.code_refused,
        }
    }
}

pub(crate) fn count(count: usize) -> i32 {
    i32::try_from(count).unwrap_or(i32::MAX)
}
