//! Plots as inline SVG, 360 units wide: the width of a phone, so that letters stay readable.

use core::fmt::Write as _;

use super::page::escaped;
use crate::experiment::table::{Table, Values};

const WIDTH: f64 = 360.0;
const HEIGHT: f64 = 240.0;
const LEFT: f64 = 40.0;
const RIGHT: f64 = 10.0;
const TOP: f64 = 10.0;
const BOTTOM: f64 = 36.0;
/// Colours of series in the page's style.
const COLOURS: usize = 9;
/// More rows than these are cut off in a table.
const MOST_ROWS: usize = 200;

/// Points of one name.
#[derive(Clone, Debug)]
pub(super) struct Series {
    pub(super) name: String,
    pub(super) points: Vec<(f64, f64)>,
    /// A line through the points, or the points alone.
    pub(super) line: bool,
    /// Which colour; several series may share one.
    pub(super) colour: usize,
}

/// One axis.
#[derive(Clone, Debug)]
pub(super) struct Axis {
    pub(super) title: &'static str,
    pub(super) from: f64,
    pub(super) to: f64,
}

impl Axis {
    pub(super) const fn share(title: &'static str) -> Self {
        Self { title, from: 0.0, to: 1.0 }
    }

    /// From 0 to the greatest of the values.
    pub(super) fn of(title: &'static str, values: impl IntoIterator<Item = f64>) -> Self {
        let greatest = values.into_iter().fold(0.0, f64::max);
        Self { title, from: 0.0, to: if greatest > 0.0 { greatest } else { 1.0 } }
    }

    fn place(&self, value: f64) -> f64 {
        (value - self.from) / (self.to - self.from).max(f64::MIN_POSITIVE)
    }

    /// Four to six round numbers.
    fn ticks(&self) -> Vec<f64> {
        let raw = (self.to - self.from) / 5.0;
        let power = libm::pow(10.0, libm::floor(libm::log10(raw.max(1e-12))));
        let step = [1.0, 2.0, 5.0, 10.0]
            .into_iter()
            .map(|by| by * power)
            .find(|step| *step >= raw)
            .unwrap_or(power);
        let first = libm::ceil(self.from / step);
        (0..12)
            .map(|number| (first + f64::from(number)) * step)
            .take_while(|tick| *tick <= self.to + step * 1e-6)
            .collect()
    }
}

pub(super) fn figure(caption: &str, inside: &str, legend: &[(usize, String)]) -> String {
    let mut html = format!("<figure><figcaption>{}</figcaption>{inside}", escaped(caption));
    if legend.len() > 1 {
        html.push_str("<div class=\"legend\">");
        for (colour, name) in legend {
            let colour = colour % COLOURS;
            let name = escaped(name);
            let _ =
                write!(html, "<span><i style=\"background:var(--s{colour})\"></i>{name}</span>");
        }
        html.push_str("</div>");
    }
    html.push_str("</figure>\n");
    html
}

/// Lines and points over two axes.
pub(super) fn lines(caption: &str, x: &Axis, y: &Axis, series: &[Series]) -> String {
    let across = |value: f64| LEFT + x.place(value) * (WIDTH - LEFT - RIGHT);
    let up = |value: f64| HEIGHT - BOTTOM - y.place(value) * (HEIGHT - TOP - BOTTOM);
    let mut svg = open(HEIGHT, caption);
    for tick in y.ticks() {
        let (at, label) = (up(tick), number(tick));
        let _ = write!(
            svg,
            "<path d=\"M{LEFT} {at:.1}H{:.1}\" stroke=\"var(--line)\"/>\
             <text x=\"{:.1}\" y=\"{:.1}\" text-anchor=\"end\">{label}</text>",
            WIDTH - RIGHT,
            LEFT - 4.0,
            at + 4.0
        );
    }
    for tick in x.ticks() {
        let (at, label) = (across(tick), number(tick));
        let _ = write!(
            svg,
            "<text x=\"{at:.1}\" y=\"{:.1}\" text-anchor=\"middle\">{label}</text>",
            HEIGHT - BOTTOM + 14.0
        );
    }
    let _ = write!(
        svg,
        "<text x=\"{:.1}\" y=\"{:.1}\" text-anchor=\"middle\">{}</text>\
         <text transform=\"translate(10 {:.1}) rotate(-90)\" text-anchor=\"middle\">{}</text>",
        f64::midpoint(LEFT, WIDTH - RIGHT),
        HEIGHT - 6.0,
        escaped(x.title),
        f64::midpoint(TOP, HEIGHT - BOTTOM),
        escaped(y.title)
    );
    for one in series {
        let colour = one.colour % COLOURS;
        let places: Vec<_> = one.points.iter().map(|&(px, py)| (across(px), up(py))).collect();
        if one.line {
            let mut path = String::new();
            for (index, (px, py)) in places.iter().enumerate() {
                let _ = write!(path, "{}{px:.1} {py:.1}", if index == 0 { 'M' } else { 'L' });
            }
            let _ = write!(
                svg,
                "<path d=\"{path}\" fill=\"none\" stroke=\"var(--s{colour})\" stroke-width=\"1.8\"/>"
            );
        }
        let radius = if one.line { 1.8 } else { 4.0 };
        for (px, py) in places {
            let _ = write!(
                svg,
                "<circle cx=\"{px:.1}\" cy=\"{py:.1}\" r=\"{radius}\" fill=\"var(--s{colour})\"/>"
            );
        }
    }
    svg.push_str("</svg>");
    let mut legend: Vec<(usize, String)> = Vec::new();
    for one in series {
        if !legend.iter().any(|(_, name)| *name == one.name) {
            legend.push((one.colour, one.name.clone()));
        }
    }
    figure(caption, &svg, &legend)
}

