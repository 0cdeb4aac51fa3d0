//! A private, bare copy of the one commit that a job is about, with a little of its history.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use tokio::time::Instant;

use crate::fetch::{Wanted, fetch_into};
use crate::git::Call;
use crate::object::Format;
use crate::private::{Private, make_dir};
use crate::source::Source;
use crate::{ForgeError, Workspace};

/// A private copy of a commit. It has no remote, no credentials and no hooks. Cheap to clone.
#[derive(Clone)]
pub struct Mirror {
    inner: Arc<Inner>,
}

struct Inner {
    git_dir: PathBuf,
    format: Format,
    commit: String,
    since: Option<String>,
    private: Private,
}

/// The tracked paths of a commit, or the first of them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Files {
    /// In git's order. Bytes that are not UTF-8 are shown as U+FFFD.
    pub paths: Vec<String>,
    /// How many there are in all.
    pub total: usize,
}

impl Mirror {
    /// As [`Mirror::fetch_from`], for a job that needs nothing but a place to start from.
    pub async fn fetch(
        repo: &str,
        base: Option<&str>,
        pinned: Option<&str>,
        into: &Path,
        deadline: Instant,
    ) -> Result<Mirror, ForgeError> {
        let wanted = Wanted { base, head: None, pinned };
        Mirror::fetch_from(&Source::parse(repo)?, wanted, into, deadline).await
    }

    /// Fetches what is wanted of a repository (a base as in [`crate::probe`]) into the new folder `into`.
    ///
    /// `into` must not exist, its parent must; it is the caller's to remove, except after an error. Never let anybody
    /// but the worker look into it. Fifty commits of history come along where the other side can count them, all where it
    /// cannot; more when a head left its base further back. May be dropped at any time, which leaves `into` half full.
    ///
    /// # Errors
    /// Each of [`ForgeError`] but those of patches, diffs and publishing. A pinned commit that is gone is `BaseNotFound`.
    pub async fn fetch_from(
        source: &Source,
        wanted: Wanted<'_>,
        into: &Path,
        deadline: Instant,
    ) -> Result<Mirror, ForgeError> {
        make_dir(into)?;
        let fetched = fetch_into(source, wanted, into, deadline).await;
        if fetched.is_err() {
            // The error that is on its way says more than a folder that stays.
            let _ = std::fs::remove_dir_all(into);
        }
        fetched
    }

    pub(crate) fn new(
        git_dir: PathBuf,
        format: Format,
        commit: String,
        since: Option<String>,
        private: Private,
    ) -> Mirror {
        Mirror { inner: Arc::new(Inner { git_dir, format, commit, since, private }) }
    }

    /// The full id of the commit: of the head, when there is one.
    pub fn commit(&self) -> &str {
        &self.inner.commit
    }

    /// The full id of the commit at which the head left its base. None: there is no head.
    pub fn since(&self) -> Option<&str> {
        self.inner.since.as_deref()
    }

    /// The first `limit` tracked paths, for whoever wants an overview.
    ///
    /// # Errors
    /// `Git`, `Disk` or `TimedOut`.
    pub async fn files(&self, limit: usize) -> Result<Files, ForgeError> {
        let listed = self
            .call("list the files")
            .args(["ls-tree", "-r", "-z", "--name-only", self.commit()])
            .succeed()
            .await?;
        let paths = || listed.split(|&byte| byte == 0).filter(|path| !path.is_empty());
        Ok(Files {
            paths: paths().take(limit).map(|path| String::from_utf8_lossy(path).into_owned()).collect(),
            total: paths().count(),
        })
    }

    /// Makes a working copy at `path`, which must not exist, with a `.git` of its own that knows nothing of this mirror:
    /// branch `work` at the commit, the history that was fetched, no remote, no hooks.
    ///
    /// Files are byte for byte what git stores: no line-end conversion, no filter, no large-file download; submodules
    /// stay empty folders. Its files belong to the calling user.
    ///
    /// # Errors
    /// `Git`, `Disk` or `TimedOut`; what was written so far is removed.
    pub async fn checkout(&self, path: &Path) -> Result<Workspace, ForgeError> {
        crate::checkout::checkout(self, path).await
    }

    /// A call to git in this repository.
    pub(crate) fn call(&self, what: &'static str) -> Call {
        Call::local(what, &self.inner.private).env("GIT_DIR", &self.inner.git_dir)
    }

    pub(crate) fn git_dir(&self) -> &Path {
        &self.inner.git_dir
    }

    pub(crate) fn format(&self) -> Format {
        self.inner.format
    }

    /// A folder beside the mirror for the work of one call, with `credential` for its host if given.
    pub(crate) fn scratch(&self, credential: Option<&str>) -> Result<Private, ForgeError> {
        Private::new(self.inner.git_dir.parent(), credential)
    }
}
