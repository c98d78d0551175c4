//! `chikaku simulate`.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use chikaku_core::risk::Assessment;
use chikaku_core::risk::RiskLevel;
use chikaku_simulator::experiment::scenario_result::tables;
use chikaku_simulator::scenario::{Scenario, library};
use chikaku_simulator::trace_file;
use chikaku_simulator::world::{Contact, Outcome, World};
use cpu_time::ProcessTime;
use serde_json::{Value, json};

use crate::experiment::write_tables;
use crate::failure::{Failure, read_text, write};
use crate::output::{self, say};
use crate::{instant, progress, table};

#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// Scenario file; without it, an office lunch
    scenario: Option<PathBuf>,
    /// Seed of every random draw: the same seed gives the same bytes
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Print the result as JSON
    #[arg(long)]
    json: bool,
    /// Write every event as a line of JSON to this file
    #[arg(long, value_name = "FILE")]
    trace: Option<PathBuf>,
    /// Run a trace that --trace wrote again, and see that every event is the same
    #[arg(long, value_name = "FILE", conflicts_with_all = ["scenario", "town", "trace", "seed"])]
    replay: Option<PathBuf>,
    /// Write what came of it as tables into this folder, for `chikaku report`
    #[arg(long, value_name = "DIR", conflicts_with = "town")]
    out: Option<PathBuf>,
    /// A made-up town of so many phones instead of a scenario file, to see how fast it runs
    #[arg(long, value_name = "PHONES", conflicts_with = "scenario",
          value_parser = clap::value_parser!(u32).range(2..=100_000))]
    town: Option<u32>,
    /// For how many days the town is simulated
    #[arg(long, default_value_t = 14, requires = "town",
          value_parser = clap::value_parser!(u32).range(1..=60))]
    days: u32,
}

pub(crate) fn run(arguments: &Arguments) -> Result<(), Failure> {
    if let Some(phones) = arguments.town {
        return run_town(phones, arguments);
    }
    let text = scenario_text(arguments.scenario.as_deref())?;
    let scenario = parsed(&text, arguments.scenario.as_deref())?;
    let outcome = if let Some(path) = &arguments.replay {
        let replayed = trace_file::replay(&read_text(path)?);
        let outcome = replayed.map_err(|error| Failure::refused(error).about(path))?;
        if !arguments.json {
            say!("every event is the same, and so is the digest\n");
        }
        outcome
    } else if let Some(path) = &arguments.trace {
        let outcome = World::new(&scenario, arguments.seed).with_trace().run(|_| {});
        write(path, trace_file::write(&outcome, &text).map_err(Failure::refused)?.as_bytes())?;
        outcome
    } else {
        simulate(&scenario, arguments.seed)
    };
    if let Some(folder) = &arguments.out {
        write_tables(folder, &tables(&outcome))?;
    }
    if arguments.json {
        output::json(&to_json(&outcome));
    } else {
        print(&outcome);
    }
    Ok(())
}

fn run_town(phones: u32, arguments: &Arguments) -> Result<(), Failure> {
    let scenario = Scenario::town(phones, arguments.days, arguments.seed);
    let (begun, cpu) = (Instant::now(), ProcessTime::now());
    let bar = progress::bar(1000, "simulating");
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "0 to 1000")]
    let outcome = World::new(&scenario, arguments.seed)
        .with_spent()
        .run(|done| bar.set_position((done * 1000.0) as u64));
    bar.finish_and_clear();
    let minutes = begun.elapsed().as_secs_f64() / 60.0;
    let core_minutes = cpu.elapsed().as_secs_f64() / 60.0;
    let phone_days = f64::from(phones) * f64::from(arguments.days);
    let judgement = outcome.judgement();
    if arguments.json {
        output::json(&json!({
            "phones": phones,
            "days": arguments.days,
            "seed": arguments.seed,
            "notified": outcome.notified().len(),
            "missed": judgement.missed,
            "false": judgement.falsely,
            "trace_events": outcome.trace_events,
            "digest": hex::encode(outcome.digest),
        }));
        return Ok(());
    }
    say!("{}: {phones} phones, {} days, seed {}", scenario.name, arguments.days, arguments.seed);
    say!(
        "{} diagnosed, {} notified, {} missed, {} falsely told",
        scenario.diagnoses.len(),
        outcome.notified().len(),
        judgement.missed,
        judgement.falsely
    );
    say!(
        "{:.0} phone-days per core-minute ({:.1} s of processor time, {:.1} s in all, one thread)",
        phone_days / core_minutes,
        core_minutes * 60.0,
        minutes * 60.0
    );
    if let Some(spent) = outcome.spent {
        let share = |part: Duration| {
            100.0 * part.as_secs_f64() / spent.total().as_secs_f64().max(f64::MIN_POSITIVE)
        };
        say!(
            "radio {:.0} %, engines hearing {:.0} %, waking {:.0} %, key files {:.0} %, others {:.0} %",
            share(spent.radio),
            share(spent.scans),
            share(spent.wakes),
            share(spent.key_files),
            share(spent.others)
        );
    }
    if let Some(kilobytes) = most_memory_kilobytes() {
        let megabytes = f64::from(kilobytes) / 1024.0;
        say!("{megabytes:.0} MB at most, {:.2} MB a phone", megabytes / f64::from(phones));
    }
    say!("{} events, digest {}", outcome.trace_events, hex::encode(outcome.digest));
    Ok(())
}

/// The most memory that this process had; `None` where the system does not say.
fn most_memory_kilobytes() -> Option<u32> {
    let status = fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    line.trim().strip_suffix("kB")?.trim().parse().ok()
}

/// The scenario of a file; without one, the office lunch.
pub(crate) fn scenario(path: Option<&Path>) -> Result<Scenario, Failure> {
    parsed(&scenario_text(path)?, path)
}

