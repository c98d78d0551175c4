//! Encounter logs as JSON lines: one identifier a line, with everything that was heard of it.
//!
//! ```json
//! {"rpi": "000102030405060708090a0b0c0d0e0f", "sightings": [{"unix_s": 1700000000, "rssi_dbm": -50, "aem": "10111213"}]}
//! ```
//!
//! `rssi_dbm` may be missing or null where none was measured. A sighting may carry
//! `previous_scan_ended_unix_s`. What cannot be read is reported with its line and costs its
//! neighbours nothing: neither the other lines nor the other sightings of its line. No report
//! repeats what stands in the line.

use std::collections::BTreeMap;

use chikaku_core::advertisement::Advertisement;
use chikaku_core::keys::{AssociatedEncryptedMetadata, RollingProximityIdentifier};
use chikaku_core::sighting::Sighting;
use chikaku_core::signal::{RssiDbm, RssiError};
use chikaku_core::time::{TimeError, Timestamp};
use serde::Deserialize;
use serde_json::Value;
use serde_json::error::Category;
use thiserror::Error;

/// Why a line or a sighting was left out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum LineError {
    /// Not JSON.
    #[error("not JSON at column {column}")]
    Json {
        /// Where, from 1.
        column: usize,
    },
    /// JSON, but not of the expected form.
    #[error("a field is missing or of the wrong type")]
    Form,
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

/// A line, or a sighting of a line, that was left out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("line {line}{}: {reason}", of_sighting(.sighting))]
pub struct Skipped {
    /// Number of the line, from 1.
    pub line: usize,
    /// Number of the sighting in its line, from 1; `None` if it is the whole line.
    pub sighting: Option<usize>,
    /// What is wrong with it.
    pub reason: LineError,
}

fn of_sighting(sighting: &Option<usize>) -> String {
    sighting.map_or_else(String::new, |number| format!(", sighting {number}"))
}

/// An encounter log as read.
#[derive(Debug, Default)]
pub struct EncounterFile {
    /// Everything that was heard.
    pub sightings: Vec<Sighting>,
    /// Identifiers, one a line.
    pub identifiers: usize,
    /// What was left out.
    pub skipped: Vec<Skipped>,
}

#[derive(Deserialize)]
struct IdentifierLine {
    rpi: String,
    sightings: Vec<Value>,
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
    pub fn read(bytes: &[u8]) -> Self {
        let mut file = Self::default();
        for (index, line) in bytes.split(|byte| *byte == b'\n').enumerate() {
            if line.trim_ascii().is_empty() {
                continue;
            }
            let line_number = index + 1;
            if let Err(reason) = file.read_line(line_number, line) {
                file.skipped.push(Skipped { line: line_number, sighting: None, reason });
            }
        }
        file
    }

    /// Writes sightings as JSON lines, by identifier and within one by time, so that equal logs
    /// make equal files. [`EncounterFile::read`] gives them back, less their stamps.
    #[must_use]
    pub fn write(sightings: &[Sighting]) -> String {
        let mut by_identifier: BTreeMap<_, Vec<_>> = BTreeMap::new();
        for sighting in sightings {
            by_identifier.entry(sighting.advertisement.identifier).or_default().push(sighting);
        }
        let mut text = String::new();
        for (identifier, mut sightings) in by_identifier {
            sightings.sort_by_key(|sighting| (sighting.heard_at, sighting.rssi));
            let sightings: Vec<_> = sightings
                .iter()
                .map(|sighting| {
                    serde_json::json!({
                        "unix_s": sighting.heard_at.unix_seconds(),
                        "rssi_dbm": sighting.rssi.map(RssiDbm::dbm),
                        "aem": hex::encode(sighting.advertisement.metadata.as_bytes()),
                        "previous_scan_ended_unix_s":
                            sighting.previous_scan_ended.map(Timestamp::unix_seconds),
                    })
                })
                .collect();
            let rpi = hex::encode(identifier.as_bytes());
            text.push_str(&serde_json::json!({"rpi": rpi, "sightings": sightings}).to_string());
            text.push('\n');
        }
        text
    }

