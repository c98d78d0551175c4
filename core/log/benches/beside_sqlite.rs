//! What the log costs, beside plain SQLite with one row for each sighting, in the same run:
//!
//! ```sh
//! cargo bench -p chikaku-log
//! ```
//!
//! 14 days of 340 scans that hear 30 phones each, one commit for each scan, with the engine's
//! record of a phone whose configuration was loaded. Bytes written are what
//! the process handed to the system (`wchar` of `/proc/self/io`), so they are known on Linux only.

#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    clippy::cast_precision_loss,
    reason = "a benchmark ends at the first failure, and prints"
)]

use std::fs;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use chikaku_core::advertisement::Advertisement;
use chikaku_core::clock::{BootId, ClockReading, ClockWatch, RecordStamp};
use chikaku_core::encounter_log::{
    AcceptedConfiguration, Change, EncounterLog, EngineRecord, Horizon,
};
use chikaku_core::keys::{AssociatedEncryptedMetadata, RollingProximityIdentifier};
use chikaku_core::risk::RiskProfile;
use chikaku_core::sighting::Sighting;
use chikaku_core::signal::RssiDbm;
use chikaku_core::time::{DAY_SECONDS, Timestamp, UtcDay};
use chikaku_log::disk::Directory;
use chikaku_log::{DurableLog, RootKey};
use comfy_table::Table;
use rand_chacha::ChaCha20Rng;
use rand_core::{Rng, SeedableRng};
use rusqlite::{Connection, params};

const DAYS: u32 = 14;
const SCANS: u32 = 340;
const PHONES: u32 = 30;
const FIRST: UtcDay = UtcDay::new(20_000);

struct Costs {
    bytes_per_sighting: f64,
    written_per_day: Option<u64>,
    appends_per_second: f64,
    open: Duration,
    load: Duration,
    memory: Option<u64>,
}

fn main() {
    let folder = tempfile::tempdir().unwrap();
    let ours = chikaku(&folder.path().join("log"));
    let theirs = sqlite(&folder.path().join("log.sqlite"));
    let mut table = Table::new();
    table.set_header(["", "chikaku-log", "SQLite (WAL, FULL)", "goal"]);
    let mut row = |what: &str, of: &dyn Fn(&Costs) -> String, goal: &str| {
        table.add_row([what, &of(&ours), &of(&theirs), goal]);
    };
    let known = |bytes: Option<u64>| {
        bytes.map_or_else(|| "not known".to_owned(), |bytes| (bytes / 1024).to_string())
    };
    let half = theirs
        .written_per_day
        .map_or_else(String::new, |bytes| format!("at most {}", bytes / 1024 / 2));
    let milliseconds = |time: Duration| format!("{:.1}", time.as_secs_f64() * 1e3);
    row(
        "bytes per sighting, maintained",
        &|c| format!("{:.1}", c.bytes_per_sighting),
        "at most 34",
    );
    row("KiB written per day", &|c| known(c.written_per_day), &half);
    row("commits of one scan per second", &|c| format!("{:.0}", c.appends_per_second), "");
    row("open with 14 full days, ms", &|c| milliseconds(c.open), "under 50");
    row("load 14 days, ms", &|c| milliseconds(c.load), "under 150");
    row("peak memory growth, KiB", &|c| known(c.memory), "under 16384");
    println!("{DAYS} days × {SCANS} scans × {PHONES} phones\n{table}");
}

fn scan(day: u32, number: u32, rng: &mut ChaCha20Rng) -> Vec<Sighting> {
    let started = FIRST.start().saturating_add(day * DAY_SECONDS + number * 250);
    let seconds = u64::from(day * DAY_SECONDS + number * 250);
    let mut clock = ClockWatch::default();
    clock.read(clocks(started, seconds));
    let sequence = u64::from(day * SCANS + number);
    let stamp = RecordStamp { sequence, ..clock.stamp().unwrap() };
    let sighting = |phone| {
        let mut identifier = [0; 16];
        rng.fill_bytes(&mut identifier);
        let below = i16::try_from(rng.next_u32() % 50).unwrap();
        Sighting {
            heard_at: started.saturating_add(phone % 4),
            previous_scan_ended: Some(started.saturating_sub(246)),
            rssi: Some(RssiDbm::new(-50 - below).unwrap()),
            advertisement: Advertisement {
                identifier: RollingProximityIdentifier::from_bytes(identifier),
                metadata: AssociatedEncryptedMetadata::from_bytes(rng.next_u32().to_be_bytes()),
            },
            stamp: Some(RecordStamp { elapsed_seconds: seconds + u64::from(phone % 4), ..stamp }),
        }
    };
    (0..PHONES).map(sighting).collect()
}

fn clocks(wall: Timestamp, monotonic_seconds: u64) -> ClockReading {
    ClockReading { wall, monotonic_seconds, boot: BootId::from_count(1) }
}

fn engine_record(now: Timestamp, stamp: RecordStamp) -> Change {
    let mut record = EngineRecord { switched_on: true, ..EngineRecord::default() };
    record.clock.read(clocks(FIRST.start(), 0));
    record.clock.read(clocks(now, stamp.elapsed_seconds));
    record.last_scan = Some(now);
    let profile = RiskProfile::cocoa_v2();
    record.accepted = Some(AcceptedConfiguration { profile, version: Some("1".to_owned()) });
    Change::Engine(Box::new(record))
}

