//! The world: one virtual clock, the phones, the key server, and what came of it.
//!
//! An event queue orders everything by time and, at equal times, by the order in which it was
//! planned. Every phone is a real [`Engine`](chikaku_core::engine::Engine); the world plays its
//! host, and `air` its radio. `faults` breaks things, `foreign` is what adversaries send,
//! `download` and `obey` are what a host does.

mod air;
mod download;
mod faults;
mod foreign;
mod judgement;
mod key_server;
mod obey;
mod outcome;
mod phone;
mod phone_log;
pub(crate) mod randomness;
mod reading;
mod spent;
mod trace;

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::time::{Duration, Instant};

use chikaku_core::diagnosis_key::ReportType;
use chikaku_core::engine::{Disclosure, EngineConfiguration, Input};
use chikaku_core::flood::FloodLimits;
use chikaku_core::gatt::{READS_PER_INTERVAL, ReadPlanner};
use chikaku_core::matching::MatchingRules;
use chikaku_core::risk::cocoa_v2::CocoaV2;
use chikaku_core::risk::gaen::Gaen;
use chikaku_core::risk::{ProfileRules, RiskProfile};
use chikaku_core::sighting::ScanResult;
use chikaku_core::signal::{RssiCorrectionDb, TransmitPowerDbm};
use chikaku_core::status::HostFact;
use chikaku_core::time::Timestamp;
use rand_core::Rng;

use crate::scenario::{AdversaryKind, Defence, FaultKind, Scenario};
use air::Air;
pub use judgement::Judgement;
use key_server::KeyServer;
pub use outcome::{Announcement, Contact, Outcome, PhoneResult, Published};
use phone::{Phone, Process};
use phone_log::PhoneLog;
use randomness::Randomness;
pub use spent::Spent;
use trace::Trace;
pub use trace::TraceLine;

/// Transmit power and receiver correction that the radio model is calibrated to: their
/// difference is the -21 dB of the captures.
const TRANSMIT_POWER_DBM: i8 = -24;
const RSSI_CORRECTION_DB: i8 = -3;
/// Phones fetch keys one after the other, this many seconds apart.
const DOWNLOAD_STAGGER_SECONDS: u32 = 60;
/// How often the status of every phone is looked at, where somebody wants to know.
const INSPECTION_SECONDS: u32 = 300;

/// What happens at one instant.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Happening {
    Wake { phone: usize },
    ScanEnds { phone: usize, started: Timestamp, process: u32 },
    Diagnosis { number: usize },
    Export,
    Download { phone: usize },
    FaultBegins { number: usize },
    FaultEnds { number: usize },
    Restart { phone: usize, process: u32 },
    ForeignFile { adversary: usize },
    Inspection,
}

/// A running simulation.
#[derive(Debug)]
pub struct World<'a> {
    scenario: &'a Scenario,
    seed: u64,
    queue: BinaryHeap<Reverse<(Timestamp, u64, Happening)>>,
    planned: u64,
    now: Timestamp,
    phones: Vec<Phone>,
    /// Whom each phone reads over GATT.
    readers: Vec<ReadPlanner>,
    air: Air<'a>,
    server: KeyServer,
    /// Files issued now are lost.
    files_get_lost: u32,
    trace: Trace,
    announcements: Vec<Announcement>,
    refused_files: Vec<String>,
    linkable: u64,
    published: Vec<Published>,
    /// Where the time goes, if somebody wants to know.
    spent: Option<Spent>,
    /// Of the happening that is going on: time spent on the radio.
    of_radio: Duration,
}

impl<'a> World<'a> {
    /// A world at the scenario's start, with every phone off.
    #[must_use]
    pub fn new(scenario: &'a Scenario, seed: u64) -> Self {
        let randomness = Randomness::new(seed);
        let server = KeyServer::new(randomness, scenario.interference.untrusted_signature);
        let configuration = configuration(scenario, &server);
        let without = |defence| scenario.without.contains(&defence);
        let log = PhoneLog::new(without(Defence::PublicationTime), without(Defence::ClockWatch));
        let phones = scenario.phones.iter().map(|specification| {
            let rng = randomness.stream("engine", &[&specification.name]);
            Phone::new(specification, configuration.clone(), log.clone(), rng)
        });
        let readers = scenario.phones.iter().map(|specification| {
            let mut secret = [0; 32];
            randomness.stream("reader", &[&specification.name]).fill_bytes(&mut secret);
            ReadPlanner::new(READS_PER_INTERVAL, secret)
        });
        let mut world = Self {
            scenario,
            seed,
            queue: BinaryHeap::new(),
            planned: 0,
            now: scenario.starts,
            phones: phones.collect(),
            readers: readers.collect(),
            air: Air::new(scenario, randomness),
            server,
            files_get_lost: 0,
            trace: Trace::new(&scenario.name, seed),
            announcements: Vec::new(),
            refused_files: Vec::new(),
            linkable: 0,
            published: Vec::new(),
            spent: None,
            of_radio: Duration::ZERO,
        };
        world.plan_the_beginning();
        world
    }

