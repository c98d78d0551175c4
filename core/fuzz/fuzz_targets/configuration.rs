//! Configuration documents. Whatever can be read is validated without a panic, and whatever is
//! accepted has a contact that is High when it is tried again.

#![no_main]

use chikaku_core::validation::{Requirements, document, validate};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    let Ok(text) = str::from_utf8(data) else { return };
    for candidate in document::read(text).unwrap_or_default() {
        match validate(candidate.profile, &Requirements::default()) {
            Ok(validated) => {
                let witness = validated.witness().contact.clone();
                assert!(witness.tried_on(validated.profile()).is_high());
            }
            Err(rejected) => {
                assert!(!rejected.reasons.is_empty() && !rejected.to_string().is_empty())
            }
        }
    }
});
