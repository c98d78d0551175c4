//! A scenario from a recorded contact network, in the form of SocioPatterns: one line for each pair
//! whose badges saw each other in the 20 seconds before a time.
//!
//! The file says who was face to face with whom, and to which class or department each belongs. All
//! else is assumed: everybody carries a phone from the day's first contact to its last, those of one
//! class sit two and a half metres apart in a room of their own unless they are in contact, and the
//! days are those that a night of two hours without any contact separates.

use core::fmt::Write as _;
use std::collections::{BTreeMap, BTreeSet};

use thiserror::Error;

use super::field_log::utc;
use super::town::MODELS;

/// What one line stands for.
const CONTACT_SECONDS: i64 = 20;
/// A pause without contacts that is longer separates two days.
const NIGHT_SECONDS: i64 = 7_200;
/// Metres between two seats, and between two rooms, which do not hear each other.
const SEAT_M: f64 = 2.5;
const ROOM_M: f64 = 200.0;
const ROOMS_IN_A_ROW: u32 = 40;
/// Longest network.
const LONGEST_SECONDS: i64 = 60 * 86_400;

/// Why a file makes no scenario.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum ContactNetworkError {
    /// No line is a contact.
    #[error("no line is a contact: time, one person, another")]
    Empty,
    /// From the first to the last contact.
    #[error("the contacts span more than 60 days")]
    TooLong,
}

/// A scenario, and what of the network is not in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Made {
    /// The scenario.
    pub scenario: String,
    /// Numbers, from 1, of lines that are no contact of two people.
    pub left_out: Vec<usize>,
}

