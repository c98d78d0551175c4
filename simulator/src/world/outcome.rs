//! What came of a simulation: who met whom in truth, who was told, and why.

use std::collections::{BTreeMap, BTreeSet};

use chikaku_core::diagnosis_key::DiagnosisKeyHash;
use chikaku_core::encounter_log::Exposure;
use chikaku_core::explain::{ExposureExplanation, Silence};
use chikaku_core::risk::Assessment;
use chikaku_core::status::Reason;
use chikaku_core::status::assessed::Assessed;
use chikaku_core::time::{Timestamp, UtcDay};

use super::{Spent, TraceLine, World};
use crate::radio::FARTHEST_M;
use crate::scenario::{Defence, NEAR_M, Scenario};

/// A contact that somebody must be told of is at least this long.
const LONG_SECONDS: u32 = 900;

/// Two phones in one place, as it truly was.
#[derive(Clone, Debug, PartialEq)]
pub struct Contact {
    /// Index of one phone.
    pub one: usize,
    /// Index of the other.
    pub other: usize,
    /// Where.
    pub place: String,
    /// How far apart, in metres.
    pub distance_m: f64,
    /// Since when.
    pub from: Timestamp,
    /// For how long, in seconds.
    pub seconds: u32,
    /// Something stands between them.
    pub wall: bool,
}

impl Contact {
    /// Whether its people have to be told: within 2 m for 15 minutes, with nothing between them.
    #[must_use]
    pub fn is_long_and_near(&self) -> bool {
        self.distance_m <= NEAR_M && self.seconds >= LONG_SECONDS && !self.wall
    }
}

/// A user was told of a High day.
#[derive(Clone, Debug, PartialEq)]
pub struct Announcement {
    /// Index of the phone.
    pub phone: usize,
    /// When.
    pub at: Timestamp,
    /// The day and the numbers it was decided on.
    pub assessment: Assessment,
}

/// A key that somebody published.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Published {
    /// Index of the phone whose key it is.
    pub phone: usize,
    /// The key's hash.
    pub key: DiagnosisKeyHash,
    /// The UTC day on which it began.
    pub day: UtcDay,
}

/// What the engine of one phone holds at the end.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct PhoneResult {
    /// Identifiers of published keys that it heard.
    pub matched_identifiers: u32,
    /// Exposure windows.
    pub windows: usize,
    /// Every day with an exposure.
    pub days: Vec<Assessment>,
    /// What it heard of published keys.
    pub exposures: Vec<Exposure>,
    /// Each exposure with the chain from key to conclusion.
    pub explanations: Vec<ExposureExplanation>,
    /// For every day of the scenario that its user was not told of, why not.
    pub silences: BTreeMap<UtcDay, Vec<Silence>>,
    /// What happened on each day that is over.
    pub assessed: Vec<Assessed>,
    /// When each reason was first in the status, where somebody looked.
    pub reasons: BTreeMap<&'static str, Timestamp>,
    /// What is in the status at the end.
    pub reasons_at_the_end: BTreeSet<&'static str>,
    /// Bytes of key files that were fetched.
    pub bytes: u64,
    /// Seconds for which it scanned.
    pub radio_on_seconds: u64,
    /// Sightings that were ever written to the log.
    pub sightings_written: u64,
}

/// The result of a simulation.
#[derive(Clone, Debug, PartialEq)]
pub struct Outcome {
    /// The scenario that was run.
    pub scenario: Scenario,
    /// The seed it was run with.
    pub seed: u64,
    /// Who met whom, in truth.
    pub contacts: Vec<Contact>,
    /// Who was told, by time.
    pub announcements: Vec<Announcement>,
    /// What each phone holds, by the phone's index.
    pub phones: Vec<PhoneResult>,
    /// The keys that were published, by time.
    pub published: Vec<Published>,
    /// Key files that phones refused, with the reason.
    pub refused_files: Vec<String>,
    /// Changes of identifier that a sniffer could follow by the address.
    pub linkable: u64,
    /// Events in the trace.
    pub trace_events: u64,
    /// SHA-256 of the whole trace.
    pub digest: [u8; 32],
    /// Where the time went, if [`World::with_spent`] asked for it.
    pub spent: Option<Spent>,
    /// Every event, if [`World::with_trace`] asked for them.
    pub trace: Vec<TraceLine>,
}

