//! The forge's App against the stand-in, without a worker: what is asked, and what becomes of each answer.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use forge::github::{Access, App, AppSettings, GitHubError, NewPull, NewReview, Remark, Rights};
use forge::{Mirror, Wanted};
use jiff::Timestamp;
use serde_json::json;
use service::{ExposeSecret, SecretString};
use system_tests::Repo;
use system_tests::github::{APP_ID, Fault, GitHub, Key, LOGIN};
use tokio::time::Instant;

const LONG: &str = "1\n2\n3\n4\n5\n6\n7\n8\n9\n10\n11\n12\n13\n14\n15\n16\n17\n18\n19\n20\n";

fn soon() -> Instant {
    Instant::now() + Duration::from_secs(60)
}

/// `o/r` with a pull request that changes lines 10 and 11 of a.txt.
async fn hosted() -> (GitHub, String, u64) {
    let github = GitHub::start().await;
    let repo = Repo::with(&[("a.txt", LONG), ("b.txt", "b\n")]);
    repo.git(&["checkout", "--quiet", "-b", "topic"]);
    std::fs::write(repo.path().join("a.txt"), LONG.replace("10\n11\n", "ten\neleven\n")).unwrap();
    repo.commit("words");
    repo.git(&["checkout", "--quiet", "main"]);
    let url = github.host("o/r", &repo);
    let number = github.open("o/r", "topic", "main");
    (github, url, number)
}

fn app_at(github: &GitHub, now: fn() -> Timestamp, told: Arc<Mutex<Vec<String>>>) -> App {
    service::tls::install_default();
    let key = SecretString::from(Key::of_all().pem.clone());
    App::new(AppSettings {
        api_url: &github.url,
        id: APP_ID,
        key: &key,
        another_key: Arc::new(|_| None),
        now,
        on_token: Box::new(move |token| told.lock().unwrap().push(token.expose_secret().to_owned())),
    })
    .unwrap()
}

fn app(github: &GitHub) -> App {
    app_at(github, Timestamp::now, Arc::default())
}

async fn enter(github: &GitHub, url: &str, rights: Rights) -> Result<Access, GitHubError> {
    let app = app(github);
    let slug = app.slug(url).unwrap();
    app.enter(slug, rights, soon()).await
}

fn remark(path: &str, line: u32, start_line: Option<u32>) -> Remark {
    Remark { path: path.into(), line, start_line, body: format!("about {path}:{line}") }
}

#[tokio::test]
async fn a_token_is_good_for_one_repository_and_what_is_needed_and_is_given_back() {
    let (github, url, _) = hosted().await;
    github.host("o/other", &Repo::with(&[("x", "x\n")]));
    let told = Arc::new(Mutex::new(Vec::new()));
    let app = app_at(&github, Timestamp::now, told.clone());
    let access = app.enter(app.slug(&url).unwrap(), Rights::Read, soon()).await.unwrap();
    let (token, grant) = github.tokens().pop().unwrap();
    assert_eq!(grant.repository, "o/r");
    assert_eq!(grant.permissions, json!({"metadata": "read", "contents": "read"}));
    assert!(told.lock().unwrap().contains(&token), "it is told, so that it can be hidden");
    let identity = access.identity(soon()).await.unwrap().clone();
    assert_eq!(
        (identity.login.as_str(), identity.email.as_str()),
        (LOGIN, "991+codeteam-test[bot]@users.noreply.127.0.0.1")
    );
    let dir = tempfile::tempdir().unwrap();
    let source = access.source(soon()).await.unwrap();
    assert!(!source.address().contains(&token));
    let wanted = Wanted { head: Some("pull/1"), ..Wanted::default() };
    let mirror = Mirror::fetch_from(&source, wanted, &dir.path().join("mirror"), soon()).await.unwrap();
    assert_eq!(mirror.commit(), github.git("o/r", &["rev-parse", "topic"]));
    access.leave().await;
    assert!(github.tokens().pop().unwrap().1.revoked);
    assert_eq!(github.wrong(), Vec::<String>::new());
}

#[tokio::test]
async fn a_clock_that_is_wrong_by_hours_is_put_right() {
    fn late() -> Timestamp {
        Timestamp::now() + jiff::SignedDuration::from_hours(30)
    }
    fn early() -> Timestamp {
        Timestamp::now() - jiff::SignedDuration::from_hours(30)
    }
    let (github, url, _) = hosted().await;
    for now in [late, early] {
        let app = app_at(&github, now, Arc::default());
        app.enter(app.slug(&url).unwrap(), Rights::Read, soon()).await.unwrap();
    }
}

