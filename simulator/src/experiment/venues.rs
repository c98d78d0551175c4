//! E6: visits to venues: an official who decides for each case, or every phone for itself.
//!
//! People go out for some days, and some of them test positive on the day after. Who is where is
//! drawn once; whether a person scans the code at the door is drawn by visit, the same in every arm.
//! Each phone is an engine of its own, which checks in, publishes warnings and matches those of
//! others. Arms differ in how many visits are scanned and in who lets a warning out, and when.

use std::collections::{BTreeMap, BTreeSet};

use chikaku_core::clock::{BootId, ClockReading};
use chikaku_core::diagnosis_key::ReportType;
use chikaku_core::encounter_log::MemoryLog;
use chikaku_core::engine::{Engine, EngineConfiguration, Input, Output, PublishInput};
use chikaku_core::export::{KeyIdentity, SigningKey, TrustedKeys};
use chikaku_core::local_time::UtcOffset;
use chikaku_core::publish::cocoa::{CocoaEndpoint, Version};
use chikaku_core::publish::release::ACCEPTED_DAYS;
use chikaku_core::publish::visits::uploaded_warnings;
use chikaku_core::publish::{
    Answer, Basis, Call, Consent, DateFilter, Endpoint, LocalDate, ProcessingNumber,
    ReleaseRequest, Step,
};
use chikaku_core::signal::TransmitPowerDbm;
use chikaku_core::time::{DAY_SECONDS, Timestamp, UtcDay};
use chikaku_core::venue::code::{Declaration, DefaultStay, NewVenue};
use chikaku_core::venue::{
    ProtectedWarning, TransmissionRiskLevel, VenueCode, VenueType, WarningPackageWriter,
};
use rand_chacha::ChaCha20Rng;
use rand_core::Rng;

use super::table::{Table, Value};
use super::{Settings, over_arms};
use crate::radio::uniform;
use crate::world::randomness::Randomness;

/// Share of visits whose code is scanned.
const SCANNED: [f64; 5] = [0.1, 0.3, 0.5, 0.8, 1.0];
/// Every so many-th person tests positive.
const ONE_POSITIVE_IN: usize = 8;
/// The shortest time together that is due, the shortest stay that warns anybody.
const DUE_SECONDS: i64 = 600;
/// 2020-07-01.
const FIRST_DAY: UtcDay = UtcDay::new(18_444);

/// Who lets a warning out.
#[derive(Clone, Copy, Debug)]
struct Gate {
    name: &'static str,
    /// Share of positives who are interviewed.
    interviewed: f64,
    /// Cases an official decides a day; `None` if nobody has to.
    decisions_a_day: Option<usize>,
}

const GATES: [Gate; 4] = [
    Gate { name: "every phone for itself", interviewed: 1.0, decisions_a_day: None },
    Gate { name: "an official, in quiet times", interviewed: 1.0, decisions_a_day: Some(5) },
    Gate { name: "an official, in a surge", interviewed: 0.3, decisions_a_day: Some(1) },
    // 517,000 scans in ten months, and no message.
    Gate { name: "as in Kanagawa", interviewed: 1.0, decisions_a_day: Some(0) },
];

/// Somebody is somewhere.
#[derive(Clone, Copy, Debug)]
struct Visit {
    person: usize,
    venue: usize,
    from: Timestamp,
    to: Timestamp,
    /// It is scanned if at least this share of visits is.
    scanned_from: f64,
}

/// A town's visits.
#[derive(Debug)]
struct Town {
    people: usize,
    codes: Vec<VenueCode>,
    visits: Vec<Visit>,
    tested: Timestamp,
    signer: SigningKey,
    randomness: Randomness,
}

/// What became of the warnings under one gate.
#[derive(Clone, Copy, Debug, Default)]
struct Told {
    due: usize,
    not_due: usize,
    days_waited: f64,
}

pub(super) fn run(settings: &Settings, done: &(dyn Fn() + Sync)) -> Vec<Table> {
    let runs = over_arms(settings, &SCANNED, done, |&scanned, seed| {
        let town = Town::new(settings, seed);
        let due = town.due();
        (seed, due.len(), town.positives().count(), town.tell(scanned, &due))
    });
    let rows = runs.into_iter().flat_map(|(scanned, (seed, due, positives, told))| {
        GATES.into_iter().zip(told).map(move |(gate, told)| {
            #[expect(clippy::cast_precision_loss, reason = "counts far below 2^53")]
            let [messages, cases] = [told.due + told.not_due, positives].map(|count| count as f64);
            [
                Value::from(seed),
                scanned.into(),
                gate.name.into(),
                positives.into(),
                due.into(),
                told.due.into(),
                told.not_due.into(),
                (messages * 1000.0 / cases.max(1.0)).into(),
                (messages > 0.0).then(|| told.days_waited / messages).into(),
            ]
        })
    });
    let columns = [
        "seed",
        "visits_scanned",
        "gate",
        "positives",
        "due",
        "told_due",
        "told_for_the_air",
        "messages_per_1000_positives",
        "days_from_test_to_message",
    ];
    vec![Table::of_rows("e6_venues", columns, rows)]
}

