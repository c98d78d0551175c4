//! What a patient enters. Everything is optional but the time: what was not measured is `None`.

use core::fmt;
use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::time::Timestamp;

/// A value that nobody can have.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum EntryValueError {
    /// A temperature outside 30.0..=45.0 °C.
    #[error("a body temperature lies between 300 and 450 tenths of a degree Celsius")]
    Temperature,
    /// An oxygen saturation outside 50..=100 %.
    #[error("an oxygen saturation lies between 50 and 100 %")]
    OxygenSaturation,
    /// Not the name of a symptom.
    #[error("a symptom is 1 to 40 lower-case letters, digits and _")]
    Symptom,
    /// A note that is empty or too long.
    #[error("a note has 1 to 500 characters")]
    Note,
}

/// Body temperature in tenths of a degree Celsius, 300..=450.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "u16", into = "u16")]
pub struct Temperature(u16);

impl Temperature {
    /// A temperature of `tenths` of a degree.
    ///
    /// # Errors
    /// [`EntryValueError::Temperature`] outside 300..=450.
    pub const fn from_tenths_celsius(tenths: u16) -> Result<Self, EntryValueError> {
        match tenths {
            300..=450 => Ok(Self(tenths)),
            _ => Err(EntryValueError::Temperature),
        }
    }

    /// Tenths of a degree.
    #[must_use]
    pub const fn tenths_celsius(self) -> u16 {
        self.0
    }
}

impl TryFrom<u16> for Temperature {
    type Error = EntryValueError;
    fn try_from(tenths: u16) -> Result<Self, EntryValueError> {
        Self::from_tenths_celsius(tenths)
    }
}

impl From<Temperature> for u16 {
    fn from(temperature: Temperature) -> Self {
        temperature.0
    }
}

/// Oxygen saturation of the blood as a pulse oximeter shows it, in per cent, 50..=100.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "u8", into = "u8")]
pub struct OxygenSaturation(u8);

impl OxygenSaturation {
    /// A saturation of `percent`.
    ///
    /// # Errors
    /// [`EntryValueError::OxygenSaturation`] outside 50..=100.
    pub const fn from_percent(percent: u8) -> Result<Self, EntryValueError> {
        match percent {
            50..=100 => Ok(Self(percent)),
            _ => Err(EntryValueError::OxygenSaturation),
        }
    }

    /// Per cent.
    #[must_use]
    pub const fn percent(self) -> u8 {
        self.0
    }
}

impl TryFrom<u8> for OxygenSaturation {
    type Error = EntryValueError;
    fn try_from(percent: u8) -> Result<Self, EntryValueError> {
        Self::from_percent(percent)
    }
}

impl From<OxygenSaturation> for u8 {
    fn from(saturation: OxygenSaturation) -> Self {
        saturation.0
    }
}

/// Names a symptom of a rule table, as in `dyspnea`; its words are in message files.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct SymptomKey(String);

impl SymptomKey {
    /// The key as written.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for SymptomKey {
    type Error = EntryValueError;
    fn try_from(key: String) -> Result<Self, EntryValueError> {
        let allowed = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_';
        if (1..=40).contains(&key.len()) && key.bytes().all(allowed) {
            Ok(Self(key))
        } else {
            Err(EntryValueError::Symptom)
        }
    }
}

impl From<SymptomKey> for String {
    fn from(key: SymptomKey) -> Self {
        key.0
    }
}

impl fmt::Display for SymptomKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// What the patient writes freely, 1 to 500 characters.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Note(String);

impl Note {
    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for Note {
    type Error = EntryValueError;
    fn try_from(text: String) -> Result<Self, EntryValueError> {
        if (1..=500).contains(&text.chars().count()) {
            Ok(Self(text))
        } else {
            Err(EntryValueError::Note)
        }
    }
}

impl From<Note> for String {
    fn from(note: Note) -> Self {
        note.0
    }
}

/// One entry. `Debug` shows nothing of it.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Entry {
    /// When it was made.
    #[serde(rename = "at_unix_s")]
    pub at: Timestamp,
    /// Body temperature.
    #[serde(
        rename = "temperature_tenths_celsius",
        default,
        skip_serializing_if = "Option::is_none"
    )]
    pub temperature: Option<Temperature>,
    /// Oxygen saturation.
    #[serde(rename = "spo2_percent", default, skip_serializing_if = "Option::is_none")]
    pub oxygen_saturation: Option<OxygenSaturation>,
    /// The symptoms; the empty set for none, `None` if nobody asked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub symptoms: Option<BTreeSet<SymptomKey>>,
    /// Anything else.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<Note>,
}

impl Entry {
    /// An entry at `at` that says nothing yet.
    #[must_use]
    pub const fn at(at: Timestamp) -> Self {
        Self { at, temperature: None, oxygen_saturation: None, symptoms: None, note: None }
    }

    /// Whether it says nothing.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.temperature.is_none()
            && self.oxygen_saturation.is_none()
            && self.symptoms.is_none()
            && self.note.is_none()
    }
}

/// What is known of a person's health is shown by no `Debug`.
macro_rules! redacted {
    ($($name:ident),*) => {$(
        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(concat!(stringify!($name), "(..)"))
            }
        }
    )*};
}
redacted!(Temperature, OxygenSaturation, Note, Entry);
