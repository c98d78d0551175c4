//! The world: one virtual clock, the phones, the key server, and what came of it.
//!
//! An event queue orders everything by time and, at equal times, by the order in which it was
//! planned. Every phone is a real [`Engine`](chikaku_core::engine::Engine); the world plays its
//! host, and `air` its radio.

mod air;
mod key_server;
mod outcome;
mod phone;
mod randomness;
mod trace;

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use chikaku_core::diagnosis_key::ReportType;
use chikaku_core::engine::{Disclosure, EngineConfiguration, Input, KeyFile, Output};
use chikaku_core::risk::cocoa_v2::CocoaV2;
use chikaku_core::risk::{ProfileRules, RiskProfile};
use chikaku_core::signal::{RssiCorrectionDb, TransmitPowerDbm};
use chikaku_core::time::Timestamp;

use crate::scenario::Scenario;
use air::Air;
use key_server::KeyServer;
pub use outcome::{Announcement, Contact, Outcome, PhoneResult};
use phone::Phone;
use randomness::Randomness;
use trace::Trace;

/// Transmit power and receiver correction that the radio model is calibrated to: their
/// difference is the -21 dB of the captures.
const TRANSMIT_POWER_DBM: i8 = -24;
const RSSI_CORRECTION_DB: i8 = -3;
/// Phones fetch keys one after the other, this many seconds apart.
const DOWNLOAD_STAGGER_SECONDS: u32 = 60;

/// What happens at one instant.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Happening {
    Wake { phone: usize },
    ScanEnds { phone: usize, started: Timestamp },
    Diagnosis { number: usize },
    Export,
    Download { phone: usize },
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
    air: Air<'a>,
    server: KeyServer,
    trace: Trace,
    announcements: Vec<Announcement>,
    refused_files: Vec<String>,
}

