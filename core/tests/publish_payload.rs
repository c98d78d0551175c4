//! Golden vectors of both interfaces, and what is in a body.

#![allow(clippy::unwrap_used, reason = "a test may fail by panicking")]

mod publish_support;

use base64ct::{Base64, Encoding};
use chikaku_core::diagnosis_key::{DiagnosisKey, DiagnosisKeyDetails};
use chikaku_core::publish::cocoa::{Version, row_id};
use chikaku_core::publish::exposure_server::{HmacForm, keys_hmac};
use chikaku_core::publish::request::Method;
use chikaku_core::publish::{Basis, IdempotencyKey, Step, UploadQueue};
use chikaku_core::time::{IntervalNumber, RollingPeriod};
use publish_support::{cocoa, exposure_server, keys, now, number, onset, release, release_of, rng};
use serde_json::Value;
use sha2::{Digest, Sha256};

fn key(base64: &str, start: u32, period: u32, risk: Option<u8>) -> DiagnosisKey {
    let bytes = Base64::decode_vec(base64).unwrap().try_into().unwrap();
    let period = RollingPeriod::new(period).unwrap();
    let details = DiagnosisKeyDetails { transmission_risk_level: risk, ..Default::default() };
    DiagnosisKey::new(bytes, IntervalNumber::new(start), period, details)
}

/// gaen.md B.16, the published vectors; the HMAC's key is 01 02 … 10.
#[test]
fn hmac_of_the_published_vectors() {
    let hmac_key: Vec<u8> = (1..=16).collect();
    let both = |risks: [Option<u8>; 2]| {
        let one = key("z2Cx9hdz2SlxZ8GEgqTYpA==", 1, 144, risks[0]);
        [one, key("dPCphLzfG4uzXneNimkPRQ==", 144, 144, risks[1])]
    };
    let hmac = |keys: &[DiagnosisKey], form| keys_hmac(keys, &hmac_key, form);
    let marked = both([Some(3), Some(5)]);
    assert_eq!(hmac(&marked, HmacForm::WithRisk), "2u1nHt5WWurJytFLF3xitNzM99oNrad2y4YGOL53AeY=");
    let plain = both([Some(0), None]);
    let with_zeros = "mFNI9zhTA17n4ndd1Vu5tsn4XQX0gPrIKyjeh/9noUE=";
    assert_eq!(hmac(&plain, HmacForm::WithRisk), with_zeros);
    let without = "J9S7xVebH/66dm14wGsIcAnSUR3PHD4NtDQEOGZbDUo=";
    assert_eq!(hmac(&plain, HmacForm::WithoutRisk), without);
    let [one, other] = plain;
    assert_eq!(hmac(&[other, one], HmacForm::WithRisk), with_zeros, "the order does not matter");
}

/// cocoa.md 5.6.
#[test]
fn row_id_of_the_published_vector() {
    let key = key("IVb9YMEnlTzsReDYUmZxQQ==", 2_749_680, 144, None);
    assert_eq!(
        row_id("05A6A158-E216-4599-B99E-3708D360FF2F", &key),
        "aef179df093422c9aff568019504a2f3d8bc799365eb69c5a5ac3703a2a4cf83"
    );
}

#[test]
fn an_idempotency_key_is_a_random_uuid_in_capitals() {
    let text = IdempotencyKey::random(&mut rng(1)).to_string();
    assert_eq!(text, text.to_uppercase());
    assert_eq!((text.len(), text.as_bytes()[14]), (36, b'4'));
    assert_eq!(IdempotencyKey::parse(&text).unwrap().to_string(), text);
    assert_ne!(IdempotencyKey::random(&mut rng(2)).to_string(), text);
    assert!(IdempotencyKey::parse("05A6A158").is_err());
}

