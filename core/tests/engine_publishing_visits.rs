//! From consent to warnings for other visitors at the server, through the engine: with the keys, in
//! the same request, once.

#![allow(clippy::unwrap_used, reason = "a test may fail by panicking")]

mod engine_support;
mod publish_support;

use std::collections::BTreeSet;

use chikaku_core::diagnosis_key::ReportType;
use chikaku_core::encounter_log::MemoryLog;
use chikaku_core::engine::{Engine, Input, Output, PublishError, PublishInput, QueuedUpload};
use chikaku_core::local_time::UtcOffset;
use chikaku_core::publish::cocoa::Version;
use chikaku_core::publish::queue::Outcome;
use chikaku_core::publish::release::ReleaseError;
use chikaku_core::publish::visits::{MOST_WARNINGS, UploadedWarningsError, uploaded_warnings};
use chikaku_core::publish::{
    Answer, Basis, Call, Consent, DateFilter, Endpoint, IdempotencyKey, LocalDate, ReleaseRequest,
    Step,
};
use chikaku_core::time::{DAY_SECONDS, UtcDay};
use chikaku_core::venue::{
    CheckIn, PackageReport, ProtectedWarning, TransmissionRiskLevel, WarningPackageWriter,
};
use engine_support::{DAY, Host, configuration, signing_key};
use publish_support::{cocoa, exposure_server, good_answer, number, taking_visits, venue};

type Phone = Host<MemoryLog>;

fn server() -> Endpoint {
    taking_visits(exposure_server())
}

/// The process dies and comes back.
fn reopened(mut phone: Phone, endpoint: &Endpoint) -> Phone {
    let mut configuration = configuration();
    configuration.upload_endpoint = Some(endpoint.clone());
    let log = phone.engine.log().clone();
    phone.engine = Engine::open(configuration, log).unwrap();
    phone
}

/// A phone without own keys, so that nothing but visits can be published.
fn phone(endpoint: &Endpoint) -> Phone {
    reopened(Host::new(MemoryLog::new(), 7), endpoint)
}

/// An hour's visit that began at this hour of a day.
fn visit(phone: &mut Phone, place: u64, day: UtcDay, hour: u32) {
    phone.now = day.start().saturating_add(hour * 3_600);
    phone.tell(Input::CheckIn(Box::new(venue(place))));
}

fn visits(phone: &mut Phone) -> Vec<CheckIn> {
    let clocks = phone.clocks();
    phone.engine.venues(clocks).unwrap().check_ins().to_vec()
}

fn submitted(phone: &mut Phone) -> usize {
    visits(phone).iter().filter(|visit| visit.submitted).count()
}

fn consent(phone: &Phone) -> Consent {
    Consent::given_by_user(phone.now)
}

fn request(phone: &Phone, consent: Consent, days_before: u32) -> ReleaseRequest {
    let today = phone.now.day().days_since_1970();
    let basis = Basis::SymptomOnset(LocalDate::new(today, UtcOffset::UTC).unwrap());
    let mut request = ReleaseRequest::new(consent, ReportType::ConfirmedTest, basis);
    request.filter = DateFilter { days_before, ..DateFilter::default() };
    request
}

fn tell(phone: &mut Phone, input: PublishInput) -> Vec<Output> {
    phone.tell(Input::Publish(Box::new(input)))
}

fn queue(phone: &mut Phone, request: ReleaseRequest) -> Result<QueuedUpload, PublishError> {
    let outputs = tell(phone, PublishInput::Publish { request, code: number() });
    let queued = outputs.into_iter().find_map(|output| match output {
        Output::UploadQueued(queued) => Some(queued),
        _ => None,
    });
    queued.unwrap()
}

