//! Google's exposure-notifications-server: `POST /v1/publish`.
//!
//! The phone binds its keys to a verification certificate: it sends an HMAC over them to the
//! verification server, which puts it into the certificate, and discloses the HMAC's key with the
//! keys (verification protocol of exposure-notifications-server).

use base64ct::{Base64, Encoding};
use hmac::{Hmac, KeyInit, Mac};
use rand_core::CryptoRng;
use serde::{Deserialize, Serialize};
use sha2::Sha256;

use super::envelope::{Payload, hide, json_bytes, seal};
use super::release::Basis;
use super::request::{Method, Request, Verdict, retry_reason};
use crate::diagnosis_key::DiagnosisKey;

/// What an exposure-notifications-server has to be told about the app.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ExposureServerEndpoint {
    /// The health authority, as the server's operator names it.
    pub health_authority_id: String,
    /// The user has been outside of the server's region.
    pub traveler: bool,
    /// The server takes [warnings](super::visits) for the visitors of the same venues with the keys.
    /// The original refuses requests with fields that it does not know.
    pub takes_visits: bool,
}

/// Whether the HMAC covers the transmission risk.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HmacForm {
    /// `key.start.period.risk`.
    WithRisk,
    /// `key.start.period`; servers take it where every risk is 0.
    WithoutRisk,
}

/// HMAC-SHA-256 over the keys' texts, in the order of their base64 and joined by commas; in base64
/// itself.
#[must_use]
pub fn keys_hmac(keys: &[DiagnosisKey], hmac_key: &[u8], form: HmacForm) -> String {
    let mut texts: Vec<_> = keys.iter().map(|key| key_text(key, form)).collect();
    texts.sort_unstable();
    let mut mac = Hmac::<Sha256>::new_from_slice(hmac_key).expect("HMAC takes a key of any length");
    mac.update(texts.join(",").as_bytes());
    Base64::encode_string(&mac.finalize().into_bytes())
}

fn key_text(key: &DiagnosisKey, form: HmacForm) -> String {
    let (data, start) = (Base64::encode_string(key.as_bytes()), key.rolling_start().get());
    let period = key.rolling_period().intervals();
    match form {
        HmacForm::WithRisk => format!("{data}.{start}.{period}.{}", risk(key)),
        HmacForm::WithoutRisk => format!("{data}.{start}.{period}"),
    }
}

fn risk(key: &DiagnosisKey) -> u8 {
    key.details.transmission_risk_level.unwrap_or(0)
}

/// What one request is made from.
pub(super) struct Submission<'a> {
    pub(super) keys: &'a [DiagnosisKey],
    pub(super) basis: Basis,
    pub(super) certificate: &'a str,
    pub(super) hmac_key: &'a [u8],
    pub(super) revision_token: Option<&'a str>,
    pub(super) decoy: bool,
}

impl ExposureServerEndpoint {
    /// The request, padded.
    pub(super) fn request(
        &self,
        submission: &Submission<'_>,
        warnings: String,
        rng: &mut (impl CryptoRng + ?Sized),
    ) -> Request {
        let onset = submission.basis.has_symptoms().then(|| submission.basis.date().utc_day());
        let payload = Publish {
            temporary_exposure_keys: submission.keys.iter().map(PublishedKey::of).collect(),
            health_authority_id: self.health_authority_id.clone(),
            verification_payload: submission.certificate.to_owned(),
            hmac_key: Base64::encode_string(submission.hmac_key),
            symptom_onset_interval: onset.map(|day| day.first_interval().get()),
            traveler: self.traveler,
            revision_token: submission.revision_token.unwrap_or_default().to_owned(),
            check_in_protected_reports: warnings,
            padding: String::new(),
        };
        let body = seal(payload, self.takes_visits, rng);
        Request::json(Method::Post, "/v1/publish", submission.decoy, body)
    }
}

/// The body of `POST /v1/publish`. `Debug` shows nothing of it.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[expect(missing_docs, reason = "the interface's own names")]
pub struct Publish {
    pub temporary_exposure_keys: Vec<PublishedKey>,
    #[serde(rename = "healthAuthorityID")]
    pub health_authority_id: String,
    /// The verification certificate.
    pub verification_payload: String,
    pub hmac_key: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub symptom_onset_interval: Option<u32>,
    #[serde(default, skip_serializing_if = "core::ops::Not::not")]
    pub traveler: bool,
    #[serde(default)]
    pub revision_token: String,
    /// [`uploaded_warnings`](super::visits::uploaded_warnings) reads it; not a field of the server's own format.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub check_in_protected_reports: String,
    #[serde(default)]
    pub padding: String,
}

/// A key of [`Publish`].
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[expect(missing_docs, reason = "the interface's own names")]
pub struct PublishedKey {
    pub key: String,
    pub rolling_start_number: u32,
    pub rolling_period: u32,
    #[serde(default)]
    pub transmission_risk: u8,
}

impl PublishedKey {
    fn of(key: &DiagnosisKey) -> Self {
        Self {
            key: Base64::encode_string(key.as_bytes()),
            rolling_start_number: key.rolling_start().get(),
            rolling_period: key.rolling_period().intervals(),
            transmission_risk: risk(key),
        }
    }
}

impl Payload for Publish {
    // {"key":"AAECAwQFBgcICQoLDA0ODw==","rollingStartNumber":4294967295,"rollingPeriod":144,
    // "transmissionRisk":255},
    const LONGEST_KEY_BYTES: usize = 109;

    fn padding(&mut self) -> &mut String {
        &mut self.padding
    }

    fn warnings(&self) -> &str {
        &self.check_in_protected_reports
    }

    fn key_bytes(&self) -> usize {
        self.temporary_exposure_keys.iter().map(|key| json_bytes(key) + 1).sum()
    }
}

hide!(Publish, PublishedKey, PublishResponse);

/// The server's answer. `Debug` shows nothing of it.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct PublishResponse {
    /// Passed back when the same phone publishes again.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub revision_token: String,
    /// How many keys are new.
    pub inserted_exposures: u32,
    /// What went wrong, for machines.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub code: String,
    /// Random text.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub padding: String,
}

/// What the server's answer means.
pub(super) fn verdict(status: u16, body: &[u8]) -> Verdict {
    let response: PublishResponse = serde_json::from_slice(body).unwrap_or_default();
    match status {
        200..=299 => {
            let token = Some(response.revision_token).filter(|token| !token.is_empty());
            Verdict::Accepted { revision_token: token }
        }
        _ if response.code == "health_authority_verification_certificate_invalid" => {
            Verdict::CertificateRefused
        }
        _ => Verdict::Later(retry_reason(status)),
    }
}
