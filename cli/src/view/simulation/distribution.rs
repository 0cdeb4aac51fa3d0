//! The lower half of the picture: which part of the jobs was started within which time, on a logarithmic axis.

use std::time::Duration;

use scaling::simulation::{PROMISE, Policy, Waits};

use super::picture::{LEFT, RIGHT, class};
use super::promised;
use super::svg::Svg;
use crate::view::number::span;

/// Height of the curves, and of a line of the legend.
const CURVES: f64 = 250.0;
const LINE: f64 = 20.0;
/// Where the axis begins, in seconds: whoever waited less hardly waited.
const SHORTEST: f64 = 1.0;
/// The axis is at least so long.
const NO_SHORTER: f64 = 600.0;
const MARKS: [(f64, &str); 14] = [
    (1.0, "1s or less"),
    (3.0, "3s"),
    (10.0, "10s"),
    (30.0, "30s"),
    (60.0, "1m"),
    (180.0, "3m"),
    (600.0, "10m"),
    (1_800.0, "30m"),
    (7_200.0, "2h"),
    (28_800.0, "8h"),
    (86_400.0, "1d"),
    (345_600.0, "4d"),
    (1_209_600.0, "14d"),
    (5_184_000.0, "60d"),
];

/// What it takes from top to bottom.
pub fn height(policies: usize) -> f64 {
    CURVES + 46.0 + policies as f64 * LINE
}

/// Draws it.
pub fn draw(svg: &mut Svg, top: f64, waits: &[(Policy, &Waits)]) {
    let bottom = top + CURVES;
    let longest = waits.iter().map(|(_, waits)| waits.quantile(1.0).as_secs_f64()).fold(NO_SHORTER, f64::max);
    let x = |seconds: f64| {
        let part = (seconds.max(SHORTEST) / SHORTEST).ln() / (longest / SHORTEST).ln();
        LEFT + part * (RIGHT - LEFT)
    };
    let y = |share: f64| bottom - share * CURVES;
    svg.text("head", LEFT, top - 28.0, "Jobs that were started within so long of being ready");
    for part in 0..=4_u32 {
        let share = f64::from(part) / 4.0;
        svg.line("grid", (LEFT, y(share)), (RIGHT, y(share)));
        svg.text("small end", LEFT - 8.0, y(share) + 4.0, &format!("{:.0}%", share * 100.0));
    }
    for (seconds, label) in MARKS.into_iter().filter(|(seconds, _)| *seconds <= longest) {
        svg.line("grid", (x(seconds), top), (x(seconds), bottom));
        let place = if seconds == SHORTEST { "small" } else { "small middle" };
        svg.text(place, x(seconds), bottom + 18.0, label);
    }
    let promise = x(PROMISE.as_secs_f64());
    svg.line("promise", (promise, top), (promise, bottom));
    svg.text("small middle", promise, top - 6.0, &format!("the promise: {}", promised()));
    let steps = ((RIGHT - LEFT) / 2.0) as usize;
    for (policy, waits) in waits {
        let point = |step: usize| {
            let seconds = SHORTEST * (longest / SHORTEST).powf(step as f64 / steps as f64);
            (x(seconds), y(waits.within(Duration::from_secs_f64(seconds))))
        };
        svg.path(&class(*policy, "curve"), &(0..=steps).map(point).collect::<Vec<_>>());
    }
    legend(svg, bottom + 46.0, waits);
}

fn legend(svg: &mut Svg, mut y: f64, waits: &[(Policy, &Waits)]) {
    for (policy, waits) in waits {
        svg.line(&class(*policy, "curve"), (LEFT, y - 4.0), (LEFT + 34.0, y - 4.0));
        let [half, most, longest] = [0.5, 0.99, 1.0].map(|share| span(waits.quantile(share)));
        let text = format!("{policy}: half within {half}, 99% within {most}, all within {longest}");
        svg.text("small", LEFT + 46.0, y, &text);
        y += LINE;
    }
}
