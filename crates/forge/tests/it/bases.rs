//! Which commit a base means.

use forge::{ForgeError, Mirror, probe};

use crate::support::{Repo, git, soon};

#[tokio::test]
async fn no_base_means_head_with_its_branch() {
    let repo = Repo::with(&[("a", b"1")]);
    let commit = probe(&repo.address(), None, soon()).await.unwrap();
    assert_eq!(commit.id, repo.git(&["rev-parse", "HEAD"]));
    assert_eq!(commit.name.as_deref(), Some("refs/heads/main"));
    repo.git(&["checkout", "-q", "--detach"]);
    assert_eq!(probe(&repo.address(), None, soon()).await.unwrap().name.as_deref(), Some("HEAD"));
}

#[tokio::test]
async fn a_branch_a_tag_and_a_commit_each_lead_to_their_commit() {
    let repo = Repo::with(&[("a", b"1")]);
    let first = repo.git(&["rev-parse", "HEAD"]);
    repo.git(&["branch", "feature/x"]);
    repo.git(&["tag", "light"]);
    repo.git(&["tag", "-a", "-m", "heavy", "heavy"]);
    repo.write("a", b"2");
    let second = repo.commit("second");
    for (base, id, name) in [
        ("feature/x", &first, Some("refs/heads/feature/x")),
        ("light", &first, Some("refs/tags/light")),
        ("heavy", &first, Some("refs/tags/heavy")),
        ("refs/heads/main", &second, Some("refs/heads/main")),
        (first.as_str(), &first, None),
        (&first[..8], &first, None),
        ("HEAD~1", &first, None),
    ] {
        let commit = probe(&repo.address(), Some(base), soon()).await.unwrap();
        assert_eq!((&commit.id, commit.name.as_deref()), (id, name), "{base}");
        let into = repo.beside("into");
        let mirror = Mirror::fetch(&repo.address(), Some(base), None, &into, soon()).await.unwrap();
        assert_eq!(mirror.commit(), id, "{base}");
        std::fs::remove_dir_all(into).unwrap();
    }
}

#[tokio::test]
async fn a_pinned_commit_is_fetched_wherever_the_branch_stands_by_now() {
    let repo = Repo::with(&[("a", b"1")]);
    let first = repo.git(&["rev-parse", "HEAD"]);
    repo.write("a", b"2");
    repo.git(&["add", "-A"]);
    repo.git(&["commit", "-q", "--amend", "-m", "another"]);
    let into = repo.beside("mirror");
    let mirror = Mirror::fetch(&repo.address(), Some("main"), Some(&first), &into, soon()).await.unwrap();
    assert_eq!(mirror.commit(), first);
    let work = mirror.checkout(&repo.beside("work")).await.unwrap();
    assert_eq!(std::fs::read(work.path().join("a")).unwrap(), b"1");
}

#[tokio::test]
async fn a_pinned_commit_that_is_gone_is_said_to_be_gone_and_leaves_no_folder() {
    let repo = Repo::with(&[("a", b"1")]);
    let gone = "0123456789012345678901234567890123456789";
    let into = repo.beside("mirror");
    let error = Mirror::fetch(&repo.address(), None, Some(gone), &into, soon()).await.err().unwrap();
    assert!(matches!(&error, ForgeError::BaseNotFound { base, .. } if base == gone), "{error}");
    assert!(error.is_permanent() && !into.exists());
}

#[tokio::test]
async fn a_missing_base_is_answered_with_some_that_exist() {
    let repo = Repo::with(&[("a", b"1")]);
    repo.git(&["branch", "develop"]);
    let missing =
        ["nope", "deadbeef", "0123456789012345678901234567890123456789", "a b", "*", "main:a", "^main"];
    for base in missing {
        let error = probe(&repo.address(), Some(base), soon()).await.unwrap_err();
        assert!(matches!(error, ForgeError::BaseNotFound { .. }), "{base}: {error}");
        let message = error.to_string();
        assert!(message.contains(base) && message.contains("main, develop"), "{message}");
    }
}

#[tokio::test]
async fn a_head_without_a_commit_is_told_from_a_repository_without_one() {
    let repo = Repo::empty();
    let error = probe(&repo.address(), None, soon()).await.unwrap_err();
    assert!(matches!(error, ForgeError::NoCommit { .. }), "{error}");
    let error = probe(&repo.address(), Some("main"), soon()).await.unwrap_err();
    assert!(matches!(error, ForgeError::NoCommit { .. }), "{error}");
    repo.commit("first");
    repo.git(&["symbolic-ref", "HEAD", "refs/heads/unborn"]);
    let error = probe(&repo.address(), None, soon()).await.unwrap_err();
    assert!(error.to_string().contains("main") && error.is_permanent(), "{error}");
}

#[tokio::test]
async fn a_tag_of_something_else_than_a_commit_is_no_base() {
    let repo = Repo::with(&[("a", b"1")]);
    repo.git(&["tag", "tree", "HEAD^{tree}"]);
    let into = repo.beside("mirror");
    let error = Mirror::fetch(&repo.address(), Some("tree"), None, &into, soon()).await.err().unwrap();
    assert!(matches!(error, ForgeError::BaseNotFound { .. }), "{error}");
}

#[tokio::test]
async fn some_history_comes_along_and_no_more() {
    let repo = Repo::with(&[("a", b"1")]);
    for number in 0..60 {
        repo.git(&["commit", "-q", "--allow-empty", "-m", &number.to_string()]);
    }
    let work = repo.workspace().await;
    assert_eq!(git(work.path(), &["rev-list", "--count", "HEAD"]), "50");
    assert_eq!(git(work.path(), &["status", "--porcelain"]), "");
    assert_eq!(git(work.path(), &["remote"]), "");
    git(work.path(), &["fsck", "--strict"]);
}

#[tokio::test]
async fn a_shallow_repository_and_one_of_another_hash_are_taken_as_they_are() {
    let deep = Repo::with(&[("a", b"1")]);
    deep.commit("second");
    let shallow = deep.beside("shallow");
    let url = format!("file://{}", deep.address());
    git(deep.dir.path(), &["clone", "-q", "--depth=1", &url, "shallow"]);
    let into = deep.beside("m1");
    let mirror = Mirror::fetch(&shallow.display().to_string(), None, None, &into, soon()).await.unwrap();
    assert_eq!(mirror.commit(), deep.git(&["rev-parse", "HEAD"]));

    let wide = Repo::in_format("sha256");
    wide.write("a", b"1\n");
    let id = wide.commit("first");
    let work = wide.workspace().await;
    assert_eq!((work.commit(), id.len()), (id.as_str(), 64));
    std::fs::write(work.path().join("a"), "2\n").unwrap();
    assert!(work.diff().await.unwrap().contains("\n-1\n+2\n"));
}

#[tokio::test]
async fn the_first_files_and_their_number_are_told() {
    let repo = Repo::with(&[("b/c", b""), ("a", b""), ("d", b"")]);
    let files = repo.mirror().await.files(2).await.unwrap();
    assert_eq!((files.paths, files.total), (vec!["a".to_owned(), "b/c".to_owned()], 3));
}
