//! E5: each rule over distance, duration, models of phone and walls.

use chikaku_core::risk::RiskProfile;

use super::couples::{Couple, scenario, verdicts};
use super::table::{Table, Value};
use super::{Settings, over_arms};
use crate::scenario::Interference;
use crate::world::World;

const DISTANCES_M: [f64; 7] = [0.5, 1.0, 1.5, 2.0, 3.0, 5.0, 8.0];
const MINUTES: [u32; 5] = [5, 10, 15, 30, 60];
const WALLS_DB: [f64; 2] = [0.0, 10.0];
const BODIES_DB: [f64; 2] = [0.0, 6.0];
/// Nearer than this, with nothing between, and for at least [`LONG_MINUTES`], should be told.
const NEAR_M: f64 = 1.5;
const LONG_MINUTES: u32 = 15;
/// From here on, or behind a wall, nobody should be told.
const FAR_M: f64 = 3.0;

fn profiles() -> [RiskProfile; 7] {
    [
        RiskProfile::gaen(),
        RiskProfile::cocoa_v2(),
        RiskProfile::google_v1(),
        RiskProfile::apple_v1(),
        RiskProfile::cwa(),
        RiskProfile::monotone(),
        RiskProfile::proximity(),
    ]
}

fn name(profile: &RiskProfile) -> String {
    let name = serde_json::to_value(profile.name()).unwrap_or_default();
    name.as_str().unwrap_or("?").to_owned()
}

pub(super) fn run(settings: &Settings, done: &(dyn Fn() + Sync)) -> Vec<Table> {
    let mut couples = Vec::new();
    for distance_m in DISTANCES_M {
        for minutes in MINUTES {
            couples.extend(WALLS_DB.map(|wall_db| Couple { distance_m, minutes, wall_db }));
        }
    }
    let runs = over_arms(settings, &BODIES_DB, done, |&body_db, seed| {
        let interference = Interference { body_db, ..Interference::default() };
        let outcome = World::new(&scenario(&couples, interference, seed), seed).run(|_| {});
        (seed, profiles().map(|profile| (name(&profile), verdicts(&outcome, &profile))))
    });
    let (mut cells, mut cases) = (Vec::new(), Vec::new());
    for (body_db, (seed, rules)) in runs {
        for (rule, verdicts) in rules {
            for (couple, (score, high)) in couples.iter().zip(verdicts) {
                cells.push([
                    Value::from(seed),
                    rule.as_str().into(),
                    couple.distance_m.into(),
                    couple.minutes.into(),
                    couple.wall_db.into(),
                    body_db.into(),
                    score.into(),
                    i64::from(high).into(),
                ]);
                let near = couple.distance_m < NEAR_M && couple.wall_db == 0.0;
                let far = couple.distance_m >= FAR_M || couple.wall_db > 0.0;
                if near && couple.minutes >= LONG_MINUTES || far {
                    cases.push((rule.clone(), score, near, high));
                }
            }
        }
    }
    let columns = ["seed", "rule", "distance_m", "minutes", "wall_db", "body_db", "score", "high"];
    vec![Table::of_rows("e5_contacts", columns, cells), curves(&cases)]
}

/// Of each rule: the share of those who should be told, and of those who should not, who would be
/// told from each score on; and where the shipped threshold lies.
fn curves(cases: &[(String, f64, bool, bool)]) -> Table {
    let mut rows = Vec::new();
    for profile in profiles() {
        let rule = name(&profile);
        let of_rule: Vec<_> = cases.iter().filter(|case| case.0 == rule).collect();
        #[expect(clippy::cast_precision_loss, reason = "counts far below 2^53")]
        let share = |near: bool, is_told: &dyn Fn(f64, bool) -> bool| {
            let of_kind = of_rule.iter().filter(|case| case.2 == near);
            let all = of_kind.clone().count();
            let told = of_kind.filter(|case| is_told(case.1, case.3)).count();
            (all > 0).then(|| told as f64 / all as f64)
        };
        let mut scores: Vec<f64> = of_rule.iter().map(|case| case.1).collect();
        scores.sort_by(f64::total_cmp);
        scores.dedup();
        let step = scores.len().div_ceil(60).max(1);
        let mut row = |kind: &str, is_told: &dyn Fn(f64, bool) -> bool| {
            let (falsely, rightly) = (share(false, is_told), share(true, is_told));
            rows.push([Value::from(rule.as_str()), kind.into(), falsely.into(), rightly.into()]);
        };
        row("curve", &|_, _| false);
        for threshold in scores.into_iter().rev().step_by(step) {
            row("curve", &|score, _| score >= threshold);
        }
        row("curve", &|_, _| true);
        row("as shipped", &|_, high| high);
    }
    Table::of_rows("e5_roc", ["rule", "kind", "falsely_told", "rightly_told"], rows)
}
