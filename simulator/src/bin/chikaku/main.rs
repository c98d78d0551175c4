//! `chikaku`: phones in a simulated world, real captures, key files and encounter logs, all
//! through the core that ships.

mod bench;
mod config;
mod experiment;
mod explain;
mod failure;
mod instant;
mod keys;
mod keyserver;
#[cfg(all(feature = "live", target_os = "linux"))]
mod live;
mod log;
mod match_keys;
mod output;
mod population;
mod progress;
mod public_key;
#[cfg(all(feature = "live", target_os = "linux"))]
mod record;
mod replay;
mod report;
mod scenarios;
mod simulate;
mod table;
mod validate;
mod venue;
mod windows;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

/// Exposure notification on the command line: simulate, replay, match, inspect.
#[derive(Debug, Parser)]
#[command(name = "chikaku", version, about, max_term_width = 100)]
#[command(after_help = "Exit codes: 0 done; 1 a file could not be read or written; \
2 the command line is wrong; 3 an input was refused (the message says which and why).")]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Run phones on a virtual clock and a virtual radio: who meets, who is notified, and why
    Simulate(simulate::Arguments),
    /// Let an epidemic pass through a population with an app: beds, benefits, and their price
    Population(population::Arguments),
    /// Explain a simulation: why a phone's user was told, and on every other day why not
    Explain(explain::Arguments),
    /// Run the library of faults and attacks, and see that each comes out as it must
    #[command(subcommand)]
    Scenarios(scenarios::Command),
    /// Run an experiment over many arms and seeds, on all cores, and write its tables
    Experiment(experiment::Arguments),
    /// Make one HTML page with plots of a folder of results
    Report(report::Arguments),
    /// Feed the HCI logs of real Android phones to the engine and write their exposure windows
    Replay(replay::Arguments),
    /// Hold the radio model against what real phones heard, row by row
    Validate(validate::Arguments),
    /// Match key files against an encounter log in JSON lines
    Match(match_keys::Arguments),
    /// Run a node on a Bluetooth adapter of this machine, until Ctrl-C
    #[cfg(all(feature = "live", target_os = "linux"))]
    Live(live::Arguments),
    /// Write what a controller says into a capture that `replay` reads, until Ctrl-C
    #[cfg(all(feature = "live", target_os = "linux"))]
    Record(record::Arguments),
    /// Look into key files, or make them
    #[command(subcommand)]
    Keys(keys::Command),
    /// Check risk configurations before phones use them, or print a built-in one
    #[command(subcommand)]
    Config(config::Command),
    /// Run a key server for tests on this machine: takes uploads, writes signed key files
    Keyserver(keyserver::Arguments),
    /// Measure matching on this machine, beside other designs and what the machine allows
    Bench(bench::Arguments),
    /// Make the code of a venue, and the poster for its door
    #[command(subcommand)]
    Venue(venue::Command),
    /// Look into an encounter log on disk, verify it, wipe it, torture one
    #[command(subcommand)]
    Log(log::Command),
}

fn main() -> ExitCode {
    let outcome = match Arguments::parse().command {
        Command::Simulate(arguments) => simulate::run(&arguments),
        Command::Population(arguments) => population::run(&arguments),
        Command::Explain(arguments) => explain::run(&arguments),
        Command::Scenarios(command) => scenarios::run(&command),
        Command::Experiment(arguments) => experiment::run(&arguments),
        Command::Report(arguments) => report::run(&arguments),
        Command::Replay(arguments) => replay::run(&arguments),
        Command::Validate(arguments) => validate::run(&arguments),
        Command::Match(arguments) => match_keys::run(&arguments),
        #[cfg(all(feature = "live", target_os = "linux"))]
        Command::Live(arguments) => live::run(&arguments),
        #[cfg(all(feature = "live", target_os = "linux"))]
        Command::Record(arguments) => record::run(&arguments),
        Command::Keys(command) => keys::run(&command),
        Command::Config(command) => config::run(&command),
        Command::Keyserver(arguments) => keyserver::run(&arguments),
        Command::Bench(arguments) => bench::run(&arguments),
        Command::Venue(command) => venue::run(&command),
        Command::Log(command) => log::run(&command),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            output::complain(&failure);
            failure.exit_code()
        }
    }
}
