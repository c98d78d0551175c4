//! Which plots belong to which tables, and what they come to in a sentence.

use std::collections::BTreeMap;

use super::plot::{Axis, Series, figure, heat_map, lines, stacked, table, timeline};
use crate::experiment::Experiment;
use crate::experiment::table::Table;

/// One part of the report.
#[derive(Clone, Debug, PartialEq)]
pub struct Section {
    /// For the menu.
    pub short: String,
    /// The heading.
    pub title: String,
    /// What it comes to, in a sentence or two.
    pub summary: String,
    pub(super) figures: Vec<String>,
}

/// Sections of the tables, by experiment; a table that nobody knows is shown as it is.
#[must_use]
pub fn sections(tables: &[Table]) -> Vec<Section> {
    let named = |name: &str| tables.iter().find(|table| table.name == name);
    let mut sections = Vec::new();
    if let Some(stays) = named("scenario_stays") {
        sections.push(own_scenario(stays, named("scenario_events"), named("scenario_contacts")));
    }
    sections.extend(named("e1_funnel").map(funnel));
    sections.extend(named("e2_grid").map(grid));
    sections.extend(named("e4_duty_cycle").map(duty_cycle));
    sections.extend(named("e5_roc").map(|roc| rules(roc, named("e5_contacts"))));
    sections.extend(named("e6_venues").map(venues));
    sections.extend(named("e8_incidents").map(incidents));
    sections.extend(named("e9_linkability").map(linkability));
    let known = ["scenario_", "e1_", "e2_", "e4_", "e5_", "e6_", "e8_", "e9_"];
    for other in tables.iter().filter(|one| !known.iter().any(|start| one.name.starts_with(start)))
    {
        sections.push(Section {
            short: other.name.clone(),
            title: other.name.clone(),
            summary: format!("{} rows.", other.rows()),
            figures: vec![table(other)],
        });
    }
    sections
}

fn section(experiment: Experiment, summary: String, figures: Vec<String>) -> Section {
    Section {
        short: experiment.name().to_owned(),
        title: format!("{}: {}", experiment.name(), experiment.question()),
        summary,
        figures,
    }
}

/// The mean of `values`, by key, in the order of the keys.
fn means<K: Ord>(pairs: impl IntoIterator<Item = (K, f64)>) -> Vec<(K, f64)> {
    let mut sums: BTreeMap<K, (f64, f64)> = BTreeMap::new();
    for (key, value) in pairs {
        let sum = sums.entry(key).or_default();
        sum.0 += value;
        sum.1 += 1.0;
    }
    sums.into_iter().map(|(key, (sum, count))| (key, sum / count)).collect()
}

/// A number as a key: thousandths.
#[expect(clippy::cast_possible_truncation, reason = "small numbers of tables")]
fn thousandths(value: Option<f64>) -> i64 {
    libm::round(value.unwrap_or(0.0) * 1000.0) as i64
}

#[expect(clippy::cast_precision_loss, reason = "small numbers of tables")]
fn from_thousandths(value: i64) -> f64 {
    value as f64 / 1000.0
}

fn own_scenario(stays: &Table, events: Option<&Table>, contacts: Option<&Table>) -> Section {
    let text = |table: &Table, column: &str| -> Vec<String> {
        table.words(column).into_iter().map(str::to_owned).collect()
    };
    let hours = |table: &Table, column: &str| -> Vec<f64> {
        table.numbers(column).into_iter().map(|hour| hour.unwrap_or(0.0)).collect()
    };
    let (phones, places) = (text(stays, "phone"), text(stays, "place"));
    let (from, to) = (hours(stays, "from_h"), hours(stays, "to_h"));
    let bars: Vec<_> = phones
        .into_iter()
        .zip(places)
        .zip(from.into_iter().zip(to))
        .map(|((phone, place), (from, to))| (phone, place, from, to))
        .collect();
    let happened: Vec<_> = events.map_or_else(Vec::new, |events| {
        let who_and_what = text(events, "phone").into_iter().zip(text(events, "what"));
        let zipped = who_and_what.zip(hours(events, "at_h"));
        zipped.map(|((phone, what), at)| (phone, what, at)).collect()
    });
    let last = bars.iter().map(|one| one.3).chain(happened.iter().map(|one| one.2));
    let length = last.fold(1.0, f64::max);
    let told = happened.iter().filter(|one| one.1 == "told").count();
    let positive = happened.iter().filter(|one| one.1 == "tested positive").count();
    let caption = "Who was where (bars), tested positive (+), was told (●), saw a warning (!)";
    let mut figures = vec![timeline(caption, length, &bars, &happened)];
    figures.extend(contacts.map(table));
    figures.extend(events.map(table));
    Section {
        short: "Scenario".to_owned(),
        title: "The scenario".to_owned(),
        summary: format!("{positive} tested positive; {told} notices."),
        figures,
    }
}

