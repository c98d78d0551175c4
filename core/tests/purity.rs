//! The core's dependencies hold no runtime, clock, network, radio, database or logger.

#![allow(clippy::unwrap_used, reason = "a test may fail by panicking")]

use std::process::Command;

const FORBIDDEN: [&str; 21] = [
    "async-std",
    "bluer",
    "btleplug",
    "chrono",
    "curl",
    "getrandom",
    "hyper",
    "jiff",
    "log",
    "mio",
    "openssl",
    "rand",
    "redb",
    "reqwest",
    "rusqlite",
    "rustix",
    "socket2",
    "time",
    "tokio",
    "tracing",
    "ureq",
];

#[test]
fn nothing_in_the_tree_can_touch_the_world() {
    let output = Command::new(env!("CARGO"))
        .args(["tree", "--edges", "normal", "--prefix", "none", "--format", "{p}"])
        .args(["--locked", "--offline", "--package", "chikaku-core"])
        .args(["--manifest-path", concat!(env!("CARGO_MANIFEST_DIR"), "/Cargo.toml")])
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let tree = String::from_utf8(output.stdout).unwrap();
    let names: Vec<_> = tree.lines().filter_map(|line| line.split_whitespace().next()).collect();
    for known in ["chikaku-core", "aes", "rand_core", "sha2"] {
        assert!(names.contains(&known), "{known} is not in the tree: it was not read");
    }
    for name in names {
        assert!(!FORBIDDEN.contains(&name), "{name} is in the core's tree");
    }
}
