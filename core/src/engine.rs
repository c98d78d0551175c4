//! The engine: one state machine that owns a phone's day, without I/O.
//!
//! Drive it with [`Engine::handle`]: an input and both clocks go in, everything the host has to do
//! comes out, and [`Engine::next_wake`] says when it wants to be called again. One call is one
//! transaction: all that it changes is committed to the encounter log at once, before any output
//! is returned. If the commit fails, nothing has happened and the call can be repeated.
//!
//! Where things happen: [`keyring`] rolls the phone's own keys, [`plan`] says what to advertise
//! and when to scan, `scan` turns a scan into sightings, `key_file` turns a key file into
//! exposures, days and announcements, `watch` judges the clock and keeps account of the day,
//! `venue` and `diary` keep visits and a recuperation, `view` answers what an app asks.
//!
//! Times: the wall clock of a [`ClockReading`] is an input that may be wrong. The engine decides by
//! the best known time ([`crate::clock::ClockWatch::now`]); every time it hands to its host is one
//! of the host's wall clock.
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
mod configure;
mod diary;
mod input;
mod key_file;
pub mod keyring;
mod output;
pub mod plan;
mod publishing;
mod report;
mod scan;
mod succession;
mod venue;
mod view;
mod watch;

use std::collections::BTreeSet;
use std::sync::Arc;

use rand_core::CryptoRng;

use crate::clock::signed_intervals::KeyTag;
use crate::clock::{ClockReading, EpochId};
use crate::diagnosis_key::DiagnosisKey;
use crate::diagnosis_key::{DaysSinceOnset, DiagnosisKeyDetails};
use crate::encounter_log::{Change, DayRecord, EncounterLog, EngineRecord, Horizon};
use crate::keys::RollingProximityIdentifier;
use crate::publish::Publishing;
use crate::risk::RiskLevel;
use crate::status::LogFact;
use crate::time::{DAY_SECONDS, Timestamp, UtcDay};
use crate::validation::validate;

pub use configuration::EngineConfiguration;
pub use input::{Disclosure, Input, KeyFile, NewConfiguration};
pub use key_file::KeyFileReport;
use keyring::{Keyring, NoKey};
pub use output::Output;
use plan::{Advertising, Scanning};
pub use publishing::{PublishError, PublishInput, QueuedUpload};
pub use scan::ScanReport;
pub use venue::DayEvidence;

/// A phone's day.
#[derive(Debug)]
pub struct Engine<L> {
    configuration: EngineConfiguration,
    log: L,
    state: State,
    /// The app's own profile does not meet the requirements.
    built_in_is_invalid: bool,
    /// What became of the last commit; outside of the state, because a failed one must be seen.
    log_fact: LogFact,
}

/// What changes from call to call; replaced as a whole when a commit has succeeded.
#[derive(Clone, Debug)]
struct State {
    running: bool,
    keyring: Keyring,
    own_identifiers: Arc<BTreeSet<RollingProximityIdentifier>>,
    advertising: Advertising,
    scanning: Scanning,
    /// By the wall clock of this epoch.
    previous_scan_ended: Option<(EpochId, Timestamp)>,
    /// When the log was last relieved of what is too old.
    maintained: Option<Timestamp>,
    record: EngineRecord,
    publishing: Publishing,
}