/// Numbers from 0 to 1 in a grid; `cells` are by row, then by column.
pub(super) fn heat_map(
    caption: &str,
    columns: &[String],
    rows: &[String],
    cells: &[Vec<Option<f64>>],
    titles: [&str; 2],
) -> String {
    let (left, top, high) = (52.0, 30.0, 26.0);
    #[expect(clippy::cast_precision_loss, reason = "a few rows and columns")]
    let (wide, height) = (
        (WIDTH - left - RIGHT) / columns.len().max(1) as f64,
        high * rows.len() as f64 + top + 6.0,
    );
    let mut svg = open(height, caption);
    let _ = write!(
        svg,
        "<text x=\"{:.1}\" y=\"11\" text-anchor=\"middle\">{}</text><text x=\"2\" y=\"11\">{}</text>",
        f64::midpoint(left, WIDTH - RIGHT),
        escaped(titles[0]),
        escaped(titles[1])
    );
    for (index, column) in columns.iter().enumerate() {
        #[expect(clippy::cast_precision_loss, reason = "a few columns")]
        let at = left + wide * (index as f64 + 0.5);
        let _ = write!(
            svg,
            "<text x=\"{at:.1}\" y=\"25\" text-anchor=\"middle\">{}</text>",
            escaped(column)
        );
    }
    for (index, (row, values)) in rows.iter().zip(cells).enumerate() {
        #[expect(clippy::cast_precision_loss, reason = "a few rows")]
        let y = top + high * index as f64;
        let _ = write!(
            svg,
            "<text x=\"{:.1}\" y=\"{:.1}\" text-anchor=\"end\">{}</text>",
            left - 5.0,
            y + 17.0,
            escaped(row)
        );
        for (place, value) in values.iter().enumerate() {
            #[expect(clippy::cast_precision_loss, reason = "a few columns")]
            let x = left + wide * place as f64;
            let share = value.unwrap_or(0.0).clamp(0.0, 1.0);
            let label =
                value.map_or_else(|| "–".to_owned(), |value| format!("{:.0}", value * 100.0));
            let _ = write!(
                svg,
                "<rect x=\"{x:.1}\" y=\"{y:.1}\" width=\"{:.1}\" height=\"{:.1}\" rx=\"3\" \
                 fill=\"var(--s0)\" fill-opacity=\"{:.2}\"/>\
                 <text x=\"{:.1}\" y=\"{:.1}\" text-anchor=\"middle\">{label}</text>",
                wide - 2.0,
                high - 2.0,
                0.06 + 0.6 * share,
                x + wide / 2.0 - 1.0,
                y + 16.0
            );
        }
    }
    svg.push_str("</svg>");
    figure(caption, &svg, &[])
}

/// One bar a row, its parts side by side; parts are shares of the whole.
pub(super) fn stacked(caption: &str, parts: &[String], bars: &[(String, Vec<f64>)]) -> String {
    let (high, step) = (16.0, 38.0);
    #[expect(clippy::cast_precision_loss, reason = "a few bars")]
    let mut svg = open(step * bars.len() as f64 + 4.0, caption);
    for (index, (name, shares)) in bars.iter().enumerate() {
        #[expect(clippy::cast_precision_loss, reason = "a few bars")]
        let y = step * index as f64;
        let _ = write!(svg, "<text x=\"0\" y=\"{:.1}\">{}</text>", y + 12.0, escaped(name));
        let mut x = 0.0;
        for (colour, share) in shares.iter().enumerate() {
            let width = share * WIDTH;
            let part = parts.get(colour).map_or("", String::as_str);
            let _ = write!(
                svg,
                "<rect x=\"{x:.1}\" y=\"{:.1}\" width=\"{width:.1}\" height=\"{high}\" \
                 fill=\"var(--s{})\"><title>{}: {:.1} %</title></rect>",
                y + 17.0,
                colour % COLOURS,
                escaped(part),
                share * 100.0
            );
            x += width;
        }
    }
    svg.push_str("</svg>");
    let legend: Vec<_> = parts.iter().cloned().enumerate().collect();
    figure(caption, &svg, &legend)
}

