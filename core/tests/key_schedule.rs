//! Identifiers and metadata against an independent implementation (see `vectors/SOURCES.md`).

#![allow(clippy::unwrap_used, reason = "a test may fail by panicking")]

use chikaku_core::keys::{RollingProximityIdentifier, TemporaryExposureKey};
use chikaku_core::metadata::BluetoothMetadata;
use chikaku_core::time::{IntervalNumber, RollingPeriod};
use serde_json::Value;

const VECTORS: &str = include_str!("vectors/key_schedule.json");

fn bytes<const N: usize>(value: &Value) -> [u8; N] {
    let mut bytes = [0; N];
    hex::decode_to_slice(value.as_str().unwrap(), &mut bytes).unwrap();
    bytes
}

fn interval(value: &Value) -> IntervalNumber {
    IntervalNumber::new(u32::try_from(value.as_u64().unwrap()).unwrap())
}

#[test]
fn every_identifier_and_metadata_of_the_independent_vectors() {
    let vectors: Value = serde_json::from_str(VECTORS).unwrap();
    let mut checked = 0;
    for case in vectors["cases"].as_array().unwrap() {
        let start = IntervalNumber::new(0);
        let key = TemporaryExposureKey::from_stored(bytes(&case["tek"]), start, RollingPeriod::DAY);
        let metadata = BluetoothMetadata::from_bytes(bytes(&case["metadata"])).unwrap();
        for advertised in case["advertised"].as_array().unwrap() {
            let identifier = key.identifier_key().identifier(interval(&advertised["interval"]));
            assert_eq!(identifier.as_bytes(), &bytes(&advertised["rpi"]));
            let encrypted = key.metadata_key().encrypt(&identifier, metadata);
            assert_eq!(encrypted.as_bytes(), &bytes(&advertised["aem"]));
            let decrypted = key.metadata_key().decrypt(&identifier, encrypted);
            assert_eq!(decrypted, metadata.to_bytes());
            checked += 1;
        }
    }
    assert_eq!(checked, 28 * 9);
}

#[test]
fn many_identifiers_at_once_are_the_same_as_one_by_one() {
    let start = IntervalNumber::new(u32::MAX - 3);
    let key = TemporaryExposureKey::from_stored([7; 16], start, RollingPeriod::DAY);
    let nothing = RollingProximityIdentifier::from_bytes([0; 16]);
    let mut identifiers = [nothing; 6];
    key.identifier_key().identifiers_into(start, &mut identifiers);
    for (number, identifier) in (start.get()..=u32::MAX).zip(&identifiers) {
        let alone = key.identifier_key().identifier(IntervalNumber::new(number));
        assert_eq!(alone.as_bytes(), identifier.as_bytes());
    }
    // Past the last interval there is no identifier, and nothing wraps round to the first.
    assert_eq!(identifiers[4..], [nothing; 2]);
}
