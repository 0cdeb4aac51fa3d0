//! What a scaler costs that has nothing to do: statements, as the server counts them, calls to AWS, the processor and memory. What it
//! does while it starts, and the first metrics with what they count, are left out.

use std::collections::BTreeMap;
use std::time::Duration;

use anyhow::ensure;
use system_tests::aws::{Call, Options};
use tokio::time::sleep;

use super::Rig;
use super::program::Usage;
use crate::idle::{count_statements, statements};
use crate::report::{Report, Row};
use crate::server::{CODETEAM, Server};
use crate::turns::{Effort, Trouble, tolerate};

pub async fn measure(server: &Server, effort: Effort) -> anyhow::Result<Report> {
    let (settle, window) = effort.pick((0, 2), (70, 600));
    let (settle, window) = (Duration::from_secs(settle), Duration::from_secs(window));
    let countable = tolerate(server.load_statement_counts().await)?;
    let database = server.fresh(CODETEAM).await?;
    if countable.is_ok() {
        count_statements(server, &database).await?;
    }
    let still = Duration::from_millis(300);
    let mut rig = Rig::start(server, database, still, Options::default(), &[]).await?;
    rig.program.during(sleep(settle)).await?;
    let count = async |rig: &Rig| match &countable {
        Ok(()) => statements(server, &rig.database).await,
        Err(_) => Ok(0),
    };
    let (known, before, used) = (rig.aws.calls(0).await.len(), count(&rig).await?, rig.program.usage()?);
    rig.program.during(sleep(window)).await?;
    let (sent, uses) = (count(&rig).await? - before, rig.program.usage()?);
    let calls = rig.aws.calls(known).await;
    rig.stop(server).await?;
    ensure!(calls.iter().all(|call| call.status == Some(200)), "AWS refused a call: {calls:?}");
    let sent = countable.map(|()| sent as f64 / window.as_secs_f64() * 60.0);
    Ok(report(window, sent, &calls, used, uses))
}

fn report(window: Duration, sent: Result<f64, Trouble>, calls: &[Call], used: Usage, uses: Usage) -> Report {
    let minutes = window.as_secs_f64() / 60.0;
    let mut operations = BTreeMap::new();
    for call in calls {
        *operations.entry(call.operation.as_str()).or_insert(0.0) += 1.0 / minutes;
    }
    let others = calls.iter().filter(|call| call.operation != "PutMetricData").count();
    let cpu = (uses.cpu - used.cpu) / window.as_secs_f64() * 100.0;
    let mut figures = vec![("statements a minute".to_owned(), sent.as_ref().copied().unwrap_or(f64::NAN))];
    figures.extend(operations.iter().map(|(name, rate)| (format!("{name} a minute"), *rate)));
    figures.extend([
        ("processor, % of one".to_owned(), cpu),
        ("resident memory (VmRSS), MB".to_owned(), uses.resident),
        ("at most so far (VmHWM), MB".to_owned(), uses.peak),
        ("shared parts in shares (Pss), MB".to_owned(), uses.proportional),
    ]);
    let row =
        |(name, value): (String, f64)| Row { cells: vec![name, format!("{value:.3}")], samples: vec![value] };
    let mut rows: Vec<Row> = figures.into_iter().map(row).collect();
    if let (Err(Trouble(why)), Some(first)) = (&sent, rows.first_mut()) {
        *first = Row { cells: vec!["statements a minute".into(), why.clone()], samples: Vec::new() };
    }
    let ratio = |name: &str, value, meant| (name.to_owned(), value, meant);
    Report {
        title: format!("Scaler, asleep: what it uses in {} s without work", window.as_secs()),
        columns: vec!["", "figure"],
        rows,
        ratios: vec![
            ratio("statements a minute", sent.unwrap_or(f64::NAN), "at most 2"),
            ratio("calls to AWS but for metrics", others as f64, "none"),
            ratio("processor, % of one", cpu, "below 0.1"),
            ratio("resident memory at most, MB", uses.peak, "at most 25"),
        ],
    }
}