struct Network<'t> {
    /// Everybody's class, by name: the one that most lines give; empty if the file has none.
    people: BTreeMap<&'t str, &'t str>,
    /// By time: the seconds at which the 20 s end, and the pair.
    contacts: Vec<(i64, [&'t str; 2])>,
    left_out: Vec<usize>,
}

/// The text of a scenario in which people meet as the network says, with the first contact at
/// 08:00 in Japan on 2026-04-06. Who was in contact longest tests positive the morning after.
///
/// Fields are separated by semicolons, commas, tabs or spaces: time in seconds, one person, another,
/// and both their classes. A first line of names is left out.
///
/// # Errors
/// [`ContactNetworkError`].
pub fn scenario_of(text: &str) -> Result<Made, ContactNetworkError> {
    let network = Network::read(text);
    let (Some((first, _)), Some((last, _))) = (network.contacts.first(), network.contacts.last())
    else {
        return Err(ContactNetworkError::Empty);
    };
    if last - first > LONGEST_SECONDS {
        return Err(ContactNetworkError::TooLong);
    }
    /// 2026-04-06T07:00:00+09:00, an hour before the first contact.
    const STARTS: i64 = 1_775_426_400;
    let shift = STARTS + 3600 + CONTACT_SECONDS - first;
    let reported = (last + shift) / 3600 * 3600 + 13 * 3600;
    let hours = (reported - STARTS) / 3600 + 26;

    let mut file = String::from(
        "# Made from a recorded contact network: who met whom is recorded, where they sat is not.\n\n",
    );
    let _ = write!(
        file,
        "name = \"A contact network\"\nstarts = {}\nhours = {hours}\n\nphones = [\n",
        utc(STARTS)
    );
    for (number, person) in network.people.keys().enumerate() {
        let model = serde_json::to_value(MODELS[number % MODELS.len()]).unwrap_or_default();
        let model = model.as_str().unwrap_or("S10").to_owned();
        let _ = writeln!(file, "  {{ name = {}, model = {model:?} }},", quoted(person));
    }
    file.push_str("]\n");
    for (number, day) in network.days().into_iter().enumerate() {
        let (Some((from, _)), Some((to, _))) = (day.first(), day.last()) else { continue };
        let from = from - CONTACT_SECONDS;
        let _ = write!(
            file,
            "\n[[stays]]\nplace = \"day {}\"\nenvironment = \"office\"\nfrom = {}\nto = {}\npositions = {{ {} }}\n\
             contacts = [\n",
            number + 1,
            utc(from + shift),
            utc(to + shift),
            network.seats()
        );
        for ([one, other], [begun, ended]) in runs(day) {
            let (begun, ended) = (begun - from, ended - from);
            let (one, other) = (quoted(one), quoted(other));
            let _ = writeln!(file, "  [{one}, {other}, {begun}, {ended}],");
        }
        file.push_str("]\n");
    }
    let _ = write!(
        file,
        "\n[[diagnoses]]\nphone = {}\nreported = {}\n",
        quoted(network.most_in_contact()),
        utc(reported)
    );
    Ok(Made { scenario: file, left_out: network.left_out })
}

impl<'t> Network<'t> {
    fn read(text: &'t str) -> Self {
        let (mut classes, mut contacts, mut left_out) = (BTreeMap::new(), Vec::new(), Vec::new());
        for (number, line) in text.lines().enumerate() {
            let mut fields = line.split([';', ',', '\t', ' ', '\r']).filter(|f| !f.is_empty());
            let Some(first) = fields.next() else { continue };
            let time = first.parse::<i64>().ok().filter(|time| time.unsigned_abs() < 1 << 40);
            let (Some(time), Some(one), Some(other)) = (time, fields.next(), fields.next()) else {
                // The first line may name the columns.
                if number > 0 {
                    left_out.push(number + 1);
                }
                continue;
            };
            if one == other {
                left_out.push(number + 1);
                continue;
            }
            for person in [one, other] {
                let of_person: &mut BTreeMap<_, u32> = classes.entry(person).or_default();
                *of_person.entry(fields.next().unwrap_or_default()).or_default() += 1;
            }
            contacts.push((time, [one.min(other), one.max(other)]));
        }
        contacts.sort_unstable();
        contacts.dedup();
        let most =
            |named: BTreeMap<&'t str, u32>| named.into_iter().max_by_key(|(_, count)| *count);
        let people = classes
            .into_iter()
            .map(|(person, named)| (person, most(named).map_or("", |(class, _)| class)));
        Self { people: people.collect(), contacts, left_out }
    }

    fn days(&self) -> Vec<&[(i64, [&'t str; 2])]> {
        self.contacts.chunk_by(|one, next| next.0 - one.0 <= NIGHT_SECONDS).collect()
    }

    /// Everybody's seat: rows of six in a room for each class.
    fn seats(&self) -> String {
        let classes: BTreeSet<_> = self.people.values().collect();
        let mut taken: BTreeMap<&str, u32> = BTreeMap::new();
        let seats = self.people.iter().map(|(person, class)| {
            let room = classes.iter().position(|one| *one == class).unwrap_or(0);
            let seat = taken.entry(class).or_default();
            let (row, column) = (*seat / 6, *seat % 6);
            *seat += 1;
            let room = u32::try_from(room).unwrap_or(u32::MAX);
            let x = f64::from(column).mul_add(SEAT_M, f64::from(room % ROOMS_IN_A_ROW) * ROOM_M);
            let y = f64::from(row).mul_add(SEAT_M, f64::from(room / ROOMS_IN_A_ROW) * ROOM_M);
            format!("{} = [{x:.1}, {y:.1}]", quoted(person))
        });
        seats.collect::<Vec<_>>().join(", ")
    }

    fn most_in_contact(&self) -> &'t str {
        let mut times: BTreeMap<&str, u32> = BTreeMap::new();
        for person in self.contacts.iter().flat_map(|(_, pair)| pair) {
            *times.entry(person).or_default() += 1;
        }
        let most =
            times.into_iter().max_by_key(|(name, count)| (*count, core::cmp::Reverse(*name)));
        most.map_or("", |(name, _)| name)
    }
}

/// As a basic string of TOML, whose escapes are those of JSON and one more.
fn quoted(name: &str) -> String {
    serde_json::Value::from(name).to_string().replace('\u{7f}', "\\u007f")
}

/// Each pair's contacts of a day, those that follow each other as one: from when to when.
fn runs<'t>(day: &[(i64, [&'t str; 2])]) -> Vec<([&'t str; 2], [i64; 2])> {
    let mut of_pair: BTreeMap<[&str; 2], Vec<[i64; 2]>> = BTreeMap::new();
    for &(end, pair) in day {
        let times = of_pair.entry(pair).or_default();
        match times.last_mut() {
            Some([_, before]) if end - CONTACT_SECONDS <= *before => *before = end,
            _ => times.push([end - CONTACT_SECONDS, end]),
        }
    }
    let pairs = of_pair.into_iter();
    pairs.flat_map(|(pair, times)| times.into_iter().map(move |time| (pair, time))).collect()
}
