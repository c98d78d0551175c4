//! Visits to venues through the engine: kept, matched, announced once, forgotten.

#![allow(clippy::unwrap_used, reason = "a test may fail by panicking")]

mod engine_support;
mod publish_support;

use chikaku_core::diagnosis_key::ReportType;
use chikaku_core::encounter_log::MemoryLog;
use chikaku_core::engine::{Engine, Input, KeyFile, Output, PublishInput};
use chikaku_core::local_time::UtcOffset;
use chikaku_core::publish::visits::{WARNING_COUNTS, uploaded_warnings};
use chikaku_core::publish::{Basis, Call, Consent, LocalDate, ReleaseRequest, Step};
use chikaku_core::risk::RiskLevel;
use chikaku_core::time::UtcDay;
use chikaku_core::venue::code::{Declaration, DefaultStay, NewVenue};
use chikaku_core::venue::{
    CheckInError, PackageReport, ProtectedWarning, TransmissionRiskLevel, VenueCode, VenueType,
    WarningPackageWriter,
};
use engine_support::{DAY, Host, announced, configuration, contact, key_file, signing_key};
use publish_support::{exposure_server, good_answer, number, taking_visits};
use rand_chacha::ChaCha20Rng;
use rand_core::SeedableRng;

type Phone = Host<MemoryLog>;

fn venue(seed: u64) -> Box<VenueCode> {
    let venue = NewVenue {
        venue_type: VenueType::PermanentFoodService,
        default_stay: DefaultStay::from_minutes(60),
        name: Some(format!("Venue {seed}")),
        declaration: Declaration { measures: Vec::new(), issued_on: DAY },
    };
    let text = venue.issue(&signing_key(), &mut ChaCha20Rng::seed_from_u64(seed)).unwrap();
    Box::new(VenueCode::read(&text).unwrap())
}

fn phone(seed: u64) -> Phone {
    Host::new(MemoryLog::new(), seed)
}

fn check_in(phone: &mut Phone, place: u64) -> Result<u64, CheckInError> {
    let outputs = phone.tell(Input::CheckIn(venue(place)));
    outputs
        .into_iter()
        .find_map(|output| match output {
            Output::CheckedIn(outcome) => Some(outcome),
            _ => None,
        })
        .unwrap()
}

fn package(warnings: Vec<ProtectedWarning>) -> Vec<u8> {
    WarningPackageWriter::new("440").warnings(warnings).write(&signing_key()).unwrap()
}

/// What reaches the server when this phone publishes its keys and visits.
fn published_visits(phone: &mut Phone) -> Vec<ProtectedWarning> {
    let mut configuration = configuration();
    configuration.upload_endpoint = Some(taking_visits(exposure_server()));
    phone.engine = Engine::open(configuration, phone.engine.log().clone()).unwrap();
    let consent = Consent::given_by_user(phone.now).including_visits();
    let today = LocalDate::new(phone.now.day().days_since_1970(), UtcOffset::UTC).unwrap();
    let basis = Basis::TestDate(today);
    let mut request = ReleaseRequest::new(consent, ReportType::ConfirmedTest, basis);
    request.visits = TransmissionRiskLevel::new(5);
    let publish = PublishInput::Publish { request, code: number() };
    phone.tell(Input::Publish(Box::new(publish)));
    let mut warnings = Vec::new();
    loop {
        let outputs = phone.tell(Input::Publish(Box::new(PublishInput::NextCall)));
        let call = outputs.into_iter().find_map(|output| match output {
            Output::UploadCall(call) => Some(*call),
            _ => None,
        });
        let Some(Call { upload, step }) = call else { return warnings };
        let answer = good_answer(&step);
        if let Step::Send(request) = &step {
            warnings.extend(uploaded_warnings(&request.body).unwrap());
        }
        phone.tell(Input::Publish(Box::new(PublishInput::Answered { upload, answer })));
    }
}

fn venue_days(outputs: &[Output]) -> Vec<UtcDay> {
    let days = outputs.iter().filter_map(|output| match output {
        Output::AnnounceVenues { day } => Some(*day),
        _ => None,
    });
    days.collect()
}

fn report(outputs: &[Output]) -> PackageReport {
    let ingested = outputs.iter().find_map(|output| match output {
        Output::VenueWarningsIngested(outcome) => Some(outcome.as_ref().unwrap()),
        _ => None,
    });
    *ingested.unwrap()
}

#[test]
fn i22_every_co_visitor_is_told_on_the_phone_and_nobody_else() {
    // Two hundred places; each phone visits two of them, the positive one the first three.
    let mut positive = phone(0);
    for place in 0..3_u32 {
        positive.now = DAY.start().saturating_add(3_600 * (place + 1));
        check_in(&mut positive, u64::from(place)).unwrap();
    }
    let mut phones = Vec::new();
    for number in 0_u32..200 {
        let mut visitor = phone(u64::from(number) + 1);
        visitor.now = DAY.start().saturating_add(3_600 + 30 * number);
        check_in(&mut visitor, u64::from(number)).unwrap();
        visitor.now = DAY.start().saturating_add(5 * 3_600);
        check_in(&mut visitor, u64::from((number * 7 + 3) % 200)).unwrap();
        phones.push(visitor);
    }
    positive.now = DAY.saturating_add(1).start();
    let warnings = published_visits(&mut positive);
    assert_eq!(warnings.len(), WARNING_COUNTS[0], "three, and five of no venue");
    let package = package(warnings);
    for (number, visitor) in (0_u32..).zip(&mut phones) {
        visitor.now = DAY.saturating_add(1).start();
        let outputs = visitor.tell(Input::VenueWarnings(&package));
        // Place 0 from 1:00 to 2:00 and half an hour of its air, 1 from 2:00, 2 from 3:00.
        let came = 3_600 + 30 * number;
        let met = match number {
            0 | 1 => came + 3_600 > 3_600 * (number + 1) + 600,
            _ => false,
        };
        let told = if met { vec![DAY] } else { Vec::new() };
        assert_eq!(venue_days(&outputs), told, "phone {number}");
    }
    positive.tell(Input::Start);
    assert!(venue_days(&positive.tell(Input::VenueWarnings(&package))).is_empty());
}

