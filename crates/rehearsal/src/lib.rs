//! A rehearsal: prepared conversations served in the providers' protocols, so that the whole path runs without a key.
//!
//! It is never passed off as a model's work: every answer names `rehearsal` as the model. It speaks each protocol strictly: what
//! the provider would refuse, it refuses, and so it does with a conversation that its script does not fit.

mod chat;
mod conversation;
mod count;
pub mod demo;
mod gemini;
mod messages;
mod openai;
mod protocol;
mod reading;
mod refusal;
mod repertoire;
mod responses;
mod script;
mod server;

pub use count::{Count, Played, Served};
pub use protocol::Protocol;
pub use repertoire::Repertoire;
pub use script::{Block, Script, ScriptError, Turn};
pub use server::Rehearsal;
