//! One model's entry.

use domain::{Money, Price, Protocol, Usage};
use jiff::civil::Date;
use serde::Deserialize;

use crate::setup::{Names, Unlisted};

/// Who runs a model.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Provider {
    /// OpenAI, or a server that speaks its protocols.
    Openai,
    /// Anthropic.
    Anthropic,
    /// Google.
    Google,
}

impl Provider {
    /// All of them.
    pub const ALL: [Provider; 3] = [Provider::Openai, Provider::Anthropic, Provider::Google];

    /// Its name as people write it.
    pub fn as_str(self) -> &'static str {
        match self {
            Provider::Openai => "OpenAI",
            Provider::Anthropic => "Anthropic",
            Provider::Google => "Google",
        }
    }

    /// What its settings are called.
    pub fn names(self) -> Names {
        let (key, base_url) = match self {
            Provider::Openai => ("OPENAI_API_KEY", "OPENAI_BASE_URL"),
            Provider::Anthropic => ("ANTHROPIC_API_KEY", "ANTHROPIC_BASE_URL"),
            Provider::Google => ("GOOGLE_API_KEY", "GEMINI_BASE_URL"),
        };
        Names { key, base_url }
    }
}

/// One model.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ModelInfo {
    /// Its name, without a date.
    pub name: String,
    /// Who runs it.
    pub provider: Provider,
    price: Price,
    long_context: Option<LongContext>,
    /// The most tokens of input and output together.
    pub context_tokens: u64,
    /// The most tokens of one answer, reasoning included.
    pub max_output_tokens: u64,
    /// The day from which it answers no more. None: none is announced.
    pub retires: Option<Date>,
    /// The model to use instead.
    pub successor: Option<String>,
    /// Where the price comes from.
    pub source: Source,
    #[serde(skip)]
    over: Over,
}

/// How a model is reached.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Over {
    /// By its provider's own protocol.
    #[default]
    Own,
    /// By chat completions.
    Chat,
    /// By chat completions, and the catalogue does not have it.
    ChatUnlisted,
}

/// The price of a call whose input is larger than a bound: it holds for all of the call's tokens.
#[derive(Clone, Copy, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
struct LongContext {
    above_input_tokens: u64,
    price: Price,
}

/// Where a price comes from, and of which day it is.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Source {
    /// The provider's page to hold it against.
    pub page: String,
    /// The day on which it was the price, as far as public sources tell.
    pub as_of: Date,
    /// What is to be known of the sources of price, sizes, retirement and successor. None: the page has them all.
    #[serde(default)]
    pub note: Option<String>,
}

impl ModelInfo {
    /// A model that only whoever runs it knows.
    pub(super) fn unlisted(name: &str, unlisted: &Unlisted) -> ModelInfo {
        ModelInfo {
            name: name.to_owned(),
            provider: Provider::Openai,
            price: unlisted.price,
            long_context: None,
            context_tokens: unlisted.context_tokens,
            // Half of it is left for the conversation.
            max_output_tokens: unlisted.context_tokens / 2,
            retires: None,
            successor: None,
            source: Source { page: String::new(), as_of: Date::ZERO, note: None },
            over: Over::ChatUnlisted,
        }
    }

    /// The same model, reached through a server that speaks chat completions.
    pub(super) fn over_chat(&self) -> ModelInfo {
        ModelInfo { provider: Provider::Openai, over: Over::Chat, ..self.clone() }
    }

    /// The protocol in which it is asked.
    pub fn protocol(&self) -> Protocol {
        match (self.over, self.provider) {
            (Over::Chat | Over::ChatUnlisted, _) => Protocol::OpenaiChat,
            (Over::Own, Provider::Openai) => Protocol::OpenaiResponses,
            (Over::Own, Provider::Anthropic) => Protocol::AnthropicMessages,
            (Over::Own, Provider::Google) => Protocol::GeminiGenerateContent,
        }
    }

    /// The part of `name`, as jobs and settings write it, that its provider knows.
    pub(crate) fn name_at_provider<'a>(&self, name: &'a str) -> &'a str {
        match self.over {
            Over::Own => name,
            Over::Chat | Over::ChatUnlisted => name.strip_prefix(super::CHAT).unwrap_or(name),
        }
    }

    /// Whether it is priced by its own entry, whatever the server calls the model that answers.
    pub(crate) fn is_priced_as_asked(&self) -> bool {
        self.over == Over::ChatUnlisted
    }

    /// Whether it can be asked without a key: many a server of one's own wants none.
    pub(crate) fn needs_no_key(&self) -> bool {
        self.over != Over::Own
    }

    /// The price of a call with `input` tokens of input, cached or not.
    pub fn price(&self, input: u64) -> &Price {
        match &self.long_context {
            Some(long) if input > long.above_input_tokens => &long.price,
            _ => &self.price,
        }
    }

    /// What a call that used `usage` costs.
    pub fn cost(&self, usage: &Usage) -> Money {
        self.price(usage.input()).of(usage)
    }

    /// The most that a call with these bounds can cost. Google answers for a retired model with its successor, at that
    /// one's price, from a day on that its clock decides: so there it is the dearer of both.
    pub fn worst_case(&self, input: u64, output: u64) -> Money {
        let own = self.price(input).worst_case(input, output);
        let successor = match (&self.successor, self.provider) {
            (Some(successor), Provider::Google) => super::find(successor).ok(),
            _ => None,
        };
        successor.map_or(own, |info| own.max(info.price(input).worst_case(input, output)))
    }

    /// Whether it answers no more on `day`.
    pub fn is_retired(&self, day: Date) -> bool {
        self.retires.is_some_and(|retires| retires <= day)
    }
}
