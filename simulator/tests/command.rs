//! The command as a user runs it: output, exit codes, messages.

#![allow(clippy::unwrap_used, reason = "a test may fail by panicking")]

use std::fs;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::Stdio;

use assert_cmd::Command;
use serde_json::Value;

/// Made for this test with `openssl ecparam -name prime256v1 -genkey`; it signs nothing else.
const SIGNING_KEY: &str = "-----BEGIN EC PRIVATE KEY-----
MHcCAQEEIM7kAtYnV6GJGOOrB6fga69S8Xh/k2UsvyC+8SmhLhqmoAoGCCqGSM49
AwEHoUQDQgAEKS8PeluCKWLPpTqBt/p7h0XeCL6l+wLcim+kYJV+m3abap5erXmB
cJmS30rLmBcfcOBsSNBJR73w/39dJlGOGg==
-----END EC PRIVATE KEY-----
";
const PUBLIC_KEY: &str = "-----BEGIN PUBLIC KEY-----
MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEKS8PeluCKWLPpTqBt/p7h0XeCL6l
+wLcim+kYJV+m3abap5erXmBcJmS30rLmBcfcOBsSNBJR73w/39dJlGOGg==
-----END PUBLIC KEY-----
";

fn chikaku(arguments: &[&str]) -> Command {
    let mut command = Command::cargo_bin("chikaku").unwrap();
    command.args(arguments);
    command
}

fn stdout(arguments: &[&str], code: i32) -> Vec<u8> {
    chikaku(arguments).assert().code(code).get_output().stdout.clone()
}

fn stderr(arguments: &[&str], code: i32) -> String {
    let output = chikaku(arguments).assert().code(code).get_output().stderr.clone();
    String::from_utf8(output).unwrap()
}

fn path(folder: &Path, name: &str) -> String {
    folder.join(name).display().to_string()
}

#[test]
fn simulate_prints_the_same_bytes_twice() {
    for arguments in [&["simulate", "--seed", "7"][..], &["simulate", "--seed", "7", "--json"]] {
        assert_eq!(stdout(arguments, 0), stdout(arguments, 0));
    }
    let result: Value = serde_json::from_slice(&stdout(&["simulate", "--json"], 0)).unwrap();
    assert_eq!(result["seed"], 1);
    assert_eq!(result["phones"].as_array().unwrap().len(), 12);
    assert_eq!(result["diagnosed"], serde_json::json!(["Aoi"]));
    assert!(result["notified"].as_array().unwrap().contains(&"Haru".into()));
    assert_eq!(result["digest"].as_str().unwrap().len(), 64);
}

#[test]
fn a_scenario_that_makes_no_sense_is_refused_with_its_reason() {
    let folder = tempfile::tempdir().unwrap();
    let file = path(folder.path(), "scenario.toml");
    let good = include_str!("../scenarios/office_lunch.toml");
    for (from, to, reason) in [
        ("phone = \"Aoi\"", "phone = \"Nobody\"", "Nobody"),
        ("hours = 48", "hours = 0", "1 to 8784"),
        ("hours = 48", "hours = 24", "outside"),
        ("environment = \"queue\"", "environment = \"moon\"", "moon"),
        ("to = 2026-04-06T12:00:00+09:00", "to = 2026-04-06T12:10:00+09:00", "at the same time"),
        ("name = \"Haru\"", "name = \"Aoi\"", "two phones"),
        ("starts = 2026-04-06T00:00:00+09:00", "starts = 2026-04-06T00:00:00", "offset"),
    ] {
        assert!(good.contains(from), "{from}");
        fs::write(&file, good.replacen(from, to, 1)).unwrap();
        let message = stderr(&["simulate", &file], 3);
        assert!(message.contains(reason) && message.contains("scenario.toml"), "{message}");
    }
    fs::write(&file, good).unwrap();
    assert_eq!(stdout(&["simulate", &file], 0), stdout(&["simulate"], 0));
}

