//! What is reviewed: the changes of a head since it left its base.

use forge::{FileStatus, ForgeError, Mirror, Source, Wanted};

use crate::support::{Repo, soon};

async fn fetch(repo: &Repo, wanted: Wanted<'_>, into: &str) -> Result<Mirror, ForgeError> {
    let source = Source::parse(&repo.address()).unwrap();
    Mirror::fetch_from(&source, wanted, &repo.beside(into), soon()).await
}

/// main goes on after the branch left it.
fn forked() -> (Repo, String, String) {
    let repo = Repo::with(&[("a.txt", b"1\n2\n3\n4\n5\n6\n7\n8\n9\n"), ("old name", b"keep\nme\nplease\n")]);
    let left = repo.git(&["rev-parse", "HEAD"]);
    repo.git(&["checkout", "-q", "-b", "feature/x"]);
    repo.write("a.txt", b"1\n2\n3\n4\nfive\n6\n7\n8\n9\nten\n");
    repo.write("b\u{e9} c.txt", b"new\n");
    repo.write("latin", b"caf\xe9\n");
    repo.git(&["mv", "old name", "new name"]);
    let head = repo.commit("the change");
    repo.git(&["update-ref", "refs/pull/7/head", &head]);
    repo.git(&["checkout", "-q", "main"]);
    repo.write("main.txt", b"elsewhere\n");
    repo.commit("main goes on");
    (repo, left, head)
}

#[tokio::test]
async fn a_head_is_compared_with_where_it_left_its_base() {
    let (repo, left, head) = forked();
    for (number, name) in ["feature/x", "pull/7", head.as_str()].into_iter().enumerate() {
        for base in [None, Some("main")] {
            let wanted = Wanted { base, head: Some(name), pinned: None };
            let mirror = fetch(&repo, wanted, &format!("mirror-{number}-{}", base.is_some())).await.unwrap();
            assert_eq!((mirror.commit(), mirror.since()), (head.as_str(), Some(left.as_str())), "{name}");
        }
    }
    let wanted = Wanted { base: None, head: Some("pull/7"), pinned: None };
    let mirror = fetch(&repo, wanted, "mirror").await.unwrap();
    let changes = mirror.changes().await.unwrap().unwrap();
    let files: Vec<_> = changes.files.iter().map(|file| (file.path.as_str(), file.status)).collect();
    assert_eq!(
        files,
        [
            ("a.txt", FileStatus::Modified),
            ("b\u{e9} c.txt", FileStatus::Added),
            ("latin", FileStatus::Added),
            ("new name", FileStatus::Renamed)
        ]
    );
    assert_eq!(changes.files[3].from.as_deref(), Some("old name"));
    assert!(!changes.is_cut && changes.diff.contains("+ten") && changes.diff.contains("caf\u{fffd}"));
    assert!(!changes.diff.contains("elsewhere"), "what became of main meanwhile is not reviewed");
    assert_eq!(changes.hunks("a.txt"), [2..=10]);
    assert_eq!(changes.hunks("b\u{e9} c.txt"), [1..=1]);
    assert!(changes.hunks("new name").is_empty() && changes.hunks("main.txt").is_empty());
    let work = mirror.checkout(&repo.beside("work")).await.unwrap();
    assert!(work.path().join("latin").exists(), "the checkout stands at the head");
}

#[tokio::test]
async fn a_later_attempt_sees_the_head_that_the_first_saw() {
    let (repo, left, head) = forked();
    repo.git(&["checkout", "-q", "feature/x"]);
    repo.write("later", b"x\n");
    repo.commit("later");
    let wanted = Wanted { base: Some("main"), head: Some("feature/x"), pinned: Some(&head) };
    let mirror = fetch(&repo, wanted, "mirror").await.unwrap();
    assert_eq!((mirror.commit(), mirror.since()), (head.as_str(), Some(left.as_str())));
    assert!(!mirror.changes().await.unwrap().unwrap().diff.contains("later"));
}

#[tokio::test]
async fn a_head_that_left_its_base_long_ago_is_followed_back() {
    let repo = Repo::with(&[("a", b"0\n")]);
    let left = repo.git(&["rev-parse", "HEAD"]);
    repo.git(&["checkout", "-q", "-b", "long"]);
    for number in 0..60 {
        repo.write("a", format!("{number}\n").as_bytes());
        repo.commit("one of many");
    }
    repo.git(&["checkout", "-q", "main"]);
    repo.write("b", b"1\n");
    repo.commit("main goes on");
    // Of a folder's path git fetches all at once; of a URL it counts.
    let source = Source::parse(&format!("file://{}", repo.address())).unwrap();
    let wanted = Wanted { base: None, head: Some("long"), pinned: None };
    let mirror = Mirror::fetch_from(&source, wanted, &repo.beside("mirror"), soon()).await.unwrap();
    assert_eq!(mirror.since(), Some(left.as_str()));
}

#[tokio::test]
async fn what_never_was_one_history_is_refused() {
    let repo = Repo::with(&[("a", b"1\n")]);
    repo.git(&["checkout", "-q", "--orphan", "other"]);
    repo.commit("another beginning");
    let wanted = Wanted { base: Some("main"), head: Some("other"), pinned: None };
    let error = fetch(&repo, wanted, "mirror").await.err().unwrap();
    assert!(matches!(error, ForgeError::NothingInCommon { .. }) && error.is_permanent(), "{error}");
    let wanted = Wanted { base: Some("main"), head: Some("pull/9"), pinned: None };
    let error = fetch(&repo, wanted, "mirror").await.err().unwrap();
    assert!(matches!(&error, ForgeError::BaseNotFound { base, .. } if base == "pull/9"), "{error}");
}

#[tokio::test]
async fn without_a_head_nothing_is_compared() {
    let repo = Repo::with(&[("a", b"1\n")]);
    let mirror = repo.mirror().await;
    assert_eq!((mirror.since(), mirror.changes().await.unwrap()), (None, None));
}
