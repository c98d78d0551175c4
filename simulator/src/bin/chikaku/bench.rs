//! `chikaku bench`: what matching costs on this machine, beside other designs and beside what its
//! instructions allow.

use std::env;
use std::process::Command;

use anyhow::{Context, anyhow, bail};
use chikaku_benches::row::Row;
use chikaku_benches::{bound, gate, matching, pipeline};
use chikaku_core::matching::InstructionSet;
use serde::Deserialize;
use serde_json::json;

use crate::failure::Failure;
use crate::output::{self, say};
use crate::{progress, table};

#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// A glance of less than a minute instead of the whole table
    #[arg(long)]
    quick: bool,
    /// Print the rows as JSON
    #[arg(long)]
    json: bool,
    /// Fail if matching became dearer than the budget in this file (benches/budget.toml); needs
    /// valgrind, which counts the instructions
    #[arg(long, value_name = "BUDGET", conflicts_with = "quick")]
    gate: Option<std::path::PathBuf>,
    /// Only do the work that the gate counts
    #[arg(long, hide = true, value_name = "KERNEL")]
    work: Option<String>,
    /// For `--work`: how many keys
    #[arg(long, hide = true, default_value_t = 0)]
    work_keys: usize,
}

pub(crate) fn run(arguments: &Arguments) -> Result<(), Failure> {
    if let Some(kernel) = &arguments.work {
        let set = instruction_set(kernel).map_err(Failure::refused)?;
        say!("{} matches", gate::counted_work(set, arguments.work_keys));
        return Ok(());
    }
    if let Some(path) = &arguments.gate {
        let budget = crate::failure::read_text(path)?;
        let budget = toml::from_str(&budget).map_err(Failure::refused);
        return check(&budget.map_err(|failure| failure.about(path))?, arguments.json)
            .map_err(Failure::refused);
    }
    let plans = matching::plans(arguments.quick);
    let bar = progress::bar(plans.len() as u64 + 4, "measuring");
    let mut rows = bound::rows(arguments.quick);
    bar.inc(1);
    for plan in &plans {
        rows.extend(matching::rows(plan));
        bar.inc(1);
    }
    rows.extend(pipeline::rows(arguments.quick));
    bar.inc(1);
    rows.extend(pipeline::log_and_windows(arguments.quick));
    bar.inc(1);
    rows.push(pipeline::fortnight(if arguments.quick { 20_000 } else { 500_000 }));
    bar.finish_and_clear();
    if arguments.json {
        output::json(&json!(rows));
    } else {
        print(&rows);
    }
    Ok(())
}

fn print(rows: &[Row]) {
    let mut table = table::with_header([
        "bench",
        "implementation",
        "sightings",
        "log",
        "starts",
        "keys/s",
        "ns/key",
        "cycles",
        "× published",
        "of bound",
        "other",
    ]);
    let or_empty = |text: Option<String>| text.unwrap_or_default();
    for row in rows {
        let implementation = match row.kernel {
            Some(kernel) => format!("{} ({kernel})", row.implementation),
            None => row.implementation.to_owned(),
        };
        let other = [
            row.stage.map(str::to_owned),
            row.per_s.map(|per_s| format!("{per_s:.3e}/s")),
            row.seconds.map(|seconds| format!("{seconds:.2} s")),
            row.memory_bytes.map(|bytes| format!("{:.1} MiB", mebibytes(bytes))),
            row.index_bytes.map(|bytes| format!("log {:.1} MiB", mebibytes(bytes))),
        ];
        table.add_row([
            row.bench.to_owned(),
            implementation,
            or_empty(row.sightings.map(|count| count.to_string())),
            or_empty(row.log.map(str::to_owned)),
            or_empty(row.starts.map(str::to_owned)),
            or_empty(row.keys_per_s.map(|keys| format!("{keys:.0}"))),
            or_empty(row.ns_per_key.map(|ns| format!("{ns:.1}"))),
            or_empty(row.cycles_per_key.map(|cycles| format!("{cycles:.0}"))),
            or_empty(row.times_published.map(|times| format!("{times:.2}"))),
            or_empty(row.fraction_of_bound.map(|part| format!("{:.0} %", part * 100.0))),
            other.into_iter().flatten().collect::<Vec<_>>().join(", "),
        ]);
    }
    say!("{table}");
}

