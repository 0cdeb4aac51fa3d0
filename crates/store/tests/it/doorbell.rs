//! The doorbell: it rings when somebody sleeps, is silent when nobody does, and no ring is lost.

use std::sync::Arc;
use std::time::Duration;

use domain::Mode;
use store::{Database, Doorbell, Topic, Wake};
use testkit::TestDatabase;
use tokio::time::timeout;

use crate::{claimed, hired, journal_of, roles, soon, worker};

const LONG: Duration = Duration::from_secs(20);

fn bell(database: &Arc<Database>, sleeper: domain::WorkerId) -> Doorbell {
    Doorbell::new(database.clone(), Topic::Mode(Mode::Mechanic), sleeper.0)
}

/// Waits until `n` sleepers are listed, and as many have had an answer to `last`, the last thing that they say before they wait:
/// a look after they registered, a doze when they were registered already.
async fn asleep(client: &tokio_postgres::Client, n: i64, last: &str) {
    let waiting = "select (select count(*) from codeteam.sleepers) = $1 and $1 <= (
        select count(*) from pg_stat_activity
        where datname = current_database() and pid <> pg_backend_pid() and state = 'idle' and query like '%codeteam.' || $2 || '%')";
    timeout(LONG, async {
        while !client.query_one(waiting, &[&n, &last]).await.unwrap().get::<_, bool>(0) {}
    })
    .await
    .expect("the sleepers to wait");
}

/// What rings on these channels until `control` does.
pub async fn rings(database: &TestDatabase, channels: &[&str], act: impl AsyncFnOnce()) -> Vec<String> {
    let (client, mut connection) =
        tokio_postgres::connect(&database.url("postgres"), tokio_postgres::NoTls).await.unwrap();
    let (sender, mut notices) = tokio::sync::mpsc::unbounded_channel();
    tokio::spawn(async move {
        while let Some(Ok(message)) = std::future::poll_fn(|cx| connection.poll_message(cx)).await {
            if let tokio_postgres::AsyncMessage::Notification(ring) = message {
                sender.send(ring.channel().to_owned()).unwrap();
            }
        }
    });
    for channel in channels.iter().chain(&["control"]) {
        client.batch_execute(&format!("listen {channel}")).await.unwrap();
    }
    act().await;
    client.batch_execute("notify control").await.unwrap();
    let mut heard = Vec::new();
    loop {
        match timeout(LONG, notices.recv()).await.expect("the control").unwrap() {
            control if control == "control" => return heard,
            ring => heard.push(ring),
        }
    }
}

/// On a server of its own: elsewhere other tests' transactions keep a sleeper looking, and a look may find the job before the ring.
#[tokio::test]
async fn a_sleeper_is_woken_by_an_insert_and_one_who_finds_work_does_not_sleep() {
    let server = testkit::Server::start().await;
    let name = TestDatabase::create(&server, "template codeteam_template").await;
    let open = async |role: &str| {
        let config = store::Config::parse(&server.url(role, &name), "test").unwrap();
        Arc::new(Database::open(config).await.unwrap())
    };
    let (api, workers) = (open("codeteam_api").await, open("codeteam_worker").await);
    let (admin, connection) =
        tokio_postgres::connect(&server.url("postgres", &name), tokio_postgres::NoTls).await.unwrap();
    tokio::spawn(connection);
    let by = hired(&workers).await;
    let mut doorbell = bell(&workers, by);
    let (wake, ()) = tokio::join!(timeout(LONG, doorbell.sleep()), async {
        asleep(&admin, 1, "look").await;
        api.submit(&testkit::job()).await.unwrap();
    });
    assert_eq!(wake.unwrap().unwrap(), Wake::Rung);
    assert_eq!(
        timeout(LONG, doorbell.sleep()).await.unwrap().unwrap(),
        Wake::Ready,
        "the job is still there"
    );

    workers.claim(by, Mode::Mechanic).await.unwrap().unwrap();
    asleep(&admin, 0, "look").await;
    server.stop().await;
}

#[tokio::test]
async fn an_insert_rings_for_its_own_mode_and_the_scaler_only() {
    let roles = roles().await;
    let admin = roles.database.client("postgres").await;
    admin
        .batch_execute(
            "insert into codeteam.sleepers (topic, sleeper, backend)
             select topic, gen_random_uuid(), pg_backend_pid() from unnest(array['mechanic', 'genius', 'scaler', 'events']) as topic",
        )
        .await
        .unwrap();
    let channels = ["codeteam_mechanic", "codeteam_genius", "codeteam_scaler", "codeteam_events"];
    let mut heard = rings(&roles.database, &channels, async || {
        let mut job = testkit::job();
        job.mode = Mode::Genius;
        roles.api.submit(&job).await.unwrap();
    })
    .await;
    heard.sort();
    assert_eq!(heard, ["codeteam_genius", "codeteam_scaler"]);
}

#[tokio::test]
async fn a_job_that_comes_due_wakes_a_sleeper_without_a_ring() {
    let roles = roles().await;
    let client = roles.database.client("codeteam_api").await;
    client
        .batch_execute(
            "insert into codeteam.jobs (mode, task, repo, prompt, run_at)
             values ('mechanic', 'bug_fix', 'r', 'p', now() + interval '400 milliseconds')",
        )
        .await
        .unwrap();
    let wake = timeout(LONG, bell(&roles.worker, worker()).sleep()).await.unwrap().unwrap();
    assert!(matches!(wake, Wake::Due | Wake::Ready), "{wake:?}");
}

