//! `chikaku population`.

mod board;
mod compare;
mod detection;
mod sweep;

use std::path::{Path, PathBuf};
use std::time::Instant;

use chikaku_simulator::population::{self, Day, Monitor, Outcome, Scenario};
use serde_json::json;

use crate::failure::{Failure, read_text};
use crate::output::{self, say};
use crate::table;

#[derive(Debug, clap::Args)]
#[command(args_conflicts_with_subcommands = true)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    command: Option<Command>,
    #[command(flatten)]
    run: Run,
}

#[derive(Debug, clap::Subcommand)]
enum Command {
    /// Write the prefecture's board: every arm, as a page, CSV and Parquet
    Board(board::Arguments),
    /// Run every combination of the scenario's axes; each benefit beside its price
    Sweep(sweep::Arguments),
    /// Run the arms at which OpenABM-Covid19 was measured, and print both models
    Compare(compare::Arguments),
    /// Measure with the simulator of phones how often a contact is called High
    Table(detection::Arguments),
}

#[derive(Debug, clap::Args)]
struct Run {
    #[command(flatten)]
    size: Size,
    /// Seed of every random draw: the same seed gives the same days
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Print the result as JSON
    #[arg(long)]
    json: bool,
}

/// Scenario and size, the same for all commands.
#[derive(Debug, clap::Args)]
struct Size {
    /// Scenario file: what differs from the built-in one of Kanagawa
    scenario: Option<PathBuf>,
    /// Instead of the scenario's number of people
    #[arg(long)]
    people: Option<u32>,
    /// Instead of the scenario's number of days
    #[arg(long)]
    days: Option<u16>,
}

impl Size {
    fn scenario(&self) -> Result<Scenario, Failure> {
        let mut scenario = match self.scenario.as_deref() {
            None => Scenario::kanagawa().map_err(Failure::refused)?,
            Some(path) => read(path)?,
        };
        scenario.people = self.people.unwrap_or(scenario.people);
        scenario.days = self.days.unwrap_or(scenario.days);
        scenario.check().map_err(Failure::refused)?;
        Ok(scenario)
    }
}

fn read(path: &Path) -> Result<Scenario, Failure> {
    Scenario::parse(&read_text(path)?).map_err(|error| Failure::refused(error).about(path))
}

pub(crate) fn run(arguments: &Arguments) -> Result<(), Failure> {
    match &arguments.command {
        None => simulate(&arguments.run),
        Some(Command::Board(arguments)) => board::run(arguments),
        Some(Command::Sweep(arguments)) => sweep::run(arguments),
        Some(Command::Compare(arguments)) => compare::run(arguments),
        Some(Command::Table(arguments)) => detection::run(arguments),
    }
}

fn simulate(arguments: &Run) -> Result<(), Failure> {
    let scenario = arguments.size.scenario()?;
    let begun = Instant::now();
    let outcome = population::run(&scenario, arguments.seed).map_err(Failure::refused)?;
    let seconds = begun.elapsed().as_secs_f64();
    let person_days = f64::from(scenario.people) * f64::from(scenario.days);
    let speed = person_days / seconds;
    if arguments.json {
        print_json(&scenario, arguments.seed, &outcome, speed);
        return Ok(());
    }
    let monitor = &outcome.monitor;
    say!(
        "{}: {} people, {} days, seed {}",
        scenario.name,
        scenario.people,
        scenario.days,
        arguments.seed
    );
    let mut rows = table::with_header(["", "all days", "peak"]);
    for (name, indicator) in INDICATORS {
        rows.add_row([
            name.to_owned(),
            monitor.sum(indicator).to_string(),
            monitor.peak(indicator).to_string(),
        ]);
    }
    say!("{rows}");
    say!("{}", price(&scenario, monitor));
    say!(
        "{speed:.0} person-days per second on {} threads, {:.0} bytes per person",
        population::threads(),
        outcome.bytes_per_person
    );
    Ok(())
}

/// A name, and what it stands for.
type Indicator = (&'static str, fn(&Day) -> u64);

const INDICATORS: [Indicator; 11] = [
    ("infections", |day| day.infections),
    ("positive results", |day| day.new_cases),
    ("  with the app", |day| day.positives_with_app),
    ("  who published keys", |day| day.positives_registered),
    ("notified", |day| day.notified),
    ("  notified, not infected", |day| day.notified_not_infected),
    ("need a hospital", |day| day.hospital_need),
    ("waiting for a bed", |day| day.waiting),
    ("deaths", |day| day.deaths),
    ("at home to protect others", |day| day.isolated),
    ("  at home, not infected", |day| day.isolated_not_infected),
];

/// What it costs, in a sentence.
fn price(scenario: &Scenario, monitor: &Monitor) -> String {
    #[expect(clippy::cast_precision_loss, reason = "far fewer than 2^53")]
    let per_head = |days: u64| days as f64 / f64::from(scenario.people);
    format!(
        "{:.2} days at home per head, {:.2} of them people not infected",
        per_head(monitor.sum(|day| day.isolated)),
        per_head(monitor.sum(|day| day.isolated_not_infected))
    )
}

fn print_json(scenario: &Scenario, seed: u64, outcome: &Outcome, speed: f64) {
    let monitor = &outcome.monitor;
    let totals: serde_json::Map<_, _> = INDICATORS
        .iter()
        .map(|(name, indicator)| {
            let key = name.trim().replace(", ", "_").replace(' ', "_");
            let sum_and_peak =
                json!({ "sum": monitor.sum(indicator), "peak": monitor.peak(indicator) });
            (key, sum_and_peak)
        })
        .collect();
    output::json(&json!({
        "scenario": scenario.name,
        "people": scenario.people,
        "days": scenario.days,
        "seed": seed,
        "totals": totals,
        "digest": monitor.digest(),
        "person_days_per_s": speed,
        "threads": population::threads(),
        "bytes_per_person": outcome.bytes_per_person,
    }));
}
