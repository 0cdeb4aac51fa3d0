//! Rates, times and sizes as people write them.

use std::time::Duration;

use scaling::simulation::{Spread, TaskSize};

/// More than anybody means; beyond it sums would be lost in rounding.
const MOST: f64 = 1e9;

/// A number from zero to a billion; no other notation than digits and a point.
fn number(text: &str) -> Option<f64> {
    let plain = text.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.');
    text.parse().ok().filter(|number| plain && *number <= MOST)
}

/// Jobs a second of `100/d`, `20/h`, `3/m`, `1/s`.
pub fn rate(text: &str) -> Result<f64, String> {
    let wrong = || format!("{text:?} is no rate: write one above zero, for example 100/d, 20/h, 3/m or 1/s");
    let (count, unit) = text.split_once('/').ok_or_else(wrong)?;
    let seconds = match unit {
        "s" => 1.0,
        "m" => 60.0,
        "h" => 3_600.0,
        "d" => 86_400.0,
        _ => return Err(wrong()),
    };
    match number(count).ok_or_else(wrong)? {
        0.0 => Err("a rate of 0 brings no jobs: give one above zero".into()),
        count => Ok(count / seconds),
    }
}

/// `250ms`, `1.5s`, `10m`, `12h`, `7d`.
pub fn time(text: &str) -> Result<Duration, String> {
    let wrong =
        || format!("{text:?} is no time: write for example 250ms, 1.5s, 10m, 12h or 7d, never below zero");
    let unit = text.find(|c: char| c.is_ascii_alphabetic()).ok_or_else(wrong)?;
    let (count, unit) = text.split_at(unit);
    let seconds = match unit {
        "ms" => 0.001,
        "s" => 1.0,
        "m" => 60.0,
        "h" => 3_600.0,
        "d" => 86_400.0,
        _ => return Err(wrong()),
    };
    let count = number(count).ok_or_else(wrong)?;
    let days = count * seconds / 86_400.0;
    if days > 3_650.0 {
        return Err(format!("{text:?} is longer than ten years: give a shorter time"));
    }
    Ok(Duration::from_secs_f64(count * seconds))
}

/// The same, and not nothing.
pub fn some_time(text: &str) -> Result<Duration, String> {
    match time(text)? {
        Duration::ZERO => Err("no time at all has no jobs: give one above zero".into()),
        time => Ok(time),
    }
}

/// `30s/55s`: the median, and what one in twenty exceeds; `30s` alone: always so long.
pub fn spread(text: &str) -> Result<Spread, String> {
    let (median, p95) = text.split_once('/').unwrap_or((text, text));
    Spread::new(time(median)?, time(p95)?).map_err(|error| error.to_string())
}

/// The largest task of Fargate has 16 virtual processors and 120 gigabytes; this leaves room for more.
const LARGEST: f64 = 1_000.0;

/// `0.5/1`: virtual processors and gigabytes.
pub fn size(text: &str) -> Result<TaskSize, String> {
    let parts = text.split_once('/').and_then(|(vcpu, memory)| Some((number(vcpu)?, number(memory)?)));
    let size = parts.filter(|&(vcpu, memory)| vcpu > 0.0 && memory > 0.0 && vcpu.max(memory) <= LARGEST);
    size.map(|(vcpu, memory_gb)| TaskSize { vcpu, memory_gb }).ok_or_else(|| {
        format!("{text:?} is no size of a task: write virtual processors and gigabytes, such as 0.5/1")
    })
}

/// A percentage as a share of one.
pub fn share(text: &str) -> Result<f64, String> {
    let percent = number(text).filter(|percent| *percent <= 100.0);
    percent.map(|percent| percent / 100.0).ok_or_else(|| format!("{text:?} is no percentage: give 0 to 100"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rates_are_read_with_their_unit() {
        for (text, per_second) in [("86400/d", 1.0), ("7200/h", 2.0), ("30/m", 0.5), ("1.5/s", 1.5)] {
            assert_eq!(rate(text), Ok(per_second));
        }
        assert!(rate("0/d").unwrap_err().contains("above zero"));
        for text in ["", "100", "100/w", "-1/d", "x/d", "inf/d", "1e9/s", "/d"] {
            assert!(rate(text).unwrap_err().contains("is no rate"), "{text}");
        }
    }

    #[test]
    fn times_are_read_with_their_unit_and_never_below_zero() {
        for (text, ms) in [("250ms", 250), ("1.5s", 1_500), ("10m", 600_000), ("1d", 86_400_000), ("0s", 0)] {
            assert_eq!(time(text), Ok(Duration::from_millis(ms)));
        }
        for text in ["", "5", "-5s", "s", "5 s", "5w", "NaNs", "infs"] {
            assert!(time(text).unwrap_err().contains("is no time"), "{text}");
        }
        assert!(some_time("0h").is_err() && some_time("1ms").is_ok());
        assert!(time("99999999d").unwrap_err().contains("ten years"));
    }

    #[test]
    fn spreads_and_sizes_are_two_numbers() {
        assert_eq!(spread("30s"), Ok(Spread::always(Duration::from_secs(30))));
        assert_eq!(spread("30s/55s").unwrap().p95(), Duration::from_secs(55));
        assert!(spread("30s/20s").unwrap_err().contains("below the median"));
        assert_eq!(size("0.5/1"), Ok(TaskSize { vcpu: 0.5, memory_gb: 1.0 }));
        for text in ["1", "0/1", "1/0", "-1/2", "a/b"] {
            assert!(size(text).unwrap_err().contains("such as 0.5/1"), "{text}");
        }
        assert_eq!((share("20"), share("0")), (Ok(0.2), Ok(0.0)));
        assert!(share("101").is_err() && share("-1").is_err());
    }
}
