//! The board as a page: one file without scripts or network, light and dark, for a phone as well.

use core::fmt::Write as _;

use super::monitor::{Day, Monitor};
use super::sweep::count;

/// An arm to show.
#[derive(Clone, Copy, Debug)]
pub struct ArmOnPage<'a> {
    /// Its name.
    pub name: &'a str,
    /// Its days.
    pub monitor: &'a Monitor,
}

/// A chart: title, what is drawn, and a capacity if there is one.
struct Chart {
    title: &'static str,
    value: fn(&Day) -> u64,
    limit: Option<fn(&Day) -> u64>,
}

const CHARTS: [Chart; 9] = [
    chart("Positive results a day", |day| day.new_cases),
    Chart {
        title: "Beds for moderate illness in use",
        value: |day| day.moderate_beds_used,
        limit: Some(|day| day.moderate_beds_total),
    },
    Chart {
        title: "Beds for severe illness in use",
        value: |day| day.severe_beds_used,
        limit: Some(|day| day.severe_beds_total),
    },
    chart("Waiting for a bed", |day| day.waiting),
    chart("Recuperating at home", |day| day.home),
    chart("Recuperating in a hotel", |day| day.hotel),
    chart("Notified a day", |day| day.notified),
    chart("At home though not infected (the price)", |day| day.isolated_not_infected),
    chart("Minutes of calls saved by the diary a day", |day| day.diary_minutes_saved),
];

const fn chart(title: &'static str, value: fn(&Day) -> u64) -> Chart {
    Chart { title, value, limit: None }
}

const STYLE: &str = "\
:root{color-scheme:light dark;--paper:#fff;--ink:#1c2530;--soft:#5b6876;--line:#d9dfe6;--panel:#f5f7f9;\
--c0:#6b7785;--c1:#c2410c;--c2:#1d6fd1;--c3:#15803d;--c4:#8b3fc7;--c5:#b08900}\
@media(prefers-color-scheme:dark){:root{--paper:#12171d;--ink:#e7ecf1;--soft:#9ba8b5;--line:#303a45;\
--panel:#1a2129;--c0:#a3afbb;--c1:#ff8a4c;--c2:#62a8ff;--c3:#4cc978;--c4:#cb93f5;--c5:#e3c24a}}\
*{box-sizing:border-box}body{margin:0 auto;max-width:72rem;padding:1rem;background:var(--paper);\
color:var(--ink);font:16px/1.45 system-ui,sans-serif}h1{font-size:1.4rem;margin:.2rem 0}\
h2{font-size:1rem;margin:0 0 .3rem}p{color:var(--soft);margin:.3rem 0 1rem;max-width:44rem}\
.legend{position:sticky;top:0;display:flex;flex-wrap:wrap;gap:.2rem 1rem;list-style:none;margin:0 -1rem 1rem;\
padding:.5rem 1rem;background:var(--paper);border-bottom:1px solid var(--line);font-size:.9rem}\
.legend i{display:inline-block;width:1.4em;height:0;border-top:3px solid;vertical-align:middle;margin-right:.4em}\
.charts{display:grid;gap:1rem;grid-template-columns:repeat(auto-fit,minmax(min(100%,20rem),1fr))}\
figure{margin:0;padding:.8rem;background:var(--panel);border-radius:.5rem}svg{width:100%;height:auto;display:block}\
svg text{fill:var(--soft);font-size:11px}.grid{stroke:var(--line)}.limit{stroke:var(--ink);stroke-dasharray:4 4}\
.curve{fill:none;stroke-width:2;stroke-linejoin:round}.scroll{overflow-x:auto}\
table{border-collapse:collapse;font-size:.9rem;font-variant-numeric:tabular-nums}\
th,td{padding:.35rem .7rem;text-align:right;border-bottom:1px solid var(--line);white-space:nowrap}\
th:first-child,td:first-child{text-align:left}";

const WIDTH: f64 = 360.0;
const HEIGHT: f64 = 180.0;
const LEFT: f64 = 44.0;
const BOTTOM: f64 = 22.0;
const TOP: f64 = 8.0;
const COLOURS: usize = 6;

