//! `chikaku match`.

use std::path::{Path, PathBuf};

use chikaku_core::export::{Accepted, ExportError, KeyExport, KeyReport, Limits, TrustedKey};
use chikaku_core::exposure::{
    ExposureWindow, UnmeasuredSightings, WindowOrigin, WindowRules, exposure_windows, measure,
};
use chikaku_core::matching::{KeyMatch, MatchReport, Matcher, MatchingRules, SightingIndex};
use chikaku_core::metadata::BluetoothMetadata;
use chikaku_core::risk::mapping::DiagnosisKeysDataMapping;
use chikaku_core::signal::RssiCorrectionDb;
use chikaku_simulator::encounter_file::{EncounterFile, Skipped};
use indicatif::ProgressBar;
use serde_json::{Value, json};

use crate::failure::{self, Failure};
use crate::output::{self, say};
use crate::public_key;
use crate::{instant, keys, progress, table, windows};

#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// Encounter log: one JSON object a line
    #[arg(long)]
    encounters: PathBuf,
    /// Key files
    #[arg(long, required = true, num_args = 1..)]
    keys: Vec<PathBuf>,
    /// Public keys that key files may be signed with (PEM, or lines of `name base64`)
    #[arg(long)]
    public_key: Option<PathBuf>,
    /// Match key files whatever their signature, which anyone could have written
    #[arg(long, conflicts_with = "public_key")]
    allow_unsigned: bool,
    /// What the receiver's model adds to its readings, in dB
    #[arg(long, default_value_t = 0, allow_negative_numbers = true)]
    rssi_correction_db: i8,
    /// Print the result as JSON
    #[arg(long)]
    json: bool,
}

/// Whose key files are believed.
enum Trust {
    Anyone,
    Keys(Vec<TrustedKey>),
}

/// What became of one key file.
struct FileOutcome<'a> {
    path: &'a Path,
    outcome: Result<KeyReport, Failure>,
}

/// A matched key with its windows.
struct Exposure {
    matched: KeyMatch,
    windows: Vec<ExposureWindow>,
    unmeasured: UnmeasuredSightings,
}

pub(crate) fn run(arguments: &Arguments) -> Result<(), Failure> {
    let trust = match &arguments.public_key {
        _ if arguments.allow_unsigned => Trust::Anyone,
        Some(path) => Trust::Keys(public_key::read(path)?),
        None => Trust::Keys(Vec::new()),
    };
    let encounters = EncounterFile::read(&failure::read(&arguments.encounters)?);
    let heard: SightingIndex = encounters.sightings.iter().copied().collect();
    let mut matcher = Matcher::new(&heard, MatchingRules::default());

    let bar = progress::bar(0, "matching");
    let mut files = Vec::new();
    for path in &arguments.keys {
        let outcome = failure::read(path)
            .and_then(|bytes| check_file(&bytes, &trust, &mut matcher, &bar))
            .map_err(|failure| failure.about(path));
        files.push(FileOutcome { path, outcome });
    }
    bar.finish_and_clear();
    let report = matcher.finish();
    let exposures: Vec<_> = report
        .matches
        .iter()
        .map(|matched| expose(matched.clone(), RssiCorrectionDb(arguments.rssi_correction_db)))
        .collect();

    if arguments.json {
        output::json(&to_json(&report, &exposures, &files, &encounters.skipped));
    } else {
        print(&report, &exposures, &files, &encounters);
    }
    files.into_iter().find_map(|file| file.outcome.err()).map_or(Ok(()), Err)
}

fn check_file(
    bytes: &[u8],
    trust: &Trust,
    matcher: &mut Matcher<'_>,
    bar: &ProgressBar,
) -> Result<KeyReport, Failure> {
    match trust {
        Trust::Anyone => KeyExport::from_bytes(bytes, Limits::DEFAULT)
            .and_then(KeyExport::accept_without_signature)
            .and_then(|export| check_keys(&export, matcher, bar)),
        Trust::Keys(keys) => {
            public_key::verify(bytes, keys).and_then(|export| check_keys(&export, matcher, bar))
        }
    }
    .map_err(Failure::refused)
}

fn check_keys<G>(
    export: &KeyExport<'_, Accepted<G>>,
    matcher: &mut Matcher<'_>,
    bar: &ProgressBar,
) -> Result<KeyReport, ExportError> {
    bar.inc_length(export.metadata().key_count + export.metadata().revised_key_count);
    let mut keys = export.keys()?;
    for published in &mut keys {
        // A log that is looked at afterwards says nothing about when a key became public.
        matcher.check(published?, None);
        bar.inc(1);
    }
    Ok(keys.into_report())
}

fn expose(matched: KeyMatch, rssi_correction: RssiCorrectionDb) -> Exposure {
    let mapping = DiagnosisKeysDataMapping::cocoa();
    let key = &matched.published.key;
    let origin = WindowOrigin {
        key: key.hash(),
        report_type: mapping.report_type(&key.details),
        infectiousness: mapping.infectiousness(&key.details),
    };
    let rules = WindowRules { rssi_correction, ..WindowRules::default() };
    let (measured, unmeasured) = measure(&matched, &rules);
    let windows = exposure_windows(&measured, &origin, &rules);
    Exposure { matched, windows, unmeasured }
}

