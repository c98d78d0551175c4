//! Keys and what is derived from them.
//!
//! A [`TemporaryExposureKey`] is a secret until its owner tests positive; a
//! [`DiagnosisKey`] is public. They are two types, and
//! [`TemporaryExposureKey::disclose`] is the only way from one to the other.
//!
//! Derivation, bit for bit (GAEN crypto spec 1.2):
//!
//! ```text
//! RPIK  = HKDF-SHA256(TEK, no salt, "EN-RPIK", 16)
//! AEMK  = HKDF-SHA256(TEK, no salt, "EN-AEMK", 16)
//! RPI_i = AES128(RPIK, "EN-RPI" ‖ 000000000000 ‖ little-endian u32 i)
//! AEM_i = AES128-CTR(AEMK, IV = RPI_i, metadata)
//! ```

use core::fmt;

use aes::Aes128;
use aes::cipher::{BlockCipherDecrypt, BlockCipherEncrypt, KeyInit};
use hkdf::Hkdf;
use rand_core::CryptoRng;
use sha2::Sha256;
use zeroize::{Zeroize, ZeroizeOnDrop};

use crate::diagnosis_key::{DiagnosisKey, DiagnosisKeyDetails};
use crate::metadata::BluetoothMetadata;
use crate::time::{IntervalNumber, RollingPeriod, UtcDay};

/// The identifier a phone broadcasts during one interval: 16 bytes.
///
/// `Debug` never shows the bytes.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RollingProximityIdentifier([u8; 16]);

impl RollingProximityIdentifier {
    /// An identifier as received.
    #[must_use]
    pub const fn from_bytes(bytes: [u8; 16]) -> Self {
        Self(bytes)
    }

    /// The sixteen bytes as sent.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; 16] {
        &self.0
    }
}

/// Four encrypted metadata bytes, as broadcast behind the identifier. `Debug` never shows them.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct AssociatedEncryptedMetadata([u8; 4]);

impl AssociatedEncryptedMetadata {
    /// Metadata as received.
    #[must_use]
    pub const fn from_bytes(bytes: [u8; 4]) -> Self {
        Self(bytes)
    }

    /// The four bytes as sent.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; 4] {
        &self.0
    }
}

/// The sixteen bytes of a key before anyone decides whether they are secret.
pub(crate) type KeyBytes = [u8; 16];

/// A phone's secret of (usually) one UTC day, from which its identifiers follow.
///
/// Zeroized on drop; neither `Copy` nor `PartialEq` nor printable.
#[derive(Clone, Zeroize, ZeroizeOnDrop)]
pub struct TemporaryExposureKey {
    bytes: KeyBytes,
    #[zeroize(skip)]
    rolling_start: IntervalNumber,
    #[zeroize(skip)]
    rolling_period: RollingPeriod,
}

impl TemporaryExposureKey {
    /// A new key for the whole of `day`, from the host's random number generator.
    #[must_use]
    pub fn generate_for_day(day: UtcDay, rng: &mut (impl CryptoRng + ?Sized)) -> Self {
        Self::generate(day.first_interval(), RollingPeriod::DAY, rng)
    }

    /// A new key for part of a day, after the day's first key was disclosed.
    #[must_use]
    pub fn generate(
        rolling_start: IntervalNumber,
        rolling_period: RollingPeriod,
        rng: &mut (impl CryptoRng + ?Sized),
    ) -> Self {
        let mut bytes = [0; 16];
        rng.fill_bytes(&mut bytes);
        Self { bytes, rolling_start, rolling_period }
    }

    /// A key that a store kept.
    #[must_use]
    pub const fn from_stored(
        bytes: KeyBytes,
        rolling_start: IntervalNumber,
        rolling_period: RollingPeriod,
    ) -> Self {
        Self { bytes, rolling_start, rolling_period }
    }

    /// The secret itself, for the store that seals it.
    #[must_use]
    pub const fn secret_bytes(&self) -> &KeyBytes {
        &self.bytes
    }

    /// The first interval in which the key is valid.
    #[must_use]
    pub const fn rolling_start(&self) -> IntervalNumber {
        self.rolling_start
    }

    /// For how many intervals it is valid.
    #[must_use]
    pub const fn rolling_period(&self) -> RollingPeriod {
        self.rolling_period
    }

    /// The first interval in which the key is no longer valid.
    #[must_use]
    pub fn rolling_end(&self) -> IntervalNumber {
        rolling_end(self.rolling_start, self.rolling_period)
    }

    /// Whether the key signs identifiers of `interval`.
    #[must_use]
    pub fn covers(&self, interval: IntervalNumber) -> bool {
        self.rolling_start <= interval && interval < self.rolling_end()
    }

    /// The same key, ending before `end`; `None` if nothing of it would remain.
    #[must_use]
    pub fn ended_before(&self, end: IntervalNumber) -> Option<Self> {
        let remaining = end.get().checked_sub(self.rolling_start.get())?;
        let rolling_period = RollingPeriod::new(remaining.min(self.rolling_period.intervals()));
        Some(Self { rolling_period: rolling_period.ok()?, ..self.clone() })
    }

    /// The key that makes identifiers.
    #[must_use]
    pub fn identifier_key(&self) -> RollingProximityIdentifierKey {
        RollingProximityIdentifierKey::derive(&self.bytes)
    }