#[expect(clippy::cast_precision_loss, reason = "a figure for people")]
fn mebibytes(bytes: usize) -> f64 {
    bytes as f64 / f64::from(1 << 20)
}

fn instruction_set(name: &str) -> anyhow::Result<InstructionSet> {
    let found = InstructionSet::ALL.into_iter().find(|set| set.name() == name);
    let set = found.ok_or_else(|| anyhow!("{name} is no kernel"))?;
    if !set.is_available() {
        bail!("this machine cannot run the kernel {name}");
    }
    Ok(set)
}

/// What matching may cost.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Budget {
    /// Instructions for each key, without SHA and AVX-512 instructions, which valgrind lacks.
    instructions_per_key: InstructionsPerKey,
    /// By how much in percent they may exceed it.
    instructions_tolerance_percent: f64,
    /// CPU time of the AES-NI kernel by that of the VAES kernel.
    vaes_to_aes_ni: f64,
    /// By how much in percent it may fall short.
    ratio_tolerance_percent: f64,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct InstructionsPerKey {
    portable: f64,
    aes_ni: f64,
}

/// One figure and its limit.
struct Check {
    what: &'static str,
    measured: f64,
    limit: f64,
    holds: bool,
}

fn check(budget: &Budget, as_json: bool) -> anyhow::Result<()> {
    let mut checks = Vec::new();
    let counted = &budget.instructions_per_key;
    let more = 1.0 + budget.instructions_tolerance_percent / 100.0;
    for (what, kernel, budget) in [
        ("instructions a key, portable", "portable", counted.portable),
        ("instructions a key, aes-ni", "aes-ni", counted.aes_ni),
    ] {
        let (measured, limit) = (instructions_per_key(kernel)?, budget * more);
        checks.push(Check { what, measured, limit, holds: measured <= limit });
    }
    // A machine without VAES says nothing about the kernel for it.
    if let Some(measured) = gate::vaes_ratio() {
        let limit = budget.vaes_to_aes_ni * (1.0 - budget.ratio_tolerance_percent / 100.0);
        let what = "vaes, times as fast as aes-ni";
        checks.push(Check { what, measured, limit, holds: measured >= limit });
    }
    if as_json {
        let checks = checks.iter().map(|check| {
            json!({ "what": check.what, "measured": check.measured, "limit": check.limit,
                "holds": check.holds })
        });
        output::json(&json!(checks.collect::<Vec<_>>()));
    } else {
        for Check { what, measured, limit, holds } in &checks {
            let verdict = if *holds { "within" } else { "BEYOND" };
            say!("{what}: {measured:.2}, {verdict} the limit {limit:.2}");
        }
    }
    match checks.iter().find(|check| !check.holds) {
        None => Ok(()),
        Some(check) => bail!("{} is beyond its budget", check.what),
    }
}

/// Counted by valgrind as the difference of two runs of this program.
#[expect(clippy::cast_precision_loss, reason = "counts of a few billion")]
fn instructions_per_key(kernel: &str) -> anyhow::Result<f64> {
    let program = env::current_exe().context("where this program is")?;
    let [small, large] = gate::COUNTED_KEYS;
    let count = |keys: usize| -> anyhow::Result<u64> {
        let output = Command::new("valgrind")
            .args(["--tool=callgrind", "--callgrind-out-file=/dev/null"])
            .arg(&program)
            .args(["bench", "--work", kernel, "--work-keys", &keys.to_string()])
            .output()
            .context("valgrind could not be started")?;
        let text = String::from_utf8_lossy(&output.stderr);
        if !output.status.success() {
            bail!("the counted run failed: {text}");
        }
        let collected = text.lines().find_map(|line| line.split("Collected :").nth(1));
        let collected = collected.ok_or_else(|| anyhow!("valgrind counted nothing: {text}"))?;
        collected.trim().parse().context("valgrind's count")
    };
    let (fewer, more) = (count(small)?, count(large)?);
    Ok(more.saturating_sub(fewer) as f64 / (large - small) as f64)
}
