//! `chikaku explain`: why a phone's user was told, and why not.

use std::path::PathBuf;

use anyhow::anyhow;
use chikaku_core::explain::{DayShare, ExposureExplanation, Silence};
use chikaku_core::risk::RiskLevel;
use chikaku_core::risk::assessment::{ConditionTerm, Contribution, Verdict};
use chikaku_core::risk::cocoa::Relation;
use chikaku_core::status::assessed::Assessed;
use chikaku_core::time::UtcDay;
use chikaku_simulator::world::{Outcome, PhoneResult};
use serde_json::{Value, json};

use crate::failure::Failure;
use crate::output::{self, say};
use crate::{instant, simulate};

#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// Scenario file; without it, an office lunch
    scenario: Option<PathBuf>,
    /// Seed of every random draw: the same seed gives the same bytes
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Only this phone
    #[arg(long)]
    phone: Option<String>,
    /// Only this UTC day, as YYYY-MM-DD
    #[arg(long)]
    day: Option<String>,
    /// Print the explanations as JSON
    #[arg(long)]
    json: bool,
}

pub(crate) fn run(arguments: &Arguments) -> Result<(), Failure> {
    let scenario = simulate::scenario(arguments.scenario.as_deref())?;
    let named: Vec<_> = (0..scenario.phones.len())
        .filter(|&phone| {
            let name = &scenario.phones[phone].name;
            arguments.phone.as_ref().is_none_or(|wanted| wanted == name)
        })
        .collect();
    if named.is_empty() {
        let name = arguments.phone.as_deref().unwrap_or_default();
        return Err(Failure::Refused(anyhow!("no phone of the scenario is called {name:?}")));
    }
    let outcome = simulate::simulate(&scenario, arguments.seed);
    let wanted = |day: &UtcDay| arguments.day.as_ref().is_none_or(|d| *d == day.to_string());
    if !outcome.phones.iter().flat_map(|phone| phone.silences.keys()).any(wanted) {
        let day = arguments.day.as_deref().unwrap_or_default();
        return Err(Failure::Refused(anyhow!("{day:?} is no day of the scenario (YYYY-MM-DD)")));
    }
    if arguments.json {
        let phones = named.iter().map(|&phone| to_json(&outcome, phone, &wanted));
        output::json(&json!({
            "scenario": outcome.scenario.name,
            "seed": outcome.seed,
            "phones": phones.collect::<Vec<_>>(),
        }));
    } else {
        for phone in named {
            print(&outcome, phone, &wanted);
        }
    }
    Ok(())
}

fn to_json(outcome: &Outcome, phone: usize, wanted: &dyn Fn(&UtcDay) -> bool) -> Value {
    let result = &outcome.phones[phone];
    let silences: Vec<_> = result
        .silences
        .iter()
        .filter(|(day, _)| wanted(day))
        .map(|(day, reasons)| json!({"day": day.to_string(), "reasons": reasons}))
        .collect();
    let exposures = result.explanations.iter().map(|exposure| {
        let days: Vec<_> = exposure.days.iter().filter(|share| wanted(&share.day)).collect();
        json!({
            "key": exposure.key.to_string(),
            "rolling_start": exposure.rolling_start.get(),
            "identifiers_matched": exposure.identifiers_matched,
            "sightings_kept": exposure.sightings_kept,
            "sightings_dropped": exposure.sightings_dropped,
            "days": days,
        })
    });
    let recorded: Vec<_> = result.assessed.iter().filter(|record| wanted(&record.date)).collect();
    json!({
        "phone": outcome.name(phone),
        "exposures": exposures.collect::<Vec<_>>(),
        "silences": silences,
        "assessed": recorded,
    })
}

fn print(outcome: &Outcome, phone: usize, wanted: &dyn Fn(&UtcDay) -> bool) {
    let result = &outcome.phones[phone];
    say!("{}", outcome.name(phone));
    for (day, reasons) in result.silences.iter().filter(|(day, _)| wanted(day)) {
        print_day(result, *day, reasons);
    }
    say!("");
}

