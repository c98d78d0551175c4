//! A key's message in the form in which all known servers write it, read without allocation.
//!
//! Protobuf allows more forms than that; for those, and for what is wrong, the general parser
//! decides.

use super::wire;

/// The fields of a `TemporaryExposureKey` with key data of the right length.
#[derive(Clone, Default)]
pub(super) struct KeyMessage {
    pub(super) key_data: [u8; 16],
    pub(super) transmission_risk_level: Option<i32>,
    pub(super) rolling_start_interval_number: Option<i32>,
    pub(super) rolling_period: Option<i32>,
    pub(super) report_type: Option<i32>,
    pub(super) days_since_onset_of_symptoms: Option<i32>,
    pub(super) variant_of_concern: Option<bool>,
}

impl KeyMessage {
    /// The fields of `message`; `None` if it has to be read by the general parser.
    pub(super) fn read(message: &[u8]) -> Option<Self> {
        let mut fields = Self::default();
        let mut has_key = false;
        let mut rest = message;
        while let Some((tag, behind)) = rest.split_first() {
            rest = behind;
            if *tag == 0x0a {
                let (length, behind) = rest.split_first()?;
                let (key, behind) = behind.split_first_chunk()?;
                if *length != 16 {
                    return None;
                }
                (fields.key_data, rest, has_key) = (*key, behind, true);
                continue;
            }
            let (value, behind) = small_number(rest)?;
            rest = behind;
            match *tag {
                0x10 => fields.transmission_risk_level = Some(value),
                0x18 => fields.rolling_start_interval_number = Some(value),
                0x20 => fields.rolling_period = Some(value),
                0x28 => fields.report_type = Some(value),
                0x30 => fields.days_since_onset_of_symptoms = Some((value >> 1) ^ -(value & 1)),
                0x40 => fields.variant_of_concern = Some(value != 0),
                _ => return None,
            }
        }
        has_key.then_some(fields)
    }
}

impl TryFrom<wire::TemporaryExposureKey> for KeyMessage {
    /// The key data are missing or of another length.
    type Error = ();

    fn try_from(key: wire::TemporaryExposureKey) -> Result<Self, ()> {
        let key_data = key.key_data.and_then(|data| <[u8; 16]>::try_from(data).ok()).ok_or(())?;
        Ok(Self {
            key_data,
            transmission_risk_level: key.transmission_risk_level,
            rolling_start_interval_number: key.rolling_start_interval_number,
            rolling_period: key.rolling_period,
            report_type: key.report_type,
            days_since_onset_of_symptoms: key.days_since_onset_of_symptoms,
            variant_of_concern: key.variant_of_concern,
        })
    }
}

/// A varint of less than 2^28 and what stands behind it.
#[inline]
fn small_number(bytes: &[u8]) -> Option<(i32, &[u8])> {
    if let [byte @ 0..0x80, rest @ ..] = bytes {
        return Some((i32::from(*byte), rest));
    }
    let Some(four) = bytes.first_chunk() else { return last_number(bytes) };
    let four = u32::from_le_bytes(*four);
    let last = !four & 0x8080_8080; // a byte without its top bit is a number's last
    let through_last = last ^ last.wrapping_sub(1);
    let kept = four & through_last & 0x7f7f_7f7f;
    let pairs = (kept & 0x007f_007f) | (kept & 0x7f00_7f00) >> 1;
    let value = (pairs & 0x3fff) | (pairs & 0x3fff_0000) >> 2;
    let length = last.trailing_zeros() as usize / 8 + 1;
    (last != 0).then_some((value.cast_signed(), bytes.get(length..)?))
}

/// The same where fewer than four bytes are left.
#[cold]
fn last_number(bytes: &[u8]) -> Option<(i32, &[u8])> {
    let mut value = 0;
    for (place, byte) in bytes.iter().take(4).enumerate() {
        value |= i32::from(byte & 0x7f) << (7 * place);
        if byte & 0x80 == 0 {
            return Some((value, bytes.get(place + 1..)?));
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use prost::Message;

    use super::*;

    proptest! {
        /// Whatever is read here is what the general parser reads.
        #[test]
        fn reads_as_the_general_parser(
            mut key in proptest::collection::vec(any::<u8>(), 15..18),
            numbers in proptest::collection::vec(proptest::option::of(prop_oneof![
                -3..300_i32, 0x0fff_fff0..0x1000_0010_i32, any::<i32>(),
            ]), 5),
            variant in proptest::option::of(any::<bool>()),
            noise in proptest::collection::vec((any::<proptest::sample::Index>(), any::<u8>()), 0..3),
        ) {
            if key.len() == 15 {
                key.push(0);
            }
            let message = wire::TemporaryExposureKey {
                key_data: Some(key),
                transmission_risk_level: numbers[0],
                rolling_start_interval_number: numbers[1],
                rolling_period: numbers[2],
                report_type: numbers[3],
                days_since_onset_of_symptoms: numbers[4],
                variant_of_concern: variant,
            };
            let mut bytes = message.encode_to_vec();
            for (place, byte) in noise {
                let place = place.index(bytes.len());
                bytes[place] = byte;
            }
            let general = wire::TemporaryExposureKey::decode(bytes.as_slice());
            if let Some(read) = KeyMessage::read(&bytes) {
                let general = KeyMessage::try_from(general.unwrap()).unwrap();
                prop_assert_eq!(read.key_data, general.key_data);
                prop_assert_eq!(read.transmission_risk_level, general.transmission_risk_level);
                prop_assert_eq!(
                    read.rolling_start_interval_number,
                    general.rolling_start_interval_number
                );
                prop_assert_eq!(read.rolling_period, general.rolling_period);
                prop_assert_eq!(read.report_type, general.report_type);
                prop_assert_eq!(
                    read.days_since_onset_of_symptoms,
                    general.days_since_onset_of_symptoms
                );
                prop_assert_eq!(read.variant_of_concern, general.variant_of_concern);
            }
        }
    }
}
