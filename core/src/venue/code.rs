//! The QR code at a venue's door.
//!
//! Two forms are read. Corona-Warn-App's is a URL, `https://e.coronawarn.app?v=1#` or any other
//! vendor's URL that ends in `/CWA1/`, and then a `QRCodePayload` in base64url. Ours is `CHKV1:` and
//! a signed payload in base45, whose characters a QR code packs densely. The payload's bytes count
//! as they were received: encoding them again might make another venue of it.
//!
//! ```text
//! venue id = SHA-256("CWA-GUID" ‖ QRCodePayload), or SHA-256("CHIKAKU-VENUE-1" ‖ payload)
//! ```
//!
//! A payload holds the name of a place if its keeper wants it. Nothing here stores an address, even
//! if a code holds one.

use core::fmt;

use base64ct::{Base64UrlUnpadded, Encoding};
use prost::Message;
use rand_core::CryptoRng;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use thiserror::Error;

use super::warning::VenueId;
use crate::export::{KeyIdentity, SigningKey, TrustedKeys};
use crate::time::{Timestamp, UtcDay};

/// The first characters of our own codes; the number is the version of what follows.
const OWN_PREFIX: &str = "CHKV1:";
/// Where Corona-Warn-App's own codes lead.
const CWA_PREFIX: &str = "https://e.coronawarn.app?v=1#";
/// What stands before the payload in other vendors' codes.
const CWA_VENDOR_MARK: &str = "/CWA1/";
/// More characters than the largest QR code holds.
const LONGEST_TEXT: usize = 8_192;
/// The longest name, characters.
pub const LONGEST_NAME: usize = 100;
/// The most measures that a poster declares.
pub const MOST_MEASURES: usize = 20;

/// What kind of place it is, by Corona-Warn-App's numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
#[expect(missing_docs, reason = "the kinds have no other names")]
pub enum VenueType {
    Unspecified,
    PermanentOther,
    TemporaryOther,
    PermanentRetail,
    PermanentFoodService,
    PermanentCraft,
    PermanentWorkplace,
    PermanentEducationalInstitution,
    PermanentPublicBuilding,
    TemporaryCulturalEvent,
    TemporaryClubActivity,
    TemporaryPrivateEvent,
    TemporaryWorshipService,
}

impl VenueType {
    /// Every type, by its number.
    pub const ALL: [Self; 13] = [
        Self::Unspecified,
        Self::PermanentOther,
        Self::TemporaryOther,
        Self::PermanentRetail,
        Self::PermanentFoodService,
        Self::PermanentCraft,
        Self::PermanentWorkplace,
        Self::PermanentEducationalInstitution,
        Self::PermanentPublicBuilding,
        Self::TemporaryCulturalEvent,
        Self::TemporaryClubActivity,
        Self::TemporaryPrivateEvent,
        Self::TemporaryWorshipService,
    ];

    /// The number in a code.
    #[must_use]
    pub const fn number(self) -> u32 {
        self as u32
    }

    /// A type that is not known is [`VenueType::Unspecified`].
    fn from_number(number: u32) -> Self {
        let place = usize::try_from(number).unwrap_or(usize::MAX);
        Self::ALL.get(place).copied().unwrap_or(Self::Unspecified)
    }
}

/// For how long visitors stay as a rule: whole quarters of an hour, 15..=1425 minutes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(from = "u32", into = "u32")]
pub struct DefaultStay(u32);

impl DefaultStay {
    /// The shortest, a quarter of an hour.
    pub const SHORTEST: Self = Self(15);
    /// The longest, 23:45.
    pub const LONGEST: Self = Self(1_425);

    /// The whole quarter of an hour that is nearest to `minutes`, within 15 minutes and 23:45.
    #[must_use]
    pub const fn from_minutes(minutes: u32) -> Self {
        let rounded = (minutes.saturating_add(7) / 15).saturating_mul(15);
        match rounded {
            0..=15 => Self::SHORTEST,
            1_425.. => Self::LONGEST,
            _ => Self(rounded),
        }
    }

    /// Minutes.
    #[must_use]
    pub const fn minutes(self) -> u32 {
        self.0
    }
}

impl From<u32> for DefaultStay {
    fn from(minutes: u32) -> Self {
        Self::from_minutes(minutes)
    }
}

impl From<DefaultStay> for u32 {
    fn from(stay: DefaultStay) -> Self {
        stay.0
    }
}

