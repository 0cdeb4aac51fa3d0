//! Jobs per second while ten workers work off a backlog, with handlers that do nothing: what a job costs beside its work.
//! Codeteam claims through the store, as a worker does, and writes each job's journal; what each does for a job's
//! safety stands beside its figures.

use std::time::Duration;

use anyhow::Context;

use crate::floor;
use crate::own;
use crate::peers::{Peer, Setting};
use crate::report::{Report, Row, median, spread};
use crate::server::{CODETEAM, Server};
use crate::turns::{Effort, Outcome, Who, fitting, in_turns};

const WORKERS: usize = 10;
/// Jobs of the first try, which begins to tell how many fit into a turn.
const FIRST: usize = 50;

#[derive(Clone, Copy)]
struct Contestant<'a> {
    who: Who<'a>,
    /// Whether many jobs go through one statement, as far as it can do that.
    batch: bool,
}

pub async fn measure(server: &Server, peers: &[Peer], effort: Effort) -> anyhow::Result<Report> {
    let share = effort.pick(Duration::from_secs(1), Duration::from_secs(4));
    let most = effort.pick(2_000, 20_000);
    let mut contestants = vec![Contestant { who: Who::Floor, batch: false }];
    contestants.extend([false, true].map(|batch| Contestant { who: Who::Codeteam, batch }));
    for peer in peers {
        let settings = [(Setting::Default, false), (Setting::Best, false), (Setting::Best, true)];
        contestants
            .extend(settings.map(|(setting, batch)| Contestant { who: Who::Peer(peer, setting), batch }));
    }
    let mut sizes: Vec<Option<usize>> = vec![None; contestants.len()];
    let places: Vec<usize> = (0..contestants.len()).collect();
    let outcomes = in_turns(effort.rounds, &places, async |&place| {
        let contestant = contestants[place];
        let jobs = match sizes[place] {
            Some(jobs) => jobs,
            None => {
                let mut jobs = FIRST;
                // The second try has more jobs, so that what each worker learns in its first ones counts for less.
                for _ in 0..2 {
                    let rate = run(server, contestant, jobs).await?;
                    jobs = fitting(share, jobs, Duration::from_secs_f64(jobs as f64 / rate), most);
                }
                jobs
            }
        };
        sizes[place] = Some(jobs);
        run(server, contestant, jobs).await
    })
    .await?;
    Ok(report(&contestants, &sizes, &outcomes, effort))
}

async fn run(server: &Server, contestant: Contestant<'_>, jobs: usize) -> anyhow::Result<f64> {
    match contestant.who {
        Who::Floor => floor::drain(server, jobs, WORKERS).await,
        Who::Codeteam => {
            let database = server.fresh(CODETEAM).await?;
            let rate = own::drain(server, &database, jobs, WORKERS, contestant.batch).await;
            server.drop(&database).await?;
            rate
        }
        Who::Peer(peer, setting) => {
            let (jobs, workers) = (jobs.to_string(), WORKERS.to_string());
            let batch = if contestant.batch { "yes" } else { "no" };
            let arguments = [
                "drain",
                "--jobs",
                &jobs,
                "--workers",
                &workers,
                "--batch",
                batch,
                "--setting",
                setting.name(),
            ];
            let answer = peer.ask(server, &arguments.map(str::to_owned), Duration::from_secs(120)).await?;
            answer["jobs_per_s"].as_f64().context("it gave no jobs_per_s")
        }
    }
}

fn report(
    contestants: &[Contestant<'_>],
    sizes: &[Option<usize>],
    outcomes: &[Outcome<f64>],
    effort: Effort,
) -> Report {
    let best_of = |wanted: &dyn Fn(&Contestant<'_>) -> bool| {
        let those = contestants.iter().zip(outcomes).filter(|(contestant, _)| wanted(contestant));
        those.map(|(_, outcome)| median(&outcome.got)).fold(f64::NAN, f64::max)
    };
    let own = best_of(&|it| matches!(it.who, Who::Codeteam) && !it.batch);
    let batched = best_of(&|it| matches!(it.who, Who::Codeteam) && it.batch);
    let floor = best_of(&|it| matches!(it.who, Who::Floor));
    let fencing = |who: Who<'_>| matches!(who, Who::Peer(peer, _) if peer.fences());
    let rows = contestants.iter().zip(sizes).zip(outcomes).map(|((it, jobs), outcome)| {
        let figures = if outcome.got.is_empty() {
            [(); 4].map(|()| "-".to_owned())
        } else {
            let rate = median(&outcome.got);
            let jobs = jobs.unwrap_or_default().to_string();
            [format!("{rate:.0}"), spread(&outcome.got), format!("{:.2}", rate / own), jobs]
        };
        let how = if it.batch { "batched" } else { "one by one" };
        let start = vec![it.who.name(), it.who.setting().to_owned(), how.to_owned()];
        let cells = [start, figures.to_vec(), vec![outcome.remark(it.who)]].concat();
        Row { cells, samples: outcome.got.clone() }
    });
    let mut ratios =
        vec![("codeteam / floor, one by one".to_owned(), own / floor, "the nearer to 1 the better")];
    let peers = [
        (
            "fastest peer that fences, one by one",
            own / best_of(&|it| fencing(it.who) && !it.batch),
            "at least 1.5",
        ),
        (
            "fastest peer that fences, batched",
            batched / best_of(&|it| fencing(it.who) && it.batch),
            "at least 1.5",
        ),
        (
            "fastest peer, one by one",
            own / best_of(&|it| matches!(it.who, Who::Peer(..)) && !it.batch),
            "above 1",
        ),
        (
            "fastest peer, batched",
            batched / best_of(&|it| matches!(it.who, Who::Peer(..)) && it.batch),
            "above 1",
        ),
    ];
    let measured = peers.into_iter().filter(|(_, ratio, _)| !ratio.is_nan());
    ratios.extend(measured.map(|(peer, ratio, meant)| (format!("codeteam / {peer}"), ratio, meant)));
    Report {
        title: format!("Throughput: jobs per second through {WORKERS} workers, {} rounds", effort.rounds),
        columns: vec![
            "",
            "setting",
            "how",
            "jobs/s",
            "spread",
            "share",
            "jobs",
            "what it does for a job's safety",
        ],
        rows: rows.collect(),
        ratios,
    }
}
