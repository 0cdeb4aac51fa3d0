//! What is needed before the first call, and what can be wrong with it.

use std::num::NonZeroU32;
use std::sync::Arc;

use domain::{Mode, Price};
use secrecy::SecretString;

use crate::call::{Now, Random};
use crate::catalogue::{LookupError, Provider};

/// Anthropic's own address.
pub const ANTHROPIC_BASE_URL: &str = "https://api.anthropic.com";
/// OpenAI's own address. Its version is a part of it, as in the settings of every server that resembles it.
pub const OPENAI_BASE_URL: &str = "https://api.openai.com/v1";
/// Google's own address.
pub const GEMINI_BASE_URL: &str = "https://generativelanguage.googleapis.com";

/// Where models are and what may be used to ask them.
#[derive(Clone, Debug)]
pub struct Settings {
    /// What stands before `/v1/messages`.
    pub anthropic_base_url: String,
    /// What stands before `/responses` and `/chat/completions`.
    pub openai_base_url: String,
    /// What stands before `/v1beta/models`.
    pub gemini_base_url: String,
    /// The accounts' keys.
    pub keys: Keys,
    /// Requests that all jobs of this process may send to one provider in a minute; a tenth of them at once.
    pub requests_per_minute: NonZeroU32,
    /// What to take for granted of models that the catalogue does not have.
    pub unlisted: Unlisted,
}

/// The accounts' keys. None: there is no account.
#[derive(Clone, Debug, Default)]
pub struct Keys {
    /// `ANTHROPIC_API_KEY`
    pub anthropic: Option<SecretString>,
    /// `OPENAI_API_KEY`
    pub openai: Option<SecretString>,
    /// `GOOGLE_API_KEY`
    pub google: Option<SecretString>,
}

/// A model on a server of one's own: nobody knows its size and price but whoever runs it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Unlisted {
    /// The most tokens of input and output together.
    pub context_tokens: u64,
    /// What its tokens cost; a price of zero keeps no money cap, and the token cap all the same.
    pub price: Price,
}

/// Where another key may be after `refused` was not accepted: somebody may have changed it since the process started.
/// May block; None: there is no other.
pub type AnotherKey = Arc<dyn Fn(Provider, &SecretString) -> Option<SecretString> + Send + Sync>;

/// What comes from outside of the process.
#[derive(Clone)]
pub struct Outside {
    /// Spreads the retries of many workers.
    pub random: Random,
    /// The wall clock, for hints that name a time.
    pub now: Now,
    /// Asked once in a call whose key is refused.
    pub another_key: AnotherKey,
}

/// What a provider's settings are called, for messages.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Names {
    /// The secret.
    pub key: &'static str,
    /// The setting of its address.
    pub base_url: &'static str,
}

/// Why no model can be asked. The message says what to do.
#[derive(Debug, thiserror::Error)]
#[allow(missing_docs)]
pub enum SetupError {
    #[error(transparent)]
    Model(#[from] LookupError),
    #[error("{name} is no address of a server: write it as https://HOST or http://HOST:PORT")]
    BaseUrl { name: &'static str },
    #[error("the {name} is empty: put the account's key into the secrets")]
    EmptyKey { name: &'static str },
    #[error("the {name} holds characters that no key has: copy it again, without spaces or line breaks")]
    BadKey { name: &'static str },
    #[error(
        "{model} cannot be asked: the worker has no {key}; put {{\"{key}\": \"...\"}} into its secrets, or name a model of \
         another provider"
    )]
    NoKeyFor { model: String, key: &'static str },
    #[error(
        "the worker has no key for a model of mode {mode}: put {{\"OPENAI_API_KEY\": \"...\"}}, \
         {{\"ANTHROPIC_API_KEY\": \"...\"}} or {{\"GOOGLE_API_KEY\": \"...\"}} into its secrets, or set MODEL=openai_chat:NAME \
         and OPENAI_BASE_URL to use a server of your own"
    )]
    NoKey { mode: Mode },
    #[error("no TLS provider is installed: install one at the program's start, before any model is set up")]
    NoTls,
    #[error("the HTTP client cannot be made: check the system's certificates and proxy settings")]
    Client(#[source] reqwest::Error),
}
