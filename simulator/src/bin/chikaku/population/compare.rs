//! `chikaku population compare`.

use chikaku_simulator::population::Scenario;
use chikaku_simulator::population::comparison::{self, REFERENCE};

use super::sweep::percent;
use crate::failure::Failure;
use crate::output::say;
use crate::{progress, table};

#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    /// Instead of 50,000 people
    #[arg(long)]
    people: Option<u32>,
    /// How many seeds each arm is run with
    #[arg(long, default_value_t = 4, value_parser = clap::value_parser!(u64).range(1..=1000))]
    seeds: u64,
}

pub(super) fn run(arguments: &Arguments) -> Result<(), Failure> {
    let mut scenario = Scenario::openabm().map_err(Failure::refused)?;
    scenario.people = arguments.people.unwrap_or(scenario.people);
    let bar = progress::bar(comparison::runs(arguments.seeds), "runs");
    let comparison = comparison::compare(&scenario, arguments.seeds, || bar.inc(1));
    bar.finish_and_clear();
    let comparison = comparison.map_err(Failure::refused)?;
    say!("Without the app, for each of 100,000 people ({} seeds)", arguments.seeds);
    let mut without = table::with_header(["", "OpenABM-Covid19 (deviation)", "Chikaku [from, to]"]);
    for ((name, mean, deviation), band) in REFERENCE.iter().zip(comparison.without) {
        without.add_row([
            (*name).to_owned(),
            if deviation.is_nan() {
                format!("{mean:.0}")
            } else {
                format!("{mean:.0} ({deviation:.0})")
            },
            format!("{:.0} [{:.0}, {:.0}]", band.mean, band.low, band.high),
        ]);
    }
    say!("{without}\n");
    say!("Change against no app; below 5 % and 15 % OpenABM-Covid19's own figures are noise");
    let mut rows = table::with_header([
        "adoption",
        "report",
        "result",
        "comply",
        "found",
        "OpenABM infections",
        "Chikaku infections",
        "OpenABM peak beds",
        "Chikaku peak beds",
    ]);
    for row in &comparison.rows {
        let number = |value: Option<f64>| value.map_or_else(String::new, |value| value.to_string());
        rows.add_row([
            number(row.arm.adoption),
            number(row.arm.report),
            row.arm.test_to_result_days.map_or_else(String::new, |days| format!("{days} d")),
            number(row.arm.compliance),
            number(row.arm.detection),
            format!("{:.0} %", row.reference_infections_percent),
            percent(row.infections_percent),
            format!("{:.0} %", row.reference_beds_percent),
            percent(row.beds_percent),
        ]);
    }
    say!("{rows}");
    Ok(())
}
