//! Whether the phone takes part, and every reason why it does not.

use chikaku_core::status as core_status;

use crate::number::{self, to_i32};
use crate::{FixableBy, HostFact, TracingState};

/// How the phone stands.
#[derive(Clone, Debug, PartialEq, Eq, uniffi::Record)]
pub struct Status {
    /// The worst of the reasons.
    pub state: TracingState,
    /// Everything that is wrong; empty if and only if working.
    pub reasons: Vec<StatusReason>,
    /// When the last scan ended, seconds since 1970 UTC; `None` if there was none.
    pub last_scan: Option<i64>,
    /// When key files were last matched, seconds since 1970 UTC; `None` if never.
    pub last_matched: Option<i64>,
    /// When the client wants to be called next, seconds since 1970 UTC by the phone's wall clock.
    pub next_wake: Option<i64>,
}

/// One thing that is wrong.
#[derive(Clone, Debug, PartialEq, Eq, uniffi::Record)]
pub struct StatusReason {
    /// Names the reason for ever (`bluetooth_off`, `never_matched`, …): the key of a translation,
    /// and what goes into support mail. A later version may have further ones.
    pub code: String,
    /// The state that this reason alone would cause.
    pub state: TracingState,
    /// Who can remove it.
    pub fixable_by: FixableBy,
    /// What there is to say beyond the code.
    pub detail: Option<ReasonDetail>,
}

/// What a reason says beyond its code.
#[derive(Clone, Debug, PartialEq, Eq, uniffi::Enum)]
pub enum ReasonDetail {
    /// For how many minutes.
    Minutes {
        /// Minutes.
        minutes: i32,
    },
    /// How much of what was planned.
    Percent {
        /// Of a hundred.
        percent: i32,
    },
    /// By how many seconds the clock is ahead; negative if behind.
    Ahead {
        /// Seconds.
        seconds: i64,
    },
    /// Since when.
    Since {
        /// Seconds since 1970 UTC.
        unix_seconds: i64,
    },
    /// Until when.
    Until {
        /// Seconds since 1970 UTC.
        unix_seconds: i64,
    },
    /// How many key files.
    Files {
        /// How many are concerned.
        files: i32,
        /// Of how many listed; `None` if that does not matter.
        of: Option<i32>,
    },
    /// What the host has not said.
    Fact {
        /// The fact.
        fact: HostFact,
    },
}

impl From<core_status::Status> for Status {
    fn from(status: core_status::Status) -> Self {
        Self {
            state: status.state.into(),
            reasons: status.reasons.iter().map(StatusReason::from).collect(),
            last_scan: status.last_scan.map(number::seconds),
            last_matched: status.last_matched.map(number::seconds),
            next_wake: status.next_due.map(number::seconds),
        }
    }
}

impl From<&core_status::Reason> for StatusReason {
    fn from(reason: &core_status::Reason) -> Self {
        Self {
            code: reason.code().to_owned(),
            state: reason.state().into(),
            fixable_by: reason.fixable_by().into(),
            detail: detail(reason),
        }
    }
}

fn detail(reason: &core_status::Reason) -> Option<ReasonDetail> {
    use core_status::Reason as Core;
    match *reason {
        Core::ScansMissing { minutes } => Some(ReasonDetail::Minutes { minutes: to_i32(minutes) }),
        Core::LowCoverage { percent } => {
            Some(ReasonDetail::Percent { percent: i32::from(percent) })
        }
        Core::ClockWrong { ahead_seconds } => Some(ReasonDetail::Ahead { seconds: ahead_seconds }),
        Core::KeyFilesStale { since } => {
            Some(ReasonDetail::Since { unix_seconds: number::seconds(since) })
        }
        Core::KeyFilesMissing { missing, listed } => {
            Some(ReasonDetail::Files { files: to_i32(missing), of: Some(to_i32(listed)) })
        }
        Core::KeyFilesRefused { refused } => {
            Some(ReasonDetail::Files { files: to_i32(refused), of: None })
        }
        Core::Throttled { until } => {
            Some(ReasonDetail::Until { unix_seconds: number::seconds(until) })
        }
        Core::Unreported { fact } => HostFact::of(fact).map(|fact| ReasonDetail::Fact { fact }),
        _ => None,
    }
}
