//! E1: where contacts are lost, and that each is lost exactly once.

use std::collections::BTreeMap;

use super::arm::{Arm, Everybody, Fate};
use super::table::{Table, Value};
use super::{Settings, over_seeds};

/// Japan's figures: a third had the app, 4.3 % of positives got a number, 53 % of them entered it,
/// and 74.1 % of those told changed what they did.
const JAPAN: Arm = Arm { adoption: 0.33, carry: 0.9, issued: 0.043, entered: 0.53, acts: 0.741 };

fn arms() -> [(&'static str, Arm); 8] {
    let everybody = Arm::EVERYBODY;
    [
        ("everybody takes part", everybody),
        ("adoption as in Japan", Arm { adoption: JAPAN.adoption, ..everybody }),
        ("phones carried on 9 days of 10", Arm { carry: JAPAN.carry, ..everybody }),
        ("numbers issued as in Japan", Arm { issued: JAPAN.issued, ..everybody }),
        ("numbers entered as in Japan", Arm { entered: JAPAN.entered, ..everybody }),
        ("notices acted on as in Japan", Arm { acts: JAPAN.acts, ..everybody }),
        ("as in Japan", JAPAN),
        ("as in Japan, numbers issued by themselves", Arm { issued: 1.0, ..JAPAN }),
    ]
}

pub(super) fn run(settings: &Settings, done: &(dyn Fn() + Sync)) -> Vec<Table> {
    let runs = over_seeds(settings, done, |seed| {
        let everybody = Everybody::run(settings.phones, settings.days, seed);
        let counted = |(name, arm): (&'static str, Arm)| {
            let mut counts: BTreeMap<Fate, usize> = BTreeMap::new();
            for fate in everybody.fates(&arm).into_values() {
                *counts.entry(fate).or_default() += 1;
            }
            (name, counts)
        };
        (seed, everybody.due().len(), arms().map(counted))
    });
    let mut rows = Vec::new();
    for (seed, due, arms) in runs {
        for (arm, counts) in arms {
            for (order, fate) in Fate::ALL.into_iter().enumerate() {
                let contacts = counts.get(&fate).copied().unwrap_or(0);
                rows.push([
                    Value::from(seed),
                    arm.into(),
                    order.into(),
                    fate.name().into(),
                    contacts.into(),
                    due.into(),
                ]);
            }
        }
    }
    let columns = ["seed", "arm", "step", "fate", "contacts", "due_contacts"];
    vec![Table::of_rows("e1_funnel", columns, rows)]
}
