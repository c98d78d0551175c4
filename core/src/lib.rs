#![doc = include_str!("../README.md")]

/// The example of the project's README, held to compile and to be the same as the crate's.
#[cfg(doctest)]
#[doc = include_str!("../../README.md")]
struct ProjectReadme;

pub mod advertisement;
pub mod budget;
pub mod calibration;
pub mod clock;
pub mod diagnosis_key;
pub mod diary;
pub mod document;
pub mod download;
pub mod encounter_log;
pub mod engine;
pub mod explain;
pub mod export;
pub mod exposure;
pub mod flood;
pub mod gatt;
pub mod guidance;
pub mod keys;
pub mod local_time;
pub mod matching;
pub mod metadata;
pub mod publish;
pub mod report;
pub mod risk;
pub mod sighting;
pub mod signal;
pub mod status;
pub mod time;
pub mod transfer;
pub mod validation;
pub mod venue;
