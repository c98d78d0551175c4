//! The private keys of a key server.

use core::fmt;

use p256::SecretKey;
use p256::ecdsa::signature::hazmat::PrehashSigner;
use p256::ecdsa::{DerSignature, Signature};

use super::trust::{KeyError, KeyIdentity, TrustedKey};

/// A private key that signs exports, and what names it. `Debug` shows the name only.
///
/// Signatures are deterministic (RFC 6979): the same key and file give the same bytes.
#[derive(Clone)]
pub struct SigningKey {
    identity: KeyIdentity,
    key: p256::ecdsa::SigningKey,
}

impl SigningKey {
    /// From PEM, PKCS #8 (`PRIVATE KEY`) or SEC 1 (`EC PRIVATE KEY`).
    ///
    /// # Errors
    /// [`KeyError::PrivateKeyPem`].
    pub fn from_pem(identity: KeyIdentity, pem: &str) -> Result<Self, KeyError> {
        let key = SecretKey::from_pem(pem.trim()).map_err(|_| KeyError::PrivateKeyPem)?;
        Ok(Self { identity, key: key.into() })
    }

    /// From the private number itself, big-endian; how a simulation makes keys from its seed.
    ///
    /// # Errors
    /// [`KeyError::PrivateKeyScalar`] for zero and for numbers that are too large.
    pub fn from_scalar(identity: KeyIdentity, scalar: &[u8; 32]) -> Result<Self, KeyError> {
        let key = p256::ecdsa::SigningKey::from_slice(scalar);
        Ok(Self { identity, key: key.map_err(|_| KeyError::PrivateKeyScalar)? })
    }

    /// What names the key.
    #[must_use]
    pub const fn identity(&self) -> &KeyIdentity {
        &self.identity
    }

    /// The public half, for those who verify.
    #[must_use]
    pub fn trusted_key(&self) -> TrustedKey {
        TrustedKey::from_verifying_key(self.identity.clone(), *self.key.verifying_key())
    }

    /// Signs a SHA-256; the signature is in DER. `None` would take a nonce that RFC 6979 finds
    /// with a probability of 2^-256.
    pub(crate) fn sign_digest(&self, digest: &[u8; 32]) -> Option<DerSignature> {
        let signature: Signature = self.key.sign_prehash(digest).ok()?;
        Some(signature.to_der())
    }
}

impl fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SigningKey").field("identity", &self.identity).finish_non_exhaustive()
    }
}
