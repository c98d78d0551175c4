//! export.bin: framing, field order, limits.

mod export_support;

use chikaku_core::export::{Batch, BatchError, ExportError, KeyList, Limits};
use export_support::{
    HEADER, OID, bin, chunk, fixed64, info, key_message, number, packed, read_bin, read_bin_within,
    refusal, sig, signer, small_bin, varint,
};

fn refused(bin: &[u8]) -> ExportError {
    read_bin(bin).expect_err("this must be refused")
}

#[test]
fn headers() {
    let body = chunk(7, key_message(1));
    for other in [&b"PK\x03\x04 something else"[..], b"EK Import v1    ", b"x", &[0; 40]] {
        assert_eq!(refused(other), ExportError::NotAnExport);
    }
    for length in 0..16 {
        let error = refused(&HEADER[..length]);
        assert_eq!(error, ExportError::TruncatedExport { what: "the header", offset: 0 });
    }
    for (header, version) in
        [(b"EK Export v2    ", "2"), (b"EK Export v1\n   ", "1"), (b"EK Export v10   ", "10")]
    {
        let error = refused(&[&header[..], &body].concat());
        assert_eq!(error, ExportError::UnsupportedHeaderVersion { version: version.into() });
    }
    // Cut off in the midst of another version's header.
    assert_eq!(refused(b"EK Export v2"), ExportError::NotAnExport);
}

#[test]
fn an_empty_export_is_an_export() {
    let (metadata, keys, report) = read_bin(HEADER).unwrap();
    assert_eq!((metadata.start, metadata.end, metadata.region), (None, None, None));
    assert_eq!((metadata.batch, metadata.signature_infos.len()), (None, 0));
    assert_eq!((keys.len(), report.delivered(), report.skipped()), (0, 0, 0));
}

#[test]
fn every_truncation_is_an_error_or_falls_between_fields() {
    let signer = signer("440", "v1", 7);
    let whole = small_bin(&[signer.info()]);
    let sig = sig(&[signer.signature(&whole)]);
    let mut between = Vec::new();
    for length in 0..whole.len() {
        let cut = &whole[..length];
        match read_bin(cut) {
            Ok(_) => between.push(length),
            Err(ExportError::TruncatedExport { offset, .. }) => assert!(offset <= length as u64),
            Err(other) => panic!("{length} bytes: {other}"),
        }
        // With the signature no cut goes unnoticed, wherever it falls.
        let error = refusal(&packed(cut, &sig), &signer.trusted());
        assert!(
            matches!(
                error,
                ExportError::TruncatedExport { .. }
                    | ExportError::InvalidBatch(_)
                    | ExportError::SignatureCount { .. }
                    | ExportError::BatchMismatch { .. }
                    | ExportError::SignatureMismatch { .. }
            ),
            "{length} bytes: {error}"
        );
    }
    // Behind the header, the two times, the region, the batch number (whose size then is 1), the
    // batch size, the signature info and two of the three keys.
    assert_eq!(between.len(), 9);
}

#[test]
fn the_offset_of_a_truncation_is_that_of_its_field() {
    let bin = bin(&[chunk(3, "JP"), chunk(7, key_message(1))]);
    let cut = &bin[..bin.len() - 1];
    assert_eq!(refused(cut), ExportError::TruncatedExport { what: "a field", offset: 20 });
    let cut = &bin[..17];
    assert_eq!(refused(cut), ExportError::TruncatedExport { what: "a length", offset: 16 });
}

#[test]
fn any_order_gives_the_same_contents() {
    let mut fields = vec![
        fixed64(1, 1_600_000_000),
        fixed64(2, 1_600_014_400),
        chunk(3, "JP"),
        number(4, 2),
        number(5, 3),
        chunk(6, info("440", "v1", OID)),
        chunk(7, key_message(1)),
        chunk(8, key_message(2)),
        chunk(99, [0xff; 50_000]),
    ];
    let contents = |fields: &[Vec<u8>]| {
        let (metadata, mut keys, _) = read_bin(&bin(fields)).unwrap();
        keys.sort_unstable();
        let batch = metadata.batch.unwrap();
        let infos = metadata.signature_infos;
        let times = (metadata.start, metadata.end);
        (times, metadata.region, batch.number(), batch.size(), infos, keys)
    };
    let expected = contents(&fields);
    assert_eq!((expected.2, expected.3, expected.5.len()), (2, 3, 2));
    for _ in 0..fields.len() {
        fields.rotate_left(1);
        assert_eq!(contents(&fields), expected);
        fields.swap(0, 4);
        assert_eq!(contents(&fields), expected);
    }
}

#[test]
fn the_last_of_a_repeated_single_field_counts() {
    let fields = [chunk(3, "US"), number(4, 9), chunk(3, "JP"), number(4, 1), number(5, 1)];
    let (metadata, _, _) = read_bin(&bin(&fields)).unwrap();
    assert_eq!((metadata.region.as_deref(), metadata.batch), (Some("JP"), Some(Batch::SINGLE)));
}