fn print_day(result: &PhoneResult, day: UtcDay, reasons: &[Silence]) {
    say!("  {day}: {}", reasons.iter().map(in_words).collect::<Vec<_>>().join("; "));
    if let Some(record) = result.assessed.iter().find(|record| record.date == day) {
        say!("    {}", recorded(record));
    }
    for exposure in &result.explanations {
        for share in exposure.days.iter().filter(|share| share.day == day) {
            print_share(exposure, share);
        }
    }
    let of_the_day = result.explanations.iter().flat_map(|exposure| &exposure.days);
    let mut of_the_day = of_the_day.filter(|share| share.day == day);
    if let Some(DayShare { level, score, conditions, .. }) = of_the_day.next() {
        let level = if *level == RiskLevel::High { "High" } else { "Low" };
        say!("    the day: score {score:.1}, {level}");
        let asking = conditions.iter().filter(|term| term.relation != Relation::Nop);
        asking.for_each(|term| say!("      {}", condition(term)));
    }
}

fn print_share(exposure: &ExposureExplanation, share: &DayShare) {
    let dropped = exposure
        .sightings_dropped
        .iter()
        .map(|(reason, count)| format!("{count} dropped: {}", name(reason)));
    let sightings = [format!("{} sightings count", exposure.sightings_kept)];
    say!(
        "    key {}, {} identifiers heard, {}",
        exposure.key,
        exposure.identifiers_matched,
        sightings.into_iter().chain(dropped).collect::<Vec<_>>().join(", ")
    );
    share.contributions.iter().for_each(|window| say!("      {}", contribution(window)));
}

fn contribution(window: &Contribution) -> String {
    let buckets = window.buckets.iter().filter(|bucket| bucket.seconds > 0).map(|bucket| {
        let (from, to) = (bucket.from.db(), bucket.to.db());
        let range =
            if to == u16::MAX { format!("{from} dB on") } else { format!("{from}–{to} dB") };
        format!("{} s at {range} × {}", bucket.seconds, bucket.weight)
    });
    let sum = buckets.collect::<Vec<_>>().join(" + ");
    let factors = window
        .factors
        .iter()
        .map(|factor| format!(" × {} ({})", factor.value, name(&factor.factor)));
    let verdict = match window.verdict {
        Verdict::Kept => String::new(),
        Verdict::Dropped(reason) => format!(", does not count: {}", name(&reason)),
    };
    let at = instant::utc(window.first_heard_at);
    format!("{at}: ({sum}){} = {:.1}{verdict}", factors.collect::<String>(), window.score)
}

fn condition(term: &ConditionTerm) -> String {
    let holds = if term.holds { "holds" } else { "does not hold" };
    let (quantity, relation) = (name(&term.quantity), name(&term.relation));
    format!("{quantity} {:.1} {relation} {:.1} {holds}", term.value, term.threshold)
}

fn recorded(record: &Assessed) -> String {
    format!(
        "{} of {} minutes scanned, {} key files ({} missing), {} keys checked",
        record.minutes_scanned,
        record.minutes_planned,
        record.files_ok,
        record.files_missing,
        record.keys_checked
    )
}

fn in_words(silence: &Silence) -> String {
    match silence {
        Silence::NotListening { minutes_scanned, minutes_planned } => {
            format!("listened for {minutes_scanned} of {minutes_planned} minutes")
        }
        Silence::ClockSuspect { sightings } => {
            format!("{sightings} sightings wait for a trusted time")
        }
        Silence::NoKeyFile { refused } => format!("no key file since ({refused} refused)"),
        Silence::NoKeyHeard { keys_checked } => {
            format!("none of {keys_checked} keys checked since was heard")
        }
        Silence::NearMisses { keys, .. } => format!("{keys} keys heard, every sighting dropped"),
        other => other.code().replace('_', " "),
    }
}

/// The word that the reason has in JSON.
fn name(reason: &impl serde::Serialize) -> String {
    let value = serde_json::to_value(reason).unwrap_or_default();
    value.as_str().map_or_else(|| value.to_string(), |word| word.replace('_', " "))
}
