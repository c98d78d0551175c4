//! Telling others, end to end over loopback HTTP: two phones meet, one publishes, the other is
//! told. Every request may be interrupted, and every process may die.

#![allow(clippy::unwrap_used, reason = "a test may fail by panicking")]

#[path = "../../core/tests/engine_support/mod.rs"]
mod engine_support;

use std::collections::{BTreeMap, BTreeSet};
use std::io::{Read, Write};
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};
use std::thread::{self, JoinHandle};

use chikaku_core::diagnosis_key::ReportType;
use chikaku_core::download::{Downloads, FetchError, Listing, Next, Source};
use chikaku_core::encounter_log::{EncounterLog, MemoryLog};
use chikaku_core::engine::{Input, KeyFile, Output};
use chikaku_core::export::{KeyExport, Limits, TrustedKeys};
use chikaku_core::publish::cocoa::{CocoaEndpoint, Version};
use chikaku_core::publish::exposure_server::ExposureServerEndpoint;
use chikaku_core::publish::queue::Outcome;
use chikaku_core::publish::request::Method;
use chikaku_core::publish::{
    Answer, AttemptLimiter, Basis, Consent, DeepLinkFormat, Endpoint, LocalDate, ReleaseRequest,
    Request, Step, UploadQueue, UtcOffset,
};
use chikaku_core::time::{IntervalNumber, Timestamp};
use chikaku_simulator::key_server::{
    Folder, KeyServer, Numbers, PrivacyRules, Site, Upload, serve,
};
use engine_support::{DAY, Host, disclosed, plan_of, signing_key};
use rand_chacha::ChaCha20Rng;
use rand_core::SeedableRng;

const NUMBER: &str = "12345678";
const HOUR: u32 = 3_600;

fn rules() -> PrivacyRules {
    PrivacyRules { minimum_batch: 200, extra_keys: 20, ..PrivacyRules::default() }
}

fn key_server() -> KeyServer {
    let numbers = Numbers::Issued(vec![NUMBER.to_owned()]);
    KeyServer::new("440", signing_key(), rules(), numbers)
}

/// A running server whose clock the test sets.
struct Running {
    address: SocketAddr,
    clock: Arc<AtomicI64>,
    goes_on: Arc<AtomicBool>,
    http: Arc<tiny_http::Server>,
    thread: Option<JoinHandle<Site>>,
}

impl Running {
    fn start(folder: &Path, now: Timestamp) -> Self {
        let http = Arc::new(tiny_http::Server::http("127.0.0.1:0").unwrap());
        let address = http.server_addr().to_ip().unwrap();
        let folder = Folder::open(folder, "440", &format!("http://{address}")).unwrap();
        let rng = ChaCha20Rng::seed_from_u64(8);
        let mut site = Site::new(key_server(), folder, rng, HOUR);
        let clock = Arc::new(AtomicI64::new(now.unix_seconds()));
        let goes_on = Arc::new(AtomicBool::new(true));
        let thread = thread::spawn({
            let (http, clock, goes_on) = (http.clone(), clock.clone(), goes_on.clone());
            move || {
                let now = || Timestamp::from_unix_seconds(clock.load(Ordering::SeqCst)).unwrap();
                serve(
                    &http,
                    &mut site,
                    now,
                    || goes_on.load(Ordering::SeqCst),
                    |error| {
                        panic!("{error}");
                    },
                );
                site
            }
        });
        Self { address, clock, goes_on, http, thread: Some(thread) }
    }

    fn set_clock(&self, now: Timestamp) {
        self.clock.store(now.unix_seconds(), Ordering::SeqCst);
    }

    fn source(&self) -> Source {
        Source::new("440", &format!("http://{}/c19r/440", self.address)).unwrap()
    }

    fn stop(mut self) -> Site {
        self.goes_on.store(false, Ordering::SeqCst);
        self.http.unblock();
        self.thread.take().unwrap().join().unwrap()
    }
}

