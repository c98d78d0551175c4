//! `chikaku replay --truth`.

use std::path::PathBuf;

use chikaku_simulator::accuracy::{Per, Row, judge};
use chikaku_simulator::fidelity::Tracks;
use chikaku_simulator::replay::Replay;
use serde_json::json;

use crate::failure::{Failure, read};
use crate::output::{self, say};
use crate::{progress, table};

/// Judges every rule and prints it, as JSON if that was asked for.
pub(super) fn print(
    replayed: &Replay,
    truth: &[PathBuf],
    arguments: &super::Arguments,
) -> Result<(), Failure> {
    let bar = progress::bar(truth.len() as u64, "reading positions");
    let mut tracks = Vec::new();
    for path in truth {
        let track = Tracks::read(&read(path)?, arguments.utc_offset_seconds);
        tracks.push(track.map_err(|error| Failure::refused(error).about(path))?);
        bar.inc(1);
    }
    bar.finish_and_clear();
    let rows = judge(replayed, &tracks);
    let recordings: Vec<_> = tracks.iter().map(|track| track.name.clone()).collect();
    if arguments.json.is_some() {
        output::json(&json!({ "recordings": recordings, "rules": rows }));
    } else {
        table(&rows, &recordings);
    }
    Ok(())
}

fn table(rows: &[Row], recordings: &[String]) {
    let number =
        |value: Option<f64>| value.map_or_else(|| "–".to_owned(), |value| format!("{value:.3}"));
    let mut table = table::with_header([
        "rule",
        "per",
        "near is",
        "near of all",
        "AUC",
        "best F1",
        "F1 cross-validated",
        "F1 as shipped",
        "AUC by recording",
    ]);
    for row in rows {
        let figures = &row.figures;
        let by_recording: Vec<_> = figures.auc_by_recording.iter().copied().map(number).collect();
        table.add_row([
            row.rule.clone(),
            if row.per == Per::Pair { "pair" } else { "scan instance" }.to_owned(),
            format!("< {} m", row.limit_m),
            format!("{} of {}", figures.near, figures.cases),
            number(figures.auc),
            number(figures.best_f1),
            number(figures.cross_validated_f1),
            number(figures.shipped_f1),
            by_recording.join(" "),
        ]);
    }
    say!("{table}\n\nrecordings: {}", recordings.join(", "));
}
