//! Virtual Bluetooth LE controllers on `/dev/vhci`, for the real kernel and the real BlueZ, sharing
//! one simulated air. Everything that happens on it is written down as the ground truth.
//!
//! Control lines on standard input: `rssi FROM TO DBM`, `loss FRACTION`, `crowd N`, `remove N`,
//! `add N`, `mute N UUID` (advertisers that can be connected to and stay silent, the nearest
//! of all), `flush`.
//! Not simulated: collisions, fragments, lost data of connections, connections between Bluetooth 5
//! controllers.
#![cfg_attr(not(target_os = "linux"), allow(unused))]

#[cfg(target_os = "linux")]
mod air;
#[cfg(target_os = "linux")]
mod commands;
#[cfg(target_os = "linux")]
mod connections;
#[cfg(target_os = "linux")]
mod controller;
#[cfg(target_os = "linux")]
mod truth;

use clap::Parser;

/// Virtual controllers on one simulated air.
#[derive(Debug, Parser)]
struct Arguments {
    /// How many controllers
    #[arg(long, default_value_t = 2)]
    count: usize,
    /// Controllers with extended advertising (Bluetooth 5)
    #[arg(long)]
    extended: bool,
    /// Signal strength between two controllers of which nothing else is said, dBm
    #[arg(long, default_value_t = -60.0, allow_negative_numbers = true)]
    rssi: f64,
    /// Its standard deviation, dB
    #[arg(long, default_value_t = 3.0)]
    noise: f64,
    /// How much is lost on the air
    #[arg(long, default_value_t = 0.1)]
    loss: f64,
    /// Advertisers without a controller
    #[arg(long, default_value_t = 0)]
    crowd: usize,
    /// The same seed, the same air, as far as the controllers' hosts behave the same
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Where to write the ground truth: one JSON object a line
    #[arg(long)]
    truth: std::path::PathBuf,
}

#[cfg(target_os = "linux")]
fn main() -> anyhow::Result<()> {
    air::Air::open(&Arguments::parse())?.run()
}

#[cfg(not(target_os = "linux"))]
fn main() {}
