//! Signatures: who signed, whether that suffices, and what is said if not.

mod export_support;

use chikaku_core::export::{
    Batch, ExportError, ExportWriter, KeyError, KeyExport, KeyIdentity, Limits, TrustedKey,
    TrustedKeys,
};
use export_support::{
    OID, Signer, chunk, info, number, packed, refusal, sig, signature, signer, small_bin, verify,
};

fn identity(id: &str, version: &str) -> KeyIdentity {
    KeyIdentity::new(id, version)
}

/// The small export with these signatures, announced as they come.
fn signed_by(signers: &[&Signer]) -> Vec<u8> {
    let infos: Vec<_> = signers.iter().map(|signer| signer.info()).collect();
    let bin = small_bin(&infos);
    let signatures: Vec<_> = signers.iter().map(|signer| signer.signature(&bin)).collect();
    packed(&bin, &sig(&signatures))
}

/// The small export with one signature message, made from the bytes that it signs.
fn with_signature(make: impl Fn(&[u8]) -> Vec<u8>) -> Vec<u8> {
    let bin = small_bin(&[info("440", "v1", OID)]);
    packed(&bin, &sig(&[make(&bin)]))
}

#[test]
fn no_trusted_key_is_an_error() {
    let zip = signed_by(&[&signer("440", "v1", 7)]);
    assert_eq!(refusal(&zip, &TrustedKeys::new()), ExportError::NoTrustedKey);
}

#[test]
fn empty_list_is_an_error() {
    let trusted = signer("440", "v1", 7).trusted();
    let zip = packed(&small_bin(&[]), b"");
    assert_eq!(refusal(&zip, &trusted), ExportError::EmptySignatureList);
    let later_field = chunk(9, "of a later version");
    let zip = packed(&small_bin(&[]), &later_field);
    assert_eq!(refusal(&zip, &trusted), ExportError::EmptySignatureList);
}

#[test]
fn list_that_is_none() {
    let trusted = signer("440", "v1", 7).trusted();
    for bytes in [&b"\x0a\x05"[..], b"\x08\x01", b"\xff\xff\xff", &sig(&[chunk(1, "x")])[..3]] {
        let zip = packed(&small_bin(&[]), bytes);
        assert_eq!(refusal(&zip, &trusted), ExportError::MalformedSignatureList);
    }
}

#[test]
fn id_and_version_both_count() {
    let zip = signed_by(&[&signer("440", "v1", 7)]);
    let unknown = refusal(&zip, &signer("441", "v1", 7).trusted());
    assert_eq!(unknown, ExportError::UnknownKeyId { id: "440".into() });
    let version = refusal(&zip, &signer("440", "v2", 7).trusted());
    let expected = ExportError::WrongKeyVersion { id: "440".into(), version: "v1".into() };
    assert_eq!(version, expected);
    let key = refusal(&zip, &signer("440", "v1", 8).trusted());
    assert_eq!(key, ExportError::SignatureMismatch { key: identity("440", "v1") });
}

#[test]
fn algorithms() {
    let signer = signer("440", "v1", 7);
    let with =
        |oid: &str| with_signature(|bin| signature(&info("440", "v1", oid), &signer.der(bin)));
    verify(&with(""), &signer.trusted()).unwrap();
    verify(&with(OID), &signer.trusted()).unwrap();
    for oid in ["1.2.840.10045.4.3.4", "1.2.840.10045.4.3.2.1", "ecdsa"] {
        let error = refusal(&with(oid), &signer.trusted());
        assert_eq!(error, ExportError::UnsupportedAlgorithm { oid: oid.into() });
    }
    let without =
        |bin: &[u8]| signature(&[chunk(3, "v1"), chunk(4, "440")].concat(), &signer.der(bin));
    verify(&with_signature(without), &signer.trusted()).unwrap();
}

#[test]
fn forms_of_the_signature() {
    let signer = signer("440", "v1", 7);
    let with = |bytes: &[u8]| {
        refusal(&with_signature(|_| signature(&signer.info(), bytes)), &signer.trusted())
    };
    let key = identity("440", "v1");
    assert_eq!(with(&[0x42; 64]), ExportError::RawSignature { key: key.clone() });
    let der = signer.der(b"another message");
    assert_eq!(with(&der), ExportError::SignatureMismatch { key: key.clone() });
    for malformed in [
        &b""[..],
        b"\x30\x00",
        &[0x42; 63],
        &[0x42; 65],
        &der[..der.len() - 1],
        &[&der[..], &[0]].concat(),
        b"\x30\x06\x02\x01\x00\x02\x01\x00",
    ] {
        assert_eq!(with(malformed), ExportError::MalformedSignature { key: key.clone() });
    }
    let absent = with_signature(|_| [chunk(1, signer.info()), number(2, 1), number(3, 1)].concat());
    assert_eq!(refusal(&absent, &signer.trusted()), ExportError::MalformedSignature { key });
}

