//! Holds what nodes said and kept against the ground truth of the air. One line for each claim:
//! `ok - …` or `not ok - …`.
//!
//! It shares no code with the nodes but the frame's decoder and the builder of windows, and takes
//! every time, address and strength from the controllers.

mod events;
mod truth;
mod windows;

use std::collections::{BTreeMap, BTreeSet};
use std::io::Write;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::Parser;

use events::NodeLog;
use truth::{MICROS, Truth};

/// Judges a run of the bed.
#[derive(Debug, Parser)]
struct Arguments {
    /// The ground truth
    #[arg(long)]
    truth: PathBuf,
    /// Folder with N.events of every node
    #[arg(long)]
    nodes: PathBuf,
    /// How many nodes
    #[arg(long)]
    count: usize,
    /// Nodes that must be told of a contact with node 0; the others must not
    #[arg(long, value_delimiter = ',')]
    exposed: Vec<usize>,
    /// The run had faults: scans may be missing, and an identifier may come again under another
    /// address
    #[arg(long)]
    faults: bool,
}

/// Identifier, strength in dBm, second since 1970.
type Reported = ([u8; 16], i64, i64);

/// Claims, printed as they are judged.
struct Verdicts {
    failed: bool,
}

impl Verdicts {
    /// `problems` are what speaks against the claim.
    fn claim(&mut self, claim: &str, problems: &[String]) {
        let mut out = std::io::stdout();
        if problems.is_empty() {
            let _ = writeln!(out, "ok - {claim}");
            return;
        }
        self.failed = true;
        let _ = writeln!(out, "not ok - {claim}");
        for problem in problems.iter().take(5) {
            let _ = writeln!(out, "#    {problem}");
        }
        let _ = writeln!(out, "#    {} in all", problems.len());
    }
}