#[test]
fn unknown_fields_of_every_wire_type_are_skipped() {
    let fields = [
        number(9, i64::MIN),
        fixed64(10, u64::MAX),
        chunk(11, [0; 100_000]),
        [varint(12 << 3 | 5), vec![0; 4]].concat(),
        chunk((1 << 29) - 1, ""),
        chunk(7, [key_message(1), chunk(77, "new"), number(7, 1)].concat()),
    ];
    let (metadata, keys, report) = read_bin(&bin(&fields)).unwrap();
    assert_eq!((metadata.key_count, keys.len(), report.skipped()), (1, 1, 0));
    assert_eq!(keys[0].list, KeyList::New);
}

#[test]
fn malformed_fields_name_their_number_and_offset() {
    let good = chunk(3, "JP");
    let offset = 16 + good.len() as u64;
    let too_long = [vec![0x80; 9], vec![2]].concat();
    for (field, bytes) in [
        (0, vec![0]),
        (0, varint(1 << 32)),
        (0, varint(u64::MAX)),
        (0, too_long.clone()),
        (0, vec![0x80; 20]),
        (1, number(1, 5)),
        (3, number(3, 5)),
        (4, chunk(4, "")),
        (4, [vec![0x20], too_long].concat()),
        (7, number(7, 5)),
        (7, vec![7 << 3 | 3]),
        (9, vec![9 << 3 | 3]),
        (9, vec![9 << 3 | 4]),
        (9, vec![9 << 3 | 6]),
        (9, vec![9 << 3 | 7]),
        (6, chunk(6, [0xff])),
        (6, chunk(6, number(4, 1))),
        (6, chunk(6, chunk(4, [0xff]))),
        (3, chunk(3, [0xc3])),
    ] {
        match refused(&bin(&[good.clone(), bytes.clone()])) {
            ExportError::MalformedField { field: found, offset: at, .. } => {
                assert_eq!((found, at), (field, offset), "{bytes:02x?}");
            }
            other => panic!("{bytes:02x?}: {other}"),
        }
    }
}

#[test]
fn lengths_that_reach_past_the_end() {
    for length in [1_u64 << 31, 1 << 62, u64::MAX] {
        let unknown = [varint(99 << 3 | 2), varint(length)].concat();
        let error = refused(&bin(&[unknown]));
        assert_eq!(error, ExportError::TruncatedExport { what: "a field", offset: 16 });
        let key = [varint(7 << 3 | 2), varint(length)].concat();
        let limit = Limits::DEFAULT.message_bytes;
        assert_eq!(refused(&bin(&[key])), ExportError::MessageTooLong { limit, offset: 16 });
    }
}

#[test]
fn message_and_key_limits() {
    let key = key_message(1);
    let limits = Limits { message_bytes: key.len(), keys: 3, ..Limits::DEFAULT };
    let mut fields = vec![chunk(7, &key), chunk(8, &key), chunk(7, &key)];
    read_bin_within(&bin(&fields), limits).unwrap();
    let limits = Limits { message_bytes: key.len() - 1, ..limits };
    let error = read_bin_within(&bin(&fields), limits).unwrap_err();
    assert_eq!(error, ExportError::MessageTooLong { limit: key.len() - 1, offset: 16 });
    let limits = Limits { message_bytes: key.len(), ..limits };
    fields.push(chunk(8, &key));
    let error = read_bin_within(&bin(&fields), limits).unwrap_err();
    assert_eq!(error, ExportError::TooManyKeys { limit: 3 });
}

#[test]
fn batches() {
    let batch = |fields: &[Vec<u8>]| read_bin(&bin(fields)).map(|contents| contents.0.batch);
    assert_eq!(batch(&[]), Ok(None));
    assert_eq!(batch(&[number(5, 3), number(4, 2)]), Ok(Some(Batch::new(2, 3).unwrap())));
    assert_eq!(batch(&[number(4, 1)]), Ok(Some(Batch::SINGLE)));
    let missing = ExportError::InvalidBatch(BatchError::NumberMissing { size: 3 });
    assert_eq!(batch(&[number(5, 3)]), Err(missing));
    for (n, size) in [(0, 1), (0, 0), (2, 1), (-1, 1), (1, -1), (1, 0), (-2, -1)] {
        let range = BatchError::NumberOutOfRange { number: n, size };
        let fields = [number(4, i64::from(n)), number(5, i64::from(size))];
        assert_eq!(batch(&fields), Err(ExportError::InvalidBatch(range)));
        assert_eq!(Batch::new(n, size), Err(range));
    }
    let range = BatchError::NumberOutOfRange { number: 2, size: 1 };
    assert_eq!(batch(&[number(4, 2)]), Err(ExportError::InvalidBatch(range)));
}

#[test]
fn times_outside_the_range_are_no_times() {
    let times = |start, end| {
        let metadata = read_bin(&bin(&[fixed64(1, start), fixed64(2, end)])).unwrap().0;
        (metadata.start.map(|t| t.unix_seconds()), metadata.end.map(|t| t.unix_seconds()))
    };
    assert_eq!(times(0, 1), (Some(0), Some(1)));
    assert_eq!(times(u64::MAX, 1 << 63), (None, None));
    let last = i64::from(u32::MAX) * 600 + 599;
    assert_eq!(times(last.unsigned_abs(), last.unsigned_abs() + 1), (Some(last), None));
}
