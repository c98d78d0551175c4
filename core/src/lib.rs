//! Exposure notification without I/O.

pub mod advertisement;
pub mod diagnosis_key;
pub mod export;
pub mod keys;
pub mod metadata;
pub mod sighting;
pub mod signal;
pub mod time;
