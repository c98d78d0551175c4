//! From consent to keys at the server, through the engine: no crash lies between a key that is
//! closed and an upload that is kept.

#![allow(clippy::unwrap_used, reason = "a test may fail by panicking")]

mod engine_support;
mod publish_support;

use std::collections::BTreeSet;

use chikaku_core::diagnosis_key::ReportType;
use chikaku_core::encounter_log::{EncounterLog, MemoryLog};
use chikaku_core::engine::{Engine, Input, Output, PublishError, PublishInput};
use chikaku_core::local_time::UtcOffset;
use chikaku_core::publish::attempts::Wait;
use chikaku_core::publish::cocoa::Version;
use chikaku_core::publish::queue::Outcome;
use chikaku_core::publish::release::ReleaseError;
use chikaku_core::publish::{
    Answer, Basis, Call, Consent, Endpoint, IdempotencyKey, LocalDate, ProcessingNumber,
    ReleaseRequest, Step, VerificationCode,
};
use chikaku_core::time::{DAY_SECONDS, Timestamp};
use engine_support::{Host, configuration, plan_of};
use publish_support::{cocoa, exposure_server, good_answer};
use serde_json::Value;

type Phone = Host<MemoryLog>;

fn with_endpoint(mut phone: Phone, endpoint: &Endpoint) -> Phone {
    let mut configuration = configuration();
    configuration.upload_endpoint = Some(endpoint.clone());
    let log = phone.engine.log().clone();
    phone.engine = Engine::open(configuration, log).unwrap();
    phone
}

/// A phone that has been on for three days, and whose decoys have been served.
fn phone(endpoint: &Endpoint) -> Phone {
    let mut phone = with_endpoint(Host::new(MemoryLog::new(), 7), endpoint);
    phone.tell(Input::Start);
    for _ in 0..3 * 24 {
        phone.pass(3_600);
        broadcast(&mut phone);
        while serve(&mut phone).1.is_some() {}
    }
    phone
}

/// Puts on the air what is planned; returns its identifier.
fn broadcast(phone: &mut Phone) -> Option<[u8; 16]> {
    let plan = plan_of(&phone.tell(Input::Wake))?;
    phone.tell(Input::AdvertisingStarted { plan: plan.number });
    Some(*plan.payload.identifier.as_bytes())
}

/// The process dies and comes back. Returns what the engine says to that.
fn die(phone: Phone, endpoint: &Endpoint) -> (Phone, Vec<Output>) {
    let mut phone = with_endpoint(phone, endpoint);
    let outputs = phone.tell(Input::Start);
    (phone, outputs)
}

fn request(phone: &Phone, days_ago: i64) -> ReleaseRequest {
    let today = i64::from(phone.now.day().days_since_1970());
    let date = LocalDate::new(u32::try_from(today - days_ago).unwrap(), UtcOffset::UTC).unwrap();
    let consent = Consent::given_by_user(phone.now);
    ReleaseRequest::new(consent, ReportType::ConfirmedTest, Basis::SymptomOnset(date))
}

fn code(number: &str) -> VerificationCode {
    ProcessingNumber::new(number).unwrap().into()
}

fn tell(phone: &mut Phone, input: PublishInput) -> Vec<Output> {
    phone.tell(Input::Publish(Box::new(input)))
}

fn publish(phone: &mut Phone, days_ago: i64) -> Result<IdempotencyKey, PublishError> {
    let input = PublishInput::Publish { request: request(phone, days_ago), code: code("12345678") };
    let queued = tell(phone, input).into_iter().find_map(|output| match output {
        Output::UploadQueued(queued) => Some(queued.map(|queued| queued.upload)),
        _ => None,
    });
    queued.unwrap()
}

fn next_call(phone: &mut Phone) -> Option<Call> {
    tell(phone, PublishInput::NextCall).into_iter().find_map(|output| match output {
        Output::UploadCall(call) => Some(*call),
        _ => None,
    })
}

fn answer(phone: &mut Phone, upload: IdempotencyKey, answer: Answer) -> Outcome {
    let outputs = tell(phone, PublishInput::Answered { upload, answer });
    let outcome = outputs.into_iter().find_map(|output| match output {
        Output::UploadAnswered { upload: of, outcome } if of == upload => Some(outcome),
        _ => None,
    });
    outcome.unwrap()
}

