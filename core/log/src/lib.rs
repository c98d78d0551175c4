//! The encounter log on disk: sealed by day, crash-consistent, and it really forgets.
//!
//! [`DurableLog`] implements the core's port,
//! [`EncounterLog`](chikaku_core::encounter_log::EncounterLog). See `core/log/README.md` for the
//! files, what a crash leaves, and what was measured.

mod codec;
mod content;
pub mod disk;
mod drawers;
mod durable;
mod error;
mod journal;
mod pages;
mod schema;
mod seal;
mod spool;
mod stored;

pub use drawers::InstallMarker;
pub use durable::{DurableLog, Maintenance, Recovery, SpoolMerge, Verified};
pub use error::{Damage, LogError, Salvage, StoreCorrupt};
pub use seal::{NoRandomness, RootKey};
pub use spool::Spool;
