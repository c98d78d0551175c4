//! Encounter logs as JSON lines: one identifier a line, with everything that was heard of it.
//!
//! ```json
//! {"utc_day": 18391, "rpi": "0107…4a78", "sightings": [{"unix_s": 1589012703, "rssi_dbm": -36, "aem": "3c3f32a3"}]}
//! ```
//!
//! `rssi_dbm` may be missing or null where none was measured. A sighting may carry
//! `previous_scan_ended_unix_s`. A line that cannot be read is reported with its number and costs
//! its neighbours nothing.

use chikaku_core::advertisement::Advertisement;
use chikaku_core::keys::{AssociatedEncryptedMetadata, RollingProximityIdentifier};
use chikaku_core::sighting::Sighting;
use chikaku_core::signal::{RssiDbm, RssiError};
use chikaku_core::time::{TimeError, Timestamp};
use serde::Deserialize;
use thiserror::Error;

/// Why a line was left out.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum LineError {
    /// Not a JSON object of the expected form.
    #[error(transparent)]
    Json(#[from] serde_json::Error),
    /// An identifier or metadata that is not hexadecimal of the right length.
    #[error("`{field}` is not {bytes} bytes in hexadecimal")]
    Hexadecimal {
        /// Which field.
        field: &'static str,
        /// How many bytes it should hold.
        bytes: usize,
    },
    /// A time that the protocol cannot express.
    #[error(transparent)]
    Time(#[from] TimeError),
    /// A signal strength no radio measures.
    #[error(transparent)]
    Rssi(#[from] RssiError),
}

/// A line that was left out.
#[derive(Debug, Error)]
#[error("line {line}: {reason}")]
pub struct SkippedLine {
    /// Number of the line, from 1.
    pub line: usize,
    /// What is wrong with it.
    pub reason: LineError,
}

/// An encounter log as read.
#[derive(Debug, Default)]
pub struct EncounterFile {
    /// Everything that was heard.
    pub sightings: Vec<Sighting>,
    /// Identifiers, one a line.
    pub identifiers: usize,
    /// Lines that were left out.
    pub skipped: Vec<SkippedLine>,
}

#[derive(Deserialize)]
struct IdentifierLine {
    rpi: String,
    sightings: Vec<SightingDocument>,
}

#[derive(Deserialize)]
struct SightingDocument {
    unix_s: i64,
    rssi_dbm: Option<i16>,
    aem: String,
    previous_scan_ended_unix_s: Option<i64>,
}

impl EncounterFile {
    /// Reads JSON lines; empty lines are passed over.
    #[must_use]
    pub fn read(text: &str) -> Self {
        let mut file = Self::default();
        for (index, line) in text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty()) {
            match sightings_of(line) {
                Ok(sightings) => {
                    file.identifiers += 1;
                    file.sightings.extend(sightings);
                }
                Err(reason) => file.skipped.push(SkippedLine { line: index + 1, reason }),
            }
        }
        file
    }
}

fn sightings_of(line: &str) -> Result<Vec<Sighting>, LineError> {
    let line: IdentifierLine = serde_json::from_str(line)?;
    let identifier = RollingProximityIdentifier::from_bytes(bytes("rpi", &line.rpi)?);
    let sighting = |document: SightingDocument| {
        let previous = document.previous_scan_ended_unix_s.map(Timestamp::from_unix_seconds);
        let rssi = match document.rssi_dbm.map(RssiDbm::new).transpose() {
            Err(RssiError::Unavailable) => None,
            rssi => rssi?,
        };
        Ok(Sighting {
            heard_at: Timestamp::from_unix_seconds(document.unix_s)?,
            previous_scan_ended: previous.transpose()?,
            rssi,
            advertisement: Advertisement {
                identifier,
                metadata: AssociatedEncryptedMetadata::from_bytes(bytes("aem", &document.aem)?),
            },
        })
    };
    line.sightings.into_iter().map(sighting).collect()
}

fn bytes<const N: usize>(field: &'static str, text: &str) -> Result<[u8; N], LineError> {
    let mut bytes = [0; N];
    hex::decode_to_slice(text, &mut bytes)
        .map_err(|_| LineError::Hexadecimal { field, bytes: N })?;
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: &str = r#"{"utc_day":18391,"rpi":"0107ab70359e7f52e0a80f8140e24a78","sightings":[{"unix_s":1589012703,"rssi_dbm":-36,"aem":"3c3f32a3"},{"unix_s":1589012704,"rssi_dbm":127,"aem":"3c3f32a3"},{"unix_s":1589012705,"aem":"3c3f32a3"}]}"#;

    #[test]
    fn a_bad_line_costs_its_neighbours_nothing() {
        let short = GOOD.replace("0107ab", "07ab");
        let loud = GOOD.replace("-36", "99");
        let text = format!("{GOOD}\n{{}}\n\n{short}\n{loud}\n{GOOD}\n");
        let file = EncounterFile::read(&text);
        assert_eq!((file.identifiers, file.sightings.len()), (2, 6));
        assert_eq!(file.sightings.iter().filter(|s| s.rssi.is_some()).count(), 2);
        let lines: Vec<_> = file.skipped.iter().map(|skipped| skipped.line).collect();
        assert_eq!(lines, [2, 4, 5]);
    }
}
