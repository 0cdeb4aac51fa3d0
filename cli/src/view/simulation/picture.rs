//! The picture of a comparison: for each policy the workers that were there and the jobs that waited, over the same stretch of time and
//! on the same scales, and below that how long jobs waited.

use std::time::Duration;

use scaling::simulation::{Policy, Series, Waits};

use super::svg::Svg;
use super::{Compared, days, distribution};
use crate::view::number::{count, span};

/// In pixels, like all lengths here.
const WIDTH: f64 = 960.0;
pub const LEFT: f64 = 64.0;
pub const RIGHT: f64 = WIDTH - 24.0;
const TOP: f64 = 116.0;
const WORKERS: f64 = 72.0;
const JOBS: f64 = 44.0;
const BETWEEN: f64 = 24.0;
/// From a policy's workers to the next one's.
const PANEL: f64 = WORKERS + BETWEEN + JOBS + 76.0;

/// The picture, as an SVG file.
pub fn picture(compared: &Compared) -> String {
    let policies = compared.pictures.len();
    let waits_top = TOP + policies as f64 * PANEL + 32.0;
    let height = waits_top + distribution::height(policies) + 8.0;
    let mut svg = Svg::new(WIDTH as u32, height as u32, "How ways of scaling compare");
    svg.text("title", LEFT, 34.0, "Workers and waiting jobs by way of scaling");
    if let Some((_, series)) = compared.pictures.first() {
        let (jobs, all) = (count(compared.jobs as u64), days(compared.span));
        let about = format!(
            "{jobs} jobs in {all}; shown are the {} in which most of them come. Workers: starting, idle or at work.",
            span(series.length())
        );
        svg.text("small", LEFT, 56.0, &about);
    }
    let most = |of: fn(&Series) -> &[u32]| {
        compared.pictures.iter().flat_map(|(_, series)| of(series)).copied().max().unwrap_or(0)
    };
    let (workers, jobs) = (most(Series::alive), most(Series::waiting));
    let mut top = TOP;
    for (policy, series) in &compared.pictures {
        let month =
            compared.whole(*policy).map_or(String::new(), |fleet| format!(", ${:.2} a month", fleet.month));
        svg.text("head", LEFT, top - 24.0, &format!("{policy}{month}"));
        let below = top + WORKERS + BETWEEN;
        strip(&mut svg, (top, WORKERS), workers, &class(*policy, "area"), ("workers", series.alive()));
        strip(&mut svg, (below, JOBS), jobs, "waiting area", ("jobs that wait", series.waiting()));
        times(&mut svg, below + JOBS + 16.0, series);
        top += PANEL;
    }
    let waits: Vec<(Policy, &Waits)> = compared
        .pictures
        .iter()
        .filter_map(|(policy, _)| Some((*policy, &compared.whole(*policy)?.report.waits)))
        .collect();
    distribution::draw(&mut svg, waits_top, &waits);
    svg.finish()
}

/// A policy has the same colour whichever others it is compared with.
pub fn class(policy: Policy, shape: &str) -> String {
    let number = Policy::ALL.iter().position(|other| *other == policy).unwrap_or_default();
    format!("p{number} {shape}")
}

/// Numbers over time, on a scale from 0 to `most`.
fn strip(svg: &mut Svg, (top, height): (f64, f64), most: u32, class: &str, (name, numbers): (&str, &[u32])) {
    let most = most.max(1);
    let bottom = top + height;
    let y = |n: u32| bottom - f64::from(n) / f64::from(most) * height;
    let x = |step: usize| LEFT + step as f64 / numbers.len() as f64 * (RIGHT - LEFT);
    for n in [0, most] {
        svg.line("grid", (LEFT, y(n)), (RIGHT, y(n)));
        svg.text("small end", LEFT - 8.0, y(n) + 4.0, &n.to_string());
    }
    svg.text("small end", RIGHT, top - 6.0, name);
    let stairs = numbers.iter().enumerate().flat_map(|(step, &n)| [(x(step), y(n)), (x(step + 1), y(n))]);
    let around: Vec<(f64, f64)> =
        [(LEFT, bottom)].into_iter().chain(stairs).chain([(RIGHT, bottom)]).collect();
    svg.path(class, &around);
}

fn times(svg: &mut Svg, y: f64, series: &Series) {
    for part in 0..=6_u32 {
        let x = LEFT + f64::from(part) / 6.0 * (RIGHT - LEFT);
        let place = match part {
            0 => "small",
            6 => "small end",
            _ => "small middle",
        };
        svg.text(place, x, y, &clock(series.from() + series.length() * part / 6));
    }
}

/// `day 3 14:05`, from the beginning of the trace.
fn clock(at: Duration) -> String {
    let minutes = at.as_secs() / 60;
    format!("day {} {:02}:{:02}", minutes / 1_440 + 1, minutes / 60 % 24, minutes % 60)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::view::simulation::tests::compared;

    #[test]
    fn the_picture_is_whole_and_says_what_it_shows() {
        let text = picture(&compared());
        assert!(text.starts_with("<svg ") && text.ends_with("</svg>\n"));
        for words in [
            "4 jobs in 1h00m",
            "the 1h00m in which",
            "doorbell, $2.50 a month",
            "the promise: 60s",
            "day 1 00:10",
        ] {
            assert!(text.contains(words), "{words}");
        }
        assert!(!text.contains("NaN") && !text.contains("inf"));
    }

    #[test]
    fn a_time_of_the_trace_is_told_by_day_and_hour() {
        assert_eq!(clock(Duration::from_secs(2 * 86_400 + 14 * 3_600 + 300)), "day 3 14:05");
    }
}
