//! `chikaku scenarios`.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use anyhow::anyhow;
use chikaku_simulator::encounter_file::EncounterFile;
use chikaku_simulator::fidelity::Tracks;
use chikaku_simulator::radio::Environment;
use chikaku_simulator::regression::{self, Row};
use chikaku_simulator::scenario::library::{self, Entry, LIBRARY};
use chikaku_simulator::scenario::{Defence, camera_tracks, contact_network, field_log};
use clap::Subcommand;
use serde::Deserialize;
use serde::de::IntoDeserializer;
use serde::de::value::Error as NoSuchName;
use serde_json::{Value, json};

use crate::failure::{Failure, read};
use crate::output::{self, say};
use crate::{progress, table};

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// List the scenarios of the library: what each shows and which defences hold it
    List,
    /// Print a scenario's file, to change it and hand it to `simulate`
    Show {
        /// Its name, as `list` has it
        name: String,
    },
    /// Print a scenario in which a phone hears what its own log says, to change it and run it
    FromLog {
        /// Encounter log in JSON lines, as `chikaku live --encounters` and `chikaku replay
        /// --encounters` write it
        log: PathBuf,
        /// Where the phone was: lunch, train, office, queue, party or movement
        #[arg(long, default_value = "office", value_parser = environment)]
        environment: Environment,
    },
    /// Print a scenario in which people meet as a recorded contact network says
    FromContacts {
        /// A network of SocioPatterns: time in seconds, two people, their classes
        network: PathBuf,
    },
    /// Print a scenario in which people move as cameras measured
    FromTracks {
        /// Camera positions of DP-3T experiment 34, one recording
        positions: PathBuf,
        /// Seconds by which the recording's local time is ahead of UTC
        #[arg(long, default_value_t = 7200, allow_negative_numbers = true)]
        utc_offset_seconds: i32,
    },
    /// Run scenarios and hold them against what must come of them
    Run(Run),
}

#[derive(Debug, clap::Args)]
pub(crate) struct Run {
    /// Names, as `list` has them
    #[arg(required_unless_present = "all", conflicts_with = "all")]
    names: Vec<String>,
    /// Every scenario of the library
    #[arg(long)]
    all: bool,
    /// Switch a defence off (several times: several), to see what it is good for
    #[arg(long, value_name = "NAME", value_parser = defence)]
    without: Vec<Defence>,
    /// Print the table as JSON
    #[arg(long)]
    json: bool,
}

pub(crate) fn run(command: &Command) -> Result<(), Failure> {
    match command {
        Command::List => list(),
        Command::Show { name } => {
            say!("{}", entry(name)?.text.trim_end());
            Ok(())
        }
        Command::FromLog { log, environment } => from_log(log, *environment),
        Command::FromContacts { network } => from_contacts(network),
        Command::FromTracks { positions, utc_offset_seconds } => {
            from_tracks(positions, *utc_offset_seconds)
        }
        Command::Run(arguments) => run_scenarios(arguments),
    }
}

fn environment(name: &str) -> Result<Environment, NoSuchName> {
    Environment::deserialize(name.into_deserializer())
}

fn from_log(path: &Path, environment: Environment) -> Result<(), Failure> {
    let log = EncounterFile::read(&read(path)?);
    if let Some(skipped) = log.skipped.first() {
        return Err(Failure::refused(*skipped).about(path));
    }
    let text = field_log::scenario_of(&log.sightings, environment);
    say!("{}", text.map_err(|error| Failure::refused(error).about(path))?.trim_end());
    Ok(())
}

fn from_contacts(path: &Path) -> Result<(), Failure> {
    let text = String::from_utf8(read(path)?);
    let text = text.map_err(|error| Failure::refused(error.utf8_error()).about(path))?;
    let made = contact_network::scenario_of(&text);
    let made = made.map_err(|error| Failure::refused(error).about(path))?;
    for line in &made.left_out {
        let left_out =
            format!("{}: line {line} is left out: no contact of two people", path.display());
        output::complain(&left_out);
    }
    say!("{}", made.scenario.trim_end());
    Ok(())
}

