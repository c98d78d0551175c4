//! The log on disk says what the log in memory says, after any changes and any reopening.

#![allow(clippy::unwrap_used, reason = "a test may fail by panicking")]

mod support;

use chikaku_core::encounter_log::{AcceptedConfiguration, Change, EncounterLog, MemoryLog};
use proptest::prelude::*;
use support::{MemoryDisk, changes, create, open, said, said_by_memory};

#[derive(Clone, Debug)]
enum Step {
    Commit(Vec<Change>),
    Reopen,
    Maintain,
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        6 => proptest::collection::vec(changes::any_change(), 0..4).prop_map(Step::Commit),
        1 => Just(Step::Reopen),
        1 => Just(Step::Maintain),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn any_changes_in_any_grouping_with_any_reopening(
        steps in proptest::collection::vec(step(), 0..24),
    ) {
        let disk = MemoryDisk::new();
        let mut log = create(&disk);
        let mut reference = MemoryLog::new();
        for step in steps {
            match step {
                Step::Commit(changes) => {
                    let Ok(()) = reference.commit(changes.clone());
                    log.commit(changes).unwrap();
                }
                Step::Reopen => {
                    drop(log);
                    log = open(&disk).unwrap();
                }
                Step::Maintain => {
                    log.maintain().unwrap();
                }
            }
            prop_assert_eq!(said(&log).unwrap(), said_by_memory(&reference));
        }
        drop(log);
        prop_assert_eq!(said(&open(&disk).unwrap()).unwrap(), said_by_memory(&reference));
    }
}

/// Each scan writes the engine's record, which is mostly a configuration that did not change.
#[test]
fn the_configuration_stays_with_every_record_of_the_engine() {
    let record = |profile: Option<usize>, second| {
        let Change::Engine(mut record) = changes::engine_record(changes::at(1, second)) else {
            unreachable!("it is the engine's record")
        };
        record.accepted = profile.map(|profile| AcceptedConfiguration {
            profile: changes::profiles()[profile].clone(),
            version: None,
        });
        Change::Engine(record)
    };
    let (a, b, none) = (Some(0), Some(1), None);
    let commits = vec![
        vec![record(none, 1)],
        vec![record(a, 2)],
        vec![record(a, 3)],
        vec![record(b, 4), record(b, 5), record(a, 6), record(a, 7)],
        vec![record(a, 8)],
        vec![Change::ForgetEverything],
        vec![record(a, 9)],
        vec![Change::ForgetEverything, record(a, 10)],
        vec![record(a, 11)],
        vec![record(none, 12)],
        vec![record(none, 13)],
        vec![record(b, 14)],
        vec![record(b, 15)],
    ];
    // Merged after every commit, after every other, …, and never.
    for every in 1..=commits.len() {
        let disk = MemoryDisk::new();
        let mut log = create(&disk);
        let mut reference = MemoryLog::new();
        for (number, changes) in (1..).zip(&commits) {
            let Ok(()) = reference.commit(changes.clone());
            log.commit(changes.clone()).unwrap();
            if number % every == 0 {
                log.maintain().unwrap();
            }
            assert_eq!(said(&log).unwrap(), said_by_memory(&reference), "commit {number}");
            drop(log);
            log = open(&disk).unwrap();
            assert_eq!(said(&log).unwrap(), said_by_memory(&reference), "commit {number}, opened");
        }
    }
}
