//! `chikaku log`: look into an encounter log on disk, verify it, and be cruel to one.

mod root_key;
mod torture;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::{fs, io};

use chikaku_core::encounter_log::{Change, EncounterLog, Horizon};
use chikaku_core::time::UtcDay;
use chikaku_log::disk::Directory;
use chikaku_log::{DurableLog, LogError, RootKey};
use serde_json::json;

use crate::failure::Failure;
use crate::output::{self, say};
use crate::{instant, table};

#[derive(Debug, clap::Subcommand)]
pub(crate) enum Command {
    /// Show what a log holds, without anything that was heard
    Inspect(Inspect),
    /// Read every byte of a log; exit code 3 and what is wrong if it is damaged
    Verify(Store),
    /// Merge what is to be merged, and give space back
    Maintain(Maintain),
    /// Destroy a log: first its keys, then its files
    Wipe(Wipe),
    /// Make a log and let a process work on it that is killed again and again (SIGKILL); exit
    /// code 0 only if nothing that was acknowledged is lost and nobody is notified twice
    Torture(torture::Arguments),
    #[command(hide = true)]
    TortureWorker(torture::Worker),
}

#[derive(Debug, clap::Args)]
pub(crate) struct Store {
    /// Folder of the log
    folder: PathBuf,
    /// File of the root key: 64 hexadecimal digits that only the owner may read. Without it, the
    /// file beside the folder with the folder's name and `.key`
    #[arg(long)]
    root_key: Option<PathBuf>,
}

#[derive(Debug, clap::Args)]
pub(crate) struct Inspect {
    #[command(flatten)]
    store: Store,
    /// Print the result as JSON
    #[arg(long)]
    json: bool,
}

#[derive(Debug, clap::Args)]
pub(crate) struct Maintain {
    #[command(flatten)]
    store: Store,
    /// Forget everything before this UTC day, for ever
    #[arg(long, value_parser = instant::parse_day)]
    forget_before: Option<UtcDay>,
}

#[derive(Debug, clap::Args)]
pub(crate) struct Wipe {
    /// Folder of the log
    folder: PathBuf,
    /// Nothing is destroyed without this
    #[arg(long, required = true)]
    yes: bool,
}

pub(crate) fn run(command: &Command) -> Result<(), Failure> {
    match command {
        Command::Inspect(arguments) => inspect(arguments),
        Command::Verify(store) => verify(store),
        Command::Maintain(arguments) => maintain(arguments),
        Command::Wipe(arguments) => wipe(&arguments.folder),
        Command::Torture(arguments) => torture::run(arguments),
        Command::TortureWorker(arguments) => torture::work(arguments),
    }
}

impl Store {
    fn disk(&self) -> Result<Arc<Directory>, Failure> {
        hold(&self.folder, false)
    }

    fn key(&self) -> Result<RootKey, Failure> {
        let path = self.root_key.clone().unwrap_or_else(|| root_key::beside(&self.folder));
        root_key::read(&path)
    }

    fn open(&self) -> Result<DurableLog, Failure> {
        let disk = self.disk()?;
        DurableLog::open(disk, &self.key()?, None).map_err(|error| at(&self.folder, error))
    }
}

/// The log in `folder`, made with a new root key if there is none.
#[cfg(all(feature = "live", target_os = "linux"))]
pub(crate) fn open_or_make(folder: &Path, root_key: Option<&Path>) -> Result<DurableLog, Failure> {
    let disk = hold(folder, true)?;
    let path = root_key.map_or_else(|| root_key::beside(folder), Path::to_owned);
    let exists = DurableLog::marker_on(&*disk).map_err(|error| at(folder, error))?.is_some();
    // A key without a log is from a start that was cut off between the two.
    let root = if exists || path.exists() { root_key::read(&path) } else { root_key::make(&path) }?;
    let log =
        if exists { DurableLog::open(disk, &root, None) } else { DurableLog::create(disk, &root) };
    log.map_err(|error| at(folder, error))
}

/// Holds the folder for this process; only `make` makes one.
fn hold(folder: &Path, make: bool) -> Result<Arc<Directory>, Failure> {
    let exists = if make { Ok(()) } else { fs::metadata(folder).map(|_| ()) };
    let held = exists.and_then(|()| Directory::hold(folder));
    held.map(Arc::new).map_err(|error| crate::failure::at(folder, error))
}

fn at(folder: &Path, error: LogError) -> Failure {
    let is_file = matches!(error, LogError::Disk { .. });
    let error = anyhow::Error::new(error).context(folder.display().to_string());
    if is_file { Failure::File(error) } else { Failure::Refused(error) }
}

#[derive(Default)]
struct DayCensus {
    sightings: u64,
    windows: u64,
    looks: u64,
    own_keys: u64,
}

