//! Uploads in the three formats: what is in them, and what is answered.

use base64ct::{Base64, Encoding};
use chikaku_core::diagnosis_key::{DaysSinceOnset, DiagnosisKey, DiagnosisKeyDetails, ReportType};
use chikaku_core::publish::cocoa::{DiagnosisV2, DiagnosisV3, KeyV3};
use chikaku_core::publish::exposure_server::{Publish, PublishResponse};
use chikaku_core::publish::{LocalDate, ProcessingNumber};
use chikaku_core::time::{IntervalNumber, RollingPeriod, Timestamp, UtcDay};
use rand_core::CryptoRng;
use sha2::{Digest, Sha256};

/// More keys are not taken at once (exposure-notifications-server).
const MAX_KEYS: usize = 30;
/// Keys of so many days before today are taken (COCOA).
const DAYS: u32 = 14;
/// COCOA's server gave every key this level.
const TRANSMISSION_RISK: u8 = 4;
/// Padding of an answer, so that its length does not tell what became of the upload.
const PADDING_BYTES: usize = 768;

/// A request, as it came.
#[derive(Clone, Copy, Debug)]
pub struct Upload<'a> {
    /// Its path.
    pub path: &'a str,
    /// It had the header `X-Chaff`.
    pub decoy: bool,
    /// Its body.
    pub body: &'a [u8],
}

/// An answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reply {
    /// HTTP status.
    pub status: u16,
    /// JSON, or nothing.
    pub body: Vec<u8>,
}

impl Reply {
    const fn empty(status: u16) -> Self {
        Self { status, body: Vec::new() }
    }

    pub(super) const fn number_refused() -> Self {
        Self::empty(406)
    }

    const fn bad_request() -> Self {
        Self::empty(400)
    }
}

/// What an upload says.
pub(super) struct Submission {
    /// COCOA's processing number; a certificate is not checked.
    pub(super) number: Option<String>,
    /// The same for each repetition of an attempt, and for no other.
    pub(super) attempt: String,
    pub(super) keys: Vec<DiagnosisKey>,
}

