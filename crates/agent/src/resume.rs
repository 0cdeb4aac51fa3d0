//! Where a job stands, as its events tell it: the conversation, what is used up, and what is to be done next.
//!
//! Pure. The running loop applies the events that it writes to the same state with the same code, so what a later attempt
//! rebuilds cannot differ from what this one had.

use domain::{Event, EventRecord, Task, ToolCall, Usage};
use serde_json::Value;

use crate::Turn;
use crate::caps::Spent;
use crate::open::Open;
use crate::repeats::Repeats;
use crate::tools::{FINISH, HandedIn, handed_in};

/// What the model is told when it called no tool. The journal does not say why, so neither does this.
const NO_CALL: &str = "Your answer called no tool; perhaps it was cut off at its bound. \
Call a tool, with short arguments, or call finish if the work is done.";
/// So many answers without a tool call in a row, and the job ends.
pub(crate) const SILENT_AT: u32 = 3;

/// A job's state between two steps, rebuilt from its events.
///
/// Before the loop goes on from it, the workspace must stand at [`Resumed::commit`] with [`Resumed::patch`] applied:
/// tool calls that were not answered are carried out again from there. What git ignores is not in the patch.
#[derive(Clone, Debug, PartialEq)]
pub struct Resumed {
    /// The first turn is empty until the loop has found out what to say in it.
    pub(crate) turns: Vec<Turn>,
    pub(crate) last_step: u32,
    pub(crate) usage: Usage,
    pub(crate) finished: Option<Value>,
    pub(crate) repeats: Repeats,
    /// What `finish` was called with when it was not accepted, the last time.
    refused: Option<Value>,
    answered: Spent,
    lost: Spent,
    known: Option<Known>,
    open: Option<Open>,
    silent: u32,
    commit: Option<String>,
    patch: Option<String>,
    model: Option<String>,
}

/// The prefix of the conversation that a provider has counted.
#[derive(Clone, Debug, PartialEq)]
struct Known {
    turns: usize,
    tokens: u64,
    model: String,
}

impl Default for Resumed {
    /// A job of which nothing is done.
    fn default() -> Resumed {
        Resumed {
            turns: vec![Turn::User(String::new())],
            last_step: 0,
            usage: Usage::default(),
            finished: None,
            repeats: Repeats::default(),
            refused: None,
            answered: Spent::default(),
            lost: Spent::default(),
            known: None,
            open: None,
            silent: 0,
            commit: None,
            patch: None,
            model: None,
        }
    }
}

impl Resumed {
    /// What a job's events, in their order, make of it. A person's retry starts afresh at the same commit, with full
    /// caps; only the numbers of the steps go on.
    pub fn from_events(events: &[EventRecord]) -> Resumed {
        let mut past = Resumed::default();
        for record in events {
            past.apply(&record.event);
        }
        past
    }

    /// Adds calls of earlier attempts that the ledger has and the events have not: their answers were lost with their
    /// worker, or they failed and may have been charged for. They count against the caps at their worst case.
    pub fn with_lost(mut self, lost: Spent) -> Resumed {
        self.lost = self.lost + lost;
        self
    }

    /// The commit that the job started from, if it got so far.
    pub fn commit(&self) -> Option<&str> {
        self.commit.as_deref()
    }

    /// The last checkpoint. None: nothing was changed.
    pub fn patch(&self) -> Option<&str> {
        self.patch.as_deref().filter(|patch| !patch.is_empty())
    }

    /// Whether another model than `model` was asked last.
    pub(crate) fn asked_another_than(&self, model: &str) -> bool {
        self.model.as_deref().is_some_and(|last| !is_called(last, model))
    }

    /// The model that was asked last, or that was to be asked next. None: none was asked yet.
    pub fn model(&self) -> Option<&str> {
        self.model.as_deref()
    }

    /// Everything that counts against the caps.
    pub fn spent(&self) -> Spent {
        self.answered + self.lost
    }