/// Publishes keys and visits of the last `days_before` days.
fn publish(phone: &mut Phone, days_before: u32) -> Result<QueuedUpload, PublishError> {
    let consent = consent(phone).including_visits();
    let mut request = request(phone, consent, days_before);
    request.visits = TransmissionRiskLevel::new(5);
    queue(phone, request)
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
        Output::UploadAnswered { outcome, .. } => Some(outcome),
        _ => None,
    });
    outcome.unwrap()
}

fn warnings_of(call: &Call) -> Vec<ProtectedWarning> {
    match &call.step {
        Step::Send(request) => uploaded_warnings(&request.body).unwrap(),
        _ => Vec::new(),
    }
}

/// Answers every call well; returns the warnings that were sent, and what the last answer led to.
fn serve(phone: &mut Phone) -> (Vec<ProtectedWarning>, Option<Outcome>) {
    let (mut sent, mut last) = (Vec::new(), None);
    while let Some(call) = next_call(phone) {
        sent.extend(warnings_of(&call));
        last = Some(answer(phone, call.upload, good_answer(&call.step)));
    }
    (sent, last)
}

/// What a phone makes of a package of these warnings.
fn matched(phone: &mut Phone, warnings: &[ProtectedWarning]) -> PackageReport {
    let warnings = warnings.iter().cloned();
    let package = WarningPackageWriter::new("440").warnings(warnings).write(&signing_key());
    let outputs = phone.tell(Input::VenueWarnings(&package.unwrap()));
    let report = outputs.into_iter().find_map(|output| match output {
        Output::VenueWarningsIngested(report) => report.ok(),
        _ => None,
    });
    report.unwrap()
}

#[test]
fn visits_are_not_published_without_a_consent_that_includes_them() {
    let mut phone = phone(&server());
    phone.tell(Input::Start);
    visit(&mut phone, 1, DAY, 2);
    phone.now = DAY.saturating_add(1).start().saturating_add(3_600);
    phone.tell(Input::Wake);
    let before = format!("{:?}", phone.engine.log());

    let mut asked = request(&phone, consent(&phone), 3);
    asked.visits = TransmissionRiskLevel::new(5);
    let refused = PublishError::Release(ReleaseError::VisitsNotConsented);
    assert_eq!(queue(&mut phone, asked), Err(refused));
    assert!(phone.engine.uploads().is_empty() && next_call(&mut phone).is_none());
    assert_eq!((submitted(&mut phone), format!("{:?}", phone.engine.log())), (0, before));

    // A consent to keys, and one to both of which the app makes no use: no warning leaves.
    for consent in [consent(&phone), consent(&phone).including_visits()] {
        let asked = request(&phone, consent, 3);
        let queued = queue(&mut phone, asked).unwrap();
        assert_eq!(queued.visits.submitted, 0);
        let (sent, outcome) = serve(&mut phone);
        assert!(sent.is_empty());
        assert!(matches!(outcome, Some(Outcome::Published { visits: 0, .. })), "{outcome:?}");
    }
    assert_eq!(submitted(&mut phone), 0);
    assert_eq!(TransmissionRiskLevel::new(0).or(TransmissionRiskLevel::new(9)), None);
}

#[test]
fn a_server_that_takes_no_visits_gets_none_and_the_user_hears_of_it() {
    let mut phone = phone(&exposure_server());
    visit(&mut phone, 1, DAY, 2);
    phone.pass(7_200);
    assert_eq!(publish(&mut phone, 3), Err(PublishError::NoServerForVisits));
    assert_eq!((submitted(&mut phone), phone.engine.uploads().len()), (0, 0));
}

