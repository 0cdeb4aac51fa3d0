//! The picture of a comparison: for each policy the workers that were there and the jobs that waited, over the same stretch of time and
//! on the same scale, and below that how long jobs waited.

use std::time::Duration;

use scaling::simulation::{PROMISE, Policy, Series, Waits};

use super::svg::Svg;
use super::{Compared, days};
use crate::view::number::{count, span};

const WIDTH: f64 = 960.0;
const LEFT: f64 = 64.0;
const RIGHT: f64 = WIDTH - 24.0;
const TOP: f64 = 88.0;
const PANEL: f64 = 104.0;
const GAP: f64 = 44.0;
const WAITS: f64 = 250.0;
/// Waits from so long to so long are told apart, in seconds; the axis is logarithmic.
const SHORTEST: f64 = 1.0;
const MARKS: [(f64, &str); 9] = [
    (1.0, "1s or less"),
    (3.0, "3s"),
    (10.0, "10s"),
    (30.0, "30s"),
    (60.0, "1m"),
    (180.0, "3m"),
    (600.0, "10m"),
    (1_800.0, "30m"),
    (7_200.0, "2h"),
];

/// The picture, as an SVG file.
pub fn picture(compared: &Compared) -> String {
    let panels = compared.pictures.len() as f64;
    let height = TOP + panels * (PANEL + GAP) + 56.0 + WAITS + 64.0;
    let mut svg = Svg::new(WIDTH as u32, height as u32, "How ways of scaling compare");
    svg.text("title", LEFT, 34.0, "Workers and waiting jobs by way of scaling");
    if let Some((_, series)) = compared.pictures.first() {
        let about = format!(
            "{} jobs in {}; shown are the busiest {} of them. Filled: workers that are starting, idle or at work. Line: jobs that wait.",
            count(compared.jobs as u64),
            days(compared.span),
            span(series.length())
        );
        svg.text("small", LEFT, 56.0, &about);
    }
    let most = compared.pictures.iter().flat_map(|(_, series)| [series.alive(), series.waiting()]);
    let most = most.flatten().copied().max().unwrap_or(0).max(1);
    let mut top = TOP;
    for (policy, series) in &compared.pictures {
        panel(&mut svg, top, most, *policy, series, compared);
        top += PANEL + GAP;
    }
    let waits: Vec<(Policy, &Waits)> = compared
        .pictures
        .iter()
        .filter_map(|(policy, _)| Some((*policy, &compared.whole(*policy)?.report.waits)))
        .collect();
    distribution(&mut svg, top + 40.0, &waits);
    svg.finish()
}

fn class(policy: Policy, shape: &str) -> String {
    let number = Policy::ALL.iter().position(|other| *other == policy).unwrap_or_default();
    format!("p{number} {shape}")
}

fn panel(svg: &mut Svg, top: f64, most: u32, policy: Policy, series: &Series, compared: &Compared) {
    let bottom = top + PANEL;
    let y = |n: u32| bottom - f64::from(n) / f64::from(most) * PANEL;
    let steps = series.alive().len() as f64;
    let x = |step: usize| LEFT + step as f64 / steps * (RIGHT - LEFT);
    let month =
        compared.whole(policy).map_or(String::new(), |fleet| format!(", ${:.2} a month", fleet.month));
    svg.text("head", LEFT, top - 8.0, &format!("{policy}{month}"));
    for n in [0, most / 2, most] {
        svg.line("grid", (LEFT, y(n)), (RIGHT, y(n)));
        svg.text("small end", LEFT - 8.0, y(n) + 4.0, &n.to_string());
    }
    let stairs = |of: &[u32]| -> Vec<(f64, f64)> {
        of.iter().enumerate().flat_map(|(step, &n)| [(x(step), y(n)), (x(step + 1), y(n))]).collect()
    };
    let mut area = vec![(LEFT, bottom)];
    area.extend(stairs(series.alive()));
    area.push((RIGHT, bottom));
    svg.path(&class(policy, "area"), &area);
    svg.path("waiting", &stairs(series.waiting()));
    for part in 0..=6_u32 {
        let x = LEFT + f64::from(part) / 6.0 * (RIGHT - LEFT);
        let place = if part == 6 { "small end" } else { "small middle" };
        svg.text(place, x, bottom + 16.0, &clock(series.from() + series.length() * part / 6));
    }
}

