//! A phone: an engine, its process, its clocks, its radio, and what its host knows.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use chikaku_core::advertisement::Advertisement;
use chikaku_core::clock::{BootId, ClockReading};
use chikaku_core::encounter_log::EncounterLog;
use chikaku_core::engine::{Engine, EngineConfiguration, Input, Output};
use chikaku_core::risk::RiskProfile;
use chikaku_core::status::{HostFact, HostFacts, LocationFact, Status};
use chikaku_core::time::Timestamp;
use rand_chacha::ChaCha20Rng;

use super::phone_log::PhoneLog;
use crate::scenario::PhoneSpecification;

/// Earlier payloads that a scan which is going on may still need.
const PAYLOADS_KEPT: usize = 4;

/// Where the process that runs the engine stands.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Process {
    /// Not started yet.
    #[default]
    New,
    Running,
    /// Killed, or the phone is off.
    Dead,
}

#[derive(Debug)]
pub(super) struct Phone {
    engine: Engine<PhoneLog>,
    configuration: EngineConfiguration,
    rng: ChaCha20Rng,
    /// How far the wall clock is ahead of the truth.
    clock_error_seconds: i64,
    boots: u64,
    /// When it was switched on, as the monotonic clock counts.
    switched_on: u64,
    pub(super) process: Process,
    /// Counts processes, so that what was planned for one does not reach the next.
    pub(super) process_number: u32,
    awaited: Option<Timestamp>,
    /// Newest first; `None` is silence.
    on_the_air: VecDeque<(Timestamp, Option<Advertisement>)>,
    /// The plan on the air and the address it uses.
    pub(super) plan: Option<u64>,
    pub(super) address: Option<u64>,
    /// What is missing, and how often over: two faults may overlap.
    missing: BTreeMap<HostFact, u32>,
    pub(super) loses_scans: u32,
    pub(super) downloads_fail: u32,
    pub(super) dies_in_download: bool,
    pub(super) dies_in_notice: bool,
    /// The last run of downloads was not whole.
    pub(super) last_run_failed: bool,
    /// Files that the host need not fetch again.
    pub(super) files_done: BTreeSet<usize>,
    pub(super) bytes: u64,
    pub(super) radio_on_seconds: u64,
    /// When each reason was first in the status.
    pub(super) reasons: BTreeMap<&'static str, Timestamp>,
}

impl Phone {
    pub(super) fn new(
        specification: &PhoneSpecification,
        configuration: EngineConfiguration,
        log: PhoneLog,
        rng: ChaCha20Rng,
    ) -> Self {
        let Ok(engine) = Engine::open(configuration.clone(), log);
        Self {
            engine,
            configuration,
            rng,
            clock_error_seconds: i64::from(specification.clock_error_seconds),
            boots: 1,
            switched_on: 0,
            process: Process::New,
            process_number: 0,
            awaited: None,
            on_the_air: VecDeque::new(),
            plan: None,
            address: None,
            missing: BTreeMap::new(),
            loses_scans: 0,
            downloads_fail: 0,
            dies_in_download: false,
            dies_in_notice: false,
            last_run_failed: false,
            files_done: BTreeSet::new(),
            bytes: 0,
            radio_on_seconds: 0,
            reasons: BTreeMap::new(),
        }
    }

    pub(super) fn handle(&mut self, input: Input<'_>, now: Timestamp) -> Vec<Output> {
        let clocks = self.clocks(now);
        let Ok(outputs) = self.engine.handle(input, clocks, &mut self.rng);
        outputs
    }

    /// When the engine wants to be woken, in true time and not before `earliest`; `None` if
    /// that is planned already. Only the latest such time is awaited.
    pub(super) fn await_wake(&mut self, earliest: Timestamp) -> Option<Timestamp> {
        let wake = shifted(self.engine.next_wake()?, -self.clock_error_seconds);
        let wake = wake.max(earliest);
        let planned = self.awaited.replace(wake);
        (planned != Some(wake)).then_some(wake)
    }

    /// Whether a wake planned for `instant` is still wanted.
    pub(super) fn is_awaited(&self, instant: Timestamp) -> bool {
        self.process != Process::Dead && self.awaited.is_none_or(|awaited| awaited == instant)
    }

    /// What this phone's clock shows at `instant`.
    pub(super) fn own_time(&self, instant: Timestamp) -> Timestamp {
        shifted(instant, self.clock_error_seconds)
    }