/// A code that is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum VenueCodeError {
    /// The QR code of something else.
    #[error("this is not the code of a venue")]
    NotAVenue,
    /// A version of our own codes that this library does not read.
    #[error("a venue's code of another version than 1")]
    Version,
    /// More characters than a QR code holds.
    #[error("the code has more than {LONGEST_TEXT} characters")]
    TooLong,
    /// Not base64url or base45.
    #[error("the code's payload is damaged")]
    Encoding,
    /// A payload that cannot be read.
    #[error("the code's payload is malformed: {0}")]
    Malformed(&'static str),
    /// Of an event that ends before it begins.
    #[error("the code's event ends before it begins")]
    EventTimes,
    /// The code has no signature of a trusted issuer.
    #[error("the code was not signed by a trusted issuer")]
    Issuer,
}

/// What the keeper of a venue declares, by the items of a guideline.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Declaration {
    /// Keys of the measures, as in `ventilation`.
    pub measures: Vec<String>,
    /// The day on which the code was issued.
    pub issued_on: UtcDay,
}

/// A code that was read. `Debug` shows neither the venue nor its name.
#[derive(Clone, PartialEq, Eq)]
pub struct VenueCode {
    id: VenueId,
    venue_type: VenueType,
    default_stay: DefaultStay,
    name: Option<String>,
    /// Begin and end of an event.
    event: Option<(Timestamp, Timestamp)>,
    declaration: Option<Declaration>,
    signed: Option<Signed>,
}

#[derive(Clone, PartialEq, Eq)]
struct Signed {
    issuer: KeyIdentity,
    digest: [u8; 32],
    signature: Vec<u8>,
}

impl VenueCode {
    /// Reads the text of a QR code.
    ///
    /// # Errors
    /// [`VenueCodeError`]. A signature is not checked yet: [`VenueCode::verify_issuer`].
    pub fn read(text: &str) -> Result<Self, VenueCodeError> {
        let text = text.trim();
        if text.len() > LONGEST_TEXT {
            return Err(VenueCodeError::TooLong);
        }
        if let Some(payload) = text.strip_prefix(OWN_PREFIX) {
            let bytes = base45::decode(payload).map_err(|_| VenueCodeError::Encoding)?;
            return Self::read_own(&bytes);
        }
        if text.starts_with("CHKV") {
            return Err(VenueCodeError::Version);
        }
        let foreign = || Some(text.split_once(CWA_VENDOR_MARK)?.1);
        let payload = text.strip_prefix(CWA_PREFIX).or_else(foreign);
        let payload = payload.ok_or(VenueCodeError::NotAVenue)?.trim_end_matches('=');
        let bytes = Base64UrlUnpadded::decode_vec(payload).map_err(|_| VenueCodeError::Encoding)?;
        Self::read_cwa(&bytes)
    }

    fn read_cwa(bytes: &[u8]) -> Result<Self, VenueCodeError> {
        let malformed = VenueCodeError::Malformed;
        let payload = QrCodePayload::decode(bytes).map_err(|_| malformed("QRCodePayload"))?;
        let location = payload.location_data.ok_or_else(|| malformed("no locationData"))?;
        let crowd = payload.crowd_notifier_data.ok_or_else(|| malformed("no crowdNotifierData"))?;
        if payload.version != 1 || location.version != 1 {
            return Err(malformed("a version other than 1"));
        }
        if crowd.cryptographic_seed.len() != 16 {
            return Err(malformed("cryptographicSeed has not 16 bytes"));
        }
        let vendor = CwaLocationData::decode(payload.vendor_data.as_slice())
            .map_err(|_| malformed("CWALocationData"))?;
        let event = match (location.start_timestamp, location.end_timestamp) {
            (0, 0) => None,
            (begins, ends) => {
                let time = |seconds: u64| {
                    let seconds = i64::try_from(seconds).ok()?;
                    Timestamp::from_unix_seconds(seconds).ok()
                };
                let times = time(begins).zip(time(ends)).ok_or_else(|| malformed("a time"))?;
                if times.1 <= times.0 {
                    return Err(VenueCodeError::EventTimes);
                }
                Some(times)
            }
        };
        // Without a stay of its own an event lasts as long as it lasts.
        let minutes = match (vendor.default_check_in_length_in_minutes, event) {
            (0, Some((begins, ends))) => {
                u32::try_from(ends.seconds_since(begins) / 60).unwrap_or(u32::MAX)
            }
            (minutes, _) => minutes,
        };
        Ok(Self {
            id: digest(b"CWA-GUID", bytes),
            venue_type: VenueType::from_number(vendor.venue_type),
            default_stay: DefaultStay::from_minutes(minutes),
            name: name(location.description)?,
            event,
            declaration: None,
            signed: None,
        })
    }

