//! `chikaku config`: whether anybody would be notified under a risk configuration.

use std::path::{Path, PathBuf};

use chikaku_core::diagnosis_key::{DaysSinceOnset, DiagnosisKeyDetails, ReportType};
use chikaku_core::risk::{ProfileName, RiskProfile};
use chikaku_core::validation::document::{self, Candidate};
use chikaku_core::validation::{
    ConfigurationRejected, MonotonyRequirement, Report, Requirements, Validated, Warning, validate,
};
use clap::ValueEnum;
use serde::Deserialize;
use serde::de::IntoDeserializer;
use serde::de::value::Error as NoSuchName;
use serde_json::{Value, json};

use crate::failure::{self, Failure};
use crate::output::{self, say};

#[derive(Debug, clap::Subcommand)]
pub(crate) enum Command {
    /// Say of each configuration whether anybody would be notified under it, with the proof
    Check(Check),
    /// Print a built-in risk profile as a document
    Show(Show),
}

#[derive(Debug, clap::Args)]
pub(crate) struct Check {
    /// Risk profiles, or COCOA's configuration.json and risk_calculation_configuration.json
    #[arg(required = true)]
    files: Vec<PathBuf>,
    /// The key server sends this transmission risk level with every key; without it, none
    #[arg(long, value_parser = clap::value_parser!(u8).range(0..=8))]
    transmission_risk_level: Option<u8>,
    /// The key server sends this report type with every key, for example `confirmed_test`
    #[arg(long, value_parser = parse_report_type)]
    report_type: Option<ReportType>,
    /// The key server sends these days since onset with every key
    #[arg(long, allow_negative_numbers = true, value_parser = parse_days_since_onset)]
    days_since_onset: Option<DaysSinceOnset>,
    /// In which rule sets a closer or longer contact must not score less
    #[arg(long, value_enum, default_value_t = Monotone::WhereClaimed)]
    monotone: Monotone,
    /// Print the result as JSON
    #[arg(long)]
    json: bool,
}

