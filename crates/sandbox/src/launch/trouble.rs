//! What went wrong inside the launcher: a sentence that travels to the caller.

use std::fmt;

/// A step and why it failed.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct Trouble(String);

impl Trouble {
    /// In full words.
    pub fn new(words: impl Into<String>) -> Trouble {
        Trouble(words.into())
    }
}

/// Says during which step something failed.
pub trait During<T> {
    /// `step` reads as what was being done: "mounting /proc".
    fn during(self, step: &str) -> Result<T, Trouble>;
}

impl<T, E: fmt::Display> During<T> for Result<T, E> {
    fn during(self, step: &str) -> Result<T, Trouble> {
        self.map_err(|error| Trouble(format!("{step} failed: {error}")))
    }
}
