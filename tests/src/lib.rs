//! A team under test: the real programs, a real PostgreSQL, real repositories, and a model's stand-in behind the same URL
//! setting that users have.
//!
//! `script/test` builds the programs first; they are found beside the test programs.
#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used, clippy::panic)]

pub mod aws;
mod books;
mod command_line;
mod ecs_agent;
pub mod github;
mod model_server;
mod process;
mod repo;
mod team;
mod toolchain;

pub use books::Counted;
pub use command_line::{CommandLine, Said, Staying, is_empty};
pub use ecs_agent::{Agrees, CONTAINER, EcsAgent};
pub use model_server::{ModelServer, Say, say, tool};
pub use process::{Program, program};
pub use repo::Repo;
pub use team::{PATIENCE, Team};
pub use toolchain::path_for_commands;