    /// The key that encrypts metadata.
    #[must_use]
    pub fn metadata_key(&self) -> AssociatedEncryptedMetadataKey {
        AssociatedEncryptedMetadataKey::derive(&self.bytes)
    }

    /// Makes the secret public, as a diagnosis key. The caller holds the user's consent and makes
    /// sure that the key has ended or is ended first (`ended_before`).
    #[must_use]
    pub fn disclose(&self, details: DiagnosisKeyDetails) -> DiagnosisKey {
        DiagnosisKey::new(self.bytes, self.rolling_start, self.rolling_period, details)
    }
}

impl fmt::Debug for TemporaryExposureKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TemporaryExposureKey")
            .field("rolling_start", &self.rolling_start)
            .field("rolling_period", &self.rolling_period)
            .finish_non_exhaustive()
    }
}

/// The end (exclusive) of a validity, held at the last interval number.
pub(crate) fn rolling_end(start: IntervalNumber, period: RollingPeriod) -> IntervalNumber {
    start.checked_add(period.intervals()).unwrap_or(IntervalNumber::new(u32::MAX))
}

/// RPIK: makes the identifiers of one key. Zeroized on drop.
#[derive(Clone, ZeroizeOnDrop)]
pub struct RollingProximityIdentifierKey(KeyBytes);

impl RollingProximityIdentifierKey {
    pub(crate) fn derive(key: &KeyBytes) -> Self {
        Self(derive(key, b"EN-RPIK"))
    }

    /// The identifier of `interval`.
    #[must_use]
    pub fn identifier(&self, interval: IntervalNumber) -> RollingProximityIdentifier {
        let mut identifier = RollingProximityIdentifier([0; 16]);
        self.identifiers_into(interval, core::slice::from_mut(&mut identifier));
        identifier
    }

    /// The interval that `identifier` was made for, if this key made it.
    pub(crate) fn interval(
        &self,
        identifier: &RollingProximityIdentifier,
    ) -> Option<IntervalNumber> {
        let mut block = identifier.0.into();
        Aes128::new(&self.0.into()).decrypt_block(&mut block);
        let block: [u8; 16] = block.into();
        let [.., a, b, c, d] = block;
        block
            .starts_with(b"EN-RPI\0\0\0\0\0\0")
            .then(|| IntervalNumber::new(u32::from_le_bytes([a, b, c, d])))
    }

    /// The identifiers of the intervals from `start`, one for each place in `identifiers`.
    ///
    /// The AES key schedule is computed once for all of them.
    pub fn identifiers_into(
        &self,
        start: IntervalNumber,
        identifiers: &mut [RollingProximityIdentifier],
    ) {
        let cipher = Aes128::new(&self.0.into());
        for (number, identifier) in (start.get()..=u32::MAX).zip(identifiers) {
            let mut block = *b"EN-RPI\0\0\0\0\0\0\0\0\0\0";
            block[12..].copy_from_slice(&number.to_le_bytes());
            let mut block = block.into();
            cipher.encrypt_block(&mut block);
            identifier.0 = block.into();
        }
    }
}

/// AEMK: encrypts and decrypts the metadata of one key. Zeroized on drop.
#[derive(Clone, ZeroizeOnDrop)]
pub struct AssociatedEncryptedMetadataKey(KeyBytes);

impl AssociatedEncryptedMetadataKey {
    pub(crate) fn derive(key: &KeyBytes) -> Self {
        Self(derive(key, b"EN-AEMK"))
    }

    /// Encrypts `metadata` for broadcast beside `identifier`.
    #[must_use]
    pub fn encrypt(
        &self,
        identifier: &RollingProximityIdentifier,
        metadata: BluetoothMetadata,
    ) -> AssociatedEncryptedMetadata {
        AssociatedEncryptedMetadata(self.apply(identifier, metadata.to_bytes()))
    }

    /// Decrypts what was received beside `identifier`. The four bytes carry no proof of their
    /// origin; [`BluetoothMetadata::from_bytes`] checks what can be checked.
    #[must_use]
    pub fn decrypt(
        &self,
        identifier: &RollingProximityIdentifier,
        metadata: AssociatedEncryptedMetadata,
    ) -> [u8; 4] {
        self.apply(identifier, metadata.0)
    }

    /// Counter mode over less than a block is one encrypted counter and an exclusive or; it is
    /// its own inverse.
    fn apply(&self, identifier: &RollingProximityIdentifier, mut bytes: [u8; 4]) -> [u8; 4] {
        let mut counter = identifier.0.into();
        Aes128::new(&self.0.into()).encrypt_block(&mut counter);
        for (byte, mask) in bytes.iter_mut().zip(counter) {
            *byte ^= mask;
        }
        bytes
    }
}

fn derive(key: &KeyBytes, info: &[u8]) -> KeyBytes {
    let mut derived = [0; 16];
    Hkdf::<Sha256>::new(None, key)
        .expand(info, &mut derived)
        .expect("16 bytes are fewer than HKDF's limit of 255 hashes");
    derived
}

macro_rules! redact {
    ($($secret:ident),*) => {$(
        impl fmt::Debug for $secret {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(concat!(stringify!($secret), "(..)"))
            }
        }
    )*};
}
redact!(
    RollingProximityIdentifier,
    AssociatedEncryptedMetadata,
    RollingProximityIdentifierKey,
    AssociatedEncryptedMetadataKey
);
