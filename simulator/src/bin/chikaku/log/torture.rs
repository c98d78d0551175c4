//! `chikaku log torture`: a phone's work on a log, killed with SIGKILL again and again.
//!
//! Everything the phone does follows from the seed and from what its log holds. So the same work
//! can be done on a log in memory, which nobody kills, up to the commit that the killed one had
//! acknowledged; the log on disk must then say what that one says, or be one commit further.

mod life;

use std::collections::BTreeSet;
use std::io::{BufRead, BufReader, Lines};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, ExitStatus, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, anyhow, bail};
use chikaku_core::encounter_log::MemoryLog;
use chikaku_core::time::UtcDay;
use chikaku_log::{DurableLog, RootKey};
use rand_chacha::ChaCha20Rng;
use rand_core::{Rng, SeedableRng};

use super::{hold, root_key};
use crate::failure::Failure;
use crate::output::say;
use crate::progress;
use life::{Life, Said};

/// Commits in one life, at most.
const LONGEST_LIFE: u32 = 24;
/// Microseconds between an acknowledgement and the kill, at most.
const LONGEST_DELAY: u32 = 3_000;

#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// Folder of the log, which is made here; on the file system that is to be tried
    folder: PathBuf,
    /// How often the process is killed
    #[arg(long, default_value_t = 1_000)]
    kills: u64,
    /// Seed of the work and of the times of death
    #[arg(long, default_value_t = 1)]
    seed: u64,
}

#[derive(Debug, clap::Args)]
pub(crate) struct Worker {
    folder: PathBuf,
    #[arg(long)]
    seed: u64,
}

/// The process that is killed: says each commit once it is acknowledged.
pub(super) fn work(arguments: &Worker) -> Result<(), Failure> {
    let work = || -> anyhow::Result<()> {
        let root = root_key::read(&root_key::beside(&arguments.folder));
        let root = root.map_err(|failure| anyhow!("{failure}"))?;
        let disk = hold(&arguments.folder, false).map_err(|failure| anyhow!("{failure}"))?;
        let log = DurableLog::open(disk, &root, None)?;
        let mut life = Life::new(log, arguments.seed)?;
        loop {
            for day in life.advance()? {
                say!("announce {}", day.days_since_1970());
            }
            say!("done");
        }
    };
    work().map_err(Failure::Refused)
}

#[derive(Default)]
struct Tally {
    acknowledged: u64,
    survived_unacknowledged: u64,
    told: BTreeSet<UtcDay>,
    slowest_open: Duration,
}

pub(super) fn run(arguments: &Arguments) -> Result<(), Failure> {
    let Arguments { folder, kills, seed } = arguments;
    let root = root_key::make(&root_key::beside(folder))?;
    let log = DurableLog::create(hold(folder, true)?, &root);
    drop(log.map_err(|error| super::at(folder, error))?);
    let begun = Instant::now();
    let bar = progress::bar(*kills, "killing");
    let mut rng = ChaCha20Rng::seed_from_u64(*seed);
    let mut reference = MemoryLog::new();
    let mut tally = Tally::default();
    for kill in 1..=*kills {
        let lived = live_and_die(folder, *seed, &mut rng, &tally.told)
            .and_then(|acknowledged| {
                compare(folder, &root, *seed, acknowledged, &reference, &mut tally)
            })
            .with_context(|| format!("after kill {kill} of {kills} (seed {seed})"));
        reference = lived.map_err(Failure::Refused)?;
        bar.inc(1);
    }
    bar.finish_and_clear();
    say!("{kills} kills in {} s, seed {seed}: nothing lost", begun.elapsed().as_secs());
    say!("commits acknowledged                {}", tally.acknowledged);
    say!("commits that survived without that  {}", tally.survived_unacknowledged);
    say!("days notified, each once            {}", tally.told.len());
    say!("slowest opening                     {} ms", tally.slowest_open.as_millis());
    Ok(())
}

/// Starts a process, kills it some time after some commits, and counts what it acknowledged.
fn live_and_die(
    folder: &Path,
    seed: u64,
    rng: &mut ChaCha20Rng,
    told: &BTreeSet<UtcDay>,
) -> anyhow::Result<u64> {
    let mut child = Command::new(std::env::current_exe()?)
        .args(["log", "torture-worker", "--seed", &seed.to_string()])
        .arg(folder)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .spawn()
        .context("starting the process that is to be killed")?;
    let stdout = child.stdout.take().context("its output is not there")?;
    let mut lines = BufReader::new(stdout).lines();
    let planned = u64::from(rng.next_u32() % LONGEST_LIFE);
    let delay = Duration::from_micros(u64::from(rng.next_u32() % LONGEST_DELAY));
    let listened = listen(&mut lines, Some(planned), told);
    thread::sleep(delay);
    let ended = kill(&mut child)?;
    let acknowledged = listened? + listen(&mut lines, None, told)?;
    if let Some(status) = ended {
        bail!("the process ended by itself: {status}");
    }
    Ok(acknowledged)
}

/// How the process had ended, if it had.
fn kill(child: &mut Child) -> anyhow::Result<Option<ExitStatus>> {
    let ended = child.try_wait()?;
    child.kill()?;
    child.wait()?;
    Ok(ended)
}

/// Counts acknowledged commits, up to `limit` or to the end.
fn listen(
    lines: &mut Lines<BufReader<ChildStdout>>,
    limit: Option<u64>,
    told: &BTreeSet<UtcDay>,
) -> anyhow::Result<u64> {
    let mut acknowledged = 0;
    while limit.is_none_or(|limit| acknowledged < limit) {
        let Some(line) = lines.next() else { break };
        let line = line?;
        if line == "done" {
            acknowledged += 1;
        } else if let Some(day) = line.strip_prefix("announce ") {
            let day = UtcDay::new(day.parse()?);
            if told.contains(&day) {
                bail!("{day} was notified twice");
            }
        }
    }
    Ok(acknowledged)
}

/// Holds the log on disk against the same work on a log in memory, and gives the latter back.
fn compare(
    folder: &Path,
    root: &RootKey,
    seed: u64,
    acknowledged: u64,
    before: &MemoryLog,
    tally: &mut Tally,
) -> anyhow::Result<MemoryLog> {
    let disk = hold(folder, false).map_err(|failure| anyhow!("{failure}"))?;
    let begun = Instant::now();
    let log = DurableLog::open(disk, root, None)?;
    tally.slowest_open = tally.slowest_open.max(begun.elapsed());
    let found = Said::by(&log)?;
    let mut life = Life::new(before.clone(), seed)?;
    for _ in 0..acknowledged {
        life.advance()?;
        tally.told.extend(life.take_told());
    }
    tally.acknowledged += acknowledged;
    if Said::by(life.log())? != found {
        // The commit that was under way when the process died may be there as well.
        life.advance()?;
        let further = Said::by(life.log())?;
        if further != found {
            bail!("{acknowledged} commits were acknowledged; expected {further}, found {found}");
        }
        tally.survived_unacknowledged += 1;
        tally.told.extend(life.take_told());
    }
    Ok(life.into_log())
}