    pub(super) fn set_clock_by(&mut self, seconds: i64) {
        self.clock_error_seconds = self.clock_error_seconds.saturating_add(seconds);
        self.awaited = None;
    }

    /// Both clocks of this phone at `instant`. It was switched on long before the beginning.
    pub(super) fn clocks(&self, instant: Timestamp) -> ClockReading {
        let since_1970 = u64::try_from(instant.unix_seconds()).unwrap_or(0);
        ClockReading {
            wall: self.own_time(instant),
            monotonic_seconds: since_1970.saturating_sub(self.switched_on),
            boot: BootId::from_count(self.boots),
        }
    }

    /// The process is gone, with everything that was planned for it.
    pub(super) fn die(&mut self, now: Timestamp) {
        self.process = Process::Dead;
        self.process_number += 1;
        self.awaited = None;
        self.plan = None;
        self.fall_silent(now);
    }

    pub(super) fn boot(&mut self, now: Timestamp) {
        self.boots += 1;
        self.switched_on = u64::try_from(now.unix_seconds()).unwrap_or(0);
    }

    /// A new process over what the log remembers.
    pub(super) fn reopen(&mut self, log_is_durable: bool) {
        let empty = self.engine.log().emptied();
        let Ok(placeholder) = Engine::open(self.configuration.clone(), empty);
        let log = core::mem::replace(&mut self.engine, placeholder).into_log();
        if log_is_durable {
            let Ok(engine) = Engine::open(self.configuration.clone(), log);
            self.engine = engine;
        } else {
            self.files_done.clear();
        }
        self.process = Process::Running;
    }

    /// Takes a profile without asking whether it can notify anybody.
    pub(super) fn take_unchecked(&mut self, profile: RiskProfile) {
        self.configuration.profile = profile;
        self.reopen(true);
    }

    pub(super) fn put_on_the_air(&mut self, payload: Advertisement, now: Timestamp) {
        self.on_the_air.push_front((now, Some(payload)));
        self.on_the_air.truncate(PAYLOADS_KEPT);
    }

    pub(super) fn fall_silent(&mut self, now: Timestamp) {
        self.on_the_air.push_front((now, None));
        self.on_the_air.truncate(PAYLOADS_KEPT);
    }

    /// What this phone broadcast at `instant`.
    pub(super) fn payload_at(&self, instant: Timestamp) -> Option<Advertisement> {
        let since = self.on_the_air.iter().find(|(since, _)| *since <= instant);
        since.and_then(|(_, payload)| *payload)
    }

    /// Something begins (`true`) or ceases to be missing.
    pub(super) fn set_missing(&mut self, what: HostFact, missing: bool) {
        let times = self.missing.entry(what).or_default();
        *times = if missing { *times + 1 } else { times.saturating_sub(1) };
    }

    pub(super) fn lacks(&self, what: HostFact) -> bool {
        self.missing.get(&what).is_some_and(|times| *times > 0)
    }

    /// Whether it can send and receive at all.
    pub(super) fn has_radio(&self) -> bool {
        !self.lacks(HostFact::Bluetooth) && !self.lacks(HostFact::Permission)
    }

    /// How it stands. A host that does not look says that all is well.
    pub(super) fn status(&self, host_looks: bool, now: Timestamp) -> Status {
        let has = |what| !(host_looks && self.lacks(what));
        let location = has(HostFact::Location);
        let facts = HostFacts {
            supported: Some(true),
            bluetooth_on: Some(has(HostFact::Bluetooth)),
            permission_granted: Some(has(HostFact::Permission)),
            location: Some(if location { LocationFact::On } else { LocationFact::Off }),
            notifications_allowed: Some(has(HostFact::Notifications)),
        };
        self.engine.status(facts, self.clocks(now))
    }

    /// Whether the engine remembers having matched this file.
    pub(super) fn has_matched(&self, source: &str) -> bool {
        let Ok(cursor) = self.engine.log().cursor(source);
        cursor.is_some()
    }

    pub(super) const fn engine(&self) -> &Engine<PhoneLog> {
        &self.engine
    }
}

/// `instant` moved by `seconds`, held at the ends of time.
fn shifted(instant: Timestamp, seconds: i64) -> Timestamp {
    let by = u32::try_from(seconds.unsigned_abs()).unwrap_or(u32::MAX);
    if seconds < 0 { instant.saturating_sub(by) } else { instant.saturating_add(by) }
}
