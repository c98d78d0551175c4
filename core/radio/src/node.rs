//! A node: an engine, a radio and the clocks of this machine, and the loop that joins them.
//!
//! The loop decides nothing. It carries the engine's orders to the radio and the radio's events to
//! the engine, wakes the engine when it asked for it or when somebody set the wall clock, and takes
//! a payload off the air shortly before its interval ends, so that it is never late.

mod clock;

use std::collections::VecDeque;
use std::time::Duration;

use chikaku_core::clock::ClockReading;
use chikaku_core::encounter_log::EncounterLog;
use chikaku_core::engine::{Engine, Input, Output};
use chikaku_core::sighting::ScanResult;
use chikaku_core::status::{HostFacts, LocationFact, Status};
use rand_core::CryptoRng;

pub(crate) use clock::wall_millis;
pub use clock::{HostClock, HostTime, SystemClock};

use crate::radio::{RadioCondition, RadioEvent, RadioFault, RadioHandle, RadioOrder, ReportSource};

/// How long before the end of its interval a payload is taken off the air, in milliseconds: the
/// time that a busy machine needs for it.
pub const TAKE_DOWN_MILLIS: i64 = 500;
/// How long the loop sleeps at most, in milliseconds. The timer counts on while somebody sets the
/// wall clock; this bounds how late that is noticed.
const LONGEST_SLEEP_MILLIS: i64 = 10_000;
/// The least time between two wakes, in milliseconds, whatever the engine asks for.
const SHORTEST_SLEEP_MILLIS: i64 = 1_000;
/// A change of the wall clock of less than this, in milliseconds, is slewing.
const CLOCK_SET_MILLIS: i64 = 1_000;

/// What happened, for whoever watches the node.
#[derive(Debug)]
#[non_exhaustive]
pub enum NodeEvent {
    /// The engine said so. Advertising and scanning are already ordered.
    Output(Output),
    /// The radio has become ready, or has ceased to be.
    Condition(RadioCondition),
    /// The payload of this plan is on the air.
    AdvertisingStarted {
        /// Number of the plan.
        plan: u64,
    },
    /// The payload of this plan is not on the air.
    AdvertisingFailed {
        /// Number of the plan.
        plan: u64,
        /// Why.
        reason: RadioFault,
    },
    /// A scan was handed to the engine.
    Scanned {
        /// What it heard.
        result: ScanResult,
        /// Who told.
        source: ReportSource,
    },
    /// A scan did not take place.
    ScanFailed {
        /// Why.
        reason: RadioFault,
    },
    /// The radio has ended. Nothing more will happen.
    RadioEnded,
}

/// A running node.
#[derive(Debug)]
pub struct Node<L, C, R> {
    engine: Engine<L>,
    radio: RadioHandle,
    clock: C,
    rng: R,
    condition: RadioCondition,
    /// When the payload on the air has to be taken off, in milliseconds by the wall clock.
    take_down: Option<i64>,
    /// Scans that the log has not taken yet.
    waiting: VecDeque<ScanResult>,
    last_wake: Option<HostTime>,
    ended: bool,
}

impl<L: EncounterLog, C: HostClock, R: CryptoRng> Node<L, C, R> {
    /// Joins an engine and a radio. Nothing happens until [`Node::give`] is called with
    /// [`Input::Start`].
    pub const fn new(engine: Engine<L>, radio: RadioHandle, clock: C, rng: R) -> Self {
        Self {
            engine,
            radio,
            clock,
            rng,
            condition: RadioCondition::Starting,
            take_down: None,
            waiting: VecDeque::new(),
            last_wake: None,
            ended: false,
        }
    }

    /// The engine, for reading.
    #[must_use]
    pub const fn engine(&self) -> &Engine<L> {
        &self.engine
    }

    /// Both clocks, now.
    #[must_use]
    pub fn clocks(&self) -> ClockReading {
        self.clock.now().reading(self.clock.boot())
    }

    /// Whether the radio can work.
    #[must_use]
    pub const fn condition(&self) -> RadioCondition {
        self.condition
    }

    /// Whether the node takes part, and what keeps it from it.
    #[must_use]
    pub fn status(&self) -> Status {
        self.engine.status(host_facts(self.condition), self.clocks())
    }

    /// Hands the engine an input that does not come from the radio, and does what it says.
    ///
    /// # Errors
    /// The log's; nothing has happened then.
    pub fn give(&mut self, input: Input<'_>) -> Result<Vec<NodeEvent>, L::Error> {
        let now = self.clock.now();
        // Also if the call fails, so that a log that is full is not asked without end.
        self.last_wake = Some(now);
        let outputs = self.engine.handle(input, now.reading(self.clock.boot()), &mut self.rng)?;
        Ok(outputs.into_iter().map(|output| self.carry_out(output)).collect())
    }

    /// Waits for the next thing to happen and carries it out. Nothing is lost if it is dropped
    /// while it waits, so that it can stand in a `select!`.
    ///
    /// # Errors
    /// The log's. What a scan heard is kept and handed to the engine again.
    pub async fn step(&mut self) -> Result<Vec<NodeEvent>, L::Error> {
        let sleep = Duration::from_millis(u64::try_from(self.sleep_millis()).unwrap_or(0));
        let listening = !self.ended;
        tokio::select! {
            biased;
            event = self.radio.event(), if listening => self.radio_event(event),
            () = tokio::time::sleep(sleep) => self.time_passed(),
        }
    }

