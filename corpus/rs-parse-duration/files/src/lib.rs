//! Spans of time in settings.

use std::time::Duration;

/// Reads a span: whole seconds.
pub fn parse(text: &str) -> Result<Duration, String> {
    let seconds: u64 = text.parse().map_err(|_| format!("{text:?} is no span: write whole seconds"))?;
    Ok(Duration::from_secs(seconds))
}

#[cfg(test)]
mod tests;
