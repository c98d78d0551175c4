//! The table of incidents names tests that exist, for every incident.

#![allow(clippy::unwrap_used, reason = "a test may fail by panicking")]

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

/// Every `fn name(` in the Rust files below `folder`.
fn functions(folder: &Path, found: &mut BTreeSet<String>) {
    for entry in fs::read_dir(folder).unwrap().map(Result::unwrap) {
        let path = entry.path();
        if path.is_dir() {
            if entry.file_name() != "target" {
                functions(&path, found);
            }
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            let text = fs::read_to_string(&path).unwrap();
            let names = text.split("fn ").skip(1).filter_map(|rest| rest.split_once('('));
            found.extend(names.map(|(name, _)| name.to_owned()));
        }
    }
}

#[test]
fn every_incident_has_a_test_that_exists_or_a_reason() {
    let core = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut known = BTreeSet::new();
    functions(core, &mut known);
    functions(&core.join("../simulator"), &mut known);

    let table = fs::read_to_string(core.join("INCIDENTS.md")).unwrap();
    let mut listed = BTreeSet::new();
    for row in table.lines().filter(|row| row.starts_with("| I-") || row.starts_with("| C.")) {
        let cells: Vec<_> = row.trim_matches('|').split('|').map(str::trim).collect();
        let [number, _, held_by, tests] = cells[..] else { panic!("four cells: {row}") };
        listed.insert(number.to_owned());
        let names: Vec<_> = tests.split('`').skip(1).step_by(2).collect();
        for name in &names {
            assert!(known.contains(*name), "{number} names {name}, which does not exist");
        }
        let has_a_reason = held_by.starts_with("cannot") || held_by.contains("the compiler");
        assert!(!names.is_empty() || has_a_reason, "{number} has neither a test nor a reason");
    }
    let incidents = (1..=24).map(|number| format!("I-{number}"));
    let expected: BTreeSet<_> = incidents.chain((1..=44).map(|n| format!("C.{n}"))).collect();
    assert_eq!(listed, expected);
}
