//! What real phones heard of each other, and how far apart they were.

use std::collections::{BTreeMap, HashMap};

use chikaku_radio::capture::{Capture, CaptureError, CaptureOptions};

use super::Tracks;
use crate::radio::{CALIBRATION_DB, Environment, PhoneModel};

/// The phones whose logs are at hand: number, model, and seconds by which their clock is ahead.
pub const PHONES: [(u32, PhoneModel, f64); 8] = [
    (1, PhoneModel::S10, -0.07),
    (3, PhoneModel::S10e, 3.88),
    (6, PhoneModel::S20, 1.77),
    (7, PhoneModel::S10, 2.79),
    (11, PhoneModel::S10, -1.00),
    (13, PhoneModel::A40, 0.07),
    (15, PhoneModel::A40, -4.31),
    (20, PhoneModel::A40, 3.69),
];

/// One scan of one phone, and another phone that was on the air at a known distance.
#[derive(Clone, Debug, PartialEq)]
pub struct Opportunity {
    /// Who scanned.
    pub receiver: u32,
    /// Who was on the air.
    pub transmitter: u32,
    /// Where.
    pub environment: Environment,
    /// Metres between them.
    pub distance_m: f64,
    /// Attenuation of each packet that arrived, dB.
    pub attenuations_db: Vec<f64>,
}

/// All opportunities in which both positions are known.
///
/// # Errors
/// The first capture's that cannot be read.
pub fn opportunities(
    captures: &BTreeMap<u32, Vec<u8>>,
    tracks: &[Tracks],
    utc_offset_seconds: i32,
) -> Result<Vec<Opportunity>, CaptureError> {
    let options = CaptureOptions { utc_offset_seconds, ..CaptureOptions::default() };
    let mut read = BTreeMap::new();
    for (&phone, file) in captures {
        read.insert(phone, Capture::read(file, &options)?);
    }
    let mut owners = HashMap::new();
    for (&phone, capture) in &read {
        for own in capture.advertised() {
            owners.entry(own.advertisement.identifier).or_insert(phone);
        }
    }
    let mut found = Vec::new();
    for &(receiver, _, clock_ahead) in &PHONES {
        let Some(capture) = read.get(&receiver) else { continue };
        for scan in capture.scans() {
            let mut heard: BTreeMap<u32, Vec<f64>> = BTreeMap::new();
            for sighting in &scan.sightings {
                let owner = owners.get(&sighting.advertisement.identifier);
                if let (Some(&owner), Some(rssi)) = (owner, sighting.rssi) {
                    let attenuation_db = CALIBRATION_DB - f64::from(rssi.dbm());
                    heard.entry(owner).or_default().push(attenuation_db);
                }
            }
            #[expect(clippy::cast_possible_truncation, reason = "a few seconds")]
            let second = scan.started.timestamp().unix_seconds() - clock_ahead.round() as i64;
            for (&transmitter, sender) in read.iter().filter(|(phone, _)| **phone != receiver) {
                let on_the_air =
                    sender.advertised().first().is_some_and(|own| own.first_used <= scan.started);
                if !on_the_air {
                    continue;
                }
                for track in tracks {
                    let distance_m = track.distance_m(second, receiver, transmitter);
                    if let (Some(distance_m), Some(environment)) = (distance_m, track.environment) {
                        found.push(Opportunity {
                            receiver,
                            transmitter,
                            environment,
                            distance_m,
                            attenuations_db: heard.remove(&transmitter).unwrap_or_default(),
                        });
                    }
                }
            }
        }
    }
    Ok(found)
}
