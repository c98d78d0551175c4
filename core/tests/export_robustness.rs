//! No bytes make the reader panic, and none that were not signed come through.

#![allow(clippy::unwrap_used, reason = "a test, though not inside a test function")]

mod export_support;

use chikaku_core::export::{KeyExport, Limits};
use export_support::{
    HEADER, bin, chunk, key_message, number, packed, read_bin, read_bin_within, sig, signer,
    small_bin, verify,
};
use proptest::prelude::*;

/// Small caps, so that the checks behind them are reached.
const TIGHT: Limits = Limits {
    export_bin_bytes: 2_000,
    export_sig_bytes: 300,
    zip_entries: 3,
    keys: 5,
    message_bytes: 40,
    signatures: 2,
};

fn read_every_way(bytes: &[u8]) {
    let trusted = signer("440", "v1", 7).trusted();
    for limits in [Limits::DEFAULT, TIGHT] {
        if let Ok(export) = KeyExport::from_bytes(bytes, limits) {
            let _ = export.clone().verify(&trusted).map_err(|error| error.to_string());
            if let Ok(export) = export.accept_without_signature() {
                assert!(export.keys().unwrap().all(|key| key.is_ok()));
            }
        }
        let _ = KeyExport::from_files(bytes, Some(bytes), limits).verify(&trusted);
        let _ = read_bin_within(bytes, limits);
    }
}

fn any_field() -> impl Strategy<Value = Vec<u8>> {
    let bytes = prop::collection::vec(any::<u8>(), 0..60);
    prop_oneof![
        (1..12_u64, any::<i64>()).prop_map(|(field, value)| number(field, value)),
        (1..12_u64, bytes.clone()).prop_map(|(field, value)| chunk(field, value)),
        any::<u8>().prop_map(|seed| chunk(7, key_message(seed))),
        bytes,
    ]
}

proptest! {
    #[test]
    fn arbitrary_bytes(bytes in prop::collection::vec(any::<u8>(), 0..2_000)) {
        read_every_way(&bytes);
        read_every_way(&[HEADER.to_vec(), bytes].concat());
    }

    #[test]
    fn arbitrary_fields(fields in prop::collection::vec(any_field(), 0..30)) {
        let bin = bin(&fields);
        read_every_way(&bin);
        read_every_way(&packed(&bin, &fields.concat()));
    }

    #[test]
    fn mutated_exports_are_refused_or_unchanged(
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..8),
        cut in prop::option::of(any::<prop::sample::Index>()),
        grown in prop::collection::vec(any::<u8>(), 0..10),
    ) {
        let signer = signer("440", "v1", 7);
        let bin = small_bin(&[signer.info()]);
        let zip = packed(&bin, &sig(&[signer.signature(&bin)]));
        let original = verify(&zip, &signer.trusted()).unwrap();
        let mut mutated = zip;
        for (place, byte) in changes {
            let place = place.index(mutated.len());
            mutated[place] = byte;
        }
        if let Some(cut) = cut {
            mutated.truncate(cut.index(mutated.len()));
        }
        mutated.extend(grown);
        read_every_way(&mutated);
        if let Ok(contents) = verify(&mutated, &signer.trusted()) {
            prop_assert_eq!(contents, original);
        }
    }

    #[test]
    fn shuffled_fields_give_the_same_keys(
        order in Just((0..20_u8).collect::<Vec<_>>()).prop_shuffle(),
    ) {
        let field = |n: &u8| match n {
            0 => number(4, 1),
            1 => number(5, 1),
            2 => chunk(3, "JP"),
            3 => chunk(42, "unknown"),
            n if n % 3 == 0 => chunk(8, key_message(*n)),
            n => chunk(7, key_message(*n)),
        };
        let fields: Vec<_> = order.iter().map(field).collect();
        let (metadata, mut keys, _) = read_bin(&bin(&fields)).unwrap();
        keys.sort_unstable();
        let ordered: Vec<_> = (0..20).map(|n| field(&n)).collect();
        let (expected, mut expected_keys, _) = read_bin(&bin(&ordered)).unwrap();
        expected_keys.sort_unstable();
        prop_assert_eq!(keys, expected_keys);
        prop_assert_eq!((metadata.region, metadata.batch), (expected.region, expected.batch));
    }
}