#[derive(Debug, clap::Args)]
pub(crate) struct Show {
    /// gaen, cocoa-v2, google-v1, apple-v1, cwa, monotone or proximity
    #[arg(value_parser = parse_profile_name)]
    profile: ProfileName,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Monotone {
    /// In all
    Everywhere,
    /// In gaen, monotone and proximity; the others reproduce systems in which it can
    WhereClaimed,
    /// In none: it is a warning
    Nowhere,
}

pub(crate) fn run(command: &Command) -> Result<(), Failure> {
    match command {
        Command::Check(arguments) => check(arguments),
        Command::Show(arguments) => show(arguments),
    }
}

fn show(arguments: &Show) -> Result<(), Failure> {
    let profile = match arguments.profile {
        ProfileName::Gaen => RiskProfile::gaen(),
        ProfileName::CocoaV2 => RiskProfile::cocoa_v2(),
        ProfileName::GoogleV1 => RiskProfile::google_v1(),
        ProfileName::AppleV1 => RiskProfile::apple_v1(),
        ProfileName::Cwa => RiskProfile::cwa(),
        ProfileName::Proximity => RiskProfile::proximity(),
        _ => RiskProfile::monotone(),
    };
    let document = serde_json::to_string_pretty(&profile).map_err(Failure::refused)?;
    say!("{document}");
    Ok(())
}

/// One profile of a file: accepted or not.
type Verdict = Result<Validated, ConfigurationRejected>;
/// The profiles of one file.
type Checked = Result<Vec<(Candidate, Verdict)>, Failure>;

fn check(arguments: &Check) -> Result<(), Failure> {
    let requirements = Requirements {
        assured: DiagnosisKeyDetails {
            transmission_risk_level: arguments.transmission_risk_level,
            report_type: arguments.report_type,
            days_since_onset: arguments.days_since_onset,
            ..DiagnosisKeyDetails::default()
        },
        monotony: match arguments.monotone {
            Monotone::Everywhere => MonotonyRequirement::Everywhere,
            Monotone::WhereClaimed => MonotonyRequirement::WhereClaimed,
            Monotone::Nowhere => MonotonyRequirement::Nowhere,
        },
        ..Requirements::default()
    };
    let (mut results, mut unreadable, mut refused) = (Vec::new(), None, Vec::new());
    for file in &arguments.files {
        let name = file.display().to_string();
        let checked = check_file(file, &requirements);
        if arguments.json {
            results.push(file_json(&name, &checked));
        } else {
            print_file(&name, &checked, &requirements);
        }
        match checked {
            Ok(verdicts) if verdicts.iter().all(|(_, verdict)| verdict.is_ok()) => {}
            Ok(_) | Err(Failure::Refused(_)) => refused.push(name),
            Err(failure @ Failure::File(_)) => unreadable = unreadable.or(Some(failure)),
        }
    }
    if arguments.json {
        output::json(&json!({ "requirements": requirements, "files": results }));
    }
    match unreadable {
        Some(failure) => Err(failure),
        None if refused.is_empty() => Ok(()),
        None => {
            let names = refused.join(", ");
            Err(Failure::Refused(anyhow::anyhow!("configuration refused: {names}")))
        }
    }
}

/// Every profile of `file`; a failure to read it names it, one to understand it does not.
fn check_file(file: &Path, requirements: &Requirements) -> Checked {
    let bytes = failure::read(file)?;
    let text = str::from_utf8(&bytes).map_err(Failure::refused)?;
    let candidates = document::read(text).map_err(Failure::refused)?;
    let validated = candidates.into_iter().map(|candidate| {
        let verdict = validate(candidate.profile.clone(), requirements);
        (candidate, verdict)
    });
    Ok(validated.collect())
}

fn print_file(name: &str, checked: &Checked, requirements: &Requirements) {
    match checked {
        Ok(verdicts) => verdicts.iter().for_each(|verdict| print(name, verdict, requirements)),
        Err(failure @ Failure::File(_)) => say!("{failure}"),
        Err(failure @ Failure::Refused(_)) => say!("{name}: REFUSED: {failure}"),
    }
}

fn file_json(name: &str, checked: &Checked) -> Value {
    match checked {
        Ok(verdicts) => {
            let accepted = verdicts.iter().all(|(_, verdict)| verdict.is_ok());
            let profiles: Vec<_> = verdicts.iter().map(verdict_json).collect();
            json!({ "file": name, "accepted": accepted, "profiles": profiles })
        }
        Err(failure) => json!({ "file": name, "accepted": false, "error": failure.to_string() }),
    }
}

fn report(verdict: &Verdict) -> &Report {
    match verdict {
        Ok(validated) => validated.report(),
        Err(rejected) => &rejected.report,
    }
}

fn print(name: &str, (candidate, verdict): &(Candidate, Verdict), requirements: &Requirements) {
    let report = report(verdict);
    let profile = kebab(report.profile);
    let what = if candidate.part.is_empty() {
        profile
    } else {
        format!("{profile} of {}", candidate.part)
    };
    let word = if verdict.is_ok() { "accepted" } else { "REFUSED" };
    say!("{name}: {word} ({what})");
    for demand in &report.demands {
        say!("  demanded  {demand}");
    }
    let unit = report.profile.score_unit();
    for (reach, of) in [
        (&report.assured_key, "a key that says what the server assures"),
        (&report.any_key, "any key"),
    ] {
        let keys = requirements.keys;
        let (least, one, all) = (reach.least, reach.greatest_of_one_key, reach.greatest);
        say!("  score     {least} to {one} {unit} of {of}; to {all} of {keys} such keys on a day");
    }
    match verdict {
        Ok(validated) => {
            say!("  notifies  {}", validated.witness());
            for warning in validated.warnings() {
                say!("  warning   {warning}");
            }
        }
        Err(rejected) => {
            for reason in &rejected.reasons {
                say!("  reason    {reason}");
            }
            if let Some(witness) = &report.witness {
                say!("  notifies  {witness}");
            }
        }
    }
}

fn verdict_json((candidate, verdict): &(Candidate, Verdict)) -> Value {
    let (reasons, reason_texts, warnings, warning_texts) = match verdict {
        Ok(validated) => {
            let warnings = validated.warnings();
            let said: Vec<_> = warnings.iter().map(Warning::to_string).collect();
            (json!([]), Vec::new(), json!(warnings), said)
        }
        Err(rejected) => {
            let said: Vec<_> = rejected.reasons.iter().map(ToString::to_string).collect();
            (json!(rejected.reasons), said, json!([]), Vec::new())
        }
    };
    json!({
        "part": candidate.part,
        "profile": kebab(report(verdict).profile),
        "accepted": verdict.is_ok(),
        "reasons": reasons,
        "reason_texts": reason_texts,
        "warnings": warnings,
        "warning_texts": warning_texts,
        "report": report(verdict),
    })
}

/// A profile's name as documents spell it.
fn kebab(name: ProfileName) -> String {
    json!(name).as_str().unwrap_or_default().to_owned()
}

fn parse_profile_name(text: &str) -> Result<ProfileName, NoSuchName> {
    ProfileName::deserialize(text.into_deserializer())
}

fn parse_report_type(text: &str) -> Result<ReportType, NoSuchName> {
    ReportType::deserialize(text.into_deserializer())
}

fn parse_days_since_onset(text: &str) -> Result<DaysSinceOnset, String> {
    let days = text.parse().ok().and_then(DaysSinceOnset::new);
    days.ok_or_else(|| "not a number of days from -14 to 14".to_owned())
}