/// Who was where, and what happened when; hours run from left to right.
pub(super) fn timeline(
    caption: &str,
    hours: f64,
    stays: &[(String, String, f64, f64)],
    events: &[(String, String, f64)],
) -> String {
    let mut names: Vec<&str> = Vec::new();
    for name in stays.iter().map(|one| &one.0).chain(events.iter().map(|one| &one.0)) {
        if !names.contains(&name.as_str()) {
            names.push(name);
        }
    }
    let mut places: Vec<&str> = Vec::new();
    for stay in stays {
        if !places.contains(&stay.1.as_str()) {
            places.push(&stay.1);
        }
    }
    let (left, step) = (64.0, 20.0);
    let across = |hour: f64| left + hour / hours.max(1e-9) * (WIDTH - left - RIGHT);
    #[expect(clippy::cast_precision_loss, reason = "as many as there are phones")]
    let y_of = |name: &str| {
        names.iter().position(|one| *one == name).map_or(0.0, |index| 4.0 + step * index as f64)
    };
    #[expect(clippy::cast_precision_loss, reason = "as many as there are phones")]
    let height = step * names.len() as f64 + 26.0;
    let mut svg = open(height, caption);
    for name in &names {
        let y = y_of(name);
        let _ = write!(
            svg,
            "<text x=\"{:.1}\" y=\"{:.1}\" text-anchor=\"end\">{}</text>\
             <path d=\"M{left} {:.1}H{:.1}\" stroke=\"var(--line)\"/>",
            left - 5.0,
            y + 12.0,
            escaped(name),
            y + 8.0,
            WIDTH - RIGHT
        );
    }
    for (name, place, from, to) in stays {
        let colour = places.iter().position(|one| one == place).unwrap_or(0) % COLOURS;
        let (x, width) = (across(*from), (across(*to) - across(*from)).max(1.5));
        let _ = write!(
            svg,
            "<rect x=\"{x:.1}\" y=\"{:.1}\" width=\"{width:.1}\" height=\"10\" rx=\"2\" \
             fill=\"var(--s{colour})\" fill-opacity=\".55\"><title>{}</title></rect>",
            y_of(name) + 3.0,
            escaped(place)
        );
    }
    for (name, what, at) in events {
        let sign = match what.as_str() {
            "tested positive" => "+",
            "told" => "●",
            _ => "!",
        };
        let _ = write!(
            svg,
            "<text x=\"{:.1}\" y=\"{:.1}\" text-anchor=\"middle\" font-weight=\"700\" \
             fill=\"var(--s8)\">{sign}<title>{}</title></text>",
            across(*at),
            y_of(name) + 12.0,
            escaped(what)
        );
    }
    let axis = Axis { title: "", from: 0.0, to: hours };
    for tick in axis.ticks() {
        let _ = write!(
            svg,
            "<text x=\"{:.1}\" y=\"{:.1}\" text-anchor=\"middle\">{} h</text>",
            across(tick),
            height - 6.0,
            number(tick)
        );
    }
    svg.push_str("</svg>");
    let legend: Vec<_> = places.iter().map(|place| (*place).to_owned()).enumerate().collect();
    figure(caption, &svg, &legend)
}

/// The table itself, as many rows as people read.
pub(super) fn table(table: &Table) -> String {
    let mut html = String::from("<div class=\"scroll\"><table><tr>");
    for column in &table.columns {
        let _ = write!(html, "<th>{}</th>", escaped(&column.name.replace('_', " ")));
    }
    html.push_str("</tr>");
    for row in 0..table.rows().min(MOST_ROWS) {
        html.push_str("<tr>");
        for column in &table.columns {
            let class = if matches!(column.values, Values::Words(_)) { "" } else { " class=\"n\"" };
            let _ = write!(html, "<td{class}>{}</td>", escaped(&column.values.cell(row)));
        }
        html.push_str("</tr>");
    }
    html.push_str("</table></div>");
    let rows = table.rows();
    let caption = if rows > MOST_ROWS {
        format!("{} (the first {MOST_ROWS} of {rows} rows)", table.name)
    } else {
        table.name.clone()
    };
    figure(&caption, &html, &[])
}

fn open(height: f64, label: &str) -> String {
    format!("<svg viewBox=\"0 0 {WIDTH} {height}\" role=\"img\" aria-label=\"{}\">", escaped(label))
}

fn number(value: f64) -> String {
    let text = format!("{value:.2}");
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}
