//! The TOML form of a place: who is there, where, and how they move.

use std::collections::BTreeMap;

use serde::Deserialize;
use toml::Spanned;
use toml::value::Datetime;

use super::super::stay::{Motion, Track};
use super::super::walk::Walk;
use super::super::{Problem, ScenarioError, Stay};
use super::{Whole, in_range, instant};
use crate::radio::Environment;

/// How far apart those are who are in contact, unless a scenario says otherwise: the reach of the
/// badges with which such networks were recorded is 1 to 1.5 m.
const CONTACT_METRES: f64 = 1.0;

/// Seconds since the beginning, and metres.
type TrackPoint = (u32, f64, f64);
/// Two phones, and from when to when in seconds since the beginning.
type ContactDocument = (Spanned<String>, Spanned<String>, u32, u32);

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct StayDocument {
    pub(super) place: Spanned<String>,
    environment: Environment,
    from: Spanned<Datetime>,
    to: Spanned<Datetime>,
    wall_db: Option<Spanned<f64>>,
    #[serde(default)]
    positions: BTreeMap<Spanned<String>, [f64; 2]>,
    walk: Option<WalkDocument>,
    tracks: Option<BTreeMap<Spanned<String>, Vec<TrackPoint>>>,
    contacts: Option<Vec<ContactDocument>>,
    contact_metres: Option<Spanned<f64>>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct WalkDocument {
    metres_per_second: Spanned<f64>,
    #[serde(default)]
    pause_seconds: u32,
    width_m: Spanned<f64>,
    depth_m: Spanned<f64>,
    /// Who does not walk.
    #[serde(default)]
    still: Vec<Spanned<String>>,
}

impl StayDocument {
    pub(super) fn into_stay(mut self, whole: &Whole<'_>) -> Result<Stay, ScenarioError> {
        let lines = whole.lines;
        let from = instant(lines, "from", &self.from)?;
        let to = instant(lines, "to", &self.to)?;
        let name = format!("the stay {:?}", self.place.get_ref());
        if to <= from {
            return Err(Problem::EndsBeforeItBegins(name).at(lines, &self.to.span()));
        }
        if to <= whole.starts || from >= whole.ends {
            return Err(Problem::OutsideScenario(name).at(lines, &self.from.span()));
        }
        let mut wall_db = 0.0;
        if let Some(wall) = &self.wall_db {
            wall_db = *in_range(lines, "wall_db", wall, 0.0..=100.0, "0 to 100")?;
        }
        let mut positions = BTreeMap::new();
        for (phone, position) in core::mem::take(&mut self.positions) {
            check_metres(whole, &phone, &name, position)?;
            positions.insert(whole.phone(&phone)?, position);
        }
        let seconds = u32::try_from(to.seconds_since(from)).unwrap_or(u32::MAX);
        let motion = self.motion(whole, &name, seconds, &mut positions)?;
        let (place, environment) = (self.place.into_inner(), self.environment);
        Ok(Stay { place, environment, from, to, wall_db, positions, motion })
    }

    /// How they move. Who has a track needs no position.
    fn motion(
        &mut self,
        whole: &Whole<'_>,
        name: &str,
        seconds: u32,
        positions: &mut BTreeMap<usize, [f64; 2]>,
    ) -> Result<Motion, ScenarioError> {
        match (self.walk.take(), self.tracks.take(), self.contacts.take()) {
            (None, None, None) => Ok(Motion::Still),
            (Some(walk), None, None) => {
                let still = walk.still.iter().map(|phone| whole.phone(phone));
                let still = still.collect::<Result<Vec<_>, _>>()?;
                let walk = walk.into_walk(whole)?;
                let place = self.place.get_ref();
                let walkers = positions.iter().filter(|(phone, _)| !still.contains(*phone));
                let tracks = walkers.map(|(&phone, &start)| {
                    let walker = whole.phones.get(phone).map_or("", |phone| phone.name.as_str());
                    (phone, walk.track(place, walker, start, seconds))
                });
                Ok(Motion::Tracks(tracks.collect()))
            }
            (None, Some(tracks), None) => {
                let mut read = BTreeMap::new();
                for (phone, points) in tracks {
                    let number = whole.phone(&phone)?;
                    if !points.is_sorted_by(|one, other| one.0 < other.0) {
                        let track = format!("the track of {} in {name}", phone.get_ref());
                        return Err(Problem::NotInOrder(track).at(whole.lines, &phone.span()));
                    }
                    for &(_, x, y) in &points {
                        check_metres(whole, &phone, name, [x, y])?;
                    }
                    let points = points.into_iter().map(|(at, x, y)| (at, [x, y]));
                    let track = Track(points.collect());
                    if let Some(start) = track.at(0) {
                        positions.entry(number).or_insert(start);
                    }
                    read.insert(number, track);
                }
                Ok(Motion::Tracks(read))
            }
            (None, None, Some(contacts)) => {
                let metres = match &self.contact_metres {
                    None => CONTACT_METRES,
                    Some(metres) => {
                        let range = "0.1 to 10";
                        *in_range(whole.lines, "contact_metres", metres, 0.1..=10.0, range)?
                    }
                };
                let mut pairs: BTreeMap<_, Vec<[u32; 2]>> = BTreeMap::new();
                for (one, other, from, to) in contacts {
                    let (first, second) = (whole.phone(&one)?, whole.phone(&other)?);
                    if to <= from {
                        let contact =
                            format!("the contact of {} and {}", one.get_ref(), other.get_ref());
                        let ends = Problem::EndsBeforeItBegins(contact);
                        return Err(ends.at(whole.lines, &one.span()));
                    }
                    pairs
                        .entry((first.min(second), first.max(second)))
                        .or_default()
                        .push([from, to]);
                }
                for times in pairs.values_mut() {
                    *times = united(core::mem::take(times));
                }
                Ok(Motion::Contacts { metres, pairs })
            }
            _ => {
                let several = Problem::SeveralMotions(name.to_owned());
                Err(several.at(whole.lines, &self.place.span()))
            }
        }
    }
}

impl WalkDocument {
    fn into_walk(self, whole: &Whole<'_>) -> Result<Walk, ScenarioError> {
        let metres = |what, value| {
            in_range(whole.lines, what, value, 0.1..=10_000.0, "0.1 to 10000").copied()
        };
        Ok(Walk {
            metres_per_second: metres("metres_per_second", &self.metres_per_second)?,
            pause_seconds: self.pause_seconds,
            floor_m: [metres("width_m", &self.width_m)?, metres("depth_m", &self.depth_m)?],
        })
    }
}

fn check_metres(
    whole: &Whole<'_>,
    phone: &Spanned<String>,
    stay: &str,
    position: [f64; 2],
) -> Result<(), ScenarioError> {
    for metres in position {
        let what = format!("the position of {} in {stay}", phone.get_ref());
        let metres = Spanned::new(phone.span(), metres);
        in_range(whole.lines, &what, &metres, -10_000.0..=10_000.0, "within 10 km")?;
    }
    Ok(())
}

/// The times in order, with those that touch or overlap as one.
fn united(mut times: Vec<[u32; 2]>) -> Vec<[u32; 2]> {
    times.sort_unstable();
    let mut united: Vec<[u32; 2]> = Vec::new();
    for [from, to] in times {
        match united.last_mut() {
            Some([_, end]) if from <= *end => *end = to.max(*end),
            _ => united.push([from, to]),
        }
    }
    united
}
