//! Events as lines for people. What happened within a step stands indented below it.

use std::time::Duration;

use domain::{Event, EventRecord, Outcome, ToolCall};
use jiff::Timestamp;

use super::number::{between, count, span};
use super::text::{one_line, short};

/// Characters of a stranger's text on one line.
const WIDE: usize = 100;

/// The lines of one event, each with the time since `start`. Bookkeeping has none.
pub fn lines(record: &EventRecord, start: Timestamp) -> Vec<String> {
    let clock = format!("{:>7}", format!("+{}", span(between(start, record.at))));
    let indent = " ".repeat(7);
    let told = told(record);
    told.iter()
        .enumerate()
        .map(|(n, line)| format!("{}  {line}", if n == 0 { &clock } else { &indent }))
        .collect()
}

fn told(record: &EventRecord) -> Vec<String> {
    let line = match &record.event {
        Event::Claimed { worker, sandbox } => {
            let sandbox = one_line(sandbox, 20);
            format!("worker {} is at work (attempt {}, sandbox {sandbox})", short(worker), record.attempt)
        }
        Event::CheckedOut { commit } => format!("checked out {}", one_line(commit, 10).trim_end_matches('…')),
        Event::ModelReplied { step, model, text, tool_calls, usage, cost, .. } => {
            let tokens = count(usage.full_rate());
            let said =
                if text.trim().is_empty() { String::new() } else { format!(" · {}", one_line(text, WIDE)) };
            let head = format!("step {step} · {} · {tokens} tokens · {cost}{said}", one_line(model, 40));
            let calls = tool_calls.iter().map(|call| format!("  {}", asked(call)));
            return std::iter::once(head).chain(calls).collect();
        }
        Event::ModelChanged { from, to, why } => {
            let (from, to) = (one_line(from, 40), one_line(to, 40));
            format!("{to} is asked instead of {from}: {}", one_line(why, 300))
        }
        Event::ToolRan { name, output, is_error, elapsed_ms, .. } => {
            let mark = if *is_error { "✗" } else { "✓" };
            let took = span(Duration::from_millis(*elapsed_ms));
            format!("  {mark} {} ({took}): {}", one_line(name, 30), one_line(&gist(output), WIDE))
        }
        Event::SetUp { exit_code, elapsed_ms, .. } => {
            let took = span(Duration::from_millis(*elapsed_ms));
            match exit_code {
                Some(0) => format!("set up ({took})"),
                Some(code) => format!("the set-up command ended with exit code {code} ({took})"),
                None => format!("the set-up command did not end by itself ({took})"),
            }
        }
        Event::Published { delivery, url } => format!("published as {delivery}: {}", one_line(url, 300)),
        Event::Oriented { elapsed_ms, .. } => {
            format!("looked at the code first ({})", span(Duration::from_millis(*elapsed_ms)))
        }
        Event::Checkpoint { .. } => return Vec::new(),
        Event::Noted { message } => format!("note: {}", one_line(message, 300)),
        Event::Verified { outcome, exit_code, elapsed_ms, .. } => {
            let took = span(Duration::from_millis(*elapsed_ms));
            verified(*outcome, *exit_code, &took)
        }
        Event::Delivered { diff, report, summary, .. } => {
            let what = match (diff, report) {
                (Some(_), _) => "a patch",
                (None, Some(_)) => "a report",
                (None, None) => "nothing",
            };
            format!("delivered {what}: {}", one_line(summary, 300))
        }
        Event::Released { reason } => format!("given back to the queue: {}", one_line(reason, 300)),
        Event::AttemptFailed { reason, error, retry_in_ms } => {
            let next = match retry_in_ms {
                Some(ms) => format!("tried again in {}", span(Duration::from_millis(ms.unsigned_abs()))),
                None => "not tried again".to_owned(),
            };
            format!("the attempt failed ({reason}), {next}: {}", one_line(error, 500))
        }
        Event::LeaseExpired { worker } => format!("worker {} fell silent, its lease ran out", short(worker)),
        Event::Stuck { worker, ran_ms } => {
            format!("stuck: it was taken from worker {} after {} s", short(worker), ran_ms / 1_000)
        }
        Event::CancelRequested {} => "cancelling was asked for".to_owned(),
        Event::Retried { changes } if changes.is_empty() => "put back into the queue by hand".to_owned(),
        Event::Retried { changes } => {
            let changes = one_line(&serde_json::Value::Object(changes.clone()).to_string(), 300);
            format!("put back into the queue by hand, with {changes}")
        }
        Event::Finished { state, outcome, exit_reason, error } => {
            let error = error.as_ref().map(|error| format!(": {}", one_line(error, 500))).unwrap_or_default();
            format!("{state} · {outcome} · {exit_reason}{error}")
        }
    };
    vec![line]
}

