//! One tool call: carried out, remarked upon, written down with what it changed.

use domain::Event;

use crate::conclusion::End;
use crate::ports::WorkspaceError;
use crate::repeats::REMARK;
use crate::run::Wheel;
use crate::tools::{self, Bounds};

impl Wheel<'_> {
    /// Carries the next tool call out. Its answer and what it changed are written together, so that a checkpoint holds
    /// exactly what the answered calls did.
    pub(crate) async fn carry_out(&mut self) -> Result<(), End> {
        let Some((call, is_last)) = self.past.next_call() else { return Ok(()) };
        let call = call.clone();
        let began = self.ports.clock.now();
        let command = self.meter.command_limit(began)?;
        let context = self.past.known().map_or(0, |known| known.1);
        let looks_up = !self.past.was_refused() && !self.meter.is_nearly_out(self.past.spent(), context);
        let bounds = Bounds { command, looks_up };
        let (task, workspace) = (self.brief.task, self.ports.workspace);
        let answer = self.within(tools::carry_out(task, &call, workspace, bounds)).await?;
        let elapsed_ms = self.elapsed_ms(began);
        let tools::Answer { mut output, is_error, may_change } = answer.map_err(End::Workspace)?;
        output = workspace.hide(output);
        let mut remarks: Vec<String> =
            self.past.repeats.remark(&call, &output, is_error).map(String::from).into_iter().collect();
        let mut checkpoint = None;
        if may_change {
            match self.within(workspace.diff()).await? {
                Ok(patch) if patch != self.past.patch().unwrap_or_default() => {
                    checkpoint = Some(Event::Checkpoint { step: self.past.last_step, patch });
                }
                Ok(_) => {}
                Err(WorkspaceError::Broken { message }) => return Err(End::Workspace(message)),
                Err(error) => {
                    remarks.push(format!("This change cannot be kept: {error}. Undo what is too much."))
                }
            }
        }
        let context = context + output.len() as u64 / 3;
        if is_last && call.name != tools::FINISH && self.meter.is_nearly_out(self.past.spent(), context) {
            remarks.push("Your next call may be the last: finish with what you have.".to_owned());
        }
        for remark in remarks {
            output = output + REMARK + &remark;
        }
        let kept_ms = self.elapsed_ms(began) - elapsed_ms;
        tracing::debug!(step = self.past.last_step, is_error, elapsed_ms, kept_ms, "tool ran");
        let (step, call_id, name) = (self.past.last_step, call.id, call.name);
        let mut events = vec![Event::ToolRan { step, call_id, name, output, is_error, elapsed_ms }];
        events.extend(checkpoint);
        self.ports.journal.append(&events).await?;
        self.take_in(&events);
        Ok(())
    }
}
