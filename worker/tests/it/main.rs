//! The worker as a process: on ECS, where its task is protected while it works, and under a health check.
#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod health;
mod protection;
