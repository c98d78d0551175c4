//! `chikaku replay`.

use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;

use chikaku_core::signal::{RssiCorrectionDb, TransmitPowerDbm};
use chikaku_radio::capture::{CaptureInstant, ScanningHost};
use chikaku_simulator::encounter_file::EncounterFile;
use chikaku_simulator::replay::{PairWindows, Replay, ReplayOptions, replay};
use serde_json::{Value, json};

use crate::failure::{self, Failure};
use crate::output::say;
use crate::{progress, table, windows};

mod accuracy;

#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// Folder of captures named by phone number, such as 01.btsnoop
    #[arg(long)]
    captures: PathBuf,
    /// Numbers of the phones to replay; without it, all of the folder
    #[arg(long, value_delimiter = ',')]
    phones: Vec<u32>,
    /// Where to write the windows of every (receiver, transmitter) pair; with --truth and without
    /// a file, the accuracy as JSON on standard output
    #[arg(long, value_name = "FILE", num_args = 0..=1, required_unless_present = "truth")]
    json: Option<Option<PathBuf>>,
    /// Camera positions of DP-3T experiment 34, one archive for each recording: how well every rule
    /// tells near from far
    #[arg(long, value_name = "ZIP", num_args = 1..)]
    truth: Vec<PathBuf>,
    /// Where to write the encounter log of every receiver, as NN.jsonl
    #[arg(long, value_name = "DIR")]
    encounters: Option<PathBuf>,
    /// The captures are of Linux machines: what `chikaku record` or `btmon -w` wrote
    #[arg(long)]
    linux: bool,
    /// Number of the controller to look at: 0 for hci0
    #[arg(long, default_value_t = 0)]
    controller: u16,
    /// Seconds that the phones' local time was ahead of UTC; the captures of DP-3T experiment 34
    /// are stamped in Swiss summer time; Linux stamps UTC
    #[arg(long, allow_negative_numbers = true)]
    #[arg(default_value_t = 7200, default_value_if("linux", "true", "0"))]
    utc_offset_seconds: i32,
    /// Transmit power in the senders' metadata, dBm; that of Google's table of 2020-06-13
    #[arg(long, default_value_t = -24, allow_negative_numbers = true)]
    transmit_power_dbm: i8,
    /// What the receivers' models add to their readings, dB; that of the same table
    #[arg(long, default_value_t = -3, allow_negative_numbers = true)]
    rssi_correction_db: i8,
    /// When a phone looked keys up, such as 3=2020-07-30T16:02:35.8Z; nothing later counts there
    #[arg(long, value_name = "PHONE=TIME", value_parser = look_up)]
    look_up: Vec<(u32, CaptureInstant)>,
}

fn look_up(text: &str) -> Result<(u32, CaptureInstant), String> {
    let (phone, time) = text.split_once('=').ok_or("expected PHONE=TIME")?;
    let phone = phone.parse().map_err(|error| format!("{phone}: {error}"))?;
    let time: jiff::Timestamp = time.parse().map_err(|error| format!("{error}"))?;
    let instant = CaptureInstant::from_unix_micros(time.as_microsecond());
    Ok((phone, instant.ok_or("a time before 1970")?))
}