    /// The same world, whose outcome has every event as a line.
    #[must_use]
    pub fn with_trace(mut self) -> Self {
        self.trace.keep_lines();
        self
    }

    /// The same world, whose outcome says where the time went.
    #[must_use]
    pub fn with_spent(mut self) -> Self {
        self.spent = Some(Spent::default());
        self
    }

    fn plan_the_beginning(&mut self) {
        let start = self.now;
        for phone in 0..self.phones.len() {
            self.plan(start, Happening::Wake { phone });
            let turn = u32::try_from(phone).unwrap_or(u32::MAX);
            let period = self.scenario.key_server.download_every_hours.saturating_mul(3600).max(1);
            let stagger = DOWNLOAD_STAGGER_SECONDS.saturating_mul(turn) % period;
            let first = start.saturating_add(stagger);
            self.plan(first, Happening::Download { phone });
        }
        for (number, diagnosis) in self.scenario.diagnoses.iter().enumerate() {
            self.plan(diagnosis.reported, Happening::Diagnosis { number });
        }
        self.plan(start, Happening::Export);
        for (number, fault) in self.scenario.faults.iter().enumerate() {
            self.plan(fault.at, Happening::FaultBegins { number });
        }
        for (number, adversary) in self.scenario.adversaries.iter().enumerate() {
            if let AdversaryKind::KeyInjection { offered } = adversary.kind {
                self.plan(offered, Happening::ForeignFile { adversary: number });
            }
        }
        if self.scenario.expect.is_some() {
            self.plan(start, Happening::Inspection);
        }
    }

    /// Runs to the scenario's end. `progress` hears of the part that is done, 0 to 1.
    pub fn run(mut self, mut progress: impl FnMut(f64)) -> Outcome {
        let length = self.scenario.ends.seconds_since(self.scenario.starts).max(1);
        while let Some(Reverse((instant, _, happening))) = self.queue.pop() {
            if instant >= self.scenario.ends {
                break;
            }
            self.now = instant;
            #[expect(clippy::cast_precision_loss, reason = "a progress bar needs no precision")]
            progress(instant.seconds_since(self.scenario.starts) as f64 / length as f64);
            if self.spent.is_some() {
                let begun = Instant::now();
                self.happen(happening);
                let of_radio = core::mem::take(&mut self.of_radio);
                if let Some(spent) = &mut self.spent {
                    spent.add(happening, begun, of_radio);
                }
            } else {
                self.happen(happening);
            }
        }
        Outcome::of(self)
    }

    fn happen(&mut self, happening: Happening) {
        match happening {
            Happening::Wake { phone } if !self.phones[phone].is_awaited(self.now) => {}
            Happening::Wake { phone } => {
                let is_new = self.phones[phone].process == Process::New;
                self.phones[phone].process = Process::Running;
                self.tell(phone, if is_new { Input::Start } else { Input::Wake });
            }
            Happening::ScanEnds { phone, started, process } => {
                if self.phones[phone].process_number == process {
                    self.scan_ends(phone, started);
                }
            }
            Happening::Diagnosis { number } => {
                let diagnosis = &self.scenario.diagnoses[number];
                let disclosure =
                    Disclosure { report_type: ReportType::ConfirmedTest, onset: diagnosis.onset };
                self.tell(diagnosis.phone, Input::Disclose(disclosure));
            }
            Happening::Export => {
                let hours = self.scenario.key_server.export_every_hours;
                match self.server.export(self.now, self.files_get_lost > 0) {
                    Ok(Some(file)) => self.trace.record(self.now, "server", "export", file),
                    Ok(None) => {}
                    Err(error) => self.refused_files.push(format!("server: {error}")),
                }
                self.plan(self.now.saturating_add(hours * 3600), Happening::Export);
            }
            Happening::Download { phone } => {
                let hours = self.scenario.key_server.download_every_hours;
                if self.phones[phone].process == Process::Running {
                    self.download(phone);
                }
                self.plan(self.now.saturating_add(hours * 3600), Happening::Download { phone });
            }
            Happening::FaultBegins { number } => self.fault_begins(number),
            Happening::FaultEnds { number } => self.fault_ends(number),
            Happening::Restart { phone, process } => {
                if self.phones[phone].process_number == process {
                    self.restart(phone);
                }
            }
            Happening::ForeignFile { adversary } => self.offer_foreign_file(adversary),
            Happening::Inspection => {
                self.inspect();
                self.plan(self.now.saturating_add(INSPECTION_SECONDS), Happening::Inspection);
            }
        }
    }

