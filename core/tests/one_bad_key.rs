//! One bad key in a file of a thousand: the phone that heard the other 999 finds them all.

#![allow(clippy::unwrap_used, reason = "a test may fail by panicking")]

mod export_support;

use chikaku_core::advertisement::Advertisement;
use chikaku_core::diagnosis_key::{DiagnosisKey, DiagnosisKeyDetails};
use chikaku_core::keys::AssociatedEncryptedMetadata;
use chikaku_core::matching::{Matcher, MatchingRules, SightingIndex};
use chikaku_core::sighting::Sighting;
use chikaku_core::time::{IntervalNumber, RollingPeriod};
use export_support::{bin, chunk, number, packed, sig, signer, verify};

const START: IntervalNumber = IntervalNumber::new(2_666_016);

fn key_bytes(number: u16) -> [u8; 16] {
    let mut bytes = [0; 16];
    bytes[..2].copy_from_slice(&number.to_be_bytes());
    bytes
}

fn sighting_of(number: u16) -> Sighting {
    let details = DiagnosisKeyDetails::default();
    let key = DiagnosisKey::new(key_bytes(number), START, RollingPeriod::DAY, details);
    Sighting {
        heard_at: START.start(),
        previous_scan_ended: None,
        rssi: None,
        advertisement: Advertisement {
            identifier: key.identifier_key().identifier(START),
            metadata: AssociatedEncryptedMetadata::from_bytes([0; 4]),
        },
        stamp: None,
    }
}

#[test]
fn nine_hundred_and_ninety_nine_are_matched() {
    let bad_key = 500;
    let heard: SightingIndex = (0..1000).map(sighting_of).collect();
    let signer = signer("440", "v1", 7);
    let mut fields: Vec<_> = (0..1000)
        .map(|key| {
            let period = if key == bad_key { 0 } else { 144 };
            let start = number(3, i64::from(START.get()));
            let message = [chunk(1, key_bytes(key)), start, number(4, period)].concat();
            chunk(7, message)
        })
        .collect();
    fields.push(chunk(6, signer.info()));
    let bin = bin(&fields);
    let zip = packed(&bin, &sig(&[signer.signature(&bin)]));
    let (_, keys, report) = verify(&zip, &signer.trusted()).unwrap();
    assert_eq!(report.skipped(), 1);

    let mut matcher = Matcher::new(&heard, MatchingRules::default());
    keys.into_iter().for_each(|key| matcher.check(key, None));
    let matches = matcher.finish().matches;
    assert_eq!(matches.len(), 999);
    let missed = key_bytes(bad_key);
    assert!(matches.iter().all(|matched| *matched.published.key.as_bytes() != missed));
}
