//! Which models the worker may ask: its settings, and the chain of each job.

use std::num::NonZeroU32;
use std::str::FromStr;
use std::sync::Arc;

use agent::Resumed;
use clap::Args;
use domain::{Failure, Price};
use jiff::tz::TimeZone;
use models::{Chain, Keys, Models, Outside, Provider, SetupError, Unlisted, Wish};
use rand::RngExt;
use service::{Keyring, Name, SecretString};
use store::Claimed;

use crate::end::End;
use crate::worker::Worker;

/// Where models are asked.
#[derive(Debug, Args)]
#[group(skip)]
pub struct Settings {
    /// The model for jobs that name none; several, separated by commas, take over from one another. openai_chat:NAME is any
    /// model at OPENAI_BASE_URL [default: the mode's own list].
    #[arg(long, env = "MODEL")]
    model: Option<String>,
    /// What stands before /responses and /chat/completions: OpenAI, or a server that speaks its protocols.
    #[arg(long, env = "OPENAI_BASE_URL", default_value = models::OPENAI_BASE_URL)]
    openai_base_url: String,
    /// What stands before /v1/messages.
    #[arg(long, env = "ANTHROPIC_BASE_URL", default_value = models::ANTHROPIC_BASE_URL)]
    anthropic_base_url: String,
    /// What stands before /v1beta/models.
    #[arg(long, env = "GEMINI_BASE_URL", default_value = models::GEMINI_BASE_URL)]
    gemini_base_url: String,
    /// Tokens of input and output together that an openai_chat model takes.
    #[arg(long, env = "OPENAI_CHAT_CONTEXT_TOKENS", default_value_t = 32_768, value_parser = clap::value_parser!(u64).range(1_024..=10_000_000))]
    openai_chat_context_tokens: u64,
    /// Dollars that a million tokens of input, and of output, cost at an openai_chat model that the catalogue does not have.
    #[arg(long, env = "OPENAI_CHAT_PRICE", default_value = "0,0")]
    openai_chat_price: Dollars,
    /// Requests to one provider in a minute, of all jobs of this worker together; a tenth of them may come at once.
    #[arg(long, env = "MODEL_REQUESTS_PER_MINUTE", default_value = "600")]
    model_requests_per_minute: NonZeroU32,
}

impl Settings {
    /// The accounts that the secrets give access to.
    pub fn open(&self, keyring: &Keyring) -> Result<Models, SetupError> {
        let key = |name| keyring.get(name);
        let keys = Keys {
            anthropic: key(Name::AnthropicApiKey),
            openai: key(Name::OpenaiApiKey),
            google: key(Name::GoogleApiKey),
        };
        let settings = models::Settings {
            anthropic_base_url: self.anthropic_base_url.clone(),
            openai_base_url: self.openai_base_url.clone(),
            gemini_base_url: self.gemini_base_url.clone(),
            keys,
            requests_per_minute: self.model_requests_per_minute,
            unlisted: Unlisted {
                context_tokens: self.openai_chat_context_tokens,
                price: self.openai_chat_price.0,
            },
        };
        let keyring = keyring.clone();
        let outside = Outside {
            random: Arc::new(|| rand::rng().random_range(0.0..1.0)),
            now: Arc::new(jiff::Timestamp::now),
            another_key: Arc::new(move |provider, refused| another_key(&keyring, provider, refused)),
        };
        Models::new(settings, outside)
    }

    /// The models for a job that names none. Empty: the mode's.
    fn names(&self) -> Vec<&str> {
        let names = self.model.as_deref().unwrap_or_default().split(',').map(str::trim);
        names.filter(|name| !name.is_empty()).collect()
    }
}

/// The key that is in the secrets by now, if it is another one than was refused.
fn another_key(keyring: &Keyring, provider: Provider, refused: &SecretString) -> Option<SecretString> {
    let name = match provider {
        Provider::Openai => Name::OpenaiApiKey,
        Provider::Anthropic => Name::AnthropicApiKey,
        Provider::Google => Name::GoogleApiKey,
    };
    keyring.another(name, refused).unwrap_or_else(|error| {
        tracing::warn!("the secrets cannot be read anew: {}", service::exit::one_line(&error));
        None
    })
}

/// The models of a job: the one that it names, else the settings', else the mode's.
pub fn chain(worker: &Worker, claimed: &Claimed, resumed: &Resumed) -> Result<Chain, End> {
    let names = match claimed.job.model.as_deref() {
        Some(name) => vec![name],
        None => worker.settings.model.names(),
    };
    let today = jiff::Timestamp::now().to_zoned(TimeZone::UTC).date();
    let wish = Wish { names, mode: worker.settings.mode, last: resumed.model(), today };
    worker
        .models
        .chain(&wish)
        .map_err(|error| End::refused(Failure::ModelUnusable, service::exit::one_line(&error)))
}

/// Prices as people write them, `0.25,2`: dollars for a million tokens in, and out.
#[derive(Clone, Copy, Debug)]
struct Dollars(Price);

impl FromStr for Dollars {
    type Err = String;

    fn from_str(text: &str) -> Result<Dollars, String> {
        let micros = |amount: &str| {
            let dollars =
                amount.trim().parse::<f64>().ok().filter(|dollars| (0.0..=10_000.0).contains(dollars))?;
            Some((dollars * 1e6).round() as u64)
        };
        let parts = text.split_once(',').and_then(|(input, output)| Some((micros(input)?, micros(output)?)));
        let (input, output) = parts.ok_or_else(|| {
            "write the dollars for a million tokens of input and of output, as in 0.25,2".to_owned()
        })?;
        Ok(Dollars(Price { input, cache_read: input, cache_write_5m: input, cache_write_1h: input, output }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_price_is_two_amounts_of_dollars() {
        let price = "0.25, 2".parse::<Dollars>().unwrap().0;
        assert_eq!((price.input, price.cache_read, price.output), (250_000, 250_000, 2_000_000));
        for wrong in ["", "1", "1,2,3", "-1,2", "a,b", "1e9,1", "NaN,1"] {
            assert!(wrong.parse::<Dollars>().unwrap_err().contains("as in 0.25,2"), "{wrong}");
        }
    }
}
