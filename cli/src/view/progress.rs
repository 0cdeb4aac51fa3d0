//! How far a job is, read off its events: what the live line says.

use domain::{Event, EventRecord, JobState, Money};

use super::number::count;

/// A job's progress.
#[derive(Clone, Debug)]
pub struct Progress {
    state: JobState,
    step: u32,
    steps: Option<u32>,
    tokens: u64,
    cost: Money,
}

impl Progress {
    /// A job that waits. `steps`: the model calls that it may make, where that is known.
    pub fn new(steps: Option<u32>) -> Progress {
        Progress { state: JobState::Queued, step: 0, steps, tokens: 0, cost: Money::ZERO }
    }

    /// Takes note of an event.
    pub fn take(&mut self, record: &EventRecord) {
        match &record.event {
            Event::Claimed { .. } => self.state = JobState::Running,
            Event::ModelReplied { step, usage, cost, .. } => {
                self.step = *step;
                self.tokens += usage.full_rate();
                self.cost += *cost;
            }
            Event::Released { .. }
            | Event::LeaseExpired { .. }
            | Event::Stuck { .. }
            | Event::AttemptFailed { .. }
            | Event::Retried { .. } => self.state = JobState::Queued,
            Event::Finished { state, .. } => self.state = *state,
            _ => {}
        }
    }

    /// `running · step 3/20 · 4.2k tokens · $0.004310`
    pub fn line(&self) -> String {
        let of = self.steps.map(|steps| format!("/{steps}")).unwrap_or_default();
        let (state, step, tokens) = (self.state, self.step, count(self.tokens));
        format!("{state} · step {step}{of} · {tokens} tokens · {}", self.cost)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::{Attempt, Usage, WorkerId};

    #[test]
    fn the_line_follows_the_events() {
        let mut progress = Progress::new(Some(20));
        assert_eq!(progress.line(), "queued · step 0/20 · 0 tokens · $0.000000");
        let worker: WorkerId = "00000000-0000-0000-0000-000000000000".parse().unwrap();
        let replied = |step| Event::ModelReplied {
            step,
            model: "m".into(),
            asked: None,
            protocol: Default::default(),
            content: serde_json::Value::Null,
            text: String::new(),
            tool_calls: vec![],
            usage: Usage { uncached: 2_000, cache_read: 9_000, output: 100, ..Usage::default() },
            cost: Money(2_155),
            elapsed_ms: 5,
        };
        let events = [
            Event::Claimed { worker, sandbox: "namespaces".into() },
            replied(1),
            replied(2),
            Event::CancelRequested {},
        ];
        for (seq, event) in (1..).zip(events) {
            let at = jiff::Timestamp::UNIX_EPOCH;
            progress.take(&EventRecord { seq, attempt: Attempt(1), at, event });
        }
        assert_eq!(progress.line(), "running · step 2/20 · 4.2k tokens · $0.004310");
    }
}
