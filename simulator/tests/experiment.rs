//! Experiments and their report, from the command to the picture in a browser.

#![allow(clippy::print_stderr, clippy::unwrap_used, reason = "a test may fail by panicking")]

use std::collections::BTreeMap;
use std::path::Path;
use std::{env, fs, process};

use assert_cmd::Command;
use chikaku_simulator::experiment::parquet_file::from_parquet;
use chikaku_simulator::experiment::table::Table;
use chikaku_simulator::experiment::{Experiment, Settings};

fn chikaku(arguments: &[&str], code: i32) -> (String, String) {
    let mut command = Command::cargo_bin("chikaku").unwrap();
    let output = command.args(arguments).assert().code(code);
    let output = output.get_output();
    let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
    (text(&output.stdout), text(&output.stderr))
}

fn table(folder: &Path, name: &str) -> Table {
    from_parquet(name, fs::read(folder.join(format!("{name}.parquet"))).unwrap()).unwrap()
}

fn small() -> Settings {
    Settings { phones: 24, days: 2, seeds: 2, ..Settings::default() }
}

#[test]
fn every_due_contact_has_exactly_one_fate_and_nobody_gets_lost() {
    let tables = Experiment::E1.run(&small(), &|| ()).unwrap();
    let funnel = &tables[0];
    let (arms, fates) = (funnel.words("arm"), funnel.words("fate"));
    let (seeds, contacts) = (funnel.numbers("seed"), funnel.numbers("contacts"));
    let due = funnel.numbers("due_contacts");
    let mut sums: BTreeMap<(String, u64), (f64, f64)> = BTreeMap::new();
    for row in 0..funnel.rows() {
        let sum = sums.entry((arms[row].to_owned(), seeds[row].unwrap().to_bits())).or_default();
        sum.0 += contacts[row].unwrap();
        sum.1 = due[row].unwrap();
    }
    assert_eq!(sums.len(), 8 * 2);
    for (arm, (fated, due)) in sums {
        assert!(due > 0.0 && (fated - due).abs() < 0.5, "{arm:?}: {fated} of {due}");
    }
    let of = |arm: &str, fate: &str| -> f64 {
        let row = |row: &usize| arms[*row] == arm && fates[*row] == fate;
        (0..funnel.rows()).filter(row).filter_map(|row| contacts[row]).sum()
    };
    assert!(of("everybody takes part", "told, and acted on") > 0.0);
    assert!(of("everybody takes part", "the contact has no app") < 0.5);
    assert!(of("adoption as in Japan", "the contact has no app") > 0.0);
}

#[test]
fn venues_tell_without_an_official_and_only_who_was_there() {
    let tables = Experiment::E6.run(&small(), &|| ()).unwrap();
    let found = &tables[0];
    let gates = found.words("gate");
    let column = |name| found.numbers(name);
    let (scanned, due, told) = (column("visits_scanned"), column("due"), column("told_due"));
    let messages = column("messages_per_1000_positives");
    let sum = |of: &[Option<f64>], gate: &str, share: f64| -> f64 {
        let rows = (0..found.rows())
            .filter(|row| gates[*row] == gate && (scanned[*row].unwrap() - share).abs() < 1e-9);
        rows.map(|row| of[row].unwrap()).sum()
    };
    let itself = "every phone for itself";
    assert!(sum(&due, itself, 1.0) > 3.0);
    // Who scans every code is told of every contact that was long enough.
    assert!((sum(&told, itself, 1.0) - sum(&due, itself, 1.0)).abs() < 0.5);
    let shares = [0.1, 0.3, 0.5, 0.8, 1.0].map(|share| sum(&told, itself, share));
    assert!(shares.is_sorted() && shares[0] < shares[4], "{shares:?}");
    assert!(sum(&told, "an official, in a surge", 1.0) < sum(&told, itself, 1.0));
    let in_kanagawa = (0..found.rows()).filter(|row| gates[*row] == "as in Kanagawa");
    assert!(in_kanagawa.map(|row| messages[row].unwrap()).all(|count| count < 0.5));
}

