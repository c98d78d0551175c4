#![doc = include_str!("../README.md")]

mod codec;
mod content;
pub mod disk;
mod drawers;
mod durable;
mod error;
mod journal;
mod pages;
mod salvage;
mod schema;
mod seal;
mod spool;
mod stored;

pub use drawers::InstallMarker;
pub use durable::{DurableLog, Maintenance, Recovery, SpoolMerge, Verified};
pub use error::{Damage, LogError, Salvage, StoreCorrupt};
pub use seal::{NoRandomness, RootKey};
pub use spool::Spool;