    fn read_own(bytes: &[u8]) -> Result<Self, VenueCodeError> {
        let malformed = VenueCodeError::Malformed;
        let envelope = SignedVenue::decode(bytes).map_err(|_| malformed("the envelope"))?;
        let venue =
            OwnVenue::decode(envelope.venue.as_slice()).map_err(|_| malformed("the venue"))?;
        if venue.seed.len() != 16 {
            return Err(malformed("the seed has not 16 bytes"));
        }
        if venue.measures.len() > MOST_MEASURES || !venue.measures.iter().all(|m| is_key(m)) {
            return Err(malformed("the measures"));
        }
        let measures = venue.measures;
        let declaration =
            Declaration { measures, issued_on: UtcDay::new(venue.issued_on_days_since_1970) };
        Ok(Self {
            id: digest(b"CHIKAKU-VENUE-1", &envelope.venue),
            venue_type: VenueType::from_number(venue.venue_type),
            default_stay: DefaultStay::from_minutes(venue.default_stay_minutes),
            name: name(venue.name)?,
            event: None,
            declaration: Some(declaration),
            signed: Some(Signed {
                issuer: KeyIdentity::new(venue.issuer_id, venue.issuer_version),
                digest: Sha256::digest(&envelope.venue).into(),
                signature: envelope.signature,
            }),
        })
    }

    /// Checks that one of `issuers` signed the code.
    ///
    /// # Errors
    /// [`VenueCodeError::Issuer`], also for Corona-Warn-App's codes, which nobody signs.
    pub fn verify_issuer(&self, issuers: &TrustedKeys) -> Result<&KeyIdentity, VenueCodeError> {
        let signed = self.signed.as_ref().ok_or(VenueCodeError::Issuer)?;
        let genuine = issuers.has_signed(&signed.issuer, &signed.digest, &signed.signature);
        genuine.then_some(&signed.issuer).ok_or(VenueCodeError::Issuer)
    }

    /// Names the venue on this phone, and makes the keys of its warnings.
    #[must_use]
    pub const fn id(&self) -> VenueId {
        self.id
    }

    /// What kind of place it is.
    #[must_use]
    pub const fn venue_type(&self) -> VenueType {
        self.venue_type
    }

    /// For how long visitors stay as a rule.
    #[must_use]
    pub const fn default_stay(&self) -> DefaultStay {
        self.default_stay
    }

    /// The name, if the code has one.
    #[must_use]
    pub fn name(&self) -> Option<&str> {
        self.name.as_deref()
    }

    /// Begin and end, if the code is of an event.
    #[must_use]
    pub const fn event(&self) -> Option<(Timestamp, Timestamp)> {
        self.event
    }

    /// What the keeper declares; only in our own codes.
    #[must_use]
    pub const fn declaration(&self) -> Option<&Declaration> {
        self.declaration.as_ref()
    }
}

impl fmt::Debug for VenueCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("VenueCode(..)")
    }
}

/// A venue that gets a code.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewVenue {
    /// What kind of place it is.
    pub venue_type: VenueType,
    /// For how long visitors stay as a rule.
    pub default_stay: DefaultStay,
    /// The name, at most 100 characters.
    pub name: Option<String>,
    /// What the keeper declares.
    pub declaration: Declaration,
}

impl NewVenue {
    /// The text of the venue's QR code, signed by its issuer. Two calls make two venues.
    ///
    /// # Errors
    /// [`VenueCodeError::Malformed`] for a name or measures that no reader would take.
    pub fn issue(
        &self,
        issuer: &SigningKey,
        rng: &mut (impl CryptoRng + ?Sized),
    ) -> Result<String, VenueCodeError> {
        let mut seed = vec![0; 16];
        rng.fill_bytes(&mut seed);
        let venue = OwnVenue {
            seed,
            venue_type: self.venue_type.number(),
            default_stay_minutes: self.default_stay.minutes(),
            name: self.name.clone().unwrap_or_default(),
            measures: self.declaration.measures.clone(),
            issued_on_days_since_1970: self.declaration.issued_on.days_since_1970(),
            issuer_id: issuer.identity().id.clone(),
            issuer_version: issuer.identity().version.clone(),
        };
        let venue = venue.encode_to_vec();
        let signature = issuer
            .sign_digest(&Sha256::digest(&venue).into())
            .ok_or(VenueCodeError::Malformed("no signature"))?;
        let signature = signature.as_bytes().to_vec();
        let text = SignedVenue { venue, signature }.encode_to_vec();
        let text = format!("{OWN_PREFIX}{}", base45::encode(text));
        VenueCode::read(&text)?;
        Ok(text)
    }
}