fn funnel(found: &Table) -> Section {
    let (arms, fates) = (found.words("arm"), found.words("fate"));
    let (contacts, due) = (found.numbers("contacts"), found.numbers("due_contacts"));
    let steps = found.numbers("step");
    let mut parts: BTreeMap<i64, String> = BTreeMap::new();
    let mut order: Vec<&str> = Vec::new();
    let mut sums: BTreeMap<(&str, i64), f64> = BTreeMap::new();
    let mut totals: BTreeMap<&str, f64> = BTreeMap::new();
    let mut reconciled = 0.0;
    for row in 0..found.rows() {
        let (Some(&arm), Some(&fate)) = (arms.get(row), fates.get(row)) else { continue };
        let step = thousandths(steps.get(row).copied().flatten());
        let count = contacts.get(row).copied().flatten().unwrap_or(0.0);
        if !order.contains(&arm) {
            order.push(arm);
        }
        parts.insert(step, fate.to_owned());
        *sums.entry((arm, step)).or_default() += count;
        *totals.entry(arm).or_default() += count;
        if step == 0 {
            reconciled += due.get(row).copied().flatten().unwrap_or(0.0);
        }
    }
    let all: f64 = totals.values().sum();
    let bars: Vec<_> = order
        .iter()
        .map(|arm| {
            let total = totals.get(arm).copied().unwrap_or(1.0).max(1.0);
            let share = |step: &i64| sums.get(&(*arm, *step)).copied().unwrap_or(0.0) / total;
            ((*arm).to_owned(), parts.keys().map(share).collect())
        })
        .collect();
    let names: Vec<_> = parts.into_values().collect();
    let exact = if (all - reconciled).abs() < 0.5 { "exactly one" } else { "NOT exactly one" };
    let last: Vec<_> = bars
        .iter()
        .filter_map(|(arm, shares): &(String, Vec<f64>)| {
            Some(format!("{arm}: {:.1} %", shares.last()? * 100.0))
        })
        .collect();
    let summary = format!(
        "{all:.0} due contacts in all arms and seeds, each with {exact} fate. Told and acted on: {}.",
        last.join("; ")
    );
    let drawn = stacked("What becomes of contacts nearer than 2 m for 15 minutes", &names, &bars);
    section(Experiment::E1, summary, vec![drawn])
}

