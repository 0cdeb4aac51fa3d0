//! What a person gets wrong: one clear sentence that says what to do, the right exit code, and nothing left behind.

use system_tests::{CommandLine, Repo, Said};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

/// One sentence on one line of standard error, nothing on standard output, and these words in it.
fn assert_refused(said: &Said, code: i32, words: &[&str]) {
    assert_eq!(said.code, Some(code), "{said:?}");
    assert_eq!(said.out, "", "{said:?}");
    for word in words {
        assert!(said.err.contains(word), "{word:?} is missing: {said:?}");
    }
    assert!(!said.err.contains("panicked") && !said.err.contains("Error {"), "{said:?}");
}

fn with_key() -> CommandLine {
    CommandLine::with_model("http://127.0.0.1:9")
}

async fn run(line: &CommandLine, repo: &str, more: &[&str]) -> Said {
    let said = line.run(&[&["run", "--repo", repo, "--task", "bug_fix"], more].concat()).await;
    line.all_gone().await;
    said
}

#[tokio::test]
async fn a_prompt_must_say_something_and_not_too_much() {
    let (line, repo) = (with_key(), Repo::demo());
    assert_refused(&run(&line, &repo.url(), &[" "]).await, 2, &["prompt is empty", "say in a sentence"]);
    let long = "x".repeat(100_001);
    assert_refused(&run(&line, &repo.url(), &[&long]).await, 2, &["100001 bytes", "at most 100000"]);
}

#[tokio::test]
async fn an_unknown_word_is_answered_with_the_known_ones() {
    let (line, repo) = (with_key(), Repo::demo());
    let task = line.run(&["run", "--repo", &repo.url(), "--task", "fix_bugs", "x"]).await;
    assert_refused(&task, 2, &["fix_bugs", "bug_fix, refactor"]);
    assert_refused(
        &run(&line, &repo.url(), &["--mode", "wizard", "x"]).await,
        2,
        &["wizard", "mechanic, genius"],
    );
}

#[tokio::test]
async fn a_model_that_nobody_knows_is_answered_with_those_that_can_be_called() {
    let (line, repo) = (with_key(), Repo::demo());
    let said = run(&line, &repo.url(), &["--model", "gpt-99", "x"]).await;
    assert_refused(&said, 2, &["gpt-99", "claude-haiku-4-5", "openai_chat:NAME"]);
}

#[tokio::test]
async fn a_model_whose_provider_gave_no_key_is_answered_with_the_key_to_get() {
    let (line, repo) = (with_key(), Repo::demo());
    let said = run(&line, &repo.url(), &["--model", "gpt-6.1-terra", "x"]).await;
    assert_eq!(said.code, Some(3), "{}", said.err);
    assert!(said.err.contains("the worker has no OPENAI_API_KEY; put {\"OPENAI_API_KEY\""), "{}", said.err);
}

#[tokio::test]
async fn a_repository_that_cannot_be_used_is_named_with_the_reason() {
    let line = with_key();
    assert_refused(&run(&line, "/no/such/place", &["x"]).await, 2, &["/no/such/place", "not found"]);
    let folder = line.path("plain");
    std::fs::create_dir(&folder).unwrap();
    let folder = folder.to_str().unwrap();
    assert_refused(&run(&line, folder, &["x"]).await, 2, &["no git repository", "git init"]);
    let status = std::process::Command::new("git").args(["init", "--quiet", folder]).status().unwrap();
    assert!(status.success());
    assert_refused(&run(&line, folder, &["x"]).await, 2, &["no commit yet"]);
    let repo = Repo::demo();
    assert_refused(&run(&line, &repo.url(), &["--base", "develop", "x"]).await, 2, &["develop", "main"]);
}

#[tokio::test]
async fn a_repository_that_wants_a_password_is_not_waited_for() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/secret.git", listener.local_addr().unwrap());
    let server = tokio::spawn(async move {
        while let Ok((mut connection, _)) = listener.accept().await {
            let mut request = [0; 4096];
            let _ = connection.read(&mut request).await;
            let answer = "HTTP/1.1 401 Unauthorized\r\nWWW-Authenticate: Basic realm=\"x\"\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";
            let _ = connection.write_all(answer.as_bytes()).await;
        }
    });
    assert_refused(&run(&with_key(), &url, &["x"]).await, 2, &["wants credentials"]);
    server.abort();
}

