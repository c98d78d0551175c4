//! What leaves the phone when its user asks for it: documents for people and their tools.
//!
//! [`cocoa_exposure_data`] is the file that COCOA's users handed to log checkers; [`days`] is this
//! library's own, with what those checkers had to guess. Neither holds a key, an identifier or a
//! time of day.

pub mod cocoa_exposure_data;
pub mod days;
