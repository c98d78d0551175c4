//! A hundred thousand warnings against fourteen days of visits. The figure is printed, not asserted:
//!
//! ```sh
//! cargo test --release -p chikaku-core --test venue_volume -- --nocapture
//! ```

#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    clippy::disallowed_methods,
    reason = "a test may fail by panicking; this one prints how long it took"
)]

use std::time::Instant;

use chikaku_core::export::{KeyIdentity, SigningKey, TrustedKeys};
use chikaku_core::time::UtcDay;
use chikaku_core::venue::code::{Declaration, DefaultStay, NewVenue};
use chikaku_core::venue::stay::WarnedIntervals;
use chikaku_core::venue::{
    PackageLimits, VenueCode, VenueDiary, VenueType, Warning, WarningPackage, WarningPackageWriter,
};
use rand_chacha::ChaCha20Rng;
use rand_core::SeedableRng;

const WARNINGS: u32 = 100_000;

#[test]
fn a_hundred_thousand_warnings_against_fourteen_days_of_visits() {
    let key = SigningKey::from_scalar(KeyIdentity::new("440", "v1"), &[7; 32]).unwrap();
    let mut rng = ChaCha20Rng::seed_from_u64(1);
    let first = UtcDay::new(20_000);
    let declaration = Declaration { measures: Vec::new(), issued_on: first };
    let (venue_type, default_stay) = (VenueType::PermanentRetail, DefaultStay::from_minutes(60));
    let venue = NewVenue { venue_type, default_stay, name: None, declaration };
    let mut diary = VenueDiary::default();
    let mut visited = Vec::new();
    for visit in 0..14 * 8_u32 {
        let code = VenueCode::read(&venue.issue(&key, &mut rng).unwrap()).unwrap();
        let hour = first.start().saturating_add(visit / 8 * 86_400 + visit % 8 * 7_200);
        diary.check_in(&code, hour).unwrap();
        visited.push((code.id(), hour));
    }
    // One warning in a hundred is of a place that was visited, at the time.
    let warnings = (0..WARNINGS).map(|number| {
        let (mut id, hour) = visited[number as usize % visited.len()];
        if number % 100 != 0 {
            id = chikaku_core::venue::VenueId::from_bytes([(number % 251) as u8; 32]);
        }
        let intervals = WarnedIntervals { start: hour.interval(), period: 6 };
        Warning::new(intervals, 5).unwrap().protect(&id, &mut rng)
    });
    let zip = WarningPackageWriter::new("440").warnings(warnings).write(&key).unwrap();
    let now = first.saturating_add(14).start();
    let trusted = TrustedKeys::from(key.trusted_key());

    let before = memory_kib().and_then(|_| memory_kib()); // what there is now, not what was
    let begun = Instant::now();
    let package = WarningPackage::verify(&zip, &trusted, PackageLimits::default()).unwrap();
    let verified = begun.elapsed();
    let report = diary.ingest(&package, now).unwrap();
    let all = begun.elapsed();
    let more = before.zip(memory_kib()).map(|(before, peak)| peak.saturating_sub(before));
    let more = more.map_or_else(|| "not known here".to_owned(), |more| format!("{more} KiB"));
    println!(
        "{WARNINGS} warnings ({} bytes) against {} visits: verified in {verified:.3?}, \
         verified and matched in {all:.3?}, {} matches; memory above the package: {more}",
        zip.len(),
        visited.len(),
        report.matched
    );
    assert_eq!(report.warnings, u64::from(WARNINGS));
    assert_eq!((report.of_visited_places, report.matched, report.refused), (1_000, 1_000, 0));
}

/// The most memory this process has had since this was last asked; only Linux tells.
fn memory_kib() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    let peak = peak.trim().strip_suffix("kB")?.trim().parse().ok()?;
    std::fs::write("/proc/self/clear_refs", "5").ok()?; // the peak is counted from here
    Some(peak)
}
