//! The wire protocols in which models are asked.

use serde::{Deserialize, Serialize};

/// How a model is spoken to. What a model said goes back unchanged only in the protocol that it was said in.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Protocol {
    /// Anthropic's Messages. The default, because journals from before there were others do not name it.
    #[default]
    AnthropicMessages,
    /// OpenAI's Responses.
    OpenaiResponses,
    /// OpenAI's chat completions, which many other servers speak too.
    OpenaiChat,
    /// Google's generateContent.
    GeminiGenerateContent,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_in_journals_stay() {
        let names = [
            (Protocol::AnthropicMessages, "anthropic_messages"),
            (Protocol::OpenaiResponses, "openai_responses"),
            (Protocol::OpenaiChat, "openai_chat"),
            (Protocol::GeminiGenerateContent, "gemini_generate_content"),
        ];
        for (protocol, name) in names {
            assert_eq!(serde_json::to_value(protocol).unwrap(), name);
        }
    }
}
