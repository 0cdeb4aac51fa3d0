//! What is known of each model: provider, price, sizes, retirement, successor. One data file, read once.
//!
//! A model keeps its entry after its retirement, so that old ledger entries can still be priced. A dated name
//! (`claude-haiku-4-5-20251001`) is its family's entry. Prices of caches that a provider does not sell are those of
//! plain input; an OpenAI cache of 30 minutes stands under `cache_write_5m`, one of 12 hours under `cache_write_1h`.

mod info;

use std::sync::LazyLock;

use domain::{Mode, family};
use jiff::civil::Date;
use serde::Deserialize;

use crate::setup::Unlisted;

pub use info::{ModelInfo, Provider, Source};

static CATALOGUE: LazyLock<Result<Catalogue, String>> = LazyLock::new(|| {
    serde_json::from_str(include_str!("../catalogue.json")).map_err(|error| error.to_string())
});

/// What stands before the name of any model on a server that speaks chat completions.
const CHAT: &str = "openai_chat:";

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
    #[error(
        "unknown model {given:?}: use one of {known}, or openai_chat:NAME for one on a server of your own (OPENAI_BASE_URL)"
    )]
    Unknown { given: String, known: String },
    #[error("{name} answers no more since {since}, and no successor is known: use one of {known}")]
    Retired { name: String, since: Date, known: String },
    #[error(
        "the catalogue of models cannot be read ({reason}): this program was built from a damaged file, build it again"
    )]
    Broken { reason: String },
}

/// A model to ask, and the retired one that was named in its place.
#[derive(Clone, Debug, PartialEq)]
pub struct Current {
    /// The name to ask for: as it was written, or the successor's.
    pub name: String,
    /// What is known of it.
    pub info: ModelInfo,
    /// The name that was written, and why another one is asked. None: it is asked itself.
    pub instead_of: Option<(String, String)>,
}

/// Every model, in the file's order.
pub fn all() -> Result<&'static [ModelInfo], LookupError> {
    catalogue().map(|catalogue| catalogue.models.as_slice())
}

/// The model of this name, which may carry a date.
pub fn find(name: &str) -> Result<&'static ModelInfo, LookupError> {
    let models = all()?;
    let exact = |name: &str| models.iter().find(|info| info.name == name);
    match exact(name).or_else(|| exact(family(name))) {
        Some(info) => Ok(info),
        None => Err(LookupError::Unknown { given: name.to_owned(), known: known_names()? }),
    }
}

/// Whether a job or a setting may name a model like this: one of the catalogue, or any on a server of one's own.
pub fn check(name: &str) -> Result<(), LookupError> {
    match name.strip_prefix(CHAT) {
        Some(rest) if !rest.trim().is_empty() => Ok(()),
        _ => find(name).map(|_| ()),
    }
}

/// The model to ask on `today` when `name` is named: itself, or the first of its successors that is not retired.
pub fn current(name: &str, today: Date, unlisted: &Unlisted) -> Result<Current, LookupError> {
    if let Some(rest) = name.strip_prefix(CHAT) {
        check(name)?;
        let info = match find(rest) {
            Ok(listed) => listed.over_chat(),
            Err(_) => ModelInfo::unlisted(rest, unlisted),
        };
        return Ok(Current { name: name.to_owned(), info, instead_of: None });
    }
    let named = find(name)?;
    let mut info = named;
    // Each step goes to another entry; a catalogue that goes round in circles ends here too.
    for _ in 0..all()?.len() {
        let Some(since) = info.retires.filter(|_| info.is_retired(today)) else { break };
        let Some(successor) = &info.successor else {
            return Err(LookupError::Retired { name: info.name.clone(), since, known: known_names()? });
        };
        info = find(successor)?;
    }
    let instead_of = (info.name != named.name).then(|| {
        let since = named.retires.map(|since| since.to_string()).unwrap_or_default();
        (name.to_owned(), format!("{} answers no more since {since}: its successor is asked", named.name))
    });
    let asked = if instead_of.is_some() { info.name.clone() } else { name.to_owned() };
    Ok(Current { name: asked, info: info.clone(), instead_of })
}

/// The models that jobs of `mode` get when none is named, best first, retired ones included.
pub fn preferred(mode: Mode) -> Result<&'static [String], LookupError> {
    let defaults = &catalogue()?.defaults;
    Ok(match mode {
        Mode::Mechanic => &defaults.mechanic,
        Mode::Genius => &defaults.genius,
    })
}

fn catalogue() -> Result<&'static Catalogue, LookupError> {
    CATALOGUE.as_ref().map_err(|reason| LookupError::Broken { reason: reason.clone() })
}

fn known_names() -> Result<String, LookupError> {
    Ok(all()?.iter().map(|info| info.name.as_str()).collect::<Vec<_>>().join(", "))
}
