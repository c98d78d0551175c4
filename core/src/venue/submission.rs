//! Which visits of somebody who tested positive become warnings.

use std::collections::BTreeSet;

use rand_core::CryptoRng;

use super::diary::VenueDiary;
use super::stay::{WarnedIntervals, warned_intervals};
use super::warning::{ProtectedWarning, Warning};
use crate::time::Timestamp;

/// How infectious a visitor was, 1..=8, as a warning says it (Corona-Warn-App).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TransmissionRiskLevel(u8);

impl TransmissionRiskLevel {
    /// `None` outside 1..=8.
    #[must_use]
    pub const fn new(level: u8) -> Option<Self> {
        if matches!(level, 1..=8) { Some(Self(level)) } else { None }
    }

    /// The level, 1..=8.
    #[must_use]
    pub const fn get(self) -> u8 {
        self.0
    }
}

/// The warning of one visit for one UTC day.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SubmittedWarning {
    /// What is published.
    pub sealed: ProtectedWarning,
    /// What it warns about; sealed in it.
    pub intervals: WarnedIntervals,
    /// [`CheckIn::number`](super::CheckIn::number).
    pub visit: u64,
}

/// What became of the visits when they were to be submitted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct VisitReport {
    /// Visits whose other visitors will be warned.
    pub submitted: usize,
    /// Visits that warn nobody by the rules: shorter than ten minutes, or outside of the time that
    /// is published.
    pub warn_nobody: usize,
    /// Visits for which there was no room, the oldest ones. They are not marked as submitted.
    pub left_out: usize,
}

impl VenueDiary {
    /// Makes warnings of all visits that were not submitted before, for the intervals that `keeps`
    /// says of; at most `most` warnings, of the latest visits. Visits that become warnings end now,
    /// if they are running, and match nothing from now on. Nor does one of these warnings match
    /// any other visit of this phone, such as the next one to the same place while the air still
    /// holds what the first one left.
    pub fn submit(
        &mut self,
        level: TransmissionRiskLevel,
        keeps: impl Fn(WarnedIntervals) -> bool,
        most: usize,
        now: Timestamp,
        rng: &mut (impl CryptoRng + ?Sized),
    ) -> (Vec<SubmittedWarning>, VisitReport) {
        let (mut warnings, mut report) = (Vec::new(), VisitReport::default());
        for visit in self.check_ins.iter_mut().filter(|visit| !visit.submitted).rev() {
            let until = visit.until.min(now);
            let mut parts = warned_intervals(visit.since, until);
            parts.retain(|part| keeps(*part));
            if parts.is_empty() {
                report.warn_nobody += 1;
                continue;
            }
            // A visit that is older than one that was left out would jump the queue.
            if report.left_out > 0 || warnings.len() + parts.len() > most {
                report.left_out += 1;
                continue;
            }
            report.submitted += 1;
            visit.submitted = true;
            visit.until = until;
            for intervals in parts {
                let Ok(warning) = Warning::new(intervals, level.get()) else { continue };
                let sealed = warning.protect(&visit.venue, rng);
                self.own_warnings.insert((intervals.start.day(), sealed.mac));
                warnings.push(SubmittedWarning { sealed, intervals, visit: visit.number });
            }
        }
        (warnings, report)
    }

    /// These visits were not published after all: they match again, and can be submitted again.
    pub(crate) fn withdraw(&mut self, visits: &BTreeSet<u64>) {
        for visit in self.check_ins.iter_mut().filter(|visit| visits.contains(&visit.number)) {
            visit.submitted = false;
        }
    }
}