#[test]
fn a_trace_has_every_event_and_no_identifier() {
    let folder = tempfile::tempdir().unwrap();
    let (one, again) = (path(folder.path(), "one.jsonl"), path(folder.path(), "again.jsonl"));
    let with = |file: &str| stdout(&["simulate", "--json", "--trace", file], 0);
    let (traced, result) = (with(&one), stdout(&["simulate", "--json"], 0));
    assert_eq!(traced, result, "writing it down changes nothing");
    with(&again);
    let trace = fs::read_to_string(&one).unwrap();
    assert_eq!(trace, fs::read_to_string(&again).unwrap());
    let result: Value = serde_json::from_slice(&result).unwrap();
    // The first line says what it is a trace of.
    let events = trace.lines().skip(1);
    assert_eq!(events.clone().count() as u64, result["trace_events"].as_u64().unwrap());
    let announced = trace.lines().filter(|line| line.contains("\"announced\"")).count();
    assert_eq!(announced, result["notified"].as_array().unwrap().len());
    for line in events {
        let line: Value = serde_json::from_str(line).unwrap();
        assert!(line["sha256"].as_str().is_none_or(|digest| digest.len() == 16), "{line}");
    }
}

#[test]
fn a_town_is_the_same_twice_and_takes_its_size_from_the_command_line() {
    let town = ["simulate", "--town", "12", "--days", "1", "--seed", "3", "--json"];
    let result = stdout(&town, 0);
    assert_eq!(result, stdout(&town, 0));
    let result: Value = serde_json::from_slice(&result).unwrap();
    assert_eq!(result["phones"], 12);
    assert!(result["trace_events"].as_u64().unwrap() > 12 * 300);
    stderr(&["simulate", "--town", "1"], 2);
    stderr(&["simulate", "--days", "3"], 2);
}

#[test]
fn keys_are_generated_inspected_and_matched() {
    let folder = tempfile::tempdir().unwrap();
    let (key, public) = (path(folder.path(), "key.pem"), path(folder.path(), "public.pem"));
    let (zip, again) = (path(folder.path(), "out.zip"), path(folder.path(), "again.zip"));
    fs::write(&key, SIGNING_KEY).unwrap();
    fs::write(&public, PUBLIC_KEY).unwrap();
    for out in [&zip, &again] {
        let generate =
            ["keys", "generate", "--count", "1000", "--days", "14", "--seed", "5", "--sign-with"];
        stdout(&[&generate[..], &[&key, out]].concat(), 0);
    }
    assert_eq!(fs::read(&zip).unwrap(), fs::read(&again).unwrap());

    let inspect = stdout(&["keys", "inspect", &zip, "--public-key", &public, "--json"], 0);
    let inspect: Value = serde_json::from_slice(&inspect).unwrap();
    assert_eq!(inspect["usable_keys"], 1000);
    assert_eq!(inspect["signature_valid"], true);
    assert_eq!(inspect["keys_by_day"].as_object().unwrap().len(), 14);
    stdout(&["keys", "inspect", &zip], 0);

    let log = path(folder.path(), "log.jsonl");
    fs::write(&log, "").unwrap();
    let matching = ["match", "--encounters", &log, "--public-key", &public, "--json", "--keys"];
    let result = stdout(&[&matching[..], &[&zip]].concat(), 0);
    let result: Value = serde_json::from_slice(&result).unwrap();
    assert_eq!((&result["keys_checked"], &result["matched_keys"]), (&1000.into(), &0.into()));

    // A broken file is named and refused; the good one beside it is matched all the same.
    let mut broken = fs::read(&zip).unwrap();
    let middle = broken.len() / 2;
    broken[middle] ^= 1;
    let bad = path(folder.path(), "bad.zip");
    fs::write(&bad, broken).unwrap();
    let result = stdout(&[&matching[..], &[&bad, &zip]].concat(), 3);
    let result: Value = serde_json::from_slice(&result).unwrap();
    assert_eq!(result["keys_checked"], 1000);
    assert!(result["files"][0]["refused"].is_string());
    let message = stderr(&["keys", "inspect", &bad, "--public-key", &public], 3);
    assert!(message.contains("bad.zip"), "{message}");
}

