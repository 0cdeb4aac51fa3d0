//! From what an answer says to what the ledger takes. Pure.
//!
//! Counts that cannot be are not believed, and what is kept beside the content (names, ids, the usage as it came) is
//! cleaned, for it ends up in the ledger.

use agent::{ModelError, Reply};
use domain::Usage;

use crate::catalogue::{self, ModelInfo};
use crate::wire::{Answer, Own, clean, malformed};

/// So many tokens of output more than were asked for are taken for another way of counting.
const TOLERANCE: u64 = 64;
/// Tokens of input that are believed of a model that the catalogue does not have: no model takes more.
const MOST_INPUT: u64 = 10_000_000;

/// Prices an answer to a request for at most `max_output` tokens as the model that answered, or as `asked` if the catalogue
/// has no such model.
pub(super) fn reply(
    answer: Answer,
    asked: &ModelInfo,
    own: Own<'_>,
    max_output: u64,
) -> Result<Reply, ModelError> {
    let Answer { content, text, tool_calls, stop, usage, model, request_id, mut raw_usage } = answer;
    let model = domain::clean(model.as_deref().unwrap_or_else(|| asked.name_at_provider(own.name)));
    clean(&mut raw_usage);
    let answered = match asked.is_priced_as_asked() {
        true => asked,
        false => catalogue::find(&model).unwrap_or(asked),
    };
    // What a server of one's own takes is only said by a setting, which may be too small: its count is no mistake.
    let unlisted = if asked.is_priced_as_asked() { MOST_INPUT } else { 0 };
    let most_input = answered.context_tokens.max(asked.context_tokens).max(unlisted);
    believable(&usage, most_input, max_output)?;
    Ok(Reply {
        protocol: own.protocol,
        content,
        text,
        tool_calls,
        stop,
        usage,
        cost: answered.cost(&usage),
        model,
        request_id: request_id.map(|id| domain::clean(&id)),
        raw_usage,
    })
}

/// No ledger can take any number: more than fits into the model, or than was asked for, is a mistake of whoever wrote it.
fn believable(usage: &Usage, context: u64, max_output: u64) -> Result<(), ModelError> {
    let (input, output) = (usage.input(), usage.output);
    if input > context {
        return Err(malformed(format!(
            "it reports {input} tokens of input, and the model's context has {context}"
        )));
    }
    if output > max_output.saturating_add(TOLERANCE) {
        return Err(malformed(format!(
            "it reports {output} tokens of output, and {max_output} were asked for"
        )));
    }
    Ok(())
}
