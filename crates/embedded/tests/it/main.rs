//! The real server, started, killed and misused. Runs as root and as anybody else.

#![allow(clippy::unwrap_used)] // in the helpers, as in the tests

mod lifecycle;
mod misuse;
mod owner;
mod place;
mod support;
