//! `chikaku keys`: look into key files, and make them.

use std::collections::BTreeMap;
use std::path::PathBuf;

use chikaku_core::diagnosis_key::{DiagnosisKey, DiagnosisKeyDetails, ReportType};
use chikaku_core::export::{
    Accepted, Batch, ExportError, ExportWriter, KeyExport, KeyIdentity, KeyReport, Limits,
    SigningKey, SkipReason,
};
use chikaku_core::time::{RollingPeriod, UtcDay};
use rand_chacha::ChaCha20Rng;
use rand_core::{Rng, SeedableRng};
use serde_json::{Value, json};

use crate::failure::{self, Failure};
use crate::instant;
use crate::output::{self, say};
use crate::public_key;

#[derive(Debug, clap::Subcommand)]
pub(crate) enum Command {
    /// Show what a key file says, what is wrong with it, and whether its signature holds
    Inspect(Inspect),
    /// Make a signed key file of random keys
    Generate(Generate),
}

#[derive(Debug, clap::Args)]
pub(crate) struct Inspect {
    /// Key file (zip, or a bare export.bin)
    file: PathBuf,
    /// Public keys the file may be signed with (PEM, or lines of `name base64`)
    #[arg(long)]
    public_key: Option<PathBuf>,
    /// Print the result as JSON
    #[arg(long)]
    json: bool,
}

#[derive(Debug, clap::Args)]
pub(crate) struct Generate {
    /// Where to write the key file
    out: PathBuf,
    /// How many keys; a file of more than a million is refused by every reader with our limits
    #[arg(long, value_parser = clap::value_parser!(u64).range(..=1_000_000))]
    count: u64,
    /// Over how many UTC days they are spread
    #[arg(long, default_value_t = 14, value_parser = clap::value_parser!(u32).range(1..))]
    days: u32,
    /// Seed: the same seed and signing key give the same file
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// P-256 private key in PEM (PKCS #8 or SEC 1)
    #[arg(long)]
    sign_with: PathBuf,
    /// The last of the days
    #[arg(long, default_value = "2022-01-12", value_parser = instant::parse_day)]
    last_day: UtcDay,
    /// Region of the keys
    #[arg(long, default_value = "440")]
    region: String,
    /// Id that the file gives the signing key
    #[arg(long, default_value = "440")]
    key_id: String,
    /// Version that the file gives the signing key
    #[arg(long, default_value = "v1")]
    key_version: String,
}

pub(crate) fn run(command: &Command) -> Result<(), Failure> {
    match command {
        Command::Inspect(arguments) => inspect(arguments),
        Command::Generate(arguments) => generate(arguments),
    }
}

/// What the keys of a file have in common.
#[derive(Default)]
struct Census {
    by_day: BTreeMap<String, u64>,
    by_period: BTreeMap<u32, u64>,
    by_report_type: BTreeMap<String, u64>,
    keys: KeyReport,
}

impl Census {
    fn of<G>(export: &KeyExport<'_, Accepted<G>>) -> Result<Self, ExportError> {
        let mut census = Self::default();
        let mut keys = export.keys()?;
        for exported in &mut keys {
            let key = exported?.key;
            *census.by_day.entry(key.rolling_start().day().to_string()).or_default() += 1;
            *census.by_period.entry(key.rolling_period().intervals()).or_default() += 1;
            let report_type = key.details.report_type;
            let report_type = report_type.map_or_else(|| "none".to_owned(), |t| format!("{t:?}"));
            *census.by_report_type.entry(report_type).or_default() += 1;
        }
        census.keys = keys.into_report();
        Ok(census)
    }
}

