//! The forge against real git: real repositories in temporary folders, real servers on 127.0.0.1.

// clippy.toml allows these in test functions; here the helpers around them are tests' code as well.
#![allow(clippy::unwrap_used, clippy::panic)]

mod addresses;
mod attacks;
mod bases;
mod diffs;
mod heads;
mod hostile;
mod http;
mod publish;
mod roundtrip;
mod support;
