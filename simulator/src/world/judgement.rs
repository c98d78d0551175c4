//! What came of a scenario, held against the truth and against what it must come to.

use std::collections::BTreeMap;

use super::Outcome;
use crate::scenario::Expectation;

/// Told later than this after the publication is late.
const LATE_SECONDS: i64 = 86_400;
/// What was longer ago than this at the publication need not be told.
const RETAINED_SECONDS: i64 = 14 * 86_400;

/// The figures of one run.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Judgement {
    /// Users who were within 2 m of a person with published keys for 15 minutes, with nothing
    /// between them, and were not told.
    pub missed: usize,
    /// Users who were told and were not.
    pub falsely: usize,
    /// Users who were told more than a day after the publication.
    pub late: usize,
    /// Changes of identifier that a sniffer could follow by the address.
    pub linkable: u64,
    /// Bytes of key files that all phones fetched.
    pub bytes: u64,
    /// Seconds for which all phones scanned.
    pub radio_on_seconds: u64,
    /// Sightings in the fullest log.
    pub most_sightings: u64,
}

impl Outcome {
    /// Holds what happened against the truth.
    #[must_use]
    pub fn judgement(&self) -> Judgement {
        let mut due: BTreeMap<usize, i64> = BTreeMap::new();
        for contact in &self.contacts {
            if !contact.is_long_and_near() {
                continue;
            }
            for (one, other) in [(contact.one, contact.other), (contact.other, contact.one)] {
                for diagnosis in self.scenario.diagnoses.iter().filter(|d| d.phone == one) {
                    let reported = diagnosis.reported.unix_seconds();
                    let age = reported - contact.from.unix_seconds();
                    if (0..=RETAINED_SECONDS).contains(&age) {
                        let earliest = due.entry(other).or_insert(reported);
                        *earliest = reported.min(*earliest);
                    }
                }
            }
        }
        let mut told: BTreeMap<usize, i64> = BTreeMap::new();
        for announcement in &self.announcements {
            let at = announcement.at.unix_seconds();
            told.entry(announcement.phone).or_insert(at);
        }
        let late = |(phone, reported): (&usize, &i64)| {
            told.get(phone).is_some_and(|told| told - reported > LATE_SECONDS)
        };
        Judgement {
            missed: due.keys().filter(|phone| !told.contains_key(phone)).count(),
            falsely: told.keys().filter(|phone| !due.contains_key(phone)).count(),
            late: due.iter().filter(|due| late(*due)).count(),
            linkable: self.linkable,
            bytes: self.phones.iter().map(|phone| phone.bytes).sum(),
            radio_on_seconds: self.phones.iter().map(|phone| phone.radio_on_seconds).sum(),
            most_sightings: self.phones.iter().map(|p| p.sightings_written).max().unwrap_or(0),
        }
    }

    /// Everything in which this run differs from what it must come to, in sentences; empty if
    /// nothing does.
    #[must_use]
    pub fn differences(&self, expected: &Expectation) -> Vec<String> {
        let mut differences = Vec::new();
        let told: Vec<_> = self.notified();
        let must: Vec<_> = expected.notified.iter().map(|&phone| self.name(phone)).collect();
        if told != must {
            differences.push(format!("notified are {told:?}, must be {must:?}"));
        }
        for (&phone, reasons) in &expected.reasons {
            let given = self.phones.get(phone).map(|phone| &phone.reasons);
            for reason in reasons {
                if !given.is_some_and(|given| given.contains_key(reason)) {
                    let name = self.name(phone);
                    differences.push(format!("{name} never says {reason:?}"));
                }
            }
        }
        for reason in &expected.gone_at_the_end {
            for (phone, result) in self.phones.iter().enumerate() {
                if result.reasons_at_the_end.contains(reason) {
                    let name = self.name(phone);
                    differences.push(format!("{name} still says {reason:?} at the end"));
                }
            }
        }
        let judgement = self.judgement();
        let count = |number: usize| number as u64;
        for (what, is, must) in [
            ("refused files", count(self.refused_files.len()), expected.refused_files.map(count)),
            ("missed", count(judgement.missed), expected.missed.map(count)),
            ("falsely told", count(judgement.falsely), expected.falsely.map(count)),
            ("late", count(judgement.late), expected.late.map(count)),
            ("linkable", judgement.linkable, expected.linkable),
        ] {
            if let Some(must) = must.filter(|must| *must != is) {
                differences.push(format!("{what}: {is}, must be {must}"));
            }
        }
        if let Some(most) = expected.most_sightings.filter(|most| judgement.most_sightings > *most)
        {
            let is = judgement.most_sightings;
            differences.push(format!("{is} sightings in one log, at most {most} are expected"));
        }
        differences
    }
}