#[test]
fn cocoa_v2_says_what_its_server_reads_and_no_more() {
    let mut rng = rng(3);
    let endpoint = cocoa(Version::V2);
    let mut queue = UploadQueue::new();
    let release = release(14, &mut rng);
    queue.add(release.clone(), number(), &mut rng);
    let first = queue.next(&endpoint, now(), &mut rng).unwrap();
    // SHA-256 of the clear text, put together here from the rule.
    let mut texts: Vec<_> = release
        .sendable(now())
        .iter()
        .map(|key| {
            let data = Base64::encode_string(key.as_bytes());
            format!("{data}.{}.144", key.rolling_start().get())
        })
        .collect();
    texts.sort();
    let clear = format!("jp.example.core|{}|440|12345678", texts.join(","));
    assert_eq!(first.step, Step::Attest { nonce: Sha256::digest(clear).into() });

    let call = publish_support::request(&mut queue, &endpoint, now(), &mut rng);
    let request = publish_support::request_of(call);
    assert_eq!((request.method, request.path), (Method::Put, "/v2/diagnosis"));
    let body: Value = serde_json::from_slice(&request.body).unwrap();
    let names: Vec<_> = body.as_object().unwrap().keys().cloned().collect();
    let expected = [
        "appPackageName",
        "deviceVerificationPayload",
        "keys",
        "padding",
        "platform",
        "regions",
        "verificationPayload",
    ];
    assert_eq!(names, expected);
    let names: Vec<_> = body["keys"][0].as_object().unwrap().keys().cloned().collect();
    assert_eq!(names, ["keyData", "rollingPeriod", "rollingStartNumber"]);
    assert_eq!(body["keys"].as_array().unwrap().len(), 14);
    assert_eq!(body["verificationPayload"], "12345678");
    let padding = Base64::decode_vec(body["padding"].as_str().unwrap()).unwrap();
    assert!(padding.len() >= 768 && padding.iter().any(|byte| *byte != 0));
}

#[test]
fn cocoa_v3_binds_the_attestation_to_everything() {
    let mut rng = rng(4);
    let keys = keys(3, &mut rng);
    let endpoint = cocoa(Version::V3);
    let nonce = |basis: Basis| {
        let mut rng = publish_support::rng(9);
        let mut queue = UploadQueue::new();
        queue.add(release_of(&keys, basis, &mut rng), number(), &mut rng);
        queue.next(&endpoint, now(), &mut rng).unwrap().step
    };
    let mut texts: Vec<_> = keys
        .iter()
        .map(|key| {
            let data = Base64::encode_string(key.as_bytes());
            format!("{data}.{}.144.1", key.rolling_start().get())
        })
        .collect();
    texts.sort();
    let expected = |symptoms: &str| {
        let date = onset().date();
        let clear = format!("jp.example.core|{date}|{symptoms}|{}|440|12345678", texts.join(","));
        Step::Attest { nonce: Sha256::digest(clear).into() }
    };
    assert_eq!(nonce(onset()), expected("HasSymptom"));
    assert_eq!(nonce(Basis::TestDate(onset().date())), expected("NoSymptom"));
}

#[test]
fn exposure_server_gets_certificate_onset_and_the_key_of_the_hmac() {
    let mut rng = rng(5);
    let endpoint = exposure_server();
    let mut queue = UploadQueue::new();
    queue.add(release(10, &mut rng), number(), &mut rng);
    let Step::Certify { code, keys_hmac: announced, decoy: false } =
        queue.next(&endpoint, now(), &mut rng).unwrap().step
    else {
        panic!("a certificate comes first");
    };
    assert_eq!(code, number());
    let call = publish_support::request(&mut queue, &endpoint, now(), &mut rng);
    let request = publish_support::request_of(call);
    assert_eq!((request.method, request.path), (Method::Post, "/v1/publish"));
    let body: Value = serde_json::from_slice(&request.body).unwrap();
    let hmac_key = Base64::decode_vec(body["hmacKey"].as_str().unwrap()).unwrap();
    assert_eq!(hmac_key.len(), 32);
    let sent: Vec<_> = body["temporaryExposureKeys"]
        .as_array()
        .unwrap()
        .iter()
        .map(|sent| {
            assert_eq!(sent["transmissionRisk"], 0);
            let start = u32::try_from(sent["rollingStartNumber"].as_u64().unwrap()).unwrap();
            key(sent["key"].as_str().unwrap(), start, 144, None)
        })
        .collect();
    assert_eq!(sent.len(), 10);
    assert_eq!(keys_hmac(&sent, &hmac_key, HmacForm::WithRisk), announced);
    let onset_day = onset().date().utc_day();
    assert_eq!(body["symptomOnsetInterval"], onset_day.first_interval().get());
    assert_eq!(body["healthAuthorityID"], "jp.example.authority");
    assert_eq!(body["revisionToken"], "");
    assert!(body.get("traveler").is_none());
    // The caps of both servers: 64 kB, and at least one kilobyte of padding.
    assert!(request.body.len() < 64 << 10);
    assert!(body["padding"].as_str().unwrap().len() >= 1_020);
}