#[test]
fn warnings_survive_a_death_after_every_call_and_arrive_once() {
    for endpoint in [cocoa(Version::V2), cocoa(Version::V3), exposure_server()] {
        let endpoint = taking_visits(endpoint);
        let mut patient = phone(&endpoint);
        let mut visitor = phone(&endpoint);
        for (place, hour) in [(1, 2), (2, 5), (3, 23)] {
            visit(&mut patient, place, DAY, hour);
        }
        visit(&mut visitor, 2, DAY, 5);
        patient.pass(7_200);
        let queued = publish(&mut patient, 3).unwrap();
        assert_eq!((queued.visits.submitted, queued.visits.left_out), (3, 0));
        let upload = queued.upload;

        let mut sent = Vec::new();
        for _ in 0..4 {
            patient = reopened(patient, &endpoint);
            assert_eq!((patient.engine.uploads()[0].visits, submitted(&mut patient)), (3, 3));
            let mut call = next_call(&mut patient).unwrap();
            while !matches!(call.step, Step::Send(_)) {
                assert_eq!(
                    answer(&mut patient, upload, good_answer(&call.step)),
                    Outcome::Proceeds
                );
                call = next_call(&mut patient).unwrap();
            }
            // The server has it, and the phone dies before the answer comes.
            sent.push(warnings_of(&call));
        }
        // One over midnight makes two; the rest are of no venue.
        assert!(sent.iter().all(|warnings| *warnings == sent[0] && warnings.len() == 8));
        let places: BTreeSet<_> = sent[0].iter().map(|warning| warning.venue_hash).collect();
        assert_eq!(places.len(), 3 + 4);
        let (last, outcome) = serve(&mut patient);
        assert_eq!(last, sent[0]);
        assert_eq!(outcome, Some(Outcome::Published { keys: 0, visits: 3, more_follow: false }));
        patient = reopened(patient, &endpoint);
        assert!(patient.engine.uploads().is_empty() && next_call(&mut patient).is_none());

        // A server that took each request for a new one warns once all the same.
        visitor.now = patient.now;
        let all: Vec<_> = sent.concat();
        let report = matched(&mut visitor, &all);
        assert_eq!((report.warnings, report.matched), (32, 1));
        // What was published is not published again.
        assert!(matches!(publish(&mut patient, 3), Err(PublishError::Release(_))));
    }
}

#[test]
fn keys_and_visits_travel_together() {
    let endpoint = server();
    let mut phone = phone(&endpoint);
    phone.tell(Input::Start);
    visit(&mut phone, 1, DAY, 2);
    phone.tell(Input::Wake);
    phone.now = DAY.saturating_add(1).start().saturating_add(3_600);
    phone.tell(Input::Wake);
    publish(&mut phone, 3).unwrap();
    let upload = phone.engine.uploads()[0];
    assert!(upload.keys > 0 && upload.visits == 1);
    let (sent, outcome) = serve(&mut phone);
    assert_eq!(sent.len(), 8);
    let keys = upload.keys;
    assert_eq!(outcome, Some(Outcome::Published { keys, visits: 1, more_follow: false }));
}

#[test]
fn no_own_warning_meets_an_own_visit() {
    let mut patient = phone(&server());
    visit(&mut patient, 1, DAY, 2);
    // In the middle of the visit; it ends with the publication.
    patient.pass(1_800);
    publish(&mut patient, 3).unwrap();
    assert_eq!(visits(&mut patient)[0].until, patient.now);
    let (sent, _) = serve(&mut patient);
    // Back at once, while the air still holds what the patient left.
    patient.pass(60);
    patient.tell(Input::CheckIn(Box::new(venue(1))));
    patient.pass(3_600);
    assert_eq!(visits(&mut patient).iter().map(|v| v.submitted).collect::<Vec<_>>(), [true, false]);
    assert_eq!(matched(&mut patient, &sent).matched, 0);
    // The visit would match: another phone's does.
    let mut other = phone(&server());
    other.now = DAY.start().saturating_add(2 * 3_600 + 1_860);
    other.tell(Input::CheckIn(Box::new(venue(1))));
    other.pass(3_600);
    assert_eq!(matched(&mut other, &sent).matched, 1);
}

