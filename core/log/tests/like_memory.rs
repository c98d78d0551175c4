//! The log on disk says what the log in memory says, after any changes and any reopening.

#![allow(clippy::unwrap_used, reason = "a test may fail by panicking")]

mod support;

use chikaku_core::encounter_log::{Change, EncounterLog, MemoryLog};
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
