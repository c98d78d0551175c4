//! What is written is what is read.

#![allow(clippy::unwrap_used, reason = "a test, though not inside a test function")]

mod export_support;

use chikaku_core::diagnosis_key::{DaysSinceOnset, DiagnosisKey, DiagnosisKeyDetails, ReportType};
use chikaku_core::export::{
    Batch, ExportWriter, KeyError, KeyIdentity, KeyList, PublishedKey, SigningKey, WriteError,
};
use chikaku_core::time::{IntervalNumber, RollingPeriod, Timestamp};
use export_support::{key, signer, verify};
use proptest::prelude::*;

/// The key of the scalar 0707…07, as other software writes it.
const PKCS8: &str = "-----BEGIN PRIVATE KEY-----
MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgBwcHBwcHBwcHBwcH
BwcHBwcHBwcHBwcHBwcHBwcHBwehRANCAAQeGFMv1HVMAvMEHZx1zrM7g//YGsfO
T+iCzLHJi8WJbqRsMRxOL/QN2Wo2U+bkVEXTLf5Ibs7XXHqQxqGIgcCj
-----END PRIVATE KEY-----
";
const SEC1: &str = "-----BEGIN EC PRIVATE KEY-----
MHcCAQEEIAcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHoAoGCCqGSM49
AwEHoUQDQgAEHhhTL9R1TALzBB2cdc6zO4P/2BrHzk/ogsyxyYvFiW6kbDEcTi/0
DdlqNlPm5FRF0y3+SG7O11x6kMahiIHAow==
-----END EC PRIVATE KEY-----
";

/// The files of one small export, computed by another implementation (Python `cryptography`,
/// deterministic ECDSA).
const BIN: &str = "\
    454b204578706f7274207631202020200900105e5f000000001140485e5f000000001a024a5020012801321e1a\
    02763122033434302a13312e322e3834302e31303034352e342e332e323a1a0a10010101010101010101010101\
    0101010118a0dca201209001";
const SIG: &str = "\
    0a6d0a1e1a02763122033434302a13312e322e3834302e31303034352e342e332e321001180122473045022100\
    dc5c54e2dbe1c5ff3e3c55a0c017508bec9738f1fde20eff6e8c9caebbaf803702201f5b4994a10e91669dc7e8\
    62498d7163c92749c562faf3c930c5f837be890e61";

fn time(seconds: i64) -> Timestamp {
    Timestamp::from_unix_seconds(seconds).unwrap()
}

fn any_details() -> impl Strategy<Value = DiagnosisKeyDetails> {
    let report_type = prop::option::of((1..=5).prop_map(|n| ReportType::from_wire(n).unwrap()));
    let days = prop::option::of((-14..=14).prop_map(|n| DaysSinceOnset::new(n).unwrap()));
    let risk = prop::option::of(0..=8_u8);
    (risk, report_type, days, prop::option::of(any::<bool>())).prop_map(
        |(transmission_risk_level, report_type, days_since_onset, variant_of_concern)| {
            DiagnosisKeyDetails {
                transmission_risk_level,
                report_type,
                days_since_onset,
                variant_of_concern,
            }
        },
    )
}

fn any_key() -> impl Strategy<Value = DiagnosisKey> {
    (any::<[u8; 16]>(), 0..=i32::MAX as u32, 1..=144_u32, any_details()).prop_map(
        |(bytes, start, period, details)| {
            let period = RollingPeriod::new(period).unwrap();
            DiagnosisKey::new(bytes, IntervalNumber::new(start), period, details)
        },
    )
}

