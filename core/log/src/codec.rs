//! The bytes of a stored record: a version byte, and `postcard` behind it.

use serde::Serialize;
use serde::de::DeserializeOwned;

/// The version that is written.
const VERSION: u8 = 1;

/// Bytes that are no record of a known version.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Undecodable;

pub(crate) fn encode<T: Serialize>(record: &T) -> Vec<u8> {
    postcard::to_extend(record, vec![VERSION])
        .expect("a record holds no type that postcard cannot write")
}

/// Reads a record of any version ever written. A total function: whatever the bytes, it ends in a
/// record or in an error.
pub(crate) fn decode<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, Undecodable> {
    match bytes.split_first() {
        Some((&VERSION, body)) => match postcard::take_from_bytes(body) {
            Ok((record, [])) => Ok(record),
            _ => Err(Undecodable),
        },
        _ => Err(Undecodable),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_whole_record_of_a_known_version_is_read() {
        let bytes = encode(&(7_u32, "text"));
        assert_eq!(decode::<(u32, String)>(&bytes), Ok((7, "text".to_owned())));
        for length in 0..bytes.len() {
            assert_eq!(decode::<(u32, String)>(&bytes[..length]), Err(Undecodable));
        }
        let longer = [&bytes[..], &[0]].concat();
        assert_eq!(decode::<(u32, String)>(&longer), Err(Undecodable));
        let newer = [&[VERSION + 1], &bytes[1..]].concat();
        assert_eq!(decode::<(u32, String)>(&newer), Err(Undecodable));
    }
}
