//! Pull requests: what one is about, and opening one for a branch.

use serde::Deserialize;
use serde_json::json;
use tokio::time::Instant;

use super::GitHubError;
use super::access::{Access, Question};

/// Times that it is looked for and made, when answers are lost.
const TRIES: u32 = 3;
const WHAT: &str = "open the pull request";

/// A pull request that stands.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct Pull {
    /// Its number.
    pub number: u64,
    /// Its page.
    pub html_url: String,
    /// `open` or `closed`.
    pub state: String,
    /// Whether it is a draft.
    #[serde(default)]
    pub draft: bool,
    /// What it is against.
    pub base: Side,
    /// What it brings.
    pub head: Side,
    /// Its title.
    pub title: String,
    /// Its text.
    pub body: Option<String>,
}

/// One side of a pull request.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct Side {
    /// The branch's name.
    #[serde(rename = "ref")]
    pub branch: String,
    /// The commit's full id.
    pub sha: String,
}

/// A pull request to open.
#[derive(Clone, Debug)]
pub struct NewPull<'a> {
    /// Its title.
    pub title: &'a str,
    /// Its text.
    pub body: &'a str,
    /// The branch that was pushed, in the same repository.
    pub head: &'a str,
    /// The branch that it is against.
    pub base: &'a str,
    /// Whether one that is no draft will do where GitHub has no drafts for the repository.
    pub or_ready: bool,
}

/// A pull request that was opened, or found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OpenedPull {
    /// Its number.
    pub number: u64,
    /// Its page.
    pub url: String,
    /// Whether it is a draft.
    pub draft: bool,
}

#[derive(Deserialize)]
struct Repository {
    default_branch: String,
    #[serde(default)]
    archived: bool,
}

impl Access {
    /// The pull request of this number.
    ///
    /// # Errors
    /// `NoPull`, and those of any question.
    pub async fn pull(&self, number: u64, deadline: Instant) -> Result<Pull, GitHubError> {
        const WHAT: &str = "show the pull request";
        let answer = self.ask(&Question::get(&format!("/pulls/{number}"), WHAT), deadline).await?;
        match answer.status {
            200 => answer.read(),
            404 => Err(GitHubError::NoPull { repo: self.slug().to_string(), number }),
            _ => Err(self.trouble(&answer, WHAT)),
        }
    }

    /// The branch that is taken where none is named.
    ///
    /// # Errors
    /// `Archived`, when nothing can be pushed there; and those of any question.
    pub async fn default_branch(&self, deadline: Instant) -> Result<String, GitHubError> {
        const WHAT: &str = "show the repository";
        let answer = self.ask(&Question::get("", WHAT), deadline).await?;
        if answer.status >= 300 {
            return Err(self.trouble(&answer, WHAT));
        }
        let Repository { default_branch, archived } = answer.read()?;
        if archived {
            return Err(GitHubError::Archived { repo: self.slug().to_string() });
        }
        Ok(default_branch)
    }

    /// Opens a draft for a branch. One that stands open for it already gets this title and text instead; one that somebody closed or
    /// merged is left as it is.
    ///
    /// # Errors
    /// `Forbidden`, `Archived`, `Refused`, and those of any question.
    pub async fn open_pull(&self, new: &NewPull<'_>, deadline: Instant) -> Result<OpenedPull, GitHubError> {
        let mut draft = true;
        let mut tries = 0;
        loop {
            if let Some(found) = self.pull_of(new.head, deadline).await? {
                return self.update(found, new, deadline).await;
            }
            tries += 1;
            let body = json!({
                "title": new.title, "body": new.body, "head": new.head, "base": new.base, "draft": draft,
                "maintainer_can_modify": true,
            });
            let answer = match self.ask(&Question::post("/pulls", body, WHAT), deadline).await {
                // Perhaps it was made: then it is found.
                Err(error) if error.is_open() && tries < TRIES => continue,
                other => other?,
            };
            let said = answer.detail().to_ascii_lowercase();
            match answer.status {
                201 => return answer.read().map(opened),
                422 if said.contains("draft") && draft && new.or_ready => draft = false,
                // Somebody, or this program's lost request, was quicker.
                422 if said.contains("already exists") && tries < TRIES => {}
                _ => return Err(self.trouble(&answer, WHAT)),
            }
        }
    }

    /// The pull request of a branch of this repository, an open one before others.
    async fn pull_of(&self, head: &str, deadline: Instant) -> Result<Option<Pull>, GitHubError> {
        const WHAT: &str = "look for the pull request";
        let path = format!("/pulls?state=all&per_page=100&head={}:{head}", self.slug().owner);
        let answer = self.ask(&Question::get(&path, WHAT), deadline).await?;
        if answer.status >= 300 {
            return Err(self.trouble(&answer, WHAT));
        }
        // GitHub passes over a filter that it cannot read.
        let mut pulls: Vec<Pull> = answer.read()?;
        pulls.retain(|pull| pull.head.branch == head);
        let open = pulls.iter().position(|pull| pull.state == "open");
        Ok(open.or(pulls.len().checked_sub(1)).map(|index| pulls.swap_remove(index)))
    }

    async fn update(
        &self,
        found: Pull,
        new: &NewPull<'_>,
        deadline: Instant,
    ) -> Result<OpenedPull, GitHubError> {
        const WHAT: &str = "change the pull request";
        let is_same = found.title == new.title && found.body.as_deref() == Some(new.body);
        if found.state != "open" || is_same {
            return Ok(opened(found));
        }
        let body = json!({"title": new.title, "body": new.body});
        let path = format!("/pulls/{}", found.number);
        let answer = self.ask(&Question::patch(&path, body, WHAT), deadline).await?;
        if answer.status >= 300 {
            return Err(self.trouble(&answer, WHAT));
        }
        answer.read().map(opened)
    }
}

fn opened(pull: Pull) -> OpenedPull {
    OpenedPull { number: pull.number, url: pull.html_url, draft: pull.draft }
}
