//! The medium fails, writes half, or loses power, at every single operation of a day's work.

#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a test may fail by panicking, and says what it found"
)]

mod support;

use chikaku_core::encounter_log::{Change, EncounterLog, MemoryLog};
use chikaku_core::sighting::{ReceivedAdvertisement, ScanResult, Sighting};
use chikaku_log::{DurableLog, LogError, Spool};
use support::changes::{
    accepted, at, cursor, day_record, exposure, forget, live_key, own_key, refused, scan, sighting,
};
use support::memory_disk::Fault;
use support::{MemoryDisk, ROOT, Said, arc, create, open, said, said_by_memory};

enum Step {
    Commit(Vec<Change>),
    Maintain,
}

/// Scans, key files, forgetting and maintenance over the last day that is remembered and the
/// first that is not.
fn day() -> Vec<Step> {
    let scans = |day, from: u32, until| {
        (from..until).map(move |number| {
            let forget = forget(at(0, number * 1_000));
            Step::Commit(vec![forget, scan(day, number * 3_000, 12)])
        })
    };
    let mut steps = vec![Step::Commit(vec![own_key(0, 144)])];
    steps.extend(scans(0, 0, 12));
    steps.push(Step::Commit(vec![
        accepted(at(0, 40_000), 1),
        live_key(2, 0),
        cursor(0, 1),
        exposure(1, 0, true),
        day_record(0, false),
    ]));
    steps.push(Step::Commit(vec![day_record(0, true)]));
    steps.push(Step::Maintain);
    steps.extend(scans(1, 0, 10));
    steps.push(Step::Commit(vec![own_key(1, 144), refused(at(1, 200)), cursor(1, 8)]));
    steps.push(Step::Commit(vec![forget(at(1, 10))]));
    steps.extend(scans(1, 10, 20));
    steps.push(Step::Maintain);
    steps.extend(scans(1, 20, 22));
    steps
}

/// What came of a day's work.
struct Worked {
    /// Everything acknowledged.
    acknowledged: MemoryLog,
    /// What was asked last, and failed for good.
    in_flight: Vec<Change>,
    /// The state after each commit that was acknowledged.
    history: Vec<MemoryLog>,
    log: DurableLog,
}

fn work(disk: &MemoryDisk, mut log: DurableLog) -> Worked {
    let mut acknowledged = MemoryLog::new();
    let mut history = Vec::new();
    for step in day() {
        let changes = match step {
            Step::Commit(changes) => changes,
            Step::Maintain => {
                // What fails here is made up for later.
                let _ = log.maintain();
                continue;
            }
        };
        // A host tries again, and after some time starts anew.
        let mut tries = 0;
        while let Err(error) = log.commit(changes.clone()) {
            if disk.is_dead() {
                return Worked { acknowledged, in_flight: changes, history, log };
            }
            tries += 1;
            assert!(tries < 4, "the log does not recover: {error}");
        }
        let Ok(()) = acknowledged.commit(changes);
        history.push(acknowledged.clone());
    }
    Worked { acknowledged, in_flight: Vec::new(), history, log }
}

fn operations_of_a_day() -> (u64, u64) {
    let disk = MemoryDisk::new();
    let log = create(&disk);
    let created = disk.operations();
    drop(work(&disk, log));
    (created, disk.operations())
}

fn with(log: &MemoryLog, changes: &[Change]) -> Said {
    let mut log = log.clone();
    let Ok(()) = log.commit(changes.to_vec());
    said_by_memory(&log)
}

#[test]
fn an_operation_that_fails_or_ends_early_loses_nothing() {
    let (created, all) = operations_of_a_day();
    assert!(all - created > 150, "the day is too short to say anything: {all}");
    for operation in created + 1..=all {
        for fault in [Fault::Fail, Fault::Shorten] {
            let disk = MemoryDisk::new();
            let log = create(&disk);
            disk.fault_at(operation, fault);
            let worked = work(&disk, log);
            let expected = said_by_memory(&worked.acknowledged);
            let context = format!("{fault:?} at operation {operation} of {all}");
            assert_eq!(said(&worked.log).unwrap(), expected, "{context}, in the running process");
            drop(worked.log);
            assert_eq!(said(&open(&disk).unwrap()).unwrap(), expected, "{context}, reopened");
            let cut = disk.after_power_cut(operation);
            assert_eq!(said(&open(&cut).unwrap()).unwrap(), expected, "{context}, then power cut");
        }
    }
}

#[test]
fn a_power_cut_loses_nothing_that_was_acknowledged() {
    let (created, all) = operations_of_a_day();
    let mut in_flight_kept = 0;
    for operation in created + 1..=all {
        let disk = MemoryDisk::new();
        let log = create(&disk);
        disk.fault_at(operation, Fault::PowerCut);
        let worked = work(&disk, log);
        drop(worked.log);
        // Unsynced writes survive in any part and order.
        for seed in 0..4 {
            let found = disk.after_power_cut(operation * 4 + seed);
            let log = open(&found);
            let log = log.unwrap_or_else(|error| panic!("operation {operation}: {error}"));
            let found = said(&log).unwrap();
            let expected = said_by_memory(&worked.acknowledged);
            if found != expected {
                in_flight_kept += 1;
                let and_more = with(&worked.acknowledged, &worked.in_flight);
                assert_eq!(found, and_more, "power cut at operation {operation}");
            }
        }
    }
    assert!(in_flight_kept > 0, "no commit ever survived unacknowledged: the cut is not one");
}

