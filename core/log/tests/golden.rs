//! Logs of every released schema open, and say what they said.
//!
//! A golden log is never written again once its schema is released. Before that:
//! `cargo test -p chikaku-log --test golden -- --ignored`.

#![allow(clippy::unwrap_used, reason = "a test may fail by panicking")]

mod support;

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use chikaku_core::encounter_log::{Change, EncounterLog, MemoryLog};
use chikaku_core::sighting::{ReceivedAdvertisement, ScanResult};
use chikaku_log::{LogError, Spool};
use support::changes::{
    accepted, assessed, at, cursor, day_record, diary, engine_record, exposure, forget, live_key,
    own_key, publishing, refused, scan, sighting, visits,
};
use support::{MemoryDisk, arc, create, open, said, said_by_memory};

fn folder(schema: u16) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("tests/golden/schema-{schema}"))
}

fn read(schema: u16) -> BTreeMap<String, Vec<u8>> {
    let entries = fs::read_dir(folder(schema)).unwrap().map(|entry| entry.unwrap().path());
    let name = |path: &Path| path.file_name().unwrap().to_str().unwrap().to_owned();
    entries.map(|path| (name(&path), fs::read(&path).unwrap())).collect()
}

/// What was merged, and what stands in the journal, of schema 1.
fn content() -> [Vec<Vec<Change>>; 2] {
    let merged = vec![
        vec![own_key(0, 144), own_key(1, 70), Change::DisclosedUntil(at(1, 0).interval())],
        vec![scan(0, 300, 20), scan(0, 600, 20), scan(1, 300, 3)],
        vec![exposure(1, 0, true), exposure(2, 0, false), live_key(3, 1), day_record(0, true)],
        vec![accepted(at(0, 9), 1), refused(at(0, 10)), cursor(0, 4), cursor(1, 5)],
        vec![assessed(0, 1), assessed(1, 2), engine_record(at(1, 400))],
        vec![visits(0..2, 40_000), diary(0, 30_000, 2), publishing(0..2, 3)],
        vec![scan(2, 300, 2), day_record(2, true), Change::ForgetDay(at(2, 0).day())],
        vec![Change::Sightings(vec![
            sighting(5, at(0, 900), Some(70)),
            sighting(6, at(1, 900), None),
        ])],
    ];
    let in_journal = vec![
        vec![forget(at(0, 400)), scan(1, 600, 4)],
        vec![
            exposure(2, 0, true),
            day_record(1, false),
            accepted(at(1, 11), 2),
            engine_record(at(1, 700)),
        ],
    ];
    [merged, in_journal]
}

fn spooled() -> ScanResult {
    let heard = sighting(77, at(1, 1_200), None);
    let received = ReceivedAdvertisement {
        heard_at: heard.heard_at,
        rssi: heard.rssi,
        advertisement: heard.advertisement,
    };
    let (started, ended) = (at(1, 1_199), at(1, 1_203));
    ScanResult { started, ended, received: vec![received], malformed: 0, ended_reading: None }
}

#[test]
fn schema_1_opens_and_says_what_it_said() {
    let mut expected = MemoryLog::new();
    for changes in content().into_iter().flatten() {
        let Ok(()) = expected.commit(changes);
    }
    let disk = MemoryDisk::with(&read(1));
    let mut log = open(&disk).unwrap();
    assert_eq!(log.recovery().replayed_commits, 2);
    assert_eq!(said(&log).unwrap(), said_by_memory(&expected));
    assert_eq!(log.merge_spool().unwrap().scans, 1);
    let Ok(()) = expected.commit(vec![Change::Sightings(vec![sighting(77, at(1, 1_200), None)])]);
    assert_eq!(said(&log).unwrap(), said_by_memory(&expected));
    // It is written on, and read again.
    log.commit(vec![scan(1, 1_500, 2)]).unwrap();
    log.maintain().unwrap();
    drop(log);
    let Ok(()) = expected.commit(vec![scan(1, 1_500, 2)]);
    assert_eq!(said(&open(&disk).unwrap()).unwrap(), said_by_memory(&expected));
}

#[test]
fn a_later_schema_is_named_and_left_alone() {
    let mut files = read(1);
    files.get_mut("keys").unwrap()[8] = 2;
    let disk = MemoryDisk::with(&files);
    let found = open(&disk);
    assert!(matches!(found, Err(LogError::NewerSchema { found: 2, known: 1 })));
    assert!(disk.image() == files);
}

#[test]
#[ignore = "writes the golden log of a schema that is not released yet"]
fn write() {
    let disk = MemoryDisk::new();
    let mut log = create(&disk);
    let [merged, in_journal] = content();
    merged.into_iter().for_each(|changes| log.commit(changes).unwrap());
    log.maintain().unwrap();
    in_journal.into_iter().for_each(|changes| log.commit(changes).unwrap());
    drop(log);
    Spool::open(arc(&disk)).unwrap().append(&spooled()).unwrap();
    fs::create_dir_all(folder(1)).unwrap();
    for (name, bytes) in disk.image() {
        fs::write(folder(1).join(name), bytes).unwrap();
    }
}
