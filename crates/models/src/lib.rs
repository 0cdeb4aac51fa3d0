//! Models behind one port: what they are and cost (one data file), and how they are asked over HTTP.
//!
//! Each protocol is a set of pure functions (`anthropic`, `openai`, `chat`, `google`); the HTTP, the retries, the rate limits
//! and the money around them are the same for all (`call`). A job gets a chain of models, of which each takes over from
//! the one before it.

mod account;
mod anthropic;
mod bound;
mod call;
pub mod catalogue;
mod chain;
mod chat;
mod google;
mod models;
mod neutral;
mod openai;
pub mod retirement;
mod setup;
mod wire;

pub use call::{Now, Random};
pub use catalogue::{LookupError, ModelInfo, Provider, check, find};
pub use chain::Chain;
pub use models::{Models, Wish};
pub use setup::{
    ANTHROPIC_BASE_URL, AnotherKey, GEMINI_BASE_URL, Keys, Names, OPENAI_BASE_URL, Outside, Settings,
    SetupError, Unlisted,
};
