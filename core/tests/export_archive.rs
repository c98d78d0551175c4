//! The zip archive around a key export: each way to be wrong has its own error.

mod export_support;

use chikaku_core::export::{ExportError, KeyExport, Limits, TrustedKeys};
use export_support::{
    HEADER, ZipEntry, deflated, packed, refusal, sig, signer, small_bin, stored, verify, zip,
};

fn good() -> (Vec<u8>, Vec<u8>, TrustedKeys) {
    let signer = signer("440", "v1", 7);
    let bin = small_bin(&[signer.info()]);
    let sig = sig(&[signer.signature(&bin)]);
    (bin, sig, signer.trusted())
}

fn refused(entries: &[ZipEntry]) -> ExportError {
    refusal(&zip(entries), &good().2)
}

#[test]
fn stored_and_deflated_in_either_order() {
    let (bin, sig, trusted) = good();
    for entries in [
        [stored("export.bin", &bin), stored("export.sig", &sig)],
        [deflated("export.sig", &sig), deflated("export.bin", &bin)],
    ] {
        let (metadata, keys, report) = verify(&zip(&entries), &trusted).unwrap();
        assert_eq!((metadata.key_count, metadata.revised_key_count), (2, 1));
        assert_eq!((keys.len(), report.delivered(), report.delivered_revised()), (3, 3, 1));
    }
}

#[test]
fn not_a_zip() {
    let trusted = good().2;
    for bytes in [&b""[..], b"hello", &[0; 100], HEADER] {
        assert_eq!(refusal(bytes, &trusted), ExportError::NotAZip);
    }
}

#[test]
fn every_truncation_of_the_archive_is_an_error() {
    let (bin, sig, trusted) = good();
    let zip = packed(&bin, &sig);
    for length in 0..zip.len() {
        let expected = if length < 4 { ExportError::NotAZip } else { ExportError::TruncatedZip };
        assert_eq!(refusal(&zip[..length], &trusted), expected, "{length} bytes");
    }
}

#[test]
fn every_flipped_bit_of_the_content_is_an_error() {
    let (bin, sig, trusted) = good();
    let zip = packed(&bin, &sig);
    let original = verify(&zip, &trusted).unwrap();
    for place in 0..zip.len() {
        for bit in 0..8 {
            let mut zip = zip.clone();
            zip[place] ^= 1 << bit;
            // A flip may hit what nobody reads, such as a time; then nothing else may change.
            if let Ok(contents) = verify(&zip, &trusted) {
                assert_eq!(contents, original, "bit {bit} of byte {place}");
            }
        }
    }
}

#[test]
fn missing_entries() {
    let (bin, sig, _) = good();
    let missing = |entry| ExportError::MissingEntry { entry };
    assert_eq!(refused(&[]), missing("export.bin"));
    assert_eq!(refused(&[stored("export.sig", &sig)]), missing("export.bin"));
    assert_eq!(refused(&[stored("export.bin", &bin)]), missing("export.sig"));
}

#[test]
fn duplicate_entries() {
    let (bin, sig, _) = good();
    let (bin, sig) = (stored("export.bin", &bin), stored("export.sig", &sig));
    let duplicate = |entry| ExportError::DuplicateEntry { entry };
    assert_eq!(refused(&[bin.clone(), sig.clone(), bin.clone()]), duplicate("export.bin"));
    assert_eq!(refused(&[sig.clone(), sig, bin]), duplicate("export.sig"));
}

#[test]
fn unsafe_and_unexpected_names() {
    let (bin, sig, _) = good();
    for name in [
        "../export.bin",
        "a/../../export.bin",
        "..\\export.bin",
        "/export.bin",
        "\\export.bin",
        "C:export.bin",
        "export.bin\0.txt",
        "..",
    ] {
        let entries =
            [stored("export.bin", &bin), stored("export.sig", &sig), stored(name, b"evil")];
        assert_eq!(refused(&entries), ExportError::UnsafeEntryName { name: name.into() });
    }
    for name in ["readme.txt", "export.bin/", "Export.bin", "./export.bin", "a/export.bin", ""] {
        let entries = [stored("export.bin", &bin), stored("export.sig", &sig), stored(name, b"")];
        assert_eq!(refused(&entries), ExportError::UnexpectedEntry { name: name.into() });
    }
    let long = "x".repeat(60_000);
    let error = refused(&[stored(&long, b"")]);
    assert_eq!(error, ExportError::UnexpectedEntry { name: "x".repeat(64) });
}

