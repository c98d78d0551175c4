//! Links and typed numbers. A number that comes out is one, and its own link gives it again.

#![no_main]

use chikaku_core::publish::{DeepLinkFormat, LocalDate, ProcessingNumber};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    let format = DeepLinkFormat::cocoa("www.example.jp");
    let numbers = [format.number(text).ok(), ProcessingNumber::from_typed(text).ok()];
    for number in numbers.into_iter().flatten() {
        let link = format!("https://www.example.jp/cocoa/a/?pn={}", number.as_str());
        assert_eq!(format.number(&link), Ok(number));
    }
    if let Ok(date) = LocalDate::parse(text) {
        assert_eq!(date.to_string(), text);
    }
});