/// The case that the protocol exists for: the insert came before the registration, and commits after the look.
#[tokio::test]
async fn an_insert_that_was_under_way_when_the_sleeper_registered_is_seen() {
    let roles = roles().await;
    let admin = roles.database.client("postgres").await;
    let mut writer = roles.database.client("codeteam_api").await;
    let insert = writer.transaction().await.unwrap();
    insert
        .batch_execute(
            "insert into codeteam.jobs (mode, task, repo, prompt) values ('mechanic', 'bug_fix', 'r', 'p')",
        )
        .await
        .unwrap();
    let mut doorbell = bell(&roles.worker, worker());
    let (wake, ()) = tokio::join!(timeout(LONG, doorbell.sleep()), async {
        asleep(&admin, 1, "look").await;
        insert.commit().await.unwrap();
    });
    assert_eq!(wake.expect("the job is seen without waiting for the safety look").unwrap(), Wake::Ready);
}

#[tokio::test]
async fn above_read_committed_an_insert_always_rings() {
    let roles = roles().await;
    let admin = roles.database.client("postgres").await;
    let mut writer = roles.database.client("codeteam_api").await;
    let insert = writer
        .build_transaction()
        .isolation_level(tokio_postgres::IsolationLevel::RepeatableRead)
        .start()
        .await
        .unwrap();
    insert.query_one("select 1", &[]).await.unwrap(); // its snapshot is older than the registration
    let mut doorbell = bell(&roles.worker, worker());
    let (wake, ()) = tokio::join!(timeout(LONG, doorbell.sleep()), async {
        asleep(&admin, 1, "look").await;
        insert
            .batch_execute("insert into codeteam.jobs (mode, task, repo, prompt) values ('mechanic', 'bug_fix', 'r', 'p')")
            .await
            .unwrap();
        insert.commit().await.unwrap();
    });
    assert!(wake.is_ok(), "it waited for the safety look");
}

/// Gaps between inserts matter: under steady inserts the next ring would hide a lost one.
#[tokio::test]
async fn a_thousand_jobs_among_sleepers_that_doze_and_wake_never_wait_for_the_safety_look() {
    const JOBS: usize = 1_000;
    let roles = roles().await;
    let (done, mut finished) = tokio::sync::mpsc::channel::<Wake>(JOBS);
    let mut workers = tokio::task::JoinSet::new();
    for _ in 0..4 {
        let database = roles.database.store("codeteam_worker").await;
        let done = done.clone();
        workers.spawn(async move {
            let by = hired(&database).await;
            let mut doorbell = bell(&database, by);
            let mut wake = Wake::Ready;
            loop {
                while let Some(claimed) = database.claim(by, Mode::Mechanic).await.unwrap() {
                    let end = (
                        domain::JobState::Succeeded,
                        domain::Outcome::Unverified,
                        domain::ExitReason::Finished,
                    );
                    journal_of(&database, &claimed).finish(end, None, &[], soon()).await.unwrap();
                    done.send(wake).await.unwrap();
                }
                wake = doorbell.sleep().await.unwrap();
            }
        });
    }
    // Each job comes only when all is done that was there: every one finds the workers asleep, or on their way to it.
    let mut writer = roles.database.client("codeteam_api").await;
    for n in 0..JOBS {
        let insert = writer.transaction().await.unwrap();
        insert
            .batch_execute("insert into codeteam.jobs (mode, task, repo, prompt) values ('mechanic', 'bug_fix', 'r', 'p')")
            .await
            .unwrap();
        for _ in 0..n % 7 {
            insert.query_one("select 1", &[]).await.unwrap(); // commits come late by varying times
        }
        insert.commit().await.unwrap();
        let wake = timeout(LONG, finished.recv())
            .await
            .unwrap_or_else(|_| panic!("job {n} waits for the safety look"));
        assert_ne!(wake, Some(Wake::Safety), "job {n} was found only by the safety look");
    }
}

#[tokio::test]
async fn nobody_is_notified_while_nobody_sleeps() {
    let roles = roles().await;
    let channels = ["codeteam_mechanic", "codeteam_scaler", "codeteam_events"];
    let heard = rings(&roles.database, &channels, async || {
        claimed(&roles.api, &roles.worker, hired(&roles.worker).await).await;
    })
    .await;
    assert!(heard.is_empty(), "{heard:?}");
}

#[tokio::test]
async fn who_is_awake_hears_of_more_work_without_being_told_of_what_there_is() {
    let roles = roles().await;
    let admin = roles.database.client("postgres").await;
    roles.api.submit(&testkit::job()).await.unwrap();
    let scaler = roles.database.store("codeteam_scaler").await;
    let mut doorbell = Doorbell::new(scaler, Topic::Scaler, worker().0);
    doorbell.rung().await.unwrap(); // newly listed: a ring may have been missed
    let (heard, ()) = tokio::join!(timeout(LONG, doorbell.rung()), async {
        asleep(&admin, 1, "doze").await;
        roles.api.submit(&testkit::job()).await.unwrap();
    });
    heard.expect("a ring").unwrap();
    doorbell.wake().await.unwrap();
    asleep(&admin, 0, "look").await;
}
