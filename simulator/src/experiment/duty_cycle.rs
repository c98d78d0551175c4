//! E4: how often to scan: what is detected, and how long the radio is on.

use chikaku_core::engine::plan::ScanSchedule;
use chikaku_core::risk::RiskProfile;

use super::couples::{Couple, scenario, verdicts};
use super::table::{Table, Value};
use super::{Settings, over_arms};
use crate::scenario::Interference;
use crate::world::World;

const PAUSE_SECONDS: [u32; 7] = [60, 120, 180, 240, 300, 600, 900];
/// Share of scans that the phone sleeps through.
const MISSED: [f64; 4] = [0.0, 0.1, 0.3, 0.5];
const MINUTES: [u32; 6] = [10, 15, 20, 30, 45, 60];
const COUPLES: usize = 12;
const HOURS_SIMULATED: f64 = 6.0;

pub(super) fn run(settings: &Settings, done: &(dyn Fn() + Sync)) -> Vec<Table> {
    let mut arms = Vec::new();
    for pause in PAUSE_SECONDS {
        // Google's schedule shortens a pause of 300 s at random by up to 90 s: three tenths.
        for (jitter, missed) in
            MISSED.map(|missed| (pause * 3 / 10, missed)).into_iter().chain([(0, 0.0)])
        {
            arms.push((pause, jitter, missed));
        }
    }
    let couples: Vec<_> = MINUTES
        .into_iter()
        .flat_map(|minutes| [Couple { distance_m: 1.0, minutes, wall_db: 0.0 }; COUPLES])
        .collect();
    let profile = RiskProfile::cocoa_v2();
    let runs = over_arms(settings, &arms, done, |&(pause, jitter, missed), seed| {
        let schedule = ScanSchedule {
            scan_seconds: 4,
            longest_pause_seconds: pause,
            pause_jitter_seconds: jitter,
        };
        let interference = Interference {
            scan_schedule: Some(schedule),
            scans_missed: missed,
            ..Interference::default()
        };
        let outcome = World::new(&scenario(&couples, interference, seed), seed).run(|_| {});
        let told = verdicts(&outcome, &profile);
        let by_minutes = MINUTES.map(|minutes| {
            let of = couples.iter().zip(&told).filter(|(couple, _)| couple.minutes == minutes);
            of.filter(|(_, (_, high))| *high).count()
        });
        let seconds: u64 = outcome.phones.iter().map(|phone| phone.radio_on_seconds).sum();
        #[expect(clippy::cast_precision_loss, reason = "counts far below 2^53")]
        let a_day = seconds as f64 / outcome.phones.len() as f64 * 24.0 / HOURS_SIMULATED;
        (seed, by_minutes, a_day)
    });
    let mut rows = Vec::new();
    for ((pause, jitter, missed), (seed, by_minutes, radio_on)) in runs {
        for (minutes, told) in MINUTES.into_iter().zip(by_minutes) {
            rows.push([
                Value::from(seed),
                pause.into(),
                jitter.into(),
                missed.into(),
                minutes.into(),
                told.into(),
                COUPLES.into(),
                radio_on.into(),
            ]);
        }
    }
    let columns = [
        "seed",
        "pause_s",
        "jitter_s",
        "scans_missed",
        "minutes",
        "told",
        "couples",
        "radio_on_s_a_day",
    ];
    vec![Table::of_rows("e4_duty_cycle", columns, rows)]
}
