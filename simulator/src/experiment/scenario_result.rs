//! What came of one scenario, as tables.

use chikaku_core::risk::RiskLevel;
use chikaku_core::time::Timestamp;

use super::table::{Table, Value};
use crate::world::Outcome;

/// Who was where, what happened to whom, and every contact with a person who tested positive.
#[must_use]
pub fn tables(outcome: &Outcome) -> Vec<Table> {
    vec![stays(outcome), events(outcome), contacts(outcome)]
}

/// Hours since the scenario began.
#[expect(clippy::cast_precision_loss, reason = "seconds of a scenario")]
fn hours(outcome: &Outcome, at: Timestamp) -> f64 {
    at.seconds_since(outcome.scenario.starts) as f64 / 3600.0
}

fn stays(outcome: &Outcome) -> Table {
    let scenario = &outcome.scenario;
    let rows = scenario.stays.iter().flat_map(|stay| {
        let (from, to) = (stay.from.max(scenario.starts), stay.to.min(scenario.ends));
        stay.positions.keys().map(move |&phone| {
            [
                Value::from(outcome.name(phone)),
                stay.place.as_str().into(),
                hours(outcome, from).into(),
                hours(outcome, to).into(),
            ]
        })
    });
    Table::of_rows("scenario_stays", ["phone", "place", "from_h", "to_h"], rows)
}

fn events(outcome: &Outcome) -> Table {
    let mut rows = Vec::new();
    let event = |phone: usize, what: &str, at: Timestamp| {
        [Value::from(outcome.name(phone)), what.into(), hours(outcome, at).into()]
    };
    for diagnosis in &outcome.scenario.diagnoses {
        rows.push(event(diagnosis.phone, "tested positive", diagnosis.reported));
    }
    for told in &outcome.announcements {
        rows.push(event(told.phone, "told", told.at));
    }
    for (phone, result) in outcome.phones.iter().enumerate() {
        for (reason, &since) in &result.reasons {
            rows.push(event(phone, &format!("status: {reason}"), since));
        }
    }
    Table::of_rows("scenario_events", ["phone", "what", "at_h"], rows)
}

fn contacts(outcome: &Outcome) -> Table {
    let diagnosed: Vec<_> = outcome.scenario.diagnoses.iter().map(|one| one.phone).collect();
    let mut rows = Vec::new();
    for contact in &outcome.contacts {
        for (positive, other) in [(contact.one, contact.other), (contact.other, contact.one)] {
            if !diagnosed.contains(&positive) {
                continue;
            }
            let ends = contact.from.saturating_add(contact.seconds);
            let days = [contact.from.day(), ends.saturating_sub(1).day()];
            let assessed = outcome.phones.get(other).into_iter().flat_map(|phone| &phone.days);
            let best = assessed
                .filter(|day| days.contains(&day.day))
                .max_by(|one, another| one.score.total_cmp(&another.score));
            let told = outcome
                .announcements
                .iter()
                .any(|told| told.phone == other && days.contains(&told.assessment.day));
            let came_to = match (told, best) {
                (true, _) => "told",
                (false, Some(day)) if day.level == RiskLevel::High => "High, and not told",
                (false, Some(_)) => "heard, and the score is Low",
                (false, None) => "nothing matched",
            };
            rows.push([
                Value::from(outcome.name(positive)),
                outcome.name(other).into(),
                contact.place.as_str().into(),
                contact.distance_m.into(),
                (contact.seconds / 60).into(),
                best.map(|day| day.score).into(),
                came_to.into(),
            ]);
        }
    }
    let columns =
        ["positive", "contact", "place", "distance_m", "minutes", "score_of_the_day", "came_to"];
    Table::of_rows("scenario_contacts", columns, rows)
}
