//! Every byte of a log changed, and every file cut off: an error or the right content, never
//! wrong content and never a panic.

#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a test may fail by panicking, and says what it found"
)]

mod support;

use std::collections::BTreeMap;

use chikaku_core::encounter_log::{Change, EncounterLog, MemoryLog};
use chikaku_log::{DurableLog, LogError, RootKey};
use support::changes::{
    accepted, at, cursor, day_record, exposure, forget, live_key, own_key, refused, scan,
};
use support::memory_disk::Fault;
use support::{MemoryDisk, ROOT, Said, arc, create, open, said, said_by_memory};

/// At most so many places of one file are tried.
const PLACES: usize = 3_000;

struct Written {
    files: BTreeMap<String, Vec<u8>>,
    whole: Said,
    without_last: Said,
}

/// A log with something in every place: pages of three days, a horizon, commits in the journal.
fn written() -> Written {
    let disk = MemoryDisk::new();
    let mut log = create(&disk);
    let mut memory = MemoryLog::new();
    let commit = |log: &mut DurableLog, memory: &mut MemoryLog, changes: Vec<Change>| {
        log.commit(changes.clone()).unwrap();
        let Ok(()) = memory.commit(changes);
    };
    for day in 0..3 {
        commit(&mut log, &mut memory, vec![own_key(day, 144), accepted(at(day, 5), 3)]);
        for number in 0..40 {
            commit(&mut log, &mut memory, vec![scan(day, number * 2_000, 20)]);
        }
        let key_file = vec![exposure(1, day, true), day_record(day, true), live_key(9, day)];
        commit(&mut log, &mut memory, key_file);
        log.maintain().unwrap();
    }
    commit(&mut log, &mut memory, vec![forget(at(0, 30_000)), cursor(0, 7)]);
    for number in 40..43 {
        commit(&mut log, &mut memory, vec![scan(2, number * 2_000, 5)]);
    }
    let without_last = said_by_memory(&memory);
    commit(&mut log, &mut memory, vec![refused(at(2, 86_000)), scan(2, 86_010, 5)]);
    drop(log);
    Written { files: disk.image(), whole: said_by_memory(&memory), without_last }
}

#[derive(Debug, Default)]
struct Outcomes {
    right: u32,
    refused: u32,
    last_commit_reported: u32,
}

fn judge(
    written: &Written,
    files: &BTreeMap<String, Vec<u8>>,
    outcomes: &mut Outcomes,
    what: &str,
) {
    let disk = MemoryDisk::with(files);
    let found = open(&disk).and_then(|log| Ok((log.recovery(), said(&log)?)));
    match found {
        Ok((_, found)) if found == written.whole => outcomes.right += 1,
        Ok((recovery, found)) => {
            assert!(recovery.unfinished_bytes.is_some(), "{what}: wrong and not reported");
            assert_eq!(found, written.without_last, "{what}");
            outcomes.last_commit_reported += 1;
        }
        Err(
            LogError::Corrupt(_)
            | LogError::WrongRootKey
            | LogError::NewerSchema { .. }
            | LogError::Database { .. },
        ) => {
            assert!(disk.image() == *files, "{what}: a damaged log was changed");
            outcomes.refused += 1;
        }
        Err(other) => panic!("{what}: {other}"),
    }
}

#[test]
fn no_flipped_bit_is_believed() {
    let written = written();
    for (name, bytes) in &written.files {
        let mut outcomes = Outcomes::default();
        let step = (bytes.len() / PLACES).max(1);
        // Headers whole, everything else in steps; each time another bit.
        let places = (0..bytes.len().min(512)).chain((512..bytes.len()).step_by(step));
        for (number, place) in places.enumerate() {
            let mut files = written.files.clone();
            files.get_mut(name).unwrap()[place] ^= 1 << (number % 8);
            judge(&written, &files, &mut outcomes, &format!("bit {number} of {name} at {place}"));
        }
        println!("{name}, {} bytes, flipped: {outcomes:?}", bytes.len());
        assert!(outcomes.refused > 0 || name.starts_with("spool"));
    }
}

#[test]
fn no_file_that_is_cut_off_or_missing_is_believed() {
    let written = written();
    for (name, bytes) in &written.files {
        let mut outcomes = Outcomes::default();
        for length in (0..bytes.len()).step_by((bytes.len() / 300).max(1)) {
            let mut files = written.files.clone();
            files.get_mut(name).unwrap().truncate(length);
            judge(&written, &files, &mut outcomes, &format!("{name} cut off at {length}"));
        }
        println!("{name}, {} bytes, cut off: {outcomes:?}", bytes.len());
        let mut files = written.files.clone();
        files.remove(name);
        judge(&written, &files, &mut outcomes, &format!("{name} missing"));
        assert_eq!(outcomes.last_commit_reported, 0, "a file that is cut off is told from others");
    }
}