fn due(outputs: &[Output]) -> Option<Timestamp> {
    outputs.iter().find_map(|output| match output {
        Output::UploadsDue { at } => Some(*at),
        _ => None,
    })
}

/// The keys that a request sends, without the padding.
fn keys_sent(call: &Call) -> BTreeSet<String> {
    let Step::Send(request) = &call.step else { return BTreeSet::new() };
    let body: Value = serde_json::from_slice(&request.body).unwrap();
    let keys =
        body["keys"].as_array().or_else(|| body["temporaryExposureKeys"].as_array()).unwrap();
    let data =
        |key: &Value| key["keyData"].as_str().or_else(|| key["key"].as_str()).unwrap().to_owned();
    keys.iter().map(data).collect()
}

/// Answers every call well until an upload is done; returns the calls.
fn serve(phone: &mut Phone) -> (Vec<Call>, Option<Outcome>) {
    let mut calls = Vec::new();
    while let Some(call) = next_call(phone) {
        let outcome = answer(phone, call.upload, good_answer(&call.step));
        calls.push(call);
        if outcome != Outcome::Proceeds {
            return (calls, Some(outcome));
        }
    }
    (calls, None)
}

#[test]
fn an_upload_survives_a_death_after_every_call_and_is_made_once() {
    for endpoint in [cocoa(Version::V2), cocoa(Version::V3), exposure_server()] {
        let mut phone = phone(&endpoint);
        let upload = publish(&mut phone, 2).unwrap();
        let mut sent = Vec::new();
        for _ in 0..4 {
            let (mut again, outputs) = die(phone, &endpoint);
            assert_eq!(due(&outputs), Some(again.now), "{endpoint:?}");
            assert_eq!(again.engine.uploads()[0].id, upload);
            let mut call = next_call(&mut again).unwrap();
            while !matches!(call.step, Step::Send(_)) {
                let made = good_answer(&call.step);
                assert_eq!(answer(&mut again, upload, made), Outcome::Proceeds);
                call = next_call(&mut again).unwrap();
            }
            assert_eq!(call.upload, upload);
            sent.push(keys_sent(&call));
            // The server has it, and the phone dies before the answer comes.
            phone = again;
        }
        assert!(sent.iter().all(|keys| *keys == sent[0] && keys.len() >= 3), "{sent:?}");
        let (_, outcome) = serve(&mut phone);
        assert_eq!(
            outcome,
            Some(Outcome::Published { keys: sent[0].len(), visits: 0, more_follow: false })
        );
        let (mut phone, outputs) = die(phone, &endpoint);
        assert_eq!((due(&outputs), phone.engine.uploads().len()), (None, 0));
        assert!(next_call(&mut phone).is_none());
    }
}

#[test]
fn what_is_queued_is_never_on_the_air_again() {
    let endpoint = exposure_server();
    let mut phone = phone(&endpoint);
    let before: BTreeSet<_> =
        phone.engine.log().own_keys().unwrap().iter().map(|key| *key.secret_bytes()).collect();
    publish(&mut phone, 2).unwrap();
    let after = phone.engine.log().own_keys().unwrap();
    let running = after.iter().find(|key| key.covers(phone.now.interval())).unwrap();
    assert!(!before.contains(running.secret_bytes()), "a successor has taken the key's place");
    assert!(broadcast(&mut phone).is_none(), "the plan came with the answer to the publication");
}

#[test]
fn what_cannot_be_released_closes_nothing() {
    let endpoint = exposure_server();
    let mut phone = phone(&endpoint);
    let keys = |phone: &Phone| {
        format!(
            "{:?}",
            phone
                .engine
                .log()
                .own_keys()
                .unwrap()
                .iter()
                .map(|key| (*key.secret_bytes(), key.rolling_period()))
                .collect::<Vec<_>>()
        )
    };
    let before = keys(&phone);
    let future = publish(&mut phone, -2);
    assert_eq!(future, Err(PublishError::Release(ReleaseError::DateInFuture)));
    assert_eq!(keys(&phone), before);
    assert_eq!(phone.engine.log().disclosed_until().unwrap(), None);

    let mut without = Host::new(phone.engine.log().clone(), 8);
    without.now = phone.now;
    without.tell(Input::Start);
    assert_eq!(publish(&mut without, 2), Err(PublishError::NoServer));
    assert_eq!(without.engine.log().disclosed_until().unwrap(), None);
}

