//! The library of faults and attacks: each scenario comes out as it must, and differently when a
//! defence it names is switched off.

#![allow(clippy::unwrap_used, reason = "a test may fail by panicking")]

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use assert_cmd::Command;
use chikaku_simulator::regression;
use chikaku_simulator::scenario::library::LIBRARY;
use chikaku_simulator::scenario::{Defence, Scenario};
use serde_json::Value;

fn chikaku(arguments: &[&str]) -> Command {
    let mut command = Command::cargo_bin("chikaku").unwrap();
    command.args(arguments);
    command
}

#[test]
fn every_scenario_comes_out_as_it_must() {
    let entries: Vec<_> = LIBRARY.iter().collect();
    let rows = regression::run_all(&entries, &BTreeSet::new(), &|_| {}).unwrap();
    assert_eq!(rows.len(), LIBRARY.len());
    let differences: BTreeMap<_, _> = rows
        .iter()
        .map(|row| (row.name, &row.differences))
        .filter(|(_, d)| !d.is_empty())
        .collect();
    assert!(differences.is_empty(), "{differences:#?}");
}

#[test]
fn every_scenario_fails_without_each_defence_it_names() {
    let mut switched_off = BTreeSet::new();
    let mut unharmed = Vec::new();
    for entry in LIBRARY {
        for defence in entry.scenario().unwrap().defences {
            switched_off.insert(defence);
            let row = regression::run(entry, &BTreeSet::from([defence])).unwrap();
            if row.differences.is_empty() {
                unharmed.push((entry.name, defence));
            }
        }
    }
    assert_eq!(unharmed, []);
    let all: BTreeSet<_> = Defence::ALL.into_iter().collect();
    assert_eq!(switched_off, all, "every defence is held by a scenario");
}

#[test]
fn the_number_of_threads_does_not_show() {
    let entries: Vec<_> =
        LIBRARY.iter().filter(|e| ["flood", "sniffer", "replay"].contains(&e.name)).collect();
    let together = regression::run_all(&entries, &BTreeSet::new(), &|_| {}).unwrap();
    let alone: Vec<_> =
        entries.iter().map(|entry| regression::run(entry, &BTreeSet::new()).unwrap()).collect();
    assert_eq!(together, alone);
}

#[test]
fn the_library_is_the_folder() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("scenarios");
    let files = folder.read_dir().unwrap().map(|file| file.unwrap().path());
    let files: BTreeSet<_> =
        files.map(|path| path.file_stem().unwrap().to_str().unwrap().to_owned()).collect();
    let library: BTreeSet<_> = LIBRARY.iter().map(|entry| entry.name.to_owned()).collect();
    assert_eq!(files, library);
    for entry in LIBRARY {
        let scenario = entry.scenario().unwrap();
        assert!(scenario.expect.is_some(), "{} expects nothing", entry.name);
    }
}

#[test]
fn what_makes_no_sense_is_refused_with_its_line_and_what_is_allowed() {
    let good = LIBRARY.iter().find(|entry| entry.name == "time_machine").unwrap().text;
    for (from, to, reasons) in [
        ("kind = \"clock_set\"", "kind = \"clock_sat\"", &["clock_sat", "`reboot`", "`lost"][..2]),
        ("environment = \"queue\"", "environment = \"moon\"", &["moon", "`office`"]),
        ("model = \"S10e\"", "model = \"S11\"", &["S11", "`S10e`"]),
        ("defences = [\"clock_watch\"]", "defences = [\"hope\"]", &["hope", "`clock_watch`"]),
        (
            "place = \"station\"\nshift",
            "place = \"statoin\"\nshift",
            &["statoin", "table, station"],
        ),
        ("phone = \"Mei\"\nseconds", "phone = \"May\"\nseconds", &["May", "Aoi, Haru, Mei"]),
        ("[\"clock_suspect\"] }", "[\"clock_odd\"] }", &["clock_odd", "clock_suspect"]),
        ("seconds = -86400\n\n[[adv", "\n[[adv", &["needs `seconds`"]),
        ("hours = 58", "hours = 0", &["1 to 8784"]),
        ("at = 2026-04-07T13:50", "at = 2027-04-07T13:50", &["outside"]),
        ("defences = [\"clock_watch\"]", "", &["`undefended`"]),
        ("missed = 0", "mised = 0", &["mised", "`missed`"]),
        (
            "environment = \"queue\"",
            "environment = \"queue\"\ntracks = { Mei = [[9, 0.0, 0.0], [9, 1.0, 0.0]] }",
            &["track of Mei", "order of time"],
        ),
        (
            "environment = \"queue\"",
            "environment = \"queue\"\ncontacts = [[\"Mei\", \"Aoi\", 40, 20]]",
            &["contact of Mei and Aoi", "ends before it begins"],
        ),
        (
            "environment = \"queue\"",
            "environment = \"queue\"\ncontacts = []\ntracks = {}",
            &["several of `walk`"],
        ),
        ("model = \"S10e\"", "model = \"S10e\", system = \"symbian\"", &["symbian", "`ios`"]),
        (
            "model = \"S10e\"",
            "model = \"S10e\", foreground = [{ from = 2026-04-06T11:00:00Z, to = 2026-04-06T12:00:00Z }]",
            &["needs `system = \"ios\"`"],
        ),
    ] {
        assert!(good.contains(from), "{from}");
        let changed = good.replacen(from, to, 1);
        let message = Scenario::parse(&changed).unwrap_err().to_string();
        for reason in reasons {
            assert!(message.contains(reason), "{message} does not name {reason}");
        }
        // The line is that of the change, or of the table in which something is missing.
        let line = good[..good.find(from).unwrap()].matches('\n').count() + 1;
        let named = message.split("line ").nth(1).unwrap();
        let named: usize =
            named.split(|c: char| !c.is_ascii_digit()).next().unwrap().parse().unwrap();
        assert!(named.abs_diff(line) <= 5, "{message}: the change is in line {line}");
    }
}

#[test]
fn the_command_prints_the_table_and_fails_on_a_changed_outcome() {
    let output = chikaku(&["scenarios", "run", "replay", "sniffer", "--json"]).assert().code(0);
    let rows: Value = serde_json::from_slice(&output.get_output().stdout).unwrap();
    assert_eq!(rows[0]["scenario"], "replay");
    assert_eq!(rows[0]["notified"], serde_json::json!(["Haru"]));
    assert_eq!(rows[1]["linkable"], 0);

    let without = ["scenarios", "run", "replay", "--without", "publication_time"];
    let output = chikaku(&without).assert().code(3);
    let output = output.get_output();
    assert!(String::from_utf8_lossy(&output.stdout).contains("Mei"));
    assert!(String::from_utf8_lossy(&output.stderr).contains("replay"));

    let unknown = chikaku(&["scenarios", "run", "reply"]).assert().code(3);
    assert!(String::from_utf8_lossy(&unknown.get_output().stderr).contains("replay"));
    let unknown = chikaku(&["scenarios", "run", "replay", "--without", "hope"]).assert().code(2);
    assert!(String::from_utf8_lossy(&unknown.get_output().stderr).contains("clock_watch"));
    chikaku(&["scenarios", "run"]).assert().code(2);
    let listed = chikaku(&["scenarios", "list"]).assert().code(0);
    let listed = String::from_utf8_lossy(&listed.get_output().stdout).into_owned();
    assert!(LIBRARY.iter().all(|entry| listed.contains(entry.name)), "{listed}");
}
