//! The TOML form of faults, adversaries and expectations.

use std::collections::{BTreeMap, BTreeSet};

use chikaku_core::status::HostFact;
use chikaku_core::time::Timestamp;
use serde::Deserialize;
use toml::Spanned;
use toml::value::Datetime;

use super::{Whole, in_range};
use crate::scenario::adversary::{AdversaryKind, AdversaryWord};
use crate::scenario::expectation::{Expectation, REASON_CODES};
use crate::scenario::fault::{FaultKind, FaultWord, FileContent};
use crate::scenario::{Adversary, Fault, Problem, ScenarioError};

/// More reboots than this are a typing error.
const MOST_REPETITIONS: usize = 10_000;
/// Farthest that a clock may be set in either direction, in seconds: a year.
const CLOCK_LIMIT: f64 = 366.0 * 86_400.0;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct FaultDocument {
    kind: Spanned<FaultWord>,
    at: Spanned<Datetime>,
    phone: Option<Spanned<String>>,
    until: Option<Spanned<Datetime>>,
    seconds: Option<Spanned<i32>>,
    every_seconds: Option<Spanned<u32>>,
    content: Option<FileContent>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct AdversaryDocument {
    kind: Spanned<AdversaryWord>,
    place: Spanned<String>,
    from: Option<Spanned<Datetime>>,
    to: Option<Spanned<Datetime>>,
    distance_m: Option<Spanned<f64>>,
    shift_seconds: Option<Spanned<i32>>,
    source: Option<Spanned<String>>,
    claimed_power_dbm: Option<i8>,
    identifiers_per_scan: Option<Spanned<u32>>,
    offered: Option<Spanned<Datetime>>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ExpectationDocument {
    notified: Vec<Spanned<String>>,
    #[serde(default)]
    reasons: BTreeMap<Spanned<String>, Vec<Spanned<String>>>,
    #[serde(default)]
    gone_at_the_end: Vec<Spanned<String>>,
    refused_files: Option<usize>,
    missed: Option<usize>,
    falsely: Option<usize>,
    late: Option<usize>,
    linkable: Option<u64>,
    most_sightings: Option<u64>,
}

impl FaultDocument {
    /// Adds the fault; one that repeats, as often as it does.
    pub(super) fn into_faults(
        self,
        whole: &Whole<'_>,
        faults: &mut Vec<Fault>,
    ) -> Result<(), ScenarioError> {
        let word = *self.kind.get_ref();
        let missing = |field| {
            let what = format!("the fault {word:?}");
            Problem::Missing { what, field }.at(whole.lines, &self.kind.span())
        };
        let at = whole.instant("at", &self.at)?;
        let phone = || match &self.phone {
            Some(phone) => whole.phone(phone),
            None => Err(missing("phone")),
        };
        let until = || {
            let Some(value) = &self.until else { return Err(missing("until")) };
            let until = whole.instant("until", value)?;
            if until <= at {
                let problem = Problem::EndsBeforeItBegins("the fault".to_owned());
                return Err(problem.at(whole.lines, &value.span()));
            }
            Ok(until)
        };
        let lacks = |what| {
            Ok::<_, ScenarioError>(FaultKind::Missing { phone: phone()?, what, until: until()? })
        };
        let kind = match word {
            FaultWord::ClockSet => {
                let seconds = self.seconds.as_ref().ok_or_else(|| missing("seconds"))?;
                let range = "at most a year of seconds";
                let limits = -CLOCK_LIMIT..=CLOCK_LIMIT;
                let seconds = in_range(whole.lines, "seconds", seconds, limits, range)?;
                FaultKind::ClockSet { phone: phone()?, seconds: i64::from(*seconds) }
            }
            FaultWord::TrustedTime => FaultKind::TrustedTime { phone: phone()? },
            FaultWord::Reboot => return self.reboots(whole, at, phone()?, faults),
            FaultWord::ProcessKilled => {
                FaultKind::ProcessKilled { phone: phone()?, until: until()? }
            }
            FaultWord::BluetoothOff => lacks(HostFact::Bluetooth)?,
            FaultWord::PermissionMissing => lacks(HostFact::Permission)?,
            FaultWord::LocationOff => lacks(HostFact::Location)?,
            FaultWord::NotificationsOff => lacks(HostFact::Notifications)?,
            FaultWord::ScansLost => FaultKind::ScansLost { phone: phone()?, until: until()? },
            FaultWord::DownloadsFail => {
                FaultKind::DownloadsFail { phone: phone()?, until: until()? }
            }
            FaultWord::FilesLost => FaultKind::FilesLost { until: until()? },
            FaultWord::KilledInDownload => FaultKind::KilledInDownload { phone: phone()? },
            FaultWord::KilledInNotice => FaultKind::KilledInNotice { phone: phone()? },
            FaultWord::PoisonedFile => {
                FaultKind::PoisonedFile { content: self.content.ok_or_else(|| missing("content"))? }
            }
            FaultWord::SilentConfiguration => FaultKind::SilentConfiguration { phone: phone()? },
        };
        faults.push(Fault { at, kind });
        Ok(())
    }

    fn reboots(
        &self,
        whole: &Whole<'_>,
        first: Timestamp,
        phone: usize,
        faults: &mut Vec<Fault>,
    ) -> Result<(), ScenarioError> {
        let off = match &self.seconds {
            Some(seconds) => {
                *in_range(whole.lines, "seconds", seconds, 1.0..=CLOCK_LIMIT, "1 to a year")?
            }
            None => 60,
        };
        let off = u32::try_from(off).unwrap_or(1);
        let last = match &self.until {
            Some(until) => whole.instant("until", until)?,
            None => first,
        };
        let every = match &self.every_seconds {
            Some(every) => {
                let least = f64::from(off) + 1.0;
                let range = "longer than the phone is off";
                *in_range(whole.lines, "every_seconds", every, least..=CLOCK_LIMIT, range)?
            }
            None => u32::MAX,
        };
        let mut at = first;
        for _ in 0..MOST_REPETITIONS {
            faults.push(Fault {
                at,
                kind: FaultKind::Reboot { phone, until: at.saturating_add(off) },
            });
            at = at.saturating_add(every);
            if at > last {
                break;
            }
        }
        Ok(())
    }
}

impl AdversaryDocument {
    pub(super) fn into_adversary(self, whole: &Whole<'_>) -> Result<Adversary, ScenarioError> {
        let word = *self.kind.get_ref();
        let missing = |field| {
            let what = format!("the adversary {word:?}");
            Problem::Missing { what, field }.at(whole.lines, &self.kind.span())
        };
        let stay = whole.stay(&self.place)?;
        let limit = |what, value: &Option<Spanned<Datetime>>, otherwise| match value {
            Some(value) => whole.instant(what, value),
            None => Ok(otherwise),
        };
        let (from, to) = (whole.stays[stay].from, whole.stays[stay].to);
        let mut distance_m = 1.0;
        if let Some(distance) = &self.distance_m {
            let range = "0.1 to 1000";
            distance_m = *in_range(whole.lines, "distance_m", distance, 0.1..=1000.0, range)?;
        }
        let kind = match word {
            AdversaryWord::Replay => {
                let shift = self.shift_seconds.as_ref().map_or(0, |shift| *shift.get_ref());
                AdversaryKind::Replay { shift_seconds: i64::from(shift) }
            }
            AdversaryWord::Relay => {
                let source = self.source.as_ref().ok_or_else(|| missing("source"))?;
                AdversaryKind::Relay {
                    source: whole.stay(source)?,
                    claimed_power_dbm: self.claimed_power_dbm,
                }
            }
            AdversaryWord::Flood => {
                let number = self.identifiers_per_scan.as_ref();
                let number = number.ok_or_else(|| missing("identifiers_per_scan"))?;
                let range = "1 to 100000";
                let what = "identifiers_per_scan";
                let number = in_range(whole.lines, what, number, 1.0..=100_000.0, range)?;
                AdversaryKind::Flood { identifiers_per_scan: *number }
            }
            AdversaryWord::KeyInjection => {
                let offered = self.offered.as_ref().ok_or_else(|| missing("offered"))?;
                AdversaryKind::KeyInjection { offered: whole.instant("offered", offered)? }
            }
            AdversaryWord::Sniffer => AdversaryKind::Sniffer,
        };
        Ok(Adversary {
            stay,
            distance_m,
            from: limit("from", &self.from, from)?,
            to: limit("to", &self.to, to)?,
            kind,
        })
    }
}

impl ExpectationDocument {
    pub(super) fn into_expectation(self, whole: &Whole<'_>) -> Result<Expectation, ScenarioError> {
        let code = |word: &Spanned<String>| {
            REASON_CODES.into_iter().find(|code| code == word.get_ref()).ok_or_else(|| {
                let allowed = REASON_CODES.iter().map(|code| (*code).to_owned()).collect();
                let name = word.get_ref().clone();
                let unknown = Problem::Unknown { what: "reason", name, allowed };
                unknown.at(whole.lines, &word.span())
            })
        };
        let mut reasons = BTreeMap::new();
        for (phone, words) in &self.reasons {
            let codes = words.iter().map(code).collect::<Result<BTreeSet<_>, _>>()?;
            reasons.insert(whole.phone(phone)?, codes);
        }
        let notified = self.notified.iter().map(|phone| whole.phone(phone));
        Ok(Expectation {
            notified: notified.collect::<Result<_, _>>()?,
            reasons,
            gone_at_the_end: self.gone_at_the_end.iter().map(code).collect::<Result<_, _>>()?,
            refused_files: self.refused_files,
            missed: self.missed,
            falsely: self.falsely,
            late: self.late,
            linkable: self.linkable,
            most_sightings: self.most_sightings,
        })
    }
}
