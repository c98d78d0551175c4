//! The chain from a broadcast to a notification, end to end, and broken on purpose at each link.

#![allow(clippy::unwrap_used, reason = "a test may fail by panicking")]

use chikaku_core::matching::MatchingRules;
use chikaku_simulator::scenario::Scenario;
use chikaku_simulator::world::{Outcome, World};

const SEED: u64 = 1;

fn run(change: impl FnOnce(&mut Scenario)) -> Outcome {
    let mut scenario = Scenario::office_lunch().unwrap();
    change(&mut scenario);
    World::new(&scenario, SEED).run(|_| {})
}

#[test]
fn those_at_the_same_table_are_notified_and_nobody_far_away() {
    let outcome = run(|_| {});
    assert_eq!(outcome.diagnosed().collect::<Vec<_>>(), ["Aoi"]);
    let notified = outcome.notified();
    // 50 minutes at 0.7 m and 0.8 m; 35 minutes at 0.5 m.
    for near in ["Haru", "Mei", "Ren"] {
        assert!(notified.contains(&near), "{near} is missing from {notified:?}");
    }
    // The other table, the far end of the carriage, five minutes in the queue, and Aoi.
    for far in ["Yui", "Riku", "Hina", "Kaito", "Itsuki", "Sakura", "Aoi"] {
        assert!(!notified.contains(&far), "{far} is in {notified:?}");
    }
    assert!(outcome.refused_files.is_empty());
}

#[test]
fn one_seed_gives_one_trace_and_another_seed_another() {
    let (one, same) = (run(|_| {}), run(|_| {}));
    assert_eq!(one, same);
    let scenario = Scenario::office_lunch().unwrap();
    let other = World::new(&scenario, SEED + 1).run(|_| {});
    assert_ne!(one.digest, other.digest);
}

#[test]
fn the_trace_is_the_same_on_every_machine() {
    // A change of this digest is a change of behaviour; say in the changelog which. The last one:
    // offsets of phone models are relative to the mean phone to which the path loss was fitted.
    assert_eq!(hex::encode(run(|_| {}).digest), GOLDEN_DIGEST);
}

const GOLDEN_DIGEST: &str = "03884e39394c0229db7e9fdc5a819b89883cbd0dd3523b74e1e96a2ecc97e3ff";

#[test]
fn an_untrusted_signature_silences_everyone_and_every_phone_says_so() {
    let outcome = run(|scenario| scenario.interference.untrusted_signature = true);
    assert!(outcome.notified().is_empty());
    assert_eq!(outcome.refused_files.len(), outcome.scenario.phones.len());
    assert!(outcome.refused_files[0].contains("signature"), "{:?}", outcome.refused_files);
}

#[test]
fn a_clock_that_is_off_needs_the_tolerance() {
    let slow = |scenario: &mut Scenario| {
        scenario.phones[0].clock_error_seconds = -5_400;
    };
    let with = run(slow);
    assert!(with.notified().contains(&"Haru"));
    let without = run(|scenario| {
        slow(scenario);
        let strict = MatchingRules { tolerance_intervals: 0, ..MatchingRules::default() };
        scenario.interference.matching = Some(strict);
    });
    assert!(without.notified().is_empty());
}

#[test]
fn a_minimum_score_out_of_reach_silences_everyone() {
    let outcome = run(|scenario| scenario.interference.minimum_window_score = Some(1e9));
    assert!(outcome.notified().is_empty());
    // The keys were matched all the same; only the score was not believed.
    assert!(outcome.phones.iter().any(|phone| phone.matched_identifiers > 0));
}

#[test]
fn nobody_is_notified_without_a_diagnosis() {
    let outcome = run(|scenario| scenario.diagnoses.clear());
    assert!(outcome.notified().is_empty());
    assert!(outcome.phones.iter().all(|phone| phone.windows == 0));
}
