//! From the commit that queued a job to its start in a worker that slept, beside a bare LISTEN/NOTIFY. The clock starts when
//! COMMIT is sent. Codeteam and the floor alternate; the peers take turns with both.

use std::time::{Duration, Instant};

use anyhow::Context;

use crate::bare::Bare;
use crate::own::Sleeper;
use crate::peers::{Peer, Setting};
use crate::report::{Report, Row, quantile};
use crate::server::{CODETEAM, Server};
use crate::turns::{Effort, Outcome, Who, fitting, in_turns};

/// How long a peer may take for its share of a round; one that polls every two seconds gets fewer wakes.
const SHARE: Duration = Duration::from_secs(10);
/// Wakes in a peer's first round, which tells how long one takes.
const FIRST: usize = 5;

#[derive(Default)]
struct Turn {
    wakes: Vec<f64>,
    /// Of the floor, measured along with codeteam: until a notification was heard, and until its answer was.
    there: Vec<f64>,
    back: Vec<f64>,
}

pub async fn measure(server: &Server, peers: &[Peer], effort: Effort) -> anyhow::Result<Report> {
    let wanted = effort.pick(25, 100);
    let database = server.fresh(CODETEAM).await?;
    let mut bare = Bare::start(server, &database).await?;
    let mut sleeper = Sleeper::start(server, &database).await?;
    let mut contestants = vec![Who::Codeteam];
    contestants.extend(peers.iter().flat_map(|peer| Setting::ALL.map(|setting| Who::Peer(peer, setting))));
    let mut sizes = vec![FIRST; contestants.len()];
    let places: Vec<usize> = (0..contestants.len()).collect();
    let outcomes = in_turns(effort.rounds, &places, async |&place| {
        let Who::Peer(peer, setting) = contestants[place] else {
            let mut turn = Turn::default();
            for _ in 0..wanted {
                let (heard, answered) = bare.round().await?;
                turn.there.push(heard);
                turn.back.push(answered);
                turn.wakes.push(sleeper.wake().await?);
            }
            return Ok(turn);
        };
        let start = Instant::now();
        let wakes = ask(server, peer, setting, sizes[place]).await?;
        sizes[place] = fitting(SHARE, sizes[place], start.elapsed(), wanted);
        Ok(Turn { wakes, ..Turn::default() })
    })
    .await?;
    drop((bare, sleeper));
    server.drop(&database).await?;
    Ok(report(&contestants, &outcomes, effort))
}

async fn ask(server: &Server, peer: &Peer, setting: Setting, rounds: usize) -> anyhow::Result<Vec<f64>> {
    let (rounds, setting) = (rounds.to_string(), setting.name());
    let arguments = ["wake", "--rounds", &rounds, "--setting", setting].map(str::to_owned);
    let answer = peer.ask(server, &arguments, SHARE * 12).await?;
    let samples = answer["wake_ms"].as_array().context("it gave no wake_ms")?;
    Ok(samples.iter().filter_map(serde_json::Value::as_f64).collect())
}

fn report(contestants: &[Who<'_>], outcomes: &[Outcome<Turn>], effort: Effort) -> Report {
    let all = |outcome: &Outcome<Turn>, pick: fn(&Turn) -> &Vec<f64>| -> Vec<f64> {
        outcome.got.iter().flat_map(pick).copied().collect()
    };
    let mut rows = Vec::new();
    for (&who, outcome) in contestants.iter().zip(outcomes) {
        if matches!(who, Who::Codeteam) {
            let (there, back) = (all(outcome, |turn| &turn.there), all(outcome, |turn| &turn.back));
            rows.push(row("bare NOTIFY, heard".into(), "", there, String::new()));
            rows.push(row("bare NOTIFY, there and back".into(), "", back, String::new()));
        }
        let how = outcome.trouble.clone().unwrap_or_default();
        rows.push(row(who.name(), who.setting(), all(outcome, |turn| &turn.wakes), how));
    }
    let own = outcomes.first();
    let median = |pick| own.map_or(f64::NAN, |own| quantile(&all(own, pick), 0.5));
    let wake = median(|turn| &turn.wakes);
    let mut ratios =
        vec![("codeteam / bare round trip, p50".to_owned(), wake / median(|turn| &turn.back), "at most 1.5")];
    let peers = outcomes.iter().skip(1).map(|outcome| quantile(&all(outcome, |turn| &turn.wakes), 0.5));
    let peer = peers.fold(f64::NAN, f64::min);
    if !peer.is_nan() {
        ratios.push(("codeteam / quickest peer, p50".to_owned(), wake / peer, "below 1"));
    }
    Report {
        title: format!(
            "Wake: from COMMIT sent to the start of the job, {} rounds, in milliseconds",
            effort.rounds
        ),
        columns: vec!["", "setting", "p50", "p90", "p99", "times", "remark"],
        rows,
        ratios,
    }
}

fn row(name: String, setting: &str, samples: Vec<f64>, remark: String) -> Row {
    let figures = [0.5, 0.9, 0.99].map(|share| format!("{:.2}", quantile(&samples, share)));
    let times = samples.len().to_string();
    Row { cells: [vec![name, setting.to_owned()], figures.to_vec(), vec![times, remark]].concat(), samples }
}
