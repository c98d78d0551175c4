//! `chikaku population board`.

use std::path::PathBuf;

use chikaku_simulator::population::columns::Frame;
use chikaku_simulator::population::page::{self, ArmOnPage};
use chikaku_simulator::population::{self, Outcome};

use super::Size;
use crate::failure::{Failure, at, write};
use crate::output::say;
use crate::progress;

#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    #[command(flatten)]
    size: Size,
    /// Seed of every arm: they differ by their rules alone
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Where monitor.csv, monitor.parquet and board.html are written
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
}

pub(super) fn run(arguments: &Arguments) -> Result<(), Failure> {
    let scenario = arguments.size.scenario()?;
    let bar = progress::bar(scenario.arms.len() as u64, "arms");
    let mut outcomes: Vec<(&str, Outcome)> = Vec::new();
    let mut frame = Frame::default();
    for arm in &scenario.arms {
        let outcome =
            population::run(&scenario.with(arm), arguments.seed).map_err(Failure::refused)?;
        frame.append(outcome.monitor.frame(&arm.name));
        outcomes.push((&arm.name, outcome));
        bar.inc(1);
    }
    bar.finish_and_clear();
    let arms: Vec<_> = outcomes
        .iter()
        .map(|(name, outcome)| ArmOnPage { name, monitor: &outcome.monitor })
        .collect();
    let subtitle = format!(
        "A simulation of {} people for {} days from {}, seed {}. All arms share their chances; a \
         dashed line is a capacity. No forecast.",
        scenario.people, scenario.days, scenario.starts, arguments.seed
    );
    let page = page::board(&scenario.name, &subtitle, &arms);
    std::fs::create_dir_all(&arguments.out).map_err(|error| at(&arguments.out, error))?;
    let parquet = frame.to_parquet().map_err(Failure::refused)?;
    for (name, bytes) in [
        ("monitor.csv", frame.to_csv().as_bytes()),
        ("monitor.parquet", parquet.as_slice()),
        ("board.html", page.as_bytes()),
    ] {
        let path = arguments.out.join(name);
        write(&path, bytes)?;
        say!("{}", path.display());
    }
    Ok(())
}
