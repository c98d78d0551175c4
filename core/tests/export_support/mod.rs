//! Key exports made by hand, so that they can be wrong in every way.

#![allow(dead_code, unreachable_pub, missing_docs, reason = "each test takes what it needs")]
#![allow(
    clippy::unwrap_used,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    clippy::cast_possible_wrap,
    reason = "this is a test, though not inside a test function"
)]

use chikaku_core::diagnosis_key::{DiagnosisKey, DiagnosisKeyDetails};
use chikaku_core::export::{
    ExportError, KeyExport, KeyIdentity, KeyReport, Limits, Metadata, PublishedKey, SigningKey,
    TrustedKeys,
};
use chikaku_core::time::{IntervalNumber, RollingPeriod};
use ring::rand::SystemRandom;
use ring::signature::{ECDSA_P256_SHA256_ASN1_SIGNING, EcdsaKeyPair};

pub const HEADER: &[u8; 16] = b"EK Export v1    ";
pub const OID: &str = "1.2.840.10045.4.3.2";

// Protobuf.

pub fn varint(mut number: u64) -> Vec<u8> {
    let mut out = Vec::new();
    while number > 0x7f {
        out.push((number & 0x7f) as u8 | 0x80);
        number >>= 7;
    }
    out.push(number as u8);
    out
}

pub fn number(field: u64, value: i64) -> Vec<u8> {
    [varint(field << 3), varint(value as u64)].concat()
}

pub fn fixed64(field: u64, value: u64) -> Vec<u8> {
    [varint(field << 3 | 1), value.to_le_bytes().to_vec()].concat()
}

pub fn chunk(field: u64, value: impl AsRef<[u8]>) -> Vec<u8> {
    let value = value.as_ref();
    [varint(field << 3 | 2), varint(value.len() as u64), value.to_vec()].concat()
}

/// A good key message whose bytes follow from `seed`.
pub fn key_message(seed: u8) -> Vec<u8> {
    [chunk(1, [seed; 16]), number(2, 3), number(3, 2_666_016), number(4, 144)].concat()
}

/// A `SignatureInfo`.
pub fn info(id: &str, version: &str, oid: &str) -> Vec<u8> {
    [chunk(3, version), chunk(4, id), chunk(5, oid)].concat()
}

pub fn bin(body: &[Vec<u8>]) -> Vec<u8> {
    [HEADER.to_vec(), body.concat()].concat()
}

/// A whole small export.bin, batch 1 of 1, that announces these signatures.
pub fn small_bin(infos: &[Vec<u8>]) -> Vec<u8> {
    let mut body = vec![fixed64(1, 1_600_000_000), fixed64(2, 1_600_014_400), chunk(3, "JP")];
    body.extend([number(4, 1), number(5, 1)]);
    body.extend(infos.iter().map(|info| chunk(6, info)));
    body.extend([chunk(7, key_message(1)), chunk(7, key_message(2)), chunk(8, key_message(3))]);
    bin(&body)
}

/// A `TEKSignature` of batch 1 of 1.
pub fn signature(info: &[u8], bytes: &[u8]) -> Vec<u8> {
    [chunk(1, info), number(2, 1), number(3, 1), chunk(4, bytes)].concat()
}

pub fn sig(signatures: &[Vec<u8>]) -> Vec<u8> {
    signatures.iter().flat_map(|signature| chunk(1, signature)).collect()
}

// Signing, by another implementation than the one under test.

/// A key pair that follows from `seed`.
pub struct Signer {
    pub key: SigningKey,
    pair: EcdsaKeyPair,
}

pub fn signer(id: &str, version: &str, seed: u8) -> Signer {
    let scalar = [seed; 32];
    let key = SigningKey::from_scalar(KeyIdentity::new(id, version), &scalar).unwrap();
    let pair = EcdsaKeyPair::from_private_key_and_public_key(
        &ECDSA_P256_SHA256_ASN1_SIGNING,
        &scalar,
        &key.trusted_key().to_sec1_bytes(),
        &SystemRandom::new(),
    );
    Signer { key, pair: pair.unwrap() }
}

impl Signer {
    pub fn der(&self, message: &[u8]) -> Vec<u8> {
        self.pair.sign(&SystemRandom::new(), message).unwrap().as_ref().to_vec()
    }