impl Upload<'_> {
    /// Reads and checks the upload; an error is the answer.
    pub(super) fn read(&self, now: Timestamp) -> Result<Submission, Reply> {
        match self.path {
            "/v2/diagnosis" => self.cocoa_v2(now),
            "/v3/diagnosis" => self.cocoa_v3(now),
            "/v1/publish" => self.exposure_server(now),
            _ => Err(Reply::empty(404)),
        }
    }

    /// The answer to an upload that was taken, and to a decoy.
    pub(super) fn accepted(&self, rng: &mut (impl CryptoRng + ?Sized)) -> Reply {
        match self.path {
            "/v2/diagnosis" => Reply::empty(204),
            "/v3/diagnosis" => Reply { status: 200, body: b"{}".to_vec() },
            _ => {
                let mut random = [0; PADDING_BYTES];
                rng.fill_bytes(&mut random);
                let (token, padding) = random.split_at(48);
                let response = PublishResponse {
                    revision_token: Base64::encode_string(token),
                    padding: Base64::encode_string(padding),
                    ..PublishResponse::default()
                };
                let body = serde_json::to_vec(&response).unwrap_or_default();
                Reply { status: 200, body }
            }
        }
    }

    /// One key that is not valid has all of them refused.
    fn cocoa_v2(&self, now: Timestamp) -> Result<Submission, Reply> {
        let body: DiagnosisV2 = self.json()?;
        let details = DiagnosisKeyDetails {
            transmission_risk_level: Some(TRANSMISSION_RISK),
            ..DiagnosisKeyDetails::default()
        };
        let read = body.keys.iter().map(|sent| {
            let period = day_if_zero(sent.rolling_period);
            key(&sent.key_data, sent.rolling_start_number, period, details, now)
        });
        let keys: Vec<_> = read.collect::<Option<_>>().ok_or_else(Reply::bad_request)?;
        let number = self.number(&body.verification_payload)?;
        let mut lines: Vec<_> = body.keys.iter().map(|sent| sent.key_data.as_str()).collect();
        lines.sort_unstable();
        let attempt = hex::encode(Sha256::digest(lines.join(",")));
        checked(Submission { number, attempt, keys })
    }

    /// Keys that are not valid are left out.
    fn cocoa_v3(&self, now: Timestamp) -> Result<Submission, Reply> {
        let body: DiagnosisV3 = self.json()?;
        let date = LocalDate::parse(&body.onset_of_symptom_or_test_date);
        let date = date.map_err(|_| Reply::bad_request())?;
        let onset = body.has_symptom.then(|| date.utc_day());
        let read = |sent: &KeyV3| {
            let details = DiagnosisKeyDetails {
                transmission_risk_level: Some(TRANSMISSION_RISK),
                report_type: ReportType::from_wire(sent.report_type),
                days_since_onset: days_since(sent.rolling_start_number, onset),
                variant_of_concern: None,
            };
            let period = day_if_zero(sent.rolling_period);
            key(&sent.key_data, sent.rolling_start_number, period, details, now)
        };
        let keys = body.keys.iter().filter_map(read).collect();
        let number = self.number(&body.verification_payload)?;
        checked(Submission { number, attempt: body.idempotency_key, keys })
    }

    fn exposure_server(&self, now: Timestamp) -> Result<Submission, Reply> {
        let body: Publish = self.json()?;
        if body.verification_payload.is_empty() {
            return Err(Reply::empty(401));
        }
        let onset = body.symptom_onset_interval.map(|onset| IntervalNumber::new(onset).day());
        let read = body.temporary_exposure_keys.iter().filter_map(|sent| {
            let risk = sent.transmission_risk;
            let details = DiagnosisKeyDetails {
                transmission_risk_level: (risk > 0).then_some(risk),
                report_type: Some(ReportType::ConfirmedTest),
                days_since_onset: days_since(sent.rolling_start_number, onset),
                variant_of_concern: None,
            };
            key(&sent.key, sent.rolling_start_number, sent.rolling_period, details, now)
        });
        let keys: Vec<_> = read.collect();
        if keys.is_empty() {
            return Err(Reply::bad_request());
        }
        // The HMAC's key is made anew for each attempt and kept through its repetitions.
        checked(Submission { number: None, attempt: body.hmac_key, keys })
    }

    fn json<T: serde::de::DeserializeOwned>(&self) -> Result<T, Reply> {
        serde_json::from_slice(self.body).map_err(|_| Reply::bad_request())
    }

    fn number(&self, text: &str) -> Result<Option<String>, Reply> {
        match ProcessingNumber::new(text) {
            Ok(number) => Ok(Some(number.as_str().to_owned())),
            Err(_) if self.decoy => Ok(None),
            Err(_) => Err(Reply::number_refused()),
        }
    }
}

fn checked(submission: Submission) -> Result<Submission, Reply> {
    if submission.keys.len() > MAX_KEYS { Err(Reply::bad_request()) } else { Ok(submission) }
}

const fn day_if_zero(period: u32) -> u32 {
    if period == 0 { RollingPeriod::DAY.intervals() } else { period }
}

/// A key that may be published, at some time.
fn key(
    base64: &str,
    start: u32,
    period: u32,
    details: DiagnosisKeyDetails,
    now: Timestamp,
) -> Option<DiagnosisKey> {
    let bytes = Base64::decode_vec(base64).ok()?.try_into().ok()?;
    let period = RollingPeriod::new(period).ok()?;
    let start = IntervalNumber::new(start);
    let first = now.day().saturating_sub(DAYS).first_interval();
    let is_recent = (first..=now.interval()).contains(&start);
    is_recent.then(|| DiagnosisKey::new(bytes, start, period, details))
}

fn days_since(start: u32, onset: Option<UtcDay>) -> Option<DaysSinceOnset> {
    let days = IntervalNumber::new(start).day().days_since(onset?);
    DaysSinceOnset::new(i32::try_from(days).ok()?)
}
