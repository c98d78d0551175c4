//! The state machine that reads both clocks and judges the wall clock.

use std::collections::VecDeque;

use serde::{Deserialize, Serialize};

use super::timeline::{Step, Timeline};
use super::{
    ClockChange, ClockEpoch, ClockReading, ClockRules, EpochId, RecordStamp, WallTrust, moved,
};
use crate::time::Timestamp;

/// What a trusted time said about the wall clock.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub struct Confirmation {
    /// By how many seconds the wall clock is ahead of the trusted time; negative if behind.
    pub wall_ahead_seconds: i64,
    /// By how many seconds this trusted time differs from an earlier one of the same boot, beyond
    /// the tolerance. One of the two sources lies; the later one is believed.
    pub contradiction_seconds: Option<i64>,
}

/// Watches the wall clock. Feed it every reading in the order taken, at least once an hour.
///
/// It holds no clock, allocates only for epochs, and never panics. Persist it whole.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ClockWatch {
    rules: ClockRules,
    last: Option<ClockReading>,
    /// Oldest first; the last is the current one.
    epochs: VecDeque<ClockEpoch>,
    epochs_opened: u64,
    boots: u64,
    sequence: u64,
    timeline: Option<Timeline>,
    /// Trusted less monotonic time, if it was measured since boot.
    true_offset: Option<i64>,
}

impl ClockWatch {
    /// A watch that has read nothing.
    #[must_use]
    pub fn new(rules: ClockRules) -> Self {
        Self { rules, ..Self::default() }
    }

    /// The same watch under other rules.
    #[must_use]
    pub fn with_rules(self, rules: ClockRules) -> Self {
        Self { rules, ..self }
    }

    /// What the wall clock will read at `instant` of the best known time, as it is set now.
    #[must_use]
    pub fn wall_at(&self, instant: Timestamp) -> Timestamp {
        moved(instant, self.wall_ahead_seconds().unwrap_or(0))
    }

    /// Takes the next reading and says what became of the wall clock.
    ///
    /// A monotonic clock that runs backwards within one boot counts as a restart that the host
    /// did not notice.
    pub fn read(&mut self, reading: ClockReading) -> ClockChange {
        let change = self.classify(&reading);
        let new_boot = matches!(change, ClockChange::NewBoot { .. });
        if new_boot {
            self.boots = self.boots.saturating_add(1);
            self.true_offset = None;
        }
        let step = self.step(&reading, new_boot);
        match &mut self.timeline {
            Some(timeline) => timeline.advance(step, &self.rules),
            None => self.timeline = Some(Timeline::starting_at(reading.wall)),
        }
        if change.opens_epoch() {
            self.open_epoch(reading, change);
        }
        self.last = Some(reading);
        change
    }

    /// Takes a reading for which a source that the host trusts says `trusted`: a server's time
    /// over an authenticated connection. All epochs since boot are corrected by it.
    ///
    /// A difference within the tolerance corrects nothing: a server's whole seconds and the way
    /// to the phone are no better than that.
    pub fn confirm(&mut self, reading: ClockReading, trusted: Timestamp) -> Confirmation {
        self.read(reading);
        let wall_ahead_seconds = reading.wall.seconds_since(trusted);
        let offset = reading.offset().saturating_sub(wall_ahead_seconds);
        let contradiction = self.true_offset.map(|earlier| offset.saturating_sub(earlier));
        self.true_offset = Some(offset);
        for epoch in &mut self.epochs {
            if epoch.boot_number == self.boots {
                epoch.trust = measured(&epoch.first, offset, &self.rules);
            }
        }
        let step = self.step(&reading, false);
        if let Some(timeline) = &mut self.timeline {
            timeline.advance(step, &self.rules);
        }
        Confirmation {
            wall_ahead_seconds,
            contradiction_seconds: contradiction.filter(|seconds| !self.tolerates(*seconds)),
        }
    }

    /// Something signed proves that it is at least `instant`, such as the end of the period that
    /// a verified key file covers. A wall clock that reads less becomes suspect; this is how a
    /// clock that was set back while the phone was off is found out.
    pub fn prove_at_least(&mut self, instant: Timestamp) {
        let Some(last) = self.last else { return };
        let behind = instant.seconds_since(last.wall) > i64::from(self.rules.tolerance_seconds);
        let boot = self.boots;
        for epoch in &mut self.epochs {
            let same_setting = epoch.boot_number == boot
                && within(self.rules, epoch.first.offset().saturating_sub(last.offset()));
            if behind && same_setting && epoch.trust == WallTrust::Unchallenged {
                epoch.trust = WallTrust::Suspect;
            }
        }
    }

    /// A stamp for a record made now; `None` before the first reading.
    pub fn stamp(&mut self) -> Option<RecordStamp> {
        let epoch = self.epochs.back()?.id;
        let elapsed_seconds = self.elapsed_seconds();
        self.sequence = self.sequence.saturating_add(1);
        Some(RecordStamp { sequence: self.sequence, epoch, elapsed_seconds })
    }

