//! What leaves the phone when its user asks for it: documents for people and their tools.
//!
//! [`cocoa_exposure_data`] is the file that COCOA's users handed to log checkers
//! Holds a key, an identifier or a
//! time of day.

pub mod cocoa_exposure_data;
