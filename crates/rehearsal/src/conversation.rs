//! Which answer a request gets. Pure: the number of the model's turns in the request decides, so that a job that
//! resumes on another worker goes on where it was, and many jobs can be rehearsed at once.

use serde_json::Value;

use crate::count::tokens;
use crate::protocol::{Asked, Call, Given, Heard, Wire};
use crate::refusal::Refusal;
use crate::script::{Block, Script};

/// What a request is answered with.
#[derive(Debug, PartialEq)]
pub(crate) struct Answer {
    /// In the protocol's pieces.
    pub content: Vec<Value>,
    /// Whether it was cut off at the bound on its output.
    pub is_cut: bool,
    /// Whether it calls a tool.
    pub calls: bool,
    /// All of its tokens.
    pub output_tokens: u64,
    /// Those of them that were thoughts, where the protocol says so.
    pub thoughts: u64,
}

/// The answer of `script` to what was asked, or why it has none.
pub(crate) fn answer(wire: &dyn Wire, script: &Script, asked: &Asked) -> Result<Answer, Refusal> {
    let said = follow(wire, script, asked)?;
    let Some(turn) = script.turns.get(said) else {
        return Err(Refusal::invalid(format!(
            "the rehearsal {} ends after {} answers and has none to this request: the job should have finished by now",
            script.name,
            script.turns.len()
        )));
    };
    offered(script, said, &asked.tools)?;
    Ok(within(wire, wire.content(turn, said + 1, asked), asked.max_output))
}

/// Checks that the conversation is one of this script's, and counts the answers in it.
fn follow(wire: &dyn Wire, script: &Script, asked: &Asked) -> Result<usize, Refusal> {
    let mut said = 0;
    for (index, turn) in asked.turns.iter().enumerate() {
        let Heard::Model { at, items } = turn else { continue };
        said += 1;
        unchanged(wire, script, asked, said, (at, items))?;
        let results = match asked.turns.get(index + 1) {
            Some(Heard::Caller { results }) => results.as_slice(),
            _ => &[],
        };
        answered(wire, at, &wire.calls(items), results)?;
    }
    match asked.turns.last() {
        Some(Heard::Caller { .. }) => Ok(said),
        _ => Err(Refusal::invalid("the last message must be the user's, or a tool's result")),
    }
}

/// Each turn of the model's comes back as it was served, or is the same said by another provider's model.
fn unchanged(
    wire: &dyn Wire,
    script: &Script,
    asked: &Asked,
    number: usize,
    (at, items): (&str, &[Value]),
) -> Result<(), Refusal> {
    let turn = script.turns.get(number - 1);
    let served = turn.map(|turn| wire.sent_back(wire.content(turn, number, asked)));
    if served.as_deref() == Some(items) {
        return Ok(());
    }
    if turn.is_some_and(|turn| is_said_elsewhere(wire.foreign(items, asked), &turn.content)) {
        return Ok(());
    }
    let lost = served.and_then(|served| wire.lost(at, items, &served));
    Err(Refusal::invalid(lost.unwrap_or_else(|| {
        format!(
            "{at}: the rehearsal {} did not give this as its answer {number}: send back unchanged what it said",
            script.name
        )
    })))
}

/// Whether another provider's turn says in its words, and calls, what the script has. Its texts may be joined or left out.
fn is_said_elsewhere(foreign: Option<Vec<Block>>, turn: &[Block]) -> bool {
    let calls = |blocks: &[Block]| -> Vec<Block> {
        blocks.iter().filter(|block| matches!(block, Block::ToolUse { .. })).cloned().collect()
    };
    foreign.is_some_and(|blocks| !blocks.is_empty() && calls(&blocks) == calls(turn))
}

/// Every tool call must have its result right after it, and every result its call.
fn answered(wire: &dyn Wire, at: &str, calls: &[Call], results: &[Given]) -> Result<(), Refusal> {
    let mut open: Vec<&Call> = calls.iter().collect();
    let mut strays = Vec::new();
    for given in results {
        let fits = |call: &&Call| {
            given.id.as_ref().is_none_or(|id| *id == call.id)
                && given.name.as_ref().is_none_or(|name| *name == call.name)
        };
        match open.iter().position(fits) {
            Some(place) => _ = open.remove(place),
            None => strays.push(given.id.clone().or(given.name.clone()).unwrap_or_default()),
        }
    }
    if !open.is_empty() {
        let missing: Vec<String> = open.iter().map(|call| call.id.clone()).collect();
        return Err(Refusal::invalid(wire.unanswered(at, &missing)));
    }
    match strays.is_empty() {
        true => Ok(()),
        false => Err(Refusal::invalid(format!(
            "after {at} there are results of calls that it does not make: {}",
            strays.join(", ")
        ))),
    }
}

fn offered(script: &Script, said: usize, tools: &[String]) -> Result<(), Refusal> {
    let called = script.turns[said].content.iter().filter_map(|block| match block {
        Block::ToolUse { name, .. } => Some(name),
        Block::Text { .. } => None,
    });
    match called.into_iter().find(|name| !tools.contains(name)) {
        None => Ok(()),
        Some(name) => Err(Refusal::invalid(format!(
            "the rehearsal {} calls the tool {name:?} in its answer {}, which this request does not offer: rehearse a task that has it",
            script.name,
            said + 1
        ))),
    }
}

/// The content, cut off where a model with this bound would have stopped.
fn within(wire: &dyn Wire, mut content: Vec<Value>, max_output: u64) -> Answer {
    let whole = tokens(&Value::Array(content.clone()));
    let thoughts = wire.thoughts(&content);
    if whole <= max_output {
        let calls = !wire.calls(&wire.sent_back(content.clone())).is_empty();
        return Answer { content, is_cut: false, calls, output_tokens: whole, thoughts };
    }
    // A half tool call is of no use to anybody: what remains is what is complete.
    while tokens(&Value::Array(content.clone())) > max_output && content.pop().is_some() {}
    Answer {
        content,
        is_cut: true,
        calls: false,
        output_tokens: max_output,
        thoughts: thoughts.min(max_output),
    }
}
