//! The few shapes of SVG that the picture is made of. Colours are classes, so that one picture is legible on light and on dark
//! ground: whoever shows it says which of them it is. All texts are this program's own, and free of what markup would mind.

use std::fmt::Write;

/// Colours for light and dark ground, with enough contrast on each; policies differ in lightness too.
const STYLE: &str = "\
text { font: 13px system-ui, sans-serif; fill: var(--ink); }
.title { font-size: 19px; font-weight: 600; } .head { font-size: 14px; font-weight: 600; } .small { font-size: 12px; fill: var(--soft); }
.end { text-anchor: end; } .middle { text-anchor: middle; }
.ground { fill: var(--ground); } .grid { stroke: var(--grid); stroke-width: 1; }
.promise { stroke: var(--ink); stroke-width: 1.5; stroke-dasharray: 5 4; }
.area { stroke: none; } .waiting { fill: var(--soft); } .curve { fill: none; stroke-width: 2.5; stroke-linejoin: round; }
.p0.area { fill: var(--p0); } .p1.area { fill: var(--p1); } .p2.area { fill: var(--p2); }
.p0.curve { stroke: var(--p0); } .p1.curve { stroke: var(--p1); } .p2.curve { stroke: var(--p2); }
.p1.curve { stroke-dasharray: 10 3; } .p2.curve { stroke-dasharray: 3 3; }
svg { --ground: #ffffff; --ink: #1b1f24; --soft: #57606a; --grid: #dfe3e8; --p0: #0b6bcb; --p1: #c2500a; --p2: #7b3fb5; }
@media (prefers-color-scheme: dark) {
  svg { --ground: #14181d; --ink: #e8ecf0; --soft: #a3adb8; --grid: #2e353d; --p0: #58a6ff; --p1: #ff9a4d; --p2: #c792f5; }
}
";

/// A picture that is being drawn; x to the right, y down, in pixels.
#[derive(Debug)]
pub struct Svg {
    text: String,
}

impl Svg {
    /// An empty one, which says to those who cannot see it what it shows.
    pub fn new(width: u32, height: u32, title: &str) -> Svg {
        let text = format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {width} {height}\" width=\"{width}\" height=\"{height}\" role=\"img\">\n\
             <title>{title}</title>\n<style>\n{STYLE}</style>\n<rect class=\"ground\" width=\"{width}\" height=\"{height}\"/>\n"
        );
        Svg { text }
    }

    /// A text whose line stands at (x, y).
    pub fn text(&mut self, class: &str, x: f64, y: f64, text: &str) {
        self.add(format_args!("<text class=\"{class}\" x=\"{x:.1}\" y=\"{y:.1}\">{text}</text>"));
    }

    /// A line from one point to another.
    pub fn line(&mut self, class: &str, from: (f64, f64), to: (f64, f64)) {
        let ((x1, y1), (x2, y2)) = (from, to);
        self.add(format_args!(
            "<line class=\"{class}\" x1=\"{x1:.1}\" y1=\"{y1:.1}\" x2=\"{x2:.1}\" y2=\"{y2:.1}\"/>"
        ));
    }

    /// A line through points. Of several in a row on one level the first and the last are enough.
    pub fn path(&mut self, class: &str, points: &[(f64, f64)]) {
        self.text.push_str("<path class=\"");
        self.text.push_str(class);
        self.text.push_str("\" d=\"");
        for (index, (x, y)) in points.iter().enumerate() {
            let before = index.checked_sub(1).and_then(|before| points.get(before));
            let after = points.get(index + 1);
            if before.is_some_and(|before| before.1 == *y) && after.is_some_and(|after| after.1 == *y) {
                continue;
            }
            // Writing to a string never fails.
            _ = write!(self.text, "{}{x:.1} {y:.1}", if index == 0 { 'M' } else { 'L' });
        }
        self.text.push_str("\"/>\n");
    }

    /// What was drawn, as a file.
    pub fn finish(mut self) -> String {
        self.text.push_str("</svg>\n");
        self.text
    }

    fn add(&mut self, element: std::fmt::Arguments<'_>) {
        _ = writeln!(self.text, "{element}");
    }
}
