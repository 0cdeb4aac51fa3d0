//! Numbers as people read them at a glance. Money is not among them: it is always shown to the micro-dollar.

use std::time::Duration;

use jiff::Timestamp;

/// `950`, `4.2k`, `1.3M`.
pub fn count(n: u64) -> String {
    let tenths = |unit: u64| format!("{}.{}", n / unit, n % unit * 10 / unit);
    match n {
        0..1_000 => n.to_string(),
        1_000..1_000_000 => format!("{}k", tenths(1_000)),
        _ => format!("{}M", tenths(1_000_000)),
    }
}

/// `40ms`, `1.2s`, `42s`, `3m05s`, `2h10m`.
pub fn span(span: Duration) -> String {
    let (ms, s) = (span.as_millis(), span.as_secs());
    match s {
        0 => format!("{ms}ms"),
        1..10 => format!("{s}.{}s", ms % 1_000 / 100),
        10..60 => format!("{s}s"),
        60..3_600 => format!("{}m{:02}s", s / 60, s % 60),
        _ => format!("{}h{:02}m", s / 3_600, s % 3_600 / 60),
    }
}

/// From `earlier` to `later`; nothing where clocks disagree.
pub fn between(earlier: Timestamp, later: Timestamp) -> Duration {
    Duration::try_from(later.duration_since(earlier)).unwrap_or_default()
}

/// How long ago `at` was: `12s`, `5m`, `3h`, `2d`.
pub fn age(at: Timestamp, now: Timestamp) -> String {
    let s = between(at, now).as_secs();
    match s {
        0..60 => format!("{s}s"),
        60..3_600 => format!("{}m", s / 60),
        3_600..86_400 => format!("{}h", s / 3_600),
        _ => format!("{}d", s / 86_400),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_have_two_digits_that_matter() {
        for (n, text) in [(0, "0"), (999, "999"), (1_000, "1.0k"), (4_249, "4.2k"), (1_350_000, "1.3M")] {
            assert_eq!(count(n), text);
        }
    }

    #[test]
    fn spans_and_ages_use_the_unit_that_fits() {
        for (ms, text) in
            [(0, "0ms"), (1_250, "1.2s"), (42_999, "42s"), (185_000, "3m05s"), (7_800_000, "2h10m")]
        {
            assert_eq!(span(Duration::from_millis(ms)), text);
        }
        let now = Timestamp::from_second(1_000_000).unwrap();
        for (s, text) in [(12, "12s"), (300, "5m"), (10_800, "3h"), (172_800, "2d"), (-5, "0s")] {
            assert_eq!(age(Timestamp::from_second(1_000_000 - s).unwrap(), now), text);
        }
    }
}
