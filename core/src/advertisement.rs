//! The advertisement: twenty bytes of service data, and the frame that carries them.
//!
//! Phones do not send what the specification draws. Half of the frames measured on real phones
//! have no Flags and 28 bytes instead of 31, so the decoder looks for the service data and
//! demands nothing of what stands around it. Source: GAEN Bluetooth spec 1.2 for encoding; the
//! HCI captures of DP-3T experiment 34 for decoding.

use core::fmt;

use thiserror::Error;

use crate::keys::{AssociatedEncryptedMetadata, RollingProximityIdentifier};

/// Length of a frame with Flags, service list and service data.
pub const FRAME_LENGTH: usize = 31;
/// Length of the service data behind its UUID: identifier and metadata.
pub const SERVICE_DATA_LENGTH: usize = 20;

const FLAGS: u8 = 0x01;
const COMPLETE_SERVICE_UUIDS_16: u8 = 0x03;
const SERVICE_DATA_16: u8 = 0x16;
/// LE General Discoverable, simultaneous LE and BR/EDR controller and host.
const FLAGS_VALUE: u8 = 0x1a;

/// What a phone broadcasts: the identifier and its encrypted metadata.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Advertisement {
    /// The identifier of the running interval.
    pub identifier: RollingProximityIdentifier,
    /// Version and transmit power, readable only with the sender's diagnosis key.
    pub metadata: AssociatedEncryptedMetadata,
}

impl fmt::Debug for Advertisement {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Advertisement(..)")
    }
}

impl Advertisement {
    /// The twenty bytes behind the UUID.
    #[must_use]
    pub fn to_service_data(&self) -> [u8; SERVICE_DATA_LENGTH] {
        let mut bytes = [0; SERVICE_DATA_LENGTH];
        bytes[..16].copy_from_slice(self.identifier.as_bytes());
        bytes[16..].copy_from_slice(self.metadata.as_bytes());
        bytes
    }

    /// Reads the bytes behind the UUID, as a platform's scanner hands them over.
    ///
    /// # Errors
    /// [`AdvertisementError::ServiceDataLength`] unless there are exactly twenty.
    pub fn from_service_data(bytes: &[u8]) -> Result<Self, AdvertisementError> {
        let wrong_length = || AdvertisementError::ServiceDataLength { found: bytes.len() };
        let bytes: [u8; SERVICE_DATA_LENGTH] = bytes.try_into().map_err(|_| wrong_length())?;
        let (identifier, metadata) = bytes.split_first_chunk().ok_or_else(wrong_length)?;
        Ok(Self {
            identifier: RollingProximityIdentifier::from_bytes(*identifier),
            metadata: AssociatedEncryptedMetadata::from_bytes(
                metadata.try_into().map_err(|_| wrong_length())?,
            ),
        })
    }
}

/// Why advertising data carries no identifier.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum AdvertisementError {
    /// No service data of the configured UUID: somebody else's advertisement.
    #[error("no service data of this service")]
    NotThisService,
    /// Service data of our UUID, but not of twenty bytes.
    #[error("service data of {found} bytes instead of 20")]
    ServiceDataLength {
        /// Bytes behind the UUID.
        found: usize,
    },
    /// Two different identifiers in one frame.
    #[error("more than one service data structure of this service")]
    Repeated,
    /// An advertising structure that runs past the end of the data.
    #[error("advertising structure at byte {offset} runs past the end")]
    Truncated {
        /// Where the structure begins.
        offset: usize,
    },
}

/// How an [`Advertisement`] is framed: the 16-bit service UUID it travels under.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct AdvertisementFormat {
    /// The service's 16-bit UUID.
    pub service_uuid: u16,
}

impl Default for AdvertisementFormat {
    /// 0xFD6F, the exposure notification service.
    fn default() -> Self {
        Self { service_uuid: 0xFD6F }
    }
}

impl AdvertisementFormat {
    /// The whole 31-byte frame: Flags, service list, service data.
    #[must_use]
    pub fn encode(self, advertisement: &Advertisement) -> [u8; FRAME_LENGTH] {
        let [low, high] = self.service_uuid.to_le_bytes();
        let mut frame = [0; FRAME_LENGTH];
        frame[..11].copy_from_slice(&[
            2,
            FLAGS,
            FLAGS_VALUE,
            3,
            COMPLETE_SERVICE_UUIDS_16,
            low,
            high,
            23,
            SERVICE_DATA_16,
            low,
            high,
        ]);
        frame[11..].copy_from_slice(&advertisement.to_service_data());
        frame
    }

