//! The trace: everything that happened, in order, as one digest.
//!
//! Payloads go into the digest and nowhere else.

use chikaku_core::time::Timestamp;
use serde::Serialize;
use sha2::{Digest, Sha256};

/// A running digest of what happened.
#[derive(Clone, Debug)]
pub(super) struct Trace {
    digest: Sha256,
    events: u64,
    /// One line an event, if somebody wants to read them.
    lines: Option<Vec<TraceLine>>,
}

/// One event, for reading. Identifiers, keys and files appear as the beginning of their SHA-256.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct TraceLine {
    /// When, in seconds since 1970.
    pub unix_s: i64,
    /// Whose.
    pub who: String,
    /// What.
    pub what: String,
    /// How much, where it is a number.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub number: Option<u64>,
    /// In words, where it has some.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
    /// Beginning of the SHA-256 of what else it carries.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sha256: Option<String>,
}

impl Trace {
    pub(super) fn new(scenario: &str, seed: u64) -> Self {
        let mut trace = Self { digest: Sha256::new(), events: 0, lines: None };
        trace.field(scenario.as_bytes());
        trace.field(&seed.to_be_bytes());
        trace
    }

    pub(super) fn record(&mut self, at: Timestamp, who: &str, what: &str, payload: &[u8]) {
        self.events += 1;
        self.field(&at.unix_seconds().to_be_bytes());
        self.field(who.as_bytes());
        self.field(what.as_bytes());
        self.field(payload);
        if let Some(lines) = &mut self.lines {
            lines.push(TraceLine::new(at, who, what, payload));
        }
    }

    pub(super) fn keep_lines(&mut self) {
        self.lines = Some(Vec::new());
    }

    pub(super) fn take_lines(&mut self) -> Vec<TraceLine> {
        self.lines.take().unwrap_or_default()
    }

    pub(super) const fn events(&self) -> u64 {
        self.events
    }

    pub(super) fn digest(self) -> [u8; 32] {
        self.digest.finalize().into()
    }

    fn field(&mut self, bytes: &[u8]) {
        self.digest.update((bytes.len() as u64).to_be_bytes());
        self.digest.update(bytes);
    }
}

impl TraceLine {
    fn new(at: Timestamp, who: &str, what: &str, payload: &[u8]) -> Self {
        let (mut number, mut text, mut sha256) = (None, None, None);
        match (what, payload.len()) {
            ("refused" | "fault" | "other", _) => {
                text = Some(String::from_utf8_lossy(payload).into_owned());
            }
            ("heard" | "advertise" | "export", _) => {
                let digest = Sha256::digest(payload);
                sha256 = Some(hex::encode(digest.get(..8).unwrap_or_default()));
            }
            (_, 1..=8) => {
                number = Some(payload.iter().fold(0, |sum, byte| sum << 8 | u64::from(*byte)));
            }
            _ => {}
        }
        let (who, what) = (who.to_owned(), what.to_owned());
        Self { unix_s: at.unix_seconds(), who, what, number, text, sha256 }
    }
}