/// What a tool is asked to do, in a few words.
pub fn asked(call: &ToolCall) -> String {
    let field = |name: &str| call.input.get(name).and_then(|value| value.as_str());
    let known = ["command", "path", "pattern", "summary", "report"].iter().find_map(|name| field(name));
    let what = known.map_or_else(|| call.input.to_string(), str::to_owned);
    format!("{}: {}", one_line(&call.name, 30), one_line(&what, WIDE))
}

/// A tool's output in a line: how it ended, and the last thing that it said.
fn gist(output: &str) -> String {
    let mut lines = output.lines().filter(|line| !line.trim().is_empty());
    let first = lines.next().unwrap_or("no output");
    lines.next_back().map_or_else(|| first.to_owned(), |last| format!("{first} … {last}"))
}

fn verified(outcome: Outcome, exit_code: Option<i32>, took: &str) -> String {
    match (outcome, exit_code) {
        (Outcome::Verified, _) => format!("verified: the test command passed in a clean checkout ({took})"),
        (Outcome::Failed, Some(code)) => {
            format!("not verified: the test command ended with exit code {code} in a clean checkout ({took})")
        }
        (Outcome::Failed, None) => {
            format!(
                "not verified: the test command did not end by itself, or the patch does not apply ({took})"
            )
        }
        (Outcome::Unverified, _) => {
            "unverified: there is no test command to hold the result against".to_owned()
        }
        (Outcome::None, _) => "there is no result to verify".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::{Attempt, Money, Protocol, Usage};
    use serde_json::json;

    fn shown(event: Event) -> Vec<String> {
        let start = Timestamp::UNIX_EPOCH;
        let at = Timestamp::from_millisecond(1_250).unwrap();
        lines(&EventRecord { seq: 1, attempt: Attempt(1), at, event }, start)
    }

    #[test]
    fn a_step_shows_what_was_asked_and_what_it_cost() {
        let call = |name: &str, input| ToolCall { id: "1".into(), name: name.into(), input };
        let event = Event::ModelReplied {
            step: 2,
            model: "rehearsal".into(),
            asked: None,
            protocol: Protocol::default(),
            content: json!(null),
            text: "First\nthe tests.".into(),
            tool_calls: vec![
                call("bash", json!({"command": "sh tests/run.sh\x1b[2J"})),
                call("odd", json!([1, 2])),
            ],
            usage: Usage { uncached: 1_000, output: 50, ..Usage::default() },
            cost: Money(1_250),
            elapsed_ms: 3,
        };
        assert_eq!(
            shown(event),
            [
                "  +1.2s  step 2 · rehearsal · 1.0k tokens · $0.001250 · First the tests.",
                "           bash: sh tests/run.sh\u{FFFD}[2J",
                "           odd: [1,2]",
            ]
        );
    }

    #[test]
    fn a_change_of_the_model_says_why() {
        let event = Event::ModelChanged { from: "a".into(), to: "b".into(), why: "HTTP 529\x1b".into() };
        assert_eq!(shown(event), ["  +1.2s  b is asked instead of a: HTTP 529\u{FFFD}"]);
    }

    #[test]
    fn a_tool_shows_how_it_ended_and_its_last_words() {
        let event = Event::ToolRan {
            step: 1,
            call_id: "1".into(),
            name: "bash".into(),
            output: "exit code 1\nok a\n\nFAILED b\n".into(),
            is_error: true,
            elapsed_ms: 40,
        };
        assert_eq!(shown(event), ["  +1.2s    ✗ bash (40ms): exit code 1 … FAILED b"]);
        assert!(shown(Event::Checkpoint { step: 1, patch: String::new() }).is_empty());
    }
}