pub(crate) fn run(arguments: &Arguments) -> Result<(), Failure> {
    let options = ReplayOptions {
        host: if arguments.linux { ScanningHost::Linux } else { ScanningHost::Android },
        controller: arguments.controller,
        utc_offset_seconds: arguments.utc_offset_seconds,
        transmit_power: TransmitPowerDbm::new(arguments.transmit_power_dbm)
            .map_err(Failure::refused)?,
        rssi_correction: RssiCorrectionDb(arguments.rssi_correction_db),
        look_ups: arguments.look_up.iter().copied().collect(),
    };
    let windows_to = arguments.json.as_ref().and_then(Option::as_ref);
    if arguments.truth.is_empty() && windows_to.is_none() {
        return Err(Failure::Refused(anyhow::anyhow!(
            "--json needs a file unless there is --truth"
        )));
    }
    let captures = captures(arguments)?;
    let bar = progress::bar(captures.len() as u64, "replaying");
    let replayed = replay(&captures, &options, || bar.inc(1));
    bar.finish_and_clear();

    if let Some(folder) = &arguments.encounters {
        for phone in &replayed.phones {
            let path = folder.join(format!("{:02}.jsonl", phone.phone));
            failure::write(&path, EncounterFile::write(&phone.sightings).as_bytes())?;
        }
    }
    if let Some(path) = windows_to {
        let pairs: Vec<_> = replayed.pairs.iter().map(to_json).collect();
        failure::write(path, format!("{:#}\n", Value::from(pairs)).as_bytes())?;
    }
    if arguments.truth.is_empty() {
        print(&replayed);
    } else {
        accuracy::print(&replayed, &arguments.truth, arguments)?;
    }
    if let (Some(path), true) = (windows_to, arguments.truth.is_empty()) {
        say!("\nwritten to {}", path.display());
    }
    replayed.refused.first().map_or(Ok(()), |refused| Err(Failure::refused(*refused)))
}

/// The captures asked for, by phone number.
fn captures(arguments: &Arguments) -> Result<BTreeMap<u32, Vec<u8>>, Failure> {
    let folder = &arguments.captures;
    let mut found = BTreeMap::new();
    for entry in fs::read_dir(folder).map_err(|error| failure::at(folder, error))? {
        let path = entry.map_err(|error| failure::at(folder, error))?.path();
        let is_capture = path.extension().is_some_and(|extension| extension == "btsnoop");
        let number = path.file_stem().and_then(|stem| stem.to_str()?.parse().ok());
        if let (true, Some(number)) = (is_capture, number)
            && found.insert(number, path).is_some()
        {
            let folder = folder.display();
            return Err(Failure::Refused(anyhow::anyhow!(
                "{folder}: two captures of phone {number}"
            )));
        }
    }
    if !arguments.phones.is_empty() {
        if let Some(missing) = arguments.phones.iter().find(|&phone| !found.contains_key(phone)) {
            let folder = folder.display();
            return Err(Failure::Refused(anyhow::anyhow!(
                "{folder}: no capture of phone {missing}"
            )));
        }
        found.retain(|number, _| arguments.phones.contains(number));
    }
    let unknown = arguments.look_up.iter().find(|(phone, _)| !found.contains_key(phone));
    if let Some((phone, _)) = unknown {
        let folder = folder.display();
        return Err(Failure::Refused(anyhow::anyhow!(
            "{folder}: no capture of phone {phone} to cut"
        )));
    }
    if found.is_empty() {
        let folder = folder.display();
        return Err(Failure::Refused(anyhow::anyhow!("{folder}: no file named NN.btsnoop")));
    }
    found.into_iter().map(|(number, path)| Ok((number, failure::read(&path)?))).collect()
}

fn to_json(pair: &PairWindows) -> Value {
    json!({
        "rx": pair.receiver,
        "tx": pair.transmitter,
        "windows": pair.windows.iter().map(windows::to_json).collect::<Vec<_>>(),
    })
}

fn print(replayed: &Replay) {
    let mut table = table::with_header([
        "phone",
        "records",
        "scans",
        "sightings",
        "identifiers sent",
        "phones met",
        "windows",
    ]);
    for phone in &replayed.phones {
        let own = || replayed.pairs.iter().filter(|pair| pair.receiver == phone.phone);
        table.add_row([
            format!("{:02}", phone.phone),
            phone.report.records.to_string(),
            phone.scans.to_string(),
            phone.sightings.len().to_string(),
            phone.identifiers_sent.to_string(),
            own().filter(|pair| !pair.windows.is_empty()).count().to_string(),
            own().map(|pair| pair.windows.len()).sum::<usize>().to_string(),
        ]);
    }
    say!("{table}");
    for phone in &replayed.phones {
        if let Some(stopped) = phone.report.stopped {
            say!("phone {:02}: the capture is read only in part: {stopped}", phone.phone);
        }
    }
}