    /// Takes in one more event. Kinds that say nothing of the work change nothing.
    pub(crate) fn apply(&mut self, event: &Event) {
        match event {
            Event::CheckedOut { commit } => self.commit = Some(commit.clone()),
            Event::Retried { .. } => {
                let fresh = Resumed::default();
                *self = Resumed { commit: self.commit.take(), last_step: self.last_step, ..fresh };
            }
            Event::ModelReplied {
                step,
                model,
                asked,
                protocol,
                content,
                text,
                tool_calls,
                usage,
                cost,
                ..
            } => {
                let model = asked.as_ref().unwrap_or(model);
                self.model = Some(model.clone());
                self.last_step = *step;
                self.usage += *usage;
                self.answered = self.answered + Spent { calls: 1, tokens: usage.full_rate(), cost: *cost };
                self.turns.push(Turn::Assistant {
                    protocol: *protocol,
                    model: model.clone(),
                    content: content.clone(),
                    tool_calls: tool_calls.clone(),
                    text: text.clone(),
                });
                let tokens = usage.input().saturating_add(usage.output);
                self.known = Some(Known { turns: self.turns.len(), tokens, model: model.clone() });
                self.open(tool_calls);
            }
            Event::ModelChanged { to, .. } => self.model = Some(to.clone()),
            Event::ToolRan { call_id, name, output, is_error, .. } => {
                self.answer(call_id, name, output, *is_error);
            }
            Event::Oriented { turn, .. } => self.orient(turn),
            Event::Checkpoint { patch, .. } => self.patch = Some(patch.clone()),
            _ => {}
        }
    }

    fn open(&mut self, calls: &[ToolCall]) {
        if calls.is_empty() {
            self.silent += 1;
            self.turns.push(Turn::User(NO_CALL.to_owned()));
        } else {
            self.silent = 0;
            self.open = Some(Open::new(calls));
        }
    }

    fn answer(&mut self, id: &str, name: &str, output: &str, is_error: bool) {
        let Some(open) = &mut self.open else { return };
        let Some(call) = open.answer(id, name, output, is_error) else { return };
        self.repeats.note(call, output, is_error);
        if call.name == FINISH && !is_error && self.finished.is_none() {
            self.finished = Some(call.input.clone());
        } else if call.name == FINISH {
            self.refused = Some(call.input.clone());
        }
        if let Some(results) = open.results() {
            self.turns.push(Turn::ToolResults(results));
            self.open = None;
        }
    }

    fn orient(&mut self, turn: &str) {
        if let Some(first) = self.turns.first_mut() {
            *first = Turn::User(turn.to_owned());
        }
        // A conversation that began under another first turn has another number of tokens.
        self.known = None;
    }

    /// Whether the first turn was said.
    pub(crate) fn is_oriented(&self) -> bool {
        !matches!(self.turns.first(), Some(Turn::User(first)) if first.is_empty())
    }

    /// Whether the model was told before that it cannot finish like that.
    pub(crate) fn was_refused(&self) -> bool {
        self.refused.is_some()
    }

    /// What the model handed in: what was accepted, else what it was to mend.
    pub(crate) fn handed_in(&self, task: Task) -> Option<HandedIn> {
        handed_in(task, self.finished.as_ref().or(self.refused.as_ref())?)
    }

    /// The tool call to carry out next, and whether it is the last of its answer.
    pub(crate) fn next_call(&self) -> Option<(&ToolCall, bool)> {
        self.open.as_ref()?.next()
    }

    /// Whether the model has called no tool too often.
    pub(crate) fn is_silent(&self) -> bool {
        self.silent >= SILENT_AT
    }

    /// For [`crate::Model::input_bound`].
    pub(crate) fn known(&self) -> Option<(usize, u64)> {
        self.known.as_ref().map(|known| (known.turns, known.tokens))
    }

    /// Forgets the counted prefix unless `model` counted it: another tokenizer may find more. Journals that do not say who
    /// was asked have the name of who answered, which may carry a date.
    pub(crate) fn trust_counts_of(&mut self, model: &str) {
        self.known = self.known.take().filter(|known| is_called(&known.model, model));
    }

    /// Goes past the number of a call that gave no answer and cost nothing: its place in the ledger is taken.
    pub(crate) fn skip(&mut self, step: u32) {
        self.last_step = step;
    }

    /// Counts call number `step` of this attempt, which gave no answer and may have been charged for.
    pub(crate) fn lose(&mut self, step: u32, worst_case: Spent) {
        self.last_step = step;
        self.lost = self.lost + worst_case;
    }
}

/// Whether `name` is `model`, perhaps with a date behind it.
fn is_called(name: &str, model: &str) -> bool {
    name == model || domain::family(name) == model
}

#[cfg(test)]
#[path = "resume_tests.rs"]
mod tests;
