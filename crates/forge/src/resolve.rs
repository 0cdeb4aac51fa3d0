//! From what a job calls its base (a branch, a tag, a commit, nothing) to one commit.

use tokio::time::Instant;

use crate::ForgeError;
use crate::git::{Call, ensure_usable};
use crate::object::Format;
use crate::private::{Private, bare};
use crate::refs::Advertised;
use crate::source::Source;

/// A commit, and how it was found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Commit {
    /// The full id, in lower-case hex.
    pub id: String,
    /// The full name of the branch or tag that led to it, such as `refs/heads/main`. None: it was named by its id,
    /// or by an expression such as `HEAD~2`.
    pub name: Option<String>,
}

/// Finds the commit that `base` means in `repo`, without changing anything there and without fetching files.
///
/// `repo` is a full path (a relative one must be made full by the caller, who knows to which folder it belongs) or a
/// URL over https, http, ssh, git or file. `base` is a branch, a tag, a commit or `pull/N`; None means HEAD. For a path on this
/// machine it may be whatever `git rev-parse` takes; elsewhere a commit needs all its digits unless a branch or tag
/// points at it. What is not committed does not count. May be dropped at any time; never asks a person anything.
///
/// # Errors
/// Each of [`ForgeError`] but those of patches and diffs.
pub async fn probe(repo: &str, base: Option<&str>, deadline: Instant) -> Result<Commit, ForgeError> {
    let source = Source::parse(repo)?;
    let private = Private::new(None, source.credential.as_deref())?;
    let commit = resolve(&source, base, &private, deadline).await?;
    if commit.name.is_none() && source.local.is_none() {
        fetch_alone(&source, &commit.id, &private, deadline).await?;
    }
    Ok(commit)
}

/// As [`probe`], except that a full id of a repository elsewhere is believed.
pub(crate) async fn resolve(
    source: &Source,
    base: Option<&str>,
    private: &Private,
    deadline: Instant,
) -> Result<Commit, ForgeError> {
    if source.is_absent() {
        return Err(ForgeError::NotFound { repo: source.address.clone() });
    }
    ensure_usable(private).await?;
    let base = base.unwrap_or("HEAD");
    let peeled = format!("{base}^{{}}");
    let pull = pull_ref(base);
    let asked: Vec<&str> = [base, &peeled].into_iter().chain(pull.as_deref()).collect();
    let told = Advertised::ask(source, &asked, private, deadline).await?;
    if base == "HEAD" {
        if let Some(id) = told.head {
            return Ok(Commit { id, name: Some(told.head_ref.unwrap_or_else(|| "HEAD".to_owned())) });
        }
    } else if let Some((id, name)) = pull.and_then(|pull| told.find(&pull)).or_else(|| told.find(base)) {
        return Ok(Commit { id, name: Some(name) });
    }
    let all = Advertised::ask(source, &[], private, deadline).await?;
    if all.refs.is_empty() && all.head.is_none() {
        return Err(ForgeError::NoCommit { repo: source.address.clone() });
    }
    let lower = base.to_ascii_lowercase();
    let is_hex = lower.len() >= 4 && lower.bytes().all(|byte| byte.is_ascii_hexdigit());
    let id = if source.local.is_some() {
        rev_parse(source, base, private).await?
    } else if is_hex && Format::of_id(&lower).is_none() {
        all.starting_with(&lower)
    } else {
        is_hex.then_some(lower)
    };
    id.map(|id| Commit { id, name: None }).ok_or_else(|| not_found(source, base, &all))
}

/// The ref of the pull request that `pull/N` means.
fn pull_ref(base: &str) -> Option<String> {
    let number = base.strip_prefix("pull/")?;
    (!number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit()))
        .then(|| format!("refs/pull/{number}/head"))
}

pub(crate) fn not_found(source: &Source, base: &str, all: &Advertised) -> ForgeError {
    ForgeError::BaseNotFound { repo: source.address.clone(), base: base.to_owned(), known: all.some_names() }
}

/// What `git rev-parse` makes of `base` in a repository on this machine. It reads and runs nothing.
async fn rev_parse(source: &Source, base: &str, private: &Private) -> Result<Option<String>, ForgeError> {
    let Some(path) = &source.local else { return Ok(None) };
    let output = Call::local("look up the base", private)
        .env("GIT_CEILING_DIRECTORIES", path.parent().unwrap_or(path))
        .args(["-C", &source.address, "rev-parse", "--verify", "--quiet", "--end-of-options"])
        .args([format!("{base}^{{commit}}")])
        .run()
        .await?;
    let id = String::from_utf8_lossy(&output.stdout).trim().to_owned();
    Ok((output.success && Format::of_id(&id).is_some()).then_some(id))
}

/// Fetches one commit without its files, to see that it is there.
async fn fetch_alone(
    source: &Source,
    id: &str,
    private: &Private,
    deadline: Instant,
) -> Result<(), ForgeError> {
    const WHAT: &str = "ask for the commit";
    let repository = private.path().join("repository.git");
    bare(&repository, Format::of_id(id).unwrap_or(Format::Sha1), None)?;
    let output = Call::until(deadline, WHAT, private)
        .env("GIT_DIR", &repository)
        .args([
            "fetch",
            "--quiet",
            "--no-tags",
            "--no-write-fetch-head",
            "--depth=1",
            "--filter=tree:0",
            "--",
        ])
        .args([&source.address, id])
        .run()
        .await?;
    if output.success || crate::stderr::refuses_depth(&output.stderr) {
        return Ok(());
    }
    if crate::stderr::refuses_commit(&output.stderr) {
        let all = Advertised::ask(source, &[], private, deadline).await?;
        return Err(not_found(source, id, &all));
    }
    Err(crate::stderr::remote(WHAT, source, &output.stderr))
}