impl<'a> World<'a> {
    /// A world at the scenario's start, with every phone off.
    #[must_use]
    pub fn new(scenario: &'a Scenario, seed: u64) -> Self {
        let randomness = Randomness::new(seed);
        let server = KeyServer::new(randomness, scenario.interference.untrusted_signature);
        let transmit_power = TransmitPowerDbm::new(TRANSMIT_POWER_DBM)
            .expect("the calibration's power is one that phones radiate");
        let mut configuration = EngineConfiguration::cocoa(transmit_power, server.trusted_keys());
        configuration.windows.rssi_correction = RssiCorrectionDb(RSSI_CORRECTION_DB);
        if let Some(matching) = scenario.interference.matching {
            configuration.matching = matching;
        }
        if let Some(minimum) = scenario.interference.minimum_window_score {
            let mut rules = CocoaV2::default();
            rules.daily_summaries.minimum_window_score = minimum;
            configuration.profile = RiskProfile::new(ProfileRules::CocoaV2(rules))
                .expect("the scenario's minimum was checked when it was read");
        }

        let phones = scenario.phones.iter().map(|specification| {
            let rng = randomness.stream("engine", &[&specification.name]);
            Phone::new(specification, configuration.clone(), rng)
        });
        let mut world = Self {
            scenario,
            seed,
            queue: BinaryHeap::new(),
            planned: 0,
            now: scenario.starts,
            phones: phones.collect(),
            air: Air::new(scenario, randomness),
            server,
            trace: Trace::new(&scenario.name, seed),
            announcements: Vec::new(),
            refused_files: Vec::new(),
        };
        world.plan_the_beginning();
        world
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
            self.happen(happening);
        }
        Outcome::of(self)
    }

    fn happen(&mut self, happening: Happening) {
        match happening {
            Happening::Wake { phone } if !self.phones[phone].is_awaited(self.now) => {}
            Happening::Wake { phone } => {
                let input = if self.phones[phone].start() { Input::Start } else { Input::Wake };
                self.tell(phone, input);
            }
            Happening::ScanEnds { phone, started } => {
                let heard = self.air.scan(phone, started, self.now, &self.phones);
                let name = self.scenario.phones[phone].name.as_str();
                for packet in &heard.received {
                    let rssi = packet.rssi.map_or(0, |rssi| rssi.dbm());
                    let mut bytes = packet.advertisement.to_service_data().to_vec();
                    bytes.extend(rssi.to_be_bytes());
                    self.trace.record(packet.heard_at, name, "heard", &bytes);
                }
                self.tell(phone, Input::ScanFinished(heard));
            }
            Happening::Diagnosis { number } => {
                let diagnosis = &self.scenario.diagnoses[number];
                let disclosure =
                    Disclosure { report_type: ReportType::ConfirmedTest, onset: diagnosis.onset };
                self.tell(diagnosis.phone, Input::Disclose(disclosure));
            }
            Happening::Export => {
                let hours = self.scenario.key_server.export_every_hours;
                match self.server.export(self.now) {
                    Ok(Some(file)) => self.trace.record(self.now, "server", "export", file),
                    Ok(None) => {}
                    Err(error) => self.refused_files.push(format!("server: {error}")),
                }
                self.plan(self.now.saturating_add(hours * 3600), Happening::Export);
            }
            Happening::Download { phone } => {
                let hours = self.scenario.key_server.download_every_hours;
                for file in self.phones[phone].download(&self.server) {
                    self.tell(phone, Input::KeyFile(KeyFile::without_cursor(&file)));
                }
                self.plan(self.now.saturating_add(hours * 3600), Happening::Download { phone });
            }
        }
    }

    /// Hands a phone's engine an input and does what it asks for.
    fn tell(&mut self, phone: usize, input: Input<'_>) {
        let outputs = self.phones[phone].handle(input, self.now);
        for output in outputs {
            self.obey(phone, output);
        }
        // A wake that is due at once would never let the others have their turn.
        if let Some(wake) = self.phones[phone].await_wake(self.now.saturating_add(1)) {
            self.plan(wake, Happening::Wake { phone });
        }
    }

    fn obey(&mut self, phone: usize, output: Output) {
        let name = self.scenario.phones[phone].name.as_str();
        match output {
            Output::Advertise(plan) => {
                let payload = plan.payload.to_service_data();
                self.trace.record(self.now, name, "advertise", &payload);
                self.phones[phone].put_on_the_air(plan.payload, self.now);
                self.tell_quietly(phone, Input::AdvertisingStarted { plan: plan.number });
            }
            Output::Scan(plan) => {
                let ends = self.now.saturating_add(plan.seconds);
                self.plan(ends, Happening::ScanEnds { phone, started: self.now });
            }
            Output::ScanIngested(report) => {
                self.trace.record(self.now, name, "scan", &report.kept.to_be_bytes());
            }
            Output::KeyFileIngested(Ok(report)) => {
                self.trace.record(self.now, name, "matched", &report.keys_matched.to_be_bytes());
            }
            Output::KeyFileIngested(Err(refused)) => {
                self.trace.record(self.now, name, "refused", refused.to_string().as_bytes());
                self.refused_files.push(format!("{name}: {refused}"));
            }
            Output::Disclosed(keys) => {
                self.trace.record(self.now, name, "disclosed", &(keys.len() as u64).to_be_bytes());
                self.server.receive(&keys, self.now);
            }
            Output::DayAssessed(assessment) => {
                let score = assessment.score.to_bits().to_be_bytes();
                self.trace.record(self.now, name, "assessed", &score);
            }
            Output::Announce(assessment) => {
                let day = assessment.day.days_since_1970().to_be_bytes();
                self.trace.record(self.now, name, "announced", &day);
                let announced = Input::Announced { day: assessment.day };
                self.announcements.push(Announcement { phone, at: self.now, assessment });
                self.tell_quietly(phone, announced);
            }
            Output::DayRecorded(record) => {
                let scanned = record.minutes_scanned.to_be_bytes();
                self.trace.record(self.now, name, "recorded", &scanned);
            }
            // The simulator switches no phone off; a new kind of output changes no trace silently.
            other => self.trace.record(self.now, name, "other", format!("{other:?}").as_bytes()),
        }
    }

    /// A confirmation, which asks for nothing further.
    fn tell_quietly(&mut self, phone: usize, input: Input<'_>) {
        for output in self.phones[phone].handle(input, self.now) {
            self.obey(phone, output);
        }
    }

    fn plan(&mut self, instant: Timestamp, happening: Happening) {
        self.planned += 1;
        self.queue.push(Reverse((instant, self.planned, happening)));
    }
}