#[test]
fn what_can_be_read_of_a_damaged_log_is_offered_and_goes_into_a_new_one() {
    let written = written();
    // One flipped bit costs one page at most: here, one of sightings.
    let pages = written.files["pages"].len();
    let all = written.whole.sightings.len() as u64;
    let mut lost = Vec::new();
    for page in 1..pages / 4096 {
        let mut files = written.files.clone();
        files.get_mut("pages").unwrap()[page * 4096 + 2_000] ^= 1;
        let Err(LogError::Corrupt(corrupt)) = open(&MemoryDisk::with(&files)) else {
            panic!("a log with a damaged page was opened");
        };
        assert!(corrupt.to_string().contains("pages"), "{corrupt}");
        let mut fresh = create(&MemoryDisk::new());
        fresh.commit(corrupt.salvaged.changes).unwrap();
        let said = said(&fresh).unwrap();
        assert!(
            said.sightings.iter().all(|one| {
                one.heard_at < at(0, 30_000) || written.whole.sightings.contains(one)
            })
        );
        let left = said.sightings.iter().filter(|one| one.heard_at >= at(0, 30_000)).count();
        lost.push(all - left as u64);
    }
    lost.sort_unstable();
    println!("sightings that one damaged page costs, of {all}: {lost:?}");
    assert_eq!(lost.first(), Some(&0));
    assert!(lost.last().is_some_and(|most| (100..400).contains(most)));

    let mut files = written.files.clone();
    let journal = files.get_mut("journal").unwrap();
    journal[100] ^= 1;
    let Err(LogError::Corrupt(corrupt)) = open(&MemoryDisk::with(&files)) else {
        panic!("a log with a broken commit before whole ones was opened");
    };
    let everything_in_pages = corrupt.salvaged.sightings;
    assert!(everything_in_pages > 3_000, "{everything_in_pages}");
    let mut fresh = create(&MemoryDisk::new());
    fresh.commit(corrupt.salvaged.changes).unwrap();
    let said = said(&fresh).unwrap();
    assert_eq!(said.sightings.len() as u64, everything_in_pages);
    assert_eq!(said.exposures, written.whole.exposures);
    assert_eq!(said.days, written.whole.days);
}

/// While the journal is merged, the database has no checksum that it could be held against. If
/// it then falls back to an older state, the commits in between are nowhere.
#[test]
fn an_older_state_of_the_pages_is_noticed() {
    let disk = MemoryDisk::new();
    let mut log = create(&disk);
    log.commit(vec![scan(0, 300, 5)]).unwrap();
    log.maintain().unwrap();
    let old = disk.image().remove("pages").unwrap();
    log.commit(vec![scan(0, 600, 5)]).unwrap();
    log.maintain().unwrap();
    // One write and one sync say that merging begins; what comes after them fails.
    disk.fault_at(disk.operations() + 3, Fault::Fail);
    log.maintain().unwrap_err();
    drop(log);
    let mut files = disk.image();
    assert!(open(&MemoryDisk::with(&files)).is_ok());
    files.insert("pages".to_owned(), old);
    let error = open(&MemoryDisk::with(&files)).unwrap_err();
    assert!(error.to_string().contains("older state"), "{error}");
}

#[test]
fn nothing_is_ever_made_in_the_place_of_something() {
    let disk = MemoryDisk::new();
    let other = RootKey::from_bytes([8; 32]);
    assert!(matches!(open(&disk), Err(LogError::Absent)));
    drop(create(&disk));
    assert!(matches!(DurableLog::create(arc(&disk), &ROOT), Err(LogError::AlreadyThere)));
    let wrong = DurableLog::open(arc(&disk), &other, None);
    assert!(matches!(wrong, Err(LogError::WrongRootKey)));

    // An app that was installed again finds the key of its predecessor in the key store.
    let elsewhere = DurableLog::create(arc(&MemoryDisk::new()), &ROOT).unwrap().marker();
    let orphan = DurableLog::open(arc(&disk), &ROOT, Some(elsewhere));
    assert!(matches!(orphan, Err(LogError::OtherInstallation)));

    // Without its keys a log is damaged, not absent.
    let mut files = disk.image();
    files.remove("keys");
    let found = MemoryDisk::with(&files);
    assert!(matches!(open(&found), Err(LogError::Corrupt(_))));
    assert!(matches!(DurableLog::create(arc(&found), &ROOT), Err(LogError::AlreadyThere)));
    DurableLog::wipe(&found).unwrap();
    drop(create(&found));
}
