//! `chikaku population sweep`.

use std::path::PathBuf;

use chikaku_simulator::population::sweep::{self, Band};

use super::Size;
use crate::failure::Failure;
use crate::output::say;
use crate::{progress, table};

#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    #[command(flatten)]
    size: Size,
    /// How many seeds, instead of the scenario's
    #[arg(long)]
    seeds: Option<u64>,
    /// Where each run is written as Parquet; runs that are there are not run again
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
}

pub(super) fn run(arguments: &Arguments) -> Result<(), Failure> {
    let mut scenario = arguments.size.scenario()?;
    if let Some(seeds) = arguments.seeds {
        scenario.sweep.seeds = (1..=seeds).collect();
    }
    let bar = progress::bar(sweep::points(&scenario).len() as u64, "runs");
    let rows = sweep::run(&scenario, &arguments.out, || bar.inc(1));
    bar.finish_and_clear();
    let rows = rows.map_err(|error| match error {
        sweep::SweepError::File { .. } => Failure::File(error.into()),
        error => Failure::refused(error),
    })?;
    say!(
        "Against no app, with the same chances; in brackets from where to where over {} seeds",
        scenario.sweep.seeds.len()
    );
    let mut benefits = table::with_header([
        "adoption",
        "carry",
        "report",
        "delay",
        "comply",
        "infections avoided",
        "peak in hospital avoided",
        "PRICE: days at home, not infected, /100k",
        "days / infection avoided",
        "notified who were infected",
    ]);
    for benefit in sweep::benefits(&rows) {
        let arm = &benefit.arm;
        benefits.add_row([
            arm.adoption.to_string(),
            arm.carry.to_string(),
            arm.report.to_string(),
            format!("{} h", arm.delay_hours),
            arm.compliance.to_string(),
            percent(benefit.infections_avoided_percent),
            percent(benefit.peak_hospital_avoided_percent),
            whole(benefit.additional_days_not_infected_per_100_000),
            if benefit.days_for_an_infection.is_nan() {
                "–".to_owned()
            } else {
                format!("{:.0}", benefit.days_for_an_infection)
            },
            percent(benefit.notified_infected_percent),
        ]);
    }
    say!("{benefits}");
    Ok(())
}

pub(super) fn percent(band: Band) -> String {
    format!("{:.1} % [{:.1}, {:.1}]", band.mean, band.low, band.high)
}

fn whole(band: Band) -> String {
    format!("{:.0} [{:.0}, {:.0}]", band.mean, band.low, band.high)
}
