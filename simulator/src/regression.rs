//! The regression table: scenarios of the library, run and held against what must come of them.

use std::collections::BTreeSet;
use std::num::NonZero;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use crate::scenario::library::Entry;
use crate::scenario::{Defence, ScenarioError};
use crate::world::{Judgement, Outcome, World};

/// The seed that the expectations of the library belong to.
pub const LIBRARY_SEED: u64 = 1;

/// One scenario of the library, run.
#[derive(Clone, Debug, PartialEq)]
pub struct Row {
    /// Its name in the library.
    pub name: &'static str,
    /// The incidents and attacks it stages.
    pub incidents: Vec<String>,
    /// The defences that keep it from doing harm.
    pub defences: BTreeSet<Defence>,
    /// Who was told.
    pub notified: Vec<String>,
    /// Its figures.
    pub judgement: Judgement,
    /// Seconds from the first fault until a status gave the first of the reasons that are expected.
    pub seconds_until_status: Option<i64>,
    /// In what it differs from what must come of it; empty if in nothing.
    pub differences: Vec<String>,
    /// SHA-256 of the trace.
    pub digest: [u8; 32],
}

/// Runs one scenario with some of its defences switched off.
///
/// # Errors
/// The scenario's own, if its file makes no sense.
pub fn run(entry: &Entry, without: &BTreeSet<Defence>) -> Result<Row, ScenarioError> {
    let mut scenario = entry.scenario()?;
    scenario.without.clone_from(without);
    let outcome = World::new(&scenario, LIBRARY_SEED).run(|_| {});
    let differences =
        scenario.expect.as_ref().map(|expected| outcome.differences(expected)).unwrap_or_default();
    Ok(Row {
        name: entry.name,
        incidents: scenario.incidents.clone(),
        defences: scenario.defences.clone(),
        notified: outcome.notified().into_iter().map(str::to_owned).collect(),
        judgement: outcome.judgement(),
        seconds_until_status: seconds_until_status(&outcome),
        differences,
        digest: outcome.digest,
    })
}

fn seconds_until_status(outcome: &Outcome) -> Option<i64> {
    let fault = outcome.scenario.faults.first()?.at;
    let expected = outcome.scenario.expect.as_ref()?;
    let given = expected.reasons.iter().flat_map(|(&phone, reasons)| {
        let given = outcome.phones.get(phone).map(|phone| &phone.reasons);
        reasons.iter().filter_map(move |reason| given?.get(reason).copied())
    });
    let after = given.map(|since| since.seconds_since(fault)).filter(|seconds| *seconds >= 0);
    after.min()
}

/// Runs scenarios on all cores; the rows come in the order of `entries`, and are the same on any
/// number of cores. `done` hears how many are over.
///
/// # Errors
/// That of the first scenario whose file makes no sense.
pub fn run_all(
    entries: &[&Entry],
    without: &BTreeSet<Defence>,
    done: &(dyn Fn(usize) + Sync),
) -> Result<Vec<Row>, ScenarioError> {
    let rows: Vec<Mutex<Option<Result<Row, ScenarioError>>>> =
        entries.iter().map(|_| Mutex::new(None)).collect();
    let (next, over) = (AtomicUsize::new(0), AtomicUsize::new(0));
    let workers = thread::available_parallelism().map_or(1, NonZero::get).min(entries.len());
    thread::scope(|scope| {
        for _ in 0..workers {
            scope.spawn(|| {
                loop {
                    let number = next.fetch_add(1, Ordering::Relaxed);
                    let (Some(entry), Some(row)) = (entries.get(number), rows.get(number)) else {
                        return;
                    };
                    let result = run(entry, without);
                    if let Ok(mut row) = row.lock() {
                        *row = Some(result);
                    }
                    done(over.fetch_add(1, Ordering::Relaxed) + 1);
                }
            });
        }
    });
    rows.into_iter().filter_map(|row| row.into_inner().ok().flatten()).collect()
}
