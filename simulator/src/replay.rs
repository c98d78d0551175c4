//! Real phones' captures through the engine: what each receiver's exposure windows would be.
//!
//! Every receiver is an [`Engine`] that is handed, scan by scan, what that phone's own service was
//! handed. Captures hold no keys, so which identifier belongs to which phone is taken from the
//! senders' own commands instead of from diagnosis keys; everything behind that, from the
//! encounter log to the windows, is the core's.

use std::collections::{BTreeMap, HashMap};

use chikaku_core::clock::{BootId, ClockReading};
use chikaku_core::diagnosis_key::{DiagnosisKey, DiagnosisKeyDetails, ReportType};
use chikaku_core::encounter_log::{EncounterLog, MemoryLog};
use chikaku_core::engine::{Engine, EngineConfiguration, Input};
use chikaku_core::export::TrustedKeys;
use chikaku_core::exposure::{
    ExposureWindow, MeasuredSighting, WindowOrigin, WindowRules, exposure_windows,
};
use chikaku_core::keys::RollingProximityIdentifier;
use chikaku_core::risk::Infectiousness;
use chikaku_core::sighting::Sighting;
use chikaku_core::signal::{AttenuationDb, RssiCorrectionDb, TransmitPowerDbm};
use chikaku_core::time::{IntervalNumber, RollingPeriod, Timestamp, UtcDay};
use chikaku_radio::capture::{
    Capture, CaptureError, CaptureInstant, CaptureOptions, CaptureReport, ScanningHost,
};
use rand_chacha::ChaCha20Rng;
use rand_core::SeedableRng;
use thiserror::Error;

/// How the captures are read and measured.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReplayOptions {
    /// Whose captures they are.
    pub host: ScanningHost,
    /// The controller to look at; 0 is the only one of a phone.
    pub controller: u16,
    /// Seconds that the phones' local time was ahead of UTC.
    pub utc_offset_seconds: i32,
    /// Transmit power in the senders' metadata, which no capture can decrypt.
    pub transmit_power: TransmitPowerDbm,
    /// What the receivers' models add to their readings.
    pub rssi_correction: RssiCorrectionDb,
    /// When a phone looked keys up, by phone: it knew nothing of what it heard later. No capture
    /// holds that moment.
    pub look_ups: BTreeMap<u32, CaptureInstant>,
}

/// A capture that cannot be replayed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("phone {phone}")]
pub struct ReplayError {
    /// The phone's number.
    pub phone: u32,
    /// What is wrong with its capture.
    #[source]
    pub reason: CaptureError,
}

/// The windows of one receiver with one transmitter.
#[derive(Clone, Debug, PartialEq)]
pub struct PairWindows {
    /// The receiver's number.
    pub receiver: u32,
    /// The transmitter's number.
    pub transmitter: u32,
    /// Windows, by time.
    pub windows: Vec<ExposureWindow>,
    /// What they were made of, by time.
    pub sightings: Vec<MeasuredSighting>,
}

/// What one phone's capture held.
#[derive(Clone, Debug, PartialEq)]
pub struct PhoneReplay {
    /// The phone's number.
    pub phone: u32,
    /// Scans of its service.
    pub scans: usize,
    /// Sightings that its engine kept.
    pub sightings: Vec<Sighting>,
    /// Identifiers that it sent.
    pub identifiers_sent: usize,
    /// What the reader of the capture met with.
    pub report: CaptureReport,
}

/// A replay of several phones.
#[derive(Clone, Debug, PartialEq)]
pub struct Replay {
    /// Each phone, by number.
    pub phones: Vec<PhoneReplay>,
    /// Every pair of different phones, by receiver and transmitter, those without windows too.
    pub pairs: Vec<PairWindows>,
    /// Captures that could not be read; the others are replayed without them.
    pub refused: Vec<ReplayError>,
}

/// Who sent an identifier, and with the key of which day.
type Owners = HashMap<RollingProximityIdentifier, (u32, UtcDay)>;

