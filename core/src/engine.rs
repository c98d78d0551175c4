//! The engine: one state machine that owns a phone's day, without I/O.
//!
//! Drive it with [`Engine::handle`]: an input and the time go in, everything the host has to do
//! comes out, and [`Engine::next_wake`] says when it wants to be called again. One call is one
//! transaction: all that it changes is committed to the encounter log at once, before any output
//! is returned. If the commit fails, nothing has happened and the call can be repeated.
//!
//! Where things happen: [`keyring`] rolls the phone's own keys, [`plan`] says what to advertise
//! and when to scan, `scan` turns a scan into sightings, `key_file` turns a key file into
//! exposures, days and announcements.
//!
//! Invariants, each held by a test in `core/tests/engine.rs`:
//!
//! 1. no identifier is handed out before its key is in the log;
//! 2. an identifier is planned only until its interval ends, and always with a new address;
//! 3. one key for each UTC day, plus one for each disclosure; keys never overlap, and a clock that
//!    is set back never revives one that was disclosed;
//! 4. nothing older than the retention period is read, matched or returned;
//! 5. a key that still makes identifiers is never disclosed;
//! 6. a High day is announced until the host confirms it, and never after that.
//!
//! `core/tests/exactly_once.rs` holds what follows from the one commit: no order, grouping or
//! repetition of key files and no crash changes a result.

mod configuration;
mod input;
mod key_file;
pub mod keyring;
mod output;
pub mod plan;
mod scan;

use std::collections::BTreeSet;
use std::sync::Arc;

use rand_core::CryptoRng;

use crate::diagnosis_key::{DaysSinceOnset, DiagnosisKeyDetails};
use crate::encounter_log::{Change, DayRecord, EncounterLog, Exposure};
use crate::keys::RollingProximityIdentifier;
use crate::risk::RiskLevel;
use crate::risk::cocoa::DayAssessment;
use crate::time::{DAY_SECONDS, Timestamp, UtcDay};

pub use configuration::EngineConfiguration;
pub use input::{Disclosure, Input, KeyFile};
pub use key_file::KeyFileReport;
use keyring::{Keyring, PublishedUntil};
pub use output::Output;
use plan::{Advertising, Scanning};
pub use scan::ScanReport;

/// A phone's day.
#[derive(Debug)]
pub struct Engine<L> {
    configuration: EngineConfiguration,
    log: L,
    state: State,
}

/// What changes from call to call; replaced as a whole when a commit has succeeded.
#[derive(Clone, Debug)]
struct State {
    running: bool,
    keyring: Keyring,
    own_identifiers: Arc<BTreeSet<RollingProximityIdentifier>>,
    advertising: Advertising,
    scanning: Scanning,
    previous_scan_ended: Option<Timestamp>,
    /// When the log was last relieved of what is too old.
    maintained: Option<Timestamp>,
}

/// One call in the making: what will be committed, and what will be returned.
#[derive(Debug, Default)]
struct Turn {
    changes: Vec<Change>,
    outputs: Vec<Output>,
}

impl<L: EncounterLog> Engine<L> {
    /// An engine over what `log` remembers. It does nothing until [`Input::Start`].
    ///
    /// # Errors
    /// The log's.
    pub fn open(configuration: EngineConfiguration, log: L) -> Result<Self, L::Error> {
        let keyring = Keyring::from_stored(log.own_keys()?, log.disclosed_until()?);
        let state = State {
            running: false,
            own_identifiers: Arc::new(keyring.identifiers()),
            keyring,
            advertising: Advertising::default(),
            scanning: Scanning::default(),
            previous_scan_ended: None,
            maintained: None,
        };
        Ok(Self { configuration, log, state })
    }

