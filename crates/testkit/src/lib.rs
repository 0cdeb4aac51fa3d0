//! What tests share: a database of its own for each test, a proxy that breaks connections on demand, and a
//! connection pooler.
//!
//! Everything is the real thing: a real PostgreSQL server per test program, real connections. It panics on failure, because
//! a test that cannot be set up has failed.
#![allow(clippy::expect_used, clippy::unwrap_used, clippy::panic, missing_docs)]

mod database;
mod pooler;
mod proxy;
mod server;

pub use database::{TestDatabase, job};
pub use pooler::Pooler;
pub use proxy::{Proxy, Traffic};
pub use server::Server;