impl Town {
    fn new(settings: &Settings, seed: u64) -> Self {
        let randomness = Randomness::new(seed);
        let signer = SigningKey::from_scalar(KeyIdentity::new("440", "v1"), &[7; 32])
            .expect("seven is a scalar of the curve");
        let people = settings.phones as usize;
        let mut issuing = randomness.stream("venues", &[]);
        let codes: Vec<_> = (0..people.div_ceil(3)).map(|_| venue(&signer, &mut issuing)).collect();
        let mut visits = Vec::new();
        for person in 0..people {
            let mut draw = randomness.stream("visits", &[&person.to_string()]);
            for day in 0..settings.days {
                visits.extend(outings(person, day, codes.len(), &mut draw));
            }
        }
        let tested = FIRST_DAY.saturating_add(settings.days).start().saturating_add(3_600);
        Self { people, codes, visits, tested, signer, randomness }
    }

    fn positives(&self) -> impl Iterator<Item = usize> {
        (0..self.people).step_by(ONE_POSITIVE_IN)
    }

    /// Who was together with a positive person for long enough, and on which day: the truth, of
    /// which no phone knows.
    fn due(&self) -> BTreeSet<(usize, UtcDay)> {
        let mut due = BTreeSet::new();
        for positive in self.visits.iter().filter(|visit| visit.person % ONE_POSITIVE_IN == 0) {
            for other in self.visits.iter().filter(|other| other.venue == positive.venue) {
                let from = positive.from.max(other.from);
                let together = positive.to.min(other.to).seconds_since(from);
                if other.person % ONE_POSITIVE_IN != 0 && together >= DUE_SECONDS {
                    due.insert((other.person, from.day()));
                }
            }
        }
        due
    }

    /// What each gate makes of it if this share of visits is scanned.
    fn tell(&self, scanned: f64, due: &BTreeSet<(usize, UtcDay)>) -> Vec<Told> {
        let mut phones: Vec<_> =
            (0..self.people).map(|person| Phone::new(self, person, MemoryLog::new())).collect();
        for visit in self.visits.iter().filter(|visit| visit.scanned_from < scanned) {
            if let (Some(phone), Some(code)) =
                (phones.get_mut(visit.person), self.codes.get(visit.venue))
            {
                phone.visit(code, visit);
            }
        }
        let warnings: Vec<_> = self
            .positives()
            .filter_map(|person| Some((person, phones.get_mut(person)?.warn(self.tested))))
            .collect();
        let others: Vec<_> =
            phones.iter().filter(|phone| phone.person % ONE_POSITIVE_IN != 0).collect();
        GATES.iter().map(|gate| self.through(gate, &warnings, &others, due)).collect()
    }

    fn through(
        &self,
        gate: &Gate,
        warnings: &[(usize, Vec<ProtectedWarning>)],
        phones: &[&Phone],
        due: &BTreeSet<(usize, UtcDay)>,
    ) -> Told {
        let mut by_day: BTreeMap<u32, Vec<ProtectedWarning>> = BTreeMap::new();
        let interviewed = warnings.iter().filter(|(person, _)| {
            uniform(&mut self.randomness.stream("interview", &[&person.to_string()]))
                < gate.interviewed
        });
        for (case, (_, warnings)) in interviewed.enumerate() {
            let day = match gate.decisions_a_day {
                None => 0,
                Some(0) => continue,
                Some(decisions) => u32::try_from(1 + case / decisions).unwrap_or(u32::MAX),
            };
            by_day.entry(day).or_default().extend(warnings.iter().cloned());
        }
        let packages: Vec<_> = by_day
            .into_iter()
            .map(|(day, warnings)| {
                let writer = WarningPackageWriter::new("440").warnings(warnings);
                (
                    day,
                    writer.write(&self.signer).expect("a package of a few warnings can be written"),
                )
            })
            .collect();
        let mut told = Told::default();
        for phone in phones {
            let mut phone = Phone::new(self, phone.person, phone.engine.log().clone());
            let mut days = BTreeSet::new();
            for (waited, package) in &packages {
                let now = self.tested.saturating_add(waited.saturating_mul(DAY_SECONDS));
                for output in phone.tell(Input::VenueWarnings(package), now) {
                    let Output::AnnounceVenues { day } = output else { continue };
                    if days.insert(day) {
                        told.days_waited += f64::from(*waited);
                        let is_due = due.contains(&(phone.person, day));
                        *if is_due { &mut told.due } else { &mut told.not_due } += 1;
                    }
                    phone.tell(Input::Announced { day }, now);
                }
            }
        }
        told
    }
}

