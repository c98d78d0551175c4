//! A room full of invented identifiers, and one real neighbour.

#![allow(clippy::unwrap_used, reason = "a test that fails may panic")]

use std::collections::HashMap;

use chikaku_core::advertisement::Advertisement;
use chikaku_core::flood::{FloodGuard, FloodLimits};
use chikaku_core::keys::{AssociatedEncryptedMetadata, RollingProximityIdentifier};
use chikaku_core::sighting::ReceivedAdvertisement;
use chikaku_core::signal::RssiDbm;
use chikaku_core::time::{Timestamp, UtcDay};
use proptest::prelude::*;
use rand_chacha::ChaCha20Rng;
use rand_core::{Rng, SeedableRng};

fn heard(identifier: [u8; 16], seconds: u64, rssi: Option<i16>) -> ReceivedAdvertisement {
    let start = UtcDay::new(20_000).start();
    ReceivedAdvertisement {
        heard_at: start.saturating_add(u32::try_from(seconds).unwrap()),
        rssi: rssi.map(|dbm| RssiDbm::new(dbm).unwrap()),
        advertisement: Advertisement {
            identifier: RollingProximityIdentifier::from_bytes(identifier),
            metadata: AssociatedEncryptedMetadata::from_bytes([0; 4]),
        },
    }
}

fn noise(rng: &mut ChaCha20Rng, count: usize, at: u64, rssi: i16) -> Vec<ReceivedAdvertisement> {
    let mut one = || {
        let mut identifier = [0; 16];
        rng.fill_bytes(&mut identifier);
        heard(identifier, at, Some(rssi))
    };
    (0..count).map(|_| one()).collect()
}

/// How many of the scans in which a weak neighbour was heard kept it, and how much was kept.
fn attack(hours: u64, flood_rssi: i16, frames: usize) -> (u32, u32, u64) {
    let mut rng = ChaCha20Rng::seed_from_u64(15);
    let mut guard = FloodGuard::default();
    let (mut scans, mut kept_neighbour, mut stored) = (0, 0, 0);
    for at in (0..hours * 3_600).step_by(250) {
        let mut identifier = [0; 16];
        identifier[..8].copy_from_slice(&(at / 600).to_be_bytes());
        identifier[15] = 1;
        let mut received = noise(&mut rng, 10_000, at, flood_rssi);
        received.extend((0..frames).map(|_| heard(identifier, at, Some(-85))));
        let total = received.len() as u64;
        let (kept, drops) = guard.admit(at, received);
        assert_eq!(kept.len() as u64 + drops.total(), total, "everything is kept or counted");
        scans += 1;
        kept_neighbour +=
            u32::from(kept.iter().any(|s| *s.advertisement.identifier.as_bytes() == identifier));
        stored += kept.len() as u64;
    }
    (scans, kept_neighbour, stored)
}

#[test]
fn c15_flood() {
    let (scans, kept, stored) = attack(1, -40, 7);
    assert_eq!(kept, scans, "a neighbour that is heard as often as real phones is never lost");
    let limits = FloodLimits::default();
    assert!(stored <= scans as u64 * u64::from(limits.identifiers_per_scan + 6), "{stored}");
}

#[test]
fn c15_flood_heard_once_a_scan() {
    // With one frame a scan nothing but the scan before speaks for the neighbour: the first scan
    // of each identifier is lost, the others are not.
    let (scans, kept, _) = attack(6, -40, 1);
    assert!(kept * 2 >= scans, "{kept} of {scans}");
}

#[test]
fn c15_flood_of_a_day_is_bounded() {
    let (scans, kept, stored) = attack(24, -40, 7);
    assert_eq!(kept, scans);
    let limits = FloodLimits::default();
    assert!(stored < u64::from(limits.identifiers_per_day) + u64::from(scans) * 7, "{stored}");
}

#[test]
fn a_crowd_without_a_flood_is_kept_whole() {
    let mut rng = ChaCha20Rng::seed_from_u64(1);
    let mut guard = FloodGuard::default();
    for period in 0..144 {
        let crowd = noise(&mut rng, 40, 0, -70);
        for scan in 0..2 {
            let at = period * 600 + scan * 300;
            let repeat = |s: &ReceivedAdvertisement| {
                vec![heard(*s.advertisement.identifier.as_bytes(), at, Some(-70)); 9]
            };
            let received: Vec<_> = crowd.iter().flat_map(repeat).collect();
            let (kept, drops) = guard.admit(at, received);
            assert_eq!((kept.len(), drops.total()), (360, 0), "at {at} s");
        }
    }
}

