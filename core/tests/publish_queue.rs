//! An attempt is never lost: offline, interrupted, refused, restarted.

#![allow(clippy::unwrap_used, reason = "a test may fail by panicking")]

mod publish_support;

use chikaku_core::diagnosis_key::{DiagnosisKey, DiagnosisKeyDetails};
use chikaku_core::publish::cocoa::Version;
use chikaku_core::publish::queue::Outcome;
use chikaku_core::publish::request::RetryReason;
use chikaku_core::publish::{
    Answer, Call, DecoySchedule, Endpoint, ProcessingNumber, Step, UploadQueue,
};
use chikaku_core::time::{DAY_SECONDS, RollingPeriod, Timestamp};
use proptest::prelude::*;
use publish_support::{
    TODAY, cocoa, exposure_server, good_answer, keys, now, number, onset, release, release_of,
    request, request_of, rng,
};
use rand_chacha::ChaCha20Rng;
use serde_json::Value;

/// The process dies and comes back.
fn restarted(queue: &UploadQueue) -> UploadQueue {
    serde_json::from_slice(&serde_json::to_vec(queue).unwrap()).unwrap()
}

fn idempotency_key(call: Call) -> String {
    let body: Value = serde_json::from_slice(&request_of(call).body).unwrap();
    body["idempotency_key"].as_str().unwrap().to_owned()
}

fn response(status: u16) -> Answer {
    Answer::Response { status, body: Vec::new() }
}

fn answer(
    queue: &mut UploadQueue,
    call: &Call,
    answer: Answer,
    endpoint: &Endpoint,
    at: Timestamp,
    rng: &mut ChaCha20Rng,
) -> Outcome {
    queue.answer(call.upload, answer, endpoint, at, rng)
}

#[test]
fn an_attempt_made_offline_is_sent_when_there_is_a_network() {
    let mut rng = rng(1);
    let endpoint = cocoa(Version::V3);
    let mut queue = UploadQueue::new();
    let id = queue.add(release(7, &mut rng), number(), &mut rng);
    let mut at = now();
    let mut waits = Vec::new();
    for _ in 0..20 {
        let call = request(&mut queue, &endpoint, at, &mut rng);
        assert_eq!(call.upload, id);
        let Outcome::Waits { until, reason: RetryReason::NoAnswer } =
            answer(&mut queue, &call, Answer::Nothing, &endpoint, at, &mut rng)
        else {
            panic!("it waits");
        };
        queue = restarted(&queue);
        assert_eq!(queue.next(&endpoint, until.saturating_sub(1), &mut rng), None);
        assert_eq!(queue.next_wake(at), Some(until));
        waits.push(until.seconds_since(at));
        at = until;
    }
    assert!((30..=60).contains(&waits[0]) && (60..=120).contains(&waits[1]), "{waits:?}");
    assert!(waits.iter().all(|wait| *wait <= 4 * 3_600), "{waits:?}");
    assert_eq!(queue.uploads().next().unwrap().failures, 20);
    let call = request(&mut queue, &endpoint, at, &mut rng);
    let outcome = answer(&mut queue, &call, response(204), &endpoint, at, &mut rng);
    assert_eq!(outcome, Outcome::Published { keys: 7, visits: 0, more_follow: false });
    assert_eq!(queue, UploadQueue::new());
}

#[test]
fn an_answer_that_was_lost_leads_to_the_same_request_again() {
    let mut rng = rng(2);
    let endpoint = cocoa(Version::V3);
    let mut queue = UploadQueue::new();
    queue.add(release(14, &mut rng), number(), &mut rng);
    let first = request(&mut queue, &endpoint, now(), &mut rng);
    // The server has it, the phone does not know, and its battery is empty.
    let mut queue = restarted(&queue);
    let second = request(&mut queue, &endpoint, now(), &mut rng);
    let bodies = [&first, &second].map(|call| {
        let mut body: Value = serde_json::from_slice(&request_of(call.clone()).body).unwrap();
        body["padding"].take();
        body
    });
    assert_eq!(bodies[0], bodies[1]);
    assert_eq!(idempotency_key(first), idempotency_key(second));
}