fn agent() -> ureq::Agent {
    ureq::Agent::config_builder().http_status_as_error(false).build().into()
}

fn get(url: &str) -> (u16, Vec<u8>) {
    let mut response = agent().get(url).call().unwrap();
    let body = response.body_mut().read_to_vec().unwrap();
    (response.status().as_u16(), body)
}

/// What the network does to a request.
#[derive(Clone, Copy, PartialEq)]
enum Network {
    Works,
    /// The connection breaks when half of the body is sent.
    BreaksInTheRequest,
    /// The server has everything, and its answer is lost.
    LosesTheAnswer,
}

fn send(address: SocketAddr, request: &Request, network: Network) -> Answer {
    if network == Network::Works {
        let url = format!("http://{address}{}", request.path);
        let builder = match request.method {
            Method::Put => agent().put(url),
            Method::Post => agent().post(url),
        };
        let builder =
            request.headers.iter().fold(builder, |b, (name, value)| b.header(*name, *value));
        let mut response = builder.send(&request.body[..]).unwrap();
        let body = response.body_mut().read_to_vec().unwrap();
        return Answer::Response { status: response.status().as_u16(), body };
    }
    let mut stream = TcpStream::connect(address).unwrap();
    let length = request.body.len();
    let method = format!("{:?}", request.method).to_uppercase();
    let mut head = format!("{method} {} HTTP/1.1\r\nHost: {address}\r\n", request.path);
    for (name, value) in request.headers {
        head += &format!("{name}: {value}\r\n");
    }
    head += &format!("Content-Length: {length}\r\nConnection: close\r\n\r\n");
    stream.write_all(head.as_bytes()).unwrap();
    let sent = if network == Network::LosesTheAnswer { length } else { length / 2 };
    stream.write_all(&request.body[..sent]).unwrap();
    stream.shutdown(Shutdown::Write).unwrap();
    // The server is done with it when it closes; what it says does not reach the phone.
    let _lost = stream.read_to_end(&mut Vec::new());
    Answer::Nothing
}

/// Patient and contact, an hour together, at the end of the same day.
fn an_hour_together() -> (Host<MemoryLog>, Host<MemoryLog>) {
    let (mut patient, mut contact) =
        (Host::new(MemoryLog::new(), 1), Host::new(MemoryLog::new(), 2));
    patient.tell(Input::Start);
    contact.tell(Input::Start);
    let mut payload = None;
    for _ in 0..12 {
        patient.now = contact.now;
        let outputs = patient.tell(Input::Wake);
        if let Some(plan) = plan_of(&outputs) {
            payload = Some(plan.payload);
            patient.tell(Input::AdvertisingStarted { plan: plan.number });
        }
        if payload.is_none() {
            payload = engine_support::restart(&mut patient);
        }
        contact.hear(payload.unwrap(), -55);
    }
    (patient, contact)
}

fn cocoa(version: Version) -> Endpoint {
    Endpoint::Cocoa(CocoaEndpoint {
        version,
        regions: vec!["440".to_owned()],
        platform: "Android".to_owned(),
        app_package_name: "jp.example.core".to_owned(),
    })
}

fn exposure_server() -> Endpoint {
    let health_authority_id = "jp.example.authority".to_owned();
    Endpoint::ExposureServer(ExposureServerEndpoint { health_authority_id, traveler: false })
}

