//! Makes a commit of a patch, in the mirror. No file of it is ever written to a work tree, so nothing in it can run.

use crate::{ForgeError, Mirror, stderr};

/// Who a commit is by, and when it was made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Author {
    /// As people know it.
    pub name: String,
    /// Its address; a forge knows its users by it.
    pub email: String,
    /// Seconds since 1970, in UTC.
    pub at: i64,
}

impl Mirror {
    /// A commit on top of the mirror's, with `patch` applied. Its full id.
    ///
    /// # Errors
    /// `PatchDoesNotApply`; `Git`, `Disk` or `TimedOut`.
    pub async fn commit_patch(
        &self,
        patch: &str,
        message: &str,
        author: &Author,
    ) -> Result<String, ForgeError> {
        let scratch = self.scratch(None)?;
        let index = scratch.path().join("index");
        let call = |what| self.call(what).env("GIT_INDEX_FILE", &index);
        call("read the files").args(["read-tree", self.commit()]).succeed().await?;
        let applied = call("apply the patch")
            .args(["apply", "--cached", "--whitespace=nowarn", "-"])
            .input(vec![patch.as_bytes().to_vec()])
            .run()
            .await?;
        if !applied.success {
            return Err(does_not_apply(self.commit(), &applied.stderr));
        }
        let tree = call("write the tree").args(["write-tree"]).succeed().await?;
        let tree = String::from_utf8_lossy(&tree).trim().to_owned();
        let date = format!("@{} +0000", author.at);
        let made = call("write the commit")
            .env("GIT_AUTHOR_NAME", &author.name)
            .env("GIT_AUTHOR_EMAIL", &author.email)
            .env("GIT_AUTHOR_DATE", &date)
            .env("GIT_COMMITTER_NAME", &author.name)
            .env("GIT_COMMITTER_EMAIL", &author.email)
            .env("GIT_COMMITTER_DATE", &date)
            .args(["commit-tree", "--no-gpg-sign", "-p", self.commit(), "-F", "-", &tree])
            .input(vec![message.as_bytes().to_vec()])
            .succeed()
            .await?;
        Ok(String::from_utf8_lossy(&made).trim().to_owned())
    }

    /// The full id of the tree of a commit that is in the mirror.
    pub(crate) async fn tree_of(&self, commit: &str) -> Result<String, ForgeError> {
        let tree = self
            .call("read the commit")
            .args(["rev-parse", "--verify", &format!("{commit}^{{tree}}")])
            .succeed()
            .await?;
        Ok(String::from_utf8_lossy(&tree).trim().to_owned())
    }
}

pub(crate) fn does_not_apply(commit: &str, complaint: &str) -> ForgeError {
    match stderr::local("apply the patch", complaint) {
        ForgeError::Git { detail, .. } => ForgeError::PatchDoesNotApply { commit: commit.to_owned(), detail },
        other => other,
    }
}