#[test]
fn a_refused_number_keeps_the_keys_for_a_better_one() {
    for endpoint in [cocoa(Version::V2), cocoa(Version::V3), exposure_server()] {
        let mut rng = rng(3);
        let mut queue = UploadQueue::new();
        let id = queue.add(release(14, &mut rng), number(), &mut rng);
        let (call, refusal) = match endpoint {
            Endpoint::Cocoa(_) => (request(&mut queue, &endpoint, now(), &mut rng), response(406)),
            _ => (queue.next(&endpoint, now(), &mut rng).unwrap(), Answer::CodeRefused),
        };
        let outcome = answer(&mut queue, &call, refusal, &endpoint, now(), &mut rng);
        assert_eq!(outcome, Outcome::CodeRefused);
        let mut queue = restarted(&queue);
        assert_eq!(queue.next(&endpoint, Timestamp::MAX, &mut rng), None);
        let status = queue.uploads().next().unwrap();
        assert!(status.code_refused && status.keys == 14);

        queue.correct_code(id, ProcessingNumber::new("87654321").unwrap().into());
        let call = request(&mut queue, &endpoint, now(), &mut rng);
        let ok = answer(&mut queue, &call, response(200), &endpoint, now(), &mut rng);
        assert_eq!(ok, Outcome::Published { keys: 14, visits: 0, more_follow: false });
    }
}

#[test]
fn no_status_takes_an_attempt_out_but_success() {
    let endpoint = cocoa(Version::V3);
    for status in (100..600).filter(|status| ![200, 204, 406].contains(status)) {
        let mut rng = rng(4);
        let mut queue = UploadQueue::new();
        queue.add(release(2, &mut rng), number(), &mut rng);
        let call = request(&mut queue, &endpoint, now(), &mut rng);
        let outcome = answer(&mut queue, &call, response(status), &endpoint, now(), &mut rng);
        let Outcome::Waits { until, reason } = outcome else { panic!("{status}: {outcome:?}") };
        let expected = match status {
            403 => RetryReason::NotFromHere,
            429 | 500.. => RetryReason::ServerBusy,
            _ => RetryReason::NotUnderstood { status },
        };
        assert_eq!(reason, expected, "{status}");
        // An attestation serves once.
        let again = queue.next(&endpoint, until, &mut rng).unwrap();
        assert!(matches!(again.step, Step::Attest { .. }));
    }
}

#[test]
fn keys_grow_old_in_the_queue() {
    let mut rng = rng(5);
    let endpoint = cocoa(Version::V2);
    let mut queue = UploadQueue::new();
    let id = queue.add(release(14, &mut rng), number(), &mut rng);
    // A week offline: one key that is too old would have the whole request refused.
    let week = now().saturating_add(7 * DAY_SECONDS);
    let call = request(&mut queue, &endpoint, week, &mut rng);
    let body: Value = serde_json::from_slice(&request_of(call.clone()).body).unwrap();
    assert_eq!(body["keys"].as_array().unwrap().len(), 7);
    answer(&mut queue, &call, Answer::Nothing, &endpoint, week, &mut rng);
    assert!(queue.forget_too_old(week).is_empty());
    let end = now().saturating_add(14 * DAY_SECONDS);
    assert_eq!(queue.next(&endpoint, end, &mut rng), None);
    assert_eq!(queue.forget_too_old(end), [id]);
    assert_eq!(queue.uploads().count(), 0);
}

