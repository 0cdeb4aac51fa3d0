//! Runs a shell command in the workspace. An exit code other than 0 counts as an error, so that repeating it is noticed.

use std::time::Duration;

use super::{Answer, Input, ToolError, schema};
use crate::ToolSpec;
use crate::ports::{CommandResult, Exit, Workspace};
use crate::text::shown;

pub(super) const NAME: &str = "bash";
/// The most bytes of a command: the system takes about 128 KiB as one argument.
const COMMAND_BYTES: usize = 100_000;

pub(super) fn spec() -> ToolSpec {
    ToolSpec {
        name: NAME,
        description: "Run a shell command. You get its exit code and output; long output keeps its head and tail.",
        schema: schema(&[("command", "string", false)]),
    }
}

pub(super) async fn run(
    input: Input<'_>,
    workspace: &dyn Workspace,
    limit: Duration,
) -> Result<Answer, ToolError> {
    let command = input.text("command")?;
    if command.trim().is_empty() {
        return Err(ToolError::Told("bash: the command is empty: give one".to_owned()));
    }
    if command.len() > COMMAND_BYTES {
        let told = format!(
            "bash: the command has {} bytes; at most {COMMAND_BYTES} are taken: write long text with edit",
            command.len()
        );
        return Err(told.into());
    }
    if command.contains('\0') {
        return Err(ToolError::Told("bash: the command holds a NUL byte: remove it".to_owned()));
    }
    let result = workspace.run(command, limit).await?;
    Ok(Answer { output: words(&result, limit), is_error: result.exit != Exit::Code(0), may_change: true })
}

fn words(result: &CommandResult, limit: Duration) -> String {
    let exit = match result.exit {
        Exit::Code(code) => format!("exit code {code}"),
        Exit::Signal(signal) => format!("killed by signal {signal}"),
        Exit::TimedOut => {
            format!("killed: it ran longer than the {} s that it may take now", limit.as_secs_f32().round())
        }
    };
    let output = shown(&result.output);
    if output.trim().is_empty() { format!("{exit}\n(no output)") } else { format!("{exit}\n{output}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_end_of_a_command_has_its_words() {
        let of = |exit, output: &[u8]| {
            words(&CommandResult { output: output.to_vec(), exit }, Duration::from_secs(25))
        };
        assert_eq!(of(Exit::Code(2), b"oh\n"), "exit code 2\noh\n");
        assert_eq!(of(Exit::Signal(9), b""), "killed by signal 9\n(no output)");
        let timed_out = "killed: it ran longer than the 25 s that it may take now\n...";
        assert_eq!(of(Exit::TimedOut, b"..."), timed_out);
    }
}
