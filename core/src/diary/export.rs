//! What a patient shows to a health centre, so that nobody types it again.
//!
//! Two forms of one content: JSON with a `format_version`, and a text for a QR code. The text is
//! `CHKD1:`, then the zlib stream of exactly that JSON in base45 (RFC 9285), whose characters a QR
//! code packs into 5½ bits each. A period of twenty entries takes some 900 characters; one code
//! holds up to 3,391 of them at error correction M.
//!
//! It holds health data. Whoever sees the code can read it; it is shown, not sent.

use core::fmt;
use std::io::{Read, Write};

use flate2::Compression;
use flate2::read::ZlibDecoder;
use flate2::write::ZlibEncoder;
use serde::{Deserialize, Serialize};
use thiserror::Error;

use super::admission::AdmissionFacts;
use super::{Basis, Diary, DiaryRules, Entry, EscalationLevel, MOST_ENTRIES, Place};
use crate::document::{self, DocumentError};
use crate::local_time::{LocalDate, UtcOffset};
use crate::time::Timestamp;

/// The version of an exported diary.
pub const DIARY_EXPORT_FORMAT_VERSION: u32 = 1;

/// The first characters of the QR text: what it is, and how the rest is packed.
const QR_PREFIX: &str = "CHKD1:";

/// The longest QR text that is looked at. More than one code holds, in case it came by another way.
const LONGEST_QR_TEXT: usize = 1 << 20;

/// The longest JSON that a text may unpack to.
const LONGEST_JSON: u64 = 4 << 20;

/// An export that cannot be read.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum DiaryExportError {
    /// Not an exported diary of a known version.
    #[error(transparent)]
    Document(#[from] DocumentError),
    /// The text of a QR code of something else.
    #[error("this is not the text of a diary")]
    NotADiary,
    /// A text that is too long, or unpacks to too much.
    #[error("the diary is longer than any diary can be")]
    TooLong,
    /// A text that was cut or changed.
    #[error("the text of the diary is damaged")]
    Damaged,
    /// Entries that are too many or not in order.
    #[error("entries: not in the order of time, or more than {MOST_ENTRIES}")]
    Entries,
}

/// A diary as it is handed on. `Debug` shows counts.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct DiaryExport {
    format_version: u32,
    /// When the export was made.
    #[serde(rename = "made_at_unix_s")]
    pub made_at: Timestamp,
    /// When the diary was begun.
    #[serde(rename = "begun_at_unix_s")]
    pub begun_at: Timestamp,
    /// Onset or test.
    pub basis: Basis,
    /// Where the patient stays.
    pub place: Place,
    /// How far the patient's clock is ahead of UTC.
    #[serde(rename = "utc_offset_minutes")]
    pub utc_offset: UtcOffset,
    /// The last day of the period, in the patient's calendar.
    pub last_day: LocalDate,
    /// What is known for the admission score.
    pub facts: AdmissionFacts,
    /// The score by the phone's rules; `None` if they have none.
    pub admission_score: Option<i32>,
    /// What the phone's rules concluded when the export was made.
    pub escalation: EscalationLevel,
    /// When the slots began that were missed.
    #[serde(rename = "missed_slots_unix_s")]
    pub missed_slots: Vec<Timestamp>,
    /// The entries, by time.
    pub entries: Vec<Entry>,
}

impl fmt::Debug for DiaryExport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DiaryExport").field("entries", &self.entries.len()).finish_non_exhaustive()
    }
}

impl Diary {
    /// All of the diary, with what `rules` make of it at `now`.
    #[must_use]
    pub fn export(&self, rules: &DiaryRules, now: Timestamp) -> DiaryExport {
        let schedule = self.schedule(rules, now);
        DiaryExport {
            format_version: DIARY_EXPORT_FORMAT_VERSION,
            made_at: now,
            begun_at: self.begun_at,
            basis: self.basis,
            place: self.place,
            utc_offset: self.utc_offset,
            last_day: self.last_day,
            facts: self.facts.clone(),
            admission_score: self.admission_score(rules),
            escalation: self.escalation(rules, now).level,
            missed_slots: schedule.missed.iter().map(|slot| slot.begins).collect(),
            entries: self.entries.clone(),
        }
    }
}

impl DiaryExport {
    /// The export as JSON, without white space.
    #[must_use]
    pub fn to_json(&self) -> String {
        serde_json::to_string(self).expect("numbers, texts and lists are JSON")
    }

    /// Reads what [`DiaryExport::to_json`] wrote.
    ///
    /// # Errors
    /// [`DiaryExportError`].
    pub fn from_json(json: &str) -> Result<Self, DiaryExportError> {
        let export: Self = document::read(json, DIARY_EXPORT_FORMAT_VERSION)?;
        let ordered = export.entries.is_sorted_by(|one, next| one.at < next.at);
        if !ordered || export.entries.len() > MOST_ENTRIES {
            return Err(DiaryExportError::Entries);
        }
        Ok(export)
    }

    /// The text of a QR code.
    #[must_use]
    pub fn to_qr_text(&self) -> String {
        let mut encoder = ZlibEncoder::new(Vec::new(), Compression::best());
        let packed = encoder.write_all(self.to_json().as_bytes()).and_then(|()| encoder.finish());
        let packed = packed.expect("a vector takes every byte");
        format!("{QR_PREFIX}{}", base45::encode(packed))
    }

    /// Reads what [`DiaryExport::to_qr_text`] wrote.
    ///
    /// # Errors
    /// [`DiaryExportError`].
    pub fn from_qr_text(text: &str) -> Result<Self, DiaryExportError> {
        let packed = text.strip_prefix(QR_PREFIX).ok_or(DiaryExportError::NotADiary)?;
        if packed.len() > LONGEST_QR_TEXT {
            return Err(DiaryExportError::TooLong);
        }
        let packed = base45::decode(packed).map_err(|_| DiaryExportError::Damaged)?;
        let mut json = String::new();
        let mut decoder = ZlibDecoder::new(packed.as_slice());
        let read = decoder.by_ref().take(LONGEST_JSON).read_to_string(&mut json);
        let length = read.map_err(|_| DiaryExportError::Damaged)?;
        if length as u64 >= LONGEST_JSON {
            return Err(DiaryExportError::TooLong);
        }
        if decoder.total_in() != packed.len() as u64 {
            return Err(DiaryExportError::Damaged);
        }
        Self::from_json(&json)
    }
}
