//! Where people were: the camera tracks of DP-3T bt-measurements, experiment 34.

use std::collections::{BTreeMap, BTreeSet};
use std::io::Read;

use flate2::read::DeflateDecoder;
use rawzip::{CompressionMethod, ZipArchive};
use serde::Deserialize;
use thiserror::Error;

use crate::radio::Environment;

/// Frames between two that are kept: one of 24 a second.
const STEP: usize = 24;
/// A larger file of positions is none.
const MOST_BYTES: u64 = 200 << 20;

/// Why positions cannot be read.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum PositionError {
    /// Not a zip archive, or a broken one.
    #[error("the archive of positions cannot be read")]
    Zip(#[source] rawzip::Error),
    /// No file of positions is in it.
    #[error("no file of positions (such as lunch.json) is in the archive")]
    NoPositions,
    /// Not what the experiment wrote.
    #[error("the positions cannot be read")]
    Form(#[from] serde_json::Error),
}

/// Seconds by which the clocks of the experiment's phones were ahead, from advertisements that
/// several of them received.
#[expect(clippy::approx_constant, reason = "phone 18 was 3.14 s behind")]
const CLOCKS_AHEAD_S: [(u32, f64); 18] = [
    (1, -0.07),
    (2, -0.81),
    (3, 3.88),
    (4, 1.30),
    (6, 1.77),
    (7, 2.79),
    (8, 0.23),
    (9, -1.44),
    (10, 0.81),
    (11, -1.00),
    (12, -0.81),
    (13, 0.07),
    (14, -1.79),
    (15, -4.31),
    (17, -1.14),
    (18, -3.14),
    (19, -0.02),
    (20, 3.69),
];

/// Seconds by which a phone's clock was ahead; 0 where that was not measured.
#[must_use]
pub fn clock_ahead_s(phone: u32) -> f64 {
    CLOCKS_AHEAD_S.iter().find(|(number, _)| *number == phone).map_or(0.0, |(_, ahead)| *ahead)
}

/// One recording: an environment, and every second where each person was.
#[derive(Clone, Debug)]
pub struct Tracks {
    /// Name of its file, without the ending.
    pub name: String,
    /// The environment it was recorded in, if the name says so.
    pub environment: Option<Environment>,
    /// By UTC second: positions in metres, by the number of the person and phone.
    seconds: BTreeMap<i64, BTreeMap<u32, [f64; 2]>>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Cell {
    At(String),
    Position([f64; 3]),
    Unseen(()),
    Other(serde::de::IgnoredAny),
}

impl Tracks {
    /// Reads a recording from its zip archive. `utc_offset_seconds` is how far its local time is
    /// ahead of UTC.
    ///
    /// # Errors
    /// [`PositionError`].
    pub fn read(zip: &[u8], utc_offset_seconds: i32) -> Result<Self, PositionError> {
        let archive = ZipArchive::from_slice(zip).map_err(PositionError::Zip)?;
        for record in archive.entries() {
            let record = record.map_err(PositionError::Zip)?;
            let name = String::from_utf8_lossy(record.file_path().as_bytes()).into_owned();
            let file = name.rsplit('/').next().unwrap_or_default();
            let Some(stem) = file.strip_suffix(".json") else { continue };
            if stem == "homography" || stem.starts_with('.') {
                continue;
            }
            let entry = archive.get_entry(record.wayfinder()).map_err(PositionError::Zip)?;
            let columns: BTreeMap<String, Vec<Cell>> = match record.compression_method() {
                CompressionMethod::DEFLATE => {
                    let inflated = DeflateDecoder::new(entry.data()).take(MOST_BYTES);
                    serde_json::from_reader(std::io::BufReader::new(inflated))?
                }
                _ => serde_json::from_slice(entry.data())?,
            };
            return Ok(Self {
                name: stem.to_owned(),
                environment: environment(stem),
                seconds: seconds(&columns, utc_offset_seconds),
            });
        }
        Err(PositionError::NoPositions)
    }

    /// The seconds that were recorded, from first to last; `None` if there are none.
    #[must_use]
    pub fn span(&self) -> Option<core::ops::RangeInclusive<i64>> {
        Some(*self.seconds.keys().next()?..=*self.seconds.keys().next_back()?)
    }

    /// Everybody who was ever seen, by number.
    #[must_use]
    pub fn people(&self) -> Vec<u32> {
        let seen: BTreeSet<u32> =
            self.seconds.values().flat_map(|here| here.keys().copied()).collect();
        seen.into_iter().collect()
    }

    /// Where somebody was at a UTC second, in metres; `None` if they were not seen.
    #[must_use]
    pub fn position(&self, second: i64, person: u32) -> Option<[f64; 2]> {
        self.seconds.get(&second)?.get(&person).copied()
    }

    /// Metres between two people at a UTC second; `None` if either was not seen.
    #[must_use]
    pub fn distance_m(&self, second: i64, one: u32, other: u32) -> Option<f64> {
        let here = self.seconds.get(&second)?;
        let ([x, y], [u, v]) = (here.get(&one)?, here.get(&other)?);
        Some(libm::sqrt((x - u) * (x - u) + (y - v) * (y - v)))
    }
}

fn environment(name: &str) -> Option<Environment> {
    let known = [
        ("lunch", Environment::Lunch),
        ("train", Environment::Train),
        ("cowork", Environment::Office),
        ("queu", Environment::Queue),
        ("party", Environment::Party),
        ("movement", Environment::Movement),
    ];
    known.into_iter().find(|(part, _)| name.contains(part)).map(|(_, environment)| environment)
}

fn seconds(
    columns: &BTreeMap<String, Vec<Cell>>,
    utc_offset_seconds: i32,
) -> BTreeMap<i64, BTreeMap<u32, [f64; 2]>> {
    let mut seconds: BTreeMap<i64, BTreeMap<u32, [f64; 2]>> = BTreeMap::new();
    let times = columns.get("datetime").map(Vec::as_slice).unwrap_or_default();
    for (frame, time) in times.iter().enumerate().step_by(STEP) {
        let Cell::At(text) = time else { continue };
        let Ok(local) = text.parse::<jiff::civil::DateTime>() else { continue };
        let Ok(local) = local.to_zoned(jiff::tz::TimeZone::UTC) else { continue };
        let second = local.timestamp().as_second() - i64::from(utc_offset_seconds);
        let here = seconds.entry(second).or_default();
        for (name, cells) in columns {
            if let (Ok(person), Some(Cell::Position([x, y, _]))) = (name.parse(), cells.get(frame))
            {
                here.insert(person, [*x, *y]);
            }
        }
    }
    seconds
}
