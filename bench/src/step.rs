//! What a step costs besides the model and the command: from the moment at which an answer left the model's stand-in to the one at
//! which the next request arrived, less the time of the tool. In a repository of ordinary size, beside the commits that a step makes.

use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context, ensure};
use domain::{CapsOverride, Event, JobId, NewJob, Task};
use serde_json::{Value, json};
use store::{Database, ReadEvents};
use system_tests::{ModelServer, Say, tool};
use tokio::time::timeout;

use crate::report::{Report, Row, median, quantile};
use crate::server::{CODETEAM, Server};
use crate::turns::Effort;

const FILES: usize = 2_000;
const STEPS: usize = 60;
/// A job that takes longer hangs.
const LONGEST: Duration = Duration::from_secs(300);

/// What the model does in each of its steps.
#[derive(Clone, Copy)]
enum Kind {
    Edit,
    Command,
    /// A command, in a workspace that differs from its commit already.
    After,
    Read,
}

impl Kind {
    const ALL: [(Kind, &str); 4] = [
        (Kind::Edit, "an edit"),
        (Kind::Command, "a command, nothing changed"),
        (Kind::After, "a command, a file changed"),
        (Kind::Read, "a look at a file"),
    ];

    fn call(self, turn: usize) -> Value {
        match (self, turn) {
            (Kind::Read, STEPS) => tool("finish", json!({"report": "done"})),
            (_, STEPS) => tool("finish", json!({"summary": "done"})),
            (Kind::Edit, _) | (Kind::After, 0) => {
                let (old, new) = (format!("value {turn};"), format!("value {};", turn + 1));
                tool("edit", json!({"path": "part7/file7.txt", "old": old, "new": new}))
            }
            (Kind::Command | Kind::After, _) => tool("bash", json!({"command": format!("true {turn}")})),
            (Kind::Read, _) => tool("read", json!({"path": "part7/file7.txt", "lines": turn + 1})),
        }
    }
}

pub async fn measure(server: &Server, effort: Effort) -> anyhow::Result<Report> {
    let folder = tempfile::tempdir()?;
    std::fs::set_permissions(folder.path(), std::fs::Permissions::from_mode(0o711))?;
    let repo = folder.path().join("repo");
    fill(&repo)?;
    let database = server.fresh(CODETEAM).await?;
    let (mut floors, mut steps) = (Vec::new(), vec![Vec::new(); Kind::ALL.len()]);
    for _ in 0..effort.pick(1, effort.rounds) {
        floors.extend(floor(server).await?);
        for ((kind, _), samples) in Kind::ALL.iter().zip(&mut steps) {
            samples.extend(job(server, &database, folder.path(), &repo, *kind).await?);
        }
    }
    server.drop(&database).await?;
    Ok(report(floors, steps))
}

/// Milliseconds of three commits, each with about as much in it as one of a step's: to reserve, to settle, to tell what a tool said.
async fn floor(server: &Server) -> anyhow::Result<Vec<f64>> {
    let database = server.fresh("template1").await?;
    let client = server.client(&database).await?;
    client.batch_execute("create table rows (data jsonb)").await?;
    let insert = client.prepare("insert into rows values ($1)").await?;
    let data = json!({"text": "x".repeat(700)});
    let mut samples = Vec::new();
    for _ in 0..STEPS {
        let start = Instant::now();
        for _ in 0..3 {
            client.execute(&insert, &[&data]).await?;
        }
        samples.push(start.elapsed().as_secs_f64() * 1e3);
    }
    drop(client);
    server.drop(&database).await?;
    Ok(samples)
}