fn matched_identifiers(report: &MatchReport) -> usize {
    report.matches.iter().map(|matched| matched.identifiers.len()).sum()
}

/// The decrypted metadata of each matched identifier: the bytes of its first sighting.
fn metadata(matched: &KeyMatch) -> Vec<[u8; 4]> {
    let key = matched.published.key.metadata_key();
    let first = matched.identifiers.iter().filter_map(|matched| matched.sightings.first());
    first
        .map(|sighting| sighting.advertisement)
        .map(|heard| key.decrypt(&heard.identifier, heard.metadata))
        .collect()
}

fn transmit_power(metadata: [u8; 4]) -> Option<i8> {
    BluetoothMetadata::from_bytes(metadata).ok().map(|metadata| metadata.transmit_power.dbm())
}

fn to_json(
    report: &MatchReport,
    exposures: &[Exposure],
    files: &[FileOutcome<'_>],
    skipped: &[Skipped],
) -> Value {
    let matches: Vec<_> = exposures.iter().map(match_json).collect();
    let files: Vec<_> = files
        .iter()
        .map(|file| match &file.outcome {
            Ok(keys) => json!({
                "file": file.path.display().to_string(),
                "keys": keys.delivered(),
                "skipped": keys::skipped_json(keys),
            }),
            Err(refused) => json!({
                "file": file.path.display().to_string(),
                "refused": refused.to_string(),
            }),
        })
        .collect();
    let all_windows = exposures.iter().flat_map(|exposure| &exposure.windows);
    json!({
        "keys_checked": report.keys_checked,
        "matched_keys": report.matches.len(),
        "matched_identifiers": matched_identifiers(report),
        "near_misses": report.near_misses.keys,
        "windows": all_windows.map(windows::to_json).collect::<Vec<_>>(),
        "matches": matches,
        "files": files,
        "skipped_lines": skipped.iter().map(ToString::to_string).collect::<Vec<_>>(),
    })
}

fn match_json(exposure: &Exposure) -> Value {
    let matched = &exposure.matched;
    let key = &matched.published.key;
    let identifiers: Vec<_> = matched
        .identifiers
        .iter()
        .zip(metadata(matched))
        .map(|(identifier, metadata)| {
            json!({
                "interval": identifier.interval.get(),
                "sightings": identifier.sightings.len(),
                "metadata": hex::encode(metadata),
                "transmit_power_dbm": transmit_power(metadata),
            })
        })
        .collect();
    json!({
        "key_hash": key.hash().to_string(),
        "rolling_start": key.rolling_start().get(),
        "rolling_period": key.rolling_period().intervals(),
        "identifiers": identifiers,
        "dropped_sightings": matched.dropped,
        "unmeasured_sightings": exposure.unmeasured,
        "windows": exposure.windows.iter().map(windows::to_json).collect::<Vec<_>>(),
    })
}

fn print(
    report: &MatchReport,
    exposures: &[Exposure],
    files: &[FileOutcome<'_>],
    encounters: &EncounterFile,
) {
    say!("{} identifiers heard, {} sightings", encounters.identifiers, encounters.sightings.len());
    for skipped in &encounters.skipped {
        say!("left out: {skipped}");
    }
    for file in files {
        let path = file.path.display();
        match &file.outcome {
            Ok(keys) => say!("{path}: {} keys{}", keys.delivered(), keys::skipped_text(keys)),
            Err(refused) => say!("{path}: refused: {refused}"),
        }
    }
    say!(
        "{} keys checked, {} matched by {} identifiers, {} near misses\n",
        report.keys_checked,
        report.matches.len(),
        matched_identifiers(report),
        report.near_misses.keys
    );
    for exposure in exposures {
        print_exposure(exposure);
    }
}

fn print_exposure(exposure: &Exposure) {
    let matched = &exposure.matched;
    let key = &matched.published.key;
    say!(
        "key {} of {} (interval {}, {} intervals)",
        key.hash(),
        key.rolling_start().day(),
        key.rolling_start().get(),
        key.rolling_period().intervals()
    );
    let mut identifiers =
        table::with_header(["interval", "begins", "sightings", "metadata", "power"]);
    for (identifier, metadata) in matched.identifiers.iter().zip(metadata(matched)) {
        let power = transmit_power(metadata);
        identifiers.add_row([
            identifier.interval.get().to_string(),
            instant::utc(identifier.interval.start()),
            identifier.sightings.len().to_string(),
            hex::encode(metadata),
            power.map_or_else(|| "implausible".to_owned(), |power| format!("{power} dBm")),
        ]);
    }
    say!("{identifiers}");
    for window in &exposure.windows {
        let scans: Vec<_> = window
            .scan_instances
            .iter()
            .map(|scan| {
                format!(
                    "{}/{} dB {} s",
                    scan.minimum_attenuation.db(),
                    scan.typical_attenuation.db(),
                    scan.seconds_since_last_scan
                )
            })
            .collect();
        let begins = instant::utc(window.first_heard_at);
        say!("  window {begins}, {} s: {}", window.seconds(), scans.join(", "));
    }
    say!("");
}