/// A number of `/proc/self/…`, in bytes.
fn proc(file: &str, name: &str) -> Option<u64> {
    let text = fs::read_to_string(Path::new("/proc/self").join(file)).ok()?;
    let line = text.lines().find_map(|line| line.strip_prefix(name))?;
    let number = line.split_whitespace().next()?.parse::<u64>().ok()?;
    Some(if line.ends_with("kB") { number * 1024 } else { number })
}

fn written() -> Option<u64> {
    proc("io", "wchar:")
}

/// Starts the count of the peak anew and gives the memory in use.
fn memory() -> Option<u64> {
    fs::write("/proc/self/clear_refs", "5").ok()?;
    proc("status", "VmRSS:")
}

fn size(folder: &Path, stem: &str) -> u64 {
    let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap());
    let ours = entries.filter(|entry| entry.file_name().to_string_lossy().starts_with(stem));
    ours.map(|entry| entry.metadata().unwrap().len()).sum()
}

fn chikaku(path: &Path) -> Costs {
    let mut rng = ChaCha20Rng::seed_from_u64(1);
    let root = RootKey::from_bytes([7; 32]);
    let before = memory();
    let mut log = DurableLog::create(Arc::new(Directory::hold(path).unwrap()), &root).unwrap();
    let (mut spent, mut bytes) = (Duration::ZERO, written());
    for day in 0..DAYS {
        for number in 0..SCANS {
            let sightings = scan(day, number, &mut rng);
            let now = sightings[0].heard_at;
            let begun = Instant::now();
            let before = now.saturating_sub(DAYS * DAY_SECONDS);
            let stamp = sightings[0].stamp.unwrap();
            let elapsed_seconds = stamp.elapsed_seconds.saturating_sub((DAYS * DAY_SECONDS).into());
            let forget = Change::Forget(Horizon { before, elapsed_seconds });
            let record = engine_record(now, stamp);
            log.commit(vec![forget, Change::Sightings(sightings), record]).unwrap();
            spent += begun.elapsed();
        }
        log.maintain().unwrap();
    }
    bytes = bytes.zip(written()).map(|(before, after)| (after - before) / u64::from(DAYS));
    drop(log);
    let begun = Instant::now();
    let log = DurableLog::open(Arc::new(Directory::hold(path).unwrap()), &root, None).unwrap();
    let open = begun.elapsed();
    let begun = Instant::now();
    let mut count = 0_u64;
    let mut latest = Timestamp::EPOCH;
    log.visit_sightings(&mut |sighting| {
        count += 1;
        latest = latest.max(sighting.heard_at);
    })
    .unwrap();
    let load = begun.elapsed();
    let all = u64::from(DAYS * SCANS * PHONES);
    assert_eq!(count, all);
    let memory = before.zip(proc("status", "VmHWM:")).map(|(before, peak)| peak - before);
    Costs {
        bytes_per_sighting: size(path, "") as f64 / all as f64,
        written_per_day: bytes,
        appends_per_second: f64::from(DAYS * SCANS) / spent.as_secs_f64(),
        open,
        load,
        memory,
    }
}

fn sqlite(path: &Path) -> Costs {
    let mut rng = ChaCha20Rng::seed_from_u64(1);
    let before = memory();
    let log = Connection::open(path).unwrap();
    log.execute_batch(
        "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;
         CREATE TABLE sighting (heard_at INTEGER, previous INTEGER, rssi INTEGER, data BLOB);",
    )
    .unwrap();
    let mut insert = log.prepare("INSERT INTO sighting VALUES (?, ?, ?, ?)").unwrap();
    let (mut spent, mut bytes) = (Duration::ZERO, written());
    for day in 0..DAYS {
        for number in 0..SCANS {
            let sightings = scan(day, number, &mut rng);
            let begun = Instant::now();
            log.execute_batch("BEGIN").unwrap();
            for sighting in sightings {
                let row = params![
                    sighting.heard_at.unix_seconds(),
                    sighting.previous_scan_ended.map(Timestamp::unix_seconds),
                    sighting.rssi.map(RssiDbm::dbm),
                    sighting.advertisement.to_service_data(),
                ];
                insert.execute(row).unwrap();
            }
            log.execute_batch("COMMIT").unwrap();
            spent += begun.elapsed();
        }
    }
    bytes = bytes.zip(written()).map(|(before, after)| (after - before) / u64::from(DAYS));
    drop(insert);
    // Its maintenance: the log of writes goes into the file.
    log.execute_batch("PRAGMA wal_checkpoint(TRUNCATE);").unwrap();
    drop(log);
    let begun = Instant::now();
    let log = Connection::open(path).unwrap();
    log.query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get::<_, i64>(0)).unwrap();
    let open = begun.elapsed();
    let begun = Instant::now();
    let mut select = log.prepare("SELECT heard_at, previous, rssi, data FROM sighting").unwrap();
    let mut rows = select.query([]).unwrap();
    let mut count = 0_u64;
    let mut latest = 0;
    while let Some(row) = rows.next().unwrap() {
        let heard_at: i64 = row.get(0).unwrap();
        let data: [u8; 20] = row.get(3).unwrap();
        count += u64::from(data.len() == 20);
        latest = heard_at.max(latest);
    }
    let load = begun.elapsed();
    let all = u64::from(DAYS * SCANS * PHONES);
    assert_eq!(count, all);
    let memory = before.zip(proc("status", "VmHWM:")).map(|(before, peak)| peak - before);
    Costs {
        bytes_per_sighting: size(path.parent().unwrap(), "log.sqlite") as f64 / all as f64,
        written_per_day: bytes,
        appends_per_second: f64::from(DAYS * SCANS) / spent.as_secs_f64(),
        open,
        load,
        memory,
    }
}
