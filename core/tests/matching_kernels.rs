//! Known answers: identifiers that an independent implementation computed are found on every set of
//! instructions and by every strategy; and a file of a million keys of which ten thousand are bad.

#![allow(clippy::unwrap_used, reason = "a test may fail by panicking")]

mod matching_support;

use chikaku_core::diagnosis_key::{DiagnosisKey, DiagnosisKeyDetails};
use chikaku_core::export::{ExportWriter, KeyExport, KeyList, Limits, PublishedKey};
use chikaku_core::keys::RollingProximityIdentifier;
use chikaku_core::matching::{InstructionSet, Matcher, MatchingRules, SightingIndex, Strategy};
use chikaku_core::sighting::Sighting;
use chikaku_core::time::{IntervalNumber, RollingPeriod, Timestamp};
use matching_support::{Random, sighting};
use serde_json::Value;

const VECTORS: &str = include_str!("vectors/key_schedule.json");

fn bytes<const N: usize>(value: &Value) -> [u8; N] {
    let mut bytes = [0; N];
    hex::decode_to_slice(value.as_str().unwrap(), &mut bytes).unwrap();
    bytes
}

fn published(bytes: [u8; 16], start: IntervalNumber, period: RollingPeriod) -> PublishedKey {
    let key = DiagnosisKey::new(bytes, start, period, DiagnosisKeyDetails::default());
    PublishedKey { list: KeyList::New, key }
}

#[test]
fn every_identifier_of_the_independent_vectors_is_found() {
    let vectors: Value = serde_json::from_str(VECTORS).unwrap();
    let mut checked = 0;
    for case in vectors["cases"].as_array().unwrap() {
        for advertised in case["advertised"].as_array().unwrap() {
            let number = u32::try_from(advertised["interval"].as_u64().unwrap()).unwrap();
            let interval = IntervalNumber::new(number);
            if number == u32::MAX {
                continue; // No key is valid in the last interval.
            }
            let identifier = RollingProximityIdentifier::from_bytes(bytes(&advertised["rpi"]));
            let heard: SightingIndex =
                [sighting(identifier, interval.start())].into_iter().collect();
            let key = published(bytes(&case["tek"]), interval, RollingPeriod::new(1).unwrap());
            for instructions in InstructionSet::ALL.into_iter().filter(|set| set.is_available()) {
                for strategy in
                    [Strategy::Automatic, Strategy::Encrypt, Strategy::Decrypt, Strategy::Plain]
                {
                    let mut matcher = Matcher::new(&heard, MatchingRules::default())
                        .with_instructions(instructions)
                        .with_strategy(strategy);
                    matcher.check(key, Timestamp::MAX);
                    let report = matcher.finish();
                    assert_eq!(report.matches.len(), 1, "{number}, {instructions}, {strategy:?}");
                    assert_eq!(report.matches[0].identifiers[0].interval, interval);
                    checked += 1;
                }
            }
        }
    }
    assert!(checked >= 28 * 8 * 4, "{checked}");
}

/// Every hundredth key of a million has a byte too few; each is counted, and all others match.
#[test]
fn a_million_keys_of_which_ten_thousand_are_bad() {
    const KEYS: u32 = 1_000_000;
    const BAD: u32 = 10_000;
    let random = &mut Random::new(5);
    let mut contacts = Vec::new();
    let mut sightings: Vec<Sighting> = Vec::new();
    let mut good = Vec::with_capacity(KEYS as usize);
    for number in 0..KEYS - BAD {
        let start = IntervalNumber::new((18_354 + number % 14) * 144);
        let key = published(random.bytes(), start, RollingPeriod::DAY).key;
        if number % 10_000 == 7 {
            let interval = start.checked_add(random.below(144)).unwrap();
            let identifier = key.identifier_key().identifier(interval);
            sightings.push(sighting(identifier, interval.start()));
            contacts.push(key);
        }
        good.push(key);
    }
    let written = ExportWriter::new().keys(good).export_bin().unwrap();
    // A bad key behind every ninety-ninth: fifteen bytes of key data, and a start.
    let mut file = written[..16].to_vec();
    let mut rest = &written[16..];
    let mut places = 0;
    while let [0x3a, length, ..] = *rest {
        let (key, behind) = rest.split_at(2 + usize::from(length));
        file.extend_from_slice(key);
        rest = behind;
        places += 1;
        if places % 99 == 0 {
            file.extend_from_slice(&[0x3a, 19, 0x0a, 15]);
            file.extend_from_slice(&random.bytes::<15>());
            file.extend_from_slice(&[0x18, 5]);
        }
    }
    assert!(rest.is_empty());

    let export = KeyExport::from_files(&file, None, Limits::DEFAULT);
    let export = export.accept_without_signature().unwrap();
    let heard: SightingIndex = sightings.into_iter().collect();
    let mut matcher = Matcher::new(&heard, MatchingRules::default());
    let mut keys = export.keys().unwrap();
    for key in &mut keys {
        matcher.check(key.unwrap(), Timestamp::MAX);
    }
    let held = matcher.memory_bytes();
    assert!(held < 24 << 20, "{held} bytes");
    assert_eq!(keys.report().skipped(), u64::from(BAD));
    assert_eq!(keys.report().delivered(), u64::from(KEYS - BAD));
    let report = matcher.finish();
    let mut matched: Vec<_> = report.matches.iter().map(|matched| matched.published.key).collect();
    matched.sort_unstable();
    contacts.sort_unstable();
    assert_eq!(matched, contacts);
}
