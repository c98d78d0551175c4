//! One size for every request, whatever is in it.
//!
//! The size of a request must not tell how many keys and warnings it holds, nor whether it holds
//! any. So the content is measured as if every place for one were taken, rounded up to a multiple of
//! [`ENVELOPE_BYTES`], and at least one kilobyte plus up to one more is added, as
//! exposure-notifications-server and COCOA recommend: the padding makes up for all the rest.

use base64ct::{Base64, Encoding};
use rand_core::CryptoRng;
use serde::Serialize;

use super::release::MAX_KEYS;
use super::visits;

/// Requests are a multiple of this long, plus [`JITTER_BYTES`].
const ENVELOPE_BYTES: usize = 4096;
/// Padding is at least this long.
const LEAST_PADDING_BYTES: usize = 1024;
/// And up to so much longer at random.
const JITTER_BYTES: usize = 1024;

/// `Debug` that shows nothing of what is in a payload.
macro_rules! hide {
    ($($payload:ident),*) => {$(
        impl core::fmt::Debug for $payload {
            fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
                f.write_str(concat!(stringify!($payload), "(..)"))
            }
        }
    )*};
}
pub(super) use hide;

/// A payload with a place for padding.
pub(super) trait Payload: Serialize {
    /// The place for the padding; empty when the payload is measured.
    fn padding(&mut self) -> &mut String;
    /// How many bytes its keys take, without the commas between them.
    fn key_bytes(&self) -> usize;
    /// The content of its field of warnings for other visitors.
    fn warnings(&self) -> &str;
    /// How many bytes the longest key takes, with a comma.
    const LONGEST_KEY_BYTES: usize;
}

/// The payload as JSON, padded to its size. To a server that `takes_visits` every request has places
/// for warnings.
pub(super) fn seal<P: Payload>(
    mut payload: P,
    takes_visits: bool,
    rng: &mut (impl CryptoRng + ?Sized),
) -> Vec<u8> {
    payload.padding().clear();
    let bare = json_bytes(&payload);
    let warnings = visits::field_bytes(payload.warnings());
    let full = bare
        .saturating_sub(payload.key_bytes())
        .saturating_sub(warnings)
        .saturating_add(MAX_KEYS.saturating_mul(P::LONGEST_KEY_BYTES))
        .saturating_add(if takes_visits || warnings > 0 { visits::LONGEST_BYTES } else { 0 });
    let size = full.saturating_add(LEAST_PADDING_BYTES).next_multiple_of(ENVELOPE_BYTES);
    let jitter = rng.next_u32() as usize % JITTER_BYTES;
    let missing = size.saturating_add(jitter).saturating_sub(bare);

    let mut random = vec![0; missing / 4 * 3];
    rng.fill_bytes(&mut random);
    *payload.padding() = Base64::encode_string(&random);
    let mut body = json(&payload);
    // Base64 comes in fours; the rest is white space, which JSON allows at the end.
    body.resize(size.saturating_add(jitter).max(body.len()), b' ');
    body
}

/// The length of `value` as JSON.
pub(super) fn json_bytes(value: &impl Serialize) -> usize {
    json(value).len()
}

fn json(value: &impl Serialize) -> Vec<u8> {
    serde_json::to_vec(value).expect("a payload is made of texts and whole numbers")
}