#[test]
fn a_refused_number_is_kept_for_a_better_one_and_guessing_is_slow() {
    let endpoint = exposure_server();
    let mut phone = phone(&endpoint);
    let upload = publish(&mut phone, 2).unwrap();
    assert_eq!(next_call(&mut phone).unwrap().upload, upload);
    assert_eq!(answer(&mut phone, upload, Answer::CodeRefused), Outcome::CodeRefused);
    let (mut phone, outputs) = die(phone, &endpoint);
    assert_eq!(due(&outputs), None, "only the user can do something");
    assert!(phone.engine.uploads()[0].code_refused);
    assert_eq!(publish(&mut phone, 2), Err(PublishError::Wait(Wait { seconds: 5 })));
    let clocks = phone.clocks();
    assert_eq!(phone.engine.may_send_number(clocks), Err(Wait { seconds: 5 }));

    let outputs = tell(&mut phone, PublishInput::CorrectCode { upload, code: code("87654321") });
    assert_eq!(due(&outputs), Some(phone.now));
    let (_, outcome) = serve(&mut phone);
    assert!(matches!(outcome, Some(Outcome::Published { .. })));
    let clocks = phone.clocks();
    assert_eq!(phone.engine.may_send_number(clocks), Ok(()));
}

/// Both servers, the calls of a decoy beside those of an upload.
#[test]
fn decoys_come_by_themselves_and_make_the_same_calls() {
    for endpoint in [cocoa(Version::V3), exposure_server()] {
        let mut phone = phone(&endpoint);
        publish(&mut phone, 2).unwrap();
        let kind = |call: &Call| match &call.step {
            Step::Attest { .. } => "attest",
            Step::Certify { .. } => "certify",
            _ => "send",
        };
        let (real, _) = serve(&mut phone);
        let real: Vec<_> = real.iter().map(kind).collect();
        let mut decoys = 0;
        for _ in 0..14 * 24 {
            phone.pass(3_600);
            if due(&phone.tell(Input::Wake)).is_some() {
                let (calls, outcome) = serve(&mut phone);
                assert_eq!(outcome, Some(Outcome::DecoyDone));
                assert_eq!(calls.iter().map(kind).collect::<Vec<_>>(), real);
                assert!(phone.engine.uploads().is_empty(), "the user sees none");
                decoys += 1;
            }
        }
        assert!((2..=20).contains(&decoys), "{decoys} in two weeks");
        // The engine wants to be called when one is due, and makes none for who has stopped.
        phone.tell(Input::Stop);
        for _ in 0..14 * 24 {
            phone.pass(3_600);
            assert_eq!(due(&phone.tell(Input::Wake)), None);
        }
    }
}

#[test]
fn a_host_without_a_server_is_asked_for_nothing() {
    let mut phone = Host::new(MemoryLog::new(), 3);
    phone.tell(Input::Start);
    for _ in 0..14 * 24 {
        phone.pass(3_600);
        assert_eq!(due(&phone.tell(Input::Wake)), None);
    }
    assert!(next_call(&mut phone).is_none());
}

#[test]
fn what_waits_is_forgotten_with_everything_else_and_the_user_is_told_if_it_was_too_late() {
    let endpoint = exposure_server();
    let waiting = || {
        let mut phone = phone(&endpoint);
        publish(&mut phone, 2).unwrap();
        phone
    };
    let mut phone = waiting();
    let all = phone.engine.uploads()[0].keys;
    phone.tell(Input::ForgetDay(phone.now.day().saturating_sub(1)));
    assert_eq!(phone.engine.uploads()[0].keys, all - 1);
    let (mut phone, _) = die(phone, &endpoint);
    assert_eq!(phone.engine.uploads()[0].keys, all - 1);
    phone.tell(Input::ForgetEverything);
    assert!(phone.engine.uploads().is_empty());
    let (phone, _) = die(phone, &endpoint);
    assert!(phone.engine.uploads().is_empty());

    let mut phone = waiting();
    let mut expired = 0;
    for _ in 0..16 {
        phone.pass(DAY_SECONDS);
        let outputs = phone.tell(Input::Wake);
        expired += outputs.iter().filter(|o| matches!(o, Output::UploadExpired { .. })).count();
    }
    assert_eq!((expired, phone.engine.uploads().len()), (1, 0));
}
