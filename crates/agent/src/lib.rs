//! The agent loop: it asks a model, carries out the tools that the model calls, and stops at the caps.
//!
//! It knows no provider, no database and no GitHub: those stand behind [`Model`], [`Journal`] and [`Workspace`].

mod model;

pub use model::{Model, ModelError, Reply, Request, Stop, ToolSpec, Turn};
