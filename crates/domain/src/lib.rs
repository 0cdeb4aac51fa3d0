//! The words of the system and their rules: ids, modes, tasks, states, caps, money, usage, events.
//!
//! Plain data. Nothing here does I/O, is async, or reads a clock, so every other crate may depend on it.

mod caps;
mod changes;
mod event;
mod failure;
mod ids;
mod job;
mod model_name;
mod money;
mod names;
mod protocol;
mod queueing;
mod review;
mod text;
mod usage;
mod verdict;

pub use caps::{Caps, CapsOverride};
pub use changes::{Change, JobChanges};
pub use event::{Event, EventRecord, ToolCall};
pub use failure::{Failure, LONGEST_PAUSE, Retry};
pub use ids::{Attempt, JobId, WorkerId};
pub use job::{InvalidJob, NewJob, limits};
pub use model_name::family;
pub use money::{Money, Price};
pub use names::{Delivery, ExitReason, JobState, Mode, Outcome, Severity, Task, UnknownName};
pub use protocol::Protocol;
pub use queueing::Queueing;
pub use review::Finding;
pub use text::{clean, head_and_tail};
pub use usage::Usage;
pub use verdict::state_after;