#[test]
fn a_key_that_is_still_valid_follows_when_it_has_ended() {
    let endpoint = cocoa(Version::V3);
    for refused in [false, true] {
        let mut rng = rng(6);
        let mut all = keys(3, &mut rng);
        let details = DiagnosisKeyDetails::default();
        let running = TODAY.first_interval();
        all.push(DiagnosisKey::new([9; 16], running, RollingPeriod::DAY, details));
        let mut queue = UploadQueue::new();
        queue.add(release_of(&all, onset(), &mut rng), number(), &mut rng);
        let call = request(&mut queue, &endpoint, now(), &mut rng);
        // Midnight passes while the request is on its way: the key has ended, and was not in it.
        let midnight = TODAY.saturating_add(1).start();
        let late = if refused { now() } else { midnight };
        let outcome = answer(&mut queue, &call, response(200), &endpoint, late, &mut rng);
        let keys = 3;
        assert_eq!(outcome, Outcome::Published { keys, visits: 0, more_follow: true });
        let mut queue = restarted(&queue);
        assert_eq!(queue.next(&endpoint, midnight.saturating_sub(1), &mut rng), None);
        let call = request(&mut queue, &endpoint, midnight, &mut rng);
        let body: Value = serde_json::from_slice(&request_of(call.clone()).body).unwrap();
        assert_eq!(body["keys"].as_array().unwrap().len(), 1);
        assert_eq!(body["keys"][0]["rollingStartNumber"], running.get());
        let (status, expected) = if refused {
            (406, Outcome::RestRefused)
        } else {
            (200, Outcome::Published { keys: 1, visits: 0, more_follow: false })
        };
        let outcome = answer(&mut queue, &call, response(status), &endpoint, midnight, &mut rng);
        assert_eq!(outcome, expected);
        assert_eq!(queue.uploads().count(), 0);
    }
}

#[test]
fn a_revision_token_comes_back_with_the_next_publication() {
    let mut rng = rng(7);
    let endpoint = exposure_server();
    let mut queue = UploadQueue::new();
    for expected in ["", "token"] {
        queue.add(release(3, &mut rng), number(), &mut rng);
        let call = request(&mut queue, &endpoint, now(), &mut rng);
        let body: Value = serde_json::from_slice(&request_of(call.clone()).body).unwrap();
        assert_eq!(body["revisionToken"], expected);
        let body = br#"{"revisionToken":"token","insertedExposures":3,"unknown":[1]}"#.to_vec();
        let ok = Answer::Response { status: 200, body };
        answer(&mut queue, &call, ok, &endpoint, now(), &mut rng);
        queue = restarted(&queue);
    }
}

#[test]
fn a_certificate_is_kept_until_it_is_refused_or_the_keys_change() {
    let mut rng = rng(8);
    let endpoint = exposure_server();
    let mut queue = UploadQueue::new();
    queue.add(release(14, &mut rng), number(), &mut rng);
    let call = request(&mut queue, &endpoint, now(), &mut rng);
    let busy = answer(&mut queue, &call, response(500), &endpoint, now(), &mut rng);
    let Outcome::Waits { until, .. } = busy else { panic!("{busy:?}") };
    let mut queue = restarted(&queue);
    let call = queue.next(&endpoint, until, &mut rng).unwrap();
    assert!(matches!(call.step, Step::Send(_)));
    let mut aged = queue.clone();
    let tomorrow = now().saturating_add(DAY_SECONDS);
    let next = aged.next(&endpoint, tomorrow, &mut rng).unwrap();
    assert!(matches!(next.step, Step::Certify { .. }));

    let body = br#"{"code":"health_authority_verification_certificate_invalid"}"#.to_vec();
    let invalid = Answer::Response { status: 401, body };
    let outcome = answer(&mut queue, &call, invalid, &endpoint, until, &mut rng);
    let Outcome::Waits { until, .. } = outcome else { panic!("{outcome:?}") };
    let next = queue.next(&endpoint, until, &mut rng).unwrap();
    assert!(matches!(next.step, Step::Certify { .. }));
}

