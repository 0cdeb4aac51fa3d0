//! Brings a result to where people look: a branch, a draft pull request, a review. The record has it in any case.
//!
//! Everything is looked for before it is made, so that an attempt that was killed between two steps is followed by one that finds what
//! is there.

mod target;
mod text;
mod wish;

use std::borrow::Cow;
use std::time::Duration;

use domain::{Delivery as Kind, Event, ExitReason, Finding, JobState, Outcome, state_after};
use forge::github::{Access, NewPull, NewReview};
use forge::{Author, BaseNow, ForgeError, Publication, Source};

use tokio::time::{Instant, timeout_at};

pub use target::Target;
pub use text::Effort;

use super::Delivery;
use crate::end::End;
use text::Told;
use wish::Wish;

/// How long the look at where the base has gone may take.
const LOOK: Duration = Duration::from_secs(5);
/// How long the comment that only points to a review may take.
const POINTER: Duration = Duration::from_secs(5);

/// Brings what `end` has to where the job wants it; gives the end with the events that tell of it.
pub async fn publish(delivery: Delivery<'_>, effort: &Effort, end: End) -> Result<End, End> {
    let End::Done { outcome, reason, error, mut events } = end else { return Ok(end) };
    let published = match events.iter().find(|event| matches!(event, Event::Delivered { .. })) {
        Some(Event::Delivered { diff: Some(diff), summary, .. }) => {
            let told = Told {
                id: delivery.claimed.claim.job,
                job: &delivery.claimed.job,
                outcome,
                reason,
                error: error.as_deref(),
                summary: &hidden(delivery, summary),
                verified: events.iter().find(|event| matches!(event, Event::Verified { .. })),
                commit: delivery.place.mirror.commit(),
                effort,
            };
            patch(delivery, &told, diff).await
        }
        // The report of a review is the page with all of its findings, which have their own places there.
        Some(Event::Delivered { summary, findings, .. }) => review(delivery, summary, findings, effort).await,
        _ => return Ok(End::Done { outcome, reason, error, events }),
    };
    match published {
        Ok(told) => {
            // The result is the last word.
            let last = events.len().saturating_sub(1);
            events.splice(last..last, told);
            Ok(End::Done { outcome, reason, error, events })
        }
        // Its time is up: another attempt would have no more of it.
        Err(failure) if failure.is_permanent() || is_too_slow(&failure) => {
            let missed = format!(
                "the result is in the job's record, and could not be brought where it was wanted: {}",
                service::exit::one_line(&failure)
            );
            // What went wrong before is told first. A job that would be a success by it is none.
            let is_cut =
                reason != ExitReason::Finished && state_after(outcome, reason) != JobState::Succeeded;
            let reason = if is_cut { reason } else { ExitReason::DeliveryError };
            let error = match error.filter(|_| is_cut) {
                Some(error) => format!("{error}; {missed}"),
                None => missed,
            };
            Ok(End::Done { outcome, reason, error: Some(error), events })
        }
        // Should no other attempt get it there, the record has it.
        Err(failure) => match failure.into() {
            End::Failed { failure, error, .. } => Err(End::Failed { failure, error, events }),
            other => Err(other),
        },
    }
}

/// Whether an end tells of something that stands elsewhere.
fn is_published(end: &End) -> bool {
    matches!(end, End::Done { events, .. } if events.iter().any(|event| matches!(event, Event::Published { .. })))
}

fn is_too_slow(error: &ForgeError) -> bool {
    use forge::github::GitHubError;
    matches!(error, ForgeError::TimedOut { .. } | ForgeError::GitHub(GitHubError::TimedOut { .. }))
}

fn hidden<'a>(delivery: Delivery<'_>, text: &'a str) -> Cow<'a, str> {
    delivery.worker.redaction.apply(text)
}