fn from_tracks(path: &Path, utc_offset_seconds: i32) -> Result<(), Failure> {
    let recording = Tracks::read(&read(path)?, utc_offset_seconds);
    let recording = recording.map_err(|error| Failure::refused(error).about(path))?;
    let scenario = camera_tracks::scenario_of(&recording);
    let nobody = || Failure::refused(anyhow!("nobody is in the recording")).about(path);
    say!("{}", scenario.ok_or_else(nobody)?.trim_end());
    Ok(())
}

fn list() -> Result<(), Failure> {
    let mut table = table::with_header(["scenario", "stages", "held by", "shows"]);
    for entry in LIBRARY {
        let scenario = entry.scenario().map_err(Failure::refused)?;
        table.add_row([
            entry.name.to_owned(),
            scenario.incidents.join(" "),
            names(&scenario.defences),
            scenario.shows.trim().to_owned(),
        ]);
    }
    say!("{table}");
    Ok(())
}

fn run_scenarios(arguments: &Run) -> Result<(), Failure> {
    let entries = if arguments.all {
        LIBRARY.iter().collect()
    } else {
        arguments.names.iter().map(|name| entry(name)).collect::<Result<Vec<_>, _>>()?
    };
    let without: BTreeSet<_> = arguments.without.iter().copied().collect();
    let bar = progress::bar(entries.len() as u64, "scenarios");
    let rows = regression::run_all(&entries, &without, &|done| bar.set_position(done as u64));
    bar.finish_and_clear();
    let rows = rows.map_err(Failure::refused)?;
    if arguments.json {
        output::json(&rows.iter().map(to_json).collect::<Value>());
    } else {
        print(&rows);
    }
    let changed: Vec<_> = rows.iter().filter(|row| !row.differences.is_empty()).collect();
    if changed.is_empty() {
        return Ok(());
    }
    let names: Vec<_> = changed.iter().map(|row| row.name).collect();
    let (changed, all) = (changed.len(), rows.len());
    Err(Failure::Refused(anyhow!("{changed} of {all} came out otherwise: {}", names.join(", "))))
}

fn print(rows: &[Row]) {
    let mut table = table::with_header([
        "scenario",
        "stages",
        "told",
        "missed",
        "false",
        "late",
        "linkable",
        "bytes",
        "radio s",
        "log",
        "as it must",
    ]);
    for row in rows {
        let judgement = &row.judgement;
        let told = if row.notified.is_empty() { "–".to_owned() } else { row.notified.join(", ") };
        let verdict =
            if row.differences.is_empty() { "yes".to_owned() } else { row.differences.join("; ") };
        table.add_row([
            row.name.to_owned(),
            row.incidents.join(" "),
            told,
            judgement.missed.to_string(),
            judgement.falsely.to_string(),
            judgement.late.to_string(),
            judgement.linkable.to_string(),
            judgement.bytes.to_string(),
            judgement.radio_on_seconds.to_string(),
            judgement.most_sightings.to_string(),
            row.seconds_until_status.map_or_else(|| "–".to_owned(), |s| format!("{} min", s / 60)),
            verdict,
        ]);
    }
    say!("{table}");
}

fn to_json(row: &Row) -> Value {
    let judgement = &row.judgement;
    json!({
        "scenario": row.name,
        "incidents": row.incidents,
        "defences": row.defences.iter().map(|defence| defence.name()).collect::<Vec<_>>(),
        "notified": row.notified,
        "missed": judgement.missed,
        "false": judgement.falsely,
        "late": judgement.late,
        "linkable": judgement.linkable,
        "bytes": judgement.bytes,
        "radio_on_seconds": judgement.radio_on_seconds,
        "most_sightings": judgement.most_sightings,
        "seconds_until_status": row.seconds_until_status,
        "differences": row.differences,
        "digest": hex::encode(row.digest),
    })
}

fn entry(name: &str) -> Result<&'static Entry, Failure> {
    library::named(name).ok_or_else(|| {
        let names: Vec<_> = LIBRARY.iter().map(|entry| entry.name).collect();
        Failure::Refused(anyhow!("there is no scenario {name:?}; there are {}", names.join(", ")))
    })
}

fn defence(name: &str) -> Result<Defence, String> {
    Defence::named(name)
        .ok_or_else(|| format!("allowed are {}", names(&Defence::ALL.into_iter().collect())))
}

fn names(defences: &BTreeSet<Defence>) -> String {
    defences.iter().map(|defence| defence.name()).collect::<Vec<_>>().join(", ")
}
