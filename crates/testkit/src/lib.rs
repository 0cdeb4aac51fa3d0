//! What tests share: a database of its own for each test, and a proxy that breaks connections on demand.
//!
//! Everything is the real thing: a real PostgreSQL server per test program, real connections. It panics on failure, because
//! a test that cannot be set up has failed.
#![allow(clippy::expect_used, clippy::unwrap_used, clippy::panic, missing_docs)]

mod database;
mod proxy;
mod server;

pub use database::{TestDatabase, job};
pub use proxy::{Proxy, Traffic};
pub use server::Server;
