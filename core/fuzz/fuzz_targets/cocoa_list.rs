//! COCOA's list.json. Every entry is listed or skipped, and what is listed lies under the source.

#![no_main]

use chikaku_core::download::{Listing, Source};
use libfuzzer_sys::fuzz_target;

const BASE: &str = "https://cdn.example/c19r/440";

fuzz_target!(|json: &[u8]| {
    let source = Source::new("440", BASE).expect("a secure place");
    let Ok(listing) = Listing::from_cocoa_list(json, &source) else { return };
    for file in &listing.files {
        let url = file.url.to_ascii_lowercase();
        let climbs = url.split('/').any(|part| part.replace("%2e", ".") == "..");
        assert!(url.starts_with(BASE) && !climbs, "outside of the source");
    }
    assert!(listing.files.is_sorted_by_key(|file| file.created_millis));
    assert_eq!(Ok(listing), Listing::from_cocoa_list(json, &source));
});