/// Puts a patch onto a branch, and a pull request on top where it is wanted.
async fn patch(delivery: Delivery<'_>, told: &Told<'_>, diff: &str) -> Result<Vec<Event>, ForgeError> {
    let Delivery { worker, claimed, place, target, deadline, .. } = delivery;
    let is_asked_for = claimed.job.delivery.is_some();
    if target.wish == Wish::Record || (told.outcome == Outcome::Failed && !is_asked_for) {
        return Ok(Vec::new());
    }
    let branch = format!("codeteam/job-{}", told.id);
    if matches!(hidden(delivery, diff), Cow::Owned(_)) {
        let detail = "the patch holds one of the worker's secrets".to_owned();
        // The job's own words for it may hold a credential.
        let repo = Source::parse(&claimed.job.repo)?.address().to_owned();
        return Err(ForgeError::PushRefused { repo, branch, detail });
    }
    let author = author(delivery).await?;
    let (message, mark) = (hidden(delivery, &told.message()).into_owned(), text::trailer(told.id));
    let publication =
        Publication { patch: diff, message: &message, mark: &mark, author: &author, branch: &branch };
    let pushed = match &target.access {
        Some(access) => {
            if text::touches_workflows(diff) {
                access.allow_workflows(deadline).await?;
            }
            access
                .with_source(deadline, async |source| {
                    place.mirror.publish(source, &publication, deadline).await
                })
                .await
        }
        None => place.mirror.publish(&Source::parse(&claimed.job.repo)?, &publication, deadline).await,
    };
    match pushed {
        Ok(commit) => tracing::info!(job = %told.id, %branch, %commit, "the branch is pushed"),
        // Why it failed, too; that was said already.
        Err(ForgeError::PatchDoesNotApply { .. }) if told.outcome == Outcome::Failed => return Ok(Vec::new()),
        Err(error) => return Err(error),
    }
    match (&target.access, target.wish) {
        (Some(access), Wish::PullRequest) => pull_request(delivery, access, told, diff, &branch).await,
        (Some(access), _) => {
            Ok(vec![Event::Published { delivery: Kind::Branch, url: access.branch_page(&branch) }])
        }
        (None, _) => Ok(vec![Event::Published { delivery: Kind::Branch, url: branch }]),
    }
    .inspect(|_| tracing::debug!(worker = %worker.id, job = %told.id, "published"))
}

async fn pull_request(
    delivery: Delivery<'_>,
    access: &Access,
    told: &Told<'_>,
    diff: &str,
    branch: &str,
) -> Result<Vec<Event>, ForgeError> {
    let Delivery { claimed, place, deadline, .. } = delivery;
    let base = claimed.job.base.as_deref();
    let soon = deadline.min(Instant::now() + LOOK);
    let look = access.with_source(soon, async |source| place.mirror.base_now(source, base, diff, soon).await);
    let now = match timeout_at(soon, look).await {
        Ok(Ok(now)) => now,
        // What was only to be told with it does not cost the pull request.
        missed => {
            let why = missed.map(|answer| answer.err());
            tracing::warn!(job = %told.id, ?why, "where the base is by now could not be seen");
            BaseNow { branch: base.and_then(text::branch_named).map(str::to_owned), applies: true }
        }
    };
    let base = match now.branch {
        Some(branch) => branch,
        None => access.default_branch(deadline).await?,
    };
    let (title, body) = (told.title(), told.body(!now.applies));
    let new = NewPull {
        title: &hidden(delivery, &title),
        body: &hidden(delivery, &body),
        head: branch,
        base: &base,
        // What fails is never offered as ready.
        or_ready: told.outcome != Outcome::Failed,
    };
    let opened = access.open_pull(&new, deadline).await?;
    Ok(vec![Event::Published { delivery: Kind::PullRequest, url: opened.url }])
}

/// Writes a review of the pull request under review.
async fn review(
    delivery: Delivery<'_>,
    summary: &str,
    findings: &[Finding],
    effort: &Effort,
) -> Result<Vec<Event>, ForgeError> {
    let Delivery { worker, claimed, place, target, deadline, .. } = delivery;
    let (Wish::Review(number), Some(access)) = (target.wish, &target.access) else { return Ok(Vec::new()) };
    let job = claimed.claim.job;
    let anchored: Vec<&Finding> = findings.iter().filter(|finding| finding.anchored).collect();
    let remarks: Vec<_> = anchored
        .iter()
        .map(|finding| {
            let mut remark = text::remark(finding);
            remark.body = hidden(delivery, &remark.body).into_owned();
            remark
        })
        .collect();
    let body = |refused: &[usize]| {
        let refused = refused.iter().filter_map(|&index| anchored.get(index).copied());
        let homeless: Vec<&Finding> =
            refused.chain(findings.iter().filter(|finding| !finding.anchored)).collect();
        worker.redaction.apply(&text::review(job, summary, findings, &homeless, effort)).into_owned()
    };
    let mark = text::mark(job);
    let new = NewReview { commit: place.mirror.commit(), mark: &mark, remarks: &remarks };
    let posted = access.review(number, &new, body, deadline).await?;
    let soon = deadline.min(Instant::now() + POINTER);
    target.say(worker, job, &text::reviewed(findings, &posted.url), soon).await;
    Ok(vec![Event::Published { delivery: Kind::PullRequest, url: posted.url }])
}

/// Who the commit is by: as the settings say, else the App, else the team.
async fn author(delivery: Delivery<'_>) -> Result<Author, ForgeError> {
    let Delivery { worker, target, deadline, .. } = delivery;
    let settings = &worker.settings.github;
    let (mut name, mut email) = ("codeteam".to_owned(), "codeteam@localhost".to_owned());
    if let Some(access) = target.access.as_ref().filter(|_| !settings.names_author()) {
        let identity = access.identity(deadline).await?;
        (name, email) = (identity.login.clone(), identity.email.clone());
    }
    Ok(Author {
        name: settings.commit_name.clone().unwrap_or(name),
        email: settings.commit_email.clone().unwrap_or(email),
        at: jiff::Timestamp::now().as_second(),
    })
}
