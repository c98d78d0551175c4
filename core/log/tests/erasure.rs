//! A forgotten day is gone: from what can be read, from the directory's bytes, and for everyone
//! who has the root key and all earlier ciphertext.

#![allow(clippy::unwrap_used, reason = "a test may fail by panicking")]

mod support;

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::sync::Arc;

use chikaku_core::encounter_log::{Change, EncounterLog};
use chikaku_core::sighting::Sighting;
use chikaku_log::disk::Directory;
use chikaku_log::{DurableLog, LogError, RootKey};
use support::changes::{
    accepted, at, bytes, day_record, diary, exposure, forget, live_key, own_key, publishing, scan,
    visits,
};
use support::{MemoryDisk, ROOT, open, said};

type Files = BTreeMap<String, Vec<u8>>;

fn files(folder: &Path) -> Files {
    let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let name = |path: &Path| path.file_name().unwrap().to_str().unwrap().to_owned();
    entries.map(|path| (name(&path), fs::read(&path).unwrap())).collect()
}

fn occurs(needle: &[u8], files: &Files) -> bool {
    files.values().any(|bytes| bytes.windows(needle.len()).any(|window| window == needle))
}

fn one_day(log: &mut DurableLog, day: u32) {
    log.commit(vec![own_key(day, 144)]).unwrap();
    for number in 0..100 {
        log.commit(vec![scan(day, number * 800, 30)]).unwrap();
    }
    let found = vec![exposure(1, day, false), live_key(9, day), accepted(at(day, 9), 1)];
    log.commit(found).unwrap();
    log.commit(vec![day_record(day, true)]).unwrap();
}

fn two_days(log: &mut DurableLog) {
    one_day(log, 0);
    one_day(log, 1);
}

fn identifiers(sightings: &[Sighting], day: u32) -> Vec<[u8; 16]> {
    let on_day = sightings.iter().filter(|sighting| sighting.heard_at.day() == at(day, 0).day());
    on_day.map(|sighting| *sighting.advertisement.identifier.as_bytes()).collect()
}

#[test]
fn of_a_forgotten_day_nothing_is_left_that_anything_left_could_open() {
    let folder = tempfile::tempdir().unwrap();
    let disk = Arc::new(Directory::hold(folder.path()).unwrap());
    let mut log = DurableLog::create(disk, &ROOT).unwrap();
    one_day(&mut log, 0);
    log.maintain().unwrap();
    let first_day = files(folder.path());
    one_day(&mut log, 1);
    let before = files(folder.path());
    let planted = identifiers(&said(&log).unwrap().sightings, 0);
    assert_eq!(planted.len(), 6_000);

    log.commit(vec![forget(at(1, 0))]).unwrap();
    let after = files(folder.path());

    // Nothing planted stands in clear, before or after.
    for needle in planted.iter().step_by(97).chain([&bytes(9_000_000), &bytes(7_000_001)]) {
        assert!(!occurs(needle, &before) && !occurs(needle, &after));
    }
    // It cannot be read any more; the next day can.
    let left = said(&log).unwrap();
    assert!(identifiers(&left.sightings, 0).is_empty());
    assert_eq!(identifiers(&left.sightings, 1).len(), 6_000);
    assert_eq!((left.own_keys.len(), left.exposures.len(), left.audit.len()), (1, 1, 1));

    // With the root key, the copy from before opens: the copy is a good one.
    let copy = said(&open(&MemoryDisk::with(&before)).unwrap()).unwrap();
    assert!(identifiers(&copy.sightings, 0) == planted);

    // All ciphertext from before, and the keys that are left: nothing of the day opens.
    let mut mixed = before.clone();
    mixed.insert("keys".to_owned(), after["keys"].clone());
    let Err(LogError::Corrupt(corrupt)) = open(&MemoryDisk::with(&mixed)) else {
        panic!("the keys that are left open everything");
    };
    let recovered = &corrupt.salvaged.changes;
    let of_day_0 = |change: &Change| match change {
        Change::Sightings(sightings) => !identifiers(sightings, 0).is_empty(),
        Change::OwnKey(key) => key.rolling_start().day() == at(0, 0).day(),
        Change::Day(record) => record.assessment.day == at(0, 0).day(),
        Change::Exposure(exposure) => {
            exposure.windows.iter().any(|window| window.day() == at(0, 0).day())
        }
        Change::Audit(entry) => entry.at.day() == at(0, 0).day(),
        _ => false,
    };
    assert!(!recovered.iter().any(of_day_0), "the keys that are left open the forgotten day");
    assert!(corrupt.salvaged.sightings > 0, "the other day can be saved");

    // The old list of keys itself is overwritten.
    let old_keys = &before["keys"];
    for window in old_keys[42..].chunks_exact(16) {
        assert!(!occurs(window, &after), "a part of the old list of keys is left");
    }

    // And the ciphertext of the day is overwritten.
    let left = |files: &Files| {
        // Pages that are full to the end hold sightings; the others are filled up with one byte.
        let is_filler = |bytes: &[u8]| bytes.iter().all(|byte| *byte == bytes[0]);
        let is_full = |page: &&[u8]| !page[..4_000].windows(12).any(is_filler);
        let pages = first_day["pages"].chunks_exact(4096).skip(1).filter(is_full);
        pages.filter(|page| occurs(&page[1_024..1_056], files)).count()
    };
    assert!(left(&before) > 15, "the day is in the pages: {}", left(&before));
    assert_eq!(left(&after), 0, "of {} pages of ciphertext", left(&before));
}

