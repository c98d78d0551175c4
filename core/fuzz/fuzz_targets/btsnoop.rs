//! Captures: no byte sequence panics, and what was read is the same when it is read again.

#![no_main]

use chikaku_radio::capture::{Capture, CaptureOptions};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|file: &[u8]| {
    let options = CaptureOptions { utc_offset_seconds: 7200, ..CaptureOptions::default() };
    let capture = Capture::read(file, &options);
    if let Ok(capture) = &capture {
        let handed_over = capture.scans().iter().map(|scan| scan.sightings.len() as u64);
        assert!(handed_over.sum::<u64>() <= capture.report().reports);
        for scan in capture.scans() {
            let _ = scan.to_scan_result();
        }
    }
    assert_eq!(capture, Capture::read(file, &options));
});
