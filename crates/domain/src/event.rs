//! What happened to a job, step by step: the journal that a resumed attempt reads and that people watch.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::{Attempt, Delivery, ExitReason, Finding, JobState, Money, Outcome, Protocol, Usage, WorkerId};

/// One thing that happened. Stored as its `kind` and the rest as JSON; a kind never changes its meaning.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", content = "data", rename_all = "snake_case")]
#[allow(missing_docs)] // the fields' names are their documentation where no comment stands
pub enum Event {
    /// A worker holds the job from here on; its sandbox proved this level when it started.
    Claimed { worker: WorkerId, sandbox: String },
    /// The workspace stands at `commit`. Once a job has one, every later attempt starts from the same commit.
    CheckedOut { commit: String },
    /// The set-up command ran in the checkout. `exit_code` None: it did not end by itself.
    SetUp { exit_code: Option<i32>, output: String, elapsed_ms: u64 },
    /// What the agent says to the model first, as it was said: a later attempt says the same.
    Oriented { turn: String, elapsed_ms: u64 },
    /// One model call was paid for and answered. `content` is what goes back to the provider unchanged.
    ModelReplied {
        /// 1 for the job's first call. Counted over all attempts.
        step: u32,
        /// The model that answered, as it names itself.
        model: String,
        /// The model that was asked, as jobs and settings write it. None in journals from before it was noted.
        #[serde(default)]
        asked: Option<String>,
        /// The protocol that `content` is written in.
        #[serde(default)]
        protocol: Protocol,
        content: Value,
        /// What the model said in words, for people.
        text: String,
        tool_calls: Vec<ToolCall>,
        usage: Usage,
        cost: Money,
        elapsed_ms: u64,
    },
    /// Another model is asked from here on: the one before is retired, or gave no answer and the next one takes over.
    ModelChanged {
        /// The model that was named, or asked until now.
        from: String,
        to: String,
        /// A sentence for people.
        why: String,
    },
    /// A tool call was carried out. `output` is what the model is told.
    ToolRan {
        step: u32,
        /// The id of the [`ToolCall`] that this answers.
        call_id: String,
        name: String,
        output: String,
        is_error: bool,
        elapsed_ms: u64,
    },
    /// The workspace after `step`, as a patch against the checked-out commit.
    Checkpoint { step: u32, patch: String },
    /// Something that a person should know and that changes nothing.
    Noted { message: String },
    /// The result was held against a clean checkout.
    Verified { outcome: Outcome, exit_code: Option<i32>, output: String, elapsed_ms: u64 },
    /// The result stands somewhere else too, where people look.
    Published {
        /// What it became there.
        delivery: Delivery,
        /// The branch or the page. Never with a password in it.
        url: String,
    },
    /// The result was handed over. `diff` for tasks that change code, `report` for those that read it, with `findings` when it is a
    /// review.
    Delivered {
        diff: Option<String>,
        report: Option<String>,
        summary: String,
        #[serde(default)]
        findings: Vec<Finding>,
    },
    /// The job went back to the queue unharmed (drain, scale-in, deploy). No attempt is burnt.
    Released { reason: String },
    /// The attempt ended in an error. `retry_in_ms` is None when there is no further one.
    AttemptFailed { reason: ExitReason, error: String, retry_in_ms: Option<i64> },
    /// The worker fell silent and its lease ran out.
    LeaseExpired { worker: WorkerId },
    /// The attempt did not end within the SLA and was taken from its worker.
    Stuck { worker: WorkerId, ran_ms: u64 },
    /// A person asked for an end.
    CancelRequested {},
    /// A person asked for another go, which starts afresh: nothing said before it is part of the conversation.
    Retried {
        /// What they changed of the job, by column; null: the worker's default from now on.
        #[serde(default)]
        changes: serde_json::Map<String, Value>,
    },
    /// Nothing more happens by itself.
    Finished { state: JobState, outcome: Outcome, exit_reason: ExitReason, error: Option<String> },
}

/// A tool that the model wants carried out.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ToolCall {
    /// The provider's id, unique within the job.
    pub id: String,
    /// The tool's name as the model wrote it, known or not.
    pub name: String,
    /// The arguments as the model wrote them, valid or not.
    pub input: Value,
}

/// An event in its place.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct EventRecord {
    /// 1 for a job's first event; without gaps.
    pub seq: i64,
    /// The attempt that it is about; 0 when it is about none, such as a person's wish.
    pub attempt: Attempt,
    /// When, by the database's clock.
    pub at: jiff::Timestamp,
    /// What happened.
    #[serde(flatten)]
    pub event: Event,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_event_is_its_kind_and_its_data() {
        let event = Event::Released { reason: "drain".into() };
        let json = serde_json::json!({"kind": "released", "data": {"reason": "drain"}});
        assert_eq!(serde_json::to_value(&event).unwrap(), json);
        assert_eq!(serde_json::from_value::<Event>(json).unwrap(), event);
    }

    #[test]
    fn an_answer_of_the_time_when_there_was_one_protocol_is_still_read() {
        let json = serde_json::json!({"kind": "model_replied", "data": {
            "step": 1, "model": "m-1", "content": [], "text": "", "tool_calls": [], "usage": {}, "cost": 0, "elapsed_ms": 1,
        }});
        let Event::ModelReplied { protocol, asked, .. } = serde_json::from_value(json).unwrap() else {
            panic!("it is an answer")
        };
        assert_eq!((protocol, asked), (Protocol::AnthropicMessages, None));
    }

    #[test]
    fn a_retry_of_the_time_when_nothing_could_be_changed_is_still_read() {
        let json = serde_json::json!({"kind": "retried", "data": {}});
        let changes = serde_json::Map::new();
        assert_eq!(serde_json::from_value::<Event>(json).unwrap(), Event::Retried { changes });
    }
}