impl Outcome {
    pub(super) fn of(mut world: World<'_>) -> Self {
        let trace = world.trace.take_lines();
        let scenario = world.scenario.clone();
        let ends = scenario.ends;
        let looks = world.has(Defence::HostFacts);
        let phones = world.phones.iter().map(|phone| {
            let now = phone.clocks(ends);
            let engine = phone.engine();
            let Ok(exposures) = engine.exposures(now);
            let windows = || {
                exposures
                    .iter()
                    .flat_map(|exposure| &exposure.windows)
                    .filter(|window| window.may_count())
            };
            let mut days: Vec<_> = windows().map(|window| window.day()).collect();
            days.sort_unstable();
            days.dedup();
            PhoneResult {
                matched_identifiers: exposures.iter().map(|exposure| exposure.identifiers).sum(),
                windows: windows().count(),
                days: days
                    .into_iter()
                    .filter_map(|day| {
                        let Ok(assessment) = engine.day(day, now);
                        assessment
                    })
                    .collect(),
                explanations: {
                    let Ok(explanations) = engine.explanations(now);
                    explanations
                },
                silences: days_between(scenario.starts, ends)
                    .map(|day| {
                        let Ok(silence) = engine.explain_silence(day, now);
                        (day, silence)
                    })
                    .collect(),
                assessed: {
                    let Ok(assessed) = engine.assessed(now);
                    assessed
                },
                reasons: phone.reasons.clone(),
                reasons_at_the_end: {
                    let status = phone.status(looks, ends);
                    status.reasons.iter().map(Reason::code).collect()
                },
                bytes: phone.bytes,
                radio_on_seconds: phone.radio_on_seconds,
                sightings_written: engine.log().sightings_written(),
                exposures,
            }
        });
        Self {
            contacts: contacts(&scenario),
            seed: world.seed,
            phones: phones.collect(),
            announcements: world.announcements,
            published: world.published,
            refused_files: world.refused_files,
            linkable: world.linkable,
            spent: world.spent,
            trace_events: world.trace.events(),
            digest: world.trace.digest(),
            trace,
            scenario,
        }
    }

    /// Names of the phones whose users tested positive.
    pub fn diagnosed(&self) -> impl Iterator<Item = &str> {
        self.scenario.diagnoses.iter().map(|diagnosis| self.name(diagnosis.phone))
    }

    /// Names of the phones whose users were told, in the scenario's order.
    #[must_use]
    pub fn notified(&self) -> Vec<&str> {
        let told = |phone: &usize| self.announcements.iter().any(|a| a.phone == *phone);
        (0..self.scenario.phones.len()).filter(told).map(|phone| self.name(phone)).collect()
    }

    /// A phone's name.
    #[must_use]
    pub fn name(&self, phone: usize) -> &str {
        self.scenario.phones.get(phone).map_or("?", |phone| phone.name.as_str())
    }
}

fn days_between(starts: Timestamp, ends: Timestamp) -> impl Iterator<Item = UtcDay> {
    let last = ends.saturating_sub(1).day().days_since_1970();
    (starts.day().days_since_1970()..=last).map(UtcDay::new)
}

fn contacts(scenario: &Scenario) -> Vec<Contact> {
    let mut contacts = Vec::new();
    for stay in &scenario.stays {
        let from = stay.from.max(scenario.starts);
        let to = stay.to.min(scenario.ends);
        for &one in stay.positions.keys() {
            for &other in stay.positions.keys().filter(|&&other| other > one) {
                let together = stay.together(one, other, [from, to]);
                let Some((distance_m, seconds)) = together else { continue };
                if distance_m > FARTHEST_M {
                    continue;
                }
                let place = stay.place.clone();
                let wall = stay.wall_db > 0.0;
                contacts.push(Contact { one, other, place, distance_m, from, seconds, wall });
            }
        }
    }
    contacts
}