/// The app's part of an upload: makes every call until the queue has nothing to do at `now`.
fn work(
    stored: &mut String,
    endpoint: &Endpoint,
    now: Timestamp,
    address: SocketAddr,
    network: Network,
    rng: &mut ChaCha20Rng,
) -> Vec<Outcome> {
    let mut outcomes = Vec::new();
    loop {
        // The process dies between any two calls.
        let mut queue: UploadQueue = serde_json::from_str(stored).unwrap();
        let Some(call) = queue.next(endpoint, now, rng) else { return outcomes };
        let (mut call, mut queue) = (call, queue);
        loop {
            let answer = match &call.step {
                Step::Attest { .. } => Answer::Attested("attestation".to_owned()),
                Step::Certify { .. } => Answer::Certified("certificate".to_owned()),
                Step::Send(request) => send(address, request, network),
                step => panic!("{step:?}"),
            };
            let outcome = queue.answer(call.upload, answer, endpoint, now, rng);
            *stored = serde_json::to_string(&queue).unwrap();
            if outcome != Outcome::Proceeds {
                outcomes.push(outcome);
                break;
            }
            call = queue.next(endpoint, now, rng).unwrap();
        }
    }
}

/// The contact's app: two stores, saved at different moments, and the notification it shows.
struct App {
    log: MemoryLog,
    downloads: String,
    shown: Vec<u32>,
    host: Host<MemoryLog>,
}

/// Which list the app reads.
#[derive(Clone, Copy, PartialEq)]
enum List {
    Cocoa,
    Index,
}

impl App {
    fn new(contact: &Host<MemoryLog>, log: &MemoryLog) -> Self {
        Self {
            log: log.clone(),
            downloads: String::new(),
            shown: Vec::new(),
            host: contact.restarted_over(log.clone()),
        }
    }

    /// Runs until everything is matched, or dies after `budget` steps; says which.
    fn run(&mut self, source: &Source, list: List, mut budget: u32) -> bool {
        let mut dies = move || {
            budget = budget.saturating_sub(1);
            budget == 0
        };
        let now = self.host.now;
        self.host = self.host.restarted_over(self.log.clone());
        self.host.now = now;
        let outputs = self.host.tell(Input::Start);
        self.log = self.host.engine.log().clone();
        if dies() || self.tell_user(outputs, &mut dies) {
            return false;
        }
        let url = if list == List::Cocoa { source.cocoa_list_url() } else { source.index_url() };
        let (status, bytes) = get(&url);
        assert_eq!(status, 200);
        let listing = match list {
            List::Cocoa => Listing::from_cocoa_list(&bytes, source).unwrap(),
            List::Index => Listing::from_index(&bytes, source).unwrap(),
        };
        assert_eq!(listing.skipped, []);
        let mut downloads: Downloads = serde_json::from_str(&self.downloads).unwrap_or_default();
        downloads.recover(self.host.engine.cursor("440").unwrap(), now);
        loop {
            if dies() {
                return false;
            }
            self.downloads = serde_json::to_string(&downloads).unwrap();
            if dies() {
                return false;
            }
            let Next::Fetch(file) = downloads.next(&listing, now) else { return true };
            let (status, bytes) = get(&file.url);
            if status != 200 {
                downloads.failed(&file.url, FetchError::Status(status), now);
                continue;
            }
            if dies() {
                return false;
            }
            let handover = downloads.hand_over(&file.url);
            self.downloads = serde_json::to_string(&downloads).unwrap();
            if dies() {
                return false;
            }
            let cursor = Some(("440", handover.position));
            let outputs = self.host.tell(Input::KeyFile(KeyFile { bytes: &bytes, cursor }));
            self.log = self.host.engine.log().clone();
            let refused = outputs.iter().any(|o| matches!(o, Output::KeyFileIngested(Err(_))));
            if dies() || self.tell_user(outputs, &mut dies) {
                return false;
            }
            if refused {
                downloads.failed(&file.url, FetchError::Refused, now);
            } else {
                downloads.matched(&handover, now);
            }
        }
    }

    /// Shows what is to be announced; says whether the process died before it was confirmed.
    fn tell_user(&mut self, outputs: Vec<Output>, dies: &mut impl FnMut() -> bool) -> bool {
        for output in outputs {
            let Output::Announce(assessment) = output else { continue };
            // A system shows one notification for one id, however often it is asked to.
            self.shown.push(assessment.day.days_since_1970());
            if dies() {
                return true;
            }
            self.host.tell(Input::Announced { day: assessment.day });
            self.log = self.host.engine.log().clone();
        }
        false
    }
}

