//! How often a phone calls a contact High, by environment, distance and duration: only looked up.
//!
//! `simulator/populations/detection.csv` says where its rows come from; `chikaku population table`
//! measures them with the simulator of phones.

use core::fmt::Write as _;

use rayon::prelude::*;
use thiserror::Error;

use super::draw::unit;
use super::meetings::Setting;
use super::scenario::{ContactBand, Scenario};
use crate::radio::Environment;
use crate::scenario::Scenario as RadioScenario;
use crate::world::World;

const MEASURED: &str = include_str!("../../populations/detection.csv");

/// Environments, distances and durations of the table.
const ENVIRONMENTS: [(&str, Environment); 4] = [
    ("lunch", Environment::Lunch),
    ("office", Environment::Office),
    ("train", Environment::Train),
    ("queue", Environment::Queue),
];
const DISTANCES_M: [f64; 5] = [0.5, 1.0, 1.5, 2.0, 4.0];
const MINUTES: [u32; 6] = [5, 10, 15, 30, 60, 240];

/// A contact that cannot be looked up.
#[derive(Clone, Debug, PartialEq, Error)]
#[non_exhaustive]
pub enum DetectionError {
    /// Nobody measured it.
    #[error(
        "no measured contact in environment {environment} at {distance_m} m for {minutes} min under \
         profile {profile}; simulator/populations/detection.csv lists them"
    )]
    NotMeasured {
        /// Of the contact.
        environment: String,
        /// Of the contact.
        distance_m: f64,
        /// Of the contact.
        minutes: u32,
        /// Of the app.
        profile: String,
    },
    /// A setting without contacts.
    #[error("contacts.{0} has no band with a share above 0")]
    NoBands(&'static str),
}

/// One measured cell.
#[derive(Clone, Debug, PartialEq)]
pub struct DetectionRow {
    /// Risk profile.
    pub profile: String,
    /// Radio environment.
    pub environment: String,
    /// Metres.
    pub distance_m: f64,
    /// Minutes.
    pub minutes: u32,
    /// Pairs of phones.
    pub pairs: u32,
    /// Of these, so many High.
    pub high: u32,
}

/// All of them.
#[derive(Clone, Debug, PartialEq)]
pub struct DetectionTable {
    /// In the order of the file.
    pub rows: Vec<DetectionRow>,
}

impl DetectionTable {
    /// The committed table. A line that is none is left out; a test holds that there is none.
    #[must_use]
    pub fn measured() -> Self {
        let lines = MEASURED.lines().filter(|line| !line.starts_with(['#', 'p']));
        Self { rows: lines.filter_map(row).collect() }
    }

    /// Measures the table anew: `pairs` pairs of phones of every model meet once in each cell, one
    /// of each tests positive, and the engine of the other decides. Takes minutes.
    #[must_use]
    pub fn measure(pairs: u32, seed: u64) -> Self {
        let cells = ENVIRONMENTS.iter().flat_map(|environment| {
            DISTANCES_M.iter().flat_map(move |&distance_m| {
                MINUTES.iter().map(move |&minutes| (environment, distance_m, minutes))
            })
        });
        let cells: Vec<_> = cells.collect();
        let rows = cells.into_par_iter().map(|((name, environment), distance_m, minutes)| {
            let scenario = RadioScenario::pairs(*environment, distance_m, minutes, pairs);
            let outcome = World::new(&scenario, seed).run(|_| {});
            let high = u32::try_from(outcome.notified().len()).unwrap_or(u32::MAX);
            let (profile, environment) = ("cocoa-v2".to_owned(), (*name).to_owned());
            DetectionRow { profile, environment, distance_m, minutes, pairs, high }
        });
        Self { rows: rows.collect() }
    }

    /// As the file has it.
    #[must_use]
    pub fn to_csv(&self) -> String {
        let mut csv = "\
# Share of contacts that the engine calls High, measured with the simulator of phones and its radio
# model (DP-3T bt-measurements, experiment 34). Written by `chikaku population table`.
profile,environment,distance_m,minutes,pairs,high
"
        .to_owned();
        for row in &self.rows {
            let DetectionRow { profile, environment, distance_m, minutes, pairs, high } = row;
            let _ = writeln!(csv, "{profile},{environment},{distance_m},{minutes},{pairs},{high}");
        }
        csv
    }

    pub(crate) fn probabilities(&self, scenario: &Scenario) -> Result<Detection, DetectionError> {
        let contacts = &scenario.contacts;
        let app = &scenario.app;
        let bands = |name, bands: &[ContactBand]| {
            let total: f64 = bands.iter().map(|band| band.share).sum();
            if total.is_nan() || total <= 0.0 {
                return Err(DetectionError::NoBands(name));
            }
            let mut sum = 0.0;
            let bands = bands.iter().map(|band| {
                sum += band.share / total;
                let probability = match app.detection {
                    Some(probability) => probability,
                    None => self.high_share(&app.profile, band)?,
                };
                Ok((sum, probability))
            });
            bands.collect::<Result<Vec<_>, DetectionError>>()
        };
        Ok(Detection {
            household: bands("household", &contacts.household)?,
            occupation: bands("occupation", &contacts.occupation)?,
            random: bands("random", &contacts.random)?,
        })
    }

    fn high_share(&self, profile: &str, band: &ContactBand) -> Result<f64, DetectionError> {
        let found = self.rows.iter().find(|row| {
            row.profile == profile
                && row.environment == band.environment
                && row.minutes == band.minutes
                && (row.distance_m - band.distance_m).abs() < 0.01
        });
        match found {
            Some(row) => Ok(f64::from(row.high) / f64::from(row.pairs.max(1))),
            None => Err(DetectionError::NotMeasured {
                environment: band.environment.clone(),
                distance_m: band.distance_m,
                minutes: band.minutes,
                profile: profile.to_owned(),
            }),
        }
    }
}

/// For each setting, the bands of its contacts: cumulative share, probability of High.
#[derive(Debug)]
pub(crate) struct Detection {
    household: Vec<(f64, f64)>,
    occupation: Vec<(f64, f64)>,
    random: Vec<(f64, f64)>,
}

impl Detection {
    /// Whether a contact with these random bits is called High.
    pub(crate) fn is_high(&self, setting: Setting, band: u64, heard: u64) -> bool {
        let bands = match setting {
            Setting::Household => &self.household,
            Setting::Occupation => &self.occupation,
            Setting::Random => &self.random,
        };
        let drawn = unit(band);
        let found = bands.iter().find(|(sum, _)| drawn < *sum).or_else(|| bands.last());
        found.is_some_and(|(_, probability)| unit(heard) < *probability)
    }
}

fn row(line: &str) -> Option<DetectionRow> {
    let mut fields = line.split(',');
    let mut next = || fields.next();
    Some(DetectionRow {
        profile: next()?.to_owned(),
        environment: next()?.to_owned(),
        distance_m: next()?.parse().ok()?,
        minutes: next()?.parse().ok()?,
        pairs: next()?.parse().ok()?,
        high: next()?.parse().ok()?,
    })
}
