//! An evaluation as people read it.

use std::time::Duration;

use domain::{Money, Usage};

use super::score::{Evaluation, Score};
use crate::commands::run::REHEARSAL;
use crate::view::number::span;
use crate::view::table::table as lined_up;
use crate::view::text::one_line;

/// One line when a case is done.
pub fn progress(score: &Score, done: usize, of: usize) -> String {
    let verdict = if score.solved { "solved" } else { "NOT solved" };
    let why = score.faults.first().map(|fault| format!(": {fault}")).unwrap_or_default();
    let error = score.error.as_ref().filter(|_| !score.solved);
    let error = error.map(|error| format!(" ({})", one_line(error, 200))).unwrap_or_default();
    format!("{done}/{of}  {}  {verdict}{why}{error}", score.case)
}

/// The whole: a row for each case, their sum, and a sentence.
pub fn table(evaluation: &Evaluation) -> String {
    let row = |name: &str, verdict: String, steps: i64, usage: &Usage, cost: Money, ms: u64| {
        let written = usage.cache_write_5m + usage.cache_write_1h;
        let counts = [usage.uncached, usage.cache_read, written, usage.output].map(|count| count.to_string());
        let first = [name.to_owned(), verdict, steps.to_string()];
        let last = [cost.to_string(), span(Duration::from_millis(ms))];
        first.into_iter().chain(counts).chain(last).collect::<Vec<_>>()
    };
    let rows = evaluation.cases.iter().map(|score| {
        let verdict = if score.solved { "yes" } else { "NO" }.to_owned();
        row(&score.case, verdict, score.steps, &score.tokens, score.cost_micros, score.elapsed_ms)
    });
    let total = &evaluation.total;
    let solved = format!("{}/{}", total.solved, total.cases);
    let sum = row("total", solved, total.steps, &total.tokens, total.cost_micros, total.worked_ms);
    let headings =
        ["case", "solved", "steps", "uncached", "cache read", "cache write", "output", "cost", "time"];
    let mut text = lined_up(&headings, &[2, 3, 4, 5, 6, 7, 8], rows.chain([sum]));
    let prefix = if evaluation.rehearsal { REHEARSAL } else { "" };
    let took = span(Duration::from_millis(total.elapsed_ms));
    text.push_str(&format!("\n\n{prefix}{} of {} cases solved in {took}", total.solved, total.cases));
    if total.skipped > 0 {
        let names: Vec<&str> = evaluation.skipped.iter().map(|skipped| skipped.case.as_str()).collect();
        text.push_str(&format!("; left out: {}", names.join(", ")));
    }
    text
}