    /// A stamp for a record that was made at an earlier reading and is handed over only now, such
    /// as a scan from before the first unlock. `None` before the first reading.
    ///
    /// The record belongs to the epoch of its own boot with the same setting of the wall clock. A
    /// boot of which nothing else is known counts to the current epoch if the record lies before
    /// the last reading, by the wall clock; a record that fits nowhere is suspect.
    pub fn stamp_at(&mut self, reading: &ClockReading) -> Option<RecordStamp> {
        let last = self.last?;
        let now = self.stamp()?;
        let age = if same_boot(reading, &last) {
            last.monotonic_seconds.saturating_sub(reading.monotonic_seconds)
        } else {
            u64::try_from(last.wall.seconds_since(reading.wall)).unwrap_or(0)
        };
        Some(RecordStamp {
            epoch: self.epoch_of(reading),
            elapsed_seconds: now.elapsed_seconds.saturating_sub(age),
            ..now
        })
    }

    fn epoch_of(&self, reading: &ClockReading) -> EpochId {
        let mut of_its_boot =
            self.epochs.iter().rev().filter(|epoch| epoch.first.boot == reading.boot).peekable();
        let found = if of_its_boot.peek().is_some() {
            of_its_boot
                .find(|epoch| self.tolerates(reading.offset().saturating_sub(epoch.first.offset())))
        } else {
            let is_past = self.last.is_some_and(|last| reading.wall <= last.wall);
            self.epochs.back().filter(|_| is_past)
        };
        found.map_or(EpochId::UNKNOWN, |epoch| epoch.id)
    }

    /// The current epoch; `None` before the first reading.
    #[must_use]
    pub fn epoch(&self) -> Option<&ClockEpoch> {
        self.epochs.back()
    }

    /// How far the wall time of records made in `epoch` is to be believed. Suspect if the epoch
    /// is not remembered.
    #[must_use]
    pub fn trust(&self, epoch: EpochId) -> WallTrust {
        let found = self.epochs.binary_search_by_key(&epoch, |known| known.id);
        found.map_or(WallTrust::Suspect, |index| self.epochs[index].trust)
    }

    /// The time meant by `wall` in a record of `epoch`; `None` if the epoch is suspect: such a
    /// record must not be matched now, and may be when a trusted time has come.
    #[must_use]
    pub fn corrected(&self, epoch: EpochId, wall: Timestamp) -> Option<Timestamp> {
        self.trust(epoch).correct(wall)
    }

    /// The time at the last reading as well as it is known: the wall clock's, corrected if it was
    /// measured. This is the time to advertise and to scan by, so that a clock set wrong after a
    /// confirmation changes nothing. `None` before the first reading.
    #[must_use]
    pub fn now(&self) -> Option<Timestamp> {
        let (last, epoch) = (self.last?, self.epochs.back()?);
        Some(epoch.trust.correct(last.wall).unwrap_or(last.wall))
    }

    /// By how many seconds the wall clock is ahead of the truth (negative: behind); zero if within
    /// the tolerance, `None` if it was not measured since boot.
    #[must_use]
    pub fn wall_ahead_seconds(&self) -> Option<i64> {
        match self.epochs.back()?.trust {
            WallTrust::Measured { correction_seconds } => Some(correction_seconds.saturating_neg()),
            WallTrust::Unchallenged | WallTrust::Suspect => None,
        }
    }

    /// Whether the wall clock, as it is set now, is suspect.
    #[must_use]
    pub fn is_suspect(&self) -> bool {
        self.epochs.back().is_some_and(|epoch| epoch.trust == WallTrust::Suspect)
    }

    /// Seconds since the first reading ever, see [`RecordStamp::elapsed_seconds`].
    #[must_use]
    pub fn elapsed_seconds(&self) -> u64 {
        self.timeline.as_ref().map_or(0, Timeline::elapsed)
    }

    /// Whether a stamped record is older than `retention_seconds` and has to be erased.
    ///
    /// Decides by elapsed time only. No setting of the clock of a running phone makes a record
    /// older; a restart does by as much as is measured, or as the wall clock claims for the whole
    /// patience. And no setting of the clock keeps a record: a phone's running time ages it.
    #[must_use]
    pub fn is_due(&self, record: RecordStamp, retention_seconds: u64) -> bool {
        self.elapsed_seconds().saturating_sub(record.elapsed_seconds) > retention_seconds
    }

    /// The instant by which to decide what is too old of that which carries a date and no stamp,
    /// such as keys: the measured time, or else the earlier of the wall clock and of what
    /// monotonic time supports. A clock set forward moves it only after the patience, and it
    /// comes back with the clock. `None` before the first reading.
    #[must_use]
    pub fn retention_now(&self) -> Option<Timestamp> {
        self.timeline.as_ref().map(Timeline::retention_now)
    }

