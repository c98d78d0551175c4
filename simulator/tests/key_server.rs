//! Telling others, end to end over loopback HTTP: two phones meet, one publishes, the other is
//! told. Every request may be interrupted, and every process may die.

#![allow(clippy::unwrap_used, reason = "a test may fail by panicking")]

#[path = "../../core/tests/engine_support/mod.rs"]
mod engine_support;
mod key_server_support;
#[path = "../../core/tests/publish_support/mod.rs"]
mod publish_support;

use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;

use chikaku_core::diagnosis_key::{DiagnosisKey, ReportType};
use chikaku_core::download::{Downloads, FetchError, Listing, Next, Source};
use chikaku_core::encounter_log::{EncounterLog, MemoryLog};
use chikaku_core::engine::{Input, KeyFile, Output};
use chikaku_core::export::{KeyExport, Limits, TrustedKeys};
use chikaku_core::local_time::UtcOffset;
use chikaku_core::publish::cocoa::Version;
use chikaku_core::publish::queue::Outcome;
use chikaku_core::publish::{
    AttemptLimiter, Basis, Consent, DeepLinkFormat, Endpoint, LocalDate, ReleaseRequest, Step,
    UploadQueue,
};
use chikaku_core::time::Timestamp;
use engine_support::{DAY, Host, disclosed, plan_of, signing_key};
use key_server_support::{HOUR, NUMBER, Network, Running, get, send};
use publish_support::{cocoa, exposure_server, good_answer};
use rand_chacha::ChaCha20Rng;
use rand_core::SeedableRng;

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
                Step::Send(request) => send(address, request, network),
                step => good_answer(step),
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
    assert_eq!(outcomes, [Outcome::Published { keys, visits: 0, more_follow: false }]);
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
fn assert_private(zip: &[u8], released: &[DiagnosisKey], now: Timestamp) {
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
