//! A private, bare copy of the one commit that a job starts from, with a little of its history.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use tokio::time::Instant;

use crate::git::{Call, ensure_usable};
use crate::object::Format;
use crate::private::{Private, bare, make_dir};
use crate::refs::Advertised;
use crate::resolve::{Commit, not_found, resolve};
use crate::source::Source;
use crate::stderr;
use crate::{ForgeError, Workspace};

/// Commits of history that come along, so that `git log` and `git blame` have something to say.
const DEPTH: &str = "--depth=50";
/// The mirror's only ref.
const BASE_REF: &str = "refs/codeteam/base";
const WHAT: &str = "fetch the commit";

/// A private copy of a commit. It has no remote, no credentials and no hooks. Cheap to clone.
#[derive(Clone)]
pub struct Mirror {
    inner: Arc<Inner>,
}

struct Inner {
    git_dir: PathBuf,
    format: Format,
    commit: String,
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
    /// Fetches what `base` means in `repo` (both as in [`crate::probe`]) into the new folder `into`.
    ///
    /// `pinned` is the full id of the commit of an earlier attempt: it is fetched instead, wherever the branch stands by now.
    /// `into` must not exist, its parent must; it is the caller's to remove, except after an error. Never let anybody
    /// but the worker look into it. Fifty commits of history come along where the other side can count them, all where it
    /// cannot. May be dropped at any time, which leaves `into` half full.
    ///
    /// # Errors
    /// Each of [`ForgeError`] but those of patches and diffs. A pinned commit that is gone is `BaseNotFound`.
    pub async fn fetch(
        repo: &str,
        base: Option<&str>,
        pinned: Option<&str>,
        into: &Path,
        deadline: Instant,
    ) -> Result<Mirror, ForgeError> {
        let source = Source::parse(repo)?;
        make_dir(into)?;
        let fetched = fetch_into(&source, base, pinned, into, deadline).await;
        if fetched.is_err() {
            // The error that is on its way says more than a folder that stays.
            let _ = std::fs::remove_dir_all(into);
        }
        fetched
    }

    /// The full id of the commit.
    pub fn commit(&self) -> &str {
        &self.inner.commit
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

    /// A folder beside the mirror for the work of one call.
    pub(crate) fn scratch(&self) -> Result<Private, ForgeError> {
        Private::new(self.inner.git_dir.parent(), None)
    }
}

async fn fetch_into(
    source: &Source,
    base: Option<&str>,
    pinned: Option<&str>,
    into: &Path,
    deadline: Instant,
) -> Result<Mirror, ForgeError> {
    // Holds the credentials, and is gone when the network is no longer needed.
    let network = Private::new(Some(into), source.credential.as_deref())?;
    let commit = match pinned {
        None => resolve(source, base, &network, deadline).await?,
        Some(_) if source.is_absent() => return Err(ForgeError::NotFound { repo: source.address.clone() }),
        Some(id) => {
            ensure_usable(&network).await?;
            Commit { id: id.to_ascii_lowercase(), name: None }
        }
    };
    let Some(format) = Format::of_id(&commit.id) else {
        let all = Advertised::ask(source, &[], &network, deadline).await?;
        return Err(not_found(source, &commit.id, &all));
    };
    let git_dir = into.join("repository.git");
    bare(&git_dir, format, None)?;
    let fetch = Fetch { source, git_dir: &git_dir, network: &network, deadline };
    fetch.bring(&commit).await?;
    drop(network);

    let private = Private::new(Some(into), None)?;
    let said = Call::local("read the commit", &private)
        .env("GIT_DIR", &git_dir)
        .args(["rev-parse", "--verify", "--quiet", &format!("{BASE_REF}^{{commit}}")])
        .run()
        .await?;
    let id = String::from_utf8_lossy(&said.stdout).trim().to_owned();
    if !said.success || Format::of_id(&id).is_none() {
        let what = base.unwrap_or(&commit.id).to_owned();
        return Err(ForgeError::BaseNotFound { repo: source.address.clone(), base: what, known: Vec::new() });
    }
    Ok(Mirror { inner: Arc::new(Inner { git_dir, format, commit: id, private }) })
}

struct Fetch<'a> {
    source: &'a Source,
    git_dir: &'a Path,
    network: &'a Private,
    deadline: Instant,
}

impl Fetch<'_> {
    /// Brings `commit` to [`BASE_REF`], with as little else as the other side allows.
    async fn bring(&self, commit: &Commit) -> Result<(), ForgeError> {
        let wanted = commit.name.as_deref().unwrap_or(&commit.id);
        let refspec = format!("+{wanted}:{BASE_REF}");
        let mut complaint = self.run(&[DEPTH], &[&refspec]).await?;
        if complaint.as_deref().is_some_and(stderr::refuses_depth) {
            complaint = self.run(&[], &[&refspec]).await?;
        }
        match complaint {
            None => Ok(()),
            Some(said)
                if commit.name.is_none()
                    && (stderr::refuses_commit(&said) || stderr::refuses_depth(&said)) =>
            {
                self.bring_all(&commit.id).await
            }
            Some(said) => Err(stderr::remote(WHAT, self.source, &said)),
        }
    }

    /// For a server that gives no commit by its id: everything, and then a look whether it is among that.
    async fn bring_all(&self, id: &str) -> Result<(), ForgeError> {
        let refspecs = ["+refs/heads/*:refs/fetched/heads/*", "+refs/tags/*:refs/fetched/tags/*"];
        if let Some(said) = self.run(&[], &refspecs).await? {
            return Err(stderr::remote(WHAT, self.source, &said));
        }
        let call = || Call::local("look for the commit", self.network).env("GIT_DIR", self.git_dir);
        let there = call().args(["cat-file", "-e", &format!("{id}^{{commit}}")]).run().await?;
        if !there.success {
            let all = Advertised::ask(self.source, &[], self.network, self.deadline).await?;
            return Err(not_found(self.source, id, &all));
        }
        call().args(["update-ref", BASE_REF, id]).succeed().await.map(drop)
    }

    /// Runs one fetch. What git complained about, if it failed.
    async fn run(&self, options: &[&str], refspecs: &[&str]) -> Result<Option<String>, ForgeError> {
        let output = Call::until(self.deadline, WHAT, self.network)
            .env("GIT_DIR", self.git_dir)
            .args(["fetch", "--quiet", "--no-tags", "--no-write-fetch-head", "--no-auto-maintenance"])
            .args(["--no-recurse-submodules", "--update-shallow"])
            .args(options)
            .args(["--", &self.source.address])
            .args(refspecs)
            .run()
            .await?;
        Ok((!output.success).then_some(output.stderr))
    }
}
