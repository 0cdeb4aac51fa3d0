//! Puts a patch onto a branch of the repository that it was made for: once, however often it is asked.

use std::os::unix::fs::MetadataExt;
use std::path::Path;

use tokio::time::Instant;

use crate::commit::{Author, does_not_apply};
use crate::git::Call;
use crate::object::Format;
use crate::private::bare;
use crate::resolve::resolve;
use crate::source::Source;
use crate::tip::Tip;
use crate::{ForgeError, Mirror, stderr};

/// What runs on the other side of a push to a folder: none of its hooks, and what it writes reaches the disk.
const RECEIVE: &str = "--receive-pack=git -c core.hooksPath=/dev/null -c core.fsync=committed receive-pack";

/// A change and the branch that it goes to.
#[derive(Clone, Debug)]
pub struct Publication<'a> {
    /// The patch against the mirror's commit.
    pub patch: &'a str,
    /// The commit's message. The line `mark` must be in it.
    pub message: &'a str,
    /// By what line of its message an earlier attempt's commit is known.
    pub mark: &'a str,
    /// Who the commit is by.
    pub author: &'a Author,
    /// The branch, without `refs/heads/`.
    pub branch: &'a str,
}

/// Where the branch that a job started from is by now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BaseNow {
    /// Its name, without `refs/heads/`. None: the job did not start from a branch.
    pub branch: Option<String>,
    /// Whether the patch still applies to it.
    pub applies: bool,
}

#[derive(Debug, PartialEq, Eq)]
enum Step {
    /// It is there already.
    Done(String),
    /// The branch must still be at this commit when the push arrives; empty: not be there.
    Push {
        expected: String,
    },
    Refused,
}

impl Mirror {
    /// Commits the patch and pushes it. The full id of the commit that the branch stands at.
    ///
    /// A branch that holds the same commit of an earlier attempt is left alone, one that holds another commit of the same piece of
    /// work is replaced, and one that somebody else pushed to is never touched. In a folder of this machine no hook runs.
    ///
    /// # Errors
    /// `PatchDoesNotApply`, `BranchTaken`, `PushRefused`, and those of talking to a repository.
    pub async fn publish(
        &self,
        source: &Source,
        what: &Publication<'_>,
        deadline: Instant,
    ) -> Result<String, ForgeError> {
        const WHAT: &str = "push the branch";
        let commit = self.commit_patch(what.patch, what.message, what.author).await?;
        let tip = self.tip(source, what.branch, deadline).await?;
        let step = next(tip, what, &self.tree_of(&commit).await?, self.commit());
        let taken =
            || ForgeError::BranchTaken { repo: source.address.clone(), branch: what.branch.to_owned() };
        let expected = match step {
            Step::Done(id) => return Ok(id),
            Step::Push { expected } => expected,
            Step::Refused => return Err(taken()),
        };
        let name = format!("refs/heads/{}", what.branch);
        let scratch = self.scratch(source.credential.as_deref())?;
        if let Some(path) = &source.local
            && owner(path)? != owner(scratch.path())?
        {
            // What is pushed would be files that the owner cannot change.
            let detail = "the folder belongs to another user".to_owned();
            let (repo, branch) = (source.address.clone(), what.branch.to_owned());
            return Err(ForgeError::PushRefused { repo, branch, detail });
        }
        let output = Call::until(deadline, WHAT, &scratch)
            .env("GIT_DIR", self.git_dir())
            .args(["push", "--quiet", "--no-verify", "--no-signed"])
            .args(source.local.iter().map(|_| RECEIVE))
            .args([format!("--force-with-lease={name}:{expected}")])
            .args(["--", &source.address])
            .args([format!("{commit}:{name}")])
            .run()
            .await?;
        if output.success {
            return Ok(commit);
        }
        if stderr::lost_the_lease(&output.stderr) {
            return Err(taken());
        }
        Err(stderr::push(WHAT, source, what.branch, &output.stderr))
    }