fn publish_and_be_told(endpoint: &Endpoint, list: List) {
    let folder = tempfile::tempdir().unwrap();
    let (mut patient, contact) = an_hour_together();
    let mut rng = ChaCha20Rng::seed_from_u64(3);

    // The next day the patient opens the link in the message.
    patient.now = DAY.saturating_add(1).start().saturating_add(9 * HOUR);
    patient.tell(Input::Wake);
    let server = Running::start(folder.path(), patient.now);
    let format = DeepLinkFormat::cocoa("www.example.jp");
    let number = format.number(&format!("https://www.example.jp/cocoa/a/?pn={NUMBER}")).unwrap();
    let mut limiter = AttemptLimiter::default();
    limiter.check(patient.now).unwrap();
    let date = LocalDate::new(DAY.days_since_1970(), UtcOffset::JAPAN).unwrap();
    let consent = Consent::given_by_user(patient.now);
    let basis = Basis::SymptomOnset(date);
    let request = ReleaseRequest::new(consent, ReportType::ConfirmedTest, basis);
    let keys = disclosed(patient.tell(Input::Disclose(request.disclosure())));
    let release = request.release(&keys, patient.now, &mut rng).unwrap();
    let released = release.sendable(patient.now);
    let mut queue = UploadQueue::new();
    queue.add(release, number.into(), &mut rng);
    let mut stored = serde_json::to_string(&queue).unwrap();

    // One attempt breaks, of one the answer is lost, and the third one succeeds.
    let mut now = patient.now;
    for network in [Network::BreaksInTheRequest, Network::LosesTheAnswer] {
        let outcomes = work(&mut stored, endpoint, now, server.address, network, &mut rng);
        let [Outcome::Waits { until, .. }] = outcomes[..] else { panic!("{outcomes:?}") };
        now = until;
        server.set_clock(now);
    }
    let outcomes = work(&mut stored, endpoint, now, server.address, Network::Works, &mut rng);
    let keys = released.len();
    assert_eq!(outcomes, [Outcome::Published { keys, more_follow: false }]);
    limiter.number_accepted();

    // Nothing is published before two hours have passed.
    let list_url = server.source().cocoa_list_url();
    for (hours, files) in [(0, 0), (1, 0), (4, 1), (9, 1)] {
        server.set_clock(now.saturating_add(hours * HOUR));
        let (status, body) = get(&list_url);
        let listing = Listing::from_cocoa_list(&body, &server.source()).unwrap();
        assert_eq!((status, listing.files.len()), (200, files), "after {hours} hours");
    }

    // The contact's app dies after every number of steps in turn.
    let source = server.source();
    for steps in 1.. {
        let mut app = App::new(&contact, contact.engine.log());
        app.host.now = now.saturating_add(10 * HOUR);
        let survived = app.run(&source, list, steps);
        assert!(app.run(&source, list, u32::MAX));
        assert!(app.run(&source, list, u32::MAX), "a third time changes nothing");
        let days: BTreeSet<_> = app.shown.iter().copied().collect();
        assert_eq!(days, BTreeSet::from([DAY.days_since_1970()]), "{steps} steps");
        // Shown again only if the process died between showing it and confirming it.
        assert!(app.shown.len() <= 2, "{steps} steps");
        assert_eq!(app.log.audit().unwrap().len(), 1, "matched once, {steps} steps");
        if survived {
            assert_eq!(app.shown.len(), 1);
            assert!(steps > 8, "the interruptions were none");
            break;
        }
    }

    let site = server.stop();
    // Three attempts, one set of keys.
    assert_eq!(site.server.stored_keys(), keys);
    let zip = site.folder.file("/c19r/440/1.zip").unwrap().unwrap();
    assert_private(&zip, &released, now);
}

