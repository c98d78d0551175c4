//! The TOML form of a scenario.

use std::collections::{BTreeMap, BTreeSet};

use chikaku_core::engine::plan::ScanSchedule;
use chikaku_core::matching::MatchingRules;
use chikaku_core::time::{Timestamp, UtcDay};
use serde::Deserialize;
use toml::Spanned;
use toml::value::Datetime;

use super::error::Lines;
use super::system::SystemWord;
use super::{
    Diagnosis, Interference, KeyServer, PhoneSpecification, Problem, Scenario, ScenarioError, Stay,
    System,
};
use crate::radio::PhoneModel;
use place::StayDocument;
use trouble::{AdversaryDocument, ExpectationDocument, FaultDocument};

mod place;
mod trouble;

/// Farthest that a phone's clock may be off, in seconds: a year.
const CLOCK_ERROR_LIMIT: i32 = 366 * 86_400;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Document {
    name: Spanned<String>,
    #[serde(default)]
    shows: String,
    #[serde(default)]
    incidents: Vec<String>,
    #[serde(default)]
    defences: BTreeSet<super::Defence>,
    undefended: Option<String>,
    starts: Spanned<Datetime>,
    hours: Spanned<u32>,
    phones: Vec<PhoneDocument>,
    #[serde(default)]
    stays: Vec<StayDocument>,
    #[serde(default)]
    diagnoses: Vec<DiagnosisDocument>,
    #[serde(default)]
    key_server: KeyServerDocument,
    #[serde(default)]
    interference: InterferenceDocument,
    #[serde(default)]
    faults: Vec<FaultDocument>,
    #[serde(default)]
    adversaries: Vec<AdversaryDocument>,
    expect: Option<ExpectationDocument>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct PhoneDocument {
    name: Spanned<String>,
    model: PhoneModel,
    #[serde(default)]
    system: SystemWord,
    #[serde(default)]
    foreground: Vec<ForegroundDocument>,
    clock_error_seconds: Option<Spanned<i32>>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct ForegroundDocument {
    from: Spanned<Datetime>,
    to: Spanned<Datetime>,
}

impl PhoneDocument {
    fn system(&self, lines: &Lines<'_>) -> Result<System, ScenarioError> {
        let spans = self.foreground.iter().map(|span| {
            let from = instant(lines, "from", &span.from)?;
            let to = instant(lines, "to", &span.to)?;
            if to <= from {
                let what = format!("the foreground of {}", self.name.get_ref());
                return Err(Problem::EndsBeforeItBegins(what).at(lines, &span.to.span()));
            }
            Ok([from, to])
        });
        let foreground = spans.collect::<Result<Vec<_>, _>>()?;
        match self.system {
            SystemWord::Ios => Ok(System::Ios { foreground }),
            SystemWord::Android if foreground.is_empty() => Ok(System::Android),
            SystemWord::Android => {
                let what = "a phone with `foreground`".to_owned();
                let missing = Problem::Missing { what, field: "system = \"ios\"" };
                Err(missing.at(lines, &self.name.span()))
            }
        }
    }
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct DiagnosisDocument {
    phone: Spanned<String>,
    reported: Spanned<Datetime>,
    onset: Option<Spanned<Datetime>>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct KeyServerDocument {
    export_every_hours: Option<Spanned<u32>>,
    download_every_hours: Option<Spanned<u32>>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct InterferenceDocument {
    untrusted_signature: bool,
    matching: Option<MatchingRules>,
    minimum_window_score: Option<Spanned<f64>>,
    scans: Option<ScansDocument>,
    scans_missed: Option<Spanned<f64>>,
    body_db: Option<Spanned<f64>>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct ScansDocument {
    seconds: Spanned<u32>,
    longest_pause_seconds: Spanned<u32>,
    pause_jitter_seconds: Spanned<u32>,
}

impl ScansDocument {
    fn into_schedule(self, lines: &Lines<'_>) -> Result<ScanSchedule, ScenarioError> {
        let hour = |what, value, least| {
            in_range(lines, what, value, least..=3600.0, "1 to 3600; the jitter 0 to 3600").copied()
        };
        Ok(ScanSchedule {
            scan_seconds: hour("seconds", &self.seconds, 1.0)?,
            longest_pause_seconds: hour("longest_pause_seconds", &self.longest_pause_seconds, 1.0)?,
            pause_jitter_seconds: hour("pause_jitter_seconds", &self.pause_jitter_seconds, 0.0)?,
        })
    }
}

/// What the parts of a scenario need to know of the whole.
struct Whole<'a> {
    lines: &'a Lines<'a>,
    phones: &'a [PhoneSpecification],
    stays: &'a [Stay],
    starts: Timestamp,
    ends: Timestamp,
}

impl Document {
    pub(super) fn into_scenario(self, lines: &Lines<'_>) -> Result<Scenario, ScenarioError> {
        let starts = instant(lines, "starts", &self.starts)?;
        let hours = *in_range(lines, "hours", &self.hours, 1.0..=24.0 * 366.0, "1 to 8784")?;
        let ends = starts.saturating_add(hours.saturating_mul(3600));
        let phones = phones(lines, self.phones)?;
        let mut whole = Whole { lines, phones: &phones, stays: &[], starts, ends };

        let spans: Vec<_> = self.stays.iter().map(|stay| stay.place.span()).collect();
        let stays = self.stays.into_iter().map(|stay| stay.into_stay(&whole));
        let stays = stays.collect::<Result<Vec<_>, _>>()?;
        nobody_is_in_two_places(&whole, &stays, &spans)?;
        whole.stays = &stays;

        let diagnoses =
            self.diagnoses.into_iter().map(|diagnosis| diagnosis.into_diagnosis(&whole));
        let diagnoses = diagnoses.collect::<Result<Vec<_>, _>>()?;
        let mut faults = Vec::new();
        for fault in self.faults {
            fault.into_faults(&whole, &mut faults)?;
        }
        faults.sort_by_key(|fault| fault.at);
        let adversaries = self.adversaries.into_iter().map(|one| one.into_adversary(&whole));
        let adversaries = adversaries.collect::<Result<Vec<_>, _>>()?;
        let expect = self.expect.map(|expect| expect.into_expectation(&whole)).transpose()?;
        if expect.is_some() && self.defences.is_empty() == self.undefended.is_none() {
            return Err(Problem::NoDefenceNamed.at(lines, &self.name.span()));
        }
        let minimum = self.interference.minimum_window_score;
        if let Some(minimum) = &minimum {
            in_range(lines, "minimum_window_score", minimum, 0.0..=1e12, "0 to 1e12")?;
        }
        let (mut scans_missed, mut body_db) = (0.0, 0.0);
        if let Some(share) = &self.interference.scans_missed {
            scans_missed = *in_range(lines, "scans_missed", share, 0.0..=1.0, "0 to 1")?;
        }
        if let Some(loss) = &self.interference.body_db {
            body_db = *in_range(lines, "body_db", loss, 0.0..=60.0, "0 to 60")?;
        }
        let scans = self.interference.scans.map(|scans| scans.into_schedule(lines));
        let scan_schedule = scans.transpose()?;
        let key_server = self.key_server.into_key_server(lines)?;
        Ok(Scenario {
            name: self.name.into_inner(),
            shows: self.shows,
            incidents: self.incidents,
            starts,
            ends,
            diagnoses,
            key_server,
            interference: Interference {
                untrusted_signature: self.interference.untrusted_signature,
                matching: self.interference.matching,
                minimum_window_score: minimum.map(Spanned::into_inner),
                scan_schedule,
                scans_missed,
                body_db,
            },
            faults,
            adversaries,
            defences: self.defences,
            undefended: self.undefended,
            without: BTreeSet::new(),
            expect,
            phones,
            stays,
        })
    }
}

fn phones(
    lines: &Lines<'_>,
    documents: Vec<PhoneDocument>,
) -> Result<Vec<PhoneSpecification>, ScenarioError> {
    let mut phones: Vec<PhoneSpecification> = Vec::new();
    for document in documents {
        let mut clock_error_seconds = 0;
        if let Some(error) = &document.clock_error_seconds {
            let limit = f64::from(CLOCK_ERROR_LIMIT);
            let what = format!("the clock error of {}", document.name.get_ref());
            let range = "at most a year of seconds";
            clock_error_seconds = *in_range(lines, &what, error, -limit..=limit, range)?;
        }
        let system = document.system(lines)?;
        let span = document.name.span();
        let name = document.name.into_inner();
        if phones.iter().any(|phone| phone.name == name) {
            return Err(Problem::DuplicatePhone(name).at(lines, &span));
        }
        let model = document.model;
        phones.push(PhoneSpecification { name, model, system, clock_error_seconds });
    }
    Ok(phones)
}

impl Whole<'_> {
    fn phone(&self, name: &Spanned<String>) -> Result<usize, ScenarioError> {
        let names = self.phones.iter().map(|phone| &phone.name);
        self.named("phone", name, names.collect())
    }

    fn stay(&self, place: &Spanned<String>) -> Result<usize, ScenarioError> {
        self.named("place", place, self.stays.iter().map(|stay| &stay.place).collect())
    }

    fn named(
        &self,
        what: &'static str,
        name: &Spanned<String>,
        allowed: Vec<&String>,
    ) -> Result<usize, ScenarioError> {
        allowed.iter().position(|one| *one == name.get_ref()).ok_or_else(|| {
            let allowed = allowed.into_iter().cloned().collect();
            let unknown = Problem::Unknown { what, name: name.get_ref().clone(), allowed };
            unknown.at(self.lines, &name.span())
        })
    }

    /// An instant within the scenario.
    fn instant(
        &self,
        what: &'static str,
        value: &Spanned<Datetime>,
    ) -> Result<Timestamp, ScenarioError> {
        let at = instant(self.lines, what, value)?;
        if at < self.starts || at > self.ends {
            let outside = Problem::OutsideScenario(format!("`{what}`"));
            return Err(outside.at(self.lines, &value.span()));
        }
        Ok(at)
    }
}

impl DiagnosisDocument {
    fn into_diagnosis(self, whole: &Whole<'_>) -> Result<Diagnosis, ScenarioError> {
        let reported = instant(whole.lines, "reported", &self.reported)?;
        if reported < whole.starts || reported >= whole.ends {
            let outside =
                Problem::OutsideScenario(format!("the diagnosis of {}", self.phone.get_ref()));
            return Err(outside.at(whole.lines, &self.reported.span()));
        }
        let onset = self.onset.map(|onset| day(whole.lines, "onset", &onset)).transpose()?;
        Ok(Diagnosis { phone: whole.phone(&self.phone)?, reported, onset })
    }
}

impl KeyServerDocument {
    fn into_key_server(self, lines: &Lines<'_>) -> Result<KeyServer, ScenarioError> {
        let hours = |what, hours: &Option<Spanned<u32>>| match hours {
            None => Ok(4),
            Some(hours) => in_range(lines, what, hours, 1.0..=24.0 * 366.0, "1 to 8784").copied(),
        };
        Ok(KeyServer {
            export_every_hours: hours("export_every_hours", &self.export_every_hours)?,
            download_every_hours: hours("download_every_hours", &self.download_every_hours)?,
        })
    }
}

fn nobody_is_in_two_places(
    whole: &Whole<'_>,
    stays: &[Stay],
    spans: &[core::ops::Range<usize>],
) -> Result<(), ScenarioError> {
    // Each phone's stays by their beginning: only neighbours can overlap first.
    let mut of_phone: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
    for (number, stay) in stays.iter().enumerate() {
        for phone in stay.positions.keys() {
            of_phone.entry(*phone).or_default().push(number);
        }
    }
    for (phone, mut numbers) in of_phone {
        numbers.sort_by_key(|&number| (stays[number].from, number));
        for pair in numbers.windows(2) {
            let (first, second) = (&stays[pair[0]], &stays[pair[1]]);
            if second.from < first.to {
                let both = Problem::TwoPlacesAtOnce {
                    phone: whole.phones[phone].name.clone(),
                    first: first.place.clone(),
                    second: second.place.clone(),
                };
                return Err(both.at(whole.lines, &spans[pair[1]]));
            }
        }
    }
    Ok(())
}

fn in_range<'v, T: Copy + Into<f64>>(
    lines: &Lines<'_>,
    what: &str,
    value: &'v Spanned<T>,
    allowed: core::ops::RangeInclusive<f64>,
    range: &'static str,
) -> Result<&'v T, ScenarioError> {
    let number = (*value.get_ref()).into();
    if allowed.contains(&number) {
        return Ok(value.get_ref());
    }
    let out = Problem::OutOfRange { what: what.to_owned(), range, value: number };
    Err(out.at(lines, &value.span()))
}

fn instant(
    lines: &Lines<'_>,
    what: &'static str,
    value: &Spanned<Datetime>,
) -> Result<Timestamp, ScenarioError> {
    let text = value.get_ref().to_string();
    let seconds = text.parse::<jiff::Timestamp>().map(jiff::Timestamp::as_second);
    let timestamp = seconds.ok().and_then(|seconds| Timestamp::from_unix_seconds(seconds).ok());
    timestamp.ok_or_else(|| Problem::NotAnInstant { what, value: text }.at(lines, &value.span()))
}

/// A date, taken as the UTC day of that date.
fn day(
    lines: &Lines<'_>,
    what: &'static str,
    value: &Spanned<Datetime>,
) -> Result<UtcDay, ScenarioError> {
    let text = value.get_ref().to_string();
    let midnight = format!("{text}T00:00:00Z").parse::<jiff::Timestamp>();
    let timestamp = midnight.ok().and_then(|t| Timestamp::from_unix_seconds(t.as_second()).ok());
    timestamp
        .map(Timestamp::day)
        .ok_or_else(|| Problem::NotAnInstant { what, value: text }.at(lines, &value.span()))
}
