//! The loop: one turn of the wheel carries out a waiting tool call or, when none waits, asks the model.
//!
//! What a turn does follows from the job's state alone, and each turn writes to the journal before the state changes.
//! So it does not matter where the last attempt died: the next one looks at the state and turns on.

use std::future::Future;
use std::time::Duration;

use domain::{Caps, Event, ExitReason, Task};
use tokio::sync::watch;
use tokio::time::Instant;

use crate::caps::Meter;
use crate::conclusion::{Conclusion, End};
use crate::ports::{Halt, Ports};
use crate::resume::Resumed;
use crate::{Changes, Model, ToolSpec, tools};

const IN_CIRCLES: &str =
    "the model repeated the same calls to no effect: say more exactly what to do, or use another model";
const SILENT: &str = "the model called no tool in three answers in a row: use another model";

/// A job, as far as the loop needs to know it.
#[derive(Clone, Debug)]
pub struct Brief {
    /// What kind of work it is. Decides the tools and the form of the result.
    pub task: Task,
    /// What to do, in a person's words.
    pub prompt: String,
    /// The command that the result will be held against.
    pub test_command: Option<String>,
    /// Of a review: what it looks at. None: the code as it is.
    pub changes: Option<Changes>,
    /// What the job may use.
    pub caps: Caps,
    /// When this attempt claimed the job: its time runs from here.
    pub started: Instant,
    /// The part of the time that is kept back for the delivery: nothing here runs past `started + caps.time` less this.
    pub delivery_reserve: Duration,
    /// Where the attempts before this one stopped.
    pub resumed: Resumed,
}

/// Works on a job until it is done, a cap is reached, or something stops it. Never fails: the conclusion says how it ended.
///
/// Dropping the future is safe at any point, as a crash would be; what was dropped in mid-call stays a reservation.
pub async fn run(brief: Brief, ports: Ports<'_>) -> Conclusion {
    let mut wheel = Wheel::new(brief, ports);
    let end = match wheel.orient().await {
        Err(end) => end,
        Ok(()) => loop {
            if let Err(end) = wheel.turn().await {
                break end;
            }
        },
    };
    wheel.conclude(&end)
}

/// The state of a run.
pub(crate) struct Wheel<'a> {
    pub brief: Brief,
    pub ports: Ports<'a>,
    /// Whom to ask: the ports' model, or one that took over from it.
    pub model: &'a dyn Model,
    pub tools: Vec<ToolSpec>,
    pub meter: Meter,
    pub past: Resumed,
    /// Model calls in a row whose answers were lost.
    pub losses: u32,
}

impl<'a> Wheel<'a> {
    fn new(mut brief: Brief, ports: Ports<'a>) -> Wheel<'a> {
        let meter = Meter::new(brief.caps, brief.started, brief.delivery_reserve);
        let mut past = std::mem::take(&mut brief.resumed);
        let model = ports.model;
        past.trust_counts_of(model.name());
        Wheel { tools: tools::specs(brief.task), brief, ports, model, meter, past, losses: 0 }
    }

    async fn turn(&mut self) -> Result<(), End> {
        if self.past.finished.is_some() {
            Err(End::Finished)
        } else if self.past.repeats.too_many() {
            Err(End::of_model(IN_CIRCLES))
        } else if self.past.is_silent() {
            Err(End::of_model(SILENT))
        } else if self.past.next_call().is_some() {
            self.carry_out().await
        } else {
            self.ask().await
        }
    }

    pub fn take_in(&mut self, events: &[Event]) {
        for event in events {
            self.past.apply(event);
        }
    }

    pub fn elapsed_ms(&self, since: Instant) -> u64 {
        let elapsed = self.ports.clock.now().saturating_duration_since(since);
        u64::try_from(elapsed.as_millis()).unwrap_or(u64::MAX)
    }

    /// How long the work may go on, unless the time is up or somebody says stop.
    pub fn time_left(&self) -> Result<Duration, End> {
        if let Some(reason) = self.ports.halt.borrow().clone() {
            return Err(End::Halted(reason));
        }
        Ok(self.meter.time_left(self.ports.clock.now())?)
    }

    /// Does `work`, and drops it where it stands when the time is up or somebody says stop.
    pub async fn within<T>(&self, work: impl Future<Output = T>) -> Result<T, End> {
        self.race(self.time_left()?, work).await
    }

    /// Does `work` for at most `left`, and drops it when somebody says stop.
    pub async fn race<T>(&self, left: Duration, work: impl Future<Output = T>) -> Result<T, End> {
        let mut halt = self.ports.halt.clone();
        tokio::select! {
            biased;
            done = tokio::time::timeout(left, work) => done.map_err(|_| End::Cap(ExitReason::TimeLimit)),
            reason = halted(&mut halt) => Err(End::Halted(reason)),
        }
    }

    fn conclude(self, end: &End) -> Conclusion {
        let spent = self.past.spent();
        let handed_in = self.past.handed_in(self.brief.task).unwrap_or_default();
        Conclusion {
            exit_reason: end.reason(),
            error: end.error(),
            failure: end.failure(),
            halt: if let End::Halted(halt) = end { Some(halt.clone()) } else { None },
            summary: handed_in.summary,
            report: handed_in.report,
            findings: handed_in.findings,
            model: self.past.model().map(String::from),
            steps: spent.calls,
            usage: self.past.usage,
            cost: spent.cost,
            diff: self.past.patch().map(String::from),
        }
    }
}

async fn halted(halt: &mut watch::Receiver<Option<Halt>>) -> Halt {
    if let Ok(reason) = halt.wait_for(Option::is_some).await
        && let Some(reason) = reason.clone()
    {
        return reason;
    }
    std::future::pending().await
}