/// What everybody can read.
fn assert_private(
    zip: &[u8],
    released: &[chikaku_core::diagnosis_key::DiagnosisKey],
    now: Timestamp,
) {
    let mut trusted = TrustedKeys::new();
    trusted.add(signing_key().trusted_key());
    let export = KeyExport::from_zip(zip, Limits::DEFAULT).unwrap().verify(&trusted).unwrap();
    let published: Vec<_> = export.keys().unwrap().map(|key| key.unwrap().key).collect();
    assert!((200..=220).contains(&published.len()), "{}", published.len());
    assert!(published.is_sorted_by_key(|key| *key.as_bytes()));
    let mut kinds: BTreeMap<_, usize> = BTreeMap::new();
    for key in &published {
        *kinds.entry((key.rolling_start(), key.rolling_period())).or_default() += 1;
        assert!(key.rolling_end() <= now.interval());
    }
    for key in released {
        let same = published.iter().filter(|other| other.as_bytes() == key.as_bytes());
        assert_eq!(same.count(), 1);
        // It hides among others of its day and period.
        assert!(kinds[&(key.rolling_start(), key.rolling_period())] > 20);
    }
    for time in [export.metadata().start, export.metadata().end] {
        assert_eq!(time.unwrap().unix_seconds() % i64::from(HOUR), 0);
    }
}

#[test]
fn a_contact_is_told_once_cocoa_v2() {
    publish_and_be_told(&cocoa(Version::V2), List::Cocoa);
}

#[test]
fn a_contact_is_told_once_cocoa_v3() {
    publish_and_be_told(&cocoa(Version::V3), List::Cocoa);
}

#[test]
fn a_contact_is_told_once_exposure_server() {
    publish_and_be_told(&exposure_server(), List::Index);
}

/// A request of a release, or of a decoy.
fn request(endpoint: &Endpoint, decoy: bool, number: &str, now: Timestamp) -> Request {
    let mut rng = ChaCha20Rng::seed_from_u64(4);
    let mut queue = UploadQueue::new();
    if decoy {
        queue.add_decoy(now, &mut rng);
    } else {
        let (mut patient, _) = an_hour_together();
        patient.now = now;
        let date = LocalDate::new(DAY.days_since_1970(), UtcOffset::JAPAN).unwrap();
        let basis = Basis::SymptomOnset(date);
        let consent = Consent::given_by_user(now);
        let request = ReleaseRequest::new(consent, ReportType::ConfirmedTest, basis);
        let keys = disclosed(patient.tell(Input::Disclose(request.disclosure())));
        let release = request.release(&keys, now, &mut rng).unwrap();
        let number = chikaku_core::publish::ProcessingNumber::new(number).unwrap();
        queue.add(release, number.into(), &mut rng);
    }
    loop {
        let call = queue.next(endpoint, now, &mut rng).unwrap();
        let answer = match call.step {
            Step::Attest { .. } => Answer::Attested("attestation".to_owned()),
            Step::Certify { .. } => Answer::Certified("certificate".to_owned()),
            Step::Send(request) => return request,
            step => panic!("{step:?}"),
        };
        queue.answer(call.upload, answer, endpoint, now, &mut rng);
    }
}

#[test]
fn a_decoy_is_answered_like_an_upload_and_not_kept() {
    let folder = tempfile::tempdir().unwrap();
    let now = DAY.saturating_add(1).start().saturating_add(9 * HOUR);
    for endpoint in [cocoa(Version::V2), cocoa(Version::V3), exposure_server()] {
        let server = Running::start(folder.path(), now);
        let sizes = [true, false].map(|decoy| {
            let request = request(&endpoint, decoy, NUMBER, now);
            match send(server.address, &request, Network::Works) {
                Answer::Response { status, body } => (status, body.len()),
                answer => panic!("{answer:?}"),
            }
        });
        assert_eq!(sizes[0], sizes[1]);
        assert!([200, 204].contains(&sizes[0].0));
        let stored = server.stop().server.stored_keys();
        assert!((1..=2).contains(&stored), "{stored}: the upload's alone");
    }
}

