//! The corpus itself: each case is one, and its rehearsal solves it.

// clippy.toml allows these in test functions; here the helpers around them are tests' code as well.
#![allow(clippy::unwrap_used, clippy::panic)]

mod by_hand;
mod cases;
mod folders;
mod rehearsed;
