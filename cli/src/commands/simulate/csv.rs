//! Jobs from a file of comma-separated values. The first line names the columns: `at` (a time such as 2026-11-02T09:30:00Z, or
//! seconds since any beginning; one kind for the whole file), and if they are known `mode` and `duration_s`. Rows need not be in order.

use std::io::Read;
use std::time::Duration;

use csv::StringRecord;
use domain::Mode;
use jiff::Timestamp;

use super::jobs::Recorded;
use crate::view::text::one_line;

/// Later than any time that a trace counts in seconds, which may be those since 1970: a hundred years, in seconds.
const LATEST: f64 = 3_155_760_000.0;
/// No job takes longer: a week, in seconds.
const LONGEST: f64 = 604_800.0;
/// No trace spans more, in seconds: ten years. Time without jobs is simulated, too.
const SPAN: f64 = 315_576_000.0;
/// No file is longer: a million rows have some 50 MB.
const MOST_BYTES: u64 = 1 << 30;

/// Reads the jobs, or says in a sentence what is wrong, and in which line.
pub fn read(file: impl Read, most: usize) -> Result<Vec<Recorded>, String> {
    let mut reader = csv::ReaderBuilder::new().trim(csv::Trim::All).from_reader(file.take(MOST_BYTES));
    let headings = reader.headers().map_err(unreadable)?.clone();
    let columns = Columns::of(&headings)?;
    let mut rows: Vec<(At, Recorded)> = Vec::new();
    let mut record = StringRecord::new();
    while reader.read_record(&mut record).map_err(unreadable)? {
        let line = record.position().map_or(0, csv::Position::line);
        let row = columns.row(&record).map_err(|wrong| format!("line {line}: {wrong}"))?;
        if rows.first().is_some_and(|(first, _)| first.is_time() != row.0.is_time()) {
            return Err(format!(
                "line {line}: some rows tell the time and others count seconds: use one of both throughout"
            ));
        }
        if rows.len() == most {
            return Err(format!("it has more than {most} jobs: cut it into parts"));
        }
        rows.push(row);
    }
    let first = rows.iter().map(|(at, _)| at.seconds()).fold(f64::INFINITY, f64::min);
    let last = rows.iter().map(|(at, _)| at.seconds()).fold(f64::NEG_INFINITY, f64::max);
    if last - first > SPAN {
        return Err("its jobs lie more than ten years apart: cut it into parts".into());
    }
    let since = |at: At| Duration::try_from_secs_f64(at.seconds() - first).unwrap_or_default();
    match rows.len() {
        0 => Err("it has no jobs: put one into each line after the first".into()),
        _ => Ok(rows.into_iter().map(|(at, row)| Recorded { at: since(at), ..row }).collect()),
    }
}

#[derive(Clone, Copy, Debug)]
enum At {
    Time(Timestamp),
    Seconds(f64),
}

impl At {
    fn is_time(self) -> bool {
        matches!(self, At::Time(_))
    }

    fn seconds(self) -> f64 {
        match self {
            At::Time(time) => time.as_microsecond() as f64 / 1e6,
            At::Seconds(seconds) => seconds,
        }
    }
}

/// Where they stand.
struct Columns {
    at: usize,
    mode: Option<usize>,
    duration: Option<usize>,
}

impl Columns {
    fn of(headings: &StringRecord) -> Result<Columns, String> {
        if let Some(other) = headings.iter().find(|name| !["at", "mode", "duration_s"].contains(name)) {
            let other = one_line(other, 40);
            return Err(format!(
                "line 1: there is no column {other:?}: the first line names the columns, which are at, mode and duration_s"
            ));
        }
        let find = |wanted: &str| headings.iter().position(|name| name == wanted);
        let at = find("at").ok_or("line 1: the column at is missing, which says when each job came")?;
        Ok(Columns { at, mode: find("mode"), duration: find("duration_s") })
    }

