//! What a phone does between its start and its death: one commit after the other.

use core::fmt;
use std::collections::VecDeque;

use chikaku_core::advertisement::Advertisement;
use chikaku_core::clock::{BootId, ClockReading};
use chikaku_core::diagnosis_key::{DiagnosisKey, DiagnosisKeyDetails, ReportType};
use chikaku_core::encounter_log::{AuditEntry, DayRecord, EncounterLog, Exposure, LiveKey};
use chikaku_core::engine::{Engine, EngineConfiguration, Input, KeyFile, Output};
use chikaku_core::export::{ExportWriter, KeyIdentity, SigningKey, TrustedKeys};
use chikaku_core::keys::TemporaryExposureKey;
use chikaku_core::sighting::{ReceivedAdvertisement, ScanResult, Sighting};
use chikaku_core::signal::{RssiDbm, TransmitPowerDbm};
use chikaku_core::status::assessed::Assessed;
use chikaku_core::time::{Timestamp, UtcDay};
use rand_chacha::ChaCha20Rng;
use rand_core::{Rng, SeedableRng};

const FIRST: UtcDay = UtcDay::new(20_000);
/// Days pass fast and are soon forgotten, so that all of it happens often.
const STEP_SECONDS: u32 = 1_200;
const RETENTION_DAYS: u32 = 3;
const SCAN_SECONDS: u32 = 4;
const PEOPLE: u64 = 6;
/// A key file after so many scans.
const SCANS_PER_KEY_FILE: u64 = 24;
const SOURCE: &str = "torture";

/// A phone at work.
pub(super) struct Life<L> {
    engine: Engine<L>,
    seed: u64,
    is_started: bool,
    /// The scan that is next, and whether the one before is still owed its key file.
    step: u64,
    owes_key_file: bool,
    /// Days the user has to be told of.
    to_tell: VecDeque<UtcDay>,
    told: Vec<UtcDay>,
}

impl<L: EncounterLog> Life<L> {
    /// Goes on where `log` ends.
    pub(super) fn new(log: L, seed: u64) -> anyhow::Result<Self> {
        let mut last = None;
        log.visit_sightings(&mut |sighting| last = last.max(Some(sighting.heard_at)))?;
        let done = last.map(step_at);
        let owes_key_file = match done {
            Some(step) if has_key_file(step) => log.cursor(SOURCE)? != Some(step),
            _ => false,
        };
        let engine = Engine::open(configuration()?, log)?;
        Ok(Self {
            engine,
            seed,
            is_started: false,
            step: done.map_or(0, |step| step + 1),
            owes_key_file,
            to_tell: VecDeque::new(),
            told: Vec::new(),
        })
    }

    /// Makes one commit. Returns the days that the user is told of.
    pub(super) fn advance(&mut self) -> anyhow::Result<Vec<UtcDay>> {
        let last = self.step.saturating_sub(1);
        let outputs = if !self.is_started {
            self.is_started = true;
            self.handle(Input::Start, last, 0)?
        } else if let Some(day) = self.to_tell.pop_front() {
            let outputs = self.handle(Input::Announced { day }, last, 1)?;
            self.told.push(day);
            outputs
        } else if self.owes_key_file {
            self.owes_key_file = false;
            let file = self.key_file(last)?;
            let cursor = Some((SOURCE, last));
            self.handle(Input::KeyFile(KeyFile { bytes: &file, cursor }), last, 2)?
        } else {
            let step = self.step;
            let scan = self.scan(step)?;
            let outputs = self.handle(Input::ScanFinished(scan), step, 3)?;
            self.step += 1;
            self.owes_key_file = has_key_file(step);
            outputs
        };
        let days: Vec<_> = outputs
            .iter()
            .filter_map(|output| match output {
                Output::Announce(assessment) => Some(assessment.day),
                _ => None,
            })
            .collect();
        self.to_tell.extend(&days);
        Ok(days)
    }

    /// The days that the log knows the user was told of, since this was asked last.
    pub(super) fn take_told(&mut self) -> Vec<UtcDay> {
        core::mem::take(&mut self.told)
    }

    pub(super) const fn log(&self) -> &L {
        self.engine.log()
    }

    pub(super) fn into_log(self) -> L {
        self.engine.into_log()
    }

    fn handle(&mut self, input: Input<'_>, step: u64, of: u64) -> anyhow::Result<Vec<Output>> {
        let mut rng = ChaCha20Rng::seed_from_u64(self.seed);
        rng.set_stream(step * 4 + of);
        Ok(self.engine.handle(input, clocks_of(step), &mut rng)?)
    }

    fn rng(&self, purpose: u64) -> ChaCha20Rng {
        let mut rng = ChaCha20Rng::seed_from_u64(!self.seed);
        rng.set_stream(purpose);
        rng
    }