#[test]
fn a_visit_is_announced_until_it_is_confirmed_and_once() {
    let mut positive = phone(1);
    let mut visitor = phone(2);
    check_in(&mut positive, 1).unwrap();
    check_in(&mut visitor, 1).unwrap();
    assert_eq!(check_in(&mut visitor, 1), Err(CheckInError::StillThere));
    positive.pass(7_200);
    visitor.pass(7_200);
    let zip = package(published_visits(&mut positive));

    let refused = visitor.tell(Input::VenueWarnings(b"nonsense"));
    assert!(refused.iter().any(|output| matches!(output, Output::VenueWarningsIngested(Err(_)))));
    let first = visitor.tell(Input::VenueWarnings(&zip));
    assert_eq!((report(&first).matched, venue_days(&first)), (1, vec![DAY]));
    // The process dies before it could say so.
    let mut visitor = visitor.restarted_over(visitor.engine.log().clone());
    assert_eq!(venue_days(&visitor.tell(Input::Start)), [DAY]);
    visitor.tell(Input::Announced { day: DAY });
    visitor.tell(Input::Stop);
    assert!(venue_days(&visitor.tell(Input::Start)).is_empty());
    let again = visitor.tell(Input::VenueWarnings(&zip));
    assert!(report(&again).known && venue_days(&again).is_empty());

    let clocks = visitor.clocks();
    let evidence = visitor.engine.evidence(DAY, clocks).unwrap();
    assert_eq!((evidence.venues.len(), evidence.encounters), (1, None));
    let shown = format!("{:?} {:?}", visitor.engine, visitor.engine.log());
    assert!(!shown.contains("Venue 1"), "{shown}");
}

#[test]
fn an_encounter_and_a_visit_of_one_day_are_one_event() {
    let (contact, keys) = contact(30, -40);
    // The visit was on the same day; the clock of the test is at the next one.
    let later = contact.now;
    let mut positive = phone(9);
    positive.now = DAY.start().saturating_add(10_000);
    check_in(&mut positive, 1).unwrap();
    positive.now = later;
    let zip = package(published_visits(&mut positive));
    let mut visitor = contact.restarted_over(contact.engine.log().clone());
    visitor.set_clock_by(-76_400);
    check_in(&mut visitor, 1).unwrap();
    visitor.set_clock_by(76_400);

    let outputs = visitor.tell(Input::KeyFile(KeyFile::without_cursor(&key_file(keys))));
    assert_eq!(announced(&outputs), 1);
    visitor.tell(Input::Announced { day: DAY });
    let outputs = visitor.tell(Input::VenueWarnings(&zip));
    assert_eq!((report(&outputs).matched, venue_days(&outputs)), (1, Vec::new()));
    let clocks = visitor.clocks();
    let evidence = visitor.engine.evidence(DAY, clocks).unwrap();
    assert_eq!(evidence.encounters.unwrap().level, RiskLevel::High);
    assert_eq!(evidence.venues.len(), 1);
}

#[test]
fn visits_are_forgotten_after_fourteen_days_by_the_day_and_altogether() {
    let mut host = phone(1);
    check_in(&mut host, 1).unwrap();
    let visits = |host: &mut Phone| {
        let clocks = host.clocks();
        let shown = host.engine.venues(clocks).unwrap().check_ins().len();
        let kept = serde_json::to_string(&stored(host)).unwrap();
        (shown, kept.contains("Venue"))
    };
    // Ended at 01:00; fourteen times 24 hours later it is still there, a second later it is not.
    host.now = DAY.saturating_add(14).start().saturating_add(3_600);
    host.tell(Input::Wake);
    assert_eq!(visits(&mut host), (1, true));
    host.pass(1);
    assert_eq!(visits(&mut host), (0, true));
    host.tell(Input::Wake);
    assert_eq!(visits(&mut host), (0, false));

    let day = host.now.day();
    check_in(&mut host, 2).unwrap();
    host.tell(Input::ForgetDay(day));
    assert_eq!(visits(&mut host), (0, false));
    assert_eq!(check_in(&mut host, 3), Err(CheckInError::ForgottenDay));
    host.now = day.saturating_add(1).start();
    let number = check_in(&mut host, 3).unwrap();
    host.pass(60);
    host.tell(Input::CheckOut { number });
    host.tell(Input::ForgetEverything);
    assert_eq!(visits(&mut host), (0, false));
}

fn stored(host: &Phone) -> chikaku_core::venue::VenueDiary {
    use chikaku_core::encounter_log::EncounterLog;
    host.engine.log().venues().unwrap()
}