/// The text of Corona-Warn-App's form for `payload`, the bytes of a `QRCodePayload`.
#[must_use]
pub fn cwa_url(payload: &[u8]) -> String {
    format!("{CWA_PREFIX}{}", Base64UrlUnpadded::encode_string(payload))
}

fn digest(purpose: &[u8], payload: &[u8]) -> VenueId {
    let digest = Sha256::new().chain_update(purpose).chain_update(payload).finalize();
    VenueId::from_bytes(digest.into())
}

/// Empty is none; a name that fills no line of a poster is refused, and so is one with a terminal's
/// or a bidirectional text's commands in it.
fn name(text: String) -> Result<Option<String>, VenueCodeError> {
    let forbidden = |c: char| {
        c.is_control()
            || matches!(c, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
    };
    if text.chars().count() > LONGEST_NAME || text.contains(forbidden) {
        return Err(VenueCodeError::Malformed("the name"));
    }
    Ok(Some(text).filter(|text| !text.is_empty()))
}

fn is_key(text: &str) -> bool {
    let allowed = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_';
    (1..=40).contains(&text.len()) && text.bytes().all(allowed)
}

/// `QRCodePayload` of Corona-Warn-App.
#[derive(Clone, PartialEq, prost::Message)]
struct QrCodePayload {
    #[prost(uint32, tag = "1")]
    version: u32,
    #[prost(message, optional, tag = "2")]
    location_data: Option<TraceLocation>,
    #[prost(message, optional, tag = "3")]
    crowd_notifier_data: Option<CrowdNotifierData>,
    #[prost(bytes = "vec", tag = "4")]
    vendor_data: Vec<u8>,
}

/// `TraceLocation`; its field 3, the address, is skipped unread.
#[derive(Clone, PartialEq, prost::Message)]
struct TraceLocation {
    #[prost(uint32, tag = "1")]
    version: u32,
    #[prost(string, tag = "2")]
    description: String,
    #[prost(uint64, tag = "5")]
    start_timestamp: u64,
    #[prost(uint64, tag = "6")]
    end_timestamp: u64,
}

/// `CrowdNotifierData`; its public key, field 2, serves another protocol.
#[derive(Clone, PartialEq, prost::Message)]
struct CrowdNotifierData {
    #[prost(uint32, tag = "1")]
    version: u32,
    #[prost(bytes = "vec", tag = "3")]
    cryptographic_seed: Vec<u8>,
}

/// `CWALocationData`.
#[derive(Clone, PartialEq, prost::Message)]
struct CwaLocationData {
    #[prost(uint32, tag = "1")]
    version: u32,
    #[prost(uint32, tag = "2")]
    venue_type: u32,
    #[prost(uint32, tag = "3")]
    default_check_in_length_in_minutes: u32,
}

/// Our own payload, as it is signed.
#[derive(Clone, PartialEq, prost::Message)]
struct OwnVenue {
    #[prost(bytes = "vec", tag = "1")]
    seed: Vec<u8>,
    #[prost(uint32, tag = "2")]
    venue_type: u32,
    #[prost(uint32, tag = "3")]
    default_stay_minutes: u32,
    #[prost(string, tag = "4")]
    name: String,
    #[prost(string, repeated, tag = "5")]
    measures: Vec<String>,
    #[prost(uint32, tag = "6")]
    issued_on_days_since_1970: u32,
    #[prost(string, tag = "7")]
    issuer_id: String,
    #[prost(string, tag = "8")]
    issuer_version: String,
}

/// Our own payload and the issuer's signature over its bytes (ECDSA P-256 with SHA-256, DER).
#[derive(Clone, PartialEq, prost::Message)]
struct SignedVenue {
    #[prost(bytes = "vec", tag = "1")]
    venue: Vec<u8>,
    #[prost(bytes = "vec", tag = "2")]
    signature: Vec<u8>,
}
