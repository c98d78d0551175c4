//! Keys and sealing: ChaCha20-Poly1305 with a random nonce, through `ring`.
//!
//! ChaCha20 rather than AES, because it is as fast on a phone without AES instructions. A data key
//! seals at most some thousand records a day, far from where random nonces of 96 bits collide.

use core::fmt;

use ring::aead::{Aad, CHACHA20_POLY1305, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use ring::digest;
use ring::hkdf::{self, HKDF_SHA256, Salt};
use ring::rand::{SecureRandom, SystemRandom};
use thiserror::Error;
use zeroize::{Zeroize, ZeroizeOnDrop};

/// The system gave no randomness.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("the operating system gave no random numbers")]
pub struct NoRandomness;

/// Bytes of the nonce at the front of what is sealed.
pub(crate) const NONCE: usize = NONCE_LEN;

/// What was opened is not what was sealed, or not under this key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Unauthentic;

pub(crate) fn random<const N: usize>() -> Result<[u8; N], NoRandomness> {
    let mut bytes = [0; N];
    SystemRandom::new().fill(&mut bytes).map_err(|_| NoRandomness)?;
    Ok(bytes)
}

/// The first half of SHA-256: tells torn and damaged bytes from whole ones. Secrets and
/// authenticity are the seal's business.
pub(crate) fn checksum(parts: &[&[u8]]) -> [u8; 16] {
    let mut sum = Checksum::new();
    parts.iter().for_each(|part| sum.add(part));
    sum.finish()
}

/// A [`checksum`] in the making.
pub(crate) struct Checksum(digest::Context);

impl Checksum {
    pub(crate) fn new() -> Self {
        Self(digest::Context::new(&digest::SHA256))
    }

    pub(crate) fn add(&mut self, part: &[u8]) {
        self.0.update(part);
    }

    pub(crate) fn finish(self) -> [u8; 16] {
        let mut sum = [0; 16];
        sum.iter_mut().zip(self.0.finish().as_ref()).for_each(|(to, from)| *to = *from);
        sum
    }
}

/// The host's key, under which all others are sealed: 32 bytes that Android Keystore, iOS
/// Keychain or a file for the owner alone keeps. Zeroized on drop, never shown.
#[derive(Clone, Zeroize, ZeroizeOnDrop)]
pub struct RootKey([u8; 32]);

impl RootKey {
    /// A new key.
    ///
    /// # Errors
    /// [`NoRandomness`].
    pub fn generate() -> Result<Self, NoRandomness> {
        random().map(Self)
    }

    /// The key that the host kept.
    #[must_use]
    pub const fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// The key itself, for the host to keep.
    #[must_use]
    pub const fn secret_bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// The key that seals the list of data keys.
    pub(crate) fn wrapping_key(&self) -> DataKey {
        DataKey(self.derive(b"chikaku log: data keys"))
    }

    /// Tells this root key from others without saying anything about it.
    pub(crate) fn fingerprint(&self) -> [u8; 16] {
        self.derive(b"chikaku log: fingerprint")
    }

    fn derive<const N: usize>(&self, purpose: &[u8]) -> [u8; N] {
        let mut derived = [0; N];
        Salt::new(HKDF_SHA256, b"chikaku log 1")
            .extract(&self.0)
            .expand(&[purpose], Length(N))
            .and_then(|okm| okm.fill(&mut derived))
            .expect("a few bytes are within HKDF's limit of 255 hashes");
        derived
    }
}

impl fmt::Debug for RootKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("RootKey(..)")
    }
}

struct Length(usize);

impl hkdf::KeyType for Length {
    fn len(&self) -> usize {
        self.0
    }
}

/// A key that seals records. Zeroized on drop, never shown.
#[derive(Clone, Zeroize, ZeroizeOnDrop)]
pub(crate) struct DataKey([u8; 32]);

impl DataKey {
    pub(crate) fn generate() -> Result<Self, NoRandomness> {
        random().map(Self)
    }

    pub(crate) const fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    pub(crate) const fn secret_bytes(&self) -> &[u8; 32] {
        &self.0
    }

    fn cipher(&self) -> LessSafeKey {
        let key = UnboundKey::new(&CHACHA20_POLY1305, &self.0);
        LessSafeKey::new(key.expect("the key has the algorithm's 32 bytes"))
    }

    /// `nonce ‖ ciphertext ‖ tag`; `place` is authenticated and not stored.
    pub(crate) fn seal(&self, place: &[u8], plain: &[u8]) -> Result<Vec<u8>, NoRandomness> {
        let nonce: [u8; NONCE_LEN] = random()?;
        let mut sealed = Vec::with_capacity(NONCE_LEN + plain.len() + CHACHA20_POLY1305.tag_len());
        sealed.extend_from_slice(&nonce);
        let mut body = plain.to_vec();
        self.cipher()
            .seal_in_place_append_tag(
                Nonce::assume_unique_for_key(nonce),
                Aad::from(place),
                &mut body,
            )
            .expect("the record is far shorter than ChaCha20's limit of 256 GiB");
        sealed.append(&mut body);
        Ok(sealed)
    }

    /// What was sealed at `place`.
    pub(crate) fn open(&self, place: &[u8], sealed: &[u8]) -> Result<Vec<u8>, Unauthentic> {
        let (nonce, body) = sealed.split_first_chunk::<NONCE_LEN>().ok_or(Unauthentic)?;
        let mut body = body.to_vec();
        let plain = self
            .cipher()
            .open_in_place(Nonce::assume_unique_for_key(*nonce), Aad::from(place), &mut body)
            .map_err(|_| Unauthentic)?
            .len();
        body.truncate(plain);
        Ok(body)
    }
}

impl fmt::Debug for DataKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("DataKey(..)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_sealed_opens_only_in_its_place_and_under_its_key() {
        let key = DataKey::generate().unwrap();
        let sealed = key.seal(b"here", b"secret").unwrap();
        assert_eq!(key.open(b"here", &sealed).unwrap(), b"secret");
        assert_eq!(key.open(b"there", &sealed), Err(Unauthentic));
        assert_eq!(DataKey::generate().unwrap().open(b"here", &sealed), Err(Unauthentic));
        for length in 0..sealed.len() {
            assert_eq!(key.open(b"here", &sealed[..length]), Err(Unauthentic));
        }
        assert_ne!(key.seal(b"here", b"secret").unwrap(), sealed);
    }

    #[test]
    fn no_key_shows_itself() {
        assert_eq!(format!("{:?}", RootKey::from_bytes([7; 32])), "RootKey(..)");
        assert_eq!(format!("{:?}", DataKey::from_bytes([7; 32])), "DataKey(..)");
    }
}
