//! `codeteam` as a person uses it.

use nix::sys::signal::Signal;
use rehearsal::Rehearsal;
use serde_json::{Value, json};
use system_tests::{CommandLine, ModelServer, PATIENCE, Repo, Say, is_empty, say, tool};

const REPO: &[(&str, &str)] =
    &[("count.sh", "echo $(($1 + 2))\n"), ("test.sh", "test $(sh count.sh 1) = 2\n")];

async fn counter() -> ModelServer {
    ModelServer::start(|turn, _| {
        Say::Content(match turn {
            0 => vec![say("I look."), tool("bash", json!({"command": "cat count.sh"}))],
            1 => vec![tool("edit", json!({"path": "count.sh", "old": "+ 2", "new": "+ 1"}))],
            _ => vec![tool("finish", json!({"summary": "adds one"}))],
        })
    })
    .await
}

/// A model whose first command does not end within the test.
async fn dawdler() -> ModelServer {
    ModelServer::start(|_, _| Say::Content(vec![tool("bash", json!({"command": "sleep 600"}))])).await
}

#[tokio::test]
async fn the_demo_goes_from_sleep_to_a_verified_patch_and_back_to_sleep() {
    let line = CommandLine::new();
    let said = line.run(&["demo", "--rehearsal"]).await;
    assert_eq!(said.code, Some(0), "{said:?}");
    let all = said.out + &said.err;
    for part in
        ["REHEARSAL", "workers: 0", "verified", "+    return int((cents", "rehearsal", "back to 0 workers"]
    {
        assert!(all.contains(part), "{part:?} is missing from: {all}");
    }
    line.all_gone().await;
    assert!(is_empty(&line.temporary()), "the demo leaves something behind");
}

#[tokio::test]
async fn a_run_prints_the_models_diff_and_what_the_model_server_counted() {
    let model = counter().await;
    let line = CommandLine::with_model(&model.url);
    let repo = Repo::with(REPO);
    let args = [
        "run",
        "--json",
        "--repo",
        &repo.url(),
        "--task",
        "bug_fix",
        "--test-command",
        "sh test.sh",
        "it adds two",
    ];
    let said = line.run(&args).await;
    assert_eq!(said.code, Some(0), "{said:?}");
    let result: Value = serde_json::from_str(&said.out).expect("one JSON object and nothing else");
    assert_eq!(result["state"], "succeeded");
    assert_eq!(result["outcome"], "verified");
    assert_eq!(result["exit_reason"], "finished");
    assert_eq!(result["steps"], 3);
    assert_eq!(result["model"], "claude-haiku-4-5");
    assert!(repo.passes_with(result["diff"].as_str().unwrap(), "sh test.sh"));
    let usage = model.usage();
    assert_eq!(result["tokens"]["uncached"], usage.uncached);
    assert_eq!(result["tokens"]["cache_read"], usage.cache_read);
    assert_eq!(result["tokens"]["cache_write_5m"], usage.cache_write_5m);
    assert_eq!(result["tokens"]["output"], usage.output);
    assert!(result["cost_micros"].as_i64().unwrap() > 0 && result["elapsed_ms"].as_i64().unwrap() > 0);
    line.all_gone().await;

    // What happened is still there, and can be looked at.
    let id = result["id"].as_str().unwrap();
    let shown = line.run(&["show", &id[..8], "--json"]).await;
    assert_eq!(shown.code, Some(0), "{shown:?}");
    assert!(shown.out.contains(id));
    line.all_gone().await;
}

#[tokio::test]
async fn without_json_only_the_diff_is_on_standard_output() {
    let model = counter().await;
    let line = CommandLine::with_model(&model.url);
    let repo = Repo::with(REPO);
    let said = line.run(&["run", "--repo", &repo.url(), "--task", "bug_fix", "it adds two"]).await;
    assert_eq!(said.code, Some(0), "{said:?}");
    assert!(said.out.starts_with("diff --git a/count.sh b/count.sh"), "{}", said.out);
    assert!(repo.passes_with(&said.out, "sh test.sh"));
    assert!(said.err.contains("unverified"), "{}", said.err);
}

#[tokio::test]
async fn a_job_that_does_not_succeed_ends_with_exit_code_1_and_still_hands_over_what_there_is() {
    let model = ModelServer::start(|turn, _| {
        Say::Content(vec![match turn {
            0 => tool("edit", json!({"path": "count.sh", "old": "+ 2", "new": "+ 3"})),
            _ => tool("finish", json!({"summary": "all tests pass"})),
        }])
    })
    .await;
    let line = CommandLine::with_model(&model.url);
    let repo = Repo::with(REPO);
    let args =
        ["run", "--repo", &repo.url(), "--task", "bug_fix", "--test-command", "sh test.sh", "it adds two"];
    let said = line.run(&args).await;
    assert_eq!(said.code, Some(1), "{said:?}");
    assert!(said.out.contains("+ 3"));
    assert!(said.err.contains("failed"), "{}", said.err);
}

