//! A trace as a file that can be run again: the scenario, the seed and the digest in the first
//! line, then every event.

use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::scenario::{Scenario, ScenarioError};
use crate::world::{Outcome, World};

/// The version of the form of the file.
const VERSION: u32 = 1;

#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Header {
    chikaku_trace: u32,
    seed: u64,
    events: u64,
    sha256: String,
    scenario: String,
}

/// Why a trace does not replay.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum TraceError {
    /// The first line is not that of a trace.
    #[error("line 1 is not the beginning of a trace")]
    Header(#[from] serde_json::Error),
    /// Written by another version.
    #[error("line 1: trace version {0} is not {VERSION}")]
    Version(u32),
    /// The scenario in it makes no sense.
    #[error("line 1: the scenario in the trace")]
    Scenario(#[from] ScenarioError),
    /// An event came out otherwise.
    #[error("line {line}: the trace has {recorded}, the replay {replayed}")]
    Differs {
        /// Number of the line, from 1.
        line: usize,
        /// What the file says; nothing if it is too short.
        recorded: String,
        /// What the replay says; nothing if it is too short.
        replayed: String,
    },
    /// Every event is the same in words, and something that only the digest sees is not.
    #[error("line 1: the digest is {recorded}, that of the replay {replayed}")]
    Digest {
        /// What the file says.
        recorded: String,
        /// What the replay says.
        replayed: String,
    },
}

/// The file of a traced outcome; `scenario` is the text that its scenario was read from.
///
/// # Errors
/// None in practice: everything in a trace is JSON.
pub fn write(outcome: &Outcome, scenario: &str) -> Result<String, serde_json::Error> {
    let header = Header {
        chikaku_trace: VERSION,
        seed: outcome.seed,
        events: outcome.trace_events,
        sha256: hex::encode(outcome.digest),
        scenario: scenario.to_owned(),
    };
    let mut text = serde_json::to_string(&header)?;
    text.push('\n');
    for line in &outcome.trace {
        text.push_str(&serde_json::to_string(line)?);
        text.push('\n');
    }
    Ok(text)
}

/// Runs a trace again.
///
/// # Errors
/// The first line in which the replay differs.
pub fn replay(text: &str) -> Result<Outcome, TraceError> {
    let (first, events) = text.split_once('\n').unwrap_or((text, ""));
    let header: Header = serde_json::from_str(first)?;
    if header.chikaku_trace != VERSION {
        return Err(TraceError::Version(header.chikaku_trace));
    }
    let scenario = Scenario::parse(&header.scenario)?;
    let outcome = World::new(&scenario, header.seed).with_trace().run(|_| {});
    let mut recorded = events.lines();
    let mut replayed = outcome.trace.iter();
    for line in 2.. {
        let (was, is) = (recorded.next(), replayed.next());
        if was.is_none() && is.is_none() {
            break;
        }
        let is = is.map(serde_json::to_string).transpose()?;
        if was != is.as_deref() {
            let shown = |line: Option<&str>| line.unwrap_or("nothing").to_owned();
            let (recorded, replayed) = (shown(was), shown(is.as_deref()));
            return Err(TraceError::Differs { line, recorded, replayed });
        }
    }
    let digest = hex::encode(outcome.digest);
    if digest != header.sha256 {
        return Err(TraceError::Digest { recorded: header.sha256, replayed: digest });
    }
    Ok(outcome)
}
