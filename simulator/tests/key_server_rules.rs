//! What the key server takes, refuses and publishes.

#![allow(clippy::unwrap_used, reason = "a test may fail by panicking")]

mod key_server_support;
#[path = "../../core/tests/publish_support/mod.rs"]
mod publish_support;

use chikaku_core::download::{Listing, Source};
use chikaku_core::export::{KeyExport, Limits};
use chikaku_core::publish::cocoa::Version;
use chikaku_core::publish::{Answer, Endpoint, ProcessingNumber, Request, UploadQueue};
use chikaku_core::time::{IntervalNumber, Timestamp};
use chikaku_simulator::key_server::{Folder, Upload};
use key_server_support::{HOUR, NUMBER, Network, Running, key_server, send};
use publish_support::{TODAY, cocoa, exposure_server, now, request_of, rng};

/// A request with the keys of three days, or of a decoy.
fn request(endpoint: &Endpoint, decoy: bool, number: &str) -> Request {
    let mut rng = rng(4);
    let mut queue = UploadQueue::new();
    if decoy {
        queue.add_decoy(now(), &mut rng);
    } else {
        let number = ProcessingNumber::new(number).unwrap();
        queue.add(publish_support::release(3, &mut rng), number.into(), &mut rng);
    }
    request_of(publish_support::request(&mut queue, endpoint, now(), &mut rng))
}

#[test]
fn a_decoy_is_answered_like_an_upload_and_not_kept() {
    let folder = tempfile::tempdir().unwrap();
    for endpoint in [cocoa(Version::V2), cocoa(Version::V3), exposure_server()] {
        let server = Running::start(folder.path(), now());
        let sizes = [true, false].map(|decoy| {
            let request = request(&endpoint, decoy, NUMBER);
            match send(server.address, &request, Network::Works) {
                Answer::Response { status, body } => (status, body.len()),
                answer => panic!("{answer:?}"),
            }
        });
        assert_eq!(sizes[0], sizes[1]);
        assert!([200, 204].contains(&sizes[0].0));
        let stored = server.stop().server.stored_keys();
        assert_eq!(stored, 3, "the upload's alone");
    }
}

#[test]
fn what_the_server_refuses() {
    let mut server = key_server();
    let mut rng = rng(5);
    let mut receive = |path: &str, body: &[u8]| {
        server.receive(&Upload { path, decoy: false, body }, now(), &mut rng).status
    };
    for version in [Version::V2, Version::V3] {
        let good = request(&cocoa(version), false, NUMBER);
        let other = request(&cocoa(version), false, "87654321");
        assert_eq!(receive(good.path, &other.body), 406, "a number that was not issued");
        assert_eq!(receive("/v4/diagnosis", &good.body), 404);
        for body in [&b""[..], b"{}", b"null", &good.body[..good.body.len() / 2]] {
            assert_eq!(receive(good.path, body), 400);
        }
        let old = String::from_utf8(good.body.clone()).unwrap();
        let start = TODAY.saturating_sub(1).first_interval().get();
        let old = old.replace(&start.to_string(), &(start - 15 * 144).to_string());
        // The second interface leaves such keys out, and has nothing to say about it.
        let expected = if version == Version::V2 { 400 } else { 200 };
        assert_eq!(receive(good.path, old.as_bytes()), expected);
    }
}

#[test]
fn a_number_serves_one_attempt_and_its_repetitions() {
    let mut server = key_server();
    let mut rng = rng(6);
    let first = request(&cocoa(Version::V3), false, NUMBER);
    let text = String::from_utf8(first.body.clone()).unwrap();
    let id = text.split("\"idempotency_key\":\"").nth(1).unwrap().split('"').next().unwrap();
    let second = text.replace(id, "05A6A158-E216-4599-B99E-3708D360FF2F");
    for (body, status) in [(&first.body[..], 200), (&first.body, 200), (second.as_bytes(), 406)] {
        let upload = Upload { path: first.path, decoy: false, body };
        assert_eq!(server.receive(&upload, now(), &mut rng).status, status);
    }
}

#[test]
fn a_key_that_is_still_valid_is_published_two_hours_after_its_end() {
    let mut server = key_server();
    let mut rng = rng(7);
    let request = request(&cocoa(Version::V2), false, NUMBER);
    // An app that does not wait: the key of today, valid until midnight.
    let text = String::from_utf8(request.body).unwrap();
    let from = TODAY.saturating_sub(1).first_interval().get();
    let today = TODAY.first_interval().get();
    let text = text.replacen(&from.to_string(), &today.to_string(), 1);
    let upload = Upload { path: request.path, decoy: false, body: text.as_bytes() };
    assert_eq!(server.receive(&upload, now(), &mut rng).status, 204);
    let mut found = Vec::new();
    for hour in 0..48 {
        let at = now().saturating_add(hour * HOUR);
        let Some(export) = server.prepare_export(at, &mut rng).unwrap() else { continue };
        server.confirm(&export);
        let export = KeyExport::from_zip(&export.zip, Limits::DEFAULT).unwrap();
        let export = export.accept_without_signature().unwrap();
        let ends = export.keys().unwrap().map(|key| key.unwrap().key.rolling_end());
        let latest: IntervalNumber = ends.max().unwrap();
        assert!(latest.start().saturating_add(2 * HOUR) <= at);
        found.push(latest);
    }
    assert!(found.contains(&TODAY.saturating_add(1).first_interval()), "{found:?}");
}

#[test]
fn a_folder_goes_on_where_it_was() {
    let folder = tempfile::tempdir().unwrap();
    let at = |seconds| Timestamp::from_unix_seconds(1_642_302_000 + seconds).unwrap();
    for round in 0..3_usize {
        let base = format!("http://127.0.0.1:{}", 1_000 + round);
        let mut files = Folder::open(folder.path(), "440", &base).unwrap();
        assert_eq!(files.len(), round);
        files.publish(b"zip", at(i64::try_from(round).unwrap())).unwrap();
        let json = files.file("/c19r/440/list.json").unwrap().unwrap();
        let source = Source::new("440", &format!("{base}/c19r/440")).unwrap();
        let listing = Listing::from_cocoa_list(&json, &source).unwrap();
        assert_eq!(listing.files.len(), round + 1);
        for path in ["/c19r/440/4.zip", "/c19r/440/../440/1.zip", "/c19r/441/1.zip", "/", ""] {
            assert_eq!(files.file(path).unwrap(), None, "{path}");
        }
    }
}
