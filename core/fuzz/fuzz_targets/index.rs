//! The index.txt of an exposure-notifications-server. What is listed lies under the source, and an
//! index of the listed names lists the same.

#![no_main]

use chikaku_core::download::{Listing, Source};
use libfuzzer_sys::fuzz_target;

const BASE: &str = "https://cdn.example/c19r/440/";

fuzz_target!(|text: &[u8]| {
    let source = Source::new("440", BASE).expect("a secure place");
    let Ok(listing) = Listing::from_index(text, &source) else { return };
    let names = listing.files.iter().map(|file| file.url.strip_prefix(BASE).expect("under it"));
    let again = names.map(|name| format!("{name}\n")).collect::<String>();
    let again = Listing::from_index(again.as_bytes(), &source).expect("it is short");
    assert_eq!(again.files, listing.files);
    assert!(again.skipped.is_empty());
});
