//! The beginning of every call: what time it is, what is too old, and what became of yesterday.

use super::{EngineConfiguration, Input, Output, State, Turn, retained_since};
use crate::clock::{ClockChange, ClockReading};
use crate::encounter_log::{Change, Horizon};
use crate::time::{DAY_SECONDS, Timestamp};

impl State {
    /// Reads the clocks, forgets what is too old and closes the days that are over.
    pub(super) fn begin(
        &mut self,
        clocks: ClockReading,
        input: &Input<'_>,
        configuration: &EngineConfiguration,
    ) -> Turn {
        let now = self.read_clocks(clocks, input);
        let horizon = self.horizon(clocks, configuration);
        let mut turn =
            Turn { now, horizon, judge_all_days: false, changes: Vec::new(), outputs: Vec::new() };
        turn.changes.push(Change::Forget(horizon));
        self.forget(horizon, configuration);

        let record = &mut self.record;
        record.coverage.pass(now);
        let accepted = record.accepted.as_ref();
        let version =
            accepted.map_or_else(|| configuration.version.clone(), |new| new.version.clone());
        for assessed in record.daily.close_days(now, &record.coverage, version.as_deref()) {
            if assessed.date >= horizon.before.day()
                && !record.forgotten_days.contains(&assessed.date)
            {
                turn.changes.push(Change::Assessed(assessed.clone()));
                turn.outputs.push(Output::DayRecorded(assessed));
            }
        }
        self.maintained = Some(now);
        turn
    }

    fn read_clocks(&mut self, clocks: ClockReading, input: &Input<'_>) -> Timestamp {
        let record = &mut self.record;
        let change = record.clock.read(clocks);
        let before = record.clock.now();
        if let Input::TrustedTime(trusted) = input {
            record.clock.confirm(clocks, *trusted);
        }
        let now = record.clock.now().unwrap_or(clocks.wall);
        let was_set =
            matches!(change, ClockChange::JumpedForward { .. } | ClockChange::JumpedBack { .. });
        let is_measured = record.clock.wall_ahead_seconds().is_some();
        // What lies between did not happen, unless the clock's error is known: then the best
        // known time has run on as if nobody had set the clock.
        if before != Some(now) || (was_set && !is_measured) {
            record.coverage.clock_jumped(now);
        }
        now
    }

    /// What is too old. Neither a clock set forward nor one set back moves it: dates are held
    /// against [`ClockWatch::retention_now`](crate::clock::ClockWatch::retention_now), stamped
    /// records against elapsed time.
    fn horizon(&self, clocks: ClockReading, configuration: &EngineConfiguration) -> Horizon {
        let clock = &self.record.clock;
        let retention = u64::from(configuration.retention_days) * u64::from(DAY_SECONDS);
        let dated = clock.retention_now().unwrap_or(clocks.wall);
        Horizon {
            before: retained_since(configuration, dated),
            elapsed_seconds: clock.elapsed_seconds().saturating_sub(retention),
        }
    }

    fn forget(&mut self, horizon: Horizon, configuration: &EngineConfiguration) {
        if self.keyring.forget_before(horizon.before) {
            self.own_identifiers = std::sync::Arc::new(self.keyring.identifiers());
        }
        let record = &mut self.record;
        let retention = u64::from(configuration.retention_days) * u64::from(DAY_SECONDS);
        record.clock.forget_epochs(retention);
        record.coverage.forget_before(horizon.before.day());
        record.signed.forget_keys_before(horizon.before.interval());
        record.forgotten_days.retain(|day| *day >= horizon.before.day());
    }

    pub(super) fn files_listed(&mut self, listed: u32, missing: u32) {
        let files = &mut self.record.key_files;
        files.listed = listed;
        files.missing = missing;
        files.refused = 0;
        (0..missing.min(MOST_FILES_COUNTED)).for_each(|_| self.record.daily.file_missing());
    }
}

/// A list that is longer has other faults than missing files.
const MOST_FILES_COUNTED: u32 = 10_000;