    /// Finds the service data in advertising data of any shape and order.
    ///
    /// # Errors
    /// [`AdvertisementError`]. What is wrong elsewhere in the frame never loses the service data.
    pub fn decode(self, data: &[u8]) -> Result<Advertisement, AdvertisementError> {
        let mut found: Option<Advertisement> = None;
        let mut malformed = AdvertisementError::NotThisService;
        for structure in AdvertisingStructures::new(data) {
            let (kind, body) = match structure {
                Ok(structure) => structure,
                Err(truncated) => {
                    malformed = truncated;
                    break;
                }
            };
            let Some((uuid, service_data)) = body.split_first_chunk() else { continue };
            if kind != SERVICE_DATA_16 || u16::from_le_bytes(*uuid) != self.service_uuid {
                continue;
            }
            let advertisement = match Advertisement::from_service_data(service_data) {
                Ok(advertisement) => advertisement,
                Err(wrong_length) => {
                    malformed = wrong_length;
                    continue;
                }
            };
            if found.is_some_and(|first| first != advertisement) {
                return Err(AdvertisementError::Repeated);
            }
            found = Some(advertisement);
        }
        found.ok_or(malformed)
    }
}

/// Walks length-type-value structures; a zero length ends the data (Bluetooth Core, vol. 3
/// part C, 11).
struct AdvertisingStructures<'a> {
    data: &'a [u8],
    offset: usize,
}

impl<'a> AdvertisingStructures<'a> {
    const fn new(data: &'a [u8]) -> Self {
        Self { data, offset: 0 }
    }
}

impl<'a> Iterator for AdvertisingStructures<'a> {
    type Item = Result<(u8, &'a [u8]), AdvertisementError>;

    fn next(&mut self) -> Option<Self::Item> {
        let (&length, rest) = self.data.get(self.offset..)?.split_first()?;
        let Some(structure) = rest.get(..usize::from(length)) else {
            let truncated = AdvertisementError::Truncated { offset: self.offset };
            self.offset = self.data.len();
            return Some(Err(truncated));
        };
        let (&kind, body) = structure.split_first()?;
        self.offset += 1 + structure.len();
        Some(Ok((kind, body)))
    }
}

#[cfg(test)]
mod tests {
    use hex_literal::hex;
    use proptest::prelude::*;

    use super::*;

    const SERVICE_DATA: [u8; 20] = hex!("000102030405060708090a0b0c0d0e0f10111213");

    fn decode(frame: &[u8]) -> Result<[u8; 20], AdvertisementError> {
        AdvertisementFormat::default().decode(frame).map(|a| a.to_service_data())
    }

    #[test]
    fn every_frame_shape_seen_on_real_phones() {
        let body = hex!("17166ffd 000102030405060708090a0b0c0d0e0f10111213");
        // Population A of the captures: Flags, list, data; population B: list, data, no Flags.
        let a = [&hex!("02011a 03036ffd")[..], &body].concat();
        let b = [&hex!("03036ffd")[..], &body].concat();
        let reversed = [&body[..], &hex!("03036ffd")].concat();
        let padded = [&body[..], &[0; 3]].concat();
        let cut_tail = [&body[..], &hex!("09ff4c")].concat();
        let beside_a_short_one = [&hex!("05166ffd0102")[..], &body].concat();
        for frame in [&a[..], &b, &body, &reversed, &padded, &cut_tail, &beside_a_short_one] {
            assert_eq!(decode(frame), Ok(SERVICE_DATA));
        }
    }

    #[test]
    fn the_encoder_writes_the_specified_frame() {
        let advertisement = Advertisement::from_service_data(&SERVICE_DATA).unwrap();
        let frame = AdvertisementFormat::default().encode(&advertisement);
        assert_eq!(
            frame,
            hex!("02011a 03036ffd 17166ffd 000102030405060708090a0b0c0d0e0f10111213")
        );
        let other = AdvertisementFormat { service_uuid: 0xFD68 };
        assert_eq!(other.decode(&frame), Err(AdvertisementError::NotThisService));
        assert_eq!(other.decode(&other.encode(&advertisement)), Ok(advertisement));
    }

    #[test]
    fn what_is_no_identifier_says_why() {
        assert_eq!(decode(&[]), Err(AdvertisementError::NotThisService));
        assert_eq!(decode(&hex!("03036ffd")), Err(AdvertisementError::NotThisService));
        assert_eq!(
            decode(&hex!("05166ffd0102")),
            Err(AdvertisementError::ServiceDataLength { found: 2 })
        );
        assert_eq!(
            decode(&hex!("02011a 17166f")),
            Err(AdvertisementError::Truncated { offset: 3 })
        );
        let mut other = SERVICE_DATA;
        other[0] = 0xff;
        let head = hex!("17166ffd");
        let twice = |second: &[u8]| [&head[..], &SERVICE_DATA, &head, second].concat();
        assert_eq!(decode(&twice(&other)), Err(AdvertisementError::Repeated));
        assert_eq!(decode(&twice(&SERVICE_DATA)), Ok(SERVICE_DATA));
    }

    proptest! {
        #[test]
        fn any_bytes_decode_or_say_why(data in proptest::collection::vec(any::<u8>(), 0..64)) {
            let _ = decode(&data);
        }

        #[test]
        fn what_is_encoded_decodes(service_data: [u8; 20], service_uuid: u16) {
            let advertisement = Advertisement::from_service_data(&service_data).unwrap();
            let format = AdvertisementFormat { service_uuid };
            prop_assert_eq!(format.decode(&format.encode(&advertisement)), Ok(advertisement));
        }
    }
}