fn grid(found: &Table) -> Section {
    let axis =
        |name: &str| -> Vec<i64> { found.numbers(name).into_iter().map(thousandths).collect() };
    let (adoption, carry, report) = (axis("adoption"), axis("carry"), axis("report"));
    let (told, predicted) = (found.numbers("share_told"), found.numbers("share_predicted"));
    let distinct = |values: &[i64]| {
        let mut sorted = values.to_vec();
        sorted.sort_unstable();
        sorted.dedup();
        sorted
    };
    let percent = |value: i64| format!("{:.0} %", from_thousandths(value) * 100.0);
    let cell = |a: i64, c: i64, r: i64, of: &[Option<f64>]| {
        let here = (0..found.rows()).filter(|&row| {
            adoption.get(row) == Some(&a)
                && carry.get(row) == Some(&c)
                && report.get(row) == Some(&r)
        });
        means(here.filter_map(|row| Some(((), of.get(row).copied().flatten()?))))
            .first()
            .map(|one| one.1)
    };
    let (adoptions, carries, reports) = (distinct(&adoption), distinct(&carry), distinct(&report));
    let mut figures = Vec::new();
    let mut points = Vec::new();
    for &c in carries.iter().rev() {
        let cells: Vec<Vec<_>> = reports
            .iter()
            .rev()
            .map(|&r| adoptions.iter().map(|&a| cell(a, c, r, &told)).collect())
            .collect();
        for &r in &reports {
            points.extend(
                adoptions
                    .iter()
                    .filter_map(|&a| cell(a, c, r, &predicted).zip(cell(a, c, r, &told))),
            );
        }
        let columns: Vec<_> = adoptions.iter().map(|&a| percent(a)).collect();
        let rows: Vec<_> = reports.iter().rev().map(|&r| percent(r)).collect();
        let caption = format!("Due contacts told, %; phones carried {} of days", percent(c));
        figures.push(heat_map(&caption, &columns, &rows, &cells, ["adoption", "report"]));
    }
    let greatest = points.iter().flat_map(|point| [point.0, point.1]);
    let (x, y) = (
        Axis::of("predicted: detected × report × adoption² × carry²", greatest.clone()),
        Axis::of("share told", greatest),
    );
    let ideal = Series {
        name: "as predicted".to_owned(),
        points: vec![(0.0, 0.0), (x.to, x.to)],
        line: true,
        colour: 7,
    };
    let apart: f64 = points.iter().map(|(x, y)| (x - y).abs()).fold(0.0, f64::max);
    let cells = Series { name: "an arm".to_owned(), points, line: false, colour: 0 };
    figures.push(lines("Measured beside the product of its factors", &x, &y, &[ideal, cells]));
    let summary = format!(
        "Held against detection × reporting × adoption² × carrying², the farthest arm is {:.1} points \
         off; the fewer positives, the farther.",
        apart * 100.0
    );
    section(Experiment::E2, summary, figures)
}

fn duty_cycle(found: &Table) -> Section {
    let number = |name: &str| found.numbers(name);
    let (pause, jitter) = (number("pause_s"), number("jitter_s"));
    let (missed, minutes) = (number("scans_missed"), number("minutes"));
    let (told, couples, radio) = (number("told"), number("couples"), number("radio_on_s_a_day"));
    let at = |column: &[Option<f64>], row: usize| column.get(row).copied().flatten();
    let share = |row: usize| Some(at(&told, row)? / at(&couples, row)?.max(1.0));
    let rows = || 0..found.rows();
    let jittered = |row: &usize| at(&jitter, *row).is_some_and(|seconds| seconds > 0.0);
    let awake = |row: &usize| at(&missed, *row) == Some(0.0);
    let series =
        |by: &[Option<f64>], x: &[Option<f64>], keep: &dyn Fn(&usize) -> bool, unit: &str| {
            let of = means(rows().filter(|row| keep(row)).filter_map(|row| {
                Some(((thousandths(at(by, row)), thousandths(at(x, row))), share(row)?))
            }));
            let mut series: Vec<Series> = Vec::new();
            for ((name, x), share) in of {
                let name = format!("{}{unit}", from_thousandths(name));
                let point = (from_thousandths(x), share);
                match series.last_mut() {
                    Some(last) if last.name == name => last.points.push(point),
                    _ => {
                        let colour = series.len();
                        series.push(Series { name, points: vec![point], line: true, colour });
                    }
                }
            }
            series
        };
    let pauses = Axis::of("longest pause between scans, s", pause.iter().copied().flatten());
    let lengths = Axis::of("minutes at 1 m", minutes.iter().copied().flatten());
    let told_axis = Axis::share("share told");
    let regular = |row: &usize| at(&pause, *row) == Some(300.0) && jittered(row);
    let radio_on = means(
        rows()
            .filter(|row| jittered(row) && awake(row))
            .filter_map(|row| Some((thousandths(at(&pause, row)), at(&radio, row)?))),
    );
    let points: Vec<_> = radio_on.iter().map(|&(x, y)| (from_thousandths(x), y)).collect();
    let seconds = Axis::of("radio on, s a day", points.iter().map(|point| point.1));
    let on = Series { name: "radio on".to_owned(), points: points.clone(), line: true, colour: 1 };
    let at_300 = points.iter().find(|point| (point.0 - 300.0).abs() < 0.5).map_or(0.0, |p| p.1);
    let summary = format!(
        "COCOA's rule at 1 m; pauses are shortened at random by up to three tenths. With Google's \
         300 s the receiver is on for {at_300:.0} s a day."
    );
    let by_pause = series(&minutes, &pause, &|row| jittered(row) && awake(row), " min");
    let by_missed = series(&missed, &minutes, &regular, " of scans missed");
    let figures = vec![
        lines("Told, by the pause between scans", &pauses, &told_axis, &by_pause),
        lines("Told at 300 s, by scans slept through", &lengths, &told_axis, &by_missed),
        lines("What it costs", &pauses, &seconds, &[on]),
    ];
    section(Experiment::E4, summary, figures)
}

