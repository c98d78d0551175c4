//! `chikaku population table`.

use std::path::PathBuf;

use chikaku_simulator::population::detection::DetectionTable;

use crate::failure::{Failure, write};
use crate::output::say;

#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    /// Pairs of phones that meet in each cell
    #[arg(long, default_value_t = 100, value_parser = clap::value_parser!(u32).range(1..=10_000))]
    pairs: u32,
    /// Seed of every random draw
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Where the table is written; without it, it is printed
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
}

pub(super) fn run(arguments: &Arguments) -> Result<(), Failure> {
    let csv = DetectionTable::measure(arguments.pairs, arguments.seed).to_csv();
    match &arguments.out {
        Some(path) => write(path, csv.as_bytes()),
        None => {
            say!("{}", csv.trim_end());
            Ok(())
        }
    }
}