#[test]
fn answers_that_nobody_waits_for_change_nothing() {
    let mut rng = rng(9);
    let endpoint = cocoa(Version::V3);
    let mut queue = UploadQueue::new();
    let id = queue.add(release(2, &mut rng), number(), &mut rng);
    let before = queue.clone();
    assert_eq!(queue.answer(id, response(200), &endpoint, now(), &mut rng), Outcome::Ignored);
    assert_eq!(queue, before);
    let call = queue.next(&endpoint, now(), &mut rng).unwrap();
    // The response of the attestation service is not the key server's.
    let outcome = answer(&mut queue, &call, response(200), &endpoint, now(), &mut rng);
    assert_eq!(outcome, Outcome::Ignored);
    let call = request(&mut queue, &endpoint, now(), &mut rng);
    assert!(matches!(
        answer(&mut queue, &call, response(200), &endpoint, now(), &mut rng),
        Outcome::Published { .. }
    ));
    let again = answer(&mut queue, &call, response(200), &endpoint, now(), &mut rng);
    assert_eq!(again, Outcome::Ignored);
}

#[test]
fn one_upload_that_fails_does_not_stop_another() {
    let mut rng = rng(10);
    let endpoint = cocoa(Version::V3);
    let mut queue = UploadQueue::new();
    let first = queue.add(release(2, &mut rng), number(), &mut rng);
    let second = queue.add(release(3, &mut rng), number(), &mut rng);
    let call = request(&mut queue, &endpoint, now(), &mut rng);
    assert_eq!(call.upload, first);
    answer(&mut queue, &call, Answer::Nothing, &endpoint, now(), &mut rng);
    assert_eq!(request(&mut queue, &endpoint, now(), &mut rng).upload, second);
    queue.cancel(second);
    assert_eq!(queue.next(&endpoint, now(), &mut rng), None);
}

#[test]
fn decoys_come_every_two_days_and_do_not_pile_up() {
    let mut rng = rng(11);
    let mut schedule = DecoySchedule::default();
    let mut decoys = 0_i64;
    let days = 4_000;
    let mut at = now();
    let end = now().saturating_add(days * DAY_SECONDS);
    while at < end {
        decoys += i64::from(schedule.is_due(at, &mut rng));
        at = schedule.next_wake().unwrap();
    }
    let hours_between = i64::from(days) * 24 / decoys;
    assert!((42..=52).contains(&hours_between), "{hours_between}");

    // A month switched off makes one decoy, not fifteen; a clock set back makes none early.
    let mut schedule = DecoySchedule::default();
    assert!(!schedule.is_due(now(), &mut rng));
    let month = now().saturating_add(40 * DAY_SECONDS);
    assert!(schedule.is_due(month, &mut rng));
    assert!(!schedule.is_due(month, &mut rng));
    let planned = schedule.next_wake().unwrap();
    assert!(!schedule.is_due(now().saturating_sub(30 * DAY_SECONDS), &mut rng));
    assert!(schedule.next_wake().unwrap() < planned);

    let mut queue = UploadQueue::new();
    for _ in 0..10 {
        queue.add_decoy(now(), &mut rng);
    }
    assert_eq!(queue.uploads().count(), 0, "the user is not told of decoys");
    let call = request(&mut queue, &cocoa(Version::V3), now(), &mut rng);
    let body: Value = serde_json::from_slice(&request_of(call.clone()).body).unwrap();
    assert_eq!(body["verificationPayload"], "00000000");
    let done = answer(&mut queue, &call, response(200), &cocoa(Version::V3), now(), &mut rng);
    assert_eq!((done, queue), (Outcome::DecoyDone, UploadQueue::new()));
}

#[test]
fn no_secret_in_any_debug() {
    let mut rng = rng(12);
    for endpoint in [cocoa(Version::V2), cocoa(Version::V3), exposure_server()] {
        let mut queue = UploadQueue::new();
        let released = release(3, &mut rng);
        queue.add(released.clone(), number(), &mut rng);
        let mut text = format!("{released:?} {:?} {queue:?}", released.keys());
        while let Some(call) = queue.next(&endpoint, now(), &mut rng) {
            let good = good_answer(&call.step);
            text += &format!("{call:?} {good:?}");
            text += &format!("{:?}", queue.answer(call.upload, good, &endpoint, now(), &mut rng));
        }
        for hidden in ["12345678", "eyJ", "padding"] {
            assert!(!text.contains(hidden), "{hidden} in {text}");
        }
        for key in released.keys() {
            for run in key.key.as_bytes().windows(4) {
                let list: Vec<_> = run.iter().map(ToString::to_string).collect();
                assert!(!text.contains(&list.join(", ")) && !text.contains(&hex::encode(run)));
            }
        }
    }
}

