//! An exposure_data.json. What was read survives being written and read again, and no item is
//! neither read nor named.

#![no_main]

use chikaku_core::report::cocoa_exposure_data::ExposureData;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|json: &str| {
    let Ok((data, skipped)) = ExposureData::from_json(json) else { return };
    for item in &skipped {
        assert!(!item.to_string().is_empty());
    }
    let written = data.to_json();
    let (again, none) = ExposureData::from_json(&written).expect("we wrote it");
    assert!(none.is_empty(), "{none:?}");
    assert_eq!(again, data);
    assert_eq!(again.to_json(), written);
});