#[test]
fn of_one_identifier_the_strongest_are_kept() {
    let limits = FloodLimits { sightings_per_identifier: 2, ..FloodLimits::default() };
    let mut guard = FloodGuard::new(limits);
    let received = vec![
        heard([1; 16], 1, Some(-80)),
        heard([1; 16], 2, None),
        heard([1; 16], 3, Some(-60)),
        heard([1; 16], 4, Some(-70)),
    ];
    let (kept, drops) = guard.admit(0, received);
    let rssi: Vec<_> = kept.iter().map(|s| s.rssi.map(RssiDbm::dbm)).collect();
    assert_eq!(rssi, [Some(-60), Some(-70)]);
    assert_eq!(drops.sightings_per_identifier, 2);
}

#[test]
fn newcomers_have_places_among_the_known() {
    let limits = FloodLimits { identifiers_per_scan: 8, ..FloodLimits::default() };
    let mut guard = FloodGuard::new(limits);
    let known: Vec<_> = (0..50).map(|n| heard([n; 16], 0, Some(-40))).collect();
    guard.admit(0, known.clone());
    let mut received = known;
    received.push(heard([99; 16], 300, Some(-90)));
    let (kept, _) = guard.admit(300, received);
    assert_eq!(kept.len(), 8);
    assert!(kept.iter().any(|s| s.advertisement.identifier.as_bytes()[0] == 99));
}

#[test]
fn no_identifier_is_printed() {
    let mut guard = FloodGuard::default();
    guard.admit(0, vec![heard([0xc0; 16], 0, None)]);
    let text = format!("{guard:?}").to_lowercase();
    assert!(!text.contains("c0c0") && !text.contains(&0xc0c0_c0c0_u32.to_string()), "{text}");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn quotas_hold_and_the_order_of_delivery_does_not_matter(
        scans in prop::collection::vec(
            (0..20_000_u64, prop::collection::vec((0..30_u8, -100..0_i16), 0..80)), 1..40,
        ),
        per_scan in 0..20_u32, per_identifier in 0..5_u32,
        identifiers_per_day in 0..200_u32, sightings_per_day in 0..400_u32,
    ) {
        let limits = FloodLimits {
            identifiers_per_scan: per_scan,
            sightings_per_identifier: per_identifier,
            identifiers_per_day,
            sightings_per_day,
            remembered_identifiers: 20,
        };
        let (mut guard, mut reversed) = (FloodGuard::new(limits), FloodGuard::new(limits));
        let (mut elapsed, mut log): (u64, Vec<(u64, u64)>) = (0, Vec::new());
        for (passed, received) in scans {
            elapsed += passed;
            let received: Vec<_> =
                received.into_iter().map(|(n, dbm)| heard([n; 16], elapsed, Some(dbm))).collect();
            let total = received.len() as u64;
            let backwards = received.iter().rev().copied().collect();
            let (kept, drops) = guard.admit(elapsed, received);
            prop_assert_eq!(&kept, &reversed.admit(elapsed, backwards).0);
            prop_assert_eq!(kept.len() as u64 + drops.total(), total);
            let mut counts: HashMap<_, u32> = HashMap::new();
            for sighting in &kept {
                *counts.entry(sighting.advertisement.identifier).or_default() += 1;
            }
            prop_assert!(counts.len() <= per_scan as usize);
            prop_assert!(counts.values().all(|count| *count <= per_identifier));
            log.push((elapsed, kept.len() as u64));
            let day: u64 =
                log.iter().filter(|(at, _)| elapsed - at < 86_400).map(|(_, n)| n).sum();
            let allowed = u64::from(sightings_per_day).max(2);
            prop_assert!(day <= allowed + 1, "{} of {}", day, allowed);
            // A restart keeps the quotas; what was heard in the last scans is heard again.
            for guard in [&mut guard, &mut reversed] {
                let stored = serde_json::to_string(&*guard).unwrap();
                *guard = serde_json::from_str(&stored).unwrap();
            }
        }
        let _ = Timestamp::EPOCH;
    }
}
