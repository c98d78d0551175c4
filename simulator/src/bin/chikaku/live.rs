//! `chikaku live`: a node on a Bluetooth adapter of this machine.
//!
//! While it runs it takes commands from standard input, one a line, as a tester types them or a
//! test bed writes them: `status`, `match FILE`, `disclose FILE`, `time UNIX_SECONDS`, `quit`.

mod report;

use std::path::{Path, PathBuf};
use std::time::Duration;

use chikaku_core::diagnosis_key::ReportType;
use chikaku_core::encounter_log::{EncounterLog, MemoryLog};
use chikaku_core::engine::{Disclosure, Engine, EngineConfiguration, Input, KeyFile, Output};
use chikaku_core::export::{Batch, ExportWriter, KeyIdentity, SigningKey, TrustedKey, TrustedKeys};
use chikaku_core::signal::{RssiCorrectionDb, TransmitPowerDbm};
use chikaku_core::time::Timestamp;
use chikaku_radio::bluez::{self, BluezOptions, GattCarrier, GattRole};
use chikaku_radio::node::{Node, NodeEvent, SystemClock};
use chikaku_simulator::encounter_file::EncounterFile;
use getrandom::SysRng;
use rand_chacha::ChaCha20Rng;
use rand_core::SeedableRng;
use tokio::io::{AsyncBufReadExt, BufReader, Lines, Stdin};
use tokio::signal::unix::{SignalKind, signal};

use crate::failure::{self, Failure};
use crate::{log, public_key};
use report::Report;

/// Region and version under which the node signs and trusts, as `chikaku keys generate` does.
const REGION: &str = "440";
const KEY_VERSION: &str = "v1";
/// How long a file of disclosed keys says it covers: any time before now would do.
const DISCLOSED_SECONDS: u32 = 14 * 86_400;

type LiveNode<L> = Node<L, SystemClock, ChaCha20Rng>;

#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// The Bluetooth adapter
    #[arg(long, default_value = "hci0", value_parser = adapter)]
    adapter: u16,
    /// Folder of the encounter log, which is made if there is none. Without it, everything stays in
    /// memory and is forgotten at the end
    #[arg(long)]
    store: Option<PathBuf>,
    /// File of the log's root key, which is made if there is none: 64 hexadecimal digits that only
    /// the owner may read. Without it, the file beside the folder with the folder's name and `.key`
    #[arg(long, requires = "store")]
    root_key: Option<PathBuf>,
    /// One JSON object a line instead of text
    #[arg(long)]
    json: bool,
    /// Show the identifiers that are heard and sent, which are hidden otherwise
    #[arg(long)]
    show_identifiers: bool,
    /// Read only what BlueZ passes on, even if the controller's own reports could be read
    #[arg(long)]
    no_controller_log: bool,
    /// Leave an adapter off that is off
    #[arg(long)]
    no_power_on: bool,
    /// UUID (128 bits) of the service whose peers are read, because they cannot broadcast
    #[arg(long, requires = "gatt_characteristic", value_parser = uuid)]
    gatt_service: Option<String>,
    /// UUID (128 bits) of the characteristic that is read
    #[arg(long, requires = "gatt_service", value_parser = uuid)]
    gatt_characteristic: Option<String>,
    /// Be such a peer: broadcast nothing, answer reads
    #[arg(long, requires = "gatt_service")]
    gatt_only: bool,
    /// Public keys that key files are believed by (PEM, or lines of `name base64`)
    #[arg(long)]
    public_key: Option<PathBuf>,
    /// P-256 private key in PEM that `disclose` signs its key file with, as a server would
    #[arg(long)]
    sign_with: Option<PathBuf>,
    /// Radiated power of this machine, dBm
    #[arg(long, default_value_t = -24, allow_negative_numbers = true)]
    transmit_power_dbm: i8,
    /// What this machine's radio adds to its readings, dB
    #[arg(long, default_value_t = 0, allow_negative_numbers = true)]
    rssi_correction_db: i8,
    /// Where to write everything that was heard, at the end
    #[arg(long)]
    encounters: Option<PathBuf>,
}

/// `hci0` or `0`.
pub(crate) fn adapter(text: &str) -> Result<u16, String> {
    let number = text.strip_prefix("hci").unwrap_or(text);
    number.parse().map_err(|_| format!("{text} is no adapter; the first one is hci0"))
}

