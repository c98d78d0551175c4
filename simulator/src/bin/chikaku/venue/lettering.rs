//! Lines of text as outlines of a font's letters, one behind the other. Japanese and English need
//! no more: letters neither join nor change their order.

use ttf_parser::{Face, OutlineBuilder};

use super::page::{Page, Segment};
use crate::failure::Failure;

/// A font that letters are taken from.
pub(super) struct Lettering<'a> {
    face: Face<'a>,
}

/// A line to be set, in millimetres.
#[derive(Clone, Copy, Debug)]
pub(super) struct Line<'a> {
    pub(super) text: &'a str,
    /// Where its middle is.
    pub(super) middle: f32,
    /// Where its letters stand.
    pub(super) baseline: f32,
    /// Height of the letters' square.
    pub(super) size: f32,
    /// It is set smaller rather than wider.
    pub(super) most_width: f32,
    /// From 0, black, to 1, white.
    pub(super) shade: f32,
}

impl<'a> Lettering<'a> {
    /// The first face of a font file.
    pub(super) fn read(font: &'a [u8]) -> Result<Self, Failure> {
        let face = Face::parse(font, 0).map_err(Failure::refused)?;
        Ok(Self { face })
    }

    /// Sets a line; refuses a letter that the font does not have, rather than printing a box.
    pub(super) fn set(&self, line: Line<'_>, page: &mut Page) -> Result<(), Failure> {
        let mut letters = Vec::new();
        for letter in line.text.chars() {
            let glyph = self.face.glyph_index(letter).ok_or_else(|| {
                Failure::Refused(anyhow::anyhow!("the font has no letter {letter:?}"))
            })?;
            letters.push((glyph, f32::from(self.face.glyph_hor_advance(glyph).unwrap_or(0))));
        }
        let advance: f32 = letters.iter().map(|(_, advance)| advance).sum();
        let unit = 1.0 / f32::from(self.face.units_per_em());
        let scale = (line.size * unit).min(line.most_width / advance.max(1.0));
        let mut x = line.middle - advance * scale / 2.0;
        let mut outline = Vec::new();
        for (glyph, advance) in letters {
            let mut pen = Pen { x, y: line.baseline, scale, at: (0.0, 0.0), outline: &mut outline };
            self.face.outline_glyph(glyph, &mut pen);
            x += advance * scale;
        }
        page.fill(outline, line.shade);
        Ok(())
    }
}

/// Turns a letter's outline, which is in the font's units and upwards, into the page's.
struct Pen<'a> {
    x: f32,
    y: f32,
    scale: f32,
    /// Where the pen is, in the font's units.
    at: (f32, f32),
    outline: &'a mut Vec<Segment>,
}

impl Pen<'_> {
    fn placed(&self, x: f32, y: f32) -> (f32, f32) {
        (self.x + x * self.scale, self.y - y * self.scale)
    }
}

impl OutlineBuilder for Pen<'_> {
    fn move_to(&mut self, x: f32, y: f32) {
        self.outline.push(Segment::Move(self.placed(x, y)));
        self.at = (x, y);
    }

    fn line_to(&mut self, x: f32, y: f32) {
        self.outline.push(Segment::Line(self.placed(x, y)));
        self.at = (x, y);
    }

    fn quad_to(&mut self, x1: f32, y1: f32, x: f32, y: f32) {
        // The cubic curve that is the same quadratic one.
        let (x0, y0) = self.at;
        let third = |from: f32, to: f32| from + (to - from) * 2.0 / 3.0;
        self.curve_to(third(x0, x1), third(y0, y1), third(x, x1), third(y, y1), x, y);
    }

    fn curve_to(&mut self, x1: f32, y1: f32, x2: f32, y2: f32, x: f32, y: f32) {
        let (one, two, end) = (self.placed(x1, y1), self.placed(x2, y2), self.placed(x, y));
        self.outline.push(Segment::Cubic(one, two, end));
        self.at = (x, y);
    }

    fn close(&mut self) {
        self.outline.push(Segment::Close);
    }
}