#[test]
fn signature_of_anything_else_does_not_match() {
    let signer = signer("440", "v1", 7);
    let mismatch = ExportError::SignatureMismatch { key: identity("440", "v1") };
    let bin = small_bin(&[signer.info()]);
    let signatures = sig(&[signer.signature(&bin)]);
    // The header is signed too.
    let headless = sig(&[signature(&signer.info(), &signer.der(&bin[16..]))]);
    assert_eq!(refusal(&packed(&bin, &headless), &signer.trusted()), mismatch);
    let mut flipped = bin;
    let last = flipped.len() - 3;
    flipped[last] ^= 1;
    assert_eq!(refusal(&packed(&flipped, &signatures), &signer.trusted()), mismatch);
}

#[test]
fn batch_of_the_signature_is_that_of_the_file() {
    let signer = signer("440", "v1", 7);
    let batch = |fields: &[Vec<u8>]| {
        let fields = fields.concat();
        with_signature(|bin| {
            [chunk(1, signer.info()), fields.clone(), chunk(4, signer.der(bin))].concat()
        })
    };
    verify(&batch(&[number(2, 1), number(3, 1)]), &signer.trusted()).unwrap();
    verify(&batch(&[number(2, 1)]), &signer.trusted()).unwrap();
    verify(&batch(&[]), &signer.trusted()).unwrap();
    for fields in [
        &[number(3, 1)][..],
        &[number(2, 1), number(3, 2)],
        &[number(2, 2), number(3, 2)],
        &[number(2, 0), number(3, 1)],
        &[number(2, -1), number(3, -1)],
    ] {
        let key = identity("440", "v1");
        let error = refusal(&batch(fields), &signer.trusted());
        assert_eq!(error, ExportError::BatchMismatch { key });
    }
}

#[test]
fn unnamed_signature_needs_a_single_key_and_a_single_signature() {
    let (one, two) = (signer("440", "v1", 7), signer("441", "v1", 8));
    let unnamed = |bin: &[u8]| signature(&chunk(5, OID), &one.der(bin));
    let zip = with_signature(unnamed);
    verify(&zip, &one.trusted()).unwrap();
    let without_info = |bin: &[u8]| [number(2, 1), number(3, 1), chunk(4, one.der(bin))].concat();
    verify(&with_signature(without_info), &one.trusted()).unwrap();

    // The same key alone and in a set is one key.
    let mut same = one.trusted();
    same.add_cosign_set([one.key.trusted_key()]).unwrap();
    verify(&zip, &same).unwrap();

    let both: TrustedKeys = [one.key.trusted_key(), two.key.trusted_key()].into_iter().collect();
    assert_eq!(refusal(&zip, &both), ExportError::SignatureWithoutKey);

    let infos = [info("", "", OID), info("", "", OID)];
    let bin = small_bin(&infos);
    let zip = packed(&bin, &sig(&[unnamed(&bin), unnamed(&bin)]));
    assert_eq!(refusal(&zip, &one.trusted()), ExportError::SignatureWithoutKey);
    // Half a name is a name, and nobody's.
    let half = with_signature(|bin| signature(&info("440", "", OID), &one.der(bin)));
    assert!(matches!(refusal(&half, &one.trusted()), ExportError::WrongKeyVersion { .. }));
}

#[test]
fn one_good_signature_suffices_among_others() {
    let (old, new, foreign) =
        (signer("440", "v1", 7), signer("440", "v2", 8), signer("310", "v1", 9));
    let zip = signed_by(&[&new, &old]);
    verify(&zip, &old.trusted()).unwrap();
    verify(&zip, &new.trusted()).unwrap();
    for signers in [[&foreign, &new], [&new, &foreign]] {
        verify(&signed_by(&signers), &new.trusted()).unwrap();
    }
    let bin = small_bin(&[old.info(), new.info()]);
    let spoilt = sig(&[signature(&old.info(), &[0x42; 64]), new.signature(&bin)]);
    let both: TrustedKeys = [old.key.trusted_key(), new.key.trusted_key()].into_iter().collect();
    let zip = packed(&bin, &spoilt);
    let export = KeyExport::from_zip(&zip, Limits::DEFAULT).unwrap().verify(&both).unwrap();
    assert_eq!(export.signed_by(), [identity("440", "v2")]);
    // Of two failures the one that came closer is told.
    let key = identity("440", "v1");
    assert_eq!(refusal(&zip, &old.trusted()), ExportError::RawSignature { key });
}

