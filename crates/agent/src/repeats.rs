//! Notices a model that goes in circles: the same call again and again, failing or answered the same.

use domain::ToolCall;
use serde_json::Value;

/// What stands before everything that the loop itself adds to a tool's output.
pub(crate) const REMARK: &str = "\n\n[note] ";
/// So many times in a row, and the model is told.
const TOLD_AT: u32 = 3;
/// So many times, and the job ends.
pub(crate) const STOPPED_AT: u32 = 6;

/// The last tool call, and how often it came in a row.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Repeats {
    last: Option<(String, Value)>,
    output: String,
    count: u32,
}

impl Repeats {
    /// How often `call` will have come in a row, when this is its outcome.
    fn with(&self, call: &ToolCall, output: &str, is_error: bool) -> u32 {
        let same = self.last.as_ref().is_some_and(|(name, input)| *name == call.name && *input == call.input);
        if same && (is_error || bare(output) == self.output) { self.count + 1 } else { 1 }
    }

    /// What the model should be told along with this outcome.
    pub fn remark(&self, call: &ToolCall, output: &str, is_error: bool) -> Option<&'static str> {
        (self.with(call, output, is_error) >= TOLD_AT).then_some(
            "The same call came several times in a row and nothing changed. Do something else, or finish.",
        )
    }

    /// Takes note of a call that was carried out.
    pub fn note(&mut self, call: &ToolCall, output: &str, is_error: bool) {
        self.count = self.with(call, output, is_error);
        self.last = Some((call.name.clone(), call.input.clone()));
        self.output = bare(output).to_owned();
    }

    /// Whether it is hopeless.
    pub fn too_many(&self) -> bool {
        self.count >= STOPPED_AT
    }
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

    #[test]
    fn a_failing_call_counts_whatever_it_says() {
        let mut repeats = Repeats::default();
        for n in 1..STOPPED_AT {
            assert_eq!(repeats.remark(&call("test"), "", true).is_some(), n >= TOLD_AT, "{n}");
            repeats.note(&call("test"), &format!("failed in {n} ms"), true);
            assert!(!repeats.too_many());
        }
        repeats.note(&call("test"), "failed", true);
        assert!(repeats.too_many());
    }

    #[test]
    fn a_good_call_counts_while_its_answer_stays_the_same() {
        let mut repeats = Repeats::default();
        repeats.note(&call("cat"), "a", false);
        repeats.note(&call("cat"), &format!("a{REMARK}x"), false);
        assert_eq!(repeats.count, 2);
        repeats.note(&call("cat"), "b", false);
        assert_eq!(repeats.count, 1);
    }

    #[test]
    fn another_call_starts_anew() {
        let mut repeats = Repeats::default();
        repeats.note(&call("test"), "no", true);
        repeats.note(&call("edit"), "no", true);
        assert_eq!(repeats.with(&call("test"), "no", true), 1);
    }
}