/// Milliseconds of the worker's own in each step of one job but the first.
async fn job(
    server: &Server,
    database: &str,
    folder: &Path,
    repo: &Path,
    kind: Kind,
) -> anyhow::Result<Vec<f64>> {
    let model = ModelServer::start(move |turn, _| Say::Content(vec![kind.call(turn)])).await;
    let secrets = folder.join("secrets.json");
    let url = server.url_as("codeteam_worker", database);
    std::fs::write(&secrets, json!({"DATABASE_URL": url, "ANTHROPIC_API_KEY": "none"}).to_string())?;
    std::fs::set_permissions(&secrets, std::fs::Permissions::from_mode(0o600))?;
    let program = std::env::current_exe()?.with_file_name("worker");
    ensure!(
        program.is_file(),
        "there is no worker at {}: build it with the same profile first",
        program.display()
    );
    let log = std::fs::File::create(folder.join("log"))?;
    let mut worker = tokio::process::Command::new(program)
        .args(["--mode", "mechanic"])
        .env("SECRETS", format!("file:{}", secrets.display()))
        .env("ANTHROPIC_BASE_URL", &model.url)
        .env("WORK_DIR", folder.join("work"))
        .stdin(Stdio::null())
        .stdout(log.try_clone()?)
        .stderr(log)
        .kill_on_drop(true)
        .spawn()?;
    let api = Arc::new(Database::open(server.config("codeteam_api", database)?).await?);
    let task = if matches!(kind, Kind::Read) { Task::Analysis } else { Task::BugFix };
    let most = u32::try_from(STEPS + 1)?;
    let caps = CapsOverride {
        step_cap: Some(most),
        token_cap: Some(50_000_000),
        time_limit_ms: Some(600_000),
        ..CapsOverride::default()
    };
    let asked = NewJob { caps, ..NewJob::new(task, repo.display().to_string(), "count") };
    let job = api.submit(&NewJob { mode: domain::Mode::Mechanic, ..asked }).await?;
    let tools = timeout(LONGEST, tools(api, job)).await.context("the job does not end")??;
    worker.kill().await?;
    let times = model.times();
    ensure!(
        tools.len() == STEPS && times.len() == STEPS + 1,
        "the job went another way: see {}",
        folder.display()
    );
    let between =
        times.windows(2).map(|pair| pair[1].0.saturating_duration_since(pair[0].1).as_secs_f64() * 1e3);
    // The first step meets caches that are cold.
    Ok(between.zip(tools).skip(1).map(|(between, tool)| between - tool).collect())
}

/// Milliseconds of each step's tool, once the job has ended.
async fn tools(api: Arc<Database>, job: JobId) -> anyhow::Result<Vec<f64>> {
    let mut reader = ReadEvents::new(api, job, 0);
    let mut tools = Vec::new();
    loop {
        for record in reader.next().await? {
            match record.event {
                Event::ToolRan { name, elapsed_ms, .. } if name != "finish" => tools.push(elapsed_ms as f64),
                Event::Finished { .. } => return Ok(tools),
                _ => {}
            }
        }
    }
}

/// A commit of files of one to four kilobytes, twenty to a folder.
fn fill(repo: &Path) -> anyhow::Result<()> {
    for n in 0..FILES {
        let part = repo.join(format!("part{}", n % (FILES / 20)));
        std::fs::create_dir_all(&part)?;
        let text = format!("value 0;\n{}", format!("a line of file {n}\n").repeat(50 + n % 150));
        std::fs::write(part.join(format!("file{n}.txt")), text)?;
    }
    let name = ["-c", "user.name=Bench", "-c", "user.email=bench@localhost"];
    for args in [&["init", "--quiet"][..], &["add", "--all"], &["commit", "--quiet", "--message", "files"]] {
        let status = Command::new("git").arg("-C").arg(repo).args(name).args(args).status()?;
        ensure!(status.success(), "git {args:?} ended with {status}");
    }
    Ok(())
}

fn report(floors: Vec<f64>, steps: Vec<Vec<f64>>) -> Report {
    let bare = median(&floors);
    let row = |name: &str, samples: Vec<f64>| {
        let figures = [0.5, 0.9, 1.0].map(|share| format!("{:.1}", quantile(&samples, share)));
        let cells = [vec![name.to_owned()], figures.to_vec(), vec![samples.len().to_string()]].concat();
        Row { cells, samples }
    };
    let all: Vec<f64> = steps.concat();
    let ratios = vec![
        ("all steps, p50 in ms".into(), median(&all), "at most 10"),
        ("all steps / three commits, p50".into(), median(&all) / bare, "no bound of its own"),
    ];
    let named = Kind::ALL.iter().zip(steps).map(|((_, name), samples)| row(name, samples));
    let rows = std::iter::once(row("three commits", floors)).chain(named).collect();
    Report {
        title: format!("Step: the worker's own milliseconds, model and tools left out, {FILES} files"),
        columns: vec!["", "p50", "p90", "worst", "steps"],
        rows,
        ratios,
    }
}
