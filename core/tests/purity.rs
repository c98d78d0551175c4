//! The core's dependencies hold no runtime, clock, network, radio, database or logger.

#![allow(clippy::unwrap_used, reason = "a test may fail by panicking")]

use std::collections::{BTreeSet, HashMap};
use std::process::Command;

use serde_json::Value;

const FORBIDDEN: [&str; 17] = [
    "async-std",
    "bluer",
    "btleplug",
    "chrono",
    "getrandom",
    "hyper",
    "log",
    "mio",
    "rand",
    "redb",
    "reqwest",
    "rusqlite",
    "rustix",
    "socket2",
    "time",
    "tokio",
    "tracing",
];

#[test]
fn nothing_in_the_tree_can_touch_the_world() {
    let output = Command::new(env!("CARGO"))
        .args(["metadata", "--format-version", "1", "--locked", "--offline"])
        .args(["--manifest-path", concat!(env!("CARGO_MANIFEST_DIR"), "/Cargo.toml")])
        .args(["--filter-platform", "aarch64-linux-android"])
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let metadata: Value = serde_json::from_slice(&output.stdout).unwrap();

    let mut names = HashMap::new();
    for package in metadata["packages"].as_array().unwrap() {
        names.insert(package["id"].as_str().unwrap(), package["name"].as_str().unwrap());
    }
    let mut dependencies = HashMap::new();
    for node in metadata["resolve"]["nodes"].as_array().unwrap() {
        let shipped = |dependency: &&Value| {
            dependency["dep_kinds"].as_array().unwrap().iter().any(|kind| kind["kind"].is_null())
        };
        let needs = node["deps"].as_array().unwrap().iter().filter(shipped);
        let needs: Vec<_> = needs.map(|dependency| dependency["pkg"].as_str().unwrap()).collect();
        dependencies.insert(node["id"].as_str().unwrap(), needs);
    }

    let core = *names.iter().find(|(_, name)| **name == "chikaku-core").unwrap().0;
    let mut reached = BTreeSet::from([core]);
    let mut open = vec![core];
    while let Some(package) = open.pop() {
        for dependency in &dependencies[package] {
            if reached.insert(dependency) {
                open.push(dependency);
            }
        }
    }
    assert!(reached.len() > 10, "the closure was not walked");
    for package in reached {
        assert!(!FORBIDDEN.contains(&names[package]), "{} is in the core's tree", names[package]);
    }
}
