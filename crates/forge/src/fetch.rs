//! Brings commits from a repository into a new mirror, with as little else as the other side allows.

use std::path::Path;

use tokio::time::Instant;

use crate::ForgeError;
use crate::git::{Call, ensure_usable};
use crate::mirror::Mirror;
use crate::object::Format;
use crate::private::{Private, bare};
use crate::refs::Advertised;
use crate::resolve::{Commit, not_found, resolve};
use crate::source::Source;
use crate::stderr;

/// Commits of history that come along, so that `git log` and `git blame` have something to say.
const DEPTH: &str = "--depth=50";
/// How much more is fetched, step by step, to find where a head left its base.
const DEEPER: [&str; 2] = ["--depth=1000", "--unshallow"];
/// The commit that the mirror is of.
const BASE_REF: &str = "refs/codeteam/base";
/// What a head is compared with.
const SINCE_REF: &str = "refs/codeteam/since";
const WHAT: &str = "fetch the commit";

/// Which commits a mirror is made of.
#[derive(Clone, Copy, Debug, Default)]
pub struct Wanted<'a> {
    /// Where work starts from: a branch, a tag or a commit. None: the repository's HEAD.
    pub base: Option<&'a str>,
    /// What is looked at instead: a branch, a tag, a commit or `pull/N`. The mirror is of it, and its [`Mirror::changes`] are those
    /// since it left `base`.
    pub head: Option<&'a str>,
    /// The full id of the mirror's commit in an earlier attempt: taken wherever the branch stands by now.
    pub pinned: Option<&'a str>,
}

pub(crate) async fn fetch_into(
    source: &Source,
    wanted: Wanted<'_>,
    into: &Path,
    deadline: Instant,
) -> Result<Mirror, ForgeError> {
    // Holds the credentials, and is gone when the network is no longer needed.
    let network = Private::new(Some(into), source.credential.as_deref())?;
    let named = wanted.head.or(wanted.base);
    let commit = match wanted.pinned {
        None => resolve(source, named, &network, deadline).await?,
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
    let since = match wanted.head {
        Some(_) => Some(resolve(source, wanted.base, &network, deadline).await?),
        None => None,
    };
    let git_dir = into.join("repository.git");
    bare(&git_dir, format, None)?;
    let both: Vec<(&Commit, &str)> = [(Some(&commit), BASE_REF), (since.as_ref(), SINCE_REF)]
        .iter()
        .filter_map(|&(of, to)| Some((of?, to)))
        .collect();
    let fetch = Fetch { source, wanted: &both, git_dir: &git_dir, network: &network, deadline };
    fetch.bring().await?;
    let since = match since {
        Some(_) => Some(fetch.parting().await?.ok_or_else(|| ForgeError::NothingInCommon {
            repo: source.address.clone(),
            base: wanted.base.unwrap_or("HEAD").to_owned(),
            head: named.unwrap_or("HEAD").to_owned(),
        })?),
        None => None,
    };
    drop(network);

    let private = Private::new(Some(into), None)?;
    let said = Call::local("read the commit", &private)
        .env("GIT_DIR", &git_dir)
        .args(["rev-parse", "--verify", "--quiet", &format!("{BASE_REF}^{{commit}}")])
        .run()
        .await?;
    let id = String::from_utf8_lossy(&said.stdout).trim().to_owned();
    if !said.success || Format::of_id(&id).is_none() {
        let what = named.unwrap_or(&commit.id).to_owned();
        return Err(ForgeError::BaseNotFound { repo: source.address.clone(), base: what, known: Vec::new() });
    }
    Ok(Mirror::new(git_dir, format, id, since, private))
}

struct Fetch<'a> {
    source: &'a Source,
    /// Commits, and the refs that they come to.
    wanted: &'a [(&'a Commit, &'a str)],
    git_dir: &'a Path,
    network: &'a Private,
    deadline: Instant,
}

impl Fetch<'_> {
    /// Brings all that is wanted in one go: depths of several would cut into one another.
    async fn bring(&self) -> Result<(), ForgeError> {
        let refspecs = self.refspecs();
        let mut complaint = self.run(&[DEPTH], &refspecs).await?;
        if complaint.as_deref().is_some_and(stderr::refuses_depth) {
            complaint = self.run(&[], &refspecs).await?;
        }
        let by_id = self.wanted.iter().any(|(commit, _)| commit.name.is_none());
        match complaint {
            None => Ok(()),
            Some(said) if by_id && (stderr::refuses_commit(&said) || stderr::refuses_depth(&said)) => {
                self.bring_all().await
            }
            Some(said) => Err(stderr::remote(WHAT, self.source, &said)),
        }
    }

    /// For a server that gives no commit by its id: everything, and then a look whether it is among that.
    async fn bring_all(&self) -> Result<(), ForgeError> {
        let refspecs = ["+refs/heads/*:refs/fetched/heads/*", "+refs/tags/*:refs/fetched/tags/*"];
        if let Some(said) = self.run(&[], &refspecs.map(str::to_owned)).await? {
            return Err(stderr::remote(WHAT, self.source, &said));
        }
        for (commit, to) in self.wanted {
            let id = &commit.id;
            let there = self.look().args(["cat-file", "-e", &format!("{id}^{{commit}}")]).run().await?;
            if !there.success {
                let all = Advertised::ask(self.source, &[], self.network, self.deadline).await?;
                return Err(not_found(self.source, id, &all));
            }
            self.look().args(["update-ref", to, id]).succeed().await?;
        }
        Ok(())
    }

    /// The last commit that both have: where the head left its base. None: they never were one history.
    async fn parting(&self) -> Result<Option<String>, ForgeError> {
        let mut deeper = DEEPER.iter();
        loop {
            let said = self.look().args(["merge-base", BASE_REF, SINCE_REF]).run().await?;
            let id = String::from_utf8_lossy(&said.stdout).trim().to_owned();
            if said.success && Format::of_id(&id).is_some() {
                return Ok(Some(id));
            }
            let more = deeper.next().filter(|_| self.git_dir.join("shallow").exists());
            let Some(more) = more else { return Ok(None) };
            if let Some(said) = self.run(&[more], &self.refspecs()).await? {
                return Err(stderr::remote(WHAT, self.source, &said));
            }
        }
    }

    fn refspecs(&self) -> Vec<String> {
        let refspec = |(commit, to): &(&Commit, &str)| {
            format!("+{}:{to}", commit.name.as_deref().unwrap_or(&commit.id))
        };
        self.wanted.iter().map(refspec).collect()
    }

    fn look(&self) -> Call {
        Call::local("look for the commit", self.network).env("GIT_DIR", self.git_dir)
    }

    /// Runs one fetch. What git complained about, if it failed.
    async fn run(&self, options: &[&str], refspecs: &[String]) -> Result<Option<String>, ForgeError> {
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
