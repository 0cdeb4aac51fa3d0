//! What is known of each model: provider, price, sizes, retirement, successor. One data file, read once.
//!
//! A model keeps its entry after its retirement, so that old ledger entries can still be priced. A dated name
//! (`claude-haiku-4-5-20251001`) is its family's entry. Prices of caches that a provider does not sell are those of
//! plain input; an OpenAI cache of 30 minutes stands under `cache_write_5m`, one of 12 hours under `cache_write_1h`.

use std::sync::LazyLock;

use domain::{Mode, Money, Price, Usage};
use serde::Deserialize;

static CATALOGUE: LazyLock<Result<Catalogue, String>> = LazyLock::new(|| {
    serde_json::from_str(include_str!("../catalogue.json")).map_err(|error| error.to_string())
});

/// Who runs a model.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Provider {
    /// OpenAI.
    Openai,
    /// Anthropic.
    Anthropic,
    /// Google.
    Google,
}

impl Provider {
    /// Its name as people write it.
    pub fn as_str(self) -> &'static str {
        match self {
            Provider::Openai => "OpenAI",
            Provider::Anthropic => "Anthropic",
            Provider::Google => "Google",
        }
    }

    /// Whether this version can call its models.
    pub fn has_adapter(self) -> bool {
        self == Provider::Anthropic
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
    pub retires: Option<jiff::civil::Date>,
    /// The model to use instead.
    pub successor: Option<String>,
    /// Where the price comes from.
    pub source: Source,
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
    pub as_of: jiff::civil::Date,
}

impl ModelInfo {
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

    /// Whether it answers no more on `day`.
    pub fn is_retired(&self, day: jiff::civil::Date) -> bool {
        self.retires.is_some_and(|retires| retires <= day)
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Catalogue {
    #[serde(rename = "unit")]
    _unit: String,
    defaults: Defaults,
    models: Vec<ModelInfo>,
}

/// The models of each mode in the order of preference.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Defaults {
    mechanic: Vec<String>,
    genius: Vec<String>,
}

/// Why there is no such model to call. The message says what to do.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[allow(missing_docs)]
pub enum LookupError {
    #[error("unknown model {given:?}: use one of {callable}")]
    Unknown { given: String, callable: String },
    #[error("{name} is a model of {}, which this version cannot call: use one of {callable}", provider.as_str())]
    NoAdapter { name: String, provider: Provider, callable: String },
    #[error("no model of mode {mode} can be called by this version: name one of {callable}")]
    NoDefault { mode: Mode, callable: String },
    #[error(
        "the catalogue of models cannot be read ({reason}): this program was built from a damaged file, build it again"
    )]
    Broken { reason: String },
}

/// Every model, in the file's order.
pub fn all() -> Result<&'static [ModelInfo], LookupError> {
    catalogue().map(|catalogue| catalogue.models.as_slice())
}

/// The model of this name, which may carry a date, whether or not this version can call it.
pub fn find(name: &str) -> Result<&'static ModelInfo, LookupError> {
    match by_name(all()?, name) {
        Some(info) => Ok(info),
        None => Err(LookupError::Unknown { given: name.to_owned(), callable: callable_names()? }),
    }
}

/// The model of this name, if this version can call it.
pub fn callable(name: &str) -> Result<&'static ModelInfo, LookupError> {
    let info = find(name)?;
    if info.provider.has_adapter() {
        return Ok(info);
    }
    Err(LookupError::NoAdapter {
        name: name.to_owned(),
        provider: info.provider,
        callable: callable_names()?,
    })
}

/// The model that a job of `mode` gets when none is named: the first of the mode's list that this version can call.
pub fn default_for(mode: Mode) -> Result<&'static ModelInfo, LookupError> {
    let catalogue = catalogue()?;
    let preferred = match mode {
        Mode::Mechanic => &catalogue.defaults.mechanic,
        Mode::Genius => &catalogue.defaults.genius,
    };
    match preferred.iter().find_map(|name| callable(name).ok()) {
        Some(info) => Ok(info),
        None => Err(LookupError::NoDefault { mode, callable: callable_names()? }),
    }
}

fn catalogue() -> Result<&'static Catalogue, LookupError> {
    CATALOGUE.as_ref().map_err(|reason| LookupError::Broken { reason: reason.clone() })
}

fn callable_names() -> Result<String, LookupError> {
    let callable = all()?.iter().filter(|info| info.provider.has_adapter());
    Ok(callable.map(|info| info.name.as_str()).collect::<Vec<_>>().join(", "))
}

fn by_name<'a>(models: &'a [ModelInfo], name: &str) -> Option<&'a ModelInfo> {
    let exact = |name: &str| models.iter().find(|info| info.name == name);
    exact(name).or_else(|| exact(undated(name)?))
}

/// `name` without the date at its end, `-20251001` or `-2025-10-01`.
fn undated(name: &str) -> Option<&str> {
    ["-dddddddd", "-dddd-dd-dd"].iter().find_map(|form| {
        let (family, date) = name.split_at_checked(name.len().checked_sub(form.len())?)?;
        let fits = |(c, f): (u8, u8)| if f == b'd' { c.is_ascii_digit() } else { c == f };
        date.bytes().zip(form.bytes()).all(fits).then_some(family)
    })
}
