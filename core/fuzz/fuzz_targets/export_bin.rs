//! A bare export.bin. Every key is delivered or counted, and what was delivered survives being
//! written and read again.

#![no_main]

use std::sync::LazyLock;

use chikaku_core::export::{
    ExportWriter, KeyExport, KeyIdentity, KeyList, Limits, PublishedKey, SigningKey,
};
use libfuzzer_sys::fuzz_target;

static SIGNING_KEY: LazyLock<SigningKey> = LazyLock::new(|| {
    SigningKey::from_scalar(KeyIdentity::new("440", "v1"), &[7; 32]).expect("a valid scalar")
});

fuzz_target!(|data: &[u8]| {
    let export = KeyExport::from_files(data, None, Limits::DEFAULT);
    let Ok(export) = export.accept_without_signature() else { return };
    let mut keys = export.keys().expect("the header was read before");
    let mut found: Vec<PublishedKey> =
        (&mut keys).collect::<Result<_, _>>().expect("the fields were read before");
    let report = keys.into_report();
    let metadata = export.metadata();
    let count = metadata.key_count + metadata.revised_key_count;
    assert_eq!(report.delivered() + report.skipped(), count);
    assert_eq!(report.delivered(), found.len() as u64);

    let listed = |list| found.iter().filter(move |key| key.list == list).map(|key| key.key);
    let written = ExportWriter::new()
        .keys(listed(KeyList::New))
        .revised_keys(listed(KeyList::Revised))
        .signed_with(SIGNING_KEY.clone())
        .export_bin()
        .expect("these keys came from the format");
    let again = KeyExport::from_files(&written, None, Limits::DEFAULT);
    let again = again.accept_without_signature().expect("we wrote it");
    let read: Vec<_> = again.keys().expect("we wrote it").map(|key| key.expect("a key")).collect();
    found.sort_unstable_by_key(|key| (key.list, key.key));
    assert_eq!(read, found);
});
