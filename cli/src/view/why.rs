//! Why a job stands where it stands, in a sentence.

use domain::{ExitReason, JobId, JobState, Outcome};
use jiff::Timestamp;
use store::{BudgetStop, JobRow, Waiting};

use super::text::{one_line, short};

/// The sentence.
pub fn why(job: &JobRow) -> String {
    match job.state {
        JobState::Queued => waits(job),
        JobState::Cancelled if job.error.is_some() => {
            "a job that it was to come after did not succeed".into()
        }
        JobState::Running if job.cancel_requested => "its worker is being told to stop".into(),
        JobState::Running => "a worker is at it".into(),
        _ => ended(job.exit_reason.unwrap_or(ExitReason::Finished), job.outcome.unwrap_or(Outcome::None)),
    }
}

fn waits(job: &JobRow) -> String {
    let next = if job.attempt.0 == 0 { "it waits" } else { "its next attempt waits" };
    match &job.waiting {
        Some(Waiting::Jobs { awaited }) => format!("{next} until {} succeeded", all_have(awaited)),
        Some(Waiting::Time) if job.run_at > Timestamp::now() => format!("{next} until {:.0}", job.run_at),
        _ if job.paused => {
            format!("{} is paused: `codeteam resume {}` lets it go on", job.mode, job.mode)
        }
        waiting => match (job.budget_stop, waiting) {
            (Some(stop), _) => stopped(stop),
            (None, Some(Waiting::Group { key, running })) if !running.is_empty() => {
                let key = one_line(key, 200);
                format!("{next} for room in its group {key}, in which {} at work", all_are(running))
            }
            (None, _) => format!("{next} for a worker"),
        },
    }
}

fn all_have(jobs: &[JobId]) -> String {
    format!("{} {}", named(jobs), if jobs.len() == 1 { "has" } else { "have all" })
}

fn all_are(jobs: &[JobId]) -> String {
    format!("{} {}", named(jobs), if jobs.len() == 1 { "is" } else { "are" })
}

/// The first of them by name, and how many more.
fn named(jobs: &[JobId]) -> String {
    let names: Vec<String> = jobs.iter().take(5).map(short).collect();
    let more = match jobs.len().saturating_sub(names.len()) {
        0 => String::new(),
        more => format!(" and {more} more"),
    };
    let what = if jobs.len() == 1 { "job" } else { "jobs" };
    format!("{what} {}{more}", names.join(", "))
}

fn stopped(stop: BudgetStop) -> String {
    let (of, flag) = if stop.all { ("all repositories", "--all") } else { ("its repository", "--repo") };
    format!(
        "waits: the budget of {of} is spent; it opens {}, and `codeteam budget set {flag} ...` raises it",
        opens(stop.opens_at)
    )
}

/// When a spent budget has room again.
pub fn opens(at: Option<Timestamp>) -> String {
    at.map_or_else(|| "when it is raised".into(), |at| at.strftime("at %Y-%m-%d %H:%M UTC").to_string())
}

fn ended(reason: ExitReason, outcome: Outcome) -> String {
    let because = match reason {
        ExitReason::Finished => "the model said that it was done",
        ExitReason::StepCap => "it had used up its model calls (--step-cap)",
        ExitReason::TokenCap => "it had used up its tokens (--token-cap)",
        ExitReason::TimeLimit => "it had used up its time (--time-limit-ms)",
        ExitReason::CostCap => "it had used up its money (--cost-cap)",
        ExitReason::Cancelled => return "a person ended it".into(),
        ExitReason::Interrupted => "it was interrupted",
        ExitReason::ModelError => "the model could not be asked",
        ExitReason::SandboxError => "its commands could not be run in a sandbox",
        ExitReason::DeliveryError => "its code could not be fetched, or its result not be handed over",
        ExitReason::LostWorker => "its workers fell silent",
    };
    let so = match outcome {
        Outcome::Verified => ", and the test command passed in a clean checkout",
        Outcome::Unverified => ", and there was no test command to hold its result against",
        Outcome::Failed => ", and its result did not pass the test command in a clean checkout",
        Outcome::None => "",
    };
    format!("{because}{so}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_end_is_explained_by_its_reason_and_its_outcome() {
        assert_eq!(
            ended(ExitReason::StepCap, Outcome::Verified),
            "it had used up its model calls (--step-cap), and the test command passed in a clean checkout"
        );
        assert_eq!(ended(ExitReason::ModelError, Outcome::None), "the model could not be asked");
    }

    #[test]
    fn jobs_that_are_waited_for_are_named() {
        let id = |n: u128| JobId(uuid::Uuid::from_u128(n << 96));
        assert_eq!(all_have(&[id(1)]), "job 00000001 has");
        assert_eq!(all_are(&[id(1), id(2)]), "jobs 00000001, 00000002 are");
        let many: Vec<JobId> = (1..=7).map(id).collect();
        assert!(named(&many).ends_with("00000005 and 2 more"), "{}", named(&many));
    }

    #[test]
    fn a_job_that_waits_for_a_budget_says_which_and_until_when() {
        let opens_at = Some("2026-11-23T00:00:00Z".parse().unwrap());
        assert_eq!(
            stopped(BudgetStop { all: false, opens_at }),
            "waits: the budget of its repository is spent; it opens at 2026-11-23 00:00 UTC, and `codeteam budget set --repo \
             ...` raises it"
        );
        assert!(stopped(BudgetStop { all: true, opens_at: None }).contains("it opens when it is raised"));
    }
}
