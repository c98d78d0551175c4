//! `chikaku validate`.

use std::collections::BTreeMap;
use std::path::PathBuf;

use chikaku_simulator::fidelity::{self, PHONES, Row, Tracks};
use serde_json::json;

use crate::failure::{Failure, read};
use crate::output::{self, say};
use crate::{progress, table};

#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// Folder of captures, NN.btsnoop each, of DP-3T experiment 34
    #[arg(long)]
    captures: PathBuf,
    /// Camera positions of the same experiment, one archive for each environment
    #[arg(long, required = true, num_args = 1..)]
    positions: Vec<PathBuf>,
    /// Seconds that the experiment's local time was ahead of UTC
    #[arg(long, default_value_t = 7200, allow_negative_numbers = true)]
    utc_offset_seconds: i32,
    /// Print the rows as JSON
    #[arg(long)]
    json: bool,
}

pub(crate) fn run(arguments: &Arguments) -> Result<(), Failure> {
    let bar = progress::bar(1 + arguments.positions.len() as u64, "reading");
    let mut tracks = Vec::new();
    for path in &arguments.positions {
        let read = Tracks::read(&read(path)?, arguments.utc_offset_seconds);
        tracks.push(read.map_err(|error| Failure::refused(error).about(path))?);
        bar.inc(1);
    }
    let mut captures = BTreeMap::new();
    for (phone, ..) in PHONES {
        let path = arguments.captures.join(format!("{phone:02}.btsnoop"));
        captures.insert(phone, read(&path)?);
    }
    let observed = fidelity::opportunities(&captures, &tracks, arguments.utc_offset_seconds);
    let observed = observed.map_err(|error| Failure::refused(error).about(&arguments.captures))?;
    bar.finish_and_clear();
    let rows = fidelity::compare(&observed);
    if arguments.json {
        output::json(&json!(rows));
    } else {
        print(&rows);
    }
    Ok(())
}

fn print(rows: &[Row]) {
    let number =
        |value: Option<f64>| value.map_or_else(|| "–".to_owned(), |value| format!("{value:.2}"));
    let mut table = table::with_header([
        "environment",
        "statistic",
        "n",
        "real",
        "simulated",
        "model–phone",
        "phone–phone",
        "within",
    ]);
    for row in rows {
        let within = row.is_within().map_or("–", |within| if within { "yes" } else { "NO" });
        table.add_row([
            format!("{:?}", row.environment).to_lowercase(),
            row.statistic.title().to_owned(),
            row.opportunities.to_string(),
            number(row.real),
            number(row.simulated),
            number(row.model_to_phone),
            number(row.phone_to_phone),
            within.to_owned(),
        ]);
    }
    say!("{table}");
    let within = rows.iter().filter(|row| row.is_within() == Some(true)).count();
    say!(
        "\n{within} of {} rows lie within the distance between two real phones of one model",
        rows.len()
    );
}