fn venues(found: &Table) -> Section {
    let number = |name: &str| found.numbers(name);
    let (scanned, due, told) = (number("visits_scanned"), number("due"), number("told_due"));
    let waited = number("days_from_test_to_message");
    let gates = found.words("gate");
    let at = |column: &[Option<f64>], row: usize| column.get(row).copied().flatten();
    let mut names: Vec<&str> = Vec::new();
    for gate in &gates {
        if !names.contains(gate) {
            names.push(gate);
        }
    }
    let mut series = Vec::new();
    let mut waits = Vec::new();
    for (colour, name) in names.into_iter().enumerate() {
        let rows = || (0..found.rows()).filter(|row| gates.get(*row) == Some(&name));
        let shares = means(rows().filter_map(|row| {
            let share = at(&told, row)? / at(&due, row)?.max(1.0);
            Some((thousandths(at(&scanned, row)), share))
        }));
        let points = shares.iter().map(|&(x, share)| (from_thousandths(x), share)).collect();
        series.push(Series { name: name.to_owned(), points, line: true, colour });
        let wait = means(rows().filter_map(|row| Some(((), at(&waited, row)?))));
        waits.push(match wait.first() {
            Some(((), days)) => format!("{name}: {days:.1} days after the test"),
            None => format!("{name}: nobody is told"),
        });
    }
    let summary = format!("When the message comes. {}.", waits.join("; "));
    let x = Axis::share("share of visits that are scanned");
    let y = Axis::share("told, of the visitors who were together with a positive one");
    section(
        Experiment::E6,
        summary,
        vec![lines("Told, by who lets a warning out", &x, &y, &series)],
    )
}

fn rules(roc: &Table, contacts: Option<&Table>) -> Section {
    let (names, kinds) = (roc.words("rule"), roc.words("kind"));
    let (x, y) = (roc.numbers("falsely_told"), roc.numbers("rightly_told"));
    let mut series: Vec<Series> = Vec::new();
    let mut shipped = Vec::new();
    for row in 0..roc.rows() {
        let (Some(&name), Some(&kind)) = (names.get(row), kinds.get(row)) else { continue };
        let (Some(Some(x)), Some(Some(y))) = (x.get(row), y.get(row)) else { continue };
        let line = kind == "curve";
        let known = series.iter().position(|one| one.name == name && one.line == line);
        let colour = series
            .iter()
            .find(|one| one.name == name)
            .map_or_else(|| series.iter().filter(|one| one.line).count(), |one| one.colour);
        if !line {
            shipped.push(format!(
                "{name} tells {:.0} % rightly, {:.0} % falsely",
                y * 100.0,
                x * 100.0
            ));
        }
        if let Some(known) = known.and_then(|index| series.get_mut(index)) {
            known.points.push((*x, *y));
        } else {
            series.push(Series { name: name.to_owned(), points: vec![(*x, *y)], line, colour });
        }
    }
    let mut figures = vec![lines(
        "Told rightly and falsely from each score on; dots are the rules as shipped",
        &Axis::share("falsely told: far, or behind a wall"),
        &Axis::share("rightly told: near and long"),
        &series,
    )];
    if let Some(contacts) = contacts {
        figures.extend(high_by_distance(contacts));
    }
    section(Experiment::E5, format!("As shipped: {}.", shipped.join("; ")), figures)
}

