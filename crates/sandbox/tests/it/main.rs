//! The sandbox against real commands, at every level that this machine allows.

#![allow(clippy::unwrap_used, clippy::panic)] // in helpers of tests, a panic is the message

mod attacks;
mod common;
mod confinement;
mod connected;
mod files;
mod lifetime;
mod output;
mod refusals;
mod running;
mod sockets;
mod unprivileged;