fn inspect(arguments: &Inspect) -> Result<(), Failure> {
    let folder = &arguments.store.folder;
    let log = arguments.store.open()?;
    let read = || -> Result<_, LogError> {
        let mut days: BTreeMap<UtcDay, DayCensus> = BTreeMap::new();
        log.visit_sightings(&mut |sighting| {
            days.entry(sighting.heard_at.day()).or_default().sightings += 1;
        })?;
        let exposures = log.exposures()?;
        for window in exposures.iter().flat_map(|exposure| &exposure.windows) {
            days.entry(window.day()).or_default().windows += 1;
        }
        for entry in log.audit()? {
            days.entry(entry.at.day()).or_default().looks += 1;
        }
        for key in log.own_keys()? {
            days.entry(key.rolling_start().day()).or_default().own_keys += 1;
        }
        Ok((days, exposures.len()))
    };
    let (days, exposures) = read().map_err(|error| at(folder, error))?;
    let bytes = size(folder).map_err(|error| crate::failure::at(folder, error))?;
    let recovery = log.recovery();
    if arguments.json {
        let day = |(day, of): (&UtcDay, &DayCensus)| {
            json!({
                "day": day.to_string(),
                "sightings": of.sightings,
                "windows": of.windows,
                "key_files": of.looks,
                "own_keys": of.own_keys,
            })
        };
        output::json(&json!({
            "bytes": bytes,
            "exposures": exposures,
            "days": days.iter().map(day).collect::<Vec<_>>(),
            "commits_replayed": recovery.replayed_commits,
            "unfinished_bytes": recovery.unfinished_bytes,
        }));
        return Ok(());
    }
    let mut rows = table::with_header(["day", "sightings", "windows", "key files", "own keys"]);
    for (day, of) in &days {
        let DayCensus { sightings, windows, looks, own_keys } = of;
        rows.add_row([
            day.to_string(),
            sightings.to_string(),
            windows.to_string(),
            looks.to_string(),
            own_keys.to_string(),
        ]);
    }
    say!("{rows}\n");
    say!("exposures        {exposures}");
    say!("bytes            {bytes}");
    say!("commits replayed {}", recovery.replayed_commits);
    if let Some(bytes) = recovery.unfinished_bytes {
        say!("unfinished       a last commit of {bytes} bytes was not whole");
    }
    Ok(())
}

fn size(folder: &Path) -> io::Result<u64> {
    fs::read_dir(folder)?.map(|entry| Ok(entry?.metadata()?.len())).sum()
}

fn verify(store: &Store) -> Result<(), Failure> {
    let verified = DurableLog::verify(store.disk()?, &store.key()?);
    let verified = verified.map_err(|error| at(&store.folder, error))?;
    say!("whole: {} sightings and {} other records", verified.sightings, verified.records);
    if let Some(bytes) = verified.recovery.unfinished_bytes {
        say!("a last commit of {bytes} bytes is not whole: it was never acknowledged, or damaged");
    }
    Ok(())
}

fn maintain(arguments: &Maintain) -> Result<(), Failure> {
    let folder = &arguments.store.folder;
    let mut log = arguments.store.open()?;
    let mut maintain = || {
        if let Some(day) = arguments.forget_before {
            // Stamped sightings go by age: what is as old as anything that is to stay, stays.
            let elapsed_seconds = elapsed_at(&log, day)?;
            log.commit(vec![Change::Forget(Horizon { before: day.start(), elapsed_seconds })])?;
        }
        log.maintain()
    };
    let done = maintain().map_err(|error| at(folder, error))?;
    say!("the database had {} bytes and has {}", done.bytes_before, done.bytes_after);
    Ok(())
}

/// Elapsed seconds below which every stamped sighting is from before `day`.
fn elapsed_at(log: &DurableLog, day: UtcDay) -> Result<u64, LogError> {
    let (mut least_kept, mut greatest_gone) = (None, None);
    log.visit_sightings(&mut |sighting| {
        let Some(stamp) = sighting.stamp else { return };
        let elapsed = Some(stamp.elapsed_seconds);
        if sighting.heard_at >= day.start() {
            least_kept = least_kept.map_or(elapsed, |least: u64| elapsed.min(Some(least)));
        } else {
            greatest_gone = greatest_gone.max(elapsed);
        }
    })?;
    let above = greatest_gone.map_or(0, |elapsed: u64| elapsed.saturating_add(1));
    Ok(least_kept.map_or(above, |least| least.min(above)))
}

fn wipe(folder: &Path) -> Result<(), Failure> {
    let disk = hold(folder, false)?;
    DurableLog::wipe(&*disk).map_err(|error| at(folder, error))?;
    say!("nothing is left but the empty folder; delete the root key as well");
    Ok(())
}
