//! An upper bound on the tokens of a request that nobody has counted yet, whatever the tokenizer.
//!
//! Every token of a tokenizer that falls back to bytes covers at least one byte, so text never has more tokens than bytes.
//! JSON only adds bytes (quotes, escapes), so the bytes of what is sent bound the tokens of what the model is shown, but for
//! what the provider puts around it: a hidden prompt when there are tools (346 tokens on Anthropic's 4.5 models) and a few
//! tokens around each message, part and tool. Those are not published for every model; the allowances below are several times what is.
//! A reply in the known prefix counts as its output tokens, thinking included, which is at least what it counts as input.

use agent::{Request, Turn};
use serde_json::Value;

use crate::wire::{Own, Wire};

/// For the hidden prompt of a request with tools.
const TOOL_PROMPT: u64 = 1_500;
/// For what stands around the whole request, and for a known reply that is written a little differently as input.
const REQUEST: u64 = 64;
/// For what stands around each turn, each call, each result and each tool.
const PIECE: u64 = 64;

/// The bound for `request`. `known`: the first so many turns, with instructions and tools, have so many tokens.
pub(crate) fn input(
    wire: &dyn Wire,
    own: Own<'_>,
    request: &Request<'_>,
    known: Option<(usize, u64)>,
) -> u64 {
    let (counted, before) = known.unwrap_or_else(|| (0, prefix(wire, request)));
    let new = counted..request.turns.len();
    new.map(|at| turn(wire, own, request.turns, at)).fold(before.saturating_add(REQUEST), u64::saturating_add)
}

fn prefix(wire: &dyn Wire, request: &Request<'_>) -> u64 {
    let tools: u64 = request.tools.iter().map(|tool| bytes(&wire.tool(tool)) + PIECE).sum();
    let prompt = if request.tools.is_empty() { 0 } else { TOOL_PROMPT };
    request.system.len() as u64 + PIECE + tools + prompt
}

fn turn(wire: &dyn Wire, own: Own<'_>, turns: &[Turn], at: usize) -> u64 {
    let items = wire.turn(turns, at, own);
    if items.is_empty() {
        return 0;
    }
    let pieces = match &turns[at] {
        Turn::User(_) => 1,
        Turn::ToolResults(results) => results.len(),
        Turn::Assistant { content, tool_calls, .. } => {
            content.as_array().map_or(0, Vec::len).max(tool_calls.len() + 1)
        }
    };
    items.iter().map(bytes).sum::<u64>() + (pieces as u64 + 1) * PIECE
}

fn bytes(value: &Value) -> u64 {
    value.to_string().len() as u64
}
