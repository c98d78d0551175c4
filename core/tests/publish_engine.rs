//! Release from a running engine: what is published is never on the air again.

#![allow(clippy::unwrap_used, reason = "a test may fail by panicking")]

mod engine_support;

use std::collections::BTreeSet;
use std::process::Command;

use chikaku_core::diagnosis_key::{DiagnosisKey, ReportType};
use chikaku_core::encounter_log::MemoryLog;
use chikaku_core::engine::Input;
use chikaku_core::local_time::UtcOffset;
use chikaku_core::publish::{Basis, Consent, LocalDate, ReleaseRequest};
use chikaku_core::time::IntervalNumber;
use engine_support::{DAY, Host, disclosed, plan_of};
use proptest::prelude::*;
use sha2::{Digest, Sha256};

fn request(host: &Host<MemoryLog>, days_ago: u32, minutes: i16) -> ReleaseRequest {
    let day = host.now.day().saturating_sub(days_ago).days_since_1970();
    let date = LocalDate::new(day, UtcOffset::new(i64::from(minutes)).unwrap()).unwrap();
    let consent = Consent::given_by_user(host.now);
    ReleaseRequest::new(consent, ReportType::ConfirmedTest, Basis::SymptomOnset(date))
}

/// What the phone puts on the air during the next intervals, by interval.
fn on_the_air(host: &mut Host<MemoryLog>, intervals: u32) -> Vec<(IntervalNumber, [u8; 16])> {
    let mut heard = Vec::new();
    for _ in 0..intervals {
        if let Some(plan) = plan_of(&host.tell(Input::Wake)) {
            heard.push((host.now.interval(), *plan.payload.identifier.as_bytes()));
            host.tell(Input::AdvertisingStarted { plan: plan.number });
        }
        host.pass(600);
    }
    heard
}

/// The identifiers that anybody can make from a published key.
fn identifiers(keys: &[DiagnosisKey]) -> BTreeSet<[u8; 16]> {
    let of = |key: &DiagnosisKey| {
        let maker = key.identifier_key();
        let (start, end) = (key.rolling_start().get(), key.rolling_end().get());
        (start..end).map(move |i| *maker.identifier(IntervalNumber::new(i)).as_bytes()).collect()
    };
    keys.iter().flat_map(|key| -> Vec<_> { of(key) }).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn what_is_released_is_never_on_the_air_again(
        releases in prop::collection::vec((1..400_u32, 0..4_u32, -720..=840_i16), 1..4),
        set_back_seconds in 0..300_000_i64,
        seed: u64,
    ) {
        let mut host = Host::new(MemoryLog::new(), seed);
        host.tell(Input::Start);
        let mut published: Vec<DiagnosisKey> = Vec::new();
        let mut aired = Vec::new();
        for (intervals, days_ago, minutes) in releases {
            aired.extend(on_the_air(&mut host, intervals));
            let request = request(&host, days_ago, minutes);
            let keys = disclosed(host.tell(Input::Disclose(request.disclosure())));
            let Ok(release) = request.release(&keys, host.now, &mut host.rng) else { continue };
            // Of the engine's own keys none has to wait.
            let sendable = release.sendable(host.now);
            prop_assert_eq!(sendable.len(), release.keys().len());
            published.extend(sendable);
            let could_be_made = identifiers(&published);
            // At most one key is active, so that a moment later one identifier is on the air, and
            // it is none of those.
            for (interval, identifier) in on_the_air(&mut host, 200) {
                prop_assert!(!could_be_made.contains(&identifier), "{interval:?}");
            }
        }
        // Not even if the clock is set back into the validity of what was published.
        host.set_clock_by(-set_back_seconds);
        let could_be_made = identifiers(&published);
        for (interval, identifier) in on_the_air(&mut host, 200) {
            prop_assert!(!could_be_made.contains(&identifier), "{interval:?}");
        }
        // Published keys never overlap; the same key may be published again with a later release.
        published.sort_unstable();
        published.dedup_by_key(|key| *key.as_bytes());
        published.sort_unstable_by_key(DiagnosisKey::rolling_start);
        let ends = published.iter().map(DiagnosisKey::rolling_end);
        let overlaps = ends.zip(published.iter().skip(1)).any(|(end, key)| key.rolling_start() < end);
        prop_assert!(!overlaps);
        let intervals: BTreeSet<_> = aired.iter().map(|(interval, _)| *interval).collect();
        prop_assert_eq!(intervals.len(), aired.len(), "one identifier for each interval");
    }
}

/// What a release and the requests after it come to, as one hash.
fn digest() -> String {
    let mut host = Host::new(MemoryLog::new(), 1);
    host.tell(Input::Start);
    on_the_air(&mut host, 500);
    let mut hash = Sha256::new();
    for minutes in (-720..=840).step_by(15) {
        let request = request(&host, 1, minutes);
        hash.update(format!("{:?}", request.basis.date().to_string()));
        let keys = disclosed(host.tell(Input::Disclose(request.disclosure())));
        let release = request.release(&keys, host.now, &mut host.rng).unwrap();
        hash.update(serde_json::to_vec(&release).unwrap());
        host.pass(600);
    }
    assert!(host.now > DAY.start());
    hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect()
}

#[test]
#[ignore = "run by results_do_not_depend_on_the_hosts_time_zone"]
fn print_digest() {
    #![allow(clippy::print_stdout, reason = "the other test reads it")]
    println!("digest {}", digest());
}

#[test]
fn results_do_not_depend_on_the_hosts_time_zone() {
    let here = digest();
    for zone in ["UTC", "Asia/Tokyo", "America/St_Johns", "Pacific/Kiritimati", "XYZ+11:30"] {
        let output = Command::new(std::env::current_exe().unwrap())
            .args(["--ignored", "--exact", "print_digest", "--nocapture"])
            .env("TZ", zone)
            .output()
            .unwrap();
        let text = String::from_utf8(output.stdout).unwrap();
        assert!(text.contains(&format!("digest {here}")), "{zone}: {text}");
    }
}