fn listed(keys: &[DiagnosisKey], list: KeyList) -> Vec<PublishedKey> {
    let mut keys: Vec<_> = keys.iter().map(|key| PublishedKey::new(*key, list)).collect();
    keys.sort_unstable();
    keys
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn every_field_survives(
        new in prop::collection::vec(any_key(), 0..40),
        revised in prop::collection::vec(any_key(), 0..10),
        window in prop::option::of((0..2_000_000_000_i64, 0..2_000_000_000_i64)),
        region in prop::option::of("\\PC{0,20}"),
        batch in prop::option::of((1..50).prop_flat_map(|size| (1..=size, Just(size)))),
        (id, version) in ("[a-z0-9.]{1,20}", "[a-z0-9]{0,5}"),
    ) {
        let signer = signer(&id, &version, 7);
        let mut writer = ExportWriter::new()
            .keys(new.iter().copied())
            .revised_keys(revised.iter().copied())
            .signed_with(signer.key.clone());
        if let Some((start, end)) = window {
            writer = writer.window(time(start), time(end));
        }
        if let Some(region) = &region {
            writer = writer.region(region.clone());
        }
        let batch = batch.map(|(number, size)| Batch::new(number, size).unwrap());
        if let Some(batch) = batch {
            writer = writer.batch(batch);
        }
        let written = writer.write().unwrap();
        let (metadata, keys, report) = verify(&written.zip, &signer.trusted()).unwrap();

        prop_assert_eq!(metadata.start, window.map(|(start, _)| time(start)));
        prop_assert_eq!(metadata.end, window.map(|(_, end)| time(end)));
        prop_assert_eq!(metadata.region, region);
        prop_assert_eq!(metadata.batch, batch);
        prop_assert_eq!(metadata.digest, written.digest);
        prop_assert_eq!(metadata.signature_infos.len(), 1);
        prop_assert_eq!(&metadata.signature_infos[0].key, &KeyIdentity::new(id, version));
        prop_assert_eq!(report.skipped(), 0);
        let expected = [listed(&new, KeyList::New), listed(&revised, KeyList::Revised)].concat();
        prop_assert_eq!(keys, expected);
    }
}

#[test]
fn the_order_of_the_input_does_not_show() {
    let details = DiagnosisKeyDetails::default();
    let writer = || ExportWriter::new().signed_with(signer("440", "v1", 7).key);
    let keys: Vec<_> = (0..200).map(|seed| key(seed, details)).collect();
    let forwards = writer().keys(keys.clone()).write().unwrap();
    let backwards = writer().keys(keys.into_iter().rev()).write().unwrap();
    assert_eq!(forwards, backwards);
    assert_eq!(forwards, writer().keys((0..200).map(|s| key(s, details))).write().unwrap());
}

/// A simulation repeats itself byte for byte, from one version to the next. The archive is left
/// out, for its compression is another crate's.
#[test]
fn the_bytes_of_a_written_export_stay_the_same() {
    let writer = ExportWriter::new()
        .window(time(1_600_000_000), time(1_600_014_400))
        .region("JP")
        .batch(Batch::SINGLE)
        .keys([key(1, DiagnosisKeyDetails::default())])
        .signed_with(signer("440", "v1", 7).key);
    let written = writer.write().unwrap();
    assert_eq!(hex::encode(&written.export_bin), BIN);
    assert_eq!(hex::encode(&written.export_sig), SIG);
    assert_eq!(written, writer.write().unwrap());
}

#[test]
fn an_export_needs_a_signer_and_times_that_fit() {
    assert_eq!(ExportWriter::new().write(), Err(WriteError::NoSigningKey));
    let start = IntervalNumber::new(i32::MAX as u32 + 1);
    let late = DiagnosisKey::new([1; 16], start, RollingPeriod::DAY, Default::default());
    let writer = ExportWriter::new().keys([late]).signed_with(signer("440", "v1", 7).key);
    assert_eq!(writer.write(), Err(WriteError::RollingStart));
    assert_eq!(writer.export_bin(), Err(WriteError::RollingStart));
}

#[test]
fn private_keys_from_both_kinds_of_pem() {
    let name = || KeyIdentity::new("440", "v1");
    let expected = signer("440", "v1", 7).key.trusted_key();
    let pkcs8 = SigningKey::from_pem(name(), PKCS8).unwrap();
    assert_eq!(pkcs8.trusted_key(), expected);
    let sec1 = SigningKey::from_pem(name(), SEC1).unwrap();
    assert_eq!(sec1.trusted_key(), expected);
    let bad = PKCS8.replace("Bwc", "Cwc");
    for bad in ["", "secret", &bad, &PKCS8.replace("PRIVATE", "PUBLIC")] {
        assert_eq!(SigningKey::from_pem(name(), bad).unwrap_err(), KeyError::PrivateKeyPem);
    }
    for scalar in [[0; 32], [0xff; 32]] {
        let error = SigningKey::from_scalar(name(), &scalar).unwrap_err();
        assert_eq!(error, KeyError::PrivateKeyScalar);
    }
    let printed = format!("{pkcs8:?}");
    assert!(printed.contains("440") && !printed.contains("07"), "{printed}");
    assert!(!printed.contains("7, 7") && printed.ends_with(".. }"), "{printed}");
}