fn high_by_distance(contacts: &Table) -> Option<String> {
    let rules = contacts.words("rule");
    let number = |name: &str| contacts.numbers(name);
    let (distance, minutes) = (number("distance_m"), number("minutes"));
    let (wall, high) = (number("wall_db"), number("high"));
    let mut series: Vec<Series> = Vec::new();
    let rows = (0..contacts.rows()).filter_map(|row| {
        let free = wall.get(row).copied().flatten()? == 0.0;
        let long = minutes.get(row).copied().flatten()? == 30.0;
        let key = (*rules.get(row)?, thousandths(distance.get(row).copied().flatten()));
        (free && long).then_some((key, high.get(row).copied().flatten()?))
    });
    for ((rule, metres), share) in means(rows) {
        let point = (from_thousandths(metres), share);
        match series.last_mut() {
            Some(last) if last.name == rule => last.points.push(point),
            _ => {
                let (name, colour) = (rule.to_owned(), series.len());
                series.push(Series { name, points: vec![point], line: true, colour });
            }
        }
    }
    let farthest = series.iter().flat_map(|one| one.points.iter().map(|point| point.0));
    let axis = Axis::of("metres, for 30 minutes", farthest);
    (!series.is_empty())
        .then(|| lines("Told, by distance", &axis, &Axis::share("share told"), &series))
}

fn incidents(found: &Table) -> Section {
    let runs = found.words("run");
    let (missed, falsely) = (found.numbers("missed"), found.numbers("falsely_told"));
    let until = found.numbers("minutes_until_status");
    let sum = |column: &[Option<f64>], with: bool| -> f64 {
        let of = runs.iter().zip(column).filter(|(run, _)| {
            if with { **run == "with every defence" } else { run.starts_with("without") }
        });
        of.filter_map(|(_, value)| *value).sum()
    };
    let bars: Vec<(&str, f64)> = found
        .words("scenario")
        .into_iter()
        .zip(&runs)
        .zip(&until)
        .filter(|((_, run), _)| **run == "with every defence")
        .filter_map(|((name, _), minutes)| Some((name, (*minutes)?)))
        .collect();
    let longest = bars.iter().map(|bar| bar.1).fold(0.0, f64::max);
    let summary = format!(
        "With every defence {:.0} missed and {:.0} falsely told; with one switched off at a time {:.0} \
         missed and {:.0} falsely told. The status says so within {:.0} minutes at most, where it is \
         expected to.",
        sum(&missed, true),
        sum(&falsely, true),
        sum(&missed, false),
        sum(&falsely, false),
        longest
    );
    let lines: String = bars
        .iter()
        .map(|(name, minutes)| format!("<tr><td>{name}</td><td class=\"n\">{minutes:.0}</td></tr>"))
        .collect();
    let waits = format!(
        "<div class=\"scroll\"><table><tr><th>scenario</th><th>minutes</th></tr>{lines}</table></div>"
    );
    let figures = vec![
        figure("Minutes from the fault to the status that says so", &waits, &[]),
        table(found),
    ];
    section(Experiment::E8, summary, figures)
}

fn linkability(found: &Table) -> Section {
    let runs = found.words("run");
    let share = found.numbers("share_of_places");
    let per = |days: &str, people: &str| {
        let (days, people) = (found.numbers(days), found.numbers(people));
        means((0..found.rows()).filter_map(|row| {
            let days = days.get(row).copied().flatten()?;
            let people = people.get(row).copied().flatten()?.max(1.0);
            let key = (*runs.get(row)?, thousandths(share.get(row).copied().flatten()));
            Some((key, days / people))
        }))
    };
    let draw = |of: Vec<((&str, i64), f64)>, caption: &str| {
        let axis = Axis::of("days a person", of.iter().map(|one| one.1));
        let mut series: Vec<Series> = Vec::new();
        for ((run, places), days) in of {
            let point = (from_thousandths(places), days);
            match series.last_mut() {
                Some(last) if last.name == run => last.points.push(point),
                _ => {
                    let (name, colour) = (run.to_owned(), series.len());
                    series.push(Series { name, points: vec![point], line: true, colour });
                }
            }
        }
        lines(caption, &Axis::share("share of places with a listener"), &axis, &series)
    };
    let positives = per("days_linked_of_positives", "positives");
    let others = per("days_linked_of_others", "others");
    let worst = |of: &[((&str, i64), f64)]| {
        let shipped = of.iter().filter(|((run, _), _)| *run == "as shipped");
        shipped.map(|one| one.1).fold(0.0, f64::max)
    };
    let summary = format!(
        "As shipped, with a listener in every place, a person who publishes keys can be followed on \
         {:.1} days, anybody else on {:.1}.",
        worst(&positives),
        worst(&others)
    );
    let figures =
        vec![draw(positives, "People who published their keys"), draw(others, "Everybody else")];
    section(Experiment::E9, summary, figures)
}