#[test]
fn visits_that_are_too_old_or_too_short_never_leave() {
    let today = DAY.saturating_add(20);
    let mut phone = phone(&server());
    // A phone that remembers for longer than servers take anything.
    let mut configuration = phone.engine.configuration().clone();
    configuration.retention_days = 20;
    phone.engine = Engine::open(configuration, phone.engine.log().clone()).unwrap();
    let visited = [19, 15, 14, 13, 3, 0];
    for days_ago in visited {
        visit(&mut phone, u64::from(days_ago), today.saturating_sub(days_ago), 2);
    }
    let short = visits(&mut phone).len() as u64;
    phone.tell(Input::CheckIn(Box::new(venue(99))));
    phone.pass(599);
    phone.tell(Input::CheckOut { number: short });
    phone.now = today.start().saturating_add(4 * 3_600);
    let queued = publish(&mut phone, 3).unwrap();
    assert_eq!((queued.visits.submitted, queued.visits.warn_nobody), (2, 5));
    tell(&mut phone, PublishInput::Cancel { upload: queued.upload });
    let queued = publish(&mut phone, 30).unwrap();
    assert_eq!((queued.visits.submitted, queued.visits.warn_nobody), (4, 3));

    // Those that become too old while they wait do not leave either.
    for day in 0..=15 {
        let mut sent = BTreeSet::new();
        while let Some(call) = next_call(&mut phone) {
            sent.extend(warnings_of(&call).into_iter().map(|warning| warning.venue_hash));
            let is_sent = matches!(call.step, Step::Send(_));
            let came = if is_sent { Answer::Nothing } else { good_answer(&call.step) };
            answer(&mut phone, call.upload, came);
        }
        for days_ago in visited {
            let was_sent = sent.contains(&venue(u64::from(days_ago)).id().hash());
            assert_eq!(was_sent, days_ago + day <= 14, "{days_ago} days ago, {day} days later");
        }
        phone.now = phone.now.saturating_add(DAY_SECONDS);
        phone.tell(Input::Wake);
    }
    assert!(phone.engine.uploads().is_empty());
}

#[test]
fn more_visits_than_a_request_holds_are_reported_and_the_latest_are_taken() {
    for (count, sent_in_all, left_out) in [(8, 8, 0), (9, 32, 0), (33, 128, 0), (150, 128, 22)] {
        let mut phone = phone(&server());
        for visit in 0..count {
            // Twelve a day, the latest ones today.
            let (day, turn) = (DAY.saturating_add(visit / 12), visit % 12);
            phone.now = day.start().saturating_add(turn * 7_200);
            phone.tell(Input::CheckIn(Box::new(venue(u64::from(visit)))));
        }
        phone.now = DAY.saturating_add((count - 1) / 12).start().saturating_add(22 * 3_600);
        let queued = publish(&mut phone, 30).unwrap();
        let report = queued.visits;
        assert_eq!(
            (report.submitted + report.left_out, report.left_out),
            (count as usize, left_out)
        );
        let (sent, outcome) = serve(&mut phone);
        assert_eq!(sent.len(), sent_in_all);
        assert!(
            matches!(outcome, Some(Outcome::Published { visits, .. }) if visits == report.submitted)
        );
        // The oldest ones are not marked, and can be published with another number.
        let oldest = visits(&mut phone).iter().take_while(|visit| !visit.submitted).count();
        assert_eq!(oldest, left_out);
        let hashes: BTreeSet<_> = sent.iter().map(|warning| warning.venue_hash).collect();
        assert!(hashes.contains(&venue(u64::from(count) - 1).id().hash()));
        assert_eq!(hashes.len(), sent_in_all.min(MOST_WARNINGS));
    }
}

