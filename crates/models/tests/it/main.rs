//! The catalogue, the chain and each protocol, against a provider that plays a scripted part on 127.0.0.1.

// clippy.toml allows these in test functions; here the helpers around them are tests' code as well.
#![allow(clippy::unwrap_used, clippy::panic)]

mod answers;
mod anthropic;
mod catalogue;
mod chain;
mod chat;
mod google;
mod openai;
mod provider;
mod rehearsal;
mod request;
mod retries;
mod sdk;