#[test]
fn cosign_sets() {
    let keys = [signer("a", "1", 7), signer("b", "1", 8), signer("c", "1", 9)];
    let [a, b, c] = &keys;
    let set = |members: &[&Signer]| members.iter().map(|s| s.key.trusted_key()).collect::<Vec<_>>();
    let mut trusted = TrustedKeys::new();
    trusted.add_cosign_set(set(&[a, b])).unwrap();
    trusted.add_cosign_set(set(&[b, c])).unwrap();

    for good in [&[a, b][..], &[b, a], &[c, b], &[a, b, c]] {
        verify(&signed_by(good), &trusted).unwrap();
    }
    let incomplete = |signers: &[&Signer]| match refusal(&signed_by(signers), &trusted) {
        ExportError::CosignIncomplete { missing } => missing.id,
        other => panic!("{other}"),
    };
    assert_eq!(incomplete(&[a]), "b");
    assert_eq!(incomplete(&[c]), "b");
    assert_eq!(incomplete(&[a, c]), "b");
    assert_eq!(incomplete(&[a, a]), "b");
    assert!(["a", "c"].contains(&incomplete(&[b]).as_str()));

    // A member that signed something else spoils the set, and is told.
    let bin = small_bin(&[a.info(), b.info()]);
    let zip = packed(&bin, &sig(&[a.signature(&bin), b.signature(b"else")]));
    let key = identity("b", "1");
    assert_eq!(refusal(&zip, &trusted), ExportError::SignatureMismatch { key });
    assert_eq!(TrustedKeys::new().add_cosign_set([]), Err(KeyError::EmptyCosignSet));
}

#[test]
fn signatures_are_as_many_as_announced() {
    let signer = signer("440", "v1", 7);
    let with = |announced: usize, found: usize| {
        let bin = small_bin(&vec![signer.info(); announced]);
        packed(&bin, &sig(&vec![signer.signature(&bin); found]))
    };
    for (announced, found) in [(0, 1), (2, 1), (1, 2)] {
        let error = refusal(&with(announced, found), &signer.trusted());
        assert_eq!(error, ExportError::SignatureCount { announced, found });
    }
    let limit = Limits::DEFAULT.signatures;
    verify(&with(limit, limit), &signer.trusted()).unwrap();
    let error = refusal(&with(limit, limit + 1), &signer.trusted());
    assert_eq!(error, ExportError::TooManySignatures { entry: "export.sig", limit });
    let error = refusal(&with(limit + 1, limit), &signer.trusted());
    assert_eq!(error, ExportError::TooManySignatures { entry: "export.bin", limit });
}

#[test]
fn ring_accepts_what_we_sign_over_the_bytes_with_their_header() {
    let signers = [signer("440", "v1", 7), signer("440", "v2", 8)];
    let mut writer = ExportWriter::new().batch(Batch::SINGLE);
    for signer in &signers {
        writer = writer.signed_with(signer.key.clone());
    }
    let written = writer.write().unwrap();
    // The list: each signature ends with its DER, a SEQUENCE behind the tag of field 4.
    let mut rest = written.export_sig.as_slice();
    for signer in &signers {
        let length = usize::from(rest[1]);
        let message = &rest[2..2 + length];
        let start = message.windows(3).position(|w| w[0] == 0x22 && w[2] == 0x30).unwrap();
        let der = &message[start + 2..];
        let point = signer.key.trusted_key().to_sec1_bytes();
        let algorithm = &ring::signature::ECDSA_P256_SHA256_ASN1;
        let public = ring::signature::UnparsedPublicKey::new(algorithm, point);
        public.verify(&written.export_bin, der).unwrap();
        public.verify(&written.export_bin[16..], der).unwrap_err();
        rest = &rest[2 + length..];
    }
    assert!(rest.is_empty());
}

#[test]
fn public_keys_in_three_forms() {
    const PEM: &str = include_str!("vectors/export_independent.pem");
    let name = || identity("440", "v7");
    let from_pem = TrustedKey::from_pem(name(), PEM).unwrap();
    let base64: String = PEM.lines().filter(|line| !line.starts_with('-')).collect();
    assert_eq!(TrustedKey::from_base64(name(), &base64).unwrap(), from_pem);
    assert_eq!(TrustedKey::from_base64(name(), &format!(" {base64}\n")).unwrap(), from_pem);
    let point = from_pem.to_sec1_bytes();
    assert_eq!(TrustedKey::from_sec1_bytes(name(), &point).unwrap(), from_pem);

    for bad in ["", PEM, "AAAA", "!"] {
        assert_eq!(TrustedKey::from_base64(name(), bad).unwrap_err(), KeyError::PublicKeyBase64);
    }
    for bad in ["", &base64, &PEM.replace("PUBLIC", "PRIVATE")] {
        assert_eq!(TrustedKey::from_pem(name(), bad).unwrap_err(), KeyError::PublicKeyPem);
    }
    let mut off_curve = point.clone();
    off_curve[64] ^= 1;
    for bad in [&[][..], &point[1..], &off_curve, &[0]] {
        let error = TrustedKey::from_sec1_bytes(name(), bad).unwrap_err();
        assert_eq!(error, KeyError::PublicKeyPoint);
    }
}
