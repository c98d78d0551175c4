//! A sealed transfer. Bytes from anywhere do not open; what is sealed opens to itself, and no more
//! once a byte of it was changed, cut off or added.

#![no_main]

use chikaku_core::transfer::{OpenError, TransferSecret, open, seal};
use libfuzzer_sys::fuzz_target;
use rand_chacha::ChaCha20Rng;
use rand_chacha::rand_core::SeedableRng;

fuzz_target!(|data: &[u8]| {
    let secret = TransferSecret::from_bytes(&[7; 16]).expect("sixteen bytes");
    // The seeds are sealed with that secret; whatever opens has both ends of a container.
    if let Ok(plaintext) = open(data, &secret) {
        assert!(plaintext.len() + 65 <= data.len());
    }

    let mut sealed = seal(data, &secret, &mut ChaCha20Rng::from_seed([7; 32]));
    assert_eq!(open(&sealed, &secret).as_ref().map(|opened| &opened[..]), Ok(data));
    let place = data.iter().fold(data.len(), |sum, byte| sum * 31 % 65_521 + usize::from(*byte));
    let place = place % sealed.len();
    assert!(open(&sealed[..place], &secret).is_err());
    if let Some(byte) = sealed.get_mut(place) {
        *byte ^= 1;
    }
    assert!(open(&sealed, &secret).is_err());
    if let Some(byte) = sealed.get_mut(place) {
        *byte ^= 1;
    }
    sealed.push(0);
    assert!(matches!(open(&sealed, &secret), Err(OpenError::Damaged { .. })));
});