#[test]
fn the_grid_starts_at_nothing_and_the_number_of_threads_does_not_show() {
    let one = Experiment::E2.run(&small(), &|| ()).unwrap();
    let again = Experiment::E2.run(&small(), &|| ()).unwrap();
    assert_eq!(one, again);
    let grid = &one[0];
    assert_eq!(grid.rows(), 7 * 4 * 5 * 2);
    let (adoption, told) = (grid.numbers("adoption"), grid.numbers("share_told"));
    let nobody = (0..grid.rows()).filter(|&row| adoption[row] == Some(0.0));
    assert!(nobody.into_iter().all(|row| told[row] == Some(0.0)));
    let most = told.iter().copied().flatten().fold(0.0, f64::max);
    let all = grid.numbers("share_predicted").iter().copied().flatten().fold(0.0, f64::max);
    assert!(most > 0.2 && (most - all).abs() < 1e-9, "{most} {all}");
}

#[test]
fn a_folder_of_results_becomes_one_page_without_a_network() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().to_str().unwrap();
    let sizes = ["--phones", "16", "--days", "2", "--seeds", "1"];
    let experiment =
        ["experiment", "e1", "E2", "E5", "E8", "E9", "--only", "reboots", "--out", out];
    chikaku(&[&experiment[..], &sizes[..]].concat(), 0);
    chikaku(&["simulate", "--out", out], 0);
    assert!(table(folder.path(), "e8_incidents").words("run").contains(&"nothing breaks"));

    let (summary, _) = chikaku(&["report", out, "--title", "A <test> & more"], 0);
    assert!(summary.contains("E1: Where are contacts lost?"), "{summary}");
    assert!(summary.contains("exactly one fate"), "{summary}");
    let page = fs::read_to_string(folder.path().join("report.html")).unwrap();
    assert!(page.contains("<title>A &lt;test&gt; &amp; more</title>"));
    for what in ["prefers-color-scheme:dark", "width=device-width", "<svg", "tested positive"] {
        assert!(page.contains(what), "{what}");
    }
    for outside in ["http:", "https:", "//", "url(", "@import", "<script", "src="] {
        assert!(!page.contains(outside), "the page refers to something outside: {outside}");
    }
    for wrong in ["NaN", "inf\"", "Infinity"] {
        assert!(!page.contains(wrong), "{wrong} in a plot");
    }
    screenshot(&folder.path().join("report.html"));
}

/// A phone-wide picture of the page, light; where there is no Chromium this says so.
fn screenshot(page: &Path) {
    let names = ["chromium", "chromium-browser", "google-chrome"];
    let found = env::split_paths(&env::var_os("PATH").unwrap_or_default())
        .flat_map(|folder| names.map(|name| folder.join(name)))
        .find(|path| path.is_file());
    let Some(browser) = found else {
        eprintln!("NO CHROMIUM: the report is not looked at in a browser.");
        return;
    };
    let picture = page.with_extension("png");
    let profile = page.with_extension("profile");
    let status = process::Command::new(browser)
        .args(["--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars"])
        .args(["--no-first-run", "--disable-dev-shm-usage", "--window-size=390,2400"])
        .arg(format!("--user-data-dir={}", profile.display()))
        .arg(format!("--screenshot={}", picture.display()))
        .arg(format!("file://{}", page.display()))
        .stderr(process::Stdio::null())
        .stdout(process::Stdio::null())
        .status()
        .unwrap();
    assert!(status.success());
    let bytes = fs::read(&picture).unwrap();
    assert!(bytes.starts_with(b"\x89PNG"));
    // An empty page of this size takes a tenth of that.
    assert!(bytes.len() > 40_000, "{} bytes of picture", bytes.len());
}

#[test]
fn what_is_no_table_is_refused_with_its_file() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().to_str().unwrap();
    let (_, nothing) = chikaku(&["report", out], 3);
    assert!(nothing.contains("no table"), "{nothing}");
    fs::write(folder.path().join("e1_funnel.parquet"), "PAR1").unwrap();
    let (_, broken) = chikaku(&["report", out], 3);
    assert!(broken.contains("e1_funnel.parquet"), "{broken}");
    let (_, unknown) = chikaku(&["experiment", "E3", "--out", out], 2);
    assert!(unknown.contains("E1, E2, E4, E5, E6"), "{unknown}");
}