#[test]
fn what_the_server_refuses() {
    let mut server = key_server();
    let mut rng = ChaCha20Rng::seed_from_u64(5);
    let now = DAY.saturating_add(1).start().saturating_add(9 * HOUR);
    let mut receive = |path: &str, body: &[u8]| {
        server.receive(&Upload { path, decoy: false, body }, now, &mut rng).status
    };
    for version in [Version::V2, Version::V3] {
        let good = request(&cocoa(version), false, NUMBER, now);
        let other = request(&cocoa(version), false, "87654321", now);
        assert_eq!(receive(good.path, &other.body), 406, "a number that was not issued");
        assert_eq!(receive("/v4/diagnosis", &good.body), 404);
        for body in [&b""[..], b"{}", b"null", &good.body[..good.body.len() / 2]] {
            assert_eq!(receive(good.path, body), 400);
        }
        let old = String::from_utf8(good.body.clone()).unwrap();
        let start = DAY.first_interval().get();
        let old = old.replace(&start.to_string(), &(start - 15 * 144).to_string());
        // The second interface leaves such keys out, and has nothing to say about it.
        let expected = if version == Version::V2 { 400 } else { 200 };
        assert_eq!(receive(good.path, old.as_bytes()), expected);
    }
}

#[test]
fn a_number_serves_one_attempt_and_its_repetitions() {
    let mut server = key_server();
    let mut rng = ChaCha20Rng::seed_from_u64(6);
    let now = DAY.saturating_add(1).start().saturating_add(9 * HOUR);
    let first = request(&cocoa(Version::V3), false, NUMBER, now);
    let text = String::from_utf8(first.body.clone()).unwrap();
    let id = text.split("\"idempotency_key\":\"").nth(1).unwrap().split('"').next().unwrap();
    let second = text.replace(id, "05A6A158-E216-4599-B99E-3708D360FF2F");
    for (body, status) in [(&first.body[..], 200), (&first.body, 200), (second.as_bytes(), 406)] {
        let upload = Upload { path: first.path, decoy: false, body };
        assert_eq!(server.receive(&upload, now, &mut rng).status, status);
    }
}

#[test]
fn a_key_that_is_still_valid_is_published_two_hours_after_its_end() {
    let mut server = key_server();
    let mut rng = ChaCha20Rng::seed_from_u64(7);
    let now = DAY.saturating_add(1).start().saturating_add(9 * HOUR);
    let request = request(&cocoa(Version::V2), false, NUMBER, now);
    // An app that does not wait: the key of today, valid until midnight.
    let text = String::from_utf8(request.body).unwrap();
    let (from, today) = (DAY.first_interval().get(), DAY.saturating_add(1).first_interval().get());
    let text = text.replacen(&from.to_string(), &today.to_string(), 1);
    let upload = Upload { path: request.path, decoy: false, body: text.as_bytes() };
    assert_eq!(server.receive(&upload, now, &mut rng).status, 204);
    let mut found = Vec::new();
    for hour in 0..48 {
        let at = now.saturating_add(hour * HOUR);
        let Some(export) = server.prepare_export(at, &mut rng).unwrap() else { continue };
        server.confirm(&export);
        let export = KeyExport::from_zip(&export.zip, Limits::DEFAULT).unwrap();
        let export = export.accept_without_signature().unwrap();
        let ends = export.keys().unwrap().map(|key| key.unwrap().key.rolling_end());
        let latest: IntervalNumber = ends.max().unwrap();
        assert!(latest.start().saturating_add(2 * HOUR) <= at);
        found.push(latest);
    }
    assert!(found.contains(&DAY.saturating_add(2).first_interval()), "{found:?}");
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
