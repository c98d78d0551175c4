//! `chikaku experiment`.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use chikaku_simulator::experiment::parquet_file::to_parquet;
use chikaku_simulator::experiment::table::Table;
use chikaku_simulator::experiment::{Experiment, Settings};

use crate::failure::{self, Failure};
use crate::output::say;
use crate::progress;

#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// E1 (funnel), E2 (adoption, carrying, reporting), E4 (duty cycle), E5 (rules), E6 (venues), E8 (incidents),
    /// E9 (linkability), or several of them, or `all`
    #[arg(required = true, value_name = "NAME", value_parser = experiments)]
    experiments: Vec<Vec<Experiment>>,
    /// Folder for the tables, as Parquet; `chikaku report` reads it
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
    /// Phones of the made-up town of E1, E2, E6 and E9
    #[arg(long, default_value_t = Settings::default().phones,
          value_parser = clap::value_parser!(u32).range(8..=10_000))]
    phones: u32,
    /// Days of that town
    #[arg(long, default_value_t = Settings::default().days,
          value_parser = clap::value_parser!(u32).range(2..=14))]
    days: u32,
    /// Runs of each arm; every arm has the same seeds, and so the same luck
    #[arg(long, default_value_t = Settings::default().seeds,
          value_parser = clap::value_parser!(u32).range(1..=1000))]
    seeds: u32,
    /// Scenarios of the library that E8 runs; without it, all
    #[arg(long, value_name = "SCENARIO")]
    only: Vec<String>,
}

fn experiments(name: &str) -> Result<Vec<Experiment>, String> {
    if name.eq_ignore_ascii_case("all") {
        return Ok(Experiment::ALL.to_vec());
    }
    let known = || Experiment::ALL.map(Experiment::name).join(", ");
    Experiment::named(name)
        .map(|one| vec![one])
        .ok_or_else(|| format!("allowed are {} and all", known()))
}

pub(crate) fn run(arguments: &Arguments) -> Result<(), Failure> {
    let only: BTreeSet<_> = arguments.only.iter().cloned().collect();
    let (phones, days, seeds) = (arguments.phones, arguments.days, arguments.seeds);
    let settings = Settings { phones, days, seeds, only };
    for experiment in arguments.experiments.iter().flatten() {
        let bar = progress::bar(experiment.steps(&settings) as u64, experiment.name());
        let tables = experiment.run(&settings, &|| bar.inc(1));
        bar.finish_and_clear();
        let tables = tables.map_err(Failure::refused)?;
        write_tables(&arguments.out, &tables)?;
        say!("{}: {}", experiment.name(), experiment.question());
        for table in &tables {
            say!("  {}.parquet: {} rows", table.name, table.rows());
        }
    }
    say!("\nnow: chikaku report {}", arguments.out.display());
    Ok(())
}

/// Writes each table into the folder, which is made if it is missing.
pub(crate) fn write_tables(folder: &Path, tables: &[Table]) -> Result<(), Failure> {
    fs::create_dir_all(folder).map_err(|error| failure::at(folder, error))?;
    for table in tables {
        let path = folder.join(format!("{}.parquet", table.name));
        let bytes = to_parquet(table).map_err(|error| Failure::refused(error).about(&path))?;
        failure::write(&path, &bytes)?;
    }
    Ok(())
}
