//! The content of a package of warnings. Whatever can be read survives being written and read
//! again, and nothing of it is authentic for a venue that nobody warned about.

#![no_main]

use chikaku_core::venue::package::read_unsigned;
use chikaku_core::venue::{PackageLimits, VenueId, WarningPackageWriter};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    let limits = PackageLimits::default();
    let venue = VenueId::from_bytes([7; 32]);
    let mut warnings = Vec::new();
    let Ok(_unreadable) = read_unsigned(data, &limits, &mut |warning| {
        assert!(warning.open(&venue).is_err());
        warnings.push(warning.clone());
    }) else {
        return;
    };
    let written = WarningPackageWriter::new("").warnings(warnings.clone()).content();
    let mut again = Vec::new();
    let unreadable = read_unsigned(&written, &limits, &mut |warning| again.push(warning.clone()));
    assert_eq!(unreadable, Ok(0));
    warnings.sort_unstable();
    assert_eq!(again, warnings);
});
