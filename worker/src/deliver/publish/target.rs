//! The way to a job's repository and to where its result goes: opened before anything is paid for, so that what cannot be
//! delivered is not begun.

use std::time::Duration;

use domain::{Failure, JobId, NewJob};
use forge::github::{Access, GitHubError, Pull};
use forge::{ForgeError, Mirror, Source, Wanted};
use tokio::time::{Instant, timeout_at};

use super::text;
use super::wish::{Wish, pull_of};
use crate::end::End;
use crate::scratch::Scratch;
use crate::worker::Worker;

/// How long the first words may take, while the work waits.
const GREETING: Duration = Duration::from_secs(3);
/// How long the last words may take.
const FAREWELL: Duration = Duration::from_secs(10);

/// What a job's delivery stands on.
pub struct Target {
    pub wish: Wish,
    /// The App's way in; None: git alone is asked, with what the address brings.
    pub access: Option<Access>,
    /// What is reviewed, when it is a pull request that can be asked for.
    pub pull: Option<Pull>,
    /// Why the App is not asked, though the repository is GitHub's.
    pub shut_out: Option<GitHubError>,
}

impl Target {
    /// Opens it.
    pub async fn open(worker: &Worker, job: &NewJob, deadline: Instant) -> Result<Target, End> {
        let refused = |error| End::refused(Failure::DeliveryRefused, error);
        let slug = worker.github.as_ref().and_then(|app| Some((app, app.slug(&job.repo)?)));
        let wish = Wish::of(job, slug.is_some()).map_err(refused)?;
        let Some((app, slug)) = slug else {
            return Ok(Target { wish, access: None, pull: None, shut_out: None });
        };
        let access = match app.enter(slug, wish.rights(job), deadline).await {
            // Whoever asked for nothing on GitHub gets what anybody may have.
            Err(error @ GitHubError::NotInstalled { .. })
                if job.delivery.is_none() || wish == Wish::Record =>
            {
                return Ok(Target { wish: Wish::Record, access: None, pull: None, shut_out: Some(error) });
            }
            other => other.map_err(ForgeError::from)?,
        };
        match look(worker, job, wish, &access, deadline).await {
            Ok(pull) => Ok(Target { wish, access: Some(access), pull, shut_out: None }),
            Err(error) => {
                access.leave().await;
                Err(ForgeError::from(error).into())
            }
        }
    }

    /// Fetches what the job is about.
    pub async fn fetch(
        &self,
        job: &NewJob,
        pinned: Option<&str>,
        scratch: &Scratch,
        deadline: Instant,
    ) -> Result<Mirror, End> {
        let of_pull = self.pull.as_ref().map(|pull| pull.base.sha.as_str());
        let wanted = Wanted { base: job.base.as_deref().or(of_pull), head: job.head.as_deref(), pinned };
        let into = scratch.path("mirror");
        let fetched = match &self.access {
            Some(access) => {
                access
                    .with_source(deadline, async |source| {
                        Mirror::fetch_from(source, wanted, &into, deadline).await
                    })
                    .await
            }
            None => Mirror::fetch_from(&Source::parse(&job.repo)?, wanted, &into, deadline).await,
        };
        match (fetched, &self.shut_out) {
            (Err(ForgeError::NeedsCredentials { .. } | ForgeError::NotFound { .. }), Some(why)) => {
                Err(End::refused(Failure::ForgeRefused, why.to_string()))
            }
            (fetched, _) => Ok(fetched?),
        }
    }

    /// Whether the result goes anywhere but into the record.
    pub fn is_elsewhere(&self) -> bool {
        self.wish != Wish::Record
    }

    /// What a person should know of where the result goes.
    pub fn note(&self) -> Option<String> {
        self.shut_out.as_ref().map(|why| format!("the result stays in the job's record: {why}"))
    }

    /// Says on the pull request under review that it is looked at. Nothing depends on it.
    pub async fn begin(&self, worker: &Worker, job: JobId, commit: &str, deadline: Instant) {
        let soon = deadline.min(Instant::now() + GREETING);
        self.say(worker, job, &text::reviewing(commit), soon).await;
    }

    /// What is to be said of an end that leaves nothing on the pull request under review, should it be the job's; None: there is something,
    /// or it goes on. What exactly went wrong is for whoever runs the job: it stands in the record.
    pub fn last_words(&self, end: &End) -> Option<String> {
        match end {
            End::Done { reason, .. } if !super::is_published(end) => Some(text::gave_up(*reason)),
            End::Failed { failure, .. } => Some(text::gave_up(failure.exit_reason())),
            _ => None,
        }
    }

    /// Says the last words, and gives the token back.
    pub async fn close(self, worker: &Worker, job: JobId, words: Option<String>) {
        if let Some(words) = words {
            self.say(worker, job, &words, Instant::now() + FAREWELL).await;
        }
        if let Some(access) = self.access {
            access.leave().await;
        }
    }

    /// Makes the one comment on the pull request under review say `body`.
    pub(super) async fn say(&self, worker: &Worker, job: JobId, body: &str, deadline: Instant) {
        let (Wish::Review(number), Some(access)) = (self.wish, &self.access) else { return };
        let body = worker.redaction.apply(body);
        match timeout_at(deadline, access.say(number, &text::progress_mark(job), &body, deadline)).await {
            Ok(Ok(_)) => {}
            Ok(Err(error)) => {
                tracing::warn!(%job, %error, "the comment on the pull request could not be written")
            }
            Err(_) => tracing::warn!(%job, "the comment on the pull request could not be written in time"),
        }
    }
}

/// Gets the pull request under review, and asks for all that the delivery will need.
async fn look(
    worker: &Worker,
    job: &NewJob,
    wish: Wish,
    access: &Access,
    deadline: Instant,
) -> Result<Option<Pull>, GitHubError> {
    let pull = match pull_of(job) {
        Some(number) => Some(access.pull(number, deadline).await?),
        None => None,
    };
    if wish == Wish::PullRequest {
        // An archived repository would be noticed too late.
        access.default_branch(deadline).await?;
    }
    let asks_who_it_is = match wish {
        Wish::Record => false,
        // Its own comments are known by it.
        Wish::Review(_) => true,
        Wish::Branch | Wish::PullRequest => !worker.settings.github.names_author(),
    };
    if asks_who_it_is {
        access.identity(deadline).await?;
    }
    Ok(pull)
}