#[test]
fn a_log_is_tortured_inspected_maintained_and_wiped() {
    let folder = tempfile::tempdir().unwrap();
    let log = path(folder.path(), "log");
    let told = stdout(&["log", "torture", &log, "--kills", "12", "--seed", "3"], 0);
    assert!(String::from_utf8(told).unwrap().contains("12 kills"));
    let inspect = stdout(&["log", "inspect", &log, "--json"], 0);
    let inspect: Value = serde_json::from_slice(&inspect).unwrap();
    assert!(inspect["days"][0]["sightings"].as_u64().unwrap() > 0);
    stdout(&["log", "inspect", &log], 0);
    stdout(&["log", "verify", &log], 0);
    stdout(&["log", "maintain", &log], 0);

    // Nothing is made in the place of something, and nothing opens under another key.
    stderr(&["log", "torture", &log, "--kills", "1"], 1);
    let other = path(folder.path(), "other.key");
    fs::write(&other, "07".repeat(32)).unwrap();
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        fs::set_permissions(&other, fs::Permissions::from_mode(0o644)).unwrap();
        let message = stderr(&["log", "verify", &log, "--root-key", &other], 3);
        assert!(message.contains("chmod 600"), "{message}");
        fs::set_permissions(&other, fs::Permissions::from_mode(0o600)).unwrap();
    }
    let message = stderr(&["log", "verify", &log, "--root-key", &other], 3);
    assert!(message.contains("another root key"), "{message}");

    // A damaged log is named, with what can be read of it.
    let pages = folder.path().join("log/pages");
    let whole = fs::read(&pages).unwrap();
    let mut broken = whole.clone();
    let middle = broken.len() / 2;
    broken[middle] ^= 1;
    fs::write(&pages, broken).unwrap();
    let message = stderr(&["log", "verify", &log], 3);
    assert!(message.contains("pages") && message.contains("can be read"), "{message}");
    fs::write(&pages, whole).unwrap();

    stdout(&["log", "maintain", &log, "--forget-before", "2100-01-01"], 0);
    let inspect = stdout(&["log", "inspect", &log, "--json"], 0);
    let inspect: Value = serde_json::from_slice(&inspect).unwrap();
    assert_eq!(inspect["days"], serde_json::json!([]));
    stderr(&["log", "wipe", &log], 2);
    stdout(&["log", "wipe", &log, "--yes"], 0);
    stderr(&["log", "inspect", &log], 3);
    stderr(&["log", "inspect", "no-such-folder"], 1);
}

