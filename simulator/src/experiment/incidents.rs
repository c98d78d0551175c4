//! E8: each incident of the library switched on, with and without what holds it, and how long
//! until the status says so.

use std::collections::BTreeSet;

use rayon::prelude::*;

use super::table::{Table, Value};
use super::{ExperimentError, Settings};
use crate::regression::LIBRARY_SEED;
use crate::scenario::library::{Entry, LIBRARY};
use crate::scenario::{Defence, Scenario};
use crate::world::{Outcome, World};

/// How a scenario of the library is run.
enum Variant {
    NothingBreaks,
    AsItIs,
    Without(Defence),
}

pub(super) fn variants(settings: &Settings) -> usize {
    entries(settings).map(|entry| entry.scenario().map_or(2, |one| 2 + one.defences.len())).sum()
}

fn entries(settings: &Settings) -> impl Iterator<Item = &'static Entry> {
    LIBRARY.iter().filter(|entry| settings.only.is_empty() || settings.only.contains(entry.name))
}

pub(super) fn run(
    settings: &Settings,
    done: &(dyn Fn() + Sync),
) -> Result<Vec<Table>, ExperimentError> {
    let mut runs = Vec::new();
    for entry in entries(settings) {
        let scenario = entry.scenario()?;
        runs.push((entry.name, scenario.clone(), Variant::NothingBreaks));
        let defences = scenario.defences.clone();
        runs.push((entry.name, scenario.clone(), Variant::AsItIs));
        runs.extend(
            defences.into_iter().map(|one| (entry.name, scenario.clone(), Variant::Without(one))),
        );
    }
    let rows: Vec<_> = runs
        .into_par_iter()
        .map(|(name, mut scenario, variant)| {
            let what = match variant {
                Variant::NothingBreaks => {
                    scenario.faults.clear();
                    scenario.adversaries.clear();
                    "nothing breaks".to_owned()
                }
                Variant::AsItIs => "with every defence".to_owned(),
                Variant::Without(defence) => {
                    scenario.without = BTreeSet::from([defence]);
                    format!("without {defence}")
                }
            };
            let outcome = World::new(&scenario, LIBRARY_SEED).run(|_| {});
            done();
            row(name, &scenario, what, &outcome)
        })
        .collect();
    let columns = [
        "scenario",
        "incidents",
        "run",
        "notified",
        "missed",
        "falsely_told",
        "late",
        "linkable",
        "minutes_until_status",
    ];
    Ok(vec![Table::of_rows("e8_incidents", columns, rows)])
}

fn row(name: &str, scenario: &Scenario, what: String, outcome: &Outcome) -> [Value; 9] {
    let judgement = outcome.judgement();
    let first_fault = scenario.faults.first().map(|fault| fault.at);
    let expected = scenario.expect.as_ref();
    let seconds = first_fault.zip(expected).and_then(|(fault, expected)| {
        let given = expected.reasons.iter().flat_map(|(&phone, reasons)| {
            let given = outcome.phones.get(phone).map(|phone| &phone.reasons);
            reasons.iter().filter_map(move |reason| given?.get(reason).copied())
        });
        given.map(|since| since.seconds_since(fault)).filter(|seconds| *seconds >= 0).min()
    });
    #[expect(clippy::cast_precision_loss, reason = "seconds of a scenario")]
    let minutes = seconds.map(|seconds| seconds as f64 / 60.0);
    [
        name.into(),
        scenario.incidents.join(" ").into(),
        what.into(),
        outcome.notified().len().into(),
        judgement.missed.into(),
        judgement.falsely.into(),
        judgement.late.into(),
        judgement.linkable.into(),
        minutes.into(),
    ]
}