    fn read_line(&mut self, line_number: usize, line: &[u8]) -> Result<(), LineError> {
        let line: IdentifierLine =
            serde_json::from_slice(line).map_err(|error| without_content(&error))?;
        let identifier = RollingProximityIdentifier::from_bytes(bytes("rpi", &line.rpi)?);
        self.identifiers += 1;
        for (index, document) in line.sightings.into_iter().enumerate() {
            match sighting(identifier, document) {
                Ok(sighting) => self.sightings.push(sighting),
                Err(reason) => self.skipped.push(Skipped {
                    line: line_number,
                    sighting: Some(index + 1),
                    reason,
                }),
            }
        }
        Ok(())
    }
}

fn sighting(
    identifier: RollingProximityIdentifier,
    document: Value,
) -> Result<Sighting, LineError> {
    let document: SightingDocument =
        serde_json::from_value(document).map_err(|error| without_content(&error))?;
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
        stamp: None,
    })
}

/// What is wrong, without the text of the error: that would quote the line, identifiers included.
fn without_content(error: &serde_json::Error) -> LineError {
    match error.classify() {
        Category::Data => LineError::Form,
        Category::Io | Category::Syntax | Category::Eof => {
            LineError::Json { column: error.column() }
        }
    }
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

    const RPI: &str = "000102030405060708090a0b0c0d0e0f";

    fn line(rpi: &str, sightings: &[&str]) -> String {
        format!("{{\"rpi\":\"{rpi}\",\"sightings\":[{}]}}\n", sightings.join(","))
    }

    #[test]
    fn what_is_bad_costs_its_neighbours_nothing() {
        let good = r#"{"unix_s":1700000000,"rssi_dbm":-50,"aem":"10111213"}"#;
        let unmeasured = r#"{"unix_s":1700000001,"rssi_dbm":127,"aem":"10111213"}"#;
        let missing = r#"{"unix_s":1700000002,"aem":"10111213"}"#;
        let loud = r#"{"unix_s":1700000003,"rssi_dbm":99,"aem":"10111213"}"#;
        let early = r#"{"unix_s":-1,"rssi_dbm":-50,"aem":"10111213"}"#;
        let mut text = line(RPI, &[good, unmeasured, loud, missing, early]).into_bytes();
        text.extend(b"{}\n\n\xff\xfe\n");
        text.extend(line("0001", &[good]).into_bytes());
        text.extend(line(RPI, &[good]).into_bytes());
        let file = EncounterFile::read(&text);
        assert_eq!((file.identifiers, file.sightings.len()), (2, 4));
        assert_eq!(file.sightings.iter().filter(|s| s.rssi.is_some()).count(), 2);
        let places: Vec<_> = file.skipped.iter().map(|s| (s.line, s.sighting)).collect();
        assert_eq!(places, [(1, Some(3)), (1, Some(5)), (2, None), (4, None), (5, None)]);
    }

    #[test]
    fn what_is_written_is_read_again_and_does_not_depend_on_order() {
        let sighting = r#"{"unix_s":1700000000,"rssi_dbm":-50,"aem":"10111213"}"#;
        let later =
            r#"{"unix_s":1700000300,"aem":"10111213","previous_scan_ended_unix_s":1700000004}"#;
        let text = line(RPI, &[sighting, later]) + &line(&RPI.replace('0', "a"), &[later]);
        let mut sightings = EncounterFile::read(text.as_bytes()).sightings;
        let written = EncounterFile::write(&sightings);
        let read = EncounterFile::read(written.as_bytes());
        assert_eq!((read.sightings.clone(), read.skipped), (sightings.clone(), vec![]));
        sightings.reverse();
        assert_eq!(EncounterFile::write(&sightings), written);
    }

    #[test]
    fn no_report_repeats_the_line() {
        let bare = format!("\"{RPI}\"");
        for text in
            [bare.clone(), format!("{{\"rpi\":{bare},\"sightings\":[{bare}]}}"), format!("[{bare}")]
        {
            for skipped in EncounterFile::read(text.as_bytes()).skipped {
                assert!(!skipped.to_string().contains(&RPI[..8]), "{skipped}");
            }
        }
    }
}