fn inspect(arguments: &Inspect) -> Result<(), Failure> {
    let bytes = failure::read(&arguments.file)?;
    let refused = |error: ExportError| {
        let path = arguments.file.display().to_string();
        Failure::Refused(anyhow::Error::new(error).context(path))
    };
    let export = KeyExport::from_bytes(&bytes, Limits::DEFAULT)
        .and_then(KeyExport::accept_without_signature)
        .map_err(refused)?;
    let signature = match &arguments.public_key {
        None => None,
        Some(path) => {
            let keys = public_key::read(path)?;
            Some(public_key::verify(&bytes, &keys).map(|verified| verified.signed_by().to_vec()))
        }
    };
    let census = Census::of(&export).map_err(refused)?;
    let metadata = export.metadata();
    let signed = match &signature {
        None => "not checked: no public key given".to_owned(),
        Some(Ok(by)) => {
            let names: Vec<_> = by.iter().map(ToString::to_string).collect();
            format!("valid: {}", names.join(", "))
        }
        Some(Err(invalid)) => format!("invalid: {invalid}"),
    };

    let start = metadata.start.map(|start| start.unix_seconds());
    let end = metadata.end.map(|end| end.unix_seconds());
    let announced: Vec<_> =
        metadata.signature_infos.iter().map(|info| info.key.to_string()).collect();
    if arguments.json {
        output::json(&json!({
            "start_unix_s": start,
            "end_unix_s": end,
            "region": metadata.region,
            "batch": metadata.batch.map(|batch| [batch.number(), batch.size()]),
            "announced_signatures": announced,
            "signature": signed,
            "signature_valid": signature.as_ref().map(Result::is_ok),
            "sha256": hex::encode(metadata.digest.as_bytes()),
            "keys": metadata.key_count,
            "revised_keys": metadata.revised_key_count,
            "usable_keys": census.keys.delivered(),
            "skipped": skipped_json(&census.keys),
            "keys_by_day": census.by_day,
            "keys_by_rolling_period": census.by_period,
            "keys_by_report_type": census.by_report_type,
        }));
    } else {
        // Whoever wrote the file may have put anything there, a terminal's commands included.
        let region = metadata.region.as_deref().unwrap_or("not given");
        let region = region.chars().take(32).collect::<String>().escape_debug().to_string();
        let time = |time: Option<_>| time.map_or_else(|| "not given".to_owned(), instant::utc);
        say!("received    {} to {}", time(metadata.start), time(metadata.end));
        say!("region      {}", region);
        let batch = metadata.batch.map(|batch| format!("{} of {}", batch.number(), batch.size()));
        say!("batch       {}", batch.unwrap_or_else(|| "not given".to_owned()));
        let announced_by =
            if announced.is_empty() { "nobody".to_owned() } else { announced.join(", ") };
        say!("announced   {announced_by}");
        say!("signature   {signed}");
        say!("sha256      {}", hex::encode(metadata.digest.as_bytes()));
        say!(
            "keys        {} new, {} revised{}",
            metadata.key_count,
            metadata.revised_key_count,
            skipped_text(&census.keys)
        );
        say!("by day      {}", counts(&census.by_day));
        say!("by period   {}", counts(&census.by_period));
        say!("by report   {}", counts(&census.by_report_type));
    }
    signature.transpose().map_err(refused)?;
    Ok(())
}

fn generate(arguments: &Generate) -> Result<(), Failure> {
    let pem = failure::read_text(&arguments.sign_with)?;
    let identity = KeyIdentity::new(&arguments.key_id, &arguments.key_version);
    let signing_key = SigningKey::from_pem(identity, &pem).map_err(|error| {
        let path = arguments.sign_with.display().to_string();
        Failure::Refused(anyhow::Error::new(error).context(path))
    })?;
    if arguments.days > arguments.last_day.days_since_1970().saturating_add(1) {
        let (days, last) = (arguments.days, arguments.last_day);
        return Err(Failure::Refused(anyhow::anyhow!(
            "{days} days up to {last} begin before 1970"
        )));
    }
    let mut rng = ChaCha20Rng::seed_from_u64(arguments.seed);
    let first_day = arguments.last_day.saturating_sub(arguments.days - 1);
    let details = DiagnosisKeyDetails {
        report_type: Some(ReportType::ConfirmedTest),
        ..DiagnosisKeyDetails::default()
    };
    let days = (0..arguments.days).cycle().map(|day| first_day.saturating_add(day));
    let keys = (0..arguments.count).zip(days).map(|(_, day)| {
        let mut bytes = [0; 16];
        rng.fill_bytes(&mut bytes);
        DiagnosisKey::new(bytes, day.first_interval(), RollingPeriod::DAY, details)
    });
    let written = ExportWriter::new()
        .window(first_day.start(), arguments.last_day.saturating_add(1).start())
        .region(&arguments.region)
        .batch(Batch::SINGLE)
        .keys(keys)
        .signed_with(signing_key)
        .write()
        .map_err(Failure::refused)?;
    failure::write(&arguments.out, &written.zip)?;
    say!(
        "{}: {} keys, {} bytes, sha256 {}",
        arguments.out.display(),
        arguments.count,
        written.zip.len(),
        hex::encode(written.digest.as_bytes())
    );
    Ok(())
}

/// Skipped keys by reason, for machines.
pub(crate) fn skipped_json(keys: &KeyReport) -> Value {
    let by_reason = SkipReason::ALL
        .into_iter()
        .map(|reason| (reason.to_string(), Value::from(keys.skipped_for(reason))));
    Value::Object(by_reason.filter(|(_, count)| *count != 0).collect())
}

/// Skipped keys by reason, for people; empty if there are none.
pub(crate) fn skipped_text(keys: &KeyReport) -> String {
    let by_reason = SkipReason::ALL.into_iter().filter_map(|reason| {
        let count = keys.skipped_for(reason);
        (count > 0).then(|| format!(", {count} skipped: {reason}"))
    });
    by_reason.collect()
}

fn counts<K: ToString>(counts: &BTreeMap<K, u64>) -> String {
    let text: Vec<_> =
        counts.iter().map(|(what, count)| format!("{} × {count}", what.to_string())).collect();
    text.join(", ")
}
