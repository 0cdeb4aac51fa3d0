//! The corpus as a regression suite: every case through real workers, a real database and the sandbox, in every protocol.
//!
//! A run takes each case in Anthropic's protocol and, in turn, in one of the others; `CORPUS_PROTOCOLS=all` takes each in all
//! of them. What is held against what: the case's own judgement, the script's steps, and the rehearsal's counts of each
//! answer against ledger, events and job, to the token and the micro-dollar.

use std::ffi::OsString;
use std::path::PathBuf;

use corpus::{Case, Delivered, judge};
use domain::{Event, EventRecord, JobId, Mode, Usage};
use rehearsal::{Count, Played, Protocol, Rehearsal};
use serde_json::Value;
use store::{CallRow, JobRow};
use system_tests::{Team, path_for_commands};

/// The models that are asked in each protocol.
const MODELS: [(Protocol, &str); 4] = [
    (Protocol::Messages, "claude-haiku-4-5"),
    (Protocol::Responses, "gpt-5-mini"),
    (Protocol::Gemini, "gemini-2.5-flash"),
    (Protocol::Chat, "openai_chat:local"),
];

#[tokio::test]
async fn every_rehearsed_case_is_solved_and_all_books_agree() {
    let (cases, path, shown) = cases();
    let rehearsal = Rehearsal::start(corpus::repertoire(&cases)).await.unwrap();
    let mut team = Team::new(&rehearsal.url()).await;
    team.set("OPENAI_BASE_URL", rehearsal.openai_url());
    team.set("GEMINI_BASE_URL", rehearsal.url());
    team.set("PATH", path.to_str().unwrap());
    team.set("SHOWN_PATHS", serde_json::json!(shown));
    team.add_key("OPENAI_API_KEY");
    team.add_key("GOOGLE_API_KEY");
    let folder = tempfile::tempdir().unwrap();
    let mut jobs: Vec<(JobId, &Case, Protocol)> = Vec::new();
    for (index, case) in cases.iter().enumerate() {
        let repository = folder.path().join(&case.name);
        corpus::make(case, &repository).unwrap();
        for (protocol, model) in models_for(index) {
            let job = team.api.submit(&case.job(&repository, Some(model))).await.unwrap();
            jobs.push((job, case, protocol));
        }
    }
    let _workers = [Mode::Mechanic, Mode::Mechanic, Mode::Genius].map(|mode| team.worker_of(mode));
    for (job, case, protocol) in jobs {
        let (row, events) = team.finished(job).await;
        let what = format!("{} in {protocol:?}: {:?}", case.name, row.error);
        let calls = team.api.calls(job).await.unwrap();
        solved(case, &row, &events, &what);
        agree(case, protocol, &rehearsal.played(), (&row, &events, &calls), &what);
    }
    assert_eq!(rehearsal.stop().await.refused, 0);
}

/// The cases that can be done on this machine, the search path for their commands, and what is shown to them.
fn cases() -> (Vec<Case>, OsString, Vec<PathBuf>) {
    let (path, shown) = path_for_commands();
    let able = |case: &Case| {
        let missing = corpus::missing(&case.needs, &path, Team::is_root());
        if !missing.is_empty() {
            eprintln!(
                "left out: {} needs {}, which commands do not find here",
                case.name,
                missing.join(", ")
            );
        }
        missing.is_empty()
    };
    (corpus::built_in().unwrap().into_iter().filter(able).collect(), path, shown)
}

fn models_for(index: usize) -> Vec<(Protocol, &'static str)> {
    match std::env::var("CORPUS_PROTOCOLS").as_deref() {
        Ok("all") => MODELS.to_vec(),
        _ => vec![MODELS[0], MODELS[1 + index % (MODELS.len() - 1)]],
    }
}

fn solved(case: &Case, row: &JobRow, events: &[EventRecord], what: &str) {
    let delivered = events.iter().find_map(|record| match &record.event {
        Event::Delivered { report, findings, .. } => Some((report.as_deref(), findings.as_slice())),
        _ => None,
    });
    let (report, findings) = delivered.unwrap_or_else(|| panic!("nothing was delivered: {what}"));
    let verdict = judge(case, &Delivered { state: row.state, outcome: row.outcome, report, findings });
    assert_eq!(verdict.faults, Vec::<String>::new(), "{what}");
    let turns = case.rehearsal.as_ref().unwrap().turns.len();
    assert_eq!(row.steps, turns as i64, "{what}");
}

/// The rehearsal's counts, the ledger, the events and the job's row say the same.
fn agree(
    case: &Case,
    protocol: Protocol,
    played: &[Played],
    (row, events, calls): (&JobRow, &[EventRecord], &[CallRow]),
    what: &str,
) {
    let played = played.iter().filter(|played| played.script == case.name && played.protocol == protocol);
    let mut answers = Vec::new();
    for answer in played {
        answers.push((usage(&answer.count), cost(&answer.asked, &answer.count)));
    }
    let ledger: Vec<(Usage, u64)> = calls.iter().map(|call| (call.usage, call.cost.0 as u64)).collect();
    let told = events.iter().filter_map(|record| match &record.event {
        Event::ModelReplied { usage, cost, .. } => Some((*usage, cost.0 as u64)),
        _ => None,
    });
    assert!(calls.iter().all(|call| call.settled), "{what}");
    assert_eq!(told.collect::<Vec<_>>(), answers, "events: {what}");
    // The ledger has no column for what is for information only.
    let without_reasoning = |(usage, cost): (Usage, u64)| (Usage { reasoning: 0, ..usage }, cost);
    let sums: Vec<(Usage, u64)> = answers.into_iter().map(without_reasoning).collect();
    assert_eq!(ledger.into_iter().map(without_reasoning).collect::<Vec<_>>(), sums, "ledger: {what}");
    let sum = sums.iter().fold(Usage::default(), |sum, (usage, _)| sum + *usage);
    assert_eq!(Usage { reasoning: 0, ..row.usage }, sum, "job: {what}");
    assert_eq!(row.cost.0 as u64, sums.iter().map(|(_, cost)| cost).sum::<u64>(), "job: {what}");
    assert_eq!(row.models, ["rehearsal"], "it is named for what it is: {what}");
}

fn usage(count: &Count) -> Usage {
    Usage {
        uncached: count.uncached,
        cache_read: count.cache_read,
        cache_write_5m: count.cache_write_5m,
        output: count.output,
        reasoning: count.reasoning,
        ..Usage::default()
    }
}

/// Micro-dollars by the catalogue's file, read without the program's own code; what is not in it costs nothing.
fn cost(model: &str, count: &Count) -> u64 {
    let catalogue = include_str!("../../../crates/models/catalogue.json");
    let catalogue: Value = serde_json::from_str(catalogue).unwrap();
    let models = catalogue["models"].as_array().unwrap();
    let Some(model) = models.iter().find(|known| known["name"] == model) else { return 0 };
    let price = |kind: &str| model["price"][kind].as_u64().unwrap();
    let millionths = count.uncached * price("input")
        + count.cache_read * price("cache_read")
        + count.cache_write_5m * price("cache_write_5m")
        + count.output * price("output");
    millionths.div_ceil(1_000_000)
}