/// `day 3 14:05`, from the beginning of the trace.
fn clock(at: Duration) -> String {
    let minutes = at.as_secs() / 60;
    format!("day {} {:02}:{:02}", minutes / 1_440 + 1, minutes / 60 % 24, minutes % 60)
}

fn distribution(svg: &mut Svg, top: f64, waits: &[(Policy, &Waits)]) {
    let bottom = top + WAITS;
    let longest = waits.iter().map(|(_, waits)| waits.quantile(1.0).as_secs_f64()).fold(7_200.0, f64::max);
    let x = |seconds: f64| {
        let part = (seconds.max(SHORTEST) / SHORTEST).ln() / (longest / SHORTEST).ln();
        LEFT + part * (RIGHT - LEFT)
    };
    let y = |share: f64| bottom - share * WAITS;
    svg.text("head", LEFT, top - 26.0, "Jobs that were started within so long of being ready");
    for part in 0..=4_u32 {
        let share = f64::from(part) / 4.0;
        svg.line("grid", (LEFT, y(share)), (RIGHT, y(share)));
        svg.text("small end", LEFT - 8.0, y(share) + 4.0, &format!("{:.0}%", share * 100.0));
    }
    for (seconds, label) in MARKS {
        svg.line("grid", (x(seconds), top), (x(seconds), bottom));
        let place = if seconds == SHORTEST { "small" } else { "small middle" };
        svg.text(place, x(seconds), bottom + 18.0, label);
    }
    let promise = x(PROMISE.as_secs_f64());
    svg.line("promise", (promise, top), (promise, bottom));
    svg.text("small middle", promise, top - 6.0, "the promise: 60s");
    for (policy, waits) in waits {
        let steps = ((RIGHT - LEFT) / 2.0) as usize;
        let at = |step: usize| SHORTEST * (longest / SHORTEST).powf(step as f64 / steps as f64);
        let point = |step: usize| {
            let seconds = at(step);
            (x(seconds), y(waits.within(Duration::from_secs_f64(seconds))))
        };
        svg.path(&class(*policy, "curve"), &(0..=steps).map(point).collect::<Vec<_>>());
    }
    legend(svg, bottom + 44.0, waits);
}

fn legend(svg: &mut Svg, y: f64, waits: &[(Policy, &Waits)]) {
    let mut x = LEFT;
    for (policy, waits) in waits {
        svg.line(&class(*policy, "curve"), (x, y - 4.0), (x + 34.0, y - 4.0));
        let half = span(waits.quantile(0.5));
        let text = format!("{policy}: half within {half}, 99% within {}", span(waits.quantile(0.99)));
        svg.text("small", x + 42.0, y, &text);
        x += 300.0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::view::simulation::tests::compared;

    #[test]
    fn the_picture_is_whole_and_says_what_it_shows() {
        let text = picture(&compared());
        assert!(text.starts_with("<svg ") && text.ends_with("</svg>\n"));
        for words in
            ["4 jobs in 1h00m", "busiest 1h00m", "doorbell, $2.50 a month", "the promise: 60s", "day 1 00:10"]
        {
            assert!(text.contains(words), "{words}");
        }
        assert!(!text.contains("NaN") && !text.contains("inf"));
    }

    #[test]
    fn a_time_of_the_trace_is_told_by_day_and_hour() {
        assert_eq!(clock(Duration::from_secs(2 * 86_400 + 14 * 3_600 + 300)), "day 3 14:05");
    }
}
