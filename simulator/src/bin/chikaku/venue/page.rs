//! A page of filled shapes, in millimetres from its upper left corner, as SVG and as PDF. Both say
//! the same: there is nothing on a page but outlines, so no reader can lack a font.

use core::fmt::Write;

use pdf_writer::{Content, Finish, Pdf, Rect, Ref};

/// Width of A4.
pub(super) const WIDTH: f32 = 210.0;
/// Height of A4.
pub(super) const HEIGHT: f32 = 297.0;

/// A piece of an outline; points are `(x, y)`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Segment {
    Move((f32, f32)),
    Line((f32, f32)),
    Cubic((f32, f32), (f32, f32), (f32, f32)),
    Close,
}

/// An area filled by the non-zero rule, in a shade from 0, black, to 1, white.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Shape {
    pub(super) outline: Vec<Segment>,
    pub(super) shade: f32,
}

/// One A4 page.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Page {
    shapes: Vec<Shape>,
}

impl Page {
    pub(super) fn fill(&mut self, outline: Vec<Segment>, shade: f32) {
        self.shapes.push(Shape { outline, shade });
    }

    pub(super) fn to_svg(&self) -> String {
        let mut svg = format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{WIDTH}mm\" height=\"{HEIGHT}mm\" \
             viewBox=\"0 0 {WIDTH} {HEIGHT}\">\n<rect width=\"{WIDTH}\" height=\"{HEIGHT}\" \
             fill=\"#fff\"/>\n"
        );
        for Shape { outline, shade } in &self.shapes {
            let percent = shade * 100.0;
            let _ = write!(svg, "<path fill=\"rgb({percent}%,{percent}%,{percent}%)\" d=\"");
            for segment in outline {
                let _ = match segment {
                    Segment::Move((x, y)) => write!(svg, "M{x:.3} {y:.3}"),
                    Segment::Line((x, y)) => write!(svg, "L{x:.3} {y:.3}"),
                    Segment::Cubic(a, b, (x, y)) => {
                        let ((ax, ay), (bx, by)) = (a, b);
                        write!(svg, "C{ax:.3} {ay:.3} {bx:.3} {by:.3} {x:.3} {y:.3}")
                    }
                    Segment::Close => write!(svg, "Z"),
                };
            }
            svg.push_str("\"/>\n");
        }
        svg.push_str("</svg>\n");
        svg
    }

    pub(super) fn to_pdf(&self) -> Vec<u8> {
        const POINTS: f32 = 72.0 / 25.4;
        let mut content = Content::new();
        // Millimetres, and down instead of up.
        content.transform([POINTS, 0.0, 0.0, -POINTS, 0.0, HEIGHT * POINTS]);
        for Shape { outline, shade } in &self.shapes {
            content.set_fill_gray(*shade);
            for segment in outline {
                match segment {
                    Segment::Move((x, y)) => content.move_to(*x, *y),
                    Segment::Line((x, y)) => content.line_to(*x, *y),
                    Segment::Cubic((ax, ay), (bx, by), (x, y)) => {
                        content.cubic_to(*ax, *ay, *bx, *by, *x, *y)
                    }
                    Segment::Close => content.close_path(),
                };
            }
            content.fill_nonzero();
        }
        let [catalog, pages, page, drawing] = [1, 2, 3, 4].map(Ref::new);
        let mut pdf = Pdf::new();
        pdf.catalog(catalog).pages(pages);
        pdf.pages(pages).kids([page]).count(1);
        let mut leaf = pdf.page(page);
        leaf.media_box(Rect::new(0.0, 0.0, WIDTH * POINTS, HEIGHT * POINTS));
        leaf.parent(pages).contents(drawing);
        leaf.resources();
        leaf.finish();
        pdf.stream(drawing, &content.finish());
        pdf.finish()
    }
}
