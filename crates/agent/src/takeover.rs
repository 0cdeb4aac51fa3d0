//! Another model takes over: between two calls, with the conversation as it stands, bounds and a reservation of its own.

use domain::Event;

use crate::conclusion::End;
use crate::run::Wheel;
use crate::{Model, ModelError};

/// So many answers lost in a row are taken for the provider's trouble. One alone may have been the network's.
const TROUBLE: u32 = 2;
const GOES_ON: &str = "the worker that goes on with the job asks another model";

impl<'a> Wheel<'a> {
    /// Writes down that another model is asked than before, or than was named. Nothing when there is nothing to say.
    pub(crate) async fn announce(&mut self) -> Result<(), End> {
        let stands_in = self.model.stands_in_for();
        let (from, why) = match (self.past.model(), stands_in) {
            (Some(last), stands_in) if self.past.asked_another_than(self.model.name()) => {
                (last.to_owned(), stands_in.map_or_else(|| GOES_ON.to_owned(), |(_, why)| why))
            }
            (None, Some((named, why))) => (named.to_owned(), why),
            _ => return Ok(()),
        };
        self.write_change(from, self.model, why).await
    }

    /// The model to ask after `error`, if there is one and it may do better.
    pub(crate) fn next_after(&self, error: &ModelError, end: &End) -> Option<&'a dyn Model> {
        let may_help = match error {
            ModelError::Unavailable { billed: true, .. } | ModelError::Malformed { .. } => {
                self.losses + 1 >= TROUBLE
            }
            ModelError::Unavailable { .. }
            | ModelError::TimedOut { .. }
            | ModelError::OutOfMoney { .. }
            | ModelError::Refused { .. } => true,
        };
        let model = self.model;
        if may_help && matches!(end, End::Model { .. }) { model.next() } else { None }
    }

    /// Lets `next` take over after call number `step`, which ended as `end` says and is closed.
    pub(crate) async fn change_to(&mut self, next: &'a dyn Model, step: u32, end: End) -> Result<(), End> {
        let from = self.model.name().to_owned();
        let mut why = end.error().unwrap_or_default();
        if let Some((_, reason)) = next.stands_in_for() {
            why = format!("{why}; {reason}");
        }
        tracing::warn!(from, to = next.name(), why, "another model takes over");
        self.past.skip(step);
        self.past.trust_counts_of(next.name());
        self.losses = 0;
        self.model = next;
        self.write_change(from, next, why).await
    }

    async fn write_change(&mut self, from: String, to: &dyn Model, why: String) -> Result<(), End> {
        let changed = [Event::ModelChanged { from, to: to.name().to_owned(), why }];
        self.ports.journal.append(&changed).await?;
        self.take_in(&changed);
        Ok(())
    }
}