/// Replays the captures of several phones, given by number. `progress` hears of each phone that
/// is done.
#[must_use]
pub fn replay(
    captures: &BTreeMap<u32, Vec<u8>>,
    options: &ReplayOptions,
    mut progress: impl FnMut(),
) -> Replay {
    let mut read = BTreeMap::new();
    let mut refused = Vec::new();
    for (&phone, file) in captures {
        let reading = CaptureOptions {
            utc_offset_seconds: options.utc_offset_seconds,
            host: options.host,
            controller: options.controller,
            cut_at: options.look_ups.get(&phone).copied(),
            ..CaptureOptions::default()
        };
        match Capture::read(file, &reading) {
            Ok(capture) => {
                read.insert(phone, capture);
            }
            Err(reason) => refused.push(ReplayError { phone, reason }),
        }
    }
    let owners = owners(&read);

    let mut phones = Vec::new();
    let mut pairs = Vec::new();
    for (&phone, capture) in &read {
        let heard = receive(phone, capture, options);
        let mut of_each = windows_of_each(&heard, &owners, options);
        pairs.extend(read.keys().filter(|&&transmitter| transmitter != phone).map(
            |&transmitter| {
                let (windows, sightings) = of_each.remove(&transmitter).unwrap_or_default();
                PairWindows { receiver: phone, transmitter, windows, sightings }
            },
        ));
        phones.push(PhoneReplay {
            phone,
            scans: capture.scans().len(),
            sightings: heard,
            identifiers_sent: capture.advertised().len(),
            report: capture.report().clone(),
        });
        progress();
    }
    Replay { phones, pairs, refused }
}

fn owners(captures: &BTreeMap<u32, Capture>) -> Owners {
    let mut owners = Owners::new();
    for (&phone, capture) in captures {
        for own in capture.advertised() {
            let day = own.first_used.timestamp().day();
            owners.entry(own.advertisement.identifier).or_insert((phone, day));
        }
    }
    owners
}

/// Runs one receiver's engine over its scans and returns its encounter log.
fn receive(phone: u32, capture: &Capture, options: &ReplayOptions) -> Vec<Sighting> {
    let configuration = EngineConfiguration::cocoa(options.transmit_power, TrustedKeys::new());
    let Ok(mut engine) = Engine::open(configuration, MemoryLog::new());
    let mut rng = ChaCha20Rng::seed_from_u64(u64::from(phone));
    for scan in capture.scans() {
        let result = scan.to_scan_result();
        if scan.first_of_service {
            let Ok(_) = engine.handle(Input::Stop, clocks(result.started), &mut rng);
            let Ok(_) = engine.handle(Input::Start, clocks(result.started), &mut rng);
        }
        let now = clocks(result.ended);
        let Ok(_) = engine.handle(Input::ScanFinished(result), now, &mut rng);
    }
    let mut sightings = Vec::new();
    let Ok(()) = engine.log().visit_sightings(&mut |sighting| sightings.push(*sighting));
    sightings
}

/// A capture has one clock; nobody set it meanwhile.
fn clocks(wall: Timestamp) -> ClockReading {
    let monotonic_seconds = u64::try_from(wall.unix_seconds()).unwrap_or(0);
    ClockReading { wall, monotonic_seconds, boot: BootId::UNKNOWN }
}

/// Windows by transmitter. GAEN builds them key by key, so identifiers of two days never share
/// a window.
fn windows_of_each(
    heard: &[Sighting],
    owners: &Owners,
    options: &ReplayOptions,
) -> BTreeMap<u32, (Vec<ExposureWindow>, Vec<MeasuredSighting>)> {
    let mut by_key: BTreeMap<(u32, UtcDay), Vec<MeasuredSighting>> = BTreeMap::new();
    for sighting in heard {
        let owner = owners.get(&sighting.advertisement.identifier);
        let (Some(&owner), Some(rssi)) = (owner, sighting.rssi) else { continue };
        by_key.entry(owner).or_default().push(MeasuredSighting {
            heard_at: sighting.heard_at,
            previous_scan_ended: sighting.previous_scan_ended,
            attenuation: AttenuationDb::between(
                options.transmit_power,
                rssi,
                options.rssi_correction,
            ),
            calibration_confidence: None,
        });
    }
    let mut of_each: BTreeMap<u32, (Vec<ExposureWindow>, Vec<MeasuredSighting>)> = BTreeMap::new();
    for ((transmitter, day), mut sightings) in by_key {
        sightings.sort_unstable();
        let of_this_key =
            exposure_windows(&sightings, &origin(transmitter, day), &WindowRules::default());
        let (windows, all) = of_each.entry(transmitter).or_default();
        windows.extend(of_this_key);
        all.append(&mut sightings);
    }
    of_each
}

/// Stands in for the key of a transmitter's day, which the captures do not hold.
fn origin(transmitter: u32, day: UtcDay) -> WindowOrigin {
    let mut name = [0; 16];
    name[..4].copy_from_slice(&transmitter.to_be_bytes());
    name[4..8].copy_from_slice(&day.days_since_1970().to_be_bytes());
    let details = DiagnosisKeyDetails::default();
    let stand_in = DiagnosisKey::new(name, IntervalNumber::new(0), RollingPeriod::DAY, details);
    WindowOrigin {
        key: stand_in.hash(),
        report_type: ReportType::ConfirmedTest,
        infectiousness: Infectiousness::High,
    }
}