fn main() -> anyhow::Result<ExitCode> {
    let arguments = Arguments::parse();
    let truth = Truth::read(&arguments.truth)?;
    let nodes: Vec<_> = (0..arguments.count)
        .map(|node| NodeLog::read(&arguments.nodes.join(format!("{node}.events"))))
        .collect::<anyhow::Result<_>>()?;
    let mut verdicts = Verdicts { failed: false };
    addresses(&truth, &arguments, &mut verdicts);
    intervals(&truth, &nodes, &mut verdicts);
    scans(&truth, &nodes, &arguments, &mut verdicts);
    heard(&truth, &nodes, &mut verdicts);
    windows::judge(&truth, &nodes, &arguments.exposed, &mut verdicts);
    let told = nodes.iter().map(|node| node.announced > 0).collect::<Vec<_>>();
    let wrong =
        told.iter().enumerate().filter(|(node, told)| **told != arguments.exposed.contains(node));
    let wrong: Vec<_> = wrong.map(|(node, told)| format!("node {node} was told: {told}")).collect();
    verdicts.claim("who met node 0 is told, and nobody else", &wrong);
    Ok(if verdicts.failed { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}

/// One address for each payload and one payload for each address, all of the right kind.
fn addresses(truth: &Truth, arguments: &Arguments, verdicts: &mut Verdicts) {
    let mut of_payload: BTreeMap<_, BTreeSet<_>> = BTreeMap::new();
    let mut of_address: BTreeMap<_, BTreeSet<_>> = BTreeMap::new();
    let mut wrong = Vec::new();
    for aired in &truth.aired {
        of_payload.entry(aired.service_data).or_default().insert(&aired.address);
        of_address.entry(&aired.address).or_default().insert(aired.service_data);
        if !aired.is_private_broadcast {
            wrong.push(format!("controller {}", aired.controller));
        }
    }
    let repeated = |count: usize, what: &str| (count > 1).then(|| format!("{count} {what}"));
    let payloads: Vec<_> =
        of_payload.values().filter_map(|a| repeated(a.len(), "addresses")).collect();
    let addresses: Vec<_> =
        of_address.values().filter_map(|p| repeated(p.len(), "payloads")).collect();
    let count = of_payload.len();
    if !arguments.faults {
        verdicts.claim(&format!("each of {count} payloads has one address"), &payloads);
    }
    verdicts.claim(&format!("each of {} addresses has one payload", of_address.len()), &addresses);
    verdicts.claim("every broadcast is non-connectable, from a non-resolvable address", &wrong);
    let changed: Vec<_> = truth.data_changed.iter().map(|c| format!("controller {c}")).collect();
    verdicts.claim("no payload changes under an address that is on the air", &changed);
    let silent: Vec<_> = (0..arguments.count)
        .filter(|node| !truth.aired.iter().any(|aired| aired.controller == *node))
        .map(|node| format!("node {node}"))
        .collect();
    verdicts.claim("every node was on the air", &silent);
}

/// Every payload is on the air within its interval alone.
fn intervals(truth: &Truth, nodes: &[NodeLog], verdicts: &mut Verdicts) {
    let mut problems = Vec::new();
    let mut least_covered = 1.0_f64;
    for (number, node) in nodes.iter().enumerate() {
        let mut covered = 0;
        for aired in truth.aired.iter().filter(|aired| aired.controller == number) {
            covered += aired.until - aired.from;
            match node.planned_until.get(&aired.service_data) {
                None => problems.push(format!("node {number}: a payload that nobody planned")),
                Some(until) => {
                    let (begins, ends) = ((until - 600) * MICROS, until * MICROS);
                    let outside = aired.from < begins || aired.until > ends;
                    if outside && !aired.clock_was_set {
                        let late = aired.until - ends;
                        problems.push(format!("node {number}: {late} µs late"));
                    }
                }
            }
        }
        let span = (node.last_at - node.first_at).max(1) * MICROS;
        #[expect(clippy::cast_precision_loss, reason = "a share for people")]
        let share = covered as f64 / span as f64;
        least_covered = least_covered.min(share);
    }
    let claim = "no identifier is on the air outside its interval";
    verdicts.claim(claim, &problems);
    let _ =
        writeln!(std::io::stdout(), "#    on the air for {:.2} % at least", 100.0 * least_covered);
}

/// At least 95 % of the scans that were planned took place.
fn scans(truth: &Truth, nodes: &[NodeLog], arguments: &Arguments, verdicts: &mut Verdicts) {
    for (number, node) in nodes.iter().enumerate() {
        let begun = truth.scans.iter().filter(|scan| scan.controller == number).count();
        let (planned, done) = (node.scans_planned, node.scans.len());
        let enough = done * 100 >= planned * 95 && begun * 100 >= planned * 95;
        let claim = format!(
            "node {number}: {done} of {planned} planned scans took place, {begun} on the controller"
        );
        let problems = if enough || arguments.faults { vec![] } else { vec!["too few".to_owned()] };
        verdicts.claim(&claim, &problems);
    }
}

/// Each node was handed what its controller reported, each report once, with its strength.
fn heard(truth: &Truth, nodes: &[NodeLog], verdicts: &mut Verdicts) {
    for (number, node) in nodes.iter().enumerate() {
        let last = node.scans.iter().map(|scan| scan.ended).max().unwrap_or(0);
        let mut expected: Vec<_> = truth
            .reports
            .iter()
            .filter(|report| report.controller == number && report.micros <= (last + 1) * MICROS)
            .map(|report| (report.identifier, report.rssi, report.micros / MICROS))
            .collect();
        let mut found: Vec<_> = node
            .scans
            .iter()
            .flat_map(|scan| &scan.heard)
            .map(|heard| (heard.identifier, heard.rssi, heard.at))
            .collect();
        expected.sort_unstable();
        found.sort_unstable();
        let problems = differences(&expected, &found);
        let claim =
            format!("node {number} was handed the {} reports of its controller", expected.len());
        verdicts.claim(&claim, &problems);
    }
}

/// What only one of two sorted lists has.
fn differences(expected: &[Reported], found: &[Reported]) -> Vec<String> {
    let (mut expected, mut found) = (expected.iter().peekable(), found.iter().peekable());
    let mut problems = Vec::new();
    loop {
        match (expected.peek(), found.peek()) {
            (None, None) => return problems,
            // The kernel stamps a report some microseconds after the controller has sent it.
            (Some(a), Some(b)) if (a.0, a.1) == (b.0, b.1) && (a.2 - b.2).abs() <= 1 => {
                expected.next();
                found.next();
            }
            (Some(missing), after) if after.is_none_or(|after| missing < after) => {
                problems.push(format!("{} dBm at {} is missing", missing.1, missing.2));
                expected.next();
            }
            (_, surplus) => {
                if let Some(surplus) = surplus {
                    problems.push(format!("{} dBm at {} is too much", surplus.1, surplus.2));
                }
                found.next();
            }
        }
    }
}
