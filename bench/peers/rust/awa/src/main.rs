//! awa, as the bench's protocol asks for it: queue storage, which is what a fresh database gets.
//!
//! Its completions are batched by settings that it reads from the environment alone, so this program starts itself anew
//! with them before it starts a thread.

mod peer;

use std::os::unix::process::CommandExt;
use std::process::ExitCode;

fn main() -> ExitCode {
    let command = peer_shared::command();
    let wanted = peer::environment(&command);
    if wanted.iter().all(|(name, _)| std::env::var_os(name).is_some()) {
        return peer_shared::run::<peer::Awa>(command);
    }
    let Ok(program) = std::env::current_exe() else {
        eprintln!("error: cannot find this program's own file to start it anew");
        return ExitCode::FAILURE;
    };
    let error = std::process::Command::new(program).args(std::env::args_os().skip(1)).envs(wanted).exec();
    eprintln!("error: cannot start this program anew: {error}");
    ExitCode::FAILURE
}
