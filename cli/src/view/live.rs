//! The live line at the foot of a terminal. Where standard error is no terminal there is none, only the lines above it.

use std::io::IsTerminal;
use std::time::Duration;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

/// A line that is drawn anew while work goes on, with the time since it was made at its end.
#[derive(Debug)]
pub struct Live {
    bar: Option<ProgressBar>,
    prefix: &'static str,
    write: fn(&str),
}

impl Live {
    /// A live line that begins with `prefix`. Lines that stay are written with `write`.
    pub fn new(prefix: &'static str, write: fn(&str)) -> Live {
        let bar = std::io::stderr().is_terminal().then(|| {
            let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr());
            if let Ok(style) = ProgressStyle::with_template("{spinner} {wide_msg}") {
                bar.set_style(style);
            }
            bar
        });
        Live { bar, prefix, write }
    }

    /// Shows how far the work is after `elapsed`.
    pub fn show(&self, progress: &str, elapsed: Duration) {
        if let Some(bar) = &self.bar {
            bar.set_message(format!("{}{progress} · {}s", self.prefix, elapsed.as_secs()));
            bar.tick();
        }
    }

    /// Writes a line that stays, above the live one.
    pub fn line(&self, text: &str) {
        match &self.bar {
            Some(bar) => bar.suspend(|| (self.write)(text)),
            None => (self.write)(text),
        }
    }
}

impl Drop for Live {
    fn drop(&mut self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }
}
