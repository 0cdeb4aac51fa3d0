//! When a submitted job's turn comes, as the command line says it.

use std::time::Duration;

use clap::Args;
use domain::{JobId, Queueing};
use jiff::Timestamp;

use super::dead::span;
use crate::error::CliError;

/// When its turn comes.
#[derive(Debug, Args)]
#[command(next_help_heading = "Its turn")]
pub struct QueueingArgs {
    /// A job that must have succeeded first: its id, or the first characters of it. May be given up to 100 times
    #[arg(long, value_name = "ID")]
    pub after: Vec<String>,
    /// 0 to 9: jobs of a higher priority go first
    #[arg(long, value_name = "N", default_value_t = 0, value_parser = clap::value_parser!(u8).range(0..=9))]
    priority: u8,
    /// Not before this time, such as 2030-01-31T08:00:00Z or 2030-01-31T08:00:00+01:00
    #[arg(long, value_name = "TIME")]
    at: Option<Timestamp>,
    /// Not before so long from now, such as 30m, 12h or 7d
    #[arg(long = "in", value_name = "SPAN", value_parser = span, conflicts_with = "at")]
    after_span: Option<Duration>,
    /// The name of what must not be worked on twice at once, such as a repository and its branch
    #[arg(long, value_name = "KEY")]
    group: Option<String>,
    /// At most this many jobs of the group run at a time [default: 1]
    #[arg(long, value_name = "N", requires = "group", value_parser = clap::value_parser!(u16).range(1..=1000))]
    group_limit: Option<u16>,
}

impl QueueingArgs {
    /// The same for the queue, with `after` as the database knows those jobs, and spans reckoned from `now`.
    pub fn queueing(&self, after: Vec<JobId>, now: Timestamp) -> Result<Queueing, CliError> {
        let from_now = |span: Duration| {
            now.checked_add(span).map_err(|_| {
                CliError::Usage("--in is further away than any calendar goes: give a shorter span".into())
            })
        };
        Ok(Queueing {
            priority: self.priority,
            run_at: self.at.map_or_else(|| self.after_span.map(from_now).transpose(), |at| Ok(Some(at)))?,
            after,
            group_key: self.group.clone(),
            group_limit: self.group_limit,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::Parser;

    #[derive(Parser)]
    struct Command {
        #[command(flatten)]
        args: QueueingArgs,
    }

    fn parsed(line: &[&str]) -> Result<Queueing, clap::Error> {
        let now: Timestamp = "2030-01-31T08:00:00Z".parse().unwrap();
        let command = Command::try_parse_from(["submit"].iter().chain(line))?;
        Ok(command.args.queueing(Vec::new(), now).unwrap())
    }

    #[test]
    fn a_span_is_reckoned_from_now_and_a_time_is_taken_as_it_is() {
        let expected = "2030-01-31T08:10:00Z".parse().ok();
        assert_eq!(parsed(&["--in", "10m"]).unwrap().run_at, expected);
        assert_eq!(parsed(&["--at", "2030-01-31T09:10:00+01:00"]).unwrap().run_at, expected);
        assert_eq!(parsed(&[]).unwrap(), Queueing::default());
    }

    #[test]
    fn what_contradicts_itself_is_refused() {
        for line in [
            &["--in", "10m", "--at", "2030-01-31T09:10:00Z"][..],
            &["--priority", "10"],
            &["--priority", "-1"],
            &["--group-limit", "2"],
            &["--group", "x", "--group-limit", "0"],
            &["--at", "tomorrow"],
        ] {
            assert!(parsed(line).is_err(), "{line:?}");
        }
    }
}