    fn row(&self, record: &StringRecord) -> Result<(At, Recorded), String> {
        let filled = |column: Option<usize>| {
            column.and_then(|column| record.get(column)).filter(|text| !text.is_empty())
        };
        let at = at(record.get(self.at).unwrap_or_default())?;
        let mode = filled(self.mode).map(|text| text.parse::<Mode>().map_err(|error| error.to_string()));
        let takes = filled(self.duration).map(duration);
        Ok((at, Recorded { at: Duration::ZERO, mode: mode.transpose()?, takes: takes.transpose()? }))
    }
}

fn at(text: &str) -> Result<At, String> {
    let seconds = text.parse().ok().filter(|seconds: &f64| seconds.abs() <= LATEST);
    let at = seconds.map(At::Seconds).or_else(|| text.parse().ok().map(At::Time));
    at.ok_or_else(|| {
        let text = one_line(text, 40);
        format!("{text:?} is no time: write for example 2026-11-02T09:30:00Z, or a number of seconds")
    })
}

fn duration(text: &str) -> Result<Duration, String> {
    let seconds = text.parse().ok().filter(|seconds: &f64| (0.0..=LONGEST).contains(seconds));
    seconds.map(Duration::from_secs_f64).ok_or_else(|| {
        let text = one_line(text, 40);
        format!("{text:?} is no duration: write seconds, such as 42.5, from 0 to a week")
    })
}

fn unreadable(error: csv::Error) -> String {
    let line = error.position().map(csv::Position::line).unwrap_or(1);
    match error.kind() {
        csv::ErrorKind::UnequalLengths { expected_len, len, .. } => format!(
            "line {line}: it has {len} values and the first line names {expected_len} columns: give one for each"
        ),
        csv::ErrorKind::Utf8 { .. } => format!("line {line}: it is not UTF-8: save the file as UTF-8"),
        _ => format!("it cannot be read: {error}: name a file of comma-separated values"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<Vec<Recorded>, String> {
        super::read(text.as_bytes(), 5)
    }

    #[test]
    fn times_become_times_since_the_first_job() {
        let rows = read(
            "at,mode,duration_s\n2026-11-02T10:00:30+01:00,genius,42.5\n2026-11-02T09:00:00Z,mechanic,\n",
        );
        let late = Recorded {
            at: Duration::from_secs(30),
            mode: Some(Mode::Genius),
            takes: Some(Duration::from_millis(42_500)),
        };
        let early = Recorded { at: Duration::ZERO, mode: Some(Mode::Mechanic), takes: None };
        assert_eq!(rows, Ok(vec![late, early]));
    }

    #[test]
    fn a_column_of_seconds_is_enough() {
        assert_eq!(read("\u{feff}at\r\n5\r\n").map(|rows| rows.len()), Ok(1));
        let at: Vec<u64> = read("at\n100\n 160.0 \n").unwrap().iter().map(|row| row.at.as_secs()).collect();
        assert_eq!(at, [0, 60]);
    }

    #[test]
    fn what_is_wrong_is_said_with_its_line() {
        for (text, words) in [
            ("", "the column at is missing"),
            ("at\n", "has no jobs"),
            ("when\n1\n", "line 1: there is no column \"when\""),
            ("at,mode\n1,mechanic\n2,wizard\n", "line 3: "),
            ("at,mode\n1,wizard\n", "mechanic, genius"),
            ("at\nyesterday\n", "line 2: \"yesterday\" is no time"),
            ("at\nNaN\n", "line 2: \"NaN\" is no time"),
            (
                "at,duration_s\n1,-5\n",
                "line 2: \"-5\" is no duration: write seconds, such as 42.5, from 0 to a week",
            ),
            ("at,mode\n1\n", "line 2: it has 1 values and the first line names 2 columns"),
            ("at\n1\n2026-11-02T09:00:00Z\n", "line 3: some rows tell the time"),
            ("at\n1\n2\n3\n4\n5\n6\n", "more than 5 jobs"),
        ] {
            let error = read(text).unwrap_err();
            assert!(error.contains(words), "{text:?}: {error}");
        }
        assert!(super::read(&b"at\n\xff\n"[..], 5).unwrap_err().contains("line 2: it is not UTF-8"));
    }
}
