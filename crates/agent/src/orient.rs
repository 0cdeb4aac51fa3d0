//! What stands in front of the model before it is asked for the first time: the tree, the failing test, the likely places, or
//! the changes under review.
//!
//! It is written to the journal as it was said, so that a resumed attempt says the same bytes and runs no test again.

use std::time::Duration;

use domain::Event;

use crate::clues::Clues;
use crate::conclusion::End;
use crate::likely;
use crate::ports::{CommandResult, Workspace, WorkspaceError};
use crate::prompt::{self, Known, Tried};
use crate::run::Wheel;
use crate::text::shown_within;

/// The first run of the test may take this part of the time that is left.
const TEST_SHARE: u32 = 4;
/// And no more than this.
const LONGEST_TEST: Duration = Duration::from_secs(60);
/// The most bytes of its output that the model is shown.
const TEST_BYTES: usize = 4_000;
/// The most bytes of excerpts, and of a diff.
const MOST_EXCERPTS: usize = 10_000;
const MOST_DIFF: usize = 60_000;

/// How many bytes of excerpts and of a diff a job with this token cap is shown: until the provider has counted them, a byte
/// may be a token.
fn room(tokens: u64) -> (usize, usize) {
    let share = |part: u64, most: usize| usize::try_from(tokens / part).unwrap_or(most).min(most);
    (share(8, MOST_EXCERPTS), share(3, MOST_DIFF))
}

impl Wheel<'_> {
    /// Says the first turn, unless an earlier attempt has.
    pub(crate) async fn orient(&mut self) -> Result<(), End> {
        if self.past.is_oriented() {
            return Ok(());
        }
        let began = self.ports.clock.now();
        let workspace = self.ports.workspace;
        let files = self.within(workspace.files(likely::FILES)).await?.map_err(broken)?;
        let tried = self.try_test().await?;
        let (excerpts, diff) = room(self.brief.caps.tokens);
        let near = match self.brief.changes {
            Some(_) => String::new(),
            None => {
                let said = tried.as_ref().map_or("", |tried| &tried.output);
                let command = self.brief.test_command.as_deref().unwrap_or_default();
                let clues = Clues::of([&self.brief.prompt, said, command]);
                let look = likely::excerpts(&clues, &files, workspace, excerpts);
                self.within(look).await?.map_err(End::Workspace)?
            }
        };
        let known = Known { files: &files, tried: tried.as_ref(), near: &near, diff_bytes: diff };
        let turn = workspace.hide(prompt::first_turn(&self.brief, &known));
        let event = Event::Oriented { turn, elapsed_ms: self.elapsed_ms(began) };
        self.ports.journal.append(std::slice::from_ref(&event)).await?;
        self.take_in(&[event]);
        Ok(())
    }

    /// Runs the test on the code as it is. What it leaves behind is taken away again: it is no part of the work.
    async fn try_test(&self) -> Result<Option<Tried>, End> {
        let Some(command) = self.brief.test_command.as_deref().filter(|_| !self.brief.task.is_read_only())
        else {
            return Ok(None);
        };
        let workspace = self.ports.workspace;
        let limit = (self.time_left()? / TEST_SHARE).min(LONGEST_TEST);
        let CommandResult { output, exit } = match self.within(workspace.run(command, limit)).await? {
            Ok(result) => result,
            Err(error) => return Err(broken(error)),
        };
        self.within(tidy(workspace)).await?.map_err(broken)?;
        Ok(Some(Tried { exit, limit, output: shown_within(&output, TEST_BYTES) }))
    }
}

/// What cannot be taken away stays, as it would after any command of the model.
async fn tidy(workspace: &dyn Workspace) -> Result<(), WorkspaceError> {
    let left = match workspace.diff().await {
        Ok(patch) if patch.is_empty() => return Ok(()),
        Ok(patch) => workspace.undo(&patch).await,
        Err(error) => Err(error),
    };
    match left {
        Err(WorkspaceError::Broken { message }) => Err(WorkspaceError::Broken { message }),
        Err(error) => {
            tracing::warn!(%error, "what the test left in the workspace stays there");
            Ok(())
        }
        Ok(()) => Ok(()),
    }
}

fn broken(error: WorkspaceError) -> End {
    match error {
        WorkspaceError::Broken { message } => End::Workspace(message),
        other => End::Workspace(other.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn small_jobs_are_shown_little() {
        assert_eq!(room(50_000), (6_250, 16_666));
        assert_eq!(room(200_000), (MOST_EXCERPTS, MOST_DIFF));
        assert_eq!(room(1_000), (125, 333));
    }
}
