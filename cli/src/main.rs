//! The `codeteam` command: a coding team on this machine, and the way to ask it for work.
//!
//! Standard output holds answers alone, so that they can be piped; everything else goes to standard error. The exit
//! code is 0 for success, 1 for a job (or a check) that did not succeed, 2 for bad usage, 3 for a system that could not
//! do it, and 130 when a person interrupted a command that has no result of its own.

mod args;
mod commands;
mod context;
mod error;
mod home;
mod keys;
mod out;
mod programs;
mod team;
mod view;

use std::process::ExitCode;

use clap::Parser;

use crate::args::Cli;
use crate::context::Context;
use crate::error::CliError;

#[tokio::main]
async fn main() -> ExitCode {
    let cli = Cli::parse();
    let json = cli.global.json;
    let context = match Context::new(cli.global) {
        Ok(context) => context,
        Err(error) => return report(&error, json, |text| text.to_owned()),
    };
    let done = commands::execute(&context, cli.command).await;
    match done {
        Ok(code) => ExitCode::from(code),
        Err(error) => report(&error, json, |text| context.redaction.apply(text).into_owned()),
    }
}

/// Says what went wrong: in a sentence for people, and as the one JSON object where JSON was asked for.
fn report(error: &CliError, json: bool, redact: impl Fn(&str) -> String) -> ExitCode {
    let code = error.exit_code();
    if !matches!(error, CliError::Interrupted) {
        let sentence = redact(&domain::clean(&service::exit::one_line(error)));
        out::note(&format!("codeteam: {sentence}"));
        if json {
            out::json(&serde_json::json!({"error": sentence, "exit_code": code}));
        }
    }
    ExitCode::from(code)
}
