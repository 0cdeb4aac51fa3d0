//! Secrets files as they go wrong in practice, and what only a process of its own can show: its log and its signals.

#![allow(clippy::unwrap_used)] // in the helpers, as in the tests

mod rerun;
mod secrets;
mod shutdown;
mod telemetry;
