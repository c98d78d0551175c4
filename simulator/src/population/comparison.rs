//! Beside OpenABM-Covid19 (Hinch et al. 2021, GPL-3.0) at its parameters. Its figures were
//! measured with an unmodified build (50,000 people, 200 days, two seeds an arm, four at 48 % and
//! full reporting); differences below 5 % in the attack rate and 15 % in beds are its noise.

use rayon::prelude::*;

use super::scenario::{Arm, Scenario, ScenarioError};
use super::sweep::{Band, Point, Summary, count};

/// What OpenABM-Covid19 gave without the app, for each of 100,000 people: mean and deviation.
pub const REFERENCE: [(&str, f64, f64); 5] = [
    ("infections", 43_100.0, 1_300.0),
    ("peak beds", 205.0, 22.0),
    ("bed days", 11_546.0, 817.0),
    ("deaths", 444.0, 28.0),
    ("quarantine days", 660_000.0, f64::NAN),
];

/// Adoption, report, test-to-result days, compliance, share of contacts found; change of the attack
/// rate and of peak beds in percent.
type Reference = (f64, f64, u16, f64, f64, f64, f64);

const GRID: [Reference; 29] = [
    (0.2, 0.023, 1, 0.9, 0.8, -3.0, 2.0),
    (0.2, 0.16, 1, 0.9, 0.8, 1.0, 3.0),
    (0.2, 0.5, 1, 0.9, 0.8, -1.0, -4.0),
    (0.2, 1.0, 1, 0.9, 0.8, -4.0, -11.0),
    (0.35, 0.16, 1, 0.9, 0.8, 1.0, -6.0),
    (0.35, 0.5, 1, 0.9, 0.8, -5.0, 0.0),
    (0.35, 1.0, 1, 0.9, 0.8, -6.0, -1.0),
    (0.5, 0.16, 1, 0.9, 0.8, -4.0, -6.0),
    (0.5, 0.5, 1, 0.9, 0.8, -8.0, -20.0),
    (0.5, 1.0, 1, 0.9, 0.8, -17.0, -27.0),
    (0.67, 0.16, 1, 0.9, 0.8, -3.0, -9.0),
    (0.67, 0.5, 1, 0.9, 0.8, -14.0, -24.0),
    (0.67, 1.0, 1, 0.9, 0.8, -22.0, -33.0),
    (0.83, 1.0, 1, 0.9, 0.8, -33.0, -51.0),
    (1.0, 0.023, 1, 0.9, 0.8, -2.0, -9.0),
    (1.0, 0.16, 1, 0.9, 0.8, -12.0, -14.0),
    (1.0, 0.5, 1, 0.9, 0.8, -27.0, -48.0),
    (1.0, 1.0, 1, 0.9, 0.8, -44.0, -63.0),
    (0.67, 1.0, 1, 0.9, 0.2, -12.0, -17.0),
    (0.67, 1.0, 1, 0.9, 0.4, -17.0, -24.0),
    (0.67, 1.0, 1, 0.9, 0.6, -21.0, -28.0),
    (0.67, 1.0, 0, 0.9, 0.8, -24.0, -40.0),
    (0.67, 1.0, 2, 0.9, 0.8, -19.0, -25.0),
    (0.67, 1.0, 3, 0.9, 0.8, -15.0, -26.0),
    (0.67, 1.0, 5, 0.9, 0.8, -4.0, -4.0),
    (0.67, 1.0, 1, 0.1, 0.8, -2.0, -3.0),
    (0.67, 1.0, 1, 0.3, 0.8, -6.0, -6.0),
    (0.67, 1.0, 1, 0.5, 0.8, -11.0, -13.0),
    (0.67, 1.0, 1, 0.7, 0.8, -17.0, -27.0),
];

/// One arm of both models.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Row {
    /// What differs.
    pub arm: Arm,
    /// OpenABM-Covid19's change of the attack rate, percent.
    pub reference_infections_percent: f64,
    /// Ours, over the seeds.
    pub infections_percent: Band,
    /// OpenABM-Covid19's change of peak beds, percent.
    pub reference_beds_percent: f64,
    /// Ours, over the seeds.
    pub beds_percent: Band,
}

/// Both models side by side.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Comparison {
    /// Ours without the app, for each of 100,000 people, as [`REFERENCE`].
    pub without: [Band; 5],
    /// Every arm.
    pub rows: Vec<Row>,
}

/// Runs every arm with `seeds` seeds; `finished` is called after each run.
///
/// # Errors
/// None in a released version.
pub fn compare(
    scenario: &Scenario,
    seeds: u64,
    finished: impl Fn() + Sync,
) -> Result<Comparison, ScenarioError> {
    let none = Arm { adoption: Some(0.0), ..Arm::default() };
    let arms = GRID.iter().map(|&(adoption, report, days, compliance, detection, ..)| Arm {
        adoption: Some(adoption),
        report: Some(report),
        test_to_result_days: Some(days),
        compliance: Some(compliance),
        detection: Some(detection),
        ..Arm::default()
    });
    // A later result changes the epidemic without the app as well: OpenABM's changes are against
    // the run with its default wait, and so are ours.
    let arms: Vec<Arm> = core::iter::once(none).chain(arms).collect();
    let points: Vec<Point> = arms
        .iter()
        .enumerate()
        .flat_map(|(number, arm)| {
            (1..=seeds).map(move |seed| Point { number, arm: arm.clone(), seed })
        })
        .collect();
    let run = |point: &Point| {
        let row = point.run(scenario);
        finished();
        row
    };
    let rows: Vec<Summary> = points.par_iter().map(run).collect::<Result<_, _>>()?;
    let each: Vec<&[Summary]> = rows.chunks(usize::try_from(seeds).unwrap_or(1).max(1)).collect();
    let Some((without, with)) = each.split_first() else {
        return Ok(Comparison { without: [Band::of(Vec::new()); 5], rows: Vec::new() });
    };
    let change = |arm: &[Summary], number: fn(&Summary) -> u64| {
        let pairs = arm.iter().zip(*without);
        Band::of(
            pairs
                .map(|(with, without)| {
                    100.0 * (count(number(with)) / count(number(without).max(1)) - 1.0)
                })
                .collect(),
        )
    };
    let row = |(number, arm): (usize, &&[Summary])| {
        let reference = GRID.get(number);
        Row {
            arm: arms.get(number + 1).cloned().unwrap_or_default(),
            reference_infections_percent: reference.map_or(f64::NAN, |row| row.5),
            infections_percent: change(arm, |row| row.infections),
            reference_beds_percent: reference.map_or(f64::NAN, |row| row.6),
            beds_percent: change(arm, |row| row.peak_hospital_need),
        }
    };
    let numbers: [fn(&Summary) -> u64; 5] = [
        |row| row.infections,
        |row| row.peak_hospital_need,
        |row| row.hospital_days,
        |row| row.deaths,
        |row| row.quarantine_days,
    ];
    let per_100_000 = |number: fn(&Summary) -> u64| {
        let each = without.iter().map(|row| count(number(row)) / count(row.people) * 100_000.0);
        Band::of(each.collect())
    };
    Ok(Comparison {
        without: numbers.map(per_100_000),
        rows: with.iter().enumerate().map(row).collect(),
    })
}

/// How many runs [`compare`] makes.
#[must_use]
pub const fn runs(seeds: u64) -> u64 {
    (GRID.len() as u64 + 1) * seeds
}
