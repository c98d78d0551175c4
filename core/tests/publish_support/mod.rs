//! A patient's release, the two servers' endpoints, and an app that makes every call.

#![allow(
    clippy::unwrap_used,
    dead_code,
    unreachable_pub,
    reason = "a part of several tests, not each of which needs all of it"
)]

use chikaku_core::diagnosis_key::{DiagnosisKey, DiagnosisKeyDetails, ReportType};
use chikaku_core::export::{KeyIdentity, SigningKey};
use chikaku_core::local_time::UtcOffset;
use chikaku_core::publish::cocoa::{CocoaEndpoint, Version};
use chikaku_core::publish::exposure_server::ExposureServerEndpoint;
use chikaku_core::publish::queue::Outcome;
use chikaku_core::publish::{
    Answer, Basis, Call, Consent, DateFilter, Endpoint, LocalDate, ProcessingNumber, Release,
    ReleaseRequest, Request, Step, UploadQueue, VerificationCode,
};
use chikaku_core::time::{RollingPeriod, Timestamp, UtcDay};
use chikaku_core::venue::code::{Declaration, DefaultStay, NewVenue};
use chikaku_core::venue::{TransmissionRiskLevel, VenueCode, VenueDiary, VenueType};
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
        takes_visits: false,
    })
}

pub fn exposure_server() -> Endpoint {
    let health_authority_id = "jp.example.authority".to_owned();
    Endpoint::ExposureServer(ExposureServerEndpoint {
        health_authority_id,
        traveler: false,
        takes_visits: false,
    })
}

/// The same server, which takes visits as well.
pub fn taking_visits(endpoint: Endpoint) -> Endpoint {
    match endpoint {
        Endpoint::Cocoa(cocoa) => Endpoint::Cocoa(CocoaEndpoint { takes_visits: true, ..cocoa }),
        Endpoint::ExposureServer(server) => {
            Endpoint::ExposureServer(ExposureServerEndpoint { takes_visits: true, ..server })
        }
        other => other,
    }
}

/// So many visits, each to another place, the latest one first; a few a day.
pub fn visits(count: u32) -> VenueDiary {
    let mut diary = VenueDiary::default();
    for visit in (0..count).rev() {
        let came = TODAY.start().saturating_sub((visit + 1) * 7_200);
        let number = diary.check_in(&venue(u64::from(visit)), came).unwrap();
        diary.check_out(number, came.saturating_add(1_800)).unwrap();
    }
    diary
}

pub fn venue(seed: u64) -> VenueCode {
    let issuer = SigningKey::from_scalar(KeyIdentity::new("440", "v1"), &[7; 32]).unwrap();
    let venue = NewVenue {
        venue_type: VenueType::PermanentFoodService,
        default_stay: DefaultStay::from_minutes(60),
        name: Some(format!("Venue {seed}")),
        declaration: Declaration { measures: Vec::new(), issued_on: TODAY },
    };
    VenueCode::read(&venue.issue(&issuer, &mut rng(seed)).unwrap()).unwrap()
}

/// What the user agreed to publish, visits among it.
pub fn with_visits(days_before: u32) -> ReleaseRequest {
    let consent = Consent::given_by_user(now()).including_visits();
    let mut request = ReleaseRequest::new(consent, ReportType::ConfirmedTest, onset());
    request.filter = DateFilter { days_before, ..DateFilter::default() };
    request.visits = TransmissionRiskLevel::new(5);
    request
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