    /// Takes everything off the air and ends the radio. Tracing stays switched on in the log, so
    /// that the next start goes on.
    pub async fn shut_down(self) -> Engine<L> {
        self.radio.shut_down().await;
        self.engine
    }

    fn sleep_millis(&self) -> i64 {
        let now = self.clock.now();
        let wake = self.engine.next_wake().map(|wake| wake.unix_seconds().saturating_mul(1000));
        let earliest = self
            .last_wake
            .map(|last| last.wall_millis.saturating_add(SHORTEST_SLEEP_MILLIS))
            .filter(|earliest| *earliest < now.wall_millis.saturating_add(LONGEST_SLEEP_MILLIS));
        let wake = wake.map(|wake| wake.max(earliest.unwrap_or(wake)));
        [wake, self.take_down]
            .into_iter()
            .flatten()
            .map(|due| due.saturating_sub(now.wall_millis))
            .chain([LONGEST_SLEEP_MILLIS])
            .min()
            .unwrap_or(LONGEST_SLEEP_MILLIS)
    }

    fn time_passed(&mut self) -> Result<Vec<NodeEvent>, L::Error> {
        let now = self.clock.now();
        if self.take_down.is_some_and(|due| now.wall_millis >= due) {
            self.take_down = None;
            self.radio.order(RadioOrder::StopAdvertising);
        }
        let due = self
            .engine
            .next_wake()
            .is_some_and(|wake| now.wall_millis >= wake.unix_seconds().saturating_mul(1000));
        let was_set = self.last_wake.is_none_or(|last| {
            (now.offset_millis() - last.offset_millis()).abs() >= CLOCK_SET_MILLIS
        });
        let mut events = self.hand_over_scans()?;
        if due || was_set {
            events.extend(self.give(Input::Wake)?);
        }
        Ok(events)
    }

    fn radio_event(&mut self, event: Option<RadioEvent>) -> Result<Vec<NodeEvent>, L::Error> {
        let Some(event) = event else {
            self.ended = true;
            self.condition = RadioCondition::NoService;
            return Ok(vec![NodeEvent::RadioEnded]);
        };
        let (first, input) = match event {
            RadioEvent::Condition(condition) => {
                self.condition = condition;
                (NodeEvent::Condition(condition), None)
            }
            RadioEvent::AdvertisingStarted { plan } => {
                (NodeEvent::AdvertisingStarted { plan }, Some(Input::AdvertisingStarted { plan }))
            }
            RadioEvent::AdvertisingFailed { plan, reason } => (
                NodeEvent::AdvertisingFailed { plan, reason },
                Some(Input::AdvertisingFailed { plan }),
            ),
            RadioEvent::Scanned { result, source } => {
                self.waiting.push_back(result.clone());
                (NodeEvent::Scanned { result, source }, None)
            }
            RadioEvent::ScanFailed { reason } => (NodeEvent::ScanFailed { reason }, None),
        };
        let mut events = vec![first];
        events.extend(self.hand_over_scans()?);
        if let Some(input) = input {
            events.extend(self.give(input)?);
        }
        Ok(events)
    }

    fn hand_over_scans(&mut self) -> Result<Vec<NodeEvent>, L::Error> {
        let mut events = Vec::new();
        while let Some(scan) = self.waiting.front().cloned() {
            events.extend(self.give(Input::ScanFinished(scan))?);
            self.waiting.pop_front();
        }
        Ok(events)
    }

    fn carry_out(&mut self, output: Output) -> NodeEvent {
        match &output {
            Output::Advertise(plan) => {
                let until = plan.until.unix_seconds().saturating_mul(1000);
                self.take_down = Some(until.saturating_sub(TAKE_DOWN_MILLIS));
                self.radio.order(RadioOrder::Advertise(*plan));
            }
            Output::StopAdvertising => {
                self.take_down = None;
                self.radio.order(RadioOrder::StopAdvertising);
            }
            Output::Scan(plan) => self.radio.order(RadioOrder::Scan(*plan)),
            _ => {}
        }
        NodeEvent::Output(output)
    }
}

/// What the host of a radio in this condition knows. A computer needs no location service, and
/// whoever watches a node is told.
const fn host_facts(condition: RadioCondition) -> HostFacts {
    let (supported, bluetooth_on, permission_granted) = match condition {
        RadioCondition::Ready => (Some(true), Some(true), Some(true)),
        RadioCondition::NoService | RadioCondition::PoweredOff => (None, Some(false), None),
        RadioCondition::NoAdapter => (Some(false), Some(false), None),
        RadioCondition::CannotAdvertise => (Some(false), Some(true), Some(true)),
        RadioCondition::PermissionDenied => (None, None, Some(false)),
        RadioCondition::Starting => (None, None, None),
    };
    HostFacts {
        supported,
        bluetooth_on,
        permission_granted,
        location: Some(LocationFact::NotNeeded),
        notifications_allowed: Some(true),
    }
}