/// What an onlooker sees of an upload: which calls, how long after one another.
fn seen(decoy: bool, answers: &[u8], endpoint: &Endpoint) -> Vec<(String, i64)> {
    let mut rng = rng(13);
    let mut queue = UploadQueue::new();
    if decoy {
        queue.add_decoy(now(), &mut rng);
    } else {
        queue.add(release(14, &mut rng), number(), &mut rng);
    }
    // From here on both phones have the same luck, so that waits can be compared.
    let mut rng = publish_support::rng(14);
    let (mut at, mut seen) = (now(), Vec::new());
    for choice in answers {
        let Some(wake) = queue.next_wake(at) else { break };
        let waited = wake.seconds_since(at).max(0);
        at = at.max(wake);
        let mut call_rng = publish_support::rng(15);
        let call = queue.next(endpoint, at, &mut call_rng).unwrap();
        let what = match &call.step {
            Step::Attest { .. } => "attest".to_owned(),
            Step::Certify { .. } => "certify".to_owned(),
            Step::Send(request) => format!(
                "{:?} {} {} {}",
                request.method,
                request.path,
                request.headers[1].0.len(),
                request.headers[1].1.len()
            ),
            _ => panic!("unknown step"),
        };
        seen.push((what, waited));
        let result = match (choice % 4, &call.step) {
            (0, _) => Answer::Nothing,
            (1, Step::Send(_)) => response(503),
            _ => good_answer(&call.step),
        };
        queue.answer(call.upload, result, endpoint, at, &mut rng);
        // A certificate that a decoy makes up takes from its luck; the onlooker does not see it.
        rng = publish_support::rng(16);
    }
    seen
}

proptest! {
    /// Whatever the network does, a decoy makes the calls that an upload makes, at the same times.
    #[test]
    fn a_decoy_makes_the_calls_of_an_upload(answers: [u8; 12]) {
        for endpoint in [cocoa(Version::V2), cocoa(Version::V3), exposure_server()] {
            let real = seen(false, &answers, &endpoint);
            prop_assert_eq!(seen(true, &answers, &endpoint), real);
        }
    }

    /// Any answers in any order, clocks set to and fro, restarts anywhere: the upload is in the
    /// queue until it is published, refused or too old.
    #[test]
    fn an_upload_is_never_lost(steps in prop::collection::vec((0..6_u8, -100_000..200_000_i64), 1..40)) {
        let endpoint = cocoa(Version::V3);
        let mut rng = rng(17);
        let mut queue = UploadQueue::new();
        let id = queue.add(release(14, &mut rng), number(), &mut rng);
        let start = now().unix_seconds();
        for (choice, offset) in steps {
            let at = Timestamp::from_unix_seconds(start + offset).unwrap();
            // Nothing waits longer than the longest wait, wherever the clock is set.
            let wake = queue.next_wake(at).unwrap();
            prop_assert!(wake.seconds_since(at) <= 4 * 3_600);
            let call = queue.next(&endpoint, at, &mut rng);
            let Some(call) = call else { continue };
            prop_assert_eq!(call.upload, id);
            let outcome = match choice {
                0 => queue.answer(id, Answer::Nothing, &endpoint, at, &mut rng),
                1 => queue.answer(id, response(500), &endpoint, at, &mut rng),
                2 => { queue = restarted(&queue); continue }
                3 => queue.answer(id, Answer::CodeRefused, &endpoint, at, &mut rng),
                _ => queue.answer(id, good_answer(&call.step), &endpoint, at, &mut rng),
            };
            if let Outcome::Published { more_follow: false, .. } = outcome {
                prop_assert_eq!(queue.uploads().count(), 0);
                return Ok(());
            }
            prop_assert_eq!(queue.uploads().count(), 1);
        }
    }
}