    fn scan_ends(&mut self, phone: usize, started: Timestamp) {
        if self.air.sleeps(phone, started) {
            return;
        }
        let (hears, result) = (self.phones[phone].has_radio(), self.phones[phone].loses_scans == 0);
        let heard = if hears && result && !self.phones[phone].lacks(HostFact::Location) {
            let seconds = self.now.seconds_since(started);
            self.phones[phone].radio_on_seconds += u64::try_from(seconds).unwrap_or(0);
            let begun = self.spent.map(|_| Instant::now());
            let (scan, reader) = ([started, self.now], &mut self.readers[phone]);
            let heard = self.air.scan(phone, scan, &self.phones, reader, self.server.published());
            self.of_radio += begun.map_or(Duration::ZERO, |begun| begun.elapsed());
            heard
        } else if !hears || !result {
            if self.has(Defence::HonestScans) {
                return;
            }
            self.empty_scan(phone, started)
        } else {
            // Without the location service the system says nothing and delivers nothing.
            self.empty_scan(phone, started)
        };
        let name = self.scenario.phones[phone].name.as_str();
        for packet in &heard.received {
            let rssi = packet.rssi.map_or(0, |rssi| rssi.dbm());
            let mut bytes = packet.advertisement.to_service_data().to_vec();
            bytes.extend(rssi.to_be_bytes());
            self.trace.record(packet.heard_at, name, "heard", &bytes);
        }
        self.tell(phone, Input::ScanFinished(heard));
    }

    fn empty_scan(&self, phone: usize, started: Timestamp) -> ScanResult {
        ScanResult {
            started: self.phones[phone].own_time(started),
            ended: self.phones[phone].own_time(self.now),
            received: Vec::new(),
            malformed: 0,
            ended_reading: None,
        }
    }

    /// Looks at the status of every phone that is on, as its user could.
    fn inspect(&mut self) {
        let looks = self.has(Defence::HostFacts);
        for phone in &mut self.phones {
            if phone.process == Process::Running {
                for reason in phone.status(looks, self.now).reasons {
                    phone.reasons.entry(reason.code()).or_insert(self.now);
                }
            }
        }
    }

    fn has(&self, defence: Defence) -> bool {
        !self.scenario.without.contains(&defence)
    }

    /// The fault of this number, as the scenario has it.
    fn fault(&self, number: usize) -> FaultKind {
        self.scenario.faults[number].kind
    }

    fn plan(&mut self, instant: Timestamp, happening: Happening) {
        self.planned += 1;
        self.queue.push(Reverse((instant, self.planned, happening)));
    }
}

/// What every phone's engine is configured with.
fn configuration(scenario: &Scenario, server: &KeyServer) -> EngineConfiguration {
    let without = |defence| scenario.without.contains(&defence);
    let transmit_power = TransmitPowerDbm::new(TRANSMIT_POWER_DBM)
        .expect("the calibration's power is one that phones radiate");
    let keys = if without(Defence::Signatures) { server.all_keys() } else { server.trusted_keys() };
    let mut configuration = EngineConfiguration::cocoa(transmit_power, keys);
    configuration.windows.rssi_correction = RssiCorrectionDb(RSSI_CORRECTION_DB);
    if let Some(matching) = scenario.interference.matching {
        configuration.matching = matching;
    }
    if let Some(minimum) = scenario.interference.minimum_window_score {
        configuration.profile = with_minimum(minimum);
    }
    if let Some(schedule) = scenario.interference.scan_schedule {
        configuration.scan_schedule = schedule;
    }
    if without(Defence::Tolerance) {
        configuration.matching = MatchingRules { tolerance_intervals: 0, ..configuration.matching };
    }
    if without(Defence::Retention) {
        configuration.retention_days = 60;
    }
    if without(Defence::ScoreThreshold) {
        configuration.profile = any_contact();
    }
    if without(Defence::FloodCaps) {
        configuration.flood = FloodLimits {
            identifiers_per_scan: u32::MAX,
            sightings_per_identifier: u32::MAX,
            identifiers_per_day: u32::MAX,
            sightings_per_day: u32::MAX,
            ..configuration.flood
        };
    }
    configuration
}

/// COCOA's profile with another minimum of a window.
fn with_minimum(minimum: f64) -> RiskProfile {
    let mut rules = CocoaV2::default();
    rules.daily_summaries.minimum_window_score = minimum;
    RiskProfile::new(ProfileRules::CocoaV2(rules))
        .expect("the scenario's minimum was checked when it was read")
}

/// A profile by which every contact is High, however far and short.
fn any_contact() -> RiskProfile {
    let mut rules = Gaen { high_from_score_sum: 1.0, ..Gaen::default() };
    rules.mapping = CocoaV2::default().mapping;
    rules.daily_summaries = CocoaV2::default().daily_summaries;
    RiskProfile::new(ProfileRules::Gaen(rules)).expect("GAEN's rules with COCOA's weights")
}
