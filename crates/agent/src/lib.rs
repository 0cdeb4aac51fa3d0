//! The agent loop: it asks a model, carries out the tools that the model calls, and stops at the caps.
//!
//! It knows no provider, no database and no GitHub: those stand behind [`Model`], [`Journal`] and [`Workspace`].

mod act;
mod ask;
mod caps;
mod changes;
mod clues;
mod conclusion;
mod likely;
mod losses;
mod model;
mod open;
mod orient;
mod ports;
mod prompt;
mod references;
mod repeats;
mod resume;
mod run;
mod takeover;
mod text;
mod tools;

pub use caps::Spent;
pub use changes::Changes;
pub use conclusion::Conclusion;
pub use model::{Model, ModelError, Reply, Request, Stop, ToolSpec, Turn};
pub use ports::{
    Billing, Clock, CommandResult, Exit, Halt, Journal, Monotonic, Ports, Workspace, WorkspaceError,
};
pub use references::{Checked, check_references};
pub use resume::Resumed;
pub use run::{Brief, run};
pub use tools::line_count;
