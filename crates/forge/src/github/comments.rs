//! One comment on a pull request that says how a job stands, and is edited as that changes.

use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::json;
use tokio::time::Instant;

use super::GitHubError;
use super::access::{Access, Question};

/// Pages of a hundred that are looked through. A conversation of more is one that nobody follows.
const PAGES: u32 = 20;
const PAGE: usize = 100;
const TRIES: u32 = 3;
const WHAT: &str = "write the comment";

#[derive(Deserialize)]
struct Comment {
    id: u64,
    html_url: String,
    body: Option<String>,
    user: Option<User>,
}

/// Who wrote something.
#[derive(Deserialize)]
pub(super) struct User {
    pub login: String,
}

impl Access {
    /// Makes the App's one comment with `mark` (an HTML comment, which is put in front of it) on a pull request say `body`. Its page.
    ///
    /// # Errors
    /// `Forbidden`, `Archived`, and those of any question.
    pub async fn say(
        &self,
        number: u64,
        mark: &str,
        body: &str,
        deadline: Instant,
    ) -> Result<String, GitHubError> {
        let text = json!({"body": format!("{mark}\n{body}")});
        let path = format!("/issues/{number}/comments");
        let mut tries = 0;
        loop {
            let found: Option<Comment> = self
                .find(&path, deadline, |comment: &Comment| is_marked(&comment.body, mark), |c| &c.user)
                .await?;
            tries += 1;
            let answer = match found {
                Some(found) => {
                    let path = format!("/issues/comments/{}", found.id);
                    self.ask(&Question::patch(&path, text.clone(), WHAT), deadline).await
                }
                None => self.ask(&Question::post(&path, text.clone(), WHAT), deadline).await,
            };
            match answer {
                Ok(answer) if answer.status < 300 => {
                    return answer.read().map(|comment: Comment| comment.html_url);
                }
                Ok(answer) => return Err(self.trouble(&answer, WHAT)),
                Err(error) if error.is_open() && tries < TRIES => {}
                Err(error) => return Err(error),
            }
        }
    }

    /// The first of a list that is as wanted and that the App itself wrote: a mark is easily copied.
    pub(super) async fn find<T: DeserializeOwned>(
        &self,
        path: &str,
        deadline: Instant,
        is_wanted: impl Fn(&T) -> bool,
        user: impl Fn(&T) -> &Option<User>,
    ) -> Result<Option<T>, GitHubError> {
        const WHAT: &str = "look through the comments";
        let own = self.identity(deadline).await?.login.as_str();
        for page in 1..=PAGES {
            let path = format!("{path}?per_page={PAGE}&page={page}");
            let answer = self.ask(&Question::get(&path, WHAT), deadline).await?;
            if answer.status >= 300 {
                return Err(self.trouble(&answer, WHAT));
            }
            let items: Vec<T> = answer.read()?;
            let is_last = items.len() < PAGE;
            let is_own = |item: &T| user(item).as_ref().is_some_and(|user| user.login == own);
            let found = items.into_iter().find(|item| is_own(item) && is_wanted(item));
            if found.is_some() || is_last {
                return Ok(found);
            }
        }
        Ok(None)
    }
}

pub(super) fn is_marked(body: &Option<String>, mark: &str) -> bool {
    body.as_ref().is_some_and(|body| body.contains(mark))
}