    pub fn info(&self) -> Vec<u8> {
        info(&self.key.identity().id, &self.key.identity().version, OID)
    }

    pub fn signature(&self, bin: &[u8]) -> Vec<u8> {
        signature(&self.info(), &self.der(bin))
    }

    pub fn trusted(&self) -> TrustedKeys {
        self.key.trusted_key().into()
    }
}

// Zip.

/// An entry as its two headers describe it, true or not.
#[derive(Clone)]
pub struct ZipEntry {
    pub name: Vec<u8>,
    pub method: u16,
    pub flags: u16,
    pub data: Vec<u8>,
    pub crc: u32,
    pub size: u32,
}

pub fn stored(name: &str, data: &[u8]) -> ZipEntry {
    let mut crc = flate2::Crc::new();
    crc.update(data);
    let (name, data) = (name.as_bytes().to_vec(), data.to_vec());
    ZipEntry { name, method: 0, flags: 0, size: data.len() as u32, data, crc: crc.sum() }
}

pub fn deflated(name: &str, data: &[u8]) -> ZipEntry {
    use std::io::Write;
    let mut encoder =
        flate2::write::DeflateEncoder::new(Vec::new(), flate2::Compression::default());
    encoder.write_all(data).unwrap();
    ZipEntry { method: 8, data: encoder.finish().unwrap(), ..stored(name, data) }
}

pub fn zip(entries: &[ZipEntry]) -> Vec<u8> {
    let mut out = Vec::new();
    let mut directory = Vec::new();
    for entry in entries {
        let mut common = Vec::new();
        for short in [20, entry.flags, entry.method, 0, 0x21] {
            common.extend(short.to_le_bytes());
        }
        for long in [entry.crc, entry.data.len() as u32, entry.size] {
            common.extend(long.to_le_bytes());
        }
        common.extend((entry.name.len() as u16).to_le_bytes());
        common.extend([0; 2]);
        directory.extend(b"PK\x01\x02\x14\x00");
        directory.extend(&common);
        directory.extend([0; 10]);
        directory.extend((out.len() as u32).to_le_bytes());
        directory.extend(&entry.name);
        out.extend(b"PK\x03\x04");
        out.extend(&common);
        out.extend(&entry.name);
        out.extend(&entry.data);
    }
    let start = out.len() as u32;
    let length = directory.len() as u32;
    out.extend(directory);
    out.extend(b"PK\x05\x06\0\0\0\0");
    out.extend([(entries.len() as u16).to_le_bytes(); 2].concat());
    out.extend([length.to_le_bytes(), start.to_le_bytes()].concat());
    out.extend([0; 2]);
    out
}

pub fn packed(bin: &[u8], sig: &[u8]) -> Vec<u8> {
    zip(&[deflated("export.bin", bin), stored("export.sig", sig)])
}

// Reading.

pub type Contents = (Metadata, Vec<PublishedKey>, KeyReport);

pub fn verify(zip: &[u8], trusted: &TrustedKeys) -> Result<Contents, ExportError> {
    let export = KeyExport::from_zip(zip, Limits::DEFAULT)?.verify(trusted)?;
    let mut keys = export.keys()?;
    let found = (&mut keys).collect::<Result<_, _>>()?;
    Ok((export.metadata().clone(), found, keys.into_report()))
}

pub fn refusal(zip: &[u8], trusted: &TrustedKeys) -> ExportError {
    verify(zip, trusted).unwrap_err()
}

pub fn read_bin(bin: &[u8]) -> Result<Contents, ExportError> {
    read_bin_within(bin, Limits::DEFAULT)
}

pub fn read_bin_within(bin: &[u8], limits: Limits) -> Result<Contents, ExportError> {
    let export = KeyExport::from_files(bin, None, limits).accept_without_signature()?;
    let mut keys = export.keys()?;
    let found = (&mut keys).collect::<Result<_, _>>()?;
    Ok((export.metadata().clone(), found, keys.into_report()))
}

pub fn key(seed: u8, details: DiagnosisKeyDetails) -> DiagnosisKey {
    DiagnosisKey::new([seed; 16], IntervalNumber::new(2_666_016), RollingPeriod::DAY, details)
}