    fn scan(&self, step: u64) -> anyhow::Result<ScanResult> {
        let ended = time_of(step);
        let started = ended.saturating_sub(SCAN_SECONDS);
        let mut rng = self.rng(step << 8);
        let mut received = Vec::new();
        for person in 0..PEOPLE {
            let key = self.key_of(person, started.day());
            let identifier = key.identifier_key().identifier(started.interval());
            let metadata = key.metadata_key().encrypt(&identifier, configuration()?.metadata);
            for after in 0..2 {
                let below = i16::try_from(rng.next_u32() % 20)?;
                received.push(ReceivedAdvertisement {
                    heard_at: started.saturating_add(after),
                    rssi: Some(RssiDbm::new(-60 - below)?),
                    advertisement: Advertisement { identifier, metadata },
                });
            }
        }
        Ok(ScanResult { started, ended, received, malformed: 0, ended_reading: None })
    }

    /// Somebody's key of the day before.
    fn key_file(&self, step: u64) -> anyhow::Result<Vec<u8>> {
        let person = step / SCANS_PER_KEY_FILE % PEOPLE;
        let key = self.key_of(person, time_of(step).day().saturating_sub(1));
        let details = DiagnosisKeyDetails {
            report_type: Some(ReportType::ConfirmedTest),
            ..DiagnosisKeyDetails::default()
        };
        let keys: [DiagnosisKey; 1] = [key.disclose(details)];
        Ok(ExportWriter::new().keys(keys).signed_with(signing_key()?).write()?.zip)
    }

    fn key_of(&self, person: u64, day: UtcDay) -> TemporaryExposureKey {
        let purpose = u64::from(day.days_since_1970()) << 16 | person << 8 | 1;
        TemporaryExposureKey::generate_for_day(day, &mut self.rng(purpose))
    }
}

fn has_key_file(step: u64) -> bool {
    step % SCANS_PER_KEY_FILE == SCANS_PER_KEY_FILE - 1
}

fn time_of(step: u64) -> Timestamp {
    let seconds = u32::try_from(step.saturating_mul(u64::from(STEP_SECONDS))).unwrap_or(u32::MAX);
    FIRST.start().saturating_add(seconds).saturating_add(600)
}

/// A phone that was switched on an hour before, and whose clock nobody sets.
fn clocks_of(step: u64) -> ClockReading {
    let wall = time_of(step);
    let since_first = u64::try_from(wall.seconds_since(FIRST.start())).unwrap_or(0);
    ClockReading { wall, monotonic_seconds: since_first + 3_600, boot: BootId::from_count(1) }
}

fn step_at(heard_at: Timestamp) -> u64 {
    let seconds = heard_at.seconds_since(FIRST.start());
    u64::try_from(seconds).unwrap_or(0) / u64::from(STEP_SECONDS)
}

fn signing_key() -> anyhow::Result<SigningKey> {
    Ok(SigningKey::from_scalar(KeyIdentity::new("torture", "v1"), &[7; 32])?)
}

fn configuration() -> anyhow::Result<EngineConfiguration> {
    let mut trusted = TrustedKeys::new();
    trusted.add(signing_key()?.trusted_key());
    let mut configuration = EngineConfiguration::cocoa(TransmitPowerDbm::new(-24)?, trusted);
    configuration.retention_days = RETENTION_DAYS;
    Ok(configuration)
}

/// Everything that a log says, to be compared. `Display` counts it.
#[derive(PartialEq)]
pub(super) struct Said {
    own_keys: Vec<([u8; 16], u32, u32)>,
    sightings: Vec<Sighting>,
    exposures: Vec<Exposure>,
    live_keys: Vec<LiveKey>,
    cursor: Option<u64>,
    audit: Vec<AuditEntry>,
    days: Vec<DayRecord>,
    assessed: Vec<Assessed>,
    /// As JSON.
    engine: Option<String>,
}

impl Said {
    pub(super) fn by<L: EncounterLog>(log: &L) -> anyhow::Result<Self> {
        let mut sightings = Vec::new();
        log.visit_sightings(&mut |sighting| sightings.push(*sighting))?;
        sightings.sort_unstable();
        let own_keys = log.own_keys()?.into_iter().map(|key| {
            (*key.secret_bytes(), key.rolling_start().get(), key.rolling_period().intervals())
        });
        let mut days = Vec::new();
        if let (Some(first), Some(last)) = (sightings.first(), sightings.last()) {
            let first = first.heard_at.day().saturating_sub(RETENTION_DAYS).days_since_1970();
            for day in first..=last.heard_at.day().days_since_1970() {
                days.extend(log.day(UtcDay::new(day))?);
            }
        }
        let engine = log.engine_record()?;
        Ok(Self {
            own_keys: own_keys.collect(),
            sightings,
            exposures: log.exposures()?,
            live_keys: log.live_keys()?,
            cursor: log.cursor(SOURCE)?,
            audit: log.audit()?,
            days,
            assessed: log.assessed()?,
            engine: engine.map(|record| serde_json::to_string(&record)).transpose()?,
        })
    }
}

impl fmt::Display for Said {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} own keys, {} sightings, {} exposures, {} live keys, cursor {:?}, {} audit entries, \
             {} days",
            self.own_keys.len(),
            self.sightings.len(),
            self.exposures.len(),
            self.live_keys.len(),
            self.cursor,
            self.audit.len(),
            self.days.len(),
        )
    }
}
