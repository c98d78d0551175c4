//! Every fast way to match against the plain one, on ten thousand random logs for each.

#![allow(clippy::unwrap_used, reason = "a test may fail by panicking")]

mod matching_support;

use chikaku_core::export::{KeyList, PublishedKey};
use chikaku_core::matching::{
    InstructionSet, Matcher, MatchingRules, NEAR_MISS_INTERVALS, SightingIndex, Strategy,
};
use chikaku_core::time::{IntervalNumber, RollingPeriod, Timestamp};
use matching_support::{Case, Random, Size, sighting};

const STRATEGIES: [Strategy; 3] = [Strategy::Automatic, Strategy::Encrypt, Strategy::Decrypt];

fn all_ways_agree(seed: u64, size: Size, met: &mut Met) {
    let case = Case::new(seed, size);
    let heard = case.index();
    let plain = case.report(&heard, InstructionSet::Portable, Strategy::Plain);
    met.matches += plain.matches.len();
    met.near_misses += usize::try_from(plain.near_misses.keys).unwrap();
    met.own += usize::try_from(plain.own_keys_excluded).unwrap();
    for instructions in InstructionSet::ALL.into_iter().filter(|set| set.is_available()) {
        for strategy in STRATEGIES {
            let fast = case.report(&heard, instructions, strategy);
            assert_eq!(fast, plain, "seed {seed}, {instructions}, {strategy:?}");
        }
    }
}

/// Proof that the cases were not empty.
#[derive(Debug, Default)]
struct Met {
    matches: usize,
    near_misses: usize,
    own: usize,
}

#[test]
fn ten_thousand_small_cases() {
    let mut met = Met::default();
    for seed in 0..10_000 {
        let size = Size {
            keys: 1 + u32::try_from(seed % 19).unwrap(),
            sightings_of_keys: 12,
            strangers: 8,
        };
        all_ways_agree(seed, size, &mut met);
    }
    assert!(met.matches > 10_000 && met.near_misses > 5_000 && met.own > 1_000, "{met:?}");
}

#[test]
fn a_hundred_larger_cases() {
    let mut met = Met::default();
    for seed in 20_000..20_100 {
        all_ways_agree(
            seed,
            Size { keys: 150, sightings_of_keys: 300, strangers: 4_000 },
            &mut met,
        );
    }
    assert!(met.matches > 2_000 && met.near_misses > 1_000 && met.own > 500, "{met:?}");
}

/// The filters of every size, and a batch that is full.
#[test]
fn a_log_and_a_file_that_are_large() {
    let mut random = Random::new(7);
    let mut case = Case::new(30_000, Size { keys: 30_000, sightings_of_keys: 4_000, strangers: 1 });
    for (count, keys) in [(5_000, usize::MAX), (60_000, 3_000), (420_000, 3_000)] {
        case.calls.truncate(keys);
        for _ in 0..count {
            let identifier = random.bytes();
            let interval = IntervalNumber::new(18_354 * 144 + random.below(144));
            case.sightings.push(sighting(
                chikaku_core::keys::RollingProximityIdentifier::from_bytes(identifier),
                interval.start(),
            ));
        }
        let heard = case.index();
        let plain = case.report(&heard, InstructionSet::Portable, Strategy::Plain);
        assert!(plain.matches.len() > 20, "{}", plain.matches.len());
        for instructions in InstructionSet::ALL.into_iter().filter(|set| set.is_available()) {
            assert_eq!(case.report(&heard, instructions, Strategy::Automatic), plain);
        }
    }
}

/// The edges of the tolerance and of what is looked for, on both sides of every interval of a key.
#[test]
fn replays_at_every_edge() {
    let tolerance = i64::from(MatchingRules::default().tolerance_intervals);
    let reach = tolerance + i64::from(NEAR_MISS_INTERVALS);
    let mut random = Random::new(11);
    for start in [18_354 * 144, 18_354 * 144 + 71, 2_686_976 - 70] {
        let key = chikaku_core::diagnosis_key::DiagnosisKey::new(
            random.bytes(),
            IntervalNumber::new(start),
            RollingPeriod::DAY,
            chikaku_core::diagnosis_key::DiagnosisKeyDetails::default(),
        );
        let published = PublishedKey { list: KeyList::New, key };
        for interval in start..start + 144 {
            let identifier = key.identifier_key().identifier(IntervalNumber::new(interval));
            for distance in [-reach - 1, -reach, -13, -12, 0, 12, 13, reach, reach + 1] {
                let heard_in = u32::try_from(i64::from(interval) + distance).unwrap();
                let heard_at = IntervalNumber::new(heard_in).start();
                let heard: SightingIndex = [sighting(identifier, heard_at)].into_iter().collect();
                for instructions in InstructionSet::ALL.into_iter().filter(|set| set.is_available())
                {
                    let strategy = STRATEGIES[random.below(3) as usize];
                    let mut matcher = Matcher::new(&heard, MatchingRules::default())
                        .with_instructions(instructions)
                        .with_strategy(strategy);
                    matcher.check(published, Timestamp::MAX);
                    let report = matcher.finish();
                    let what = format!("{distance} from {interval}, {instructions}, {strategy:?}");
                    let counts = distance.abs() <= tolerance;
                    assert_eq!(report.matches.len(), usize::from(counts), "{what}");
                    let near = !counts && distance.abs() <= reach;
                    assert_eq!(report.near_misses.keys, u64::from(near), "{what}");
                }
            }
        }
    }
}

#[test]
fn what_a_machine_lacks_is_replaced() {
    let case = Case::new(3, Size { keys: 20, sightings_of_keys: 40, strangers: 8 });
    let heard = case.index();
    let plain = case.report(&heard, InstructionSet::Portable, Strategy::Plain);
    for instructions in InstructionSet::ALL {
        assert_eq!(case.report(&heard, instructions, Strategy::Automatic), plain);
    }
    assert!(InstructionSet::best().is_available());
}
