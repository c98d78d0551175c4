//! Payloads and lists against COCOA's documents.

#![allow(clippy::disallowed_methods, clippy::print_stderr, reason = "a test reads its data")]
#![allow(clippy::unwrap_used, reason = "data that is not as described is a failure")]

mod data_support;
mod publish_support;

use std::fs;
use std::path::Path;

use base64ct::{Base64, Encoding};
use chikaku_core::diagnosis_key::{DiagnosisKey, DiagnosisKeyDetails, ReportType};
use chikaku_core::download::{Downloads, EntryIssue, Listing, Next, Source};
use chikaku_core::publish::cocoa::{DiagnosisV3, Version};
use chikaku_core::publish::release::{DateFilter, Release};
use chikaku_core::publish::{
    Answer, Basis, Consent, LocalDate, ProcessingNumber, ReleaseRequest, Step, UploadQueue,
};
use chikaku_core::time::{IntervalNumber, RollingPeriod, Timestamp};
use data_support::{Data, Outcome};
use libtest_mimic::Arguments;
use serde_json::Value;

fn main() {
    let arguments = Arguments::from_args();
    let data = Data::folder("cocoa");
    let trials = vec![
        data.trial("a_v3_request_is_the_fixture_byte_for_byte", v3_request),
        data.trial("the_list_is_fetched_whole", list),
        data.trial("the_hostile_list_gives_nothing", hostile_list),
        data.trial("one_bad_entry_costs_its_neighbours_nothing", mixed_list),
    ];
    libtest_mimic::run(&arguments, trials).exit();
}

/// The document without the white space between its tokens.
fn compact(json: &str) -> String {
    let (mut compact, mut in_text) = (String::new(), false);
    for character in json.chars() {
        // No text of the documents holds an escaped quote.
        in_text ^= character == '"';
        if in_text || !character.is_whitespace() {
            compact.push(character);
        }
    }
    compact
}

fn v3_request(folder: &Path) -> Outcome {
    let text = fs::read_to_string(folder.join("diagnosis_v3_request.json"))?;
    let fixture: DiagnosisV3 = serde_json::from_str(&text)?;
    let keys: Vec<_> = fixture
        .keys
        .iter()
        .map(|key| {
            let bytes = Base64::decode_vec(&key.key_data).unwrap().try_into().unwrap();
            let period = RollingPeriod::new(key.rolling_period).unwrap();
            let start = IntervalNumber::new(key.rolling_start_number);
            DiagnosisKey::new(bytes, start, period, DiagnosisKeyDetails::default())
        })
        .collect();
    let date = LocalDate::parse(&fixture.onset_of_symptom_or_test_date)?;
    let now = keys.last().ok_or("no keys")?.rolling_end().start();
    let endpoint = publish_support::cocoa(Version::V3);
    let number = ProcessingNumber::new(&fixture.verification_payload)?;

    // The order of a release is random: with some seed it is the fixture's.
    let released = (0..200_000).find_map(|seed| {
        let consent = Consent::given_by_user(now);
        let basis = Basis::SymptomOnset(date);
        let mut request = ReleaseRequest::new(consent, ReportType::ConfirmedTest, basis);
        request.filter = DateFilter::COCOA_V3;
        let release = request.release(&keys, now, &mut publish_support::rng(seed)).unwrap();
        let is_sorted = release.keys().is_sorted_by_key(|released| released.key.rolling_start());
        is_sorted.then_some(release)
    });
    let released: Release = released.ok_or("no seed gives the fixture's order")?;
    let mut queue = UploadQueue::new();
    let mut rng = publish_support::rng(1);
    queue.add(released, number.into(), &mut rng);
    // The fixture's name for the attempt, as if it had been stored.
    let mut stored = serde_json::to_value(&queue)?;
    stored["uploads"][0]["id"] = Value::from(fixture.idempotency_key.as_str());
    let mut queue: UploadQueue = serde_json::from_value(stored)?;
    let call = queue.next(&endpoint, now, &mut rng).ok_or("nothing to do")?;
    let attestation = Answer::Attested(fixture.device_verification_payload.clone());
    queue.answer(call.upload, attestation, &endpoint, now, &mut rng);
    let call = queue.next(&endpoint, now, &mut rng).ok_or("nothing to send")?;
    let Step::Send(request) = call.step else { return Err("not sent".into()) };

    let body = String::from_utf8(request.body)?;
    let sent: DiagnosisV3 = serde_json::from_str(&body)?;
    let expected = compact(&text).replace(&fixture.padding, &sent.padding);
    assert_eq!(body.trim_end_matches(' '), expected);
    Ok(())
}

fn source() -> Source {
    Source::new("440", "https://cdn.example/c19r/440").unwrap()
}

fn list(folder: &Path) -> Outcome {
    let listing = Listing::from_cocoa_list(&fs::read(folder.join("list.json"))?, &source())?;
    assert!(listing.skipped.is_empty());
    // Two files share a time, and the second of them comes into the list after the first was
    // matched: COCOA's cursor never saw it.
    let mut early = listing.clone();
    early.files.remove(1);
    let mut downloads = Downloads::new();
    let mut fetched = Vec::new();
    for listing in [&early, &listing] {
        while let Next::Fetch(file) = downloads.next(listing, Timestamp::EPOCH) {
            let handover = downloads.hand_over(&file.url);
            downloads.matched(&handover, Timestamp::EPOCH);
            fetched.push(file.url.rsplit('/').next().unwrap().to_owned());
        }
    }
    assert_eq!(fetched, ["101.zip", "103.zip", "102.zip"]);
    Ok(())
}

fn hostile_list(folder: &Path) -> Outcome {
    let hostile = fs::read(folder.join("list_hostile.json"))?;
    let listing = Listing::from_cocoa_list(&hostile, &source())?;
    assert!(listing.files.is_empty());
    let issues = [EntryIssue::Scheme, EntryIssue::Region, EntryIssue::Created];
    assert_eq!(listing.skipped, issues.into_iter().enumerate().collect::<Vec<_>>());
    Ok(())
}

fn mixed_list(folder: &Path) -> Outcome {
    let read = |name: &str| -> Vec<Value> {
        serde_json::from_slice(&fs::read(folder.join(name)).unwrap()).unwrap()
    };
    let (good, hostile) = (read("list.json"), read("list_hostile.json"));
    let alone = Listing::from_cocoa_list(&serde_json::to_vec(&good)?, &source())?;
    let mixed: Vec<_> = good
        .iter()
        .zip(&hostile)
        .flat_map(|(good, hostile)| [hostile.clone(), Value::Null, good.clone(), 7.into()])
        .collect();
    let mixed = Listing::from_cocoa_list(&serde_json::to_vec(&mixed)?, &source())?;
    assert_eq!(mixed.files, alone.files);
    assert_eq!(mixed.skipped.len(), 9);
    Ok(())
}
