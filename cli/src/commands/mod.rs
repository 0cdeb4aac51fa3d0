//! One module per command, and what they share: following a job, and saying what came of it.

mod acknowledge;
mod budget;
mod cancel;
mod completions;
mod costs;
mod dead;
mod demo;
mod doctor;
mod eval;
mod jobs;
mod logs;
mod migrate;
mod outcome;
mod pause;
mod retry;
mod run;
mod scale;
mod show;
mod simulate;
mod submit;
mod swept;
mod up;
mod watch;
mod workers;

use crate::args::Command;
use crate::context::Context;
use crate::error::CliError;

/// Does what was asked for, and gives the exit code.
pub async fn execute(context: &Context, command: Command) -> Result<u8, CliError> {
    match command {
        // These have something to take down when they are interrupted, and see to it themselves.
        Command::Up(args) => up::execute(context, args).await,
        Command::Demo(args) => demo::execute(context, args).await,
        Command::Run(args) => run::execute(context, args).await,
        Command::Eval(args) => eval::execute(context, args).await,
        Command::Submit(args) => client(context, submit::execute(context, args)).await,
        Command::Jobs(args) => client(context, jobs::execute(context, args)).await,
        Command::Show(args) => client(context, show::execute(context, args)).await,
        Command::Logs(args) => client(context, logs::execute(context, args)).await,
        Command::Cancel(args) => client(context, cancel::execute(context, args)).await,
        Command::Dead(args) => client(context, dead::execute(context, args)).await,
        Command::Acknowledge(args) => client(context, acknowledge::execute(context, args)).await,
        Command::Retry(args) => client(context, retry::execute(context, args)).await,
        Command::Pause(args) => client(context, pause::pause(context, args)).await,
        Command::Resume(args) => client(context, pause::resume(context, args)).await,
        Command::Workers => client(context, workers::execute(context)).await,
        Command::Scale(args) => client(context, scale::execute(context, args)).await,
        Command::Costs => client(context, costs::execute(context)).await,
        Command::Budget(args) => client(context, budget::execute(context, args)).await,
        Command::Simulate(args) => client(context, simulate::execute(context, *args)).await,
        Command::Migrate => client(context, migrate::execute(context)).await,
        Command::Doctor => context.unless_interrupted(doctor::execute(context)).await,
        Command::Completions { shell } => completions::execute(shell).map(|()| 0),
    }
}

/// A command that an interruption may simply drop.
async fn client(context: &Context, work: impl Future<Output = Result<(), CliError>>) -> Result<u8, CliError> {
    context.unless_interrupted(work).await.map(|()| 0)
}
