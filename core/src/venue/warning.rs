//! One warning: a stay, sealed so that only those who know the venue's code can read it.
//!
//! ```text
//! venue hash = SHA-256(venue id)
//! mac key    = SHA-256("CWA-MAC-KEY" ‖ venue id)
//! cipher key = SHA-256("CWA-ENCRYPTION-KEY" ‖ venue id)
//! ciphertext = AES-256-CBC-PKCS7(cipher key, iv, CheckInRecord)
//! mac        = HMAC-SHA256(mac key, iv ‖ ciphertext)
//! ```
//!
//! A published warning carries the hash, the iv, the ciphertext and the mac; neither a name nor
//! anything of the one who made it.

use core::fmt;

use aes::Aes256;
use aes::cipher::block_padding::Pkcs7;
use aes::cipher::{BlockModeDecrypt, BlockModeEncrypt, KeyIvInit};
use hmac::{Hmac, KeyInit, Mac};
use prost::Message;
use rand_core::CryptoRng;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use thiserror::Error;
use zeroize::Zeroizing;

use super::stay::WarnedIntervals;
use crate::time::{INTERVALS_PER_DAY, IntervalNumber, Timestamp};

/// What a venue's code comes to: whoever knows it can read the venue's warnings. `Debug` hides it.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct VenueId([u8; 32]);

impl VenueId {
    /// The id with these bytes.
    #[must_use]
    pub const fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// The bytes.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// What names the venue in published warnings.
    #[must_use]
    pub fn hash(&self) -> [u8; 32] {
        Sha256::digest(self.0).into()
    }

    /// The key that authenticates warnings of the venue.
    #[must_use]
    pub fn mac_key(&self) -> Zeroizing<[u8; 32]> {
        self.derive(b"CWA-MAC-KEY")
    }

    /// The key that encrypts warnings of the venue.
    #[must_use]
    pub fn cipher_key(&self) -> Zeroizing<[u8; 32]> {
        self.derive(b"CWA-ENCRYPTION-KEY")
    }

    fn derive(&self, purpose: &[u8]) -> Zeroizing<[u8; 32]> {
        Zeroizing::new(Sha256::new().chain_update(purpose).chain_update(self.0).finalize().into())
    }
}

impl fmt::Debug for VenueId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("VenueId(..)")
    }
}

/// A warning that cannot be read. It shows neither key nor code.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum WarningError {
    /// The warning is of another venue.
    #[error("the warning is of another venue")]
    OtherVenue,
    /// It was not made by somebody who knows the venue's code, or was changed since.
    #[error("the warning is not authentic")]
    NotAuthentic,
    /// What was sealed is no record of a stay.
    #[error("the warning holds no record of a stay")]
    Malformed,
    /// A stay that nobody can have had, or a risk level outside 1..=8.
    #[error("the warning's {0} is out of range")]
    OutOfRange(&'static str),
}

/// A stay of somebody who tested positive later, within one UTC day.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Warning {
    intervals: WarnedIntervals,
    transmission_risk_level: u8,
}

impl Warning {
    /// A warning for `intervals` with a risk level of 1..=8.
    ///
    /// # Errors
    /// [`WarningError::OutOfRange`].
    pub fn new(
        intervals: WarnedIntervals,
        transmission_risk_level: u8,
    ) -> Result<Self, WarningError> {
        if !(1..=INTERVALS_PER_DAY).contains(&intervals.period)
            || intervals.start.checked_add(intervals.period).is_none()
        {
            return Err(WarningError::OutOfRange("period"));
        }
        if !(1..=8).contains(&transmission_risk_level) {
            return Err(WarningError::OutOfRange("transmission risk level"));
        }
        Ok(Self { intervals, transmission_risk_level })
    }

    /// Its intervals.
    #[must_use]
    pub const fn intervals(&self) -> WarnedIntervals {
        self.intervals
    }

    /// How infectious the visitor was, 1..=8.
    #[must_use]
    pub const fn transmission_risk_level(&self) -> u8 {
        self.transmission_risk_level
    }

    /// When it begins.
    #[must_use]
    pub const fn begins(&self) -> Timestamp {
        self.intervals.start.start()
    }

    /// When it ends; the first second that is not warned about.
    #[must_use]
    pub fn ends(&self) -> Timestamp {
        let end = self.intervals.start.checked_add(self.intervals.period);
        end.map_or(Timestamp::MAX, IntervalNumber::start)
    }