/// As `D-Bus` writes it: 8, 4, 4, 4 and 12 hexadecimal digits.
fn uuid(text: &str) -> Result<String, String> {
    let lengths: Vec<_> = text.split('-').map(str::len).collect();
    let are_digits = text.chars().all(|digit| digit == '-' || digit.is_ascii_hexdigit());
    if are_digits && lengths == [8, 4, 4, 4, 12] {
        Ok(text.to_ascii_lowercase())
    } else {
        Err("a UUID has 8, 4, 4, 4 and 12 hexadecimal digits with hyphens between".to_owned())
    }
}

pub(crate) fn run(arguments: &Arguments) -> Result<(), Failure> {
    match &arguments.store {
        None => live(arguments, MemoryLog::new()),
        Some(folder) => live(arguments, log::open_or_make(folder, arguments.root_key.as_deref())?),
    }
}

fn live<L: EncounterLog>(arguments: &Arguments, log: L) -> Result<(), Failure> {
    let engine = engine(arguments, log)?;
    let rng = ChaCha20Rng::try_from_rng(&mut SysRng).map_err(Failure::refused)?;
    let signs_with = arguments.sign_with.as_deref().map(signing_key).transpose()?;
    let runtime = runtime()?;
    let outcome = runtime.block_on(async {
        let options = BluezOptions {
            adapter: arguments.adapter,
            power_on: !arguments.no_power_on,
            controller_log: !arguments.no_controller_log,
            gatt: gatt(arguments),
            ..BluezOptions::default()
        };
        let node = Node::new(engine, bluez::start(options), SystemClock::new(), rng);
        let report = Report::new(arguments.json, arguments.show_identifiers);
        Live { node, report, signs_with }.run(arguments).await
    });
    // Nobody may ever type another line.
    runtime.shutdown_timeout(Duration::ZERO);
    outcome
}

fn gatt(arguments: &Arguments) -> Option<GattCarrier> {
    let role = if arguments.gatt_only { GattRole::ServesInstead } else { GattRole::Reads };
    let service = arguments.gatt_service.clone()?;
    Some(GattCarrier { service, characteristic: arguments.gatt_characteristic.clone()?, role })
}

/// One thread for everything that waits.
pub(crate) fn runtime() -> Result<tokio::runtime::Runtime, Failure> {
    tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(Failure::refused)
}

fn engine<L: EncounterLog>(arguments: &Arguments, log: L) -> Result<Engine<L>, Failure> {
    let mut trusted = TrustedKeys::new();
    for key in arguments.public_key.as_deref().map(public_key::read).transpose()?.iter().flatten() {
        let identity = KeyIdentity::new(REGION, KEY_VERSION);
        let named = TrustedKey::from_sec1_bytes(identity, &key.to_sec1_bytes());
        trusted.add(named.map_err(Failure::refused)?);
    }
    let power = TransmitPowerDbm::new(arguments.transmit_power_dbm).map_err(Failure::refused)?;
    let mut configuration = EngineConfiguration::cocoa(power, trusted);
    configuration.windows.rssi_correction = RssiCorrectionDb(arguments.rssi_correction_db);
    Engine::open(configuration, log).map_err(Failure::refused)
}

fn signing_key(path: &Path) -> Result<SigningKey, Failure> {
    let pem = failure::read_text(path)?;
    let identity = KeyIdentity::new(REGION, KEY_VERSION);
    SigningKey::from_pem(identity, &pem).map_err(|error| Failure::refused(error).about(path))
}

struct Live<L> {
    node: LiveNode<L>,
    report: Report,
    signs_with: Option<SigningKey>,
}

