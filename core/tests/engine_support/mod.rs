//! A host with one engine, one clock and one contact, for tests of the engine.

#![allow(
    clippy::unwrap_used,
    dead_code,
    unreachable_pub,
    reason = "a part of several tests, not each of which needs all of it"
)]

use chikaku_core::advertisement::Advertisement;
use chikaku_core::clock::{BootId, ClockReading};
use chikaku_core::diagnosis_key::{DiagnosisKey, ReportType};
use chikaku_core::encounter_log::{EncounterLog, MemoryLog};
use chikaku_core::engine::plan::AdvertisePlan;
use chikaku_core::engine::{Disclosure, Engine, EngineConfiguration, Input, KeyFileReport, Output};
use chikaku_core::export::{ExportError, ExportWriter, KeyIdentity, SigningKey, TrustedKeys};
use chikaku_core::risk::Assessment;
use chikaku_core::sighting::{ReceivedAdvertisement, ScanResult};
use chikaku_core::signal::{RssiDbm, TransmitPowerDbm};
use chikaku_core::time::{Timestamp, UtcDay};
use rand_chacha::ChaCha20Rng;
use rand_core::SeedableRng;

pub const DAY: UtcDay = UtcDay::new(20_000);

pub fn signing_key() -> SigningKey {
    SigningKey::from_scalar(KeyIdentity::new("440", "v1"), &[7; 32]).unwrap()
}

pub fn configuration() -> EngineConfiguration {
    let mut trusted = TrustedKeys::new();
    trusted.add(signing_key().trusted_key());
    EngineConfiguration::cocoa(TransmitPowerDbm::new(-24).unwrap(), trusted)
}

pub fn key_file(keys: impl IntoIterator<Item = DiagnosisKey>) -> Vec<u8> {
    ExportWriter::new().keys(keys).signed_with(signing_key()).write().unwrap().zip
}

/// A host with one engine, and a phone that was switched on an hour before the beginning.
///
/// `now` is the wall clock. A test that moves it forward lets time pass; one that moves it back
/// sets the clock back.
pub struct Host<L> {
    pub engine: Engine<L>,
    pub rng: ChaCha20Rng,
    pub now: Timestamp,
    pub monotonic_seconds: u64,
    pub boot: u64,
    read: Timestamp,
}

impl<L: EncounterLog> Host<L> {
    pub fn new(log: L, seed: u64) -> Self {
        let engine = Engine::open(configuration(), log).unwrap();
        let rng = ChaCha20Rng::seed_from_u64(seed);
        let (now, read) = (DAY.start(), DAY.start());
        Self { engine, rng, now, monotonic_seconds: 3_600, boot: 1, read }
    }

    /// The process comes back over `log`.
    pub fn restarted_over<M: EncounterLog>(&self, log: M) -> Host<M> {
        Host {
            engine: Engine::open(configuration(), log).unwrap(),
            rng: ChaCha20Rng::seed_from_u64(99),
            now: self.now,
            monotonic_seconds: self.monotonic_seconds,
            boot: self.boot,
            read: self.read,
        }
    }

    /// Both clocks now.
    pub fn clocks(&mut self) -> ClockReading {
        let passed = self.now.seconds_since(self.read);
        self.monotonic_seconds += u64::try_from(passed).unwrap_or(0);
        self.read = self.now;
        ClockReading {
            wall: self.now,
            monotonic_seconds: self.monotonic_seconds,
            boot: BootId::from_count(self.boot),
        }
    }

    pub fn tell(&mut self, input: Input<'_>) -> Vec<Output> {
        let clocks = self.clocks();
        self.engine.handle(input, clocks, &mut self.rng).unwrap()
    }

    pub fn day(&mut self, day: UtcDay) -> Result<Option<Assessment>, L::Error> {
        let clocks = self.clocks();
        self.engine.day(day, clocks)
    }

    /// Sets the wall clock by so many seconds, without any time passing.
    pub fn set_clock_by(&mut self, seconds: i64) {
        self.clocks();
        let wall = self.now.unix_seconds() + seconds;
        self.now = Timestamp::from_unix_seconds(wall).unwrap();
        self.read = self.now;
    }

    /// The phone is switched off and on again; its process is not yet there.
    pub fn restart_the_phone(&mut self)
    where
        L: Clone,
    {
        self.clocks();
        *self = self.restarted_over(self.engine.log().clone());
        self.boot += 1;
        self.monotonic_seconds = 60;
        self.read = self.now;
    }

    /// What has passed since the last call is in `monotonic_seconds` already.
    pub fn just_read(&mut self) {
        self.read = self.now;
    }

    pub fn pass(&mut self, seconds: u32) {
        self.now = self.now.saturating_add(seconds);
    }

    /// A scan that hears `payload` at `rssi` twice, five minutes after the last.
    pub fn hear(&mut self, payload: Advertisement, rssi: i16) -> Vec<Output> {
        self.pass(300);
        let started = self.now;
        self.pass(4);
        let heard = |seconds| ReceivedAdvertisement {
            heard_at: started.saturating_add(seconds),
            rssi: Some(RssiDbm::new(rssi).unwrap()),
            advertisement: payload,
        };
        let received = vec![heard(1), heard(2)];
        self.tell(Input::ScanFinished(ScanResult {
            started,
            ended: self.now,
            received,
            malformed: 0,
            ended_reading: None,
        }))
    }
}

pub fn plan_of(outputs: &[Output]) -> Option<AdvertisePlan> {
    outputs.iter().find_map(|output| match output {
        Output::Advertise(plan) => Some(*plan),
        _ => None,
    })
}

pub fn announced(outputs: &[Output]) -> usize {
    outputs.iter().filter(|output| matches!(output, Output::Announce(_))).count()
}

/// What became of the key file.
pub fn ingested(outputs: &[Output]) -> &Result<KeyFileReport, ExportError> {
    let ingested = outputs.iter().find_map(|output| match output {
        Output::KeyFileIngested(report) => Some(report),
        _ => None,
    });
    ingested.unwrap()
}

pub fn disclosed(outputs: Vec<Output>) -> Vec<DiagnosisKey> {
    let keys = outputs.into_iter().find_map(|output| match output {
        Output::Disclosed(keys) => Some(keys),
        _ => None,
    });
    keys.unwrap()
}

pub fn disclosure() -> Input<'static> {
    Input::Disclose(Disclosure { report_type: ReportType::ConfirmedTest, onset: Some(DAY) })
}

/// A phone near another one for `minutes`, which then discloses its keys the next day.
pub fn contact(minutes: u32, rssi: i16) -> (Host<MemoryLog>, Vec<DiagnosisKey>) {
    let mut patient = Host::new(MemoryLog::new(), 1);
    let mut contact = Host::new(MemoryLog::new(), 2);
    patient.tell(Input::Start);
    contact.tell(Input::Start);
    let mut payload = None;
    for _ in 0..minutes / 5 {
        patient.now = contact.now;
        payload = plan_of(&patient.tell(Input::Wake)).map(|plan| plan.payload).or(payload);
        let first = patient.engine.next_wake();
        assert!(first.is_some());
        contact.hear(payload.or_else(|| restart(&mut patient)).unwrap(), rssi);
    }
    patient.now = DAY.saturating_add(1).start();
    patient.tell(Input::Wake);
    let keys = disclosed(patient.tell(disclosure()));
    contact.now = patient.now;
    (contact, keys)
}

pub fn restart(host: &mut Host<MemoryLog>) -> Option<Advertisement> {
    host.tell(Input::Stop);
    plan_of(&host.tell(Input::Start)).map(|plan| plan.payload)
}
