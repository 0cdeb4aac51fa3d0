//! The floor of the throughput: pgbench, with the fewest statements that could do the job. A claim that skips locked rows, and an
//! end; each a commit, from as many connections as there are workers.

use std::time::Duration;

use anyhow::Context;

use crate::child;
use crate::server::Server;
use crate::turns::Trouble;

const TABLE: &str = "
    create table jobs (id bigint generated always as identity primary key, state text not null default 'queued')
      with (fillfactor = 80);
    create index on jobs (id) where state = 'queued'";
const SCRIPT: &str = "
update jobs set state = 'running'
where id = (select id from jobs where state = 'queued' order by id limit 1 for update skip locked) returning id \\gset
update jobs set state = 'done' where id = :id;
";

/// Jobs per second, without the time that connecting takes.
pub async fn drain(server: &Server, jobs: usize, workers: usize) -> anyhow::Result<f64> {
    let database = server.fresh("template1").await?;
    let rate = run(server, &database, jobs, workers).await;
    server.drop(&database).await?;
    rate
}

async fn run(server: &Server, database: &str, jobs: usize, workers: usize) -> anyhow::Result<f64> {
    let client = server.client(database).await?;
    client.batch_execute(TABLE).await?;
    let each = jobs.div_ceil(workers);
    let fill = "insert into jobs (state) select 'queued' from generate_series(1, $1)";
    client.execute(fill, &[&i32::try_from(each * workers)?]).await?;
    let folder = tempfile::tempdir()?;
    std::fs::write(folder.path().join("job.sql"), SCRIPT)?;
    // With the server's programs, or, where those are only links to it, on the PATH.
    let beside = embedded::find()?.dir.join("pgbench");
    let pgbench = if beside.exists() { beside } else { "pgbench".into() };
    let (pgbench, url, workers, each) =
        (pgbench.display().to_string(), server.url(database), workers.to_string(), each.to_string());
    let arguments = format!("-n -f job.sql -M prepared -j 2 -c {workers} -t {each} {url}");
    let program: Vec<String> =
        std::iter::once(pgbench.as_str()).chain(arguments.split(' ')).map(str::to_owned).collect();
    let limit = Duration::from_secs(120);
    let output = child::run(folder.path(), &program, &[], limit).await;
    let output = output.map_err(Trouble::of)?;
    rate(&output).with_context(|| format!("pgbench gave no rate: {output}"))
}

fn rate(output: &str) -> Option<f64> {
    let rest = output.lines().find_map(|line| line.strip_prefix("tps = "))?;
    rest.split_whitespace().next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_rate_is_read_as_pgbench_writes_it() {
        let output =
            "initial connection time = 9.1 ms\ntps = 4321.500000 (without initial connection time)\n";
        assert_eq!(rate(output), Some(4321.5));
        assert_eq!(rate("pgbench: error"), None);
    }
}
