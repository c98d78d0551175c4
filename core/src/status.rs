//! Whether the phone takes part, and if not, everything that keeps it from it.
//!
//! Ten of COCOA's incidents were silences: an app that did nothing and looked as if all was well.
//! So [`status`] says [`State::Working`] only if nothing at all is known to be wrong *and* the
//! host has reported what only it can know. All reasons are listed, not the first one; each has a
//! code that never changes and says who can remove it. [`coverage`] measures whether scans really
//! happened, [`assessed`] makes a record of every day, also of those on which nothing was found.

pub mod assessed;
pub mod coverage;
mod facts;
mod reason;

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

pub use facts::{
    AdvertisingFact, ClockFact, EngineFacts, Facts, HostFacts, KeyFileFacts, LocationFact, LogFact,
    StatusRules,
};
pub use reason::{FixableBy, HostFact, Reason};

use crate::time::Timestamp;

/// The sum of all reasons: the worst of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// Nothing is wrong.
    Working,
    /// The phone takes part, but contacts may be missed, misjudged or not told.
    Degraded,
    /// The phone does not take part.
    Stopped,
}

/// How the phone stands.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Status {
    /// The worst of the reasons.
    pub state: State,
    /// Everything that is wrong; empty if and only if working.
    pub reasons: BTreeSet<Reason>,
    /// When the last scan ended; `None` if there was none.
    pub last_scan: Option<Timestamp>,
    /// When key files were last matched; `None` if never.
    pub last_matched: Option<Timestamp>,
    /// When the engine wants to be called next; `None` while stopped by the user.
    pub next_due: Option<Timestamp>,
}

/// Draws the conclusion from the facts. The same facts give the same status.
#[must_use]
pub fn status(facts: &Facts) -> Status {
    let reasons = facts.reasons();
    let state = reasons.iter().map(Reason::state).max().unwrap_or(State::Working);
    Status {
        state,
        reasons,
        last_scan: facts.engine.last_scan,
        last_matched: facts.engine.key_files.last_matched,
        next_due: facts.engine.next_due,
    }
}
