//! COCOA's diagnosis interface, versions 2 and 3 (`PUT /v2/diagnosis`, `PUT /v3/diagnosis`).
//!
//! Field names and rules: COCOA v1.4 and v2.0.1, client and server models. Version 2 was in
//! production; version 3 was written for env2. In both, the processing number is
//! `verificationPayload`, and an attestation is bound to the request's clear text.

use base64ct::{Base64, Encoding};
use rand_core::CryptoRng;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::envelope::{Payload, hide, json_bytes, seal};
use super::idempotency::IdempotencyKey;
use super::local_date::LocalDate;
use super::number::VerificationCode;
use super::release::Basis;
use super::request::{Method, Request, Verdict, retry_reason};
use crate::diagnosis_key::DiagnosisKey;

/// Which version of the interface.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Version {
    /// `PUT /v2/diagnosis`.
    V2,
    /// `PUT /v3/diagnosis`.
    V3,
}

/// What a COCOA server has to be told about the app.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CocoaEndpoint {
    /// Version of the interface.
    pub version: Version,
    /// Mobile country codes; Japan is `440`.
    pub regions: Vec<String>,
    /// `Android` or `iOS`.
    pub platform: String,
    /// The app's package name.
    pub app_package_name: String,
    /// The server takes [warnings](super::visits) for the visitors of the same venues with the keys.
    pub takes_visits: bool,
}

/// What one request is made from.
#[derive(Clone, Copy)]
pub(super) struct Submission<'a> {
    pub(super) keys: &'a [DiagnosisKey],
    pub(super) basis: Basis,
    pub(super) code: &'a VerificationCode,
    pub(super) idempotency_key: IdempotencyKey,
    pub(super) decoy: bool,
}

impl CocoaEndpoint {
    /// What an attestation is bound to: SHA-256 of the clear text
    /// `package|date|HasSymptom|key.start.period.type,…|REGIONS|number`; version 2 has neither the
    /// date and symptoms nor the type. Keys are in the order of their base64, regions in capitals
    /// and sorted. Sorting is by bytes; .NET's was by the phone's language.
    pub(super) fn nonce(&self, submission: &Submission<'_>) -> [u8; 32] {
        Sha256::digest(self.clear_text(submission)).into()
    }

    fn clear_text(&self, submission: &Submission<'_>) -> String {
        let mut keys: Vec<_> = submission.keys.iter().map(|key| self.key_text(key)).collect();
        keys.sort_unstable();
        let mut regions: Vec<_> = self.regions.iter().map(|r| r.to_uppercase()).collect();
        regions.sort_unstable();
        let (keys, regions) = (keys.join(","), regions.join(","));
        let (package, number) = (&self.app_package_name, submission.code.as_str());
        match self.version {
            Version::V2 => format!("{package}|{keys}|{regions}|{number}"),
            Version::V3 => {
                let date = submission.basis.date();
                let symptoms =
                    if submission.basis.has_symptoms() { "HasSymptom" } else { "NoSymptom" };
                format!("{package}|{date}|{symptoms}|{keys}|{regions}|{number}")
            }
        }
    }

    fn key_text(&self, key: &DiagnosisKey) -> String {
        let (data, start) = (Base64::encode_string(key.as_bytes()), key.rolling_start().get());
        let period = key.rolling_period().intervals();
        match self.version {
            Version::V2 => format!("{data}.{start}.{period}"),
            Version::V3 => format!("{data}.{start}.{period}.{}", report_type(key)),
        }
    }

    /// The request, padded.
    pub(super) fn request(
        &self,
        submission: &Submission<'_>,
        warnings: String,
        attestation: &str,
        rng: &mut (impl CryptoRng + ?Sized),
    ) -> Request {
        let takes = self.takes_visits;
        let (path, body) = match self.version {
            Version::V2 => {
                ("/v2/diagnosis", seal(self.v2(submission, warnings, attestation), takes, rng))
            }
            Version::V3 => {
                ("/v3/diagnosis", seal(self.v3(submission, warnings, attestation), takes, rng))
            }
        };
        Request::json(Method::Put, path, submission.decoy, body)
    }

    fn v2(&self, submission: &Submission<'_>, warnings: String, attestation: &str) -> DiagnosisV2 {
        DiagnosisV2 {
            keys: submission.keys.iter().map(KeyV2::of).collect(),
            regions: self.regions.clone(),
            platform: self.platform.clone(),
            device_verification_payload: attestation.to_owned(),
            app_package_name: self.app_package_name.clone(),
            verification_payload: submission.code.as_str().to_owned(),
            check_in_protected_reports: warnings,
            padding: String::new(),
        }
    }

    fn v3(&self, submission: &Submission<'_>, warnings: String, attestation: &str) -> DiagnosisV3 {
        DiagnosisV3 {
            has_symptom: submission.basis.has_symptoms(),
            onset_of_symptom_or_test_date: submission.basis.date().to_string(),
            keys: submission.keys.iter().map(KeyV3::of).collect(),
            regions: self.regions.clone(),
            platform: self.platform.clone(),
            device_verification_payload: attestation.to_owned(),
            app_package_name: self.app_package_name.clone(),
            verification_payload: submission.code.as_str().to_owned(),
            idempotency_key: submission.idempotency_key.to_string(),
            check_in_protected_reports: warnings,
            padding: String::new(),
        }
    }
}

