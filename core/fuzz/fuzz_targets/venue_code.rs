//! The text of a QR code. No text panics, and what was read is the same when it is read again.

#![no_main]

use chikaku_core::export::TrustedKeys;
use chikaku_core::venue::VenueCode;
use chikaku_core::venue::code::{LONGEST_NAME, cwa_url};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    let text = String::from_utf8_lossy(data);
    for text in [text.into_owned(), cwa_url(data)] {
        let read = VenueCode::read(&text);
        assert_eq!(read, VenueCode::read(&text));
        if let Ok(code) = read {
            assert!((15..=1_425).contains(&code.default_stay().minutes()));
            assert!(code.name().is_none_or(|name| name.chars().count() <= LONGEST_NAME));
            assert!(code.event().is_none_or(|(begins, ends)| begins < ends));
            assert!(code.verify_issuer(&TrustedKeys::new()).is_err());
        }
    }
});