#[test]
fn a_reader_that_has_seen_enough_ends_the_command_quietly() {
    let chikaku = assert_cmd::cargo::cargo_bin("chikaku");
    let mut running = std::process::Command::new(chikaku)
        .args(["simulate", "--json"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    drop(running.stdout.take());
    let output = running.wait_with_output().unwrap();
    assert_eq!(String::from_utf8_lossy(&output.stderr), "");
    assert!(output.status.success());
}

#[test]
fn exit_codes_tell_files_from_usage_from_input() {
    stderr(&["match", "--encounters", "no-such-file", "--keys", "none"], 1);
    stderr(&["replay", "--captures", "no-such-folder", "--json", "out"], 1);
    stderr(&["simulate", "--seed", "minus one"], 2);
    stderr(&["keys", "generate", "--count", "1", "--days", "0", "--sign-with", "x", "y"], 2);
    let folder = tempfile::tempdir().unwrap();
    let empty = folder.path().display().to_string();
    let out = path(folder.path(), "out.json");
    stderr(&["replay", "--captures", &empty, "--json", &out], 3);
    fs::write(folder.path().join("01.btsnoop"), b"not a capture").unwrap();
    let message = stderr(&["replay", "--captures", &empty, "--json", &out], 3);
    assert!(message.contains("phone 1"), "{message}");
    // The readable capture beside it is replayed all the same.
    let seed = include_bytes!("../../core/fuzz/seeds/btsnoop/h4");
    fs::write(folder.path().join("02.btsnoop"), seed).unwrap();
    stderr(&["replay", "--captures", &empty, "--json", &out], 3);
    assert_eq!(fs::read_to_string(&out).unwrap().trim(), "[]");
    fs::write(folder.path().join("2.btsnoop"), seed).unwrap();
    let message = stderr(&["replay", "--captures", &empty, "--json", &out], 3);
    assert!(message.contains("two captures of phone 2"), "{message}");
    let early = ["keys", "generate", "--count", "1", "--days", "14", "--last-day", "1970-01-01"];
    let key = path(folder.path(), "key.pem");
    fs::write(&key, SIGNING_KEY).unwrap();
    stderr(&[&early[..], &["--sign-with", &key, &out]].concat(), 3);
}

#[test]
fn keyserver_serves_an_empty_list_and_makes_its_own_key() {
    let folder = tempfile::tempdir().unwrap();
    let dir = path(folder.path(), "server");
    assert!(stderr(&["keyserver", "--dir", &dir, "--number", "12"], 2).contains("2 digits"));
    for _ in 0..2 {
        let mut server = std::process::Command::new(assert_cmd::cargo::cargo_bin("chikaku"))
            .args(["keyserver", "--dir", &dir, "--port", "0"])
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut url = String::new();
        BufReader::new(server.stdout.take().unwrap()).read_line(&mut url).unwrap();
        let body = ureq::get(url.trim()).call().unwrap().body_mut().read_to_string().unwrap();
        server.kill().unwrap();
        server.wait().unwrap();
        assert!(url.starts_with("http://127.0.0.1:"), "{url}");
        assert_eq!(body, "[]");
    }
    let key = fs::read_to_string(path(&folder.path().join("server"), "signing_key.pem")).unwrap();
    assert!(key.contains("PRIVATE KEY"));
    let public = fs::read_to_string(path(&folder.path().join("server"), "public_key.pem")).unwrap();
    assert!(public.contains("PUBLIC KEY"));
    assert!(
        stderr(&["keyserver", "--dir", &dir, "--sign-with", "missing.pem"], 1)
            .contains("missing.pem")
    );
}

#[test]
fn a_trace_runs_again_and_a_changed_one_is_noticed_with_its_line() {
    let folder = tempfile::tempdir().unwrap();
    let trace = path(folder.path(), "trace.jsonl");
    let result = stdout(&["simulate", "--seed", "7", "--json", "--trace", &trace], 0);
    assert_eq!(stdout(&["simulate", "--replay", &trace, "--json"], 0), result);

    let text = fs::read_to_string(&trace).unwrap();
    let changed = text.replacen("\"what\":\"announced\"", "\"what\":\"announce\"", 1);
    assert_ne!(changed, text);
    let line = changed.lines().position(|line| line.contains("\"announce\"")).unwrap() + 1;
    fs::write(&trace, changed).unwrap();
    let refused = stderr(&["simulate", "--replay", &trace], 3);
    assert!(refused.contains(&format!("line {line}:")), "{refused}");

    let shorter: Vec<_> = text.lines().take(20).collect();
    fs::write(&trace, shorter.join("\n")).unwrap();
    assert!(
        stderr(&["simulate", "--replay", &trace], 3).contains("line 21: the trace has nothing")
    );
    fs::write(&trace, "{}\n").unwrap();
    assert!(stderr(&["simulate", "--replay", &trace], 3).contains("line 1"));
}

#[test]
fn a_phones_log_becomes_a_scenario_that_runs() {
    let folder = tempfile::tempdir().unwrap();
    let (log, scenario) = (path(folder.path(), "log.jsonl"), path(folder.path(), "mine.toml"));
    let sighting = |minute: i64, rssi: i64| serde_json::json!({"unix_s": 1_775_433_600 + 60 * minute, "rssi_dbm": rssi, "aem": "10111213"});
    let near: Vec<_> = (0..8).map(|number| sighting(5 * number, -80)).collect();
    let far: Vec<_> = (0..3).map(|number| sighting(5 * number, -98)).collect();
    let line = |digit: &str, sightings: &[Value]| {
        serde_json::json!({"rpi": digit.repeat(32), "sightings": sightings}).to_string()
    };
    fs::write(&log, [line("a", &near), line("b", &far)].join("\n")).unwrap();
    let text = stdout(&["scenarios", "from-log", &log, "--environment", "lunch"], 0);
    let text = String::from_utf8(text).unwrap();
    assert!(!text.contains("aaaa") && text.contains("neighbour 2"), "{text}");
    fs::write(&scenario, &text).unwrap();
    let result: Value =
        serde_json::from_slice(&stdout(&["simulate", &scenario, "--json"], 0)).unwrap();
    let contacts = result["contacts"].as_array().unwrap();
    let metres = |name: &str| {
        let pair = contacts.iter().find(|one| {
            let phones = one["phones"].as_array().unwrap();
            phones.contains(&"me".into()) && phones.contains(&name.into())
        });
        pair.unwrap()["distance_m"].as_f64().unwrap()
    };
    // -80 dBm is 59 dB, -98 dBm is 77 dB.
    assert!(metres("neighbour 1") < 1.0 && metres("neighbour 2") > 3.0);
    fs::write(&log, "").unwrap();
    assert!(stderr(&["scenarios", "from-log", &log], 3).contains("no sighting"));
    stderr(&["scenarios", "from-log", &log, "--environment", "moon"], 2);
}
