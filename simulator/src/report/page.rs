//! The frame of the page.

use core::fmt::Write as _;

use super::Section;

/// Colours of series, as custom properties; a light and a dark value of each.
const STYLE: &str = "
:root{color-scheme:light dark;--ink:#1b1f24;--soft:#5b6470;--line:#d5dae0;--paper:#fff;--card:#f6f8fa;
--s0:#1f6feb;--s1:#d1642a;--s2:#2f8f4e;--s3:#8250df;--s4:#bf3989;--s5:#9a6700;--s6:#0b7f8a;--s7:#6e7781;--s8:#b62324}
@media(prefers-color-scheme:dark){:root{--ink:#e6edf3;--soft:#9aa5b1;--line:#3a424c;--paper:#0d1117;--card:#161b22;
--s0:#6cb6ff;--s1:#f0975a;--s2:#6bc985;--s3:#c297ff;--s4:#f78fc4;--s5:#dcae4a;--s6:#5cc9d4;--s7:#a3adb8;--s8:#ff8b82}}
*{box-sizing:border-box}
body{margin:0 auto;padding:1rem;max-width:46rem;background:var(--paper);color:var(--ink);
font:16px/1.5 system-ui,sans-serif}
h1{font-size:1.5rem;margin:.5rem 0}h2{font-size:1.2rem;margin:2rem 0 .25rem}
p{margin:.25rem 0 .75rem}.soft{color:var(--soft)}
figure{margin:1rem 0;padding:.75rem;background:var(--card);border:1px solid var(--line);border-radius:.5rem}
figcaption{font-weight:600;margin-bottom:.5rem}
svg{display:block;width:100%;height:auto;font:11px system-ui,sans-serif;fill:var(--ink)}
.legend{display:flex;flex-wrap:wrap;gap:.25rem .9rem;margin-top:.5rem;font-size:.85rem}
.legend i{display:inline-block;width:.8em;height:.8em;border-radius:.15em;margin-right:.35em}
.scroll{overflow-x:auto}table{border-collapse:collapse;font-size:.85rem;width:100%}
th,td{padding:.25rem .5rem;text-align:left;border-bottom:1px solid var(--line);white-space:nowrap}
th{color:var(--soft);font-weight:600}td.n{text-align:right;font-variant-numeric:tabular-nums}
nav a{color:var(--s0);margin-right:.8rem}
";

/// The whole file.
#[must_use]
pub fn page(title: &str, sections: &[Section]) -> String {
    let mut html = String::new();
    let title = escaped(title);
    let _ = write!(
        html,
        "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">\
         <meta name=\"viewport\" content=\"width=device-width,initial-scale=1\">\
         <title>{title}</title><style>{STYLE}</style></head><body>\n<h1>{title}</h1>\n<nav>"
    );
    for (number, section) in sections.iter().enumerate() {
        let _ = write!(html, "<a href=\"#s{number}\">{}</a>", escaped(&section.short));
    }
    html.push_str("</nav>\n");
    for (number, section) in sections.iter().enumerate() {
        let _ = write!(
            html,
            "<section id=\"s{number}\"><h2>{}</h2>\n<p>{}</p>\n",
            escaped(&section.title),
            escaped(&section.summary)
        );
        for figure in &section.figures {
            html.push_str(figure);
        }
        html.push_str("</section>\n");
    }
    html.push_str("</body></html>\n");
    html
}

/// Text that is safe between tags and in attributes.
pub(super) fn escaped(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => safe.push_str("&amp;"),
            '<' => safe.push_str("&lt;"),
            '>' => safe.push_str("&gt;"),
            '"' => safe.push_str("&quot;"),
            other => safe.push(other),
        }
    }
    safe
}