    /// Seals the warning for the visitors of `venue`.
    #[must_use]
    pub fn protect(
        &self,
        venue: &VenueId,
        rng: &mut (impl CryptoRng + ?Sized),
    ) -> ProtectedWarning {
        let mut iv = [0; 16];
        rng.fill_bytes(&mut iv);
        self.protect_with(venue, iv)
    }

    /// As [`Warning::protect`] with a given initialisation vector, which must be random.
    #[must_use]
    pub fn protect_with(&self, venue: &VenueId, iv: [u8; 16]) -> ProtectedWarning {
        let record = CheckInRecord {
            start_interval_number: self.intervals.start.get(),
            period: self.intervals.period,
            transmission_risk_level: u32::from(self.transmission_risk_level),
        };
        let key = venue.cipher_key();
        let encryptor = cbc::Encryptor::<Aes256>::new((&*key).into(), &iv.into());
        let ciphertext = encryptor.encrypt_padded_vec::<Pkcs7>(&record.encode_to_vec());
        let mac = authenticator(venue, &iv, &ciphertext).finalize().into_bytes().into();
        ProtectedWarning { venue_hash: venue.hash(), iv, ciphertext, mac }
    }
}

/// `CheckInRecord` of Corona-Warn-App.
#[derive(Clone, Copy, PartialEq, prost::Message)]
struct CheckInRecord {
    #[prost(uint32, tag = "1")]
    start_interval_number: u32,
    #[prost(uint32, tag = "2")]
    period: u32,
    #[prost(uint32, tag = "3")]
    transmission_risk_level: u32,
}

/// A sealed warning as it is published (`CheckInProtectedReport` of Corona-Warn-App).
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct ProtectedWarning {
    /// SHA-256 of the venue's id.
    pub venue_hash: [u8; 32],
    /// Initialisation vector.
    pub iv: [u8; 16],
    /// The sealed record; 16 bytes in every warning that we make.
    pub ciphertext: Vec<u8>,
    /// Its code of authentication.
    pub mac: [u8; 32],
}

impl ProtectedWarning {
    /// A warning of no venue, which cannot be told from a real one: how many places somebody
    /// visited is hidden among such.
    #[must_use]
    pub fn decoy(rng: &mut (impl CryptoRng + ?Sized)) -> Self {
        let (mut venue_hash, mut iv, mut mac) = ([0; 32], [0; 16], [0; 32]);
        let mut ciphertext = vec![0; 16];
        for bytes in [&mut venue_hash[..], &mut iv, &mut ciphertext, &mut mac] {
            rng.fill_bytes(bytes);
        }
        Self { venue_hash, iv, ciphertext, mac }
    }

    /// Opens the warning of a venue that was visited. The code of authentication is compared in
    /// constant time, before anything is decrypted.
    ///
    /// # Errors
    /// [`WarningError`].
    pub fn open(&self, venue: &VenueId) -> Result<Warning, WarningError> {
        // Both hashes are public.
        if venue.hash() != self.venue_hash {
            return Err(WarningError::OtherVenue);
        }
        authenticator(venue, &self.iv, &self.ciphertext)
            .verify_slice(&self.mac)
            .map_err(|_| WarningError::NotAuthentic)?;
        let key = venue.cipher_key();
        let decryptor = cbc::Decryptor::<Aes256>::new((&*key).into(), &self.iv.into());
        let record = decryptor
            .decrypt_padded_vec::<Pkcs7>(&self.ciphertext)
            .map_err(|_| WarningError::Malformed)?;
        let record =
            CheckInRecord::decode(record.as_slice()).map_err(|_| WarningError::Malformed)?;
        let level = u8::try_from(record.transmission_risk_level)
            .map_err(|_| WarningError::OutOfRange("transmission risk level"))?;
        let start = IntervalNumber::new(record.start_interval_number);
        Warning::new(WarnedIntervals { start, period: record.period }, level)
    }
}

impl fmt::Debug for ProtectedWarning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ProtectedWarning(..)")
    }
}

fn authenticator(venue: &VenueId, iv: &[u8; 16], ciphertext: &[u8]) -> Hmac<Sha256> {
    let key = venue.mac_key();
    let mac = Hmac::<Sha256>::new_from_slice(&*key).expect("HMAC takes keys of any length");
    mac.chain_update(iv).chain_update(ciphertext)
}
