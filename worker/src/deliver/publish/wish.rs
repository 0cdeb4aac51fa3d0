//! What a job wants done with its result, as far as it can be told without asking anybody. Pure.

use domain::{Delivery, NewJob, Task};
use forge::github::Rights;

/// Where the result is to go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wish {
    /// Nowhere but into the record.
    Record,
    /// Onto a branch.
    Branch,
    /// Onto a branch, and into a draft pull request.
    PullRequest,
    /// Into a review of this pull request.
    Review(u64),
}

impl Wish {
    /// What is wanted, or a sentence that says why it cannot be. `on_github`: the repository is one that the App may be asked for.
    pub fn of(job: &NewJob, on_github: bool) -> Result<Wish, String> {
        let pull = pull_of(job);
        if !job.task.is_read_only() {
            return match job.delivery {
                Some(Delivery::Patch) => Ok(Wish::Record),
                Some(Delivery::Branch) => Ok(Wish::Branch),
                None => Ok(if on_github { Wish::PullRequest } else { Wish::Record }),
                Some(Delivery::PullRequest) if on_github => Ok(Wish::PullRequest),
                Some(Delivery::PullRequest) => Err(NOT_GITHUB.to_owned()),
            };
        }
        match (job.delivery, pull) {
            (Some(Delivery::Branch), _) => Err(format!(
                "a {} has nothing to put onto a branch: ask for delivery patch, or leave it out",
                job.task
            )),
            (Some(Delivery::PullRequest), _) if job.task != Task::Review => Err(format!(
                "what a {} finds stays in the job's record: leave the delivery out, or ask for a review",
                job.task
            )),
            (Some(Delivery::PullRequest), _) if !on_github => Err(NOT_GITHUB.to_owned()),
            (Some(Delivery::PullRequest), None) => {
                Err("a review goes to a pull request: name it as the job's head, as in pull/12".to_owned())
            }
            (None | Some(Delivery::PullRequest), Some(number)) if on_github => Ok(Wish::Review(number)),
            _ => Ok(Wish::Record),
        }
    }

    /// What a token must allow for it, and no more.
    pub fn rights(self, job: &NewJob) -> Rights {
        match self {
            Wish::Record if pull_of(job).is_some() => Rights::ReadPulls,
            Wish::Record => Rights::Read,
            Wish::Branch => Rights::Push,
            Wish::PullRequest => Rights::PullRequest,
            Wish::Review(_) => Rights::Review,
        }
    }
}

const NOT_GITHUB: &str = "a pull request is wanted, and the repository is none that this worker's GitHub App may be asked for: name it as \
    https://HOST/OWNER/NAME without credentials, and set GITHUB_APP_ID and GITHUB_APP_PRIVATE_KEY; or ask for delivery branch or patch";

/// The pull request whose changes a review looks at.
pub fn pull_of(job: &NewJob) -> Option<u64> {
    let number = job.head.as_deref()?.strip_prefix("pull/")?;
    let is_plain = number.bytes().all(|byte| byte.is_ascii_digit()) && !number.starts_with('0');
    number.parse().ok().filter(|_| is_plain)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wish(task: Task, delivery: Option<Delivery>, head: Option<&str>, on_github: bool) -> Option<Wish> {
        let head = head.map(str::to_owned);
        Wish::of(&NewJob { delivery, head, ..NewJob::new(task, "/r", "p") }, on_github).ok()
    }

    #[test]
    fn a_result_goes_where_it_is_wanted_and_can() {
        use Delivery::{Branch, Patch, PullRequest};
        let fix = |delivery, on_github| wish(Task::BugFix, delivery, None, on_github);
        assert_eq!([fix(None, true), fix(None, false)], [Some(Wish::PullRequest), Some(Wish::Record)]);
        assert_eq!(
            [fix(Some(Patch), true), fix(Some(Branch), false)],
            [Some(Wish::Record), Some(Wish::Branch)]
        );
        assert_eq!(
            [fix(Some(PullRequest), true), fix(Some(PullRequest), false)],
            [Some(Wish::PullRequest), None]
        );

        let review = |delivery, head, on_github| wish(Task::Review, delivery, head, on_github);
        assert_eq!(review(None, Some("pull/7"), true), Some(Wish::Review(7)));
        assert_eq!(review(None, Some("pull/7"), false), Some(Wish::Record));
        assert_eq!(review(Some(Patch), Some("pull/7"), true), Some(Wish::Record));
        for other in ["feature", "pull/+7", "pull/07", "pull/", "pull/0"] {
            assert_eq!(review(None, Some(other), true), Some(Wish::Record), "{other}");
        }
        assert_eq!(review(Some(PullRequest), Some("feature"), true), None);
        assert_eq!(review(Some(Branch), None, true), None);
        assert_eq!(wish(Task::Analysis, Some(PullRequest), None, true), None);
        assert_eq!(wish(Task::Analysis, None, None, true), Some(Wish::Record));
    }

    #[test]
    fn who_publishes_nothing_may_write_nothing() {
        let job = NewJob::new(Task::Review, "/r", "p");
        assert_eq!(Wish::Record.rights(&job), Rights::Read);
        let pull = NewJob { head: Some("pull/7".into()), ..job };
        assert_eq!(Wish::Record.rights(&pull), Rights::ReadPulls);
        assert_eq!(Wish::Review(7).rights(&pull), Rights::Review);
    }
}
