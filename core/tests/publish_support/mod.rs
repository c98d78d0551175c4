//! A patient's release, the two servers' endpoints, and an app that makes every call.

#![allow(
    clippy::unwrap_used,
    dead_code,
    unreachable_pub,
    reason = "a part of several tests, not each of which needs all of it"
)]

use chikaku_core::diagnosis_key::{DiagnosisKey, DiagnosisKeyDetails, ReportType};
use chikaku_core::local_time::UtcOffset;
use chikaku_core::publish::cocoa::{CocoaEndpoint, Version};
use chikaku_core::publish::exposure_server::ExposureServerEndpoint;
use chikaku_core::publish::queue::Outcome;
use chikaku_core::publish::{
    Answer, Basis, Call, Consent, DateFilter, Endpoint, LocalDate, ProcessingNumber, Release,
    ReleaseRequest, Request, Step, UploadQueue, VerificationCode,
};
use chikaku_core::time::{RollingPeriod, Timestamp, UtcDay};
use rand_chacha::ChaCha20Rng;
use rand_core::{Rng, SeedableRng};

pub const TODAY: UtcDay = UtcDay::new(19_009);

pub fn now() -> Timestamp {
    TODAY.start().saturating_add(40_000)
}

pub fn rng(seed: u64) -> ChaCha20Rng {
    ChaCha20Rng::seed_from_u64(seed)
}

pub fn cocoa(version: Version) -> Endpoint {
    Endpoint::Cocoa(CocoaEndpoint {
        version,
        regions: vec!["440".to_owned()],
        platform: "Android".to_owned(),
        app_package_name: "jp.example.core".to_owned(),
    })
}

pub fn exposure_server() -> Endpoint {
    let health_authority_id = "jp.example.authority".to_owned();
    Endpoint::ExposureServer(ExposureServerEndpoint { health_authority_id, traveler: false })
}

pub fn number() -> VerificationCode {
    ProcessingNumber::new("12345678").unwrap().into()
}

/// Random keys of the last `days` days that have ended.
pub fn keys(days: u32, rng: &mut ChaCha20Rng) -> Vec<DiagnosisKey> {
    let key = |days_ago: u32| {
        let mut bytes = [0; 16];
        rng.fill_bytes(&mut bytes);
        let start = TODAY.saturating_sub(days_ago).first_interval();
        DiagnosisKey::new(bytes, start, RollingPeriod::DAY, DiagnosisKeyDetails::default())
    };
    (1..=days).map(key).collect()
}

pub fn release_of(keys: &[DiagnosisKey], basis: Basis, rng: &mut ChaCha20Rng) -> Release {
    let consent = Consent::given_by_user(now());
    let mut request = ReleaseRequest::new(consent, ReportType::ConfirmedTest, basis);
    request.filter = DateFilter::COCOA_V3;
    request.release(keys, now(), rng).unwrap()
}

pub fn onset() -> Basis {
    let date = LocalDate::new(TODAY.saturating_sub(2).days_since_1970(), UtcOffset::JAPAN);
    Basis::SymptomOnset(date.unwrap())
}

pub fn release(days: u32, rng: &mut ChaCha20Rng) -> Release {
    let keys = keys(days, rng);
    release_of(&keys, onset(), rng)
}

/// What an operating system's attestation or a certificate looks like.
pub const TOKEN: &str = "eyJhbGciOiJSUzI1NiJ9.eyJub25jZSI6IiJ9.c2lnbmF0dXJl";

/// The answer of a world in which everything works.
pub fn good_answer(step: &Step) -> Answer {
    match step {
        Step::Attest { .. } => Answer::Attested(TOKEN.repeat(40)),
        Step::Certify { .. } => Answer::Certified(TOKEN.repeat(10)),
        _ => Answer::Response { status: 200, body: Vec::new() },
    }
}

pub fn request_of(call: Call) -> Request {
    match call.step {
        Step::Send(request) => request,
        step => panic!("{step:?} is not a request"),
    }
}

/// Makes calls until the next one is to be sent, and returns that.
pub fn request(
    queue: &mut UploadQueue,
    endpoint: &Endpoint,
    now: Timestamp,
    rng: &mut ChaCha20Rng,
) -> Call {
    loop {
        let call = queue.next(endpoint, now, rng).unwrap();
        if matches!(call.step, Step::Send(_)) {
            return call;
        }
        let answer = good_answer(&call.step);
        assert_eq!(queue.answer(call.upload, answer, endpoint, now, rng), Outcome::Proceeds);
    }
}