fn scenario_text(path: Option<&Path>) -> Result<String, Failure> {
    let built_in = || library::named("office_lunch").map_or("", |entry| entry.text).to_owned();
    path.map_or_else(|| Ok(built_in()), read_text)
}

fn parsed(text: &str, path: Option<&Path>) -> Result<Scenario, Failure> {
    Scenario::parse(text).map_err(|error| match path {
        Some(path) => Failure::refused(error).about(path),
        None => Failure::refused(error),
    })
}

/// Runs it to its end, with a progress bar.
pub(crate) fn simulate(scenario: &Scenario, seed: u64) -> Outcome {
    let bar = progress::bar(1000, "simulating");
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "0 to 1000")]
    let outcome = World::new(scenario, seed).run(|done| bar.set_position((done * 1000.0) as u64));
    bar.finish_and_clear();
    outcome
}

fn to_json(outcome: &Outcome) -> Value {
    let phones = &outcome.scenario.phones;
    let contacts: Vec<_> = outcome
        .contacts
        .iter()
        .map(|contact| {
            json!({
                "phones": [outcome.name(contact.one), outcome.name(contact.other)],
                "place": contact.place,
                "distance_m": contact.distance_m,
                "seconds": contact.seconds,
            })
        })
        .collect();
    let exposures: Vec<_> = days(outcome)
        .map(|(phone, day)| {
            json!({
                "phone": outcome.name(phone),
                "matched_identifiers": outcome.phones[phone].matched_identifiers,
                "windows": day.kept().count(),
                "day": day.day.to_string(),
                "level": day.level,
                "score_sum": day.score,
                "maximum_score": day.kept().map(|window| window.score).fold(0.0, f64::max),
                "seconds_since_last_scan_sum": day.seconds(),
                "notified_at": notified_at(outcome, phone, day).map(|at| at.unix_seconds()),
            })
        })
        .collect();
    json!({
        "scenario": outcome.scenario.name,
        "seed": outcome.seed,
        "phones": phones.iter().map(|phone| &phone.name).collect::<Vec<_>>(),
        "diagnosed": outcome.diagnosed().collect::<Vec<_>>(),
        "notified": outcome.notified(),
        "exposures": exposures,
        "contacts": contacts,
        "refused_key_files": outcome.refused_files,
        "trace_events": outcome.trace_events,
        "digest": hex::encode(outcome.digest),
    })
}

fn print(outcome: &Outcome) {
    let scenario = &outcome.scenario;
    say!("{}: {} phones, seed {}", scenario.name, scenario.phones.len(), outcome.seed);
    say!("{} to {}\n", instant::utc(scenario.starts), instant::utc(scenario.ends));

    let diagnosed: Vec<_> = scenario.diagnoses.iter().map(|diagnosis| diagnosis.phone).collect();
    let concerns_a_patient =
        |contact: &Contact| diagnosed.iter().any(|&p| p == contact.one || p == contact.other);
    say!("Who met whom ({} more meetings of people not infected: see --json)", {
        outcome.contacts.iter().filter(|contact| !concerns_a_patient(contact)).count()
    });
    let mut contacts = table::with_header(["place", "phones", "distance", "for"]);
    for contact in outcome.contacts.iter().filter(|contact| concerns_a_patient(contact)) {
        contacts.add_row([
            contact.place.clone(),
            format!("{} – {}", outcome.name(contact.one), outcome.name(contact.other)),
            format!("{:.1} m", contact.distance_m),
            format!("{} min", contact.seconds / 60),
        ]);
    }
    say!("{contacts}\n");

    for diagnosis in &scenario.diagnoses {
        let reported = instant::utc(diagnosis.reported);
        say!(
            "{} tested positive and published the keys at {reported}",
            outcome.name(diagnosis.phone)
        );
    }
    for refused in &outcome.refused_files {
        say!("key file refused by {refused}");
    }

    say!("\nWho was notified, and why (High: score of 1350 or more and 900 s or more)");
    let mut verdicts = table::with_header([
        "phone",
        "day",
        "score",
        "seconds",
        "windows",
        "identifiers",
        "level",
        "notified",
    ]);
    for (phone, day) in days(outcome) {
        let told = notified_at(outcome, phone, day);
        verdicts.add_row([
            outcome.name(phone).to_owned(),
            day.day.to_string(),
            format!("{:.1}", day.score),
            day.seconds().to_string(),
            day.kept().count().to_string(),
            outcome.phones[phone].matched_identifiers.to_string(),
            if day.level == RiskLevel::High { "High" } else { "Low" }.to_owned(),
            told.map_or_else(|| "no".to_owned(), instant::utc),
        ]);
    }
    say!("{verdicts}");
    let unexposed = (0..scenario.phones.len())
        .filter(|&phone| outcome.phones[phone].days.is_empty())
        .map(|phone| outcome.name(phone))
        .collect::<Vec<_>>();
    say!("no exposure: {}", unexposed.join(", "));
    say!("\n{} events, digest {}", outcome.trace_events, hex::encode(outcome.digest));
}

/// Every day with an exposure, by phone.
fn days(outcome: &Outcome) -> impl Iterator<Item = (usize, &Assessment)> {
    let of = |(phone, result)| {
        let result: &chikaku_simulator::world::PhoneResult = result;
        result.days.iter().map(move |day| (phone, day))
    };
    outcome.phones.iter().enumerate().flat_map(of)
}

fn notified_at(
    outcome: &Outcome,
    phone: usize,
    day: &Assessment,
) -> Option<chikaku_core::time::Timestamp> {
    let told = outcome
        .announcements
        .iter()
        .find(|told| told.phone == phone && told.assessment.day == day.day);
    told.map(|told| told.at)
}
