//! Notices a model that goes in circles: the same call or the same few calls again and again, failing or answered the same, or
//! edits that fail one after the other.
//!
//! Pure. What it sees is what the journal has, so a resumed job is told the same and ends at the same call.

use std::collections::VecDeque;
use std::hash::{DefaultHasher, Hash, Hasher};

use domain::ToolCall;

use crate::tools::EDIT;

/// What stands before everything that the loop itself adds to a tool's output.
pub(crate) const REMARK: &str = "\n\n[note] ";
/// So many times in a row, and the model is told.
const TOLD_AT: u32 = 3;
/// So many times, and the job ends.
pub(crate) const STOPPED_AT: u32 = 6;
/// The longest circle that is noticed, in calls.
const LONGEST: usize = 3;
/// The model is told so often in one job; after that the job ends.
const PATIENCE: u32 = 8;
const SAME: &str =
    "The same call came several times in a row and nothing changed. Do something else, or finish.";
const CIRCLE: &str =
    "The same calls came several times in turn and nothing changed. Do something else, or finish.";
const EDITS: &str =
    "Several edits failed in a row. Read the place again before the next one, and copy it exactly.";

/// The last tool calls, and what has come of watching them.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Repeats {
    /// What was called with what outcome, the latest last; as many as the longest circle needs to be stopped.
    seen: VecDeque<u64>,
    /// Edits that failed since the last one that did not.
    failed_edits: u32,
    /// Whether the last call was one of them.
    edit_failed: bool,
    told: u32,
}

/// How bad it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Trouble {
    times: u32,
    words: &'static str,
}

impl Repeats {
    /// What the model should be told along with this outcome.
    pub fn remark(&self, call: &ToolCall, output: &str, is_error: bool) -> Option<&'static str> {
        let mut then = self.clone();
        then.push(call, output, is_error);
        then.trouble().map(|trouble| trouble.words)
    }

    /// Takes note of a call that was carried out.
    pub fn note(&mut self, call: &ToolCall, output: &str, is_error: bool) {
        self.push(call, output, is_error);
        self.told += u32::from(self.trouble().is_some());
    }

    /// Whether it is hopeless.
    pub fn too_many(&self) -> bool {
        self.told > PATIENCE || self.trouble().is_some_and(|trouble| trouble.times >= STOPPED_AT)
    }

    fn push(&mut self, call: &ToolCall, output: &str, is_error: bool) {
        if self.seen.len() == LONGEST * STOPPED_AT as usize {
            self.seen.pop_front();
        }
        self.seen.push_back(fingerprint(call, output, is_error));
        self.edit_failed = is_error && call.name == EDIT;
        if call.name == EDIT {
            self.failed_edits = if is_error { self.failed_edits + 1 } else { 0 };
        }
    }

    fn trouble(&self) -> Option<Trouble> {
        let circle = (1..=LONGEST).map(|length| Trouble {
            times: self.rounds(length),
            words: if length == 1 { SAME } else { CIRCLE },
        });
        let edits = Trouble { times: if self.edit_failed { self.failed_edits } else { 0 }, words: EDITS };
        circle.chain([edits]).filter(|trouble| trouble.times >= TOLD_AT).max_by_key(|trouble| trouble.times)
    }

    /// How often the last `length` calls came in turn.
    fn rounds(&self, length: usize) -> u32 {
        let latest: Vec<u64> = self.seen.iter().rev().copied().collect();
        let mut rounds = latest.chunks_exact(length);
        let Some(last) = rounds.next() else { return 0 };
        1 + rounds.take_while(|round| *round == last).count() as u32
    }
}

/// The same for two calls that are the same and came to the same. A failing call counts whatever it says.
fn fingerprint(call: &ToolCall, output: &str, is_error: bool) -> u64 {
    let mut hasher = DefaultHasher::new();
    call.name.hash(&mut hasher);
    call.input.to_string().hash(&mut hasher);
    if is_error { None } else { Some(bare(output)) }.hash(&mut hasher);
    hasher.finish()
}

/// The output without the loop's own remarks.
fn bare(output: &str) -> &str {
    output.split(REMARK).next().unwrap_or(output)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn call(command: &str) -> ToolCall {
        ToolCall { id: "1".into(), name: "bash".into(), input: json!({ "command": command }) }
    }

    fn edit(old: u32) -> ToolCall {
        ToolCall { id: "1".into(), name: EDIT.into(), input: json!({ "path": "a", "old": old }) }
    }

    /// Notes the calls until it is hopeless; gives what was told after each.
    fn told(calls: impl IntoIterator<Item = (ToolCall, String, bool)>) -> (Vec<bool>, bool) {
        let mut repeats = Repeats::default();
        let mut told = Vec::new();
        for (call, output, is_error) in calls {
            told.push(repeats.remark(&call, &output, is_error).is_some());
            repeats.note(&call, &output, is_error);
            if repeats.too_many() {
                return (told, true);
            }
        }
        (told, false)
    }

    #[test]
    fn a_failing_call_counts_whatever_it_says() {
        let calls = (0..20).map(|n| (call("test"), format!("failed in {n} ms"), true));
        assert_eq!(told(calls), (vec![false, false, true, true, true, true], true));
    }

    #[test]
    fn a_good_call_counts_while_its_answer_stays_the_same() {
        let calls = |answers: [&str; 4]| answers.map(|answer| (call("cat"), answer.to_owned(), false));
        assert_eq!(told(calls(["a", "a", "b", "a"])).0, [false; 4]);
        let remarked = format!("a{REMARK}x");
        assert_eq!(told(calls(["a", &remarked, "a", "a"])).0, [false, false, true, true]);
    }

    #[test]
    fn calls_in_turn_are_a_circle() {
        for length in 2..=LONGEST {
            let calls = (0..60).map(|n| (call(&format!("{}", n % length)), "same".to_owned(), false));
            let (told, hopeless) = told(calls);
            assert!(hopeless, "{length}");
            assert_eq!(told.iter().position(|told| *told), Some(length * 3 - 1), "{length}");
            assert!(told.len() <= length * 6, "{length}: {}", told.len());
        }
        let work = (0..60).map(|n| (call(&format!("{}", n % 2)), format!("{n}"), false));
        assert_eq!(told(work), (vec![false; 60], false), "calls whose answers change are none");
    }

    #[test]
    fn edits_that_fail_in_a_row_are_told_whatever_stands_between_them() {
        let failing = (0..40).map(|n| match n % 2 {
            0 => (edit(n), "not found".to_owned(), true),
            _ => (call(&format!("cat {n}")), format!("{n}"), false),
        });
        let (told_of, hopeless) = told(failing);
        assert!(hopeless && told_of.len() <= 11, "{told_of:?}");
        let mended = (0..40).map(|n| (edit(n), "x".to_owned(), n % 3 != 0));
        assert_eq!(told(mended), (vec![false; 40], false));
    }

    #[test]
    fn whoever_is_told_again_and_again_is_stopped() {
        let spells = (0..200).map(|n| (call(&format!("{}", n / 3)), "same".to_owned(), false));
        let (told, hopeless) = told(spells);
        assert!(hopeless);
        assert_eq!(told.iter().filter(|told| **told).count(), PATIENCE as usize + 1);
    }
}