#[tokio::test]
async fn without_a_key_it_says_where_to_put_one_and_that_a_rehearsal_needs_none() {
    let (line, repo) = (CommandLine::new(), Repo::demo());
    assert_refused(
        &run(&line, &repo.url(), &["x"]).await,
        3,
        &["ANTHROPIC_API_KEY", "chmod 600", "--rehearsal"],
    );
    assert_refused(&line.run(&["demo"]).await, 3, &["ANTHROPIC_API_KEY", "--rehearsal"]);
}

#[tokio::test]
async fn secrets_that_others_could_read_or_that_are_not_there_are_refused() {
    let (mut line, repo) = (CommandLine::new(), Repo::demo());
    let path = line.secrets(r#"{"ANTHROPIC_API_KEY": "sk-very-secret"}"#, 0o644);
    let said = run(&line, &repo.url(), &["x"]).await;
    assert_refused(&said, 3, &["chmod 600", path.to_str().unwrap()]);
    assert!(!said.err.contains("sk-very-secret"));
    line.secrets(r#"{"ANTHROPIC_API_KEY": "sk-very-secret"#, 0o600);
    let said = run(&line, &repo.url(), &["x"]).await;
    assert_refused(&said, 3, &["JSON"]);
    assert!(!said.err.contains("sk-very-secret"));
    std::fs::remove_file(&path).unwrap();
    assert_refused(&run(&line, &repo.url(), &["x"]).await, 3, &[path.to_str().unwrap()]);
}

#[tokio::test]
async fn a_database_that_cannot_be_used_is_said_in_a_sentence() {
    let database = testkit::TestDatabase::new().await;
    let mut line = CommandLine::new();
    let admin = database.client("postgres").await;
    line.secrets(&serde_json::json!({"DATABASE_URL": database.url("codeteam_api")}).to_string(), 0o600);
    assert_eq!(line.run(&["jobs"]).await.code, Some(0));
    let newer = "insert into codeteam.schema_history (version, name, applied_on, checksum) values (999, 'x', '2030-01-01T00:00:00Z', '1')";
    admin.batch_execute(newer).await.unwrap();
    // That one only added something.
    assert_eq!(line.run(&["jobs"]).await.code, Some(0));
    line.secrets(&serde_json::json!({"DATABASE_URL": database.url("postgres")}).to_string(), 0o600);
    let done = line.run(&["migrate"]).await;
    assert!(done.code == Some(0) && done.out.contains("nothing was changed"), "{done:?}");
    line.secrets(&serde_json::json!({"DATABASE_URL": database.url("codeteam_api")}).to_string(), 0o600);
    admin.batch_execute("update codeteam.compatibility set works_since = 999").await.unwrap();
    assert_refused(&line.run(&["jobs"]).await, 3, &["version 999", "newer codeteam"]);
    line.secrets(&serde_json::json!({"DATABASE_URL": database.url("postgres")}).to_string(), 0o600);
    assert_refused(&line.run(&["migrate"]).await, 3, &["version 999"]);
    line.secrets(r#"{"DATABASE_URL": "postgres://nobody@127.0.0.1:9/none"}"#, 0o600);
    assert_refused(&line.run(&["jobs"]).await, 3, &["cannot be reached"]);
    let empty = testkit::TestDatabase::empty().await;
    line.secrets(&serde_json::json!({"DATABASE_URL": empty.url("postgres")}).to_string(), 0o600);
    assert_refused(&line.run(&["jobs"]).await, 3, &["codeteam migrate"]);
    let stranger = serde_json::json!({"DATABASE_URL": empty.url("codeteam_api")});
    line.secrets(&stranger.to_string(), 0o600);
    assert_refused(&line.run(&["migrate"]).await, 3, &["role that owns it"]);
    line.secrets(&serde_json::json!({"DATABASE_URL": empty.url("postgres")}).to_string(), 0o600);
    let migrated = line.run(&["migrate"]).await;
    assert_eq!(migrated.code, Some(0), "{migrated:?}");
    assert_eq!(line.run(&["jobs"]).await.code, Some(0));
}

#[tokio::test]
async fn a_home_that_cannot_be_written_is_named() {
    let (mut line, repo) = (with_key(), Repo::demo());
    let file = line.path("a-file");
    std::fs::write(&file, "").unwrap();
    line.set("CODETEAM_HOME", file.to_str().unwrap());
    assert_refused(&run(&line, &repo.url(), &["x"]).await, 3, &[file.to_str().unwrap()]);
}

#[tokio::test]
async fn an_unknown_job_is_answered_with_where_to_look() {
    let (line, repo) = (with_key(), Repo::demo());
    assert_eq!(line.run(&["submit", "--repo", &repo.url(), "--task", "bug_fix", "x"]).await.code, Some(0));
    assert_refused(&line.run(&["show", "00000000"]).await, 2, &["no job 00000000"]);
    assert_refused(&line.run(&["cancel", "zz"]).await, 2, &["no job id"]);
    line.all_gone().await;
}

#[tokio::test]
async fn dead_letters_are_listed_retried_with_changes_and_acknowledged() {
    let database = testkit::TestDatabase::new().await;
    let mut line = CommandLine::new();
    line.secrets(&serde_json::json!({"DATABASE_URL": database.url("codeteam_api")}).to_string(), 0o600);
    let admin = database.client("postgres").await;
    let end = "set search_path = codeteam;
               insert into jobs (mode, task, repo, prompt) select 'mechanic', 'bug_fix', '/srv/app', 'p' from generate_series(1, 3);
               select end_job(id, 'failed', 'none', 'model_error', 'no answer within ' || n || ' ms')
               from (select id, row_number() over () as n from jobs) j";
    admin.batch_execute(end).await.unwrap();

    let dead: serde_json::Value = serde_json::from_str(&line.run(&["dead", "--json"]).await.out).unwrap();
    let group = &dead["groups"][0];
    assert_eq!((group["jobs"].as_i64(), dead["groups"].as_array().unwrap().len()), (Some(3), 1));
    let (id, print) = (group["example"].as_str().unwrap(), group["fingerprint"].as_str().unwrap());
    let listed = line.run(&["dead", "--list", "--fingerprint", print, "--repo", "/srv/app"]).await;
    assert_eq!((listed.code, listed.out.lines().count()), (Some(0), 4), "{listed:?}");

    let retried = line.run(&["retry", &id[..8], "--prompt", "another way", "--step-cap", "40"]).await;
    assert_eq!(retried.code, Some(0), "{retried:?}");
    let logs = line.run(&["logs", id]).await;
    assert!(logs.out.contains("another way") && logs.out.contains("\"step_cap\":40"), "{}", logs.out);
    assert_refused(&line.run(&["retry", id]).await, 1, &["is queued", "can be retried"]);
    assert_refused(&line.run(&["ack", id]).await, 1, &["is queued", "failed or dead"]);

    let counted = line.run(&["retry", "--dead", "--older", "0s", "--dry-run"]).await;
    assert_eq!(counted.out, "2 jobs would be queued again\n", "{counted:?}");
    let none = line.run(&["retry", "--dead", "--older", "1d", "--json"]).await;
    assert!(none.out.contains("\"changed\":0"), "{none:?}");
    let seen = line.run(&["acknowledge", "--dead", "--reason", "model_error", "--by", "ada"]).await;
    assert_eq!(seen.out, "2 jobs acknowledged\n", "{seen:?}");
    assert!(line.run(&["dead"]).await.err.contains("no such dead letter"));
    assert_refused(&line.run(&["retry", "--repo", ".", id]).await, 2, &["give --dead"]);
    assert_refused(&line.run(&["dead", "--state", "queued"]).await, 2, &["select failed or dead"]);
}
