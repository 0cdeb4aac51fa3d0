//! Models behind one port: what they are and cost (one data file), and the adapters that call them.
//!
//! Only Anthropic's Messages protocol is spoken. The other providers' models are in the catalogue, with their prices
//! and retirement dates, and asking for one of them is answered with a sentence that says so.

mod anthropic;
pub mod catalogue;
mod retry;

pub use anthropic::{Anthropic, DEFAULT_BASE_URL, Settings, SetupError};
pub use catalogue::{LookupError, ModelInfo, Provider, callable, default_for, find};
pub use retry::Random;