/// One person's phone.
#[derive(Debug)]
struct Phone {
    person: usize,
    engine: Engine<MemoryLog>,
    rng: ChaCha20Rng,
}

impl Phone {
    fn new(town: &Town, person: usize, log: MemoryLog) -> Self {
        let mut trusted = TrustedKeys::new();
        trusted.add(town.signer.trusted_key());
        let power = TransmitPowerDbm::new(-24).expect("within the range");
        let mut configuration = EngineConfiguration::cocoa(power, trusted);
        configuration.upload_endpoint = Some(server());
        let Ok(engine) = Engine::open(configuration, log);
        let rng = town.randomness.stream("phone", &[&person.to_string()]);
        Self { person, engine, rng }
    }

    fn tell(&mut self, input: Input<'_>, now: Timestamp) -> Vec<Output> {
        let on_for = now.seconds_since(FIRST_DAY.start()).unsigned_abs();
        let clocks = ClockReading {
            wall: now,
            monotonic_seconds: 3_600 + on_for,
            boot: BootId::from_count(1),
        };
        let Ok(outputs) = self.engine.handle(input, clocks, &mut self.rng);
        outputs
    }

    fn visit(&mut self, code: &VenueCode, visit: &Visit) {
        for output in self.tell(Input::CheckIn(Box::new(code.clone())), visit.from) {
            if let Output::CheckedIn(Ok(number)) = output {
                self.tell(Input::CheckOut { number }, visit.to);
            }
        }
    }

    /// Publishes all visits, and hands over what reaches the server.
    fn warn(&mut self, now: Timestamp) -> Vec<ProtectedWarning> {
        let consent = Consent::given_by_user(now).including_visits();
        let tested = LocalDate::new(now.day().days_since_1970(), UtcOffset::UTC)
            .expect("a date of this century");
        let basis = Basis::TestDate(tested);
        let mut request = ReleaseRequest::new(consent, ReportType::ConfirmedTest, basis);
        request.filter = DateFilter { days_before: ACCEPTED_DAYS, ..DateFilter::default() };
        request.visits = TransmissionRiskLevel::new(5);
        let number = ProcessingNumber::new("12345678").expect("a number has eight digits");
        self.publish(PublishInput::Publish { request, code: number.into() }, now);
        let mut warnings = Vec::new();
        while let Some(Call { upload, step }) = self.publish(PublishInput::NextCall, now) {
            let answer = match step {
                Step::Send(request) => {
                    let sent = uploaded_warnings(&request.body);
                    warnings.extend(sent.expect("what a phone uploads can be read"));
                    Answer::Response { status: 200, body: Vec::new() }
                }
                _ => Answer::Attested(String::new()),
            };
            self.publish(PublishInput::Answered { upload, answer }, now);
        }
        warnings
    }

    fn publish(&mut self, input: PublishInput, now: Timestamp) -> Option<Call> {
        let outputs = self.tell(Input::Publish(Box::new(input)), now);
        outputs.into_iter().find_map(|output| match output {
            Output::UploadCall(call) => Some(*call),
            _ => None,
        })
    }
}

/// The server, which takes visits.
fn server() -> Endpoint {
    Endpoint::Cocoa(CocoaEndpoint {
        version: Version::V3,
        regions: vec!["440".to_owned()],
        platform: "Android".to_owned(),
        app_package_name: "simulated".to_owned(),
        takes_visits: true,
    })
}

/// A restaurant in which people are taken to stay for two hours unless they check out.
fn venue(signer: &SigningKey, rng: &mut ChaCha20Rng) -> VenueCode {
    let venue = NewVenue {
        venue_type: VenueType::PermanentFoodService,
        default_stay: DefaultStay::from_minutes(120),
        name: None,
        declaration: Declaration { measures: Vec::new(), issued_on: FIRST_DAY },
    };
    let text = venue.issue(signer, rng).expect("a venue without a name can be issued");
    VenueCode::read(&text).expect("what was issued can be read")
}

/// A person's outings of one day: up to three, apart from each other, of 20 to 110 minutes.
fn outings(person: usize, day: u32, venues: usize, draw: &mut ChaCha20Rng) -> Vec<Visit> {
    let mut outings = Vec::new();
    for slot in 0..3 {
        let (goes_out, scanned_from) = (uniform(draw) < 0.5, uniform(draw));
        let venue = usize::try_from(draw.next_u32()).unwrap_or(0) % venues.max(1);
        let begins = 8 * 3_600 + slot * 4 * 3_600 + draw.next_u32() % 5_400;
        let seconds = 1_200 + draw.next_u32() % 5_400;
        if goes_out {
            let from = FIRST_DAY.saturating_add(day).start().saturating_add(begins);
            let to = from.saturating_add(seconds);
            outings.push(Visit { person, venue, from, to, scanned_from });
        }
    }
    outings
}
