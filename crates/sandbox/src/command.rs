//! What is run and what became of it.

use std::path::Path;
use std::time::Duration;

/// A shell command that nobody trusts.
#[derive(Clone, Copy, Debug)]
pub struct Command<'a> {
    /// What `bash -c` (or `sh -c` where there is no bash) gets. At most 120,000 bytes.
    pub shell: &'a str,
    /// The workspace: the folder that it starts in, and the only one besides private temporary ones that it may write to.
    pub dir: &'a Path,
    /// How long it may run. Then everything that it started is killed.
    pub timeout: Duration,
    /// The most bytes of its output that are kept: the head and the tail, half each.
    pub output_limit: usize,
    /// Variables beside PATH, HOME, TMPDIR, LANG, TERM, CI and where tools are; they win over those. Nothing secret: the command sees them.
    pub env: &'a [(String, String)],
}

/// How a command ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// By itself, with this exit code, 0 to 255.
    Exited(i32),
    /// By this signal.
    Signalled(i32),
    /// Killed at its timeout.
    TimedOut,
    /// Killed because it printed more than [`crate::Limits::output`] bytes.
    Flooded,
    /// Killed because its workspace held more than [`crate::Limits::disk`] bytes or [`crate::Limits::inodes`] files, or
    /// because the disk had next to nothing left.
    Overfull,
}

/// A command that had a way to the network.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Connected {
    /// What became of it.
    pub finished: Finished,
    /// Where it wanted to go and was not let, each with the reason, at most twenty.
    pub refused: Vec<String>,
}

/// A command that has ended, with everything that it started.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finished {
    /// How it ended.
    pub end: End,
    /// Standard output and error as they came, fit to show: invalid UTF-8 and control characters are replaced by
    /// U+FFFD, carriage returns by newlines. At most the limit long, save for one line that says how much was left out.
    pub output: String,
    /// Bytes that it printed, kept or not.
    pub output_bytes: u64,
    /// From its start until nothing of it was left.
    pub elapsed: Duration,
}
