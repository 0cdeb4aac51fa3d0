//! The two streams. A reader that went away (`| head`) is no error of ours: what it does not want to read is dropped.

use std::io::{IsTerminal, Write, stderr, stdout};

use serde::Serialize;

/// Writes to standard output as it is; false once nobody reads.
pub fn raw(text: &str) -> bool {
    let mut stdout = stdout().lock();
    stdout.write_all(text.as_bytes()).and_then(|()| stdout.flush()).is_ok()
}

/// Writes a line to standard output; false once nobody reads.
pub fn line(text: &str) -> bool {
    raw(&format!("{text}\n"))
}

/// Writes a value as JSON: readable at a terminal, one line for a program. False once nobody reads.
pub fn json(value: &impl Serialize) -> bool {
    let text =
        if stdout_is_terminal() { serde_json::to_string_pretty(value) } else { serde_json::to_string(value) };
    // Every value given here has string keys and no foreign serialiser, so there is no error to report.
    text.is_ok_and(|text| line(&text))
}

/// Writes a line to standard error.
pub fn note(text: &str) {
    _ = writeln!(stderr().lock(), "{text}");
}

/// Whether a person reads standard output.
pub fn stdout_is_terminal() -> bool {
    stdout().is_terminal()
}

/// Whether standard output takes colours.
pub fn stdout_takes_colour() -> bool {
    stdout_is_terminal() && std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty())
}
