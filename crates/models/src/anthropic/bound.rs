//! An upper bound on the tokens of a request that nobody has counted yet.
//!
//! Every token of a byte-level BPE covers at least one byte, so text never has more tokens than bytes. JSON only adds
//! bytes (quotes, escapes), so the bytes of what is sent bound the tokens of what the model is shown, but for what the
//! provider puts around it: a hidden prompt when there are tools (346 tokens on the 4.5 models) and a few tokens around
//! each message, block and tool. Those are not published for every model; the allowances below are several times what is.
//! A reply in the known prefix counts as its output tokens, thinking included, which is at least what it counts as input.

use agent::{Request, Turn};
use serde_json::Value;

use super::request;

/// For the hidden prompt of a request with tools.
const TOOL_PROMPT: u64 = 1_500;
/// For what stands around the whole request, and for a known reply that is written a little differently as input.
const REQUEST: u64 = 64;
/// For what stands around each turn, each tool result and each tool.
const PIECE: u64 = 64;

/// The bound for `request`. `known`: the first so many turns, with instructions and tools, have so many tokens.
pub(super) fn input(request: &Request<'_>, known: Option<(usize, u64)>) -> u64 {
    let (turns, before) = match known {
        Some((turns, tokens)) => (request.turns.get(turns..).unwrap_or_default(), tokens),
        None => (request.turns, prefix(request)),
    };
    turns.iter().map(turn).fold(before.saturating_add(REQUEST), u64::saturating_add)
}

fn prefix(request: &Request<'_>) -> u64 {
    let tools: u64 = request.tools.iter().map(|tool| bytes(&request::tool(tool)) + PIECE).sum();
    let prompt = if request.tools.is_empty() { 0 } else { TOOL_PROMPT };
    request.system.len() as u64 + PIECE + tools + prompt
}

fn turn(turn: &Turn) -> u64 {
    let pieces = match turn {
        Turn::ToolResults(results) => results.len() as u64,
        Turn::Assistant { content, .. } => content.as_array().map_or(1, |blocks| blocks.len() as u64),
        Turn::User(_) => 1,
    };
    request::message(turn).map_or(0, |message| bytes(&message) + (pieces + 1) * PIECE)
}

fn bytes(value: &Value) -> u64 {
    value.to_string().len() as u64
}