    /// Takes one input at `now` and returns everything the host has to do, in order.
    ///
    /// # Errors
    /// The log's. Nothing has happened then: neither the engine nor the log has changed.
    pub fn handle(
        &mut self,
        input: Input<'_>,
        now: Timestamp,
        rng: &mut (impl CryptoRng + ?Sized),
    ) -> Result<Vec<Output>, L::Error> {
        let mut state = self.state.clone();
        let mut turn = Turn::default();
        let forget_before = self.retained_since(now);
        turn.changes.push(Change::ForgetBefore(forget_before));
        state.forget_before(forget_before);
        state.maintained = Some(now);

        match input {
            Input::Start => {
                state.start(now);
                self.announce_again(forget_before, now, &mut turn)?;
            }
            Input::Stop => {
                state.stop();
                turn.outputs.push(Output::StopAdvertising);
            }
            Input::Wake => {}
            Input::AdvertisingStarted { plan } => state.advertising.confirm(plan),
            Input::AdvertisingFailed { plan } => state.advertising.fail(plan, now),
            Input::ScanFinished(scan) => {
                state.scanning.finished(&scan, &self.configuration.scan_schedule, rng);
                state.ingest_scan(scan, now, forget_before, &mut turn);
            }
            Input::KeyFile(file) => {
                let outcome = self.ingest_key_file(&file, &state, forget_before, now, &mut turn)?;
                turn.outputs.insert(0, Output::KeyFileIngested(outcome));
            }
            Input::Disclose(disclosure) => state.disclose(disclosure, now, rng, &mut turn),
            Input::Announced { day } => {
                let remembered = day >= forget_before.day();
                if let Some(record) = self.log.day(day)?.filter(|_| remembered) {
                    turn.changes.push(Change::Day(DayRecord { announced: true, ..record }));
                }
            }
        }
        if state.running {
            state.plan_advertising(&self.configuration, now, rng, &mut turn);
            state.plan_scan(&self.configuration, now, &mut turn);
        }

        self.log.commit(turn.changes)?;
        self.state = state;
        Ok(turn.outputs)
    }

    /// When to call [`Engine::handle`] with [`Input::Wake`] at the latest; `None` before the first
    /// call. A stopped engine, too, wants to be called once a day, to forget. After a change of
    /// the wall clock the host calls at once.
    #[must_use]
    pub fn next_wake(&self) -> Option<Timestamp> {
        let State { advertising, scanning, maintained, .. } = &self.state;
        let forget = maintained.map(|instant| instant.day().saturating_add(1).start());
        let scan = scanning.next_wake(&self.configuration.scan_schedule);
        [advertising.next_wake(), scan, forget].into_iter().flatten().min()
    }

    /// Every exposure that is not older than the retention period.
    ///
    /// # Errors
    /// The log's.
    pub fn exposures(&self, now: Timestamp) -> Result<Vec<Exposure>, L::Error> {
        let since = self.retained_since(now);
        let mut exposures = self.log.exposures()?;
        for exposure in &mut exposures {
            exposure.windows.retain(|window| window.first_heard_at >= since);
        }
        exposures.retain(|exposure| {
            !exposure.windows.is_empty() || exposure.published.key.rolling_end().start() > since
        });
        Ok(exposures)
    }

    /// What was concluded about `day`, if it is not older than the retention period.
    ///
    /// # Errors
    /// The log's.
    pub fn day(&self, day: UtcDay, now: Timestamp) -> Result<Option<DayAssessment>, L::Error> {
        if day < self.retained_since(now).day() {
            return Ok(None);
        }
        Ok(self.log.day(day)?.map(|record| record.assessment))
    }

    /// How far the key files of `source` have been matched.
    ///
    /// # Errors
    /// The log's.
    pub fn cursor(&self, source: &str) -> Result<Option<u64>, L::Error> {
        self.log.cursor(source)
    }

    /// Whether the host has confirmed that the running plan is on the air.
    #[must_use]
    pub const fn is_on_the_air(&self) -> bool {
        self.state.advertising.is_confirmed()
    }

    /// The log, for reading.
    #[must_use]
    pub const fn log(&self) -> &L {
        &self.log
    }

    /// The configuration in force.
    #[must_use]
    pub const fn configuration(&self) -> &EngineConfiguration {
        &self.configuration
    }