#[test]
fn what_is_cancelled_matches_and_can_be_published_again() {
    let mut patient = phone(&server());
    visit(&mut patient, 1, DAY, 2);
    patient.pass(7_200);
    let first = publish(&mut patient, 3).unwrap();
    let call = next_call(&mut patient).unwrap();
    assert_eq!(answer(&mut patient, call.upload, Answer::CodeRefused), Outcome::CodeRefused);
    patient.pass(60);
    assert!(matches!(publish(&mut patient, 3), Err(PublishError::Release(_))));
    tell(&mut patient, PublishInput::Cancel { upload: first.upload });
    assert_eq!((submitted(&mut patient), patient.engine.uploads().len()), (0, 0));
    let second = publish(&mut patient, 3).unwrap();
    assert_eq!((second.visits.submitted, serve(&mut patient).0.len()), (1, 8));
    tell(&mut patient, PublishInput::Cancel { upload: second.upload });
    assert_eq!(submitted(&mut patient), 1, "what the server has stays there");
}

#[test]
fn a_day_that_is_forgotten_is_not_published() {
    let endpoint = server();
    let mut phone = phone(&endpoint);
    visit(&mut phone, 1, DAY, 2);
    visit(&mut phone, 2, DAY.saturating_add(1), 2);
    phone.pass(7_200);
    publish(&mut phone, 3).unwrap();
    phone.tell(Input::ForgetDay(DAY));
    let mut phone = reopened(phone, &endpoint);
    assert_eq!(phone.engine.uploads()[0].visits, 1);
    let (sent, _) = serve(&mut phone);
    assert!(sent.iter().all(|warning| warning.venue_hash != venue(1).id().hash()));
    assert!(sent.iter().any(|warning| warning.venue_hash == venue(2).id().hash()));
    let shown = format!("{:?} {:?}", phone.engine, phone.engine.log());
    assert!(!shown.contains("Venue 1") && !shown.contains("Venue 2"), "{shown}");
}

#[test]
fn a_decoy_makes_the_same_calls_as_an_upload_with_visits() {
    for endpoint in [taking_visits(cocoa(Version::V3)), server()] {
        let kinds = |phone: &mut Phone| {
            let mut kinds = Vec::new();
            while let Some(call) = next_call(phone) {
                kinds.push(core::mem::discriminant(&call.step));
                answer(phone, call.upload, good_answer(&call.step));
            }
            kinds
        };
        let mut phone = phone(&endpoint);
        phone.tell(Input::Start);
        visit(&mut phone, 1, DAY, 2);
        phone.pass(7_200);
        publish(&mut phone, 3).unwrap();
        let real = kinds(&mut phone);
        let mut decoys = 0;
        for _ in 0..14 * 24 {
            phone.pass(3_600);
            phone.tell(Input::Wake);
            let calls = kinds(&mut phone);
            if !calls.is_empty() {
                assert_eq!(calls, real);
                decoys += 1;
            }
        }
        assert!(decoys > 0);
    }
}

#[test]
fn what_a_server_is_sent_is_checked() {
    let text = |reports: &str| format!(r#"{{"keys":[],"checkInProtectedReports":"{reports}"}}"#);
    assert_eq!(uploaded_warnings(b"{}"), Ok(Vec::new()));
    assert_eq!(uploaded_warnings(b"7"), Err(UploadedWarningsError::Request));
    assert_eq!(uploaded_warnings(text("?").as_bytes()), Err(UploadedWarningsError::Encoding));
    // An empty report, and one that ends in the middle.
    let unreadable = Err(UploadedWarningsError::Unreadable { messages: 1 });
    assert_eq!(uploaded_warnings(text("IgA=").as_bytes()), unreadable);
    let cut = uploaded_warnings(text("Ig==").as_bytes());
    assert!(matches!(cut, Err(UploadedWarningsError::Content(_))), "{cut:?}");
    let many = base64_of_empty_reports(MOST_WARNINGS + 1);
    let refused = uploaded_warnings(text(&many).as_bytes());
    assert!(matches!(refused, Err(UploadedWarningsError::Content(_))), "{refused:?}");
}

fn base64_of_empty_reports(count: usize) -> String {
    use base64ct::{Base64, Encoding};
    Base64::encode_string(&[0x22, 0].repeat(count))
}
