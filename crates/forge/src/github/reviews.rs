//! A review of a pull request: all of it in one, or not at all.

use std::ops::Range;

use serde::Deserialize;
use serde_json::{Value, json};
use tokio::time::Instant;

use super::GitHubError;
use super::access::{Access, Question};
use super::comments::{User, is_marked};

/// Reviews that nobody else sees are made and thrown away to find the remarks that GitHub does not take. At most so many.
const PROBES: u32 = 30;
const TRIES: u32 = 3;
const WHAT: &str = "take the review";

/// A review to write.
#[derive(Clone, Debug)]
pub struct NewReview<'a> {
    /// The full id of the commit that was reviewed.
    pub commit: &'a str,
    /// An HTML comment by which it is found again; it is put in front of its text.
    pub mark: &'a str,
    /// What is said at places of the code.
    pub remarks: &'a [Remark],
}

/// Something said at a place of the code.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Remark {
    /// The file.
    pub path: String,
    /// The first line in the new state, when there are several.
    pub start_line: Option<u32>,
    /// The last line in the new state.
    pub line: u32,
    /// What is said, in Markdown.
    pub body: String,
}

/// A review that stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Posted {
    /// Its page.
    pub url: String,
    /// Whether an earlier attempt wrote it.
    pub was_there: bool,
}

#[derive(Deserialize)]
struct Review {
    id: u64,
    html_url: String,
    state: String,
    body: Option<String>,
    user: Option<User>,
}

impl Remark {
    fn to_json(&self) -> Value {
        let mut json = json!({"path": self.path, "line": self.line, "side": "RIGHT", "body": self.body});
        if let Some(start) = self.start_line.filter(|start| *start < self.line) {
            json["start_line"] = start.into();
            json["start_side"] = "RIGHT".into();
        }
        json
    }
}

impl Access {
    /// Writes a review, as a comment that neither approves nor blocks. `text` gives its body; it is told which remarks (by their index)
    /// GitHub takes at no place, and which must therefore stand in it.
    ///
    /// # Errors
    /// `NoPull`, `Forbidden`, `Archived`, `Refused`, and those of any question.
    pub async fn review(
        &self,
        number: u64,
        new: &NewReview<'_>,
        text: impl Fn(&[usize]) -> String,
        deadline: Instant,
    ) -> Result<Posted, GitHubError> {
        let path = format!("/pulls/{number}/reviews");
        let mut placed: Vec<usize> = (0..new.remarks.len()).collect();
        let mut names_commit = true;
        let mut tries = 0;
        loop {
            if let Some(url) = self.review_of(&path, new.mark, deadline).await? {
                return Ok(Posted { url, was_there: true });
            }
            tries += 1;
            let homeless: Vec<usize> =
                (0..new.remarks.len()).filter(|index| !placed.contains(index)).collect();
            let mut body = json!({
                "event": "COMMENT",
                "body": format!("{}\n{}", new.mark, text(&homeless)),
                "comments": remarks(new, &placed),
            });
            if names_commit {
                body["commit_id"] = new.commit.into();
            }
            let answer = match self.ask(&Question::post(&path, body, WHAT), deadline).await {
                Err(error) if error.is_open() && tries < TRIES => continue,
                other => other?,
            };
            match answer.status {
                200..300 => {
                    let posted: Review = answer.read()?;
                    return Ok(Posted { url: posted.html_url, was_there: false });
                }
                422 if !placed.is_empty() => {
                    let takes = self.placeable(&path, new, deadline).await?;
                    // If each of them alone will do, it is something else that GitHub has against them.
                    placed = if takes == placed { Vec::new() } else { takes };
                }
                // The commit is no longer part of it: somebody pushed over it.
                422 if names_commit => names_commit = false,
                404 => return Err(GitHubError::NoPull { repo: self.slug().to_string(), number }),
                _ => return Err(self.trouble(&answer, WHAT)),
            }
        }
    }

    /// The page of the App's review with this mark. One that it began and never sent is thrown away: GitHub allows one at a time.
    async fn review_of(
        &self,
        path: &str,
        mark: &str,
        deadline: Instant,
    ) -> Result<Option<String>, GitHubError> {
        loop {
            let is_wanted = |review: &Review| review.state == "PENDING" || is_marked(&review.body, mark);
            match self.find(path, deadline, is_wanted, |review| &review.user).await? {
                Some(review) if review.state == "PENDING" => self.discard(path, review.id, deadline).await?,
                found => return Ok(found.map(|review| review.html_url)),
            }
        }
    }

    async fn discard(&self, path: &str, id: u64, deadline: Instant) -> Result<(), GitHubError> {
        const WHAT: &str = "throw a review away that was not sent";
        let path = format!("{path}/{id}");
        let question =
            Question { method: reqwest::Method::DELETE, path: &path, body: None, what: WHAT, repeat: true };
        let answer = self.ask(&question, deadline).await?;
        match answer.status {
            200..300 | 404 => Ok(()),
            _ => Err(self.trouble(&answer, WHAT)),
        }
    }

    /// Which remarks GitHub takes. It does not say which one it refuses, so halves are tried.
    async fn placeable(
        &self,
        path: &str,
        new: &NewReview<'_>,
        deadline: Instant,
    ) -> Result<Vec<usize>, GitHubError> {
        let mut good = Vec::new();
        // All of them together were refused just now.
        let mut parts: Vec<Range<usize>> = halves(0..new.remarks.len());
        let mut probes = 0;
        while let Some(part) = parts.pop() {
            probes += 1;
            if probes > PROBES {
                break;
            }
            let indices: Vec<usize> = part.clone().collect();
            if self.takes(path, new, &indices, deadline).await? {
                good.extend(indices);
            } else {
                parts.extend(halves(part));
            }
        }
        good.sort_unstable();
        Ok(good)
    }

    async fn takes(
        &self,
        path: &str,
        new: &NewReview<'_>,
        indices: &[usize],
        deadline: Instant,
    ) -> Result<bool, GitHubError> {
        let body = json!({"commit_id": new.commit, "comments": remarks(new, indices)});
        let answer = self.ask(&Question::post(path, body, WHAT), deadline).await?;
        match answer.status {
            200..300 => {
                let begun: Review = answer.read()?;
                self.discard(path, begun.id, deadline).await.map(|()| true)
            }
            422 => Ok(false),
            _ => Err(self.trouble(&answer, WHAT)),
        }
    }
}

fn remarks(new: &NewReview<'_>, indices: &[usize]) -> Vec<Value> {
    indices.iter().filter_map(|&index| new.remarks.get(index)).map(Remark::to_json).collect()
}

/// Nothing of one that cannot be halved.
fn halves(range: Range<usize>) -> Vec<Range<usize>> {
    if range.len() < 2 {
        return Vec::new();
    }
    let middle = range.start + range.len() / 2;
    vec![range.start..middle, middle..range.end]
}