#[tokio::test]
async fn a_key_that_was_replaced_is_looked_for_anew() {
    let (github, url, _) = hosted().await;
    let new = SecretString::from(github.replace_key());
    service::tls::install_default();
    let old = SecretString::from(Key::of_all().pem.clone());
    let app = App::new(AppSettings {
        api_url: &github.url,
        id: APP_ID,
        key: &old,
        another_key: Arc::new(move |refused| {
            (refused.expose_secret() != new.expose_secret()).then(|| new.clone())
        }),
        now: Timestamp::now,
        on_token: Box::new(|_| {}),
    })
    .unwrap();
    for _ in 0..2 {
        app.enter(app.slug(&url).unwrap(), Rights::Read, soon()).await.unwrap();
    }
    let again = app.enter(app.slug(&url).unwrap(), Rights::Read, soon());
    github.replace_key();
    assert!(matches!(again.await, Err(GitHubError::KeyRefused { .. })));
}

#[tokio::test]
async fn a_token_that_is_taken_away_is_replaced() {
    let (github, url, number) = hosted().await;
    let access = enter(&github, &url, Rights::ReadPulls).await.unwrap();
    github.revoke_tokens();
    assert_eq!(access.pull(number, soon()).await.unwrap().head.branch, "topic");
    github.revoke_tokens();
    let dir = tempfile::tempdir().unwrap();
    let into = dir.path().join("mirror");
    let fetch =
        async |source: &forge::Source| Mirror::fetch_from(source, Wanted::default(), &into, soon()).await;
    access.with_source(soon(), fetch).await.unwrap();
    assert_eq!(github.tokens().len(), 3);
}

#[tokio::test]
async fn each_way_to_be_turned_away_says_what_to_do() {
    let (github, url, _) = hosted().await;
    let app = app(&github);
    let unknown = app.enter(app.slug(&format!("{}/o/none", github.url)).unwrap(), Rights::Read, soon()).await;
    assert!(matches!(unknown, Err(GitHubError::NotInstalled { repo }) if repo == "o/none"));

    github.grant_only(json!({"metadata": "read", "contents": "read"}));
    let error = enter(&github, &url, Rights::PullRequest).await.err().unwrap();
    assert!(matches!(error, GitHubError::Forbidden { .. }) && error.is_permanent(), "{error}");
    assert!(error.to_string().contains("Pull requests: read and write"), "{error}");
    let access = enter(&github, &url, Rights::Read).await.unwrap();
    let error = access.pull(1, soon()).await.unwrap_err();
    assert!(matches!(error, GitHubError::Forbidden { .. }), "{error}");

    github.suspend();
    let error = enter(&github, &url, Rights::Read).await.err().unwrap();
    assert!(matches!(&error, GitHubError::Suspended { account, .. } if account == "o"), "{error}");
    github.uninstall();
    let error = enter(&github, &url, Rights::Read).await.err().unwrap();
    assert!(error.to_string().contains("install it on this repository"), "{error}");
    github.replace_key();
    let error = enter(&github, &url, Rights::Read).await.err().unwrap();
    assert!(matches!(error, GitHubError::KeyRefused { .. }) && error.is_permanent(), "{error}");
    assert!(error.to_string().contains("GITHUB_APP_PRIVATE_KEY"), "{error}");
}

#[tokio::test]
async fn who_is_throttled_waits_as_told_or_says_so_when_there_is_no_time() {
    let (github, url, number) = hosted().await;
    let access = enter(&github, &url, Rights::ReadPulls).await.unwrap();
    let mut first = true;
    github.faults(move |_, path| {
        let throttled = path.ends_with("/pulls/1") && std::mem::take(&mut first);
        throttled.then(|| {
            Fault::Answer(
                403,
                json!({"message": "You have exceeded a secondary rate limit"}),
                &[("retry-after", "1")],
            )
        })
    });
    assert_eq!(access.pull(number, soon()).await.unwrap().number, number);
    github.faults(|_, _| Some(Fault::Answer(429, json!({"message": "later"}), &[("retry-after", "3600")])));
    let error = access.pull(number, soon()).await.unwrap_err();
    assert!(
        matches!(&error, GitHubError::Throttled { wait: Some(wait), .. } if wait.as_secs() == 3600)
            && !error.is_permanent(),
        "{error}"
    );
    github.faults(|_, _| Some(Fault::Answer(502, json!(null), &[])));
    let error = access.pull(number, soon()).await.unwrap_err();
    assert!(matches!(error, GitHubError::Unavailable { .. }) && !error.is_permanent(), "{error}");
}