/// A file that lost its name is still on the medium.
#[test]
fn the_old_list_of_keys_is_overwritten_and_not_only_unlinked() {
    let disk = MemoryDisk::new();
    let mut log = support::create(&disk);
    two_days(&mut log);
    let old = disk.image()["keys"][42..].to_vec();
    let occurs = |disk: &MemoryDisk| {
        let sealed = old.chunks_exact(16);
        let on = |piece: &[u8]| {
            disk.medium().iter().any(|file| file.windows(16).any(|bytes| bytes == piece))
        };
        sealed.filter(|piece| on(piece)).count()
    };
    assert_eq!(occurs(&disk), old.len() / 16);
    log.commit(vec![forget(at(1, 0))]).unwrap();
    assert_eq!(occurs(&disk), 0);
}

#[test]
fn after_a_change_of_the_root_key_the_old_one_opens_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let disk = Arc::new(Directory::hold(folder.path()).unwrap());
    let mut log = DurableLog::create(disk, &ROOT).unwrap();
    two_days(&mut log);
    let expected = said(&log).unwrap();
    let new = RootKey::generate().unwrap();
    log.rotate_root_key(&new).unwrap();
    drop(log);
    let found = files(folder.path());
    assert!(matches!(open(&MemoryDisk::with(&found)), Err(LogError::WrongRootKey)));
    let disk = Arc::new(MemoryDisk::with(&found));
    let log = DurableLog::open(disk, &new, None).unwrap();
    assert_eq!(said(&log).unwrap(), expected);
}

#[test]
fn one_process_at_a_time_and_nobody_else_may_read() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("log");
    let held = Directory::hold(&path).unwrap();
    let second = Directory::hold(&path).unwrap_err();
    assert_eq!(second.kind(), std::io::ErrorKind::WouldBlock);
    let log = DurableLog::create(Arc::new(held), &ROOT).unwrap();
    #[cfg(unix)]
    for entry in fs::read_dir(&path).unwrap() {
        use std::os::unix::fs::PermissionsExt;
        let mode = entry.unwrap().metadata().unwrap().permissions().mode();
        assert_eq!(mode & 0o077, 0);
    }
    drop(log);
    DurableLog::wipe(&Directory::hold(&path).unwrap()).unwrap();
    let left: Vec<_> = files(&path).into_keys().collect();
    assert_eq!(left, ["lock"]);
}

#[test]
fn nothing_that_is_printed_shows_a_key_or_an_identifier() {
    let disk = MemoryDisk::new();
    let mut log = support::create(&disk);
    two_days(&mut log);
    let text = format!("{log:?} {:?} {:?}", log.marker(), log.recovery());
    let planted = identifiers(&said(&log).unwrap().sightings, 1);
    let hex = |bytes: &[u8]| bytes.iter().map(|byte| format!("{byte:02x}")).collect::<String>();
    for bytes in planted.iter().take(50) {
        assert!(!text.contains(&hex(bytes)) && !text.contains(&format!("{bytes:?}")));
    }
    assert!(text.len() < 600, "{text}");
}

/// Visits and the diary lie with what has no day: their old versions must not stay.
#[test]
fn forgotten_visits_cannot_be_opened_with_the_keys_that_are_left() {
    let forgetting = [
        vec![Change::ForgetDay(at(0, 0).day())],
        vec![forget(at(1, 0))],
        vec![Change::ForgetEverything],
    ];
    for changes in forgetting {
        let disk = MemoryDisk::new();
        let mut log = support::create(&disk);
        log.commit(vec![visits([0], 40_000), diary(0, 40_000, 1), publishing(0..1, 1)]).unwrap();
        log.maintain().unwrap();
        log.commit(vec![visits([0], 41_000)]).unwrap();
        let before = disk.image();
        assert_ne!(venues(&open(&MemoryDisk::with(&before)).unwrap()), "[]");
        log.commit(changes).unwrap();
        assert_eq!(venues(&log), "[]");
        let mut mixed = before.clone();
        mixed.insert("keys".to_owned(), disk.image()["keys"].clone());
        match open(&MemoryDisk::with(&mixed)) {
            Ok(log) => assert_eq!(venues(&log), "[]"),
            Err(LogError::Corrupt(corrupt)) => {
                let kept = |change: &Change| {
                    matches!(change, Change::Venues(_) | Change::Diary(_) | Change::Publishing(_))
                };
                assert!(!corrupt.salvaged.changes.iter().any(kept));
            }
            Err(other) => panic!("{other}"),
        }
    }
}

/// The visits, as JSON.
fn venues(log: &DurableLog) -> String {
    serde_json::to_string(log.venues().unwrap().check_ins()).unwrap()
}
