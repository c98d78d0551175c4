//! Advertising data from the air. Whatever decodes, encodes to a frame that decodes to the same.

#![no_main]

use chikaku_core::advertisement::AdvertisementFormat;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    let format = AdvertisementFormat::default();
    if let Ok(advertisement) = format.decode(data) {
        assert_eq!(format.decode(&format.encode(&advertisement)), Ok(advertisement));
    }
});