#[tokio::test]
async fn a_review_is_one_and_what_stands_at_no_place_of_the_changes_goes_into_its_text() {
    let (github, url, number) = hosted().await;
    let access = enter(&github, &url, Rights::Review).await.unwrap();
    let remarks = [
        remark("a.txt", 10, None),
        remark("a.txt", 1, None),
        remark("a.txt", 11, Some(10)),
        remark("b.txt", 1, None),
        remark("a.txt", 11, Some(2)),
    ];
    let commit = github.git("o/r", &["rev-parse", "topic"]);
    let new = NewReview { commit: &commit, mark: "<!-- mark -->", remarks: &remarks };
    let text = |homeless: &[usize]| format!("homeless: {homeless:?}");
    let posted = access.review(number, &new, text, soon()).await.unwrap();
    assert!(!posted.was_there);
    let reviews = github.reviews();
    assert_eq!(reviews.len(), 1, "what was tried is thrown away: {reviews:#?}");
    let (review, comments) = &reviews[0];
    assert_eq!(review["body"], "<!-- mark -->\nhomeless: [1, 3, 4]");
    assert_eq!((&review["state"], &review["commit_id"]), (&json!("COMMENTED"), &json!(commit)));
    assert_eq!(comments.len(), 2);
    assert_eq!(comments[1]["start_line"], 10);
    let again = access.review(number, &new, text, soon()).await.unwrap();
    assert_eq!((again.was_there, again.url), (true, posted.url));
    assert_eq!(github.reviews().len(), 1);
    assert_eq!(github.wrong(), Vec::<String>::new());
}

#[tokio::test]
async fn a_review_of_a_commit_that_was_pushed_over_is_written_all_the_same() {
    let (github, url, number) = hosted().await;
    let access = enter(&github, &url, Rights::Review).await.unwrap();
    let remarks = [remark("a.txt", 10, None)];
    let gone = "0123456789012345678901234567890123456789";
    let new = NewReview { commit: gone, mark: "<!-- mark -->", remarks: &remarks };
    access.review(number, &new, |homeless| format!("{homeless:?}"), soon()).await.unwrap();
    assert_eq!(github.reviews()[0].0["body"], "<!-- mark -->\n[0]");
}

#[tokio::test]
async fn a_pull_request_is_made_once_also_when_the_answer_is_lost() {
    let (github, url, _) = hosted().await;
    github.git("o/r", &["branch", "mine", "topic"]);
    let access = enter(&github, &url, Rights::PullRequest).await.unwrap();
    let mut first = true;
    // A proxy lets the request through and answers with nothing.
    github.faults(move |method, path| {
        (method == "POST" && path.ends_with("/pulls") && std::mem::take(&mut first)).then_some(Fault::Lose)
    });
    let new = NewPull { title: "One", body: "text", head: "mine", base: "main", or_ready: true };
    let opened = access.open_pull(&new, soon()).await.unwrap();
    assert!(opened.draft);
    let other = NewPull { title: "Two", ..new };
    assert_eq!(access.open_pull(&other, soon()).await.unwrap().number, opened.number);
    let mine: Vec<_> = github.pulls().into_iter().filter(|pull| pull["head"]["ref"] == "mine").collect();
    assert_eq!((mine.len(), &mine[0]["title"]), (1, &json!("Two")));
    assert_eq!(github.wrong(), Vec::<String>::new());
}

#[tokio::test]
async fn where_there_are_no_drafts_only_what_is_good_is_offered_as_ready() {
    let (github, url, _) = hosted().await;
    github.git("o/r", &["branch", "mine", "topic"]);
    github.without_drafts();
    let access = enter(&github, &url, Rights::PullRequest).await.unwrap();
    let new = NewPull { title: "One", body: "text", head: "mine", base: "main", or_ready: false };
    let error = access.open_pull(&new, soon()).await.unwrap_err();
    assert!(matches!(&error, GitHubError::Refused { detail, .. } if detail.contains("Draft")), "{error}");
    assert!(!access.open_pull(&NewPull { or_ready: true, ..new }, soon()).await.unwrap().draft);
}

#[tokio::test]
async fn one_comment_is_edited_and_a_strangers_copy_of_its_mark_is_passed_over() {
    let (github, url, number) = hosted().await;
    let access = enter(&github, &url, Rights::Review).await.unwrap();
    github.comment("o/r", number, "<!-- m -->\nnothing to see here");
    let first = access.say(number, "<!-- m -->", "begun", soon()).await.unwrap();
    assert_eq!(access.say(number, "<!-- m -->", "done", soon()).await.unwrap(), first);
    let bodies: Vec<_> = github.comments().iter().map(|comment| comment["body"].clone()).collect();
    assert_eq!(bodies, ["<!-- m -->\nnothing to see here", "<!-- m -->\ndone"]);
    assert_eq!(github.wrong(), Vec::<String>::new());
}