#[tokio::test]
async fn a_team_stops_on_ctrl_c_leaves_nothing_running_and_goes_on_where_it_stopped() {
    let pace = std::time::Duration::from_millis(500);
    let model = Rehearsal::start_paced(rehearsal::demo::script().unwrap(), pace).await.unwrap();
    let line = CommandLine::with_model(&model.url());
    let repo = Repo::demo();
    let mut up = line.start(&["up"]);
    up.until("codeteam submit").await;
    let test = rehearsal::demo::TEST_COMMAND;
    let args =
        ["submit", "--repo", &repo.url(), "--task", "bug_fix", "--test-command", test, "a cent too dear"];
    let submitted = line.run(&args).await;
    assert_eq!(submitted.code, Some(0), "{submitted:?}");
    let id = submitted.out.trim().to_owned();
    let at_work = async {
        while model.served().requests < 2 {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(PATIENCE, at_work).await.expect("the job to be at work");
    up.signal(Signal::SIGINT);
    assert_eq!(up.wait().await, Some(0), "{}", up.said());
    line.all_gone().await;
    let shown: Value = serde_json::from_str(&line.run(&["jobs", "--json"]).await.out).unwrap();
    assert!(shown.to_string().contains("\"queued\""), "the job is neither lost nor failed: {shown}");
    let before = model.served().requests;

    let mut up = line.start(&["up"]);
    up.until("codeteam submit").await;
    let logs = line.run(&["logs", &id, "--follow"]).await;
    assert_eq!(logs.code, Some(0), "{logs:?}");
    assert!(logs.out.contains("succeeded") && logs.out.contains("verified"), "{}", logs.out);
    up.signal(Signal::SIGTERM);
    assert_eq!(up.wait().await, Some(0), "{}", up.said());
    line.all_gone().await;
    let turns = 6;
    assert!(before < turns, "it was done before it was stopped");
    assert_eq!(model.stop().await.requests, turns, "no step was asked for twice");
}

#[tokio::test]
async fn a_team_that_is_killed_takes_everything_with_it() {
    let model = dawdler().await;
    let line = CommandLine::with_model(&model.url);
    let repo = Repo::with(REPO);
    let mut up = line.start(&["up"]);
    up.until("codeteam submit").await;
    line.run(&["submit", "--repo", &repo.url(), "--task", "bug_fix", "it adds two"]).await;
    let asked = async {
        while model.requests().is_empty() {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(PATIENCE, asked).await.expect("the job to be at work");
    up.signal(Signal::SIGKILL);
    assert_eq!(up.wait().await, None);
    line.all_gone().await;
    let jobs = line.run(&["jobs", "--json"]).await;
    assert_eq!(jobs.code, Some(0), "the data is whole: {jobs:?}");
}

#[tokio::test]
async fn a_second_team_on_the_same_home_is_told_who_has_it() {
    let model = counter().await;
    let line = CommandLine::with_model(&model.url);
    let mut up = line.start(&["up"]);
    up.until("codeteam submit").await;
    let second = line.run(&["up"]).await;
    assert_eq!(second.code, Some(3), "{second:?}");
    assert!(second.err.contains("in use by `codeteam up`"), "{}", second.err);
    // A job can be run in the team that is there.
    let repo = Repo::with(REPO);
    let ran = line.run(&["run", "--repo", &repo.url(), "--task", "bug_fix", "it adds two"]).await;
    assert_eq!(ran.code, Some(0), "{ran:?}");
    up.signal(Signal::SIGINT);
    assert_eq!(up.wait().await, Some(0), "{}", up.said());
    line.all_gone().await;
}

#[tokio::test]
async fn a_long_list_of_jobs_is_read_page_by_page_and_ends_with_how_many_there_are() {
    let line = CommandLine::with_model("http://127.0.0.1:9");
    let repo = Repo::with(REPO);
    let mut up = line.start(&["up"]);
    up.until("codeteam submit").await;
    line.run(&["pause", "mechanic", "nobody is to work on them"]).await;
    for prompt in ["first", "second", "third"] {
        let said = line.run(&["submit", "--repo", &repo.url(), "--task", "bug_fix", prompt]).await;
        assert_eq!(said.code, Some(0), "{said:?}");
    }
    let page = line.run(&["jobs", "--limit", "2"]).await;
    assert_eq!((page.code, page.out.lines().count()), (Some(0), 3), "a heading and two jobs: {page:?}");
    assert!(page.err.contains("in all: 3 queued"), "{page:?}");
    let below = page.err.split("--below ").nth(1).unwrap().split_whitespace().next().unwrap();
    let rest = line.run(&["jobs", "--limit", "2", "--below", below, "--mode", "mechanic", "--json"]).await;
    let rest: Value = serde_json::from_str(&rest.out).unwrap();
    assert_eq!((rest.as_array().unwrap().len(), &rest[0]["prompt"]), (1, &Value::from("first")));
    let none = line.run(&["jobs", "--mode", "genius"]).await;
    assert_eq!((none.code, none.out.as_str()), (Some(0), ""), "{none:?}");
    up.signal(Signal::SIGTERM);
    assert_eq!(up.wait().await, Some(0), "{}", up.said());
    line.all_gone().await;
}
