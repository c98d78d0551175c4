//! How well this phone hears, from what it hears.
//!
//! A receiver that reports weaker signals for the same distance also reports weaker ones where
//! reception ends. In the captures of DP-3T bt-measurements (experiment 34) the twentieth of all
//! readings lies at -90 dBm on Galaxy S10, S10e and S20, at -93 on A51 and at -97 on A40 and A90,
//! whose readings at equal distance are lower by 0 to 1, by 2, and by 5 to 6 dB. So a phone without
//! a calibration of its model can find most of its correction in its own log.
//!
//! Where only near phones were heard the floor was not reached: the result is no correction, never
//! a wrong one in the other direction.

use crate::signal::{RssiCorrectionDb, RssiDbm};

/// The floor of a receiver that needs no correction.
const REFERENCE_FLOOR_DBM: i16 = -90;
/// The floor is the reading of which one in so many is weaker.
const ONE_IN: usize = 20;
/// With fewer readings nothing can be said.
const LEAST_READINGS: usize = 500;
/// The measured relation: seven tenths of a dB for each dB that the floor lies lower.
const TENTHS: i16 = 7;
/// More than the measured models differ.
const GREATEST_DB: i16 = 6;

/// What must be added to this receiver's readings, beside what its calibration says; `None` if
/// there are fewer than 500 readings. 0 to 6 dB.
#[must_use]
pub fn receiver_correction(
    readings: impl IntoIterator<Item = RssiDbm>,
) -> Option<RssiCorrectionDb> {
    let mut readings: Vec<i16> = readings.into_iter().map(RssiDbm::dbm).map(i16::from).collect();
    if readings.len() < LEAST_READINGS {
        return None;
    }
    let place = readings.len() / ONE_IN;
    let (_, floor, _) = readings.select_nth_unstable(place);
    let below = REFERENCE_FLOOR_DBM.saturating_sub(*floor).max(0);
    let correction = ((below.saturating_mul(TENTHS) + 5) / 10).min(GREATEST_DB);
    i8::try_from(correction).ok().map(RssiCorrectionDb)
}
