//! What must hold of every committed state of the queue, whoever is under way.

use domain::JobId;
use tokio_postgres::Client;

/// Each names what it finds wrong; nothing wrong, no row.
const WRONG: &[(&str, &str)] = &[
    (
        "stands before the beginning of its line, where nobody looks",
        "select j.id::text from codeteam.jobs j join codeteam.line_beginnings l using (mode, priority)
         where j.state = 'queued' and j.waits_for is null and j.turn < l.starts_at",
    ),
    (
        "is a group of which more run than its limit says",
        "select group_key from codeteam.jobs where state = 'running' and group_key is not null
         group by group_key having count(*) > max(group_limit)",
    ),
    (
        "is a group with parked jobs, more room, and nobody in line to take it",
        "select group_key from codeteam.jobs where group_key is not null group by group_key
         having count(*) filter (where waits_for = 'group') > 0
            and count(*) filter (where state = 'queued' and waits_for is null)
              < max(group_limit) - count(*) filter (where state = 'running')",
    ),
    (
        "is running and not held, or held and not running",
        "select j.id::text from codeteam.jobs j left join codeteam.workers w on w.id = j.worker_id
         where (j.state = 'running') <> (w.id is not null)",
    ),
    (
        "has ended without an explanation, or is open with one",
        "select id::text from codeteam.jobs
         where (state in ('queued', 'running')) <> (finished_at is null and exit_reason is null and outcome is null)",
    ),
    (
        "waits for something and is not queued",
        "select id::text from codeteam.jobs where waits_for is not null and state <> 'queued'",
    ),
    (
        "is acknowledged by nobody or at no time, or has not ended badly",
        "select id::text from codeteam.jobs where (acknowledged_at is null) <> (acknowledged_by is null)
            or acknowledged_at is not null and state not in ('failed', 'dead')",
    ),
    (
        "has a gap in its journal",
        "select job_id::text from codeteam.events group by job_id having min(seq) <> 1 or max(seq) <> count(*)",
    ),
    (
        "was claimed more or fewer times than its attempt says",
        "select j.id::text from codeteam.jobs j
         where j.attempt <> (select count(*) from codeteam.events e where e.job_id = j.id and e.kind = 'claimed')
            or exists (select from codeteam.events e where e.job_id = j.id and e.attempt > j.attempt)",
    ),
    (
        "is not the only open job of its name",
        "select dedupe_key from codeteam.jobs where state in ('queued', 'running') and dedupe_key is not null
         group by dedupe_key having count(*) > 1",
    ),
];

pub async fn holds(admin: &Client) {
    let asked: Vec<String> = WRONG
        .iter()
        .enumerate()
        .map(|(n, (_, sql))| format!("select {n}, * from ({sql}) as w{n} (what)"))
        .collect();
    let wrong: Vec<String> = admin
        .query(&asked.join(" union all "), &[])
        .await
        .unwrap()
        .iter()
        .map(|row| {
            format!("{} {}", row.get::<_, String>(1), WRONG[row.get::<_, i32>(0).unsigned_abs() as usize].0)
        })
        .collect();
    assert!(wrong.is_empty(), "{wrong:#?}");
}

/// A job that can be claimed.
pub struct InLine {
    pub id: JobId,
    pub turn: i64,
}

pub async fn line(admin: &Client) -> Vec<InLine> {
    let sql = "select id, turn from codeteam.in_line
               where mode <> all (select mode from codeteam.pauses) and not exists (select from codeteam.stops_in_force where repo = '')";
    let rows = admin.query(sql, &[]).await.unwrap();
    rows.iter().map(|row| InLine { id: JobId(row.get(0)), turn: row.get(1) }).collect()
}
