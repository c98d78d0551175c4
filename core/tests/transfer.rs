//! Moving to a new phone: what was sealed arrives whole and to the right person, or not at all.

#![allow(clippy::unwrap_used, reason = "a test may fail by panicking")]

use core::convert::Infallible;

use chikaku_core::transfer::{
    LogSnapshot, LogSnapshotError, OpenError, TransferSecret, TransferSecretError, open, seal,
};
use hex::FromHex;
use proptest::prelude::*;
use rand_chacha::ChaCha20Rng;
use rand_chacha::rand_core::{SeedableRng, TryCryptoRng, TryRng};
use serde_json::Value;
use sha2::{Digest, Sha256};

const HEADER: usize = 49;
const CHUNK: usize = 65_536;

fn secret(byte: u8) -> TransferSecret {
    TransferSecret::from_bytes(&[byte; 16]).unwrap()
}

fn rng() -> ChaCha20Rng {
    ChaCha20Rng::from_seed([7; 32])
}

fn plaintext(length: usize) -> Vec<u8> {
    (0..length).map(|i| u8::try_from((i * 7 + i / 251) % 256).unwrap()).collect()
}

/// Hands out the bytes it was given, and no others.
struct Scripted(Vec<u8>);

impl TryRng for Scripted {
    type Error = Infallible;
    fn try_next_u32(&mut self) -> Result<u32, Infallible> {
        panic!("salt and nonce are filled as bytes")
    }
    fn try_next_u64(&mut self) -> Result<u64, Infallible> {
        panic!("salt and nonce are filled as bytes")
    }
    fn try_fill_bytes(&mut self, bytes: &mut [u8]) -> Result<(), Infallible> {
        let rest = self.0.split_off(bytes.len());
        bytes.copy_from_slice(&self.0);
        self.0 = rest;
        Ok(())
    }
}

impl TryCryptoRng for Scripted {}

#[test]
fn a_log_moves_to_the_new_phone() {
    let log = LogSnapshot::new(3, plaintext(200_000));
    let on_the_old_phone = TransferSecret::generate(&mut rng());
    let container = log.seal(&on_the_old_phone, &mut rng());

    let on_the_new_phone = TransferSecret::from_bytes(on_the_old_phone.secret_bytes()).unwrap();
    let arrived = LogSnapshot::open(&container, &on_the_new_phone).unwrap();
    assert_eq!((arrived.format(), arrived.payload()), (3, log.payload()));

    let foreign = LogSnapshot::open(&container, &secret(1));
    assert_eq!(foreign, Err(LogSnapshotError::Open(OpenError::WrongSecret)));
    let nothing = seal(&[1], &on_the_old_phone, &mut rng());
    let nothing = LogSnapshot::open(&nothing, &on_the_new_phone);
    assert_eq!(nothing, Err(LogSnapshotError::NotASnapshot(1)));
}

#[test]
fn containers_of_the_independent_implementation() {
    let vectors: Value = serde_json::from_str(include_str!("vectors/transfer.json")).unwrap();
    let cases = vectors.as_array().unwrap();
    assert_eq!(cases.len(), 9);
    for case in cases {
        let bytes = |name: &str| hex::decode(case[name].as_str().unwrap()).unwrap();
        let secret = TransferSecret::from_bytes(&bytes("secret")).unwrap();
        let length = usize::try_from(case["plaintext_length"].as_u64().unwrap()).unwrap();
        let plaintext = plaintext(length);
        let mut rng = Scripted([bytes("salt"), bytes("nonce_prefix")].concat());
        let sealed = seal(&plaintext, &secret, &mut rng);
        assert!(rng.0.is_empty());
        let digest: [u8; 32] = Sha256::digest(&sealed).into();
        let expected = case["container_sha256"].as_str().unwrap();
        assert_eq!(digest, <[u8; 32]>::from_hex(expected).unwrap(), "{length} bytes");
        if case["container"].is_string() {
            assert_eq!(sealed, bytes("container"));
            assert_eq!(*open(&bytes("container"), &secret).unwrap(), plaintext);
        }
        assert_eq!(*open(&sealed, &secret).unwrap(), plaintext);
    }
}

#[test]
fn every_changed_byte_is_noticed() {
    let sealed = seal(&plaintext(100), &secret(1), &mut rng());
    assert_eq!(sealed.len(), HEADER + 100 + 16);
    for at in 0..sealed.len() {
        let mut changed = sealed.clone();
        changed[at] ^= 0x10;
        let expected = match at {
            0..8 => OpenError::NotAContainer,
            8 => OpenError::Version(0x1001),
            9 => OpenError::Version(0x11),
            // The salt makes the check, so that either looks like another secret.
            10..42 => OpenError::WrongSecret,
            _ => OpenError::Damaged { chunk: 0 },
        };
        assert_eq!(open(&changed, &secret(1)), Err(expected), "byte {at}");
    }
}