    /// Forgets epochs of which every record is older than `retention_seconds`.
    pub fn forget_epochs(&mut self, retention_seconds: u64) {
        let now = self.elapsed_seconds();
        self.epochs.retain(|epoch| {
            epoch.ended_elapsed.is_none_or(|ended| now.saturating_sub(ended) <= retention_seconds)
        });
    }

    /// The epochs remembered, oldest first.
    pub fn epochs(&self) -> impl ExactSizeIterator<Item = &ClockEpoch> {
        self.epochs.iter()
    }

    fn classify(&self, reading: &ClockReading) -> ClockChange {
        let (Some(last), Some(epoch)) = (self.last, self.epochs.back()) else {
            return ClockChange::First;
        };
        if !same_boot(&last, reading) {
            let since_boot = i64::try_from(reading.monotonic_seconds).unwrap_or(i64::MAX);
            let earliest = moved(self.now().unwrap_or(last.wall), since_boot);
            let missing = earliest.seconds_since(reading.wall);
            let went_back = missing > 0 && !self.tolerates(missing);
            return ClockChange::NewBoot {
                went_back_seconds: went_back.then_some(missing.unsigned_abs()),
            };
        }
        let moved_by = reading.offset().saturating_sub(epoch.first.offset());
        let seconds = moved_by.unsigned_abs();
        match moved_by {
            _ if self.tolerates(moved_by) => ClockChange::Steady,
            ..0 => ClockChange::JumpedBack { seconds },
            0.. => ClockChange::JumpedForward { seconds },
        }
    }

    /// What `reading` tells the timeline; after a confirmation, with no time passed.
    fn step(&self, reading: &ClockReading, new_boot: bool) -> Step {
        let last = self.last.unwrap_or(*reading);
        let passed = if new_boot {
            reading.monotonic_seconds
        } else {
            reading.monotonic_seconds.saturating_sub(last.monotonic_seconds)
        };
        let claimed = reading.wall.seconds_since(last.wall);
        let claimed = u64::try_from(claimed).unwrap_or(0).saturating_sub(passed);
        let measured = self
            .true_offset
            .map(|offset| moved(reading.wall, offset.saturating_sub(reading.offset())));
        Step { passed, claimed_off: new_boot.then_some(claimed), wall: reading.wall, measured }
    }

    fn open_epoch(&mut self, first: ClockReading, opened_by: ClockChange) {
        let trust = self.first_trust(&first, opened_by);
        let elapsed = self.elapsed_seconds();
        if let Some(current) = self.epochs.back_mut() {
            current.ended_elapsed = Some(elapsed);
        }
        self.epochs_opened = self.epochs_opened.saturating_add(1);
        let boot_number = self.boots;
        let id = EpochId(self.epochs_opened);
        self.epochs.push_back(ClockEpoch {
            id,
            opened_by,
            first,
            trust,
            boot_number,
            ended_elapsed: None,
        });
        while self.epochs.len() > self.rules.remembered_epochs.max(1) as usize {
            self.epochs.pop_front();
        }
    }

    fn first_trust(&self, first: &ClockReading, opened_by: ClockChange) -> WallTrust {
        match opened_by {
            ClockChange::NewBoot { went_back_seconds: Some(_) } => WallTrust::Suspect,
            ClockChange::NewBoot { went_back_seconds: None } => {
                // The clock runs on as it was set, so what was wrong before is wrong now.
                match self.epochs.back().map(|epoch| epoch.trust) {
                    None
                    | Some(
                        WallTrust::Unchallenged | WallTrust::Measured { correction_seconds: 0 },
                    ) => WallTrust::Unchallenged,
                    Some(WallTrust::Suspect | WallTrust::Measured { .. }) => WallTrust::Suspect,
                }
            }
            ClockChange::First | ClockChange::Steady => WallTrust::Unchallenged,
            ClockChange::JumpedForward { .. } | ClockChange::JumpedBack { .. } => {
                if let Some(offset) = self.true_offset {
                    return measured(first, offset, &self.rules);
                }
                // Back to a setting of this boot that nobody doubted.
                let returned = self.epochs.iter().any(|epoch| {
                    epoch.boot_number == self.boots
                        && epoch.trust == WallTrust::Unchallenged
                        && self.tolerates(first.offset().saturating_sub(epoch.first.offset()))
                });
                if returned { WallTrust::Unchallenged } else { WallTrust::Suspect }
            }
        }
    }

    fn tolerates(&self, seconds: i64) -> bool {
        within(self.rules, seconds)
    }
}

fn within(rules: ClockRules, seconds: i64) -> bool {
    seconds.unsigned_abs() <= u64::from(rules.tolerance_seconds)
}

fn same_boot(last: &ClockReading, reading: &ClockReading) -> bool {
    last.boot == reading.boot && reading.monotonic_seconds >= last.monotonic_seconds
}

fn measured(first: &ClockReading, true_offset: i64, rules: &ClockRules) -> WallTrust {
    let correction = true_offset.saturating_sub(first.offset());
    let correction_seconds = if within(*rules, correction) { 0 } else { correction };
    WallTrust::Measured { correction_seconds }
}
