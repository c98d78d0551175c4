//! What has been fetched and matched, and what comes next.
//!
//! Two stores take part: the host's, which holds [`Downloads`], and the engine's log, whose cursor
//! moves in the commit of a file's results. Either may be saved when the process dies. So a file
//! gets a sequence number before it is handed over, the engine commits that number as its cursor,
//! and after a restart the cursor tells whether the file that was being handed over was committed.
//!
//! ```text
//!  next ─► fetch ─► hand_over ─► save ─► Engine::handle(KeyFile, cursor) ─► matched ─► save
//!                                  └── a crash from here on: recover(Engine::cursor) ──┘
//! ```

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};
use thiserror::Error;

use super::listing::{ListedFile, Listing};
use crate::time::Timestamp;

/// A file is forgotten so long after it was matched, if no list names it any more. Servers delete
/// after 14 days; a list that is empty by mistake must not have everything fetched again.
const REMEMBERED_SECONDS: u32 = 30 * 86_400;
const FIRST_BACK_OFF_SECONDS: u32 = 300;
const LONGEST_BACK_OFF_SECONDS: u32 = 24 * 3_600;

/// Why a file is not matched yet.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum FetchError {
    /// No answer.
    #[error("the server did not answer")]
    NoAnswer,
    /// An answer other than 200.
    #[error("the server answered with {0}")]
    Status(u16),
    /// It came, and was no key file or not signed by a trusted key.
    #[error("the file was refused")]
    Refused,
}

/// How a file stands that failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FileStatus {
    /// How often it failed.
    pub failures: u32,
    /// Why, the last time.
    pub error: FetchError,
    /// When it is tried again.
    pub not_before: Timestamp,
}

/// What to do next.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Next {
    /// Fetch this file.
    Fetch(ListedFile),
    /// Everything else is matched; what failed is tried again then.
    Wait(Timestamp),
    /// Everything listed is matched.
    Done,
}

/// A file on its way to the engine, and the position to hand it over with.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Handover {
    /// The file's address.
    pub url: String,
    /// The second part of [`KeyFile::cursor`](crate::engine::KeyFile::cursor).
    pub position: u64,
}

/// What was matched of one source. The host stores it after every change.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Downloads {
    /// When each file was matched.
    matched: BTreeMap<String, Timestamp>,
    failed: BTreeMap<String, FileStatus>,
    handed_over: Option<Handover>,
    position: u64,
}

impl Downloads {
    /// Nothing matched yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// What to do next: the oldest listed file that is neither matched nor waiting.
    #[must_use]
    pub fn next(&self, listing: &Listing, now: Timestamp) -> Next {
        let mut wait: Option<Timestamp> = None;
        for file in listing.files.iter().filter(|file| !self.is_matched(&file.url)) {
            match self.waits_until(&file.url, now) {
                None => return Next::Fetch(file.clone()),
                Some(until) => wait = Some(wait.map_or(until, |earlier| earlier.min(until))),
            }
        }
        wait.map_or(Next::Done, Next::Wait)
    }

    /// How many listed files are not matched, for
    /// [`Input::FilesListed`](crate::engine::Input::FilesListed).
    #[must_use]
    pub fn unmatched(&self, listing: &Listing) -> usize {
        listing.files.iter().filter(|file| !self.is_matched(&file.url)).count()
    }

    /// Whether the file's results are committed.
    #[must_use]
    pub fn is_matched(&self, url: &str) -> bool {
        self.matched.contains_key(url)
    }

    /// How a file stands that failed.
    #[must_use]
    pub fn status(&self, url: &str) -> Option<FileStatus> {
        self.failed.get(url).copied()
    }

    /// The file could not be fetched, or was refused. It waits longer each time, alone.
    pub fn failed(&mut self, url: &str, error: FetchError, now: Timestamp) {
        let failures = self.failed.get(url).map_or(0, |status| status.failures);
        let doubled = FIRST_BACK_OFF_SECONDS.saturating_mul(1 << failures.min(16));
        let not_before = now.saturating_add(doubled.min(LONGEST_BACK_OFF_SECONDS));
        let status = FileStatus { failures: failures.saturating_add(1), error, not_before };
        self.failed.insert(url.to_owned(), status);
        self.handed_over = None;
    }

    /// Announces that a fetched file is handed to the engine. Store this state before handing it
    /// over, and hand it over with the position.
    pub fn hand_over(&mut self, url: &str) -> Handover {
        self.position = self.position.saturating_add(1);
        let handover = Handover { url: url.to_owned(), position: self.position };
        self.handed_over = Some(handover.clone());
        handover
    }

    /// The engine has committed the file's results.
    pub fn matched(&mut self, handover: &Handover, now: Timestamp) {
        self.failed.remove(&handover.url);
        self.matched.insert(handover.url.clone(), now);
        self.handed_over = None;
    }

    /// After a restart, before anything else: what the engine's cursor of this source says about
    /// the file that was being handed over.
    pub fn recover(&mut self, engine_cursor: Option<u64>, now: Timestamp) {
        let committed = engine_cursor.unwrap_or(0);
        // A state that was lost begins again behind what the engine knows.
        self.position = self.position.max(committed);
        if let Some(handover) = self.handed_over.take()
            && committed >= handover.position
        {
            self.matched(&handover, now);
        }
    }

    /// Forgets what no list names any more and was matched long ago.
    pub fn forget_old(&mut self, listing: &Listing, now: Timestamp) {
        let listed: BTreeSet<_> = listing.files.iter().map(|file| file.url.as_str()).collect();
        let before = now.saturating_sub(REMEMBERED_SECONDS);
        self.matched.retain(|url, at| listed.contains(url.as_str()) || *at > before);
        self.failed.retain(|url, _| listed.contains(url.as_str()));
    }

    fn waits_until(&self, url: &str, now: Timestamp) -> Option<Timestamp> {
        // A wait that is longer than any was set by a clock that was ahead.
        let longest = now.saturating_add(LONGEST_BACK_OFF_SECONDS);
        let until = self.failed.get(url)?.not_before;
        (until > now && until <= longest).then_some(until)
    }
}