/// One call in the making: what will be committed, and what will be returned.
#[derive(Debug)]
struct Turn {
    /// The best known time.
    now: Timestamp,
    horizon: Horizon,
    /// Days are judged again also if nothing of them has changed, by a new profile.
    judge_all_days: bool,
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
        let mut record = log.engine_record()?.unwrap_or_default();
        record.clock = record.clock.with_rules(configuration.clock);
        record.flood = record.flood.with_limits(configuration.flood);
        record.budget = record.budget.with_quota(configuration.key_files_per_day);
        let state = State {
            running: false,
            own_identifiers: Arc::new(keyring.identifiers()),
            keyring,
            advertising: Advertising::default(),
            scanning: Scanning::default(),
            previous_scan_ended: None,
            maintained: None,
            record,
            publishing: log.publishing()?,
        };
        let built_in_is_invalid =
            validate(configuration.profile.clone(), &configuration.requirements).is_err();
        Ok(Self { configuration, log, state, built_in_is_invalid, log_fact: LogFact::Good })
    }

    /// Takes one input and returns everything the host has to do, in order. `clocks` are both
    /// clocks of the phone at this moment.
    ///
    /// # Errors
    /// The log's. Nothing has happened then: neither the engine nor the log has changed, and the
    /// same call can be repeated. The status says so until a commit succeeds.
    pub fn handle(
        &mut self,
        input: Input<'_>,
        clocks: ClockReading,
        rng: &mut (impl CryptoRng + ?Sized),
    ) -> Result<Vec<Output>, L::Error> {
        let mut state = self.state.clone();
        let mut turn = state.begin(clocks, &input, &self.configuration);
        state.keep_uploads(&self.configuration, &mut turn, rng);
        self.take(input, clocks, &mut state, &mut turn, rng)?;
        if state.running {
            state.plan_advertising(&self.configuration, rng, &mut turn);
            state.plan_scan(&self.configuration, &mut turn);
        }
        publishing::keep_changed(&self.state, &state, &mut turn);
        turn.changes.push(Change::Engine(Box::new(state.record.clone())));

        let committed = self.log.commit(turn.changes);
        self.log_fact = match &committed {
            Ok(()) => LogFact::Good,
            Err(error) if L::is_full(error) => LogFact::Full,
            Err(_) => LogFact::Failed,
        };
        committed?;
        self.state = state;
        Ok(turn.outputs)
    }

    fn take(
        &self,
        input: Input<'_>,
        clocks: ClockReading,
        state: &mut State,
        turn: &mut Turn,
        rng: &mut (impl CryptoRng + ?Sized),
    ) -> Result<(), L::Error> {
        match input {
            Input::Start => {
                state.start(turn.now);
                self.announce_again(turn)?;
                self.announce_venues_again(turn)?;
                state.say_when_uploads_are_due(turn);
            }
            Input::Stop => {
                state.stop(turn.now);
                turn.outputs.push(Output::StopAdvertising);
            }
            // What a trusted time says about the clock was taken in at the beginning.
            Input::TrustedTime(_) => self.match_again(state, turn)?,
            Input::AdvertisingStarted { plan } => state.advertising.confirm(plan),
            Input::AdvertisingFailed { plan } => state.advertising.fail(plan, turn.now),
            Input::ScanFinished(scan) => {
                state.ingest_scan(scan, clocks, &self.configuration, turn, rng);
            }
            Input::Configure(new) => self.configure(new, state, turn)?,
            Input::FilesListed { listed, missing } => state.files_listed(listed, missing),
            Input::KeyFile(file) => self.ingest_key_file(&file, state, turn)?,
            Input::Disclose(disclosure) => state.disclose(disclosure, turn, rng),
            Input::Publish(input) => self.publish(*input, state, turn, rng)?,
            Input::Announced { day } => {
                let remembered = day >= turn.horizon.before.day();
                if let Some(record) = self.log.day(day)?.filter(|_| remembered) {
                    turn.changes.push(Change::Day(DayRecord { announced: true, ..record }));
                }
                self.venues_announced(day, turn)?;
            }
            Input::Succeed(contents) => state.succeed(*contents, &self.log, turn)?,
            Input::ForgetDay(day) => state.forget_day(day, turn),
            Input::ForgetEverything => state.forget_everything(clocks, &self.configuration, turn),
            Input::CheckIn(code) => self.check_in(&code, state, turn)?,
            Input::CheckOut { number } => self.check_out(number, turn)?,
            Input::VenueWarnings(package) => self.ingest_venue_warnings(package, turn)?,
            Input::BeginDiary(start) => self.begin_diary(*start, turn)?,
            Input::DiaryEntry(entry) => self.add_to_diary(*entry, state, turn)?,
            Input::SymptomsBegan(onset) => self.symptoms_began(onset, turn)?,
            Input::Wake => {}
        }
        Ok(())
    }

    /// When to call [`Engine::handle`] with [`Input::Wake`] at the latest, by the host's wall
    /// clock; `None` before the first call. A stopped engine, too, wants to be called once a day,
    /// to forget. After a change of the wall clock the host calls at once.
    #[must_use]
    pub fn next_wake(&self) -> Option<Timestamp> {
        let State { advertising, scanning, maintained, .. } = &self.state;
        let forget = maintained.map(|instant| instant.day().saturating_add(1).start());
        let scan = scanning.next_wake(&self.configuration.scan_schedule);
        let makes_decoys =
            self.configuration.upload_endpoint.is_some() && self.state.record.switched_on;
        let decoy = self.state.publishing.decoys.next_wake().filter(|_| makes_decoys);
        let next = [advertising.next_wake(), scan, forget, decoy].into_iter().flatten().min()?;
        Some(self.state.record.clock.wall_at(next))
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

    /// The log, for its upkeep. What is committed to it past the engine, the engine does not see.
    #[must_use]
    pub const fn log_mut(&mut self) -> &mut L {
        &mut self.log
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

    /// A process may die between the commit and the notification, so unconfirmed days come again
    /// at every start.
    fn announce_again(&self, turn: &mut Turn) -> Result<(), L::Error> {
        let first = turn.horizon.before.day().days_since_1970();
        // Longer than any retention, so that a wrong clock cannot make this walk centuries.
        let last = turn.now.day().days_since_1970().min(first.saturating_add(366));
        for day in first..=last {
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
            self.record.switched_on = true;
            self.record.coverage.started(now);
            self.advertising = self.advertising.interrupted();
            self.scanning = Scanning::due(now);
            // The engine was not listening: how long ago the last scan was says nothing now.
            self.previous_scan_ended = None;
        }
    }

    fn stop(&mut self, now: Timestamp) {
        self.running = false;
        self.record.switched_on = false;
        self.record.coverage.stopped(now);
        self.advertising = self.advertising.interrupted();
        self.scanning = Scanning::default();
        self.previous_scan_ended = None;
    }

    fn plan_advertising(
        &mut self,
        configuration: &EngineConfiguration,
        rng: &mut (impl CryptoRng + ?Sized),
        turn: &mut Turn,
    ) {
        let now = turn.now;
        if !self.advertising.is_due(now) {
            return;
        }
        let interval = now.interval();
        let signed = &mut self.record.signed;
        let (key, is_new) = match self.keyring.key_for(interval, signed, rng) {
            Ok(key) => key,
            Err(NoKey { until }) => {
                self.advertising.suspend(now, until.start());
                let until = self.record.clock.wall_at(until.start());
                turn.outputs.push(Output::StopAdvertising);
                turn.outputs.push(Output::AdvertisingSuspended { until });
                return;
            }
        };
        let plan = self.advertising.plan(key, interval, configuration.metadata, now);
        if is_new {
            turn.changes.push(Change::OwnKey(key.clone()));
            self.own_identifiers = Arc::new(self.keyring.identifiers());
        }
        let until = self.record.clock.wall_at(plan.until);
        turn.outputs.push(Output::Advertise(plan::AdvertisePlan { until, ..plan }));
    }

    fn plan_scan(&mut self, configuration: &EngineConfiguration, turn: &mut Turn) {
        let was_running = self.scanning.is_running();
        if let Some(plan) = self.scanning.begin_if_due(turn.now, &configuration.scan_schedule) {
            if was_running {
                self.record.coverage.scan_lost(turn.now);
            }
            self.record.coverage.scan_begun(turn.now);
            turn.outputs.push(Output::Scan(plan));
        }
    }

    fn disclose(
        &mut self,
        disclosure: Disclosure,
        turn: &mut Turn,
        rng: &mut (impl CryptoRng + ?Sized),
    ) {
        let (keys, changes) = self.close_keys(disclosure, turn.now, rng);
        turn.changes.extend(changes);
        turn.outputs.push(Output::Disclosed(keys));
    }

    /// Ends the running key and discloses all that have ended. Returns them, and what is to be kept.
    fn close_keys(
        &mut self,
        disclosure: Disclosure,
        now: Timestamp,
        rng: &mut (impl CryptoRng + ?Sized),
    ) -> (Vec<DiagnosisKey>, Vec<Change>) {
        let interval = now.interval();
        let changed = self.keyring.close(interval, &self.record.signed, rng);
        if let Some(successor) = changed.last() {
            self.record.signed.reassign(interval, KeyTag::of(successor));
        }
        let mut changes: Vec<_> = changed.into_iter().map(Change::OwnKey).collect();
        changes.extend(self.keyring.disclosed_until().map(Change::DisclosedUntil));
        self.own_identifiers = Arc::new(self.keyring.identifiers());
        self.advertising = self.advertising.interrupted();

        let disclosed = self.keyring.ended_by(interval).map(|key| {
            let onset = disclosure.onset.map(|onset| key.rolling_start().day().days_since(onset));
            key.disclose(DiagnosisKeyDetails {
                report_type: Some(disclosure.report_type),
                days_since_onset: onset
                    .and_then(|days| i32::try_from(days).ok())
                    .and_then(DaysSinceOnset::new),
                ..DiagnosisKeyDetails::default()
            })
        });
        (disclosed.collect(), changes)
    }

    /// Forgets a day at the user's wish, now and whenever something of it comes later.
    fn forget_day(&mut self, day: UtcDay, turn: &mut Turn) {
        self.record.forgotten_days.insert(day);
        self.record.coverage.forget_day(day);
        self.publishing.forget_day(day);
        turn.changes.push(Change::ForgetDay(day));
        if self.keyring.forget_day(day) {
            self.own_identifiers = Arc::new(self.keyring.identifiers());
        }
        // A forgotten key makes no further identifier; its interval ends in silence.
        if day == turn.now.day() {
            self.advertising = self.advertising.interrupted();
        }
        turn.outputs.push(Output::DayForgotten { day });
    }

    fn forget_everything(
        &mut self,
        clocks: ClockReading,
        configuration: &EngineConfiguration,
        turn: &mut Turn,
    ) {
        *self = Self {
            running: false,
            keyring: Keyring::default(),
            own_identifiers: Arc::default(),
            advertising: self.advertising.interrupted(),
            scanning: Scanning::default(),
            previous_scan_ended: None,
            maintained: self.maintained,
            record: EngineRecord::default(),
            publishing: Publishing::default(),
        };
        self.record.clock = self.record.clock.clone().with_rules(configuration.clock);
        self.record.clock.read(clocks);
        turn.changes = vec![Change::ForgetEverything];
        turn.outputs.push(Output::StopAdvertising);
        turn.outputs.push(Output::EverythingForgotten);
    }
}

/// The earliest instant that is still remembered when it is `now`.
fn retained_since(configuration: &EngineConfiguration, now: Timestamp) -> Timestamp {
    now.saturating_sub(configuration.retention_days.saturating_mul(DAY_SECONDS))
}