#[test]
fn every_shortened_or_lengthened_container_is_noticed() {
    let sealed = seal(&plaintext(40), &secret(1), &mut rng());
    for length in 0..sealed.len() {
        let expected = match length {
            0..8 => OpenError::NotAContainer,
            8..65 => OpenError::TooShort(length),
            _ => OpenError::Damaged { chunk: 0 },
        };
        assert_eq!(open(&sealed[..length], &secret(1)), Err(expected));
    }
    for more in [&[0][..], &[0; 16], &sealed] {
        let longer = [&sealed, more].concat();
        assert_eq!(open(&longer, &secret(1)), Err(OpenError::Damaged { chunk: 0 }));
    }
}

#[test]
fn chunks_keep_their_number_and_their_order() {
    let sealed = seal(&plaintext(3 * CHUNK), &secret(1), &mut rng());
    let (header, chunks) = sealed.split_at(HEADER);
    let chunks: Vec<&[u8]> = chunks.chunks(CHUNK + 16).collect();
    let with = |order: &[usize]| {
        let chunks = order.iter().map(|number| chunks[*number]);
        let container = [header].into_iter().chain(chunks).collect::<Vec<_>>().concat();
        open(&container, &secret(1)).map(|opened| opened.len())
    };
    let damaged = |chunk| Err(OpenError::Damaged { chunk });
    assert_eq!(with(&[0, 1, 2]), Ok(3 * CHUNK));
    assert_eq!(with(&[0, 1]), damaged(1), "cut where a chunk ends");
    assert_eq!(with(&[0]), damaged(0));
    assert_eq!(with(&[]), Err(OpenError::TooShort(HEADER)));
    assert_eq!(with(&[1, 0, 2]), damaged(0));
    assert_eq!(with(&[0, 2]), damaged(1));
    assert_eq!(with(&[0, 1, 2, 2]), damaged(2), "lengthened by a chunk");
    assert_eq!(with(&[0, 0, 1, 2]), damaged(1));
    // Chunks of another container with the same secret.
    let other = seal(&plaintext(3 * CHUNK), &secret(1), &mut ChaCha20Rng::from_seed([8; 32]));
    let mixed = [&sealed[..HEADER + CHUNK + 16], &other[HEADER + CHUNK + 16..]].concat();
    assert_eq!(open(&mixed, &secret(1)), Err(OpenError::Damaged { chunk: 1 }));
}

#[test]
fn secrets_have_a_length_and_no_face() {
    for length in [0, 15, 65] {
        let refused = TransferSecret::from_bytes(&vec![1; length]).err();
        assert_eq!(refused, Some(TransferSecretError(length)));
    }
    let mut rng = rng();
    let (one, other) = (TransferSecret::generate(&mut rng), TransferSecret::generate(&mut rng));
    assert_eq!(one.secret_bytes().len(), TransferSecret::GENERATED_LENGTH);
    assert_ne!(one.secret_bytes(), other.secret_bytes());
    assert_eq!(format!("{one:?} {one:#?}"), "TransferSecret(..) TransferSecret(..)");
    let log = LogSnapshot::new(1, vec![0xc0; 4]);
    assert_eq!(format!("{log:?}"), "LogSnapshot { format: 1, bytes: 4, .. }");
    // No two containers of the same log look alike.
    assert_ne!(log.seal(&one, &mut rng), log.seal(&one, &mut rng));
}

proptest! {
    #[test]
    fn whatever_is_sealed_opens(
        payload in prop::collection::vec(any::<u8>(), 0..2000),
        chunks in 0_usize..3,
        bytes in prop::collection::vec(any::<u8>(), 16..=64),
        other in prop::collection::vec(any::<u8>(), 16..=64),
        seed: [u8; 32],
    ) {
        let payload = [vec![0x55; chunks * CHUNK], payload].concat();
        let secret = TransferSecret::from_bytes(&bytes).unwrap();
        let sealed = seal(&payload, &secret, &mut ChaCha20Rng::from_seed(seed));
        let tags = payload.len().div_ceil(CHUNK).max(1) * 16;
        prop_assert_eq!(sealed.len(), HEADER + payload.len() + tags);
        prop_assert_eq!(&*open(&sealed, &secret).unwrap(), &payload);
        let other_secret = TransferSecret::from_bytes(&other).unwrap();
        prop_assert_eq!(open(&sealed, &other_secret).is_ok(), bytes == other);
    }

    #[test]
    fn no_bytes_panic(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        prop_assert!(open(&bytes, &secret(1)).is_err());
        let after_magic = [&b"CHIKAKU\0\0\x01"[..], &bytes].concat();
        prop_assert!(open(&after_magic, &secret(1)).is_err());
    }
}