    /// Gives the log back, as if the process had ended.
    #[must_use]
    pub fn into_log(self) -> L {
        self.log
    }

    /// The earliest instant that may still be remembered at `now`.
    fn retained_since(&self, now: Timestamp) -> Timestamp {
        let days = self.configuration.retention_days;
        now.saturating_sub(days.saturating_mul(DAY_SECONDS))
    }

    /// A process may die between the commit and the notification, so unconfirmed days come again
    /// at every start.
    fn announce_again(
        &self,
        since: Timestamp,
        now: Timestamp,
        turn: &mut Turn,
    ) -> Result<(), L::Error> {
        for day in since.day().days_since_1970()..=now.day().days_since_1970() {
            let is_untold_high = |record: &DayRecord| {
                record.assessment.level == RiskLevel::High && !record.announced
            };
            if let Some(record) = self.log.day(UtcDay::new(day))?.filter(is_untold_high) {
                turn.outputs.push(Output::Announce(record.assessment));
            }
        }
        Ok(())
    }
}

impl State {
    fn start(&mut self, now: Timestamp) {
        if !self.running {
            self.running = true;
            self.advertising = self.advertising.interrupted();
            self.scanning = Scanning::due(now);
            // The engine was not listening: how long ago the last scan was says nothing now.
            self.previous_scan_ended = None;
        }
    }

    fn stop(&mut self) {
        self.running = false;
        self.advertising = self.advertising.interrupted();
        self.scanning = Scanning::default();
        self.previous_scan_ended = None;
    }

    fn forget_before(&mut self, instant: Timestamp) {
        if self.keyring.forget_before(instant) {
            self.own_identifiers = Arc::new(self.keyring.identifiers());
        }
    }

    fn plan_advertising(
        &mut self,
        configuration: &EngineConfiguration,
        now: Timestamp,
        rng: &mut (impl CryptoRng + ?Sized),
        turn: &mut Turn,
    ) {
        if !self.advertising.is_due(now) {
            return;
        }
        let interval = now.interval();
        let (key, is_new) = match self.keyring.key_for(interval, rng) {
            Ok(key) => key,
            Err(PublishedUntil(end)) => {
                let until = end.start();
                self.advertising.suspend(until);
                turn.outputs.push(Output::StopAdvertising);
                turn.outputs.push(Output::AdvertisingSuspended { until });
                return;
            }
        };
        let plan = self.advertising.plan(key, interval, configuration.metadata);
        if is_new {
            turn.changes.push(Change::OwnKey(key.clone()));
            self.own_identifiers = Arc::new(self.keyring.identifiers());
        }
        turn.outputs.push(Output::Advertise(plan));
    }

    fn plan_scan(&mut self, configuration: &EngineConfiguration, now: Timestamp, turn: &mut Turn) {
        if let Some(plan) = self.scanning.begin_if_due(now, &configuration.scan_schedule) {
            turn.outputs.push(Output::Scan(plan));
        }
    }

    fn disclose(
        &mut self,
        disclosure: Disclosure,
        now: Timestamp,
        rng: &mut (impl CryptoRng + ?Sized),
        turn: &mut Turn,
    ) {
        let changed = self.keyring.close(now.interval(), rng);
        turn.changes.extend(changed.into_iter().map(Change::OwnKey));
        turn.changes.extend(self.keyring.disclosed_until().map(Change::DisclosedUntil));
        self.own_identifiers = Arc::new(self.keyring.identifiers());
        self.advertising = self.advertising.interrupted();

        let disclosed = self.keyring.ended_by(now.interval()).map(|key| {
            let onset = disclosure.onset.map(|onset| key.rolling_start().day().days_since(onset));
            key.disclose(DiagnosisKeyDetails {
                report_type: Some(disclosure.report_type),
                days_since_onset: onset
                    .and_then(|days| i32::try_from(days).ok())
                    .and_then(DaysSinceOnset::new),
                ..DiagnosisKeyDetails::default()
            })
        });
        turn.outputs.push(Output::Disclosed(disclosed.collect()));
    }
}