/// A medium that says it has written and has not. Nothing can keep what such a medium loses: the
/// log notices, or comes back as it was at an earlier commit. It never says what was never so.
#[test]
fn a_write_that_was_only_pretended_is_never_taken_for_another() {
    let (created, all) = operations_of_a_day();
    let (mut noticed, mut whole, mut earlier) = (0, 0, 0);
    for operation in created + 1..=all {
        let disk = MemoryDisk::new();
        let log = create(&disk);
        disk.fault_at(operation, Fault::Drop);
        let worked = work(&disk, log);
        drop(worked.log);
        match open(&disk).and_then(|log| said(&log)) {
            Err(LogError::Corrupt(_)) => noticed += 1,
            Err(other) => panic!("operation {operation}: {other}"),
            Ok(found) if found == said_by_memory(&worked.acknowledged) => whole += 1,
            Ok(found) => {
                let was_so = worked.history.iter().any(|then| said_by_memory(then) == found);
                assert!(was_so, "operation {operation} was only pretended, and gave wrong content");
                earlier += 1;
            }
        }
    }
    println!("pretended: {whole} harmless, {noticed} noticed, {earlier} an earlier commit");
    assert!(noticed > 0 && whole > 0 && earlier < 12);
}

#[test]
fn a_log_is_made_whole_or_not_at_all() {
    let all = {
        let disk = MemoryDisk::new();
        drop(create(&disk));
        disk.operations()
    };
    for operation in 1..=all {
        for fault in [Fault::Fail, Fault::Shorten, Fault::PowerCut] {
            for seed in 0..4 {
                let disk = MemoryDisk::new();
                disk.fault_at(operation, fault);
                drop(DurableLog::create(arc(&disk), &ROOT));
                let found = disk.after_power_cut(seed);
                let log = match DurableLog::marker_on(&found) {
                    Ok(None) => DurableLog::create(arc(&found), &ROOT),
                    Ok(Some(marker)) => DurableLog::open(arc(&found), &ROOT, Some(marker)),
                    Err(error) => panic!("{fault:?} at operation {operation}: {error}"),
                };
                let mut log = log.unwrap_or_else(|error| panic!("{fault:?} {operation}: {error}"));
                log.commit(vec![scan(0, 600, 3)]).unwrap();
            }
        }
    }
}

fn spooled_scan(number: u32) -> ScanResult {
    let received = (0..3).map(|phone| {
        let heard = sighting(u64::from(number) * 10 + phone, at(0, number * 300), None);
        let Sighting { heard_at, rssi, advertisement, .. } = heard;
        ReceivedAdvertisement { heard_at, rssi, advertisement }
    });
    ScanResult {
        started: at(0, number * 300),
        ended: at(0, number * 300 + 4),
        received: received.collect(),
        malformed: 0,
        ended_reading: None,
    }
}

/// Scans before and after the unlock, until something fails. Says how many were acknowledged.
fn spool_and_merge(disk: &MemoryDisk) -> Result<u32, (u32, LogError)> {
    let mut kept = 0;
    let mut spool = Spool::open(arc(disk)).map_err(|error| (kept, error))?;
    for number in 0..4 {
        spool.append(&spooled_scan(number)).map_err(|error| (kept, error))?;
        kept += 1;
    }
    let mut log = open(disk).map_err(|error| (kept, error))?;
    log.merge_spool().map_err(|error| (kept, error))?;
    spool.append(&spooled_scan(4)).map_err(|error| (kept, error))?;
    kept += 1;
    log.merge_spool().map_err(|error| (kept, error))?;
    Ok(kept)
}

#[test]
fn a_spooled_scan_is_merged_once_wherever_it_fails() {
    let fresh = || {
        let disk = MemoryDisk::new();
        drop(create(&disk));
        disk
    };
    let (first, last) = {
        let disk = fresh();
        let created = disk.operations();
        assert_eq!(spool_and_merge(&disk).unwrap(), 5);
        (created + 1, disk.operations())
    };
    for operation in first..=last {
        for fault in [Fault::Fail, Fault::Shorten, Fault::PowerCut] {
            let disk = fresh();
            disk.fault_at(operation, fault);
            let done = spool_and_merge(&disk);
            let (Ok(kept) | Err((kept, _))) = done;
            let found = if fault == Fault::PowerCut {
                disk.after_power_cut(operation)
            } else {
                MemoryDisk::with(&disk.image())
            };
            let context = format!("{fault:?} at operation {operation} of {last}");
            let mut log = open(&found).unwrap_or_else(|error| panic!("{context}: {error}"));
            log.merge_spool().unwrap_or_else(|error| panic!("{context}: {error}"));
            let sightings = said(&log).unwrap().sightings;
            for number in 0..kept {
                for expected in spooled_scan(number).received {
                    let same = |found: &&Sighting| {
                        found.advertisement == expected.advertisement
                            && found.heard_at == expected.heard_at
                    };
                    let found = sightings.iter().filter(same).count();
                    assert_eq!(found, 1, "{context}: scan {number} of {kept} was kept");
                }
            }
            let more = u32::try_from(sightings.len()).unwrap() - kept * 3;
            assert!(more == 0 || more == 3, "{context}: {more} sightings too many");
        }
    }
}
