//! The poster at a venue's door: what to do in two languages, and a code that can be read from a
//! metre away and with a corner torn off.

use chikaku_core::export::KeyIdentity;
use chikaku_core::venue::code::NewVenue;
use qrcode::{Color, EcLevel, QrCode};

use super::lettering::{Lettering, Line};
use super::page::{Page, Segment, WIDTH};
use crate::failure::Failure;

const MARGIN: f32 = 16.0;
/// The code's side with its quiet zone.
const CODE_SIDE: f32 = 138.0;
const CODE_TOP: f32 = 70.0;
/// Modules of white around a code (ISO/IEC 18004).
const QUIET_ZONE: usize = 4;

/// What measures are called on a poster; others are printed by their key.
const MEASURES: [(&str, &str, &str); 6] = [
    ("ventilation", "換気", "Ventilation"),
    ("disinfection", "手指の消毒", "Hand disinfection"),
    ("masks", "マスクの着用", "Masks"),
    ("distance", "距離の確保", "Distance"),
    ("partitions", "仕切り板", "Partitions"),
    ("capacity", "人数の制限", "Limited capacity"),
];

/// What a poster says.
#[derive(Debug)]
pub(super) struct Poster<'a> {
    pub(super) venue: &'a NewVenue,
    pub(super) issuer: &'a KeyIdentity,
    /// The text of the code.
    pub(super) text: &'a str,
}

impl Poster<'_> {
    pub(super) fn draw(&self, lettering: &Lettering<'_>) -> Result<Page, Failure> {
        let mut page = Page::default();
        let mut set = |text: &str, baseline: f32, size: f32, shade: f32| {
            let (middle, most_width) = (WIDTH / 2.0, WIDTH - 2.0 * MARGIN);
            lettering.set(Line { text, middle, baseline, size, most_width, shade }, &mut page)
        };
        set("入店時に読み取ってください", 30.0, 13.0, 0.0)?;
        set("Scan when you come in", 43.0, 9.5, 0.0)?;
        if let Some(name) = &self.venue.name {
            set(name, 62.0, 12.0, 0.0)?;
        }
        let below = CODE_TOP + CODE_SIDE;
        let lines = [
            "記録はあなたのスマートフォンだけに残り、14日で消えます。",
            "The visit stays on your phone and is erased after 14 days.",
            "氏名・電話番号・位置情報は使いません。",
            "No name, phone number or location is used.",
        ];
        for (place, text) in lines.into_iter().enumerate() {
            let second = if place >= 2 { 3.0 } else { 0.0 };
            #[expect(clippy::cast_precision_loss, reason = "four lines")]
            let baseline = below + 8.0 + 7.5 * place as f32 + second;
            set(text, baseline, 6.2, 0.0)?;
        }
        let measures = &self.venue.declaration.measures;
        if !measures.is_empty() {
            let called = |japanese: bool| {
                let name = |key: &String| {
                    let known = MEASURES.iter().find(|(known, _, _)| known == key);
                    known.map_or_else(
                        || key.clone(),
                        |(_, ja, en)| if japanese { *ja } else { *en }.to_owned(),
                    )
                };
                measures.iter().map(name).collect::<Vec<_>>().join(" / ")
            };
            set(&format!("感染防止対策: {}", called(true)), below + 46.0, 5.2, 0.0)?;
            set(&format!("Measures: {}", called(false)), below + 53.5, 5.2, 0.0)?;
        }
        let issued_on = self.venue.declaration.issued_on;
        let footer =
            format!("発行日 / Issued {issued_on}    発行者の鍵 / Issuer's key {}", self.issuer);
        set(&footer, 288.0, 4.0, 0.35)?;
        page.fill(code(self.text)?, 0.0);
        Ok(page)
    }
}

/// The dark modules, as one outline of a rectangle for each run in a row.
fn code(text: &str) -> Result<Vec<Segment>, Failure> {
    let code = QrCode::with_error_correction_level(text, EcLevel::H)
        .map_err(|error| Failure::Refused(anyhow::anyhow!("the code is too large: {error}")))?;
    let side = code.width();
    let colours = code.to_colors();
    let count = |modules: usize| f32::from(u16::try_from(modules).unwrap_or(u16::MAX));
    let module = CODE_SIDE / count(side + 2 * QUIET_ZONE);
    let left = (WIDTH - CODE_SIDE) / 2.0;
    let mut outline = Vec::new();
    for (row, modules) in colours.chunks(side).enumerate() {
        let top = CODE_TOP + module * count(row + QUIET_ZONE);
        let mut column = 0;
        for run in modules.chunk_by(|one, next| one == next) {
            if run.first() == Some(&Color::Dark) {
                let from = left + module * count(column + QUIET_ZONE);
                let to = from + module * count(run.len());
                outline.extend([
                    Segment::Move((from, top)),
                    Segment::Line((to, top)),
                    Segment::Line((to, top + module)),
                    Segment::Line((from, top + module)),
                    Segment::Close,
                ]);
            }
            column += run.len();
        }
    }
    Ok(outline)
}