    /// Looks where the base has gone while the job ran, and whether `patch` still fits there.
    ///
    /// # Errors
    /// Those of talking to a repository. A base that is gone is one that is no branch.
    pub async fn base_now(
        &self,
        source: &Source,
        base: Option<&str>,
        patch: &str,
        deadline: Instant,
    ) -> Result<BaseNow, ForgeError> {
        let scratch = self.scratch(source.credential.as_deref())?;
        let now = match resolve(source, base, &scratch, deadline).await {
            Err(ForgeError::BaseNotFound { .. }) => return Ok(BaseNow { branch: None, applies: true }),
            other => other?,
        };
        let branch = now.name.as_deref().and_then(|name| name.strip_prefix("refs/heads/")).map(str::to_owned);
        if branch.is_none() || now.id == self.commit() {
            return Ok(BaseNow { branch, applies: true });
        }
        const WHAT: &str = "look at the base";
        let repository = scratch.path().join("base.git");
        bare(&repository, Format::of_id(&now.id).unwrap_or(Format::Sha1), Some(self.git_dir()))?;
        let name = now.name.unwrap_or_default();
        let fetched = Call::until(deadline, WHAT, &scratch)
            .env("GIT_DIR", &repository)
            .args(["fetch", "--quiet", "--no-tags", "--no-write-fetch-head", "--depth=1", "--"])
            .args([&source.address, &format!("+{name}:refs/codeteam/now")])
            .run()
            .await?;
        if !fetched.success {
            return Err(stderr::remote(WHAT, source, &fetched.stderr));
        }
        let index = scratch.path().join("index");
        let call =
            |what| Call::local(what, &scratch).env("GIT_DIR", &repository).env("GIT_INDEX_FILE", &index);
        call(WHAT).args(["read-tree", "refs/codeteam/now"]).succeed().await?;
        let tried = call("apply the patch")
            .args(["apply", "--cached", "--check", "--whitespace=nowarn", "-"])
            .input(vec![patch.as_bytes().to_vec()])
            .run()
            .await?;
        if tried.success {
            return Ok(BaseNow { branch, applies: true });
        }
        match does_not_apply(&now.id, &tried.stderr) {
            ForgeError::PatchDoesNotApply { .. } => Ok(BaseNow { branch, applies: false }),
            other => Err(other),
        }
    }
}

fn owner(path: &Path) -> Result<u32, ForgeError> {
    std::fs::metadata(path).map(|found| found.uid()).map_err(ForgeError::disk("looking at", path))
}

/// What is to be done when the branch stands at `tip`.
fn next(tip: Option<Tip>, what: &Publication<'_>, tree: &str, parent: &str) -> Step {
    match tip {
        None => Step::Push { expected: String::new() },
        Some(tip) if !tip.is_by(what.author, what.mark) => Step::Refused,
        Some(tip) if tip.tree == tree && tip.parents == [parent] => Step::Done(tip.id),
        Some(tip) => Step::Push { expected: tip.id },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_an_own_commit_is_kept_or_replaced() {
        let author = Author { name: "bot".into(), email: "bot@x".into(), at: 5 };
        let what = Publication { patch: "", message: "", mark: "Job: 7", author: &author, branch: "b" };
        let tip = |tree: &str, committer: &str| Tip {
            id: "old".into(),
            tree: tree.into(),
            parents: vec!["base".into()],
            committer: committer.into(),
            message: "x\n\nJob: 7\n".into(),
        };
        let step = |tip| next(tip, &what, "tree", "base");
        assert_eq!(step(None), Step::Push { expected: String::new() });
        assert_eq!(step(Some(tip("tree", "bot@x"))), Step::Done("old".into()));
        assert_eq!(step(Some(tip("other", "bot@x"))), Step::Push { expected: "old".into() });
        assert_eq!(step(Some(tip("tree", "someone@x"))), Step::Refused);
        let moved = Tip { parents: vec!["earlier".into()], ..tip("tree", "bot@x") };
        assert_eq!(step(Some(moved)), Step::Push { expected: "old".into() });
    }
}