#[test]
fn too_many_entries() {
    let limit = Limits::DEFAULT.zip_entries;
    let many = vec![stored("x", b""); 17];
    assert_eq!(refused(&many), ExportError::TooManyEntries { limit });

    let (bin, sig, _) = good();
    let limits = Limits { zip_entries: 1, ..Limits::DEFAULT };
    let mut zip = packed(&bin, &sig);
    let error = KeyExport::from_zip(&zip, limits).unwrap_err();
    assert_eq!(error, ExportError::TooManyEntries { limit: 1 });

    // An archive that claims to hold one entry and holds two.
    let counts = zip.len() - 14;
    zip[counts..counts + 4].copy_from_slice(&[1, 0, 1, 0]);
    let error = KeyExport::from_zip(&zip, limits).unwrap_err();
    assert_eq!(error, ExportError::TooManyEntries { limit: 1 });
    let error = KeyExport::from_zip(&zip, Limits::DEFAULT).unwrap_err();
    assert!(matches!(error, ExportError::CorruptZip { .. }), "{error}");
}

#[test]
fn unsupported_compression_and_encryption() {
    let (bin, sig, _) = good();
    let sig = stored("export.sig", &sig);
    let bzip2 = ZipEntry { method: 12, ..stored("export.bin", &bin) };
    let error = refused(&[bzip2, sig.clone()]);
    let expected = ExportError::UnsupportedCompression { entry: "export.bin", method: 12 };
    assert_eq!(error, expected);
    for flags in [1, 1 << 6, 1 << 13] {
        let encrypted = ZipEntry { flags, ..stored("export.bin", &bin) };
        let error = refused(&[encrypted, sig.clone()]);
        assert_eq!(error, ExportError::EncryptedEntry { entry: "export.bin" });
    }
}

#[test]
fn checksum_and_size() {
    let (bin, sig, _) = good();
    let (bin, sig) = (deflated("export.bin", &bin), stored("export.sig", &sig));
    let crc = ZipEntry { crc: bin.crc ^ 1, ..bin.clone() };
    let error = refused(&[crc, sig.clone()]);
    assert_eq!(error, ExportError::CrcMismatch { entry: "export.bin" });
    let crc = ZipEntry { crc: sig.crc ^ 1, ..sig.clone() };
    let error = refused(&[bin.clone(), crc]);
    assert_eq!(error, ExportError::CrcMismatch { entry: "export.sig" });
    let size = ZipEntry { size: bin.size - 1, ..bin.clone() };
    assert!(matches!(refused(&[size, sig.clone()]), ExportError::CorruptZip { .. }));
    let mut rest = bin.clone();
    rest.data.push(0);
    assert!(matches!(refused(&[rest, sig.clone()]), ExportError::CorruptZip { .. }));
    for length in 0..bin.data.len() {
        let mut cut = bin.clone();
        cut.data.truncate(length);
        assert!(matches!(refused(&[cut, sig.clone()]), ExportError::CorruptZip { .. }));
    }
}

#[test]
fn header_that_contradicts_the_directory() {
    let (bin, sig, trusted) = good();
    let mut zip = packed(&bin, &sig);
    zip[30..40].copy_from_slice(b"import.bin");
    assert!(matches!(refusal(&zip, &trusted), ExportError::CorruptZip { .. }));
}

#[test]
fn a_bomb_stops_while_it_inflates() {
    let (_, sig, trusted) = good();
    // One unknown field of 256 MiB in 256 KiB, honestly declared and not.
    let mut bin = HEADER.to_vec();
    bin.extend([0x9a, 0x06, 0x80, 0x80, 0x80, 0x80, 0x01]);
    bin.resize(256 << 20, 0);
    let bomb = deflated("export.bin", &bin);
    assert!(bomb.data.len() < 512 << 10);
    let limit = Limits::DEFAULT.export_bin_bytes;
    for size in [bomb.size, 100] {
        let bomb = ZipEntry { size, ..bomb.clone() };
        let zip = zip(&[bomb, stored("export.sig", &sig)]);
        let error = refusal(&zip, &trusted);
        assert_eq!(error, ExportError::TooLarge { entry: "export.bin", limit });
    }
}

#[test]
fn sizes_at_and_over_the_limits() {
    let (bin, sig, trusted) = good();
    for pack in [stored, deflated] {
        let zip = zip(&[pack("export.bin", &bin), pack("export.sig", &sig)]);
        let limits = Limits {
            export_bin_bytes: bin.len() as u64,
            export_sig_bytes: sig.len() as u64,
            ..Limits::DEFAULT
        };
        let verify = |limits| KeyExport::from_zip(&zip, limits).unwrap().verify(&trusted);
        verify(limits).unwrap();
        let limit = bin.len() as u64 - 1;
        let error = verify(Limits { export_bin_bytes: limit, ..limits }).unwrap_err();
        assert_eq!(error, ExportError::TooLarge { entry: "export.bin", limit });
        let limit = sig.len() as u64 - 1;
        let error = verify(Limits { export_sig_bytes: limit, ..limits }).unwrap_err();
        assert_eq!(error, ExportError::TooLarge { entry: "export.sig", limit });
    }
}