/// What the server's answer means: 200 and 204 are success, 406 is a wrong number.
pub(super) const fn verdict(status: u16) -> Verdict {
    match status {
        200 | 204 => Verdict::Accepted { revision_token: None },
        406 => Verdict::CodeRefused,
        _ => Verdict::Later(retry_reason(status)),
    }
}

/// The body of `PUT /v2/diagnosis`. `Debug` shows nothing of it.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[expect(missing_docs, reason = "the interface's own names")]
pub struct DiagnosisV2 {
    pub keys: Vec<KeyV2>,
    pub regions: Vec<String>,
    pub platform: String,
    pub device_verification_payload: String,
    pub app_package_name: String,
    pub verification_payload: String,
    /// [`uploaded_warnings`](super::visits::uploaded_warnings) reads it; not a field of the server's own format.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub check_in_protected_reports: String,
    pub padding: String,
}

/// A key of [`DiagnosisV2`].
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[expect(missing_docs, reason = "the interface's own names")]
pub struct KeyV2 {
    pub key_data: String,
    pub rolling_start_number: u32,
    /// 0 is read as 144.
    pub rolling_period: u32,
}

impl KeyV2 {
    fn of(key: &DiagnosisKey) -> Self {
        Self {
            key_data: Base64::encode_string(key.as_bytes()),
            rolling_start_number: key.rolling_start().get(),
            rolling_period: key.rolling_period().intervals(),
        }
    }
}

/// The body of `PUT /v3/diagnosis`. `Debug` shows nothing of it.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[expect(missing_docs, reason = "the interface's own names")]
pub struct DiagnosisV3 {
    pub has_symptom: bool,
    /// [`LocalDate`]'s `Display`.
    pub onset_of_symptom_or_test_date: String,
    pub keys: Vec<KeyV3>,
    pub regions: Vec<String>,
    pub platform: String,
    pub device_verification_payload: String,
    pub app_package_name: String,
    pub verification_payload: String,
    #[serde(rename = "idempotency_key")]
    pub idempotency_key: String,
    /// [`uploaded_warnings`](super::visits::uploaded_warnings) reads it; not a field of the server's own format.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub check_in_protected_reports: String,
    pub padding: String,
}

/// A key of [`DiagnosisV3`].
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[expect(missing_docs, reason = "the interface's own names")]
pub struct KeyV3 {
    pub key_data: String,
    pub rolling_start_number: u32,
    /// 0 is read as 144.
    pub rolling_period: u32,
    /// The server replaces it.
    pub transmission_risk: u8,
    pub report_type: i32,
}

impl KeyV3 {
    fn of(key: &DiagnosisKey) -> Self {
        Self {
            key_data: Base64::encode_string(key.as_bytes()),
            rolling_start_number: key.rolling_start().get(),
            rolling_period: key.rolling_period().intervals(),
            transmission_risk: key.details.transmission_risk_level.unwrap_or(0),
            report_type: report_type(key),
        }
    }
}

fn report_type(key: &DiagnosisKey) -> i32 {
    key.details.report_type.map_or(0, |report_type| report_type.to_wire())
}

impl Payload for DiagnosisV2 {
    // {"keyData":"AAECAwQFBgcICQoLDA0ODw==","rollingStartNumber":4294967295,"rollingPeriod":144},
    const LONGEST_KEY_BYTES: usize = 90;

    fn padding(&mut self) -> &mut String {
        &mut self.padding
    }

    fn warnings(&self) -> &str {
        &self.check_in_protected_reports
    }

    fn key_bytes(&self) -> usize {
        self.keys.iter().map(|key| json_bytes(key) + 1).sum()
    }
}

impl Payload for DiagnosisV3 {
    // {"keyData":"AAECAwQFBgcICQoLDA0ODw==","rollingStartNumber":4294967295,"rollingPeriod":144,
    // "transmissionRisk":255,"reportType":5},
    const LONGEST_KEY_BYTES: usize = 128;

    fn padding(&mut self) -> &mut String {
        &mut self.padding
    }

    fn warnings(&self) -> &str {
        &self.check_in_protected_reports
    }

    fn key_bytes(&self) -> usize {
        self.keys.iter().map(|key| json_bytes(key) + 1).sum()
    }
}

hide!(DiagnosisV2, KeyV2, DiagnosisV3, KeyV3);

/// Under this name COCOA's server stores a key, so that a repeated upload changes nothing: SHA-256
/// of `idempotency_key,keyData,start,period` in lower-case hexadecimal.
#[must_use]
pub fn row_id(idempotency_key: &str, key: &DiagnosisKey) -> String {
    let data = Base64::encode_string(key.as_bytes());
    let (start, period) = (key.rolling_start().get(), key.rolling_period().intervals());
    let hash = Sha256::digest(format!("{idempotency_key},{data},{start},{period}"));
    hash.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// The days since onset that COCOA's server computes for `key`: from the UTC day of the date's
/// first second. East of Greenwich that is one more than [`LocalDate::utc_day`] gives, which is
/// why keys of three to four days before onset were distributed (cocoa#1105).
#[must_use]
pub fn days_since_onset_as_served(key: &DiagnosisKey, date: LocalDate) -> i64 {
    key.rolling_start().day().days_since(date.starts().day())
}
