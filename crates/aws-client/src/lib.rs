//! What all calls to AWS have in common: settings, time-outs, TLS, and what an error is to a person and to the program.

mod client;
mod codes;
mod errors;
mod facts;
#[cfg(test)]
mod tests;

pub use client::{Aws, Patience};
pub use errors::{About, AwsError, Kind, classify};
pub use facts::Facts;
