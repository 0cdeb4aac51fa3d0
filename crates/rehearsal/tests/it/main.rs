//! Rehearsals as their callers see them: scripts, the protocol, the counts, and the demo.

// clippy.toml allows these in test functions; here the helpers around them are tests' code as well.
#![allow(clippy::unwrap_used, clippy::panic)]

mod counts;
mod demo;
mod protocol;
mod providers;
mod repertoire;
mod script;
mod sdk;
mod stage;