impl<L: EncounterLog> Live<L> {
    async fn run(mut self, arguments: &Arguments) -> Result<(), Failure> {
        let mut interrupt = signal(SignalKind::interrupt()).map_err(Failure::refused)?;
        let mut terminate = signal(SignalKind::terminate()).map_err(Failure::refused)?;
        let mut commands = Some(BufReader::new(tokio::io::stdin()).lines());
        self.report.started(arguments.adapter, arguments.store.as_deref());
        self.give(Input::Start)?;
        loop {
            tokio::select! {
                _ = interrupt.recv() => break,
                _ = terminate.recv() => break,
                line = next_line(&mut commands) => match line.as_deref().map(str::trim) {
                    Some("quit") => break,
                    Some(command) => {
                        let outcome = self.command(command);
                        self.report.command(command, outcome.as_ref().err());
                    }
                    // Whoever started it has closed its input; it goes on.
                    None => commands = None,
                },
                stepped = self.node.step() => match stepped {
                    Ok(events) => self.take(events),
                    // What was heard waits until the log takes it.
                    Err(error) => self.report.log_failed(&error, self.node.clocks().wall),
                },
            }
        }
        let clocks = self.node.clocks();
        let engine = self.node.shut_down().await;
        if let Some(path) = &arguments.encounters {
            let mut sightings = Vec::new();
            let visited = engine.log().visit_sightings(&mut |sighting| sightings.push(*sighting));
            visited.map_err(Failure::refused)?;
            failure::write(path, EncounterFile::write(&sightings).as_bytes())?;
        }
        self.report.stopped(clocks.wall);
        Ok(())
    }

    /// Hands the engine an input and shows what came of it.
    fn give(&mut self, input: Input<'_>) -> Result<(), Failure> {
        let events = self.node.give(input).map_err(Failure::refused)?;
        self.take(events);
        Ok(())
    }

    /// Shows what happened, confirms what was shown, and says how the node stands.
    fn take(&mut self, events: Vec<NodeEvent>) {
        for event in events {
            self.report.event(&event, self.node.clocks().wall);
            if let NodeEvent::Output(Output::Announce(assessment)) = event {
                match self.node.give(Input::Announced { day: assessment.day }) {
                    Ok(events) => {
                        for event in &events {
                            self.report.event(event, self.node.clocks().wall);
                        }
                    }
                    Err(error) => self.report.log_failed(&error, self.node.clocks().wall),
                }
            }
        }
        self.report.status_if_changed(&self.node.status(), self.node.clocks().wall);
    }

    fn command(&mut self, line: &str) -> Result<(), Failure> {
        let (command, argument) = line.split_once(' ').unwrap_or((line, ""));
        match command {
            "" => {}
            "status" => self.report.status(&self.node.status(), self.node.clocks().wall),
            "match" => self.match_file(Path::new(argument))?,
            "disclose" => self.disclose(Path::new(argument))?,
            "time" => {
                let seconds: i64 = argument.parse().map_err(Failure::refused)?;
                let instant = Timestamp::from_unix_seconds(seconds).map_err(Failure::refused)?;
                self.give(Input::TrustedTime(instant))?;
            }
            _ => return Err(Failure::Refused(anyhow::anyhow!("no such command"))),
        }
        Ok(())
    }

    fn match_file(&mut self, path: &Path) -> Result<(), Failure> {
        let bytes = failure::read(path)?;
        self.give(Input::FilesListed { listed: 1, missing: 0 })?;
        self.give(Input::KeyFile(KeyFile::without_cursor(&bytes)))?;
        let clocks = self.node.clocks();
        let exposures = self.node.engine().exposures(clocks).map_err(Failure::refused)?;
        self.report.exposures(&exposures, clocks.wall);
        Ok(())
    }

    /// Publishes the node's own keys as a server would, for testing.
    fn disclose(&mut self, path: &Path) -> Result<(), Failure> {
        let Some(signs_with) = self.signs_with.clone() else {
            return Err(Failure::Refused(anyhow::anyhow!("disclose needs --sign-with")));
        };
        let disclosure = Disclosure { report_type: ReportType::ConfirmedTest, onset: None };
        let disclosed = self.node.give(Input::Disclose(disclosure));
        let events = disclosed.map_err(Failure::refused)?;
        let keys = events.iter().find_map(|event| match event {
            NodeEvent::Output(Output::Disclosed(keys)) => Some(keys.clone()),
            _ => None,
        });
        let now = self.node.clocks().wall;
        self.take(events);
        let written = ExportWriter::new()
            .window(now.saturating_sub(DISCLOSED_SECONDS), now)
            .region(REGION)
            .batch(Batch::SINGLE)
            .keys(keys.unwrap_or_default())
            .signed_with(signs_with)
            .write()
            .map_err(Failure::refused)?;
        failure::write(path, &written.zip)
    }
}

async fn next_line(lines: &mut Option<Lines<BufReader<Stdin>>>) -> Option<String> {
    match lines {
        Some(lines) => lines.next_line().await.ok().flatten(),
        None => std::future::pending().await,
    }
}
