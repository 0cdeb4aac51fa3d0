//! A patch that goes onto a branch of its repository.

use forge::{Author, ForgeError, Mirror, Publication, Source};

use crate::support::{Repo, make_executable, soon, write};

const BRANCH: &str = "codeteam/job-7";
const MARK: &str = "Codeteam-Job: 7";

fn author() -> Author {
    Author { name: "team[bot]".into(), email: "1+team[bot]@users.noreply.test".into(), at: 1_700_000_000 }
}

/// A repository, a mirror of it, and a patch that turns a 1 into a 2, adds a program and a picture.
async fn changed() -> (Repo, Mirror, String) {
    let repo = Repo::with(&[("a", b"1\n"), ("other", b"x\n")]);
    let mirror = repo.mirror().await;
    let work = mirror.checkout(&repo.beside("work")).await.unwrap();
    write(work.path(), "a", b"2\n");
    write(work.path(), "run", b"#!/bin/sh\n");
    make_executable(&work.path().join("run"));
    write(work.path(), "picture", b"\0\xff\0");
    let patch = work.diff().await.unwrap();
    (repo, mirror, patch)
}

async fn publish(repo: &Repo, mirror: &Mirror, patch: &str) -> Result<String, ForgeError> {
    let what = Publication {
        patch,
        message: &format!("Turn it into two\n\n{MARK}\n"),
        mark: MARK,
        author: &author(),
        branch: BRANCH,
    };
    mirror.publish(&Source::parse(&repo.address()).unwrap(), &what, soon()).await
}

#[tokio::test]
async fn a_branch_holds_the_patch_as_one_commit_of_its_author() {
    let (repo, mirror, patch) = changed().await;
    let status = repo.git(&["status", "--porcelain"]);
    let commit = publish(&repo, &mirror, &patch).await.unwrap();
    assert_eq!(repo.git(&["rev-parse", BRANCH]), commit);
    assert_eq!(repo.git(&["rev-parse", &format!("{commit}^")]), mirror.commit());
    let told = repo.git(&["log", "-1", "--format=%an|%ae|%cn|%ct|%s", &commit]);
    assert_eq!(told, "team[bot]|1+team[bot]@users.noreply.test|team[bot]|1700000000|Turn it into two");
    assert_eq!(repo.git(&["show", &format!("{commit}:a")]), "2");
    assert!(repo.git(&["ls-tree", &commit, "run"]).starts_with("100755"));
    assert_eq!(repo.git(&["diff-tree", "--no-commit-id", "--name-only", "-r", &commit]), "a\npicture\nrun");
    assert_eq!(
        (repo.git(&["status", "--porcelain"]), repo.git(&["branch", "--show-current"])),
        (status, "main".into())
    );
}

#[tokio::test]
async fn a_second_attempt_finds_or_replaces_the_firsts_commit() {
    let (repo, mirror, patch) = changed().await;
    let first = publish(&repo, &mirror, &patch).await.unwrap();
    assert_eq!(publish(&repo, &mirror, &patch).await.unwrap(), first);
    let other = patch.replace("+2", "+3");
    let second = publish(&repo, &mirror, &other).await.unwrap();
    assert_ne!(second, first);
    assert_eq!(repo.git(&["show", &format!("{BRANCH}:a")]), "3");
    assert_eq!(repo.git(&["rev-list", "--count", &format!("main..{BRANCH}")]), "1");
}

#[tokio::test]
async fn what_somebody_else_pushed_is_never_lost() {
    let (repo, mirror, patch) = changed().await;
    publish(&repo, &mirror, &patch).await.unwrap();
    repo.git(&["checkout", "-q", BRANCH]);
    repo.write("theirs", b"work\n");
    let theirs = repo.commit("a person goes on");
    repo.git(&["checkout", "-q", "main"]);
    let error = publish(&repo, &mirror, &patch).await.unwrap_err();
    assert!(matches!(error, ForgeError::BranchTaken { .. }) && error.is_permanent(), "{error}");
    // An own commit that a person amended is a person's.
    repo.git(&["checkout", "-q", "-B", BRANCH, &format!("{theirs}^")]);
    repo.git(&["commit", "-q", "--amend", "-m", &format!("better\n\n{MARK}")]);
    repo.git(&["checkout", "-q", "main"]);
    let error = publish(&repo, &mirror, &patch.replace("+2", "+3")).await.unwrap_err();
    assert!(matches!(error, ForgeError::BranchTaken { .. }), "{error}");
}

#[tokio::test]
async fn no_hook_of_the_folder_runs_and_its_refusals_are_told() {
    let (repo, mirror, patch) = changed().await;
    let marker = repo.beside("ran");
    for hook in ["pre-receive", "update", "post-receive", "reference-transaction"] {
        for folder in ["repo/.git/hooks", "repo/my-hooks"] {
            let script = format!("#!/bin/sh\ntouch '{}'\nexit 1\n", marker.display());
            write(repo.dir.path(), &format!("{folder}/{hook}"), script.as_bytes());
            make_executable(&repo.dir.path().join(folder).join(hook));
        }
    }
    repo.git(&["config", "core.hooksPath", "my-hooks"]);
    publish(&repo, &mirror, &patch).await.unwrap();
    assert!(!marker.exists());
    repo.git(&["config", "receive.denyNonFastForwards", "true"]);
    let error = publish(&repo, &mirror, &patch.replace("+2", "+3")).await.unwrap_err();
    assert!(matches!(error, ForgeError::PushRefused { .. }), "{error}");
}

#[tokio::test]
async fn a_base_that_moves_is_seen() {
    let (repo, mirror, patch) = changed().await;
    let source = Source::parse(&repo.address()).unwrap();
    let now = async |base| mirror.base_now(&source, base, &patch, soon()).await.unwrap();
    let still = now(None).await;
    assert_eq!((still.branch.as_deref(), still.applies), (Some("main"), true));
    repo.write("other", b"y\n");
    repo.commit("elsewhere");
    assert!(now(Some("main")).await.applies, "what moved is not what was changed");
    repo.write("a", b"9\n");
    repo.commit("the same place");
    let moved = now(Some("main")).await;
    assert_eq!((moved.branch.as_deref(), moved.applies), (Some("main"), false));
    assert_eq!(now(Some(mirror.commit())).await.branch, None, "a commit is no branch");
    assert_eq!(now(Some("gone")).await.branch, None);
}

#[tokio::test]
async fn a_patch_that_does_not_fit_is_no_commit() {
    let (repo, mirror, _) = changed().await;
    let error = publish(&repo, &mirror, "diff --git a/a b/a\n--- a/a\n+++ b/a\n@@ -1 +1 @@\n-7\n+8\n").await;
    assert!(matches!(error, Err(ForgeError::PatchDoesNotApply { .. })));
    assert_eq!(repo.git(&["branch", "--list", "codeteam/*"]), "");
}
