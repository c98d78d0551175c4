//! E2: what share of due contacts is told, by adoption, carrying and reporting.

use super::arm::{Arm, Everybody, Fate};
use super::table::{Table, Value};
use super::{Settings, over_seeds};

const ADOPTION: [f64; 7] = [0.0, 0.2, 0.35, 0.5, 0.67, 0.83, 1.0];
const CARRY: [f64; 4] = [0.5, 0.7, 0.9, 1.0];
/// Of app-using positives.
const REPORT: [f64; 5] = [0.023, 0.07, 0.16, 0.5, 1.0];

pub(super) fn run(settings: &Settings, done: &(dyn Fn() + Sync)) -> Vec<Table> {
    let runs = over_seeds(settings, done, |seed| {
        let everybody = Everybody::run(settings.phones, settings.days, seed);
        let mut cells = Vec::new();
        for adoption in ADOPTION {
            for carry in CARRY {
                for report in REPORT {
                    let arm = Arm { adoption, carry, entered: report, ..Arm::EVERYBODY };
                    cells.push((arm, told_and_due(&everybody, &arm)));
                }
            }
        }
        (seed, cells)
    });
    let mut rows = Vec::new();
    for (seed, cells) in runs {
        let found = cells.iter().find(|(arm, _)| *arm == Arm::EVERYBODY);
        #[expect(clippy::cast_precision_loss, reason = "counts far below 2^53")]
        let share = |&(told, due): &(usize, usize)| (due > 0).then(|| told as f64 / due as f64);
        let detected = found.and_then(|(_, counts)| share(counts));
        for (arm, counts) in cells {
            // Both people need the app and must carry the phone; one of them must report.
            let predicted = detected.map(|detected| {
                detected * arm.entered * arm.adoption * arm.adoption * arm.carry * arm.carry
            });
            rows.push([
                Value::from(seed),
                arm.adoption.into(),
                arm.carry.into(),
                arm.entered.into(),
                counts.0.into(),
                counts.1.into(),
                share(&counts).into(),
                predicted.into(),
            ]);
        }
    }
    let columns = [
        "seed",
        "adoption",
        "carry",
        "report",
        "told_contacts",
        "due_contacts",
        "share_told",
        "share_predicted",
    ];
    vec![Table::of_rows("e2_grid", columns, rows)]
}

/// Due contacts that both heard and led to a notice, and all of them.
fn told_and_due(everybody: &Everybody, arm: &Arm) -> (usize, usize) {
    let fates = everybody.fates(arm);
    let told = fates.values().filter(|fate| matches!(fate, Fate::Acts | Fate::TellsAndIsIgnored));
    (told.count(), fates.len())
}
