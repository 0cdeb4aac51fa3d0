//! The whole system: real programs, a real database, and faults.
#![allow(clippy::unwrap_used, clippy::panic)]

mod architecture;
mod aws_stand_in;
mod budgets;
mod command_line;
mod corpus_cases;
mod drain;
mod eval;
mod fleet;
mod github;
mod jobs;
mod killed;
mod lives;
mod retention;
mod scale_command;
mod scaler_on_aws;
mod secrets;
mod setup;
mod spenders;
mod strangers;
mod takeover;
mod trouble;
mod usage;
