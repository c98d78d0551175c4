//! Whose signatures count.

use core::fmt;

use p256::ecdsa::signature::hazmat::PrehashVerifier;
use p256::ecdsa::{Signature, VerifyingKey};
use p256::pkcs8::DecodePublicKey;
use thiserror::Error;

use super::error::excerpt;

/// What names a verification key: an id, often the region's MCC, and a version.
///
/// A key server changes the version with every new key, so both count (Google key-file verifier).
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct KeyIdentity {
    /// `verification_key_id`.
    pub id: String,
    /// `verification_key_version`.
    pub version: String,
}

impl KeyIdentity {
    /// The identity with this id and version.
    #[must_use]
    pub fn new(id: impl Into<String>, version: impl Into<String>) -> Self {
        Self { id: id.into(), version: version.into() }
    }

    /// Whether it names nothing.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.id.is_empty() && self.version.is_empty()
    }
}

impl fmt::Display for KeyIdentity {
    /// `id-version`, cut to what fits in a line, since it may come from an untrusted file.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.is_empty() {
            return f.write_str("an unnamed key");
        }
        let text = format!("{}-{}", excerpt(&self.id), excerpt(&self.version));
        write!(f, "{}", text.escape_debug())
    }
}

/// A text or bytes that are no P-256 key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum KeyError {
    /// Not the PEM of a P-256 `SubjectPublicKeyInfo`.
    #[error("this is not the PEM of a P-256 public key")]
    PublicKeyPem,
    /// Not the base64 of a P-256 `SubjectPublicKeyInfo`.
    #[error("this is not the base64 of a P-256 public key")]
    PublicKeyBase64,
    /// Not the 65 bytes of an uncompressed point on P-256.
    #[error("this is not an uncompressed point on P-256")]
    PublicKeyPoint,
    /// Not the PEM of a P-256 private key.
    #[error("this is not the PEM of a P-256 private key")]
    PrivateKeyPem,
    /// Zero, or not smaller than the order of the curve.
    #[error("this number is no P-256 private key")]
    PrivateKeyScalar,
    /// A co-sign set without members, which any file would satisfy.
    #[error("a co-sign set without members would be satisfied by every file")]
    EmptyCosignSet,
}

/// A verification key and what names it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TrustedKey {
    identity: KeyIdentity,
    key: VerifyingKey,
}

impl TrustedKey {
    /// From PEM: `-----BEGIN PUBLIC KEY-----`.
    ///
    /// # Errors
    /// [`KeyError::PublicKeyPem`].
    pub fn from_pem(identity: KeyIdentity, pem: &str) -> Result<Self, KeyError> {
        let key = VerifyingKey::from_public_key_pem(pem.trim());
        Ok(Self { identity, key: key.map_err(|_| KeyError::PublicKeyPem)? })
    }

    /// From the base64 between the lines of a PEM, as app configurations carry it. White space
    /// does not matter.
    ///
    /// # Errors
    /// [`KeyError::PublicKeyBase64`].
    pub fn from_base64(identity: KeyIdentity, base64: &str) -> Result<Self, KeyError> {
        // PEM allows 64 characters a line; a P-256 key has 124.
        let mut pem = String::from("-----BEGIN PUBLIC KEY-----");
        for (place, character) in base64.chars().filter(|c| !c.is_whitespace()).enumerate() {
            if place % 64 == 0 {
                pem.push('\n');
            }
            pem.push(character);
        }
        pem.push_str("\n-----END PUBLIC KEY-----\n");
        Self::from_pem(identity, &pem).map_err(|_| KeyError::PublicKeyBase64)
    }

    /// From an uncompressed SEC 1 point, 65 bytes that start with 4.
    ///
    /// # Errors
    /// [`KeyError::PublicKeyPoint`].
    pub fn from_sec1_bytes(identity: KeyIdentity, point: &[u8]) -> Result<Self, KeyError> {
        if point.len() != 65 {
            return Err(KeyError::PublicKeyPoint);
        }
        let key = VerifyingKey::from_sec1_bytes(point).map_err(|_| KeyError::PublicKeyPoint)?;
        Ok(Self { identity, key })
    }

    pub(super) const fn from_verifying_key(identity: KeyIdentity, key: VerifyingKey) -> Self {
        Self { identity, key }
    }

    /// What names the key.
    #[must_use]
    pub const fn identity(&self) -> &KeyIdentity {
        &self.identity
    }

    /// The uncompressed SEC 1 point, 65 bytes.
    #[must_use]
    pub fn to_sec1_bytes(&self) -> Vec<u8> {
        self.key.to_sec1_point(false).as_bytes().to_vec()
    }

    pub(super) const fn verifying_key(&self) -> &VerifyingKey {
        &self.key
    }
}

/// The verification keys of a region, in co-sign sets.
///
/// A file is good if all members of any one set have signed it. By default every key is a set of
/// its own. Without any key nothing verifies.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TrustedKeys {
    sets: Vec<Vec<TrustedKey>>,
}

impl TrustedKeys {
    /// Nobody.
    #[must_use]
    pub const fn new() -> Self {
        Self { sets: Vec::new() }
    }

    /// Adds a key whose signature suffices alone.
    pub fn add(&mut self, key: TrustedKey) {
        self.sets.push(vec![key]);
    }

    /// Adds keys whose signatures suffice together.
    ///
    /// # Errors
    /// [`KeyError::EmptyCosignSet`] for no keys.
    pub fn add_cosign_set(
        &mut self,
        keys: impl IntoIterator<Item = TrustedKey>,
    ) -> Result<(), KeyError> {
        let set: Vec<_> = keys.into_iter().collect();
        if set.is_empty() {
            return Err(KeyError::EmptyCosignSet);
        }
        self.sets.push(set);
        Ok(())
    }

    /// How many keys, or sets of keys that sign together.
    #[must_use]
    pub const fn len(&self) -> usize {
        self.sets.len()
    }

    /// Whether nobody is trusted.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.sets.is_empty()
    }

    /// Whether `signature`, in DER, is one over `digest` of a key named `identity` that suffices
    /// alone.
    pub(crate) fn has_signed(
        &self,
        identity: &KeyIdentity,
        digest: &[u8; 32],
        signature: &[u8],
    ) -> bool {
        let Ok(signature) = Signature::from_der(signature) else { return false };
        let mut alone = self.sets.iter().filter_map(|set| match set.as_slice() {
            [key] if key.identity() == identity => Some(key),
            _ => None,
        });
        alone.any(|key| key.verifying_key().verify_prehash(digest, &signature).is_ok())
    }

    pub(super) fn sets(&self) -> impl Iterator<Item = &[TrustedKey]> {
        self.sets.iter().map(Vec::as_slice)
    }

    /// All keys; one that is in several sets occurs several times.
    pub(super) fn keys(&self) -> impl Iterator<Item = &TrustedKey> {
        self.sets.iter().flatten()
    }

    /// The key, if there is but one.
    pub(super) fn only_key(&self) -> Option<&TrustedKey> {
        let first = self.keys().next()?;
        self.keys().all(|key| key == first).then_some(first)
    }
}

impl From<TrustedKey> for TrustedKeys {
    fn from(key: TrustedKey) -> Self {
        Self { sets: vec![vec![key]] }
    }
}

impl FromIterator<TrustedKey> for TrustedKeys {
    /// Keys each of which suffices alone.
    fn from_iter<I: IntoIterator<Item = TrustedKey>>(keys: I) -> Self {
        Self { sets: keys.into_iter().map(|key| vec![key]).collect() }
    }
}
