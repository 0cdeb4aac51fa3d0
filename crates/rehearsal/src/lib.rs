//! A rehearsal: a prepared conversation served in the provider's protocol, so that the whole path runs without a key.
//!
//! It is never passed off as a model's work: every answer names `rehearsal` as the model. It speaks the Messages protocol
//! strictly: what the provider would refuse, it refuses, and so it does with a conversation that its script does not fit.

mod conversation;
mod count;
pub mod demo;
mod refusal;
mod script;
mod server;

pub use count::Served;
pub use script::{Block, Script, ScriptError, Turn};
pub use server::Rehearsal;