/// The page.
#[must_use]
pub fn board(title: &str, subtitle: &str, arms: &[ArmOnPage<'_>]) -> String {
    let (title, subtitle) = (escaped(title), escaped(subtitle));
    let mut page = format!(
        "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\
         <title>{title}</title><style>{STYLE}</style></head><body>\n<h1>{title}</h1>\n\
         <p>{subtitle}</p>\n<ul class=\"legend\">"
    );
    for (number, arm) in arms.iter().enumerate() {
        let (colour, name) = (number % COLOURS, escaped(arm.name));
        let _ = write!(page, "<li><i style=\"border-color:var(--c{colour})\"></i>{name}</li>");
    }
    page.push_str("</ul>\n<div class=\"charts\">\n");
    for chart in &CHARTS {
        let _ = writeln!(
            page,
            "<figure><h2>{}</h2>{}</figure>",
            escaped(chart.title),
            drawn(chart, arms)
        );
    }
    page.push_str("</div>\n<h2 style=\"margin-top:1.5rem\">Over all days</h2>\n");
    page.push_str(&totals(arms));
    page.push_str("</body></html>\n");
    page
}

fn drawn(chart: &Chart, arms: &[ArmOnPage<'_>]) -> String {
    let peak = arms.iter().map(|arm| {
        let limit = chart.limit.map_or(0, |limit| arm.monitor.peak(limit));
        arm.monitor.peak(chart.value).max(limit)
    });
    let top = round_up(peak.max().unwrap_or(0).max(1));
    let days = arms.iter().map(|arm| arm.monitor.days.len()).max().unwrap_or(0).max(2);
    let x = |day: usize| LEFT + (WIDTH - LEFT - 8.0) * count(day as u64) / count((days - 1) as u64);
    let y = |value: u64| HEIGHT - BOTTOM - (HEIGHT - BOTTOM - TOP) * count(value) / count(top);
    let mut svg = format!(
        "<svg viewBox=\"0 0 {WIDTH} {HEIGHT}\" role=\"img\" aria-label=\"{}\">",
        escaped(chart.title)
    );
    for part in 0..=4_u64 {
        let (value, right) = (top * part / 4, WIDTH - 8.0);
        let (at, text) = (y(value), y(value) + 4.0);
        let label = short(value);
        let _ = write!(
            svg,
            "<line class=\"grid\" x1=\"{LEFT}\" x2=\"{right}\" y1=\"{at:.1}\" y2=\"{at:.1}\"/>\
             <text x=\"{:.1}\" y=\"{text:.1}\" text-anchor=\"end\">{label}</text>",
            LEFT - 5.0
        );
    }
    let mut day = 0;
    while day < days {
        let _ = write!(
            svg,
            "<text x=\"{:.1}\" y=\"{:.1}\" text-anchor=\"middle\">{day}</text>",
            x(day),
            HEIGHT - 6.0
        );
        day += (days / 4).max(1);
    }
    if let (Some(limit), Some(first)) = (chart.limit, arms.first()) {
        let at = y(first.monitor.peak(limit));
        let _ = write!(
            svg,
            "<line class=\"limit\" x1=\"{LEFT}\" x2=\"{:.1}\" y1=\"{at:.1}\" y2=\"{at:.1}\">\
             <title>capacity</title></line>",
            WIDTH - 8.0
        );
    }
    for (number, arm) in arms.iter().enumerate() {
        let points = arm.monitor.days.iter().enumerate();
        let points: Vec<_> = points
            .map(|(day, row)| format!("{:.1},{:.1}", x(day), y((chart.value)(row))))
            .collect();
        let _ = write!(
            svg,
            "<polyline class=\"curve\" style=\"stroke:var(--c{})\" points=\"{}\"><title>{}</title>\
             </polyline>",
            number % COLOURS,
            points.join(" "),
            escaped(arm.name)
        );
    }
    svg.push_str("</svg>");
    svg
}

fn totals(arms: &[ArmOnPage<'_>]) -> String {
    let mut table = "<div class=\"scroll\"><table><tr><th>Arm</th><th>Infections</th>\
        <th>Positive results</th><th>Deaths</th><th>Days waited for a bed</th><th>Notified</th>\
        <th>Days at home, all</th><th>of these not infected</th><th>Call hours saved</th></tr>"
        .to_owned();
    for arm in arms {
        let sum = |value: fn(&Day) -> u64| arm.monitor.sum(value);
        let cells = [
            sum(|day| day.infections),
            sum(|day| day.new_cases),
            sum(|day| day.deaths),
            sum(|day| day.waiting),
            sum(|day| day.notified),
            sum(|day| day.isolated),
            sum(|day| day.isolated_not_infected),
            sum(|day| day.diary_minutes_saved) / 60,
        ];
        let cells: String =
            cells.into_iter().map(|cell| format!("<td>{}</td>", grouped(cell))).collect();
        let _ = write!(table, "<tr><td>{}</td>{cells}</tr>", escaped(arm.name));
    }
    table.push_str("</table></div>");
    table
}

/// The next of 1, 2, 4 or 8 times a power of ten, which four grid lines divide well.
fn round_up(value: u64) -> u64 {
    let mut unit = 1_u64;
    loop {
        for step in [4, 8, 20] {
            if unit.saturating_mul(step) >= value {
                return unit.saturating_mul(step);
            }
        }
        unit = unit.saturating_mul(10);
    }
}

fn short(value: u64) -> String {
    match value {
        0..10_000 => value.to_string(),
        10_000..10_000_000 => format!("{} k", value / 1000),
        _ => format!("{} M", value / 1_000_000),
    }
}

/// Digits in threes, with thin spaces.
fn grouped(value: u64) -> String {
    let digits = value.to_string();
    let mut text = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push('\u{2009}');
        }
        text.push(digit);
    }
    text
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}
